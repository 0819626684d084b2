/* Requests that are answered later, and streams. An id is slot and number in one, so that an id
 * that is over finds nobody. */
#include "common/adapters/httpd/internal.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_BITS = 16, READ_BLOCK = 4096 };

#define PING ": ping\n\n"

/* With the lock. The library does not end a wait that is not its own, so we do. */
static void wake(struct exchange *exchange)
{
    if (!exchange->suspended)
        return;
    exchange->suspended = false;
    MHD_resume_connection(exchange->connection);
    httpd_wake(exchange->httpd);
}

/* With the lock: the exchange of that id, or NULL. */
static struct exchange *find(struct httpd *httpd, uint64_t id)
{
    const size_t slot = (size_t)(id & ((1U << SLOT_BITS) - 1));

    if (slot >= httpd->exchange_count || id == 0 || httpd->exchanges[slot].id != id)
        return NULL;
    return &httpd->exchanges[slot];
}

static void drop_chunks(struct exchange *exchange, struct chunk *from)
{
    while (from != NULL) {
        struct chunk *const next = from->next;

        exchange->queued -= from->length - from->sent;
        free(from);
        from = next;
    }
}

struct exchange *exchange_new(struct httpd *httpd)
{
    struct exchange *found = NULL;

    (void)pthread_mutex_lock(&httpd->lock);
    for (size_t i = 0; i < httpd->exchange_count && found == NULL; i++) {
        if (httpd->exchanges[i].state == EXCHANGE_FREE) {
            found = &httpd->exchanges[i];
            *found = (struct exchange){ .httpd = httpd,
                                        .state = EXCHANGE_ARRIVING,
                                        .id = (++httpd->next_number << SLOT_BITS) | i };
        }
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    return found;
}

void exchange_free(struct exchange *exchange)
{
    struct httpd *const httpd = exchange->httpd;

    (void)pthread_mutex_lock(&httpd->lock);
    drop_chunks(exchange, exchange->first);
    if (exchange->reply != NULL)
        MHD_destroy_response(exchange->reply);
    free(exchange->farewell);
    free(exchange->target);
    text_release(&exchange->body);
    *exchange = (struct exchange){ .state = EXCHANGE_FREE };
    (void)pthread_mutex_unlock(&httpd->lock);
}

static bool add_headers(struct MHD_Response *reply, const struct web_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        const struct web_pair *const header = &response->headers[i];

        if (MHD_add_response_header(reply, header->name, header->value) != MHD_YES)
            return false;
    }
    return true;
}

struct MHD_Response *exchange_reply(const struct web_response *response, int *ret_status)
{
    const char *const body = response->body != NULL ? response->body : "";
    struct MHD_Response *reply =
        MHD_create_response_from_buffer(response->body != NULL ? response->body_length : 0,
                                        (void *)(uintptr_t)body,
                                        MHD_RESPMEM_MUST_COPY);

    if (reply == NULL)
        abort();
    *ret_status = response->status;
    if (!add_headers(reply, response)) {
        /* A header value with a line break in it: nothing of this answer can be trusted. */
        MHD_destroy_response(reply);
        reply =
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        if (reply == NULL)
            abort();
        *ret_status = 500;
    }
    return reply;
}

enum MHD_Result exchange_queue(struct exchange *exchange)
{
    struct httpd *const httpd = exchange->httpd;
    struct MHD_Response *reply;
    enum MHD_Result result;

    (void)pthread_mutex_lock(&httpd->lock);
    reply = exchange->reply;
    exchange->reply = NULL;
    exchange->state = EXCHANGE_OVER;
    (void)pthread_mutex_unlock(&httpd->lock);
    result = MHD_queue_response(exchange->connection, (unsigned)exchange->reply_status, reply);
    MHD_destroy_response(reply);
    return result;
}

/* With the lock: nothing to send now. True if the connection may sleep. */
static bool may_suspend(const struct exchange *exchange)
{
    return !exchange->httpd->stopping && !exchange->gone && !exchange->suspended;
}

enum MHD_Result exchange_wait(struct exchange *exchange, const struct web_response *response)
{
    struct httpd *const httpd = exchange->httpd;
    int status;
    struct MHD_Response *const fallback = exchange_reply(response, &status);
    bool answered;

    (void)pthread_mutex_lock(&httpd->lock);
    answered = exchange->state == EXCHANGE_ANSWERED;
    if (answered) {
        MHD_destroy_response(fallback);
    } else {
        exchange->reply = fallback;
        exchange->reply_status = status;
        exchange->deadline_ms = httpd_now_ms() + response->wait_ms;
        if (may_suspend(exchange)) {
            exchange->state = EXCHANGE_WAITING;
            exchange->suspended = true;
            MHD_suspend_connection(exchange->connection);
        } else {
            answered = true;
        }
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    return answered ? exchange_queue(exchange) : MHD_YES;
}

enum err exchange_answer(void *self, uint64_t id, const struct web_response *response)
{
    struct httpd *const httpd = self;
    int status;
    struct MHD_Response *const reply = exchange_reply(response, &status);
    struct exchange *exchange;
    bool taken;

    (void)pthread_mutex_lock(&httpd->lock);
    exchange = find(httpd, id);
    taken = exchange != NULL && !httpd->stopping &&
            (exchange->state == EXCHANGE_WAITING || exchange->state == EXCHANGE_DECIDING);
    if (taken) {
        if (exchange->reply != NULL)
            MHD_destroy_response(exchange->reply);
        exchange->reply = reply;
        exchange->reply_status = status;
        exchange->state = EXCHANGE_ANSWERED;
        wake(exchange);
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    if (!taken)
        MHD_destroy_response(reply);
    return taken ? ERR_OK : ERR_STALE;
}

static struct chunk *chunk_new(struct exchange *exchange, const char *bytes, size_t length)
{
    struct chunk *const chunk = malloc(sizeof *chunk + length);

    if (chunk == NULL)
        abort();
    *chunk = (struct chunk){ .length = length };
    memcpy(chunk->bytes, bytes, length);
    exchange->queued += length;
    exchange->sent_ms = httpd_now_ms();
    return chunk;
}

static void append(struct exchange *exchange, const char *bytes, size_t length)
{
    struct chunk *const chunk = chunk_new(exchange, bytes, length);

    if (exchange->first == NULL)
        exchange->first = chunk;
    else
        exchange->last->next = chunk;
    exchange->last = chunk;
}

/* Only an event that has begun to leave is finished, so that the reader never sees half of one.
 */
static void overrun(struct exchange *exchange)
{
    struct chunk *const first = exchange->first;
    const bool begun = first != NULL && first->sent > 0;

    drop_chunks(exchange, begun ? first->next : first);
    exchange->first = begun ? first : NULL;
    exchange->last = exchange->first;
    if (begun)
        first->next = NULL;
    if (exchange->farewell != NULL)
        append(exchange, exchange->farewell, strlen(exchange->farewell));
    exchange->overran = true;
    exchange->ending = true;
}

enum err exchange_push(void *self, uint64_t id, const char *bytes, size_t length)
{
    struct httpd *const httpd = self;
    struct exchange *exchange;
    enum err err = ERR_OK;

    (void)pthread_mutex_lock(&httpd->lock);
    exchange = find(httpd, id);
    if (exchange == NULL || httpd->stopping || exchange->ending || exchange->gone ||
        (exchange->state != EXCHANGE_STREAMING && exchange->state != EXCHANGE_DECIDING)) {
        err = ERR_STALE;
    } else if (exchange->queued + length > WEB_STREAM_MAX) {
        overrun(exchange);
        err = ERR_TOO_LARGE;
    } else if (length > 0) {
        append(exchange, bytes, length);
    }
    if (err != ERR_STALE)
        wake(exchange);
    (void)pthread_mutex_unlock(&httpd->lock);
    return err;
}

void exchange_end(void *self, uint64_t id)
{
    struct httpd *const httpd = self;
    struct exchange *exchange;

    (void)pthread_mutex_lock(&httpd->lock);
    exchange = find(httpd, id);
    if (exchange != NULL) {
        exchange->ending = true;
        wake(exchange);
    }
    (void)pthread_mutex_unlock(&httpd->lock);
}

/* The library asks for bytes of a stream. */
static ssize_t read_stream(void *self, uint64_t position, char *buffer, size_t room)
{
    struct exchange *const exchange = self;
    struct httpd *const httpd = exchange->httpd;
    ssize_t result = 0;

    (void)position;
    (void)pthread_mutex_lock(&httpd->lock);
    if (exchange->gone) {
        result = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (exchange->first != NULL) {
        struct chunk *const chunk = exchange->first;
        const size_t left = chunk->length - chunk->sent;
        const size_t length = left < room ? left : room;

        memcpy(buffer, chunk->bytes + chunk->sent, length);
        chunk->sent += length;
        exchange->queued -= length;
        result = (ssize_t)length;
        if (chunk->sent == chunk->length) {
            exchange->first = chunk->next;
            free(chunk);
        }
    } else if (exchange->ending || !may_suspend(exchange)) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        exchange->suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    return result;
}

/* Others may have pushed before the handler returned: its first bytes go before theirs. */
static void stream_begins(struct exchange *exchange, const struct web_response *response)
{
    exchange->state = EXCHANGE_STREAMING;
    exchange->ping_ms = response->ping_ms;
    exchange->sent_ms = httpd_now_ms();
    if (response->farewell != NULL)
        exchange->farewell = strdup(response->farewell);
    if (exchange->overran && exchange->farewell != NULL)
        append(exchange, exchange->farewell, strlen(exchange->farewell));
    if (response->body != NULL) {
        struct chunk *const first = chunk_new(exchange, response->body, response->body_length);

        first->next = exchange->first;
        exchange->first = first;
        if (first->next == NULL)
            exchange->last = first;
    }
}

enum MHD_Result exchange_stream(struct exchange *exchange, const struct web_response *response)
{
    struct httpd *const httpd = exchange->httpd;
    struct MHD_Response *reply = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, READ_BLOCK, read_stream, exchange, NULL);
    enum MHD_Result result;

    if (reply == NULL)
        abort();
    if (!add_headers(reply, response)) {
        MHD_destroy_response(reply);
        return MHD_NO;
    }
    (void)pthread_mutex_lock(&httpd->lock);
    stream_begins(exchange, response);
    (void)pthread_mutex_unlock(&httpd->lock);
    result = MHD_queue_response(exchange->connection, (unsigned)response->status, reply);
    MHD_destroy_response(reply);
    return result;
}

void exchange_hung_up(struct httpd *httpd, uint64_t id)
{
    struct exchange *exchange;

    (void)pthread_mutex_lock(&httpd->lock);
    exchange = find(httpd, id);
    if (exchange != NULL) {
        exchange->gone = true;
        wake(exchange);
    }
    (void)pthread_mutex_unlock(&httpd->lock);
}

void exchanges_tick(struct httpd *httpd, bool everything)
{
    const int64_t now_ms = httpd_now_ms();

    (void)pthread_mutex_lock(&httpd->lock);
    for (size_t i = 0; i < httpd->exchange_count; i++) {
        struct exchange *const exchange = &httpd->exchanges[i];

        if (exchange->state == EXCHANGE_WAITING &&
            (everything || now_ms >= exchange->deadline_ms)) {
            exchange->state = EXCHANGE_ANSWERED;
            wake(exchange);
        } else if (exchange->state == EXCHANGE_STREAMING && everything) {
            exchange->ending = true;
            wake(exchange);
        } else if (exchange->state == EXCHANGE_STREAMING && exchange->ping_ms > 0 &&
                   exchange->first == NULL && !exchange->ending &&
                   now_ms - exchange->sent_ms >= exchange->ping_ms) {
            append(exchange, PING, sizeof PING - 1);
            wake(exchange);
        }
    }
    (void)pthread_mutex_unlock(&httpd->lock);
}
