/* The kill switch: a latch written by the gateway itself, coordinator alive or not. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/wire/topics.h"
#include "services/gateway/herald.h"
#include "services/gateway/stream.h"

#include <jansson.h>

#include <string.h>
#include <time.h>

enum {
    REASON_MAX = 2000,
    PEERS_MAX = 32,
    LOOK_MS = 300, /* At one gateway. */
    READ_BACK_MS = 1000,
    ROUNDS = 20,
    PAUSE_MS = 20,
    NS_PER_MS = 1000000,
};

static Pb__Kill *kill_of(struct gateway_call *call, const Pb__FlagValue *value, const char *why)
{
    Pb__Kill *const kill = pb_new(call->arena, &pb__kill__descriptor);

    kill->deployment = arena_text(call->arena, value->deployment);
    kill->environment = arena_text(call->arena, value->environment);
    kill->reason = why;
    kill->actor = pb_clone(call->arena, call->actor);
    kill->at_ms = call->now_ms;
    PB_APPEND(call->arena, kill, flags, arena_text(call->arena, value->flag));
    return kill;
}

static bool publish_kill(struct gateway_call *call, Pb__Kill *kill)
{
    Pb__Control *const control = pb_new(call->arena, &pb__control__descriptor);
    const char *const key = arena_printf(call->arena, "kill/%s", kill->deployment);

    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = kill;
    if (!call_publish(call,
                      &(struct gateway_record){ .topic = TOPIC_CONTROL,
                                                .key = key,
                                                .id = key,
                                                .type = "slipway.v1.Control",
                                                .subject = kill->deployment,
                                                .message = control }))
        return false;
    /* This gateway is off at once; the others when they read the record. */
    (void)pthread_mutex_lock(&call->gateway->lock);
    if (flag_table_apply(call->gateway->flags, key, control))
        streams_control_changed(call->gateway, key);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    herald_wake(call->gateway->herald);
    crash_point(call->gateway->ports->crash, CRASH_GATEWAY_AFTER_LATCH, 0);
    return true;
}

/* --- read back --- */

/* What the gateways answer users with, asked over the same door as everybody. */
struct read_back {
    const char *path;
    bool off[PEERS_MAX];
    size_t agree;
    size_t of;
    int64_t slowest_ms;
};

static bool says_latched(const struct http_response *response)
{
    json_t *const body = json_loadb(response->body, response->body_length, 0, NULL);
    const bool latched =
        response->status == 200 && json_is_true(json_object_get(body, "latched"));

    json_decref(body);
    return latched;
}

static bool is_off(struct gateway_call *call, const char *peer, const char *path)
{
    struct arena *const arena = call_item(call);
    const struct http_request request = {
        .method = "GET",
        .url = arena_printf(arena, "%s%s", peer, path),
        .timeout_ms = LOOK_MS,
    };
    struct http_response response = { 0 };
    struct error error = { 0 };

    return call->http->perform(call->http->self, arena, &request, &response, &error) ==
               ERR_OK &&
           says_latched(&response);
}

/* A gateway reads the latch within milliseconds; asking faster brings nothing. */
static void pause_briefly(void)
{
    const struct timespec pause = { .tv_nsec = PAUSE_MS * NS_PER_MS };

    (void)nanosleep(&pause, NULL);
}

static void look_at_all(struct gateway_call *call, int64_t began_ms, struct read_back *read)
{
    const struct option_texts *const peers = &call->gateway->ports->settings->gateway.peers;

    for (size_t i = 0; i < read->of; i++) {
        if (read->off[i] || !is_off(call, peers->items[i], read->path))
            continue;
        read->off[i] = true;
        read->agree++;
        read->slowest_ms = clock_monotonic_ms(call->gateway->ports->clock) - began_ms;
    }
}

/* Until all agree, or time is up. */
static void read_back(struct gateway_call *call, int64_t began_ms, struct read_back *ret)
{
    const size_t count = call->gateway->ports->settings->gateway.peers.count;
    const struct clock_port clock = call->gateway->ports->clock;

    ret->of = count < PEERS_MAX ? count : PEERS_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        if (round > 0)
            pause_briefly();
        look_at_all(call, began_ms, ret);
        if (ret->agree == ret->of || clock_monotonic_ms(clock) - began_ms >= READ_BACK_MS)
            return;
    }
}

static void write_read_back(struct gateway_call *call,
                            struct json *json,
                            const struct read_back *read)
{
    const struct option_texts *const peers = &call->gateway->ports->settings->gateway.peers;

    json_put_object(json, "read_back");
    json_put_int(json, "at_ms", clock_now_ms(call->gateway->ports->clock));
    json_put_uint(json, "agree", read->agree);
    json_put_uint(json, "of", read->of);
    json_put_int(json, "slowest_ms", read->slowest_ms);
    json_put_array(json, "disagree");
    for (size_t i = 0; i < read->of; i++) {
        if (!read->off[i])
            json_put_text(json, NULL, peers->items[i]);
    }
    json_end_array(json);
    json_end_object(json);
}

/* --- the switch --- */

static const char *read_reason(struct gateway_call *call)
{
    const char *const reason = call_body_text(call, "reason");

    if (reason != NULL && reason[0] != '\0' && strlen(reason) <= REASON_MAX)
        return reason;
    call_problem(call,
                 &(struct problem){ .code = "reason-missing",
                                    .field = "reason",
                                    .detail = "{\"reason\": \"...\"}, at most 2000 bytes",
                                    .remedy = "Say why: it goes into the record." });
    return NULL;
}

/* The latch that is to be written; NULL (and answered) if there is no such flag. */
static Pb__Kill *find_kill(struct gateway_call *call, const char *reason, bool *ret_latched)
{
    const Pb__FlagValue *value;
    Pb__Kill *kill = NULL;

    (void)pthread_mutex_lock(&call->gateway->lock);
    value = flag_table_find(
        call->gateway->flags, call->parameter[0], call->parameter[1], ret_latched);
    if (value != NULL)
        kill = kill_of(call, value, reason);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    if (kill == NULL)
        call_no_such(
            call,
            "flag",
            arena_printf(call->arena, "%s/%s", call->parameter[0], call->parameter[1]));
    return kill;
}

static void answer_killed(struct gateway_call *call,
                          const Pb__Kill *kill,
                          bool already,
                          int64_t began_ms)
{
    const int64_t off_ms = clock_monotonic_ms(call->gateway->ports->clock) - began_ms;
    struct read_back read = { .path = arena_printf(call->arena,
                                                   "/internal/v1/flags/%s/%s",
                                                   call->parameter[0],
                                                   call->parameter[1]) };
    struct json json;

    if (call->http != NULL)
        read_back(call, began_ms, &read);
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_text(&json, "flag", call->parameter[1]);
    json_put_text(&json, "environment", call->parameter[0]);
    json_put_text(&json, "deployment", kill->deployment);
    json_put_bool(&json, "already_latched", already);
    json_put_int(&json, "off_after_ms", off_ms);
    write_read_back(call, &json, &read);
    json_end_object(&json);
}

void post_flag_kill(struct gateway_call *call)
{
    static const char *const killers[] = {
        "release-engineer", "operations-lead", "devops-lead", "technical-lead", NULL
    };
    const int64_t began_ms = clock_monotonic_ms(call->gateway->ports->clock);
    const char *reason;
    bool latched = false;
    Pb__Kill *kill;

    if (!call_has_role(call, killers) || !call_flags_are_read(call))
        return;
    reason = read_reason(call);
    if (reason == NULL)
        return;
    kill = find_kill(call, reason, &latched);
    if (kill != NULL && (latched || publish_kill(call, kill)))
        answer_killed(call, kill, latched, began_ms);
}
