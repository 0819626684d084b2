#include "common/adapters/curl/internal.h"
#include "common/base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { HEADER_LINE_MAX = 4096 };

/* A transfer in progress. */
struct transfer {
    struct arena *arena;
    struct http_response response;
    struct text body;
    bool too_large; /* For the arena, or a body over HTTP_BODY_MAX. */
};

static size_t take_body(char *bytes, size_t size, size_t count, void *self)
{
    struct transfer *const transfer = self;

    text_add_bytes(&transfer->body, bytes, size * count);
    transfer->too_large = transfer->too_large || !text_ok(&transfer->body);
    return transfer->too_large ? 0 : size * count;
}

/* "Name: value\r\n" into the response. A new status line (after 100 Continue) begins anew. */
static void take_header_line(struct transfer *transfer, const char *line, size_t length)
{
    struct http_response *const response = &transfer->response;
    const char *const colon = memchr(line, ':', length);
    char *copy;
    char *value;

    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        response->header_count = 0;
        return;
    }
    if (colon == NULL || response->header_count == HTTP_HEADERS_MAX || length > HEADER_LINE_MAX)
        return;
    copy = arena_try(transfer->arena, length + 1);
    if (copy == NULL) {
        transfer->too_large = true;
        return;
    }
    memcpy(copy, line, length);
    while (length > 0 && isspace((unsigned char)copy[length - 1]))
        copy[--length] = '\0';
    value = copy + (colon - line);
    *value++ = '\0';
    value += strspn(value, " \t");
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    response->headers[response->header_count++] = (struct http_header){ copy, value };
}

static size_t take_header(char *bytes, size_t size, size_t count, void *self)
{
    struct transfer *const transfer = self;

    take_header_line(transfer, bytes, size * count);
    return transfer->too_large ? 0 : size * count;
}

/* Curl's: anything but 0 ends the transfer. */
static int ask_cancelled(
    void *self, curl_off_t down, curl_off_t down_now, curl_off_t up, curl_off_t up_now)
{
    const struct http_request *const request = self;

    (void)down;
    (void)down_now;
    (void)up;
    (void)up_now;
    return request->cancelled(request->cancelled_self) ? 1 : 0;
}

static bool is_token(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name != '\0'; name++) {
        if (!isalnum((unsigned char)*name) && strchr("!#$%&'*+-.^_`|~", *name) == NULL)
            return false;
    }
    return true;
}

static enum err request_check(const struct http_request *request, struct error *error)
{
    const bool http = strncasecmp(request->url, "http://", 7) == 0 ||
                      strncasecmp(request->url, "https://", 8) == 0;

    if (!http || !curl_is_plain(request->url) || strchr(request->url, ' ') != NULL)
        return error_set(error, ERR_INVALID, "not an http or https address");
    if (!is_token(request->method))
        return error_set(error, ERR_INVALID, "not a method: \"%.32s\"", request->method);
    for (size_t i = 0; i < request->header_count; i++) {
        if (!is_token(request->headers[i].name) || !curl_is_plain(request->headers[i].value))
            return error_set(error,
                             ERR_INVALID,
                             "header \"%.64s\" cannot be sent",
                             request->headers[i].name);
    }
    return ERR_OK;
}

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *const longer = curl_slist_append(*list, line);

    if (longer != NULL)
        *list = longer;
}

/* The caller's headers; and none of those that curl would add by itself to a body. */
static struct curl_slist *header_list(struct arena *arena, const struct http_request *request)
{
    struct curl_slist *list = NULL;
    bool has_type = false;

    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *const header = &request->headers[i];

        has_type = has_type || strcasecmp(header->name, "content-type") == 0;
        /* "Name;" is curl's way to say an empty value; "Name:" would leave the header out. */
        add_line(&list,
                 header->value[0] != '\0'
                     ? arena_printf(arena, "%s: %s", header->name, header->value)
                     : arena_printf(arena, "%s;", header->name));
    }
    add_line(&list, "Expect:");
    if (!has_type)
        add_line(&list, "Content-Type:");
    return list;
}

static void set_request(CURL *handle,
                        const struct http_request *request,
                        struct curl_slist *headers)
{
    if (request->body != NULL) {
        (void)curl_easy_setopt(
            handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        (void)curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(request->method, "HEAD") == 0)
        (void)curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    else
        (void)curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
    (void)curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(handle, CURLOPT_USERAGENT, "slipway/" SLIPWAY_VERSION);
    if (request->cancelled != NULL) {
        (void)curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, ask_cancelled);
        (void)curl_easy_setopt(handle, CURLOPT_XFERINFODATA, request);
    }
}

/* Status, time and body of a transfer that went through. */
static enum err finish(CURL *handle, struct transfer *transfer, struct error *error)
{
    struct http_response *const response = &transfer->response;
    char *const body = arena_try(transfer->arena, transfer->body.length + 1);
    curl_off_t took_us = 0;
    long status = 0;

    if (body == NULL)
        return error_set(error, ERR_TOO_LARGE, "no room for an answer of that size");
    memcpy(body, transfer->body.bytes, transfer->body.length);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME_T, &took_us);
    response->status = (int)status;
    response->took_ms = (int64_t)took_us / 1000;
    response->body = body;
    response->body_length = transfer->body.length;
    return ERR_OK;
}

enum err curl_perform(void *self,
                      struct arena *arena,
                      const struct http_request *request,
                      struct http_response *ret,
                      struct error *error)
{
    struct curl_client *const client = self;
    struct transfer transfer = { .arena = arena };
    struct curl_slist *headers;
    CURLcode code;
    enum err err = request_check(request, error);

    if (err != ERR_OK)
        return err;
    headers = header_list(arena, request);
    transfer.body = text_new(HTTP_BODY_MAX + 1);
    curl_prepare(client, "http,https", request->url, request->timeout_ms);
    set_request(client->handle, request, headers);
    (void)curl_easy_setopt(client->handle, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(client->handle, CURLOPT_WRITEDATA, &transfer);
    (void)curl_easy_setopt(client->handle, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(client->handle, CURLOPT_HEADERDATA, &transfer);
    code = curl_easy_perform(client->handle);
    if (transfer.too_large)
        err = error_set(error, ERR_TOO_LARGE, "an answer of more than %d bytes", HTTP_BODY_MAX);
    else if (code != CURLE_OK)
        err = curl_failure(client, code, request->url, error);
    else
        err = finish(client->handle, &transfer, error);
    if (err == ERR_OK)
        *ret = transfer.response;
    text_release(&transfer.body);
    curl_slist_free_all(headers);
    return err;
}
