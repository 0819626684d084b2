#include "common/adapters/memory/http_client.h"

#include "common/adapters/memory/heap.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct answer_row {
    struct memory_http_answer answer;
    unsigned used;
};

struct memory_http {
    struct answer_row *rows;
    size_t row_count;
    size_t row_capacity;
    struct memory_http_call *calls;
    size_t call_count;
    size_t call_capacity;
};

struct memory_http *memory_http_new(void)
{
    return heap_take(sizeof(struct memory_http));
}

static void call_release(struct memory_http_call *call)
{
    free(call->method);
    free(call->url);
    free(call->body);
    free(call->mail_from);
    free(call->mail_to);
    for (size_t i = 0; i < call->header_count; i++) {
        free((void *)(uintptr_t)call->headers[i].name);
        free((void *)(uintptr_t)call->headers[i].value);
    }
}

void memory_http_free(struct memory_http *http)
{
    if (http == NULL)
        return;
    for (size_t i = 0; i < http->call_count; i++)
        call_release(&http->calls[i]);
    free(http->calls);
    free(http->rows);
    free(http);
}

void memory_http_answer(struct memory_http *http, const struct memory_http_answer *answer)
{
    http->rows =
        heap_room(http->rows, http->row_count, &http->row_capacity, sizeof *http->rows);
    http->rows[http->row_count++] = (struct answer_row){ .answer = *answer };
}

void memory_http_forget(struct memory_http *http)
{
    http->row_count = 0;
}

size_t memory_http_call_count(const struct memory_http *http)
{
    return http->call_count;
}

const struct memory_http_call *memory_http_call(const struct memory_http *http, size_t index)
{
    assert(index < http->call_count);
    return &http->calls[index];
}

static struct memory_http_call *call_record(struct memory_http *http)
{
    http->calls =
        heap_room(http->calls, http->call_count, &http->call_capacity, sizeof *http->calls);
    struct memory_http_call *call = &http->calls[http->call_count++];

    *call = (struct memory_http_call){ 0 };
    return call;
}

static void request_record(struct memory_http *http, const struct http_request *request)
{
    struct memory_http_call *call = call_record(http);

    call->method = heap_text(request->method);
    call->url = heap_text(request->url);
    call->body_length = request->body != NULL ? request->body_length : 0;
    call->body = heap_copy(request->body != NULL ? request->body : "", call->body_length);
    call->header_count = request->header_count;
    for (size_t i = 0; i < request->header_count; i++) {
        call->headers[i].name = heap_text(request->headers[i].name);
        call->headers[i].value = heap_text(request->headers[i].value);
    }
}

static const struct memory_http_answer *answer_find(struct memory_http *http,
                                                    const char *method,
                                                    const char *url)
{
    for (size_t i = 0; i < http->row_count; i++) {
        struct answer_row *row = &http->rows[i];
        const struct memory_http_answer *answer = &row->answer;

        if (answer->times > 0 && row->used >= answer->times)
            continue;
        if (answer->method != NULL && strcmp(answer->method, method) != 0)
            continue;
        if (fnmatch(answer->url, url, 0) != 0)
            continue;
        row->used++;
        return answer;
    }
    return NULL;
}

static enum err client_perform(void *self,
                               struct arena *arena,
                               const struct http_request *request,
                               struct http_response *ret,
                               struct error *error)
{
    struct memory_http *http = self;
    const char *method = request->method, *url = request->url;
    const struct memory_http_answer *answer = answer_find(http, method, url);

    request_record(http, request);
    if (request->cancelled != NULL && request->cancelled(request->cancelled_self))
        return error_set(error, ERR_CONFLICT, "%s %s: cancelled", method, url);
    if (answer == NULL)
        return error_set(error, ERR_UNAVAILABLE, "%s %s: no answer prepared", method, url);
    if (answer->respond != NULL)
        return answer->respond(answer->respond_self, arena, request, ret, error);
    if (answer->err != ERR_OK)
        return error_set(error, answer->err, "%s %s: %s", method, url, err_name(answer->err));
    const char *body = answer->body != NULL ? answer->body : "";

    *ret = (struct http_response){ .status = answer->status,
                                   .body = arena_text(arena, body),
                                   .body_length = strlen(body),
                                   .header_count = answer->header_count,
                                   .took_ms = answer->took_ms };
    memcpy(ret->headers, answer->headers, sizeof ret->headers);
    return ERR_OK;
}

static enum err client_send_mail(void *self, const struct mail *mail, struct error *error)
{
    struct memory_http *http = self;
    const struct memory_http_answer *answer = answer_find(http, "MAIL", mail->server);
    struct memory_http_call *call = call_record(http);

    call->method = heap_text("MAIL");
    call->url = heap_text(mail->server);
    call->body_length = strlen(mail->message);
    call->body = heap_text(mail->message);
    call->mail_from = heap_text(mail->from);
    call->mail_to = heap_text(mail->to);
    if (answer == NULL)
        return error_set(error, ERR_UNAVAILABLE, "%s: no answer prepared", mail->server);
    if (answer->err != ERR_OK)
        return error_set(error, answer->err, "%s: %s", mail->server, err_name(answer->err));
    return ERR_OK;
}

static void client_close(void *self)
{
    (void)self;
}

struct http_client memory_http_client(struct memory_http *http)
{
    return (struct http_client){ http, client_perform, client_send_mail, client_close };
}
