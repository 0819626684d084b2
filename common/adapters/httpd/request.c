/* From the library's callbacks to one call of the handler, and its answer back. */
#include "common/adapters/httpd/internal.h"
#include "common/adapters/httpd/target.h"
#include "common/base/json.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { ARENA_MAX = 4 * 1024 * 1024, REFUSAL_MAX = 1024 };

/* Answer without asking the handler, and hang up: what follows on this connection may be
 * anything. */
static enum MHD_Result refuse(struct exchange *exchange, int status, const char *detail)
{
    char bytes[REFUSAL_MAX];
    struct text body = text_over(bytes, sizeof bytes);
    struct json json = json_into(&body);
    struct web_response response = { .status = status };

    json_put_object(&json, NULL);
    json_put_text(&json, "type", "urn:slipway:problem:bad-http");
    json_put_text(&json, "title", "This request cannot be read");
    json_put_int(&json, "status", status);
    json_put_text(&json, "detail", detail);
    json_put_text(&json, "code", "bad-http");
    json_put_text(&json, "docs", "/docs/problems/bad-http");
    json_end_object(&json);
    web_set_header(&response, "Content-Type", "application/problem+json");
    web_set_header(&response, "Connection", "close");
    response.body = bytes;
    response.body_length = body.length;
    exchange->reply = exchange_reply(&response, &exchange->reply_status);
    return exchange_queue(exchange);
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

/* The clocks of a connection that rests, or stops to. */
static void visitor_rests(const struct httpd *httpd,
                          struct MHD_Connection *connection,
                          bool idle)
{
    struct visitor *const visitor = visitor_of(connection);
    const int limit_ms = idle ? httpd->options.idle_ms : httpd->options.request_ms;

    visitor->since_ms = httpd_now_ms();
    visitor->idle = idle;
    (void)MHD_set_connection_option(
        connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)(limit_ms + 999) / 1000);
}

void *request_begins(void *self, const char *target, struct MHD_Connection *connection)
{
    struct exchange *const exchange = exchange_new(self);

    visitor_rests(self, connection, false);
    if (exchange != NULL) {
        exchange->connection = connection;
        exchange->target = strdup(target);
    }
    return exchange;
}

/* What the head says about the length of the body, and how often. */
struct framing {
    unsigned lengths;
    unsigned encodings;
    unsigned hosts;
    unsigned headers;
    bool chunked;
    bool odd; /* A name that is none: others may read another header in it. */
    unsigned long long length;
};

/* RFC 9110: a token. "Content-Length :" is another header to us than to those in between. */
static bool is_token(const char *name)
{
    return name[0] != '\0' && name[strspn(name,
                                          "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static enum MHD_Result count_header(void *self,
                                    enum MHD_ValueKind kind,
                                    const char *name,
                                    const char *value)
{
    struct framing *const framing = self;

    (void)kind;
    framing->headers++;
    framing->odd = framing->odd || !is_token(name);
    if (strcasecmp(name, "content-length") == 0) {
        framing->lengths++;
        framing->length = strtoull(value != NULL ? value : "", NULL, 10);
    } else if (strcasecmp(name, "transfer-encoding") == 0) {
        framing->encodings++;
        framing->chunked = value != NULL && strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(name, "host") == 0) {
        framing->hosts++;
    }
    return MHD_YES;
}

static enum MHD_Result take_head(struct exchange *exchange, struct MHD_Connection *connection)
{
    const size_t body_max = exchange->httpd->options.body_max;
    struct framing framing = { 0 };

    exchange->head_seen = true;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &framing);
    if (framing.odd)
        return refuse(exchange, 400, "a header has a name that is none");
    if (framing.lengths + framing.encodings > 1)
        return refuse(exchange, 400, "the length of the body is given more than once");
    if (framing.encodings == 1 && !framing.chunked)
        return refuse(exchange, 501, "no transfer encoding but chunked is known");
    if (framing.hosts > 1)
        return refuse(exchange, 400, "more than one Host");
    if (framing.headers > WEB_HEADERS_MAX)
        return refuse(exchange, 431, "too many headers");
    if (framing.length > body_max)
        return refuse(exchange, 413, "the body is too large");
    exchange->body = text_new(body_max + 1);
    return MHD_YES;
}

static enum MHD_Result copy_header(void *self,
                                   enum MHD_ValueKind kind,
                                   const char *name,
                                   const char *value)
{
    struct web_request *const request = self;

    (void)kind;
    if (request->header_count < WEB_HEADERS_MAX)
        request->headers[request->header_count++] =
            (struct web_pair){ name, value != NULL ? value : "" };
    return MHD_YES;
}

static const char *peer_of(struct arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *const info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *const address = info->client_addr;
    const socklen_t length = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                            : sizeof(struct sockaddr_in);
    char host[ADDRESS_TEXT_MAX];

    if (getnameinfo(address, length, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
        return "?";
    return arena_text(arena, host);
}

static int fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* A suspended connection is not watched by the library; we watch it for its end. */
static void watch_for_hang_up(struct exchange *exchange)
{
    struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT };

    event.data.u64 = exchange->id;
    (void)epoll_ctl(exchange->httpd->epoll, EPOLL_CTL_ADD, fd_of(exchange->connection), &event);
}

static enum MHD_Result begin_stream(struct exchange *exchange,
                                    const struct web_response *response)
{
    exchange->stream = true;
    watch_for_hang_up(exchange);
    return exchange_stream(exchange, response);
}

static enum MHD_Result settle(struct exchange *exchange,
                              enum web_answer answer,
                              const struct web_response *response)
{
    switch (answer) {
    case WEB_LATER: return exchange_wait(exchange, response);
    case WEB_STREAM: return begin_stream(exchange, response);
    case WEB_NOW: break;
    }
    exchange->reply = exchange_reply(response, &exchange->reply_status);
    return exchange_queue(exchange);
}

static enum MHD_Result serve(struct exchange *exchange, const char *method, struct arena *arena)
{
    const struct web_handler *const handler = &exchange->httpd->options.handler;
    struct web_request request = { .id = exchange->id,
                                   .method = method,
                                   .body = exchange->body.bytes,
                                   .body_length = exchange->body.length,
                                   .arena = arena };
    struct web_response response = { .status = 200 };
    struct error error = { 0 };
    enum web_answer answer;

    if (!text_ok(&exchange->body))
        return refuse(exchange, 413, "the body is too large");
    if (exchange->target == NULL ||
        target_decode(arena, exchange->target, &request, &error) != ERR_OK)
        return refuse(exchange, 400, error.text);
    (void)MHD_get_connection_values(
        exchange->connection, MHD_HEADER_KIND, copy_header, &request);
    request.peer = peer_of(arena, exchange->connection);
    (void)pthread_mutex_lock(&exchange->httpd->lock);
    exchange->state = EXCHANGE_DECIDING;
    (void)pthread_mutex_unlock(&exchange->httpd->lock);
    answer = handler->handle(handler->self, &request, &response);
    return settle(exchange, answer, &response);
}

/* The state as other threads may have made it. */
static enum exchange_state state_of(struct exchange *exchange)
{
    enum exchange_state state;

    (void)pthread_mutex_lock(&exchange->httpd->lock);
    state = exchange->state;
    (void)pthread_mutex_unlock(&exchange->httpd->lock);
    return state;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
enum MHD_Result request_comes(void *self,
                              struct MHD_Connection *connection,
                              const char *url,
                              const char *method,
                              const char *version,
                              const char *upload,
                              size_t *upload_size,
                              void **context)
{
    struct exchange *const exchange = *context;
    struct arena arena = arena_with_limit(ARENA_MAX);
    enum MHD_Result result;

    (void)self;
    (void)url;
    (void)version;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->head_seen)
        return take_head(exchange, connection);
    if (*upload_size > 0) {
        text_add_bytes(&exchange->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    visitor_of(connection)->busy = true;
    if (state_of(exchange) == EXCHANGE_ANSWERED)
        return exchange_queue(exchange);
    result = serve(exchange, method, &arena);
    arena_release(&arena);
    return result;
}

void request_ends(void *self,
                  struct MHD_Connection *connection,
                  void **context,
                  enum MHD_RequestTerminationCode code)
{
    struct exchange *const exchange = *context;
    struct visitor *const visitor = visitor_of(connection);
    const struct web_handler *handler;
    uint64_t id;
    bool stream;

    (void)code;
    visitor->busy = false;
    visitor_rests(self, connection, true);
    if (exchange == NULL)
        return;
    *context = NULL;
    handler = &exchange->httpd->options.handler;
    id = exchange->id;
    stream = exchange->stream;
    exchange_free(exchange);
    if (stream && handler->gone != NULL)
        handler->gone(handler->self, id);
}
