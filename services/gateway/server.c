#include "services/gateway/server.h"

#include "services/gateway/desk.h"
#include "services/gateway/herald.h"
#include "services/gateway/resources.h"
#include "services/gateway/stream.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAITS_MAX = 256,
    WAIT_ID_MAX = 80,
    PING_MS = 5000,
    DESK_MS = 25000, /* A call is answered by then, or never. */
};

/* A request whose answer depends on the coordinator. */
struct wait {
    uint64_t web_id; /* 0: free. */
    int64_t until_ms;
    uint64_t version;
    const Pb__Actor *actor;
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

static struct gateway_call call_of(struct gateway *gateway,
                                   struct bench *bench,
                                   const struct web_request *request)
{
    struct gateway_call call = call_on(gateway, bench);

    call.method = request->method;
    call.path = request->path;
    call.web = request;
    call.body = (struct pb_bytes){ (const uint8_t *)request->body, request->body_length };
    for (size_t i = 0; i < request->query_count && i < GATEWAY_QUERY_MAX; i++)
        call.query[call.query_count++] =
            pb_pair_new(call.arena, request->query[i].name, request->query[i].value);
    return call;
}

static void set_header(struct web_response *response, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        web_set_header(response, name, value);
}

static const char *number_text(const struct gateway_call *call, int64_t number)
{
    return arena_printf(call->arena, "%lld", (long long)number);
}

static struct web_response response_of(const struct gateway_call *call)
{
    struct web_response response = { .status = call->status };

    set_header(&response, "Content-Type", call->content_type);
    set_header(&response, "Cache-Control", "no-store");
    set_header(&response, "X-Content-Type-Options", "nosniff");
    set_header(&response, "ETag", call->etag);
    set_header(&response, "Location", call->location);
    set_header(&response, "Link", call->link);
    set_header(&response, "Set-Cookie", call->cookie);
    set_header(&response, "Allow", call->allow);
    set_header(&response, "Vary", call->vary);
    set_header(&response, "Repr-Digest", call->digest);
    set_header(&response, "Slipway-As-Of", number_text(call, call->as_of_ms));
    if (call->retry_after_s > 0)
        set_header(&response, "Retry-After", number_text(call, call->retry_after_s));
    if (call->status == 401)
        set_header(&response, "WWW-Authenticate", "Bearer");
    response.body = call->out.bytes;
    response.body_length = call->out.length;
    return response;
}

/* --- on the loop --- */

static void refuse_for_now(struct gateway_call *call)
{
    call->retry_after_s = 1;
    call_problem(call,
                 &(struct problem){ .code = "unavailable",
                                    .detail = "too many requests wait here already",
                                    .remedy = "Ask again in a moment." });
}

static enum web_answer answer_stream(struct gateway_call *call,
                                     const struct web_request *request,
                                     struct web_response *response)
{
    const bool registered = stream_register(call, request->id);

    *response = response_of(call);
    if (!registered)
        return WEB_NOW;
    response->ping_ms = PING_MS;
    response->farewell = "event: reset\ndata: {\"why\":\"this reader is too slow\"}\n\n";
    herald_wake(call->gateway->herald);
    return WEB_STREAM;
}

/* What is sent if no desk has answered by then. */
static enum web_answer answer_later(struct gateway_call *call, struct web_response *response)
{
    refuse_for_now(call);
    *response = response_of(call);
    response->wait_ms = DESK_MS;
    return WEB_LATER;
}

enum web_answer server_handle(void *self,
                              const struct web_request *request,
                              struct web_response *response)
{
    struct gateway *const gateway = self;
    struct gateway_call call = call_of(gateway, &gateway->loop, request);
    enum web_answer answer = WEB_NOW;

    if (gateway_admit(&call)) {
        if (call.lane == LANE_LOOP)
            gateway_carry_out(&call);
        else if (desks_take(gateway->desks, &call, request))
            answer = answer_later(&call, response);
        else
            refuse_for_now(&call);
    }
    if (call.stream)
        answer = answer_stream(&call, request, response);
    else if (answer == WEB_NOW)
        *response = response_of(&call);
    call_done(&call, &gateway->loop);
    return answer;
}

void server_gone(void *self, uint64_t stream)
{
    stream_forget(self, stream);
}

/* --- on a desk --- */

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
        *wait = (struct wait){ .web_id = web_id,
                               .until_ms = call->wait_until_ms,
                               .version = call->wait_version,
                               .actor = call->actor };
        memcpy(wait->request, call->wait_request, strlen(call->wait_request) + 1);
        memcpy(wait->deployment, call->wait_deployment, strlen(call->wait_deployment) + 1);
        done = true;
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return done;
}

void server_carry_out(struct gateway *gateway,
                      struct bench *bench,
                      const struct server_job *job)
{
    struct gateway_call call = call_of(gateway, bench, job->request);
    struct web_response response;

    call.route = job->route;
    call.actor = job->actor;
    gateway_carry_out(&call);
    call_done(&call, bench);
    if (call.status == 202 && call.wait_until_ms > call.now_ms &&
        wait_register(&call, job->request->id)) {
        herald_wake(gateway->herald);
        return;
    }
    response = response_of(&call);
    (void)gateway->server.answer(gateway->server.self, job->request->id, &response);
}

/* --- answers that came --- */

/* The newest look of one wait; true when it has been answered. */
static bool serve(struct gateway *gateway, struct bench *bench, const struct wait *wait)
{
    struct gateway_call call = call_on(gateway, bench);
    struct web_response response;
    bool done;

    call.method = "POST";
    call.path = "";
    call.actor = wait->actor;
    call.wait_request = wait->request;
    call.wait_deployment = wait->deployment;
    call.wait_version = wait->version;
    call.wait_until_ms = wait->until_ms;
    done = request_answer(&call);
    if (!done && call.now_ms >= wait->until_ms) {
        request_given_up(&call);
        done = true;
    }
    call_done(&call, bench);
    if (!done)
        return false;
    gateway_date(&call);
    response = response_of(&call);
    (void)gateway->server.answer(gateway->server.self, wait->web_id, &response);
    return true;
}

size_t waits_serve(struct gateway *gateway, struct bench *bench)
{
    size_t left = 0;

    for (size_t i = 0; i < WAITS_MAX; i++) {
        struct wait wait;
        bool done;

        (void)pthread_mutex_lock(&gateway->lock);
        wait = gateway->waits->item[i];
        (void)pthread_mutex_unlock(&gateway->lock);
        if (wait.web_id == 0)
            continue;
        done = serve(gateway, bench, &wait);
        left += !done;
        if (!done)
            continue;
        (void)pthread_mutex_lock(&gateway->lock);
        gateway->waits->item[i].web_id = 0;
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    return left;
}
