#include "services/gateway/server.h"

#include "services/gateway/resources.h"
#include "services/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

enum { WAITS_MAX = 256, WAIT_ID_MAX = 80, PING_MS = 5000, LATER_MARGIN_MS = 250 };

/* A request whose answer depends on the coordinator. */
struct wait {
    uint64_t web_id; /* 0: free. */
    int64_t until_ms;
    char request[WAIT_ID_MAX];
    char deployment[WAIT_ID_MAX];
};

struct gateway_waits {
    struct wait item[WAITS_MAX];
};

struct gateway_waits *waits_new(void)
{
    struct gateway_waits *const waits = calloc(1, sizeof *waits);

    if (waits == NULL)
        abort();
    return waits;
}

void waits_free(struct gateway_waits *waits)
{
    free(waits);
}

/* --- from request to answer --- */

static void read_query(struct gateway_call *call, const struct web_request *request)
{
    for (size_t i = 0; i < request->query_count; i++)
        call->query[call->query_count++] =
            pb_pair_new(call->arena, request->query[i].name, request->query[i].value);
}

static void set_header(struct web_response *response, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        web_set_header(response, name, value);
}

static const char *number_text(struct gateway_call *call, int64_t number)
{
    return number > 0 ? arena_printf(call->arena, "%lld", (long long)number) : NULL;
}

static void write_response(struct gateway_call *call, struct web_response *response)
{
    response->status = call->status;
    set_header(response, "Content-Type", call->content_type);
    set_header(response, "Cache-Control", "no-store");
    set_header(response, "X-Content-Type-Options", "nosniff");
    set_header(response, "ETag", call->etag);
    set_header(response, "Location", call->location);
    set_header(response, "Link", call->link);
    set_header(response, "Slipway-As-Of", number_text(call, call->as_of_ms));
    set_header(response, "Retry-After", number_text(call, call->retry_after_s));
    if (call->status == 401)
        set_header(response, "WWW-Authenticate", "Bearer");
    response->body = call->out.bytes;
    response->body_length = call->out.length;
}

static bool wait_register(struct gateway_call *call, uint64_t web_id)
{
    struct gateway_waits *const waits = call->gateway->waits;
    bool done = false;

    if (strlen(call->wait_request) >= WAIT_ID_MAX ||
        strlen(call->wait_deployment) >= WAIT_ID_MAX)
        return false;
    (void)pthread_mutex_lock(&call->gateway->lock);
    for (size_t i = 0; i < WAITS_MAX && !done; i++) {
        struct wait *const wait = &waits->item[i];

        if (wait->web_id != 0)
            continue;
        *wait = (struct wait){ .web_id = web_id, .until_ms = call->wait_until_ms };
        memcpy(wait->request, call->wait_request, strlen(call->wait_request) + 1);
        memcpy(wait->deployment, call->wait_deployment, strlen(call->wait_deployment) + 1);
        done = true;
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return done;
}

static enum web_answer finish(struct gateway_call *call,
                              const struct web_request *request,
                              struct web_response *response)
{
    const bool waits = call->wait_until_ms > call->now_ms && call->status == 202;

    write_response(call, response);
    if (call->stream) {
        response->ping_ms = PING_MS;
        response->farewell = "event: reset\ndata: {\"why\":\"this reader is too slow\"}\n\n";
        return stream_register(call, request->id) ? WEB_STREAM : WEB_NOW;
    }
    if (!waits || !wait_register(call, request->id))
        return WEB_NOW;
    response->wait_ms = (int)(call->wait_until_ms - call->now_ms) + LATER_MARGIN_MS;
    return WEB_LATER;
}

enum web_answer server_handle(void *self,
                              const struct web_request *request,
                              struct web_response *response)
{
    struct gateway *const gateway = self;
    struct gateway_call call = {
        .gateway = gateway,
        .projection = &gateway->loop,
        .arena = &gateway->loop_arena,
        .method = request->method,
        .path = request->path,
        .web = request,
        .body = { (const uint8_t *)request->body, request->body_length },
        .now_ms = clock_now_ms(gateway->ports->clock),
    };
    enum web_answer answer;

    arena_reset(&gateway->loop_arena);
    text_reset(&gateway->loop_text);
    call.out = gateway->loop_text;
    read_query(&call, request);
    gateway_handle(&call);
    answer = finish(&call, request, response);
    gateway->loop_text = call.out;
    return answer;
}

void server_gone(void *self, uint64_t stream)
{
    stream_forget(self, stream);
}

/* --- answers that came --- */

/* The newest look of one wait; true when it has been answered. */
static bool serve(struct gateway *gateway, const struct wait *wait, struct text *text)
{
    struct web_response response = { .status = 200 };
    struct gateway_call call = {
        .gateway = gateway,
        .projection = &gateway->own,
        .arena = &gateway->own_arena,
        .method = "POST",
        .path = "",
        .now_ms = clock_now_ms(gateway->ports->clock),
        .wait_request = wait->request,
        .wait_deployment = wait->deployment,
        .wait_until_ms = wait->until_ms,
        .out = *text,
    };
    bool done;

    done = request_answer(&call) || call.now_ms >= wait->until_ms;
    if (done) {
        write_response(&call, &response);
        (void)gateway->server.answer(gateway->server.self, wait->web_id, &response);
    }
    *text = call.out;
    return done;
}

size_t waits_serve(struct gateway *gateway)
{
    struct text text = text_new(GATEWAY_ANSWER_MAX);
    size_t left = 0;

    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct wait wait;
        bool done;

        (void)pthread_mutex_lock(&gateway->lock);
        wait = gateway->waits->item[i];
        (void)pthread_mutex_unlock(&gateway->lock);
        if (wait.web_id == 0)
            continue;
        arena_reset(&gateway->own_arena);
        done = serve(gateway, &wait, &text);
        left += !done;
        if (!done)
            continue;
        (void)pthread_mutex_lock(&gateway->lock);
        gateway->waits->item[i].web_id = 0;
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    text_release(&text);
    return left;
}
