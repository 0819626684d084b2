/* Coming and going of those who watch. */
#include "services/gateway/stream_internal.h"

#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_S = 10, TOPIC_MAX = STREAM_SUBJECT_MAX + 32 };

struct gateway_streams *streams_new(void)
{
    struct gateway_streams *const streams = calloc(1, sizeof *streams);

    if (streams == NULL)
        abort();
    history_open(&streams->history);
    streams->event = text_new(GATEWAY_ANSWER_MAX);
    return streams;
}

void streams_free(struct gateway_streams *streams)
{
    if (streams == NULL)
        return;
    history_close(&streams->history);
    text_release(&streams->event);
    free(streams);
}

/* --- what they watch --- */

static bool is_kept(const struct stream *stream)
{
    return stream->id != 0 || stream->kept;
}

static bool subscribes(const struct stream *stream, const char *topic)
{
    char wanted[TOPIC_MAX];
    struct text text = text_over(wanted, sizeof wanted);

    text_add(&text, ",%s,", topic);
    return text_ok(&text) && strstr(stream->topics, wanted) != NULL;
}

bool stream_wants(const struct stream *stream, const struct audience *audience)
{
    if (!is_kept(stream) || (audience->actor != NULL && stream->actor != audience->actor) ||
        (audience->role != NULL && !auth_has_role(stream->actor, audience->role)))
        return false;
    return subscribes(stream, audience->topic) ||
           (audience->other != NULL && subscribes(stream, audience->other));
}

/* "deployment:express-pay.3", or one of the words. */
static bool is_topic(const char *topic, size_t length)
{
    static const char *const words[] = { "deployments", "flags",  "freezes",
                                         "inbox",       "health", "dead-letters" };
    static const char one[] = "deployment:";

    if (length > sizeof one - 1 && strncmp(topic, one, sizeof one - 1) == 0)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == length && strncmp(words[i], topic, length) == 0)
            return true;
    }
    return false;
}

static bool check_topics(struct gateway_call *call, const char *topics)
{
    const char *rest = topics;

    while (rest != NULL && *rest != '\0') {
        const size_t length = strcspn(rest, ",");

        if (!is_topic(rest, length))
            break;
        rest += length + (rest[length] == ',');
    }
    if (rest == NULL || (*rest == '\0' && strlen(topics) + 3 < STREAM_TOPICS_MAX))
        return true;
    call_problem(call,
                 &(struct problem){ .code = "malformed",
                                    .field = "topics",
                                    .detail =
                                        "topics are deployments, deployment:ID, inbox, flags, "
                                        "freezes, dead-letters, health, at most 500 bytes" });
    return false;
}

void get_stream(struct gateway_call *call)
{
    if (!check_topics(call, call_query(call, "topics")))
        return;
    call->status = 200;
    call->content_type = "text/event-stream";
    call->stream = true;
}

/* --- coming --- */

static void free_place(struct gateway_streams *streams, struct stream *stream)
{
    *stream = (struct stream){ 0 };
    streams->count--;
    /* What it would have been told is kept no longer: it would miss some. */
    streams->history.complete = streams->history.next;
}

void streams_expire(struct gateway_streams *streams, int64_t now_ms)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *const stream = &streams->item[i];

        if (stream->kept && now_ms - stream->left_ms > NEWS_KEPT_MS)
            free_place(streams, stream);
    }
}

static size_t streams_of(const struct gateway_streams *streams, const char *subject)
{
    size_t count = 0;

    for (size_t i = 0; i < STREAMS_MAX; i++)
        count += streams->item[i].id != 0 && strcmp(streams->item[i].subject, subject) == 0;
    return count;
}

/* One that is free, or else the place kept longest. */
static struct stream *find_place(struct gateway_streams *streams)
{
    struct stream *oldest = NULL;

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *const stream = &streams->item[i];

        if (!is_kept(stream))
            return stream;
        if (stream->id == 0 && (oldest == NULL || stream->left_ms < oldest->left_ms))
            oldest = stream;
    }
    if (oldest != NULL)
        free_place(streams, oldest);
    return oldest;
}

/* The place of the same subject and topics from which somebody left; its end may not have been
 * noticed yet. */
static struct stream *find_former(struct gateway_streams *streams, const struct stream *like)
{
    struct stream *found = NULL;

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *const stream = &streams->item[i];

        if (is_kept(stream) && strcmp(stream->subject, like->subject) == 0 &&
            strcmp(stream->topics, like->topics) == 0 && (found == NULL || stream->id == 0))
            found = stream;
    }
    return found;
}

/* Its id is the point from which the stream goes on: where it breaks, nothing is missed. */
static void say_hello(struct gateway_call *call, const char *last_id)
{
    struct history *const history = &call->gateway->streams->history;
    struct json json;

    text_reset(&call->out);
    text_add(&call->out, "id: ");
    if (last_id != NULL)
        text_add(&call->out, "%s", last_id);
    else
        history_name(history, history->next - 1, &call->out);
    text_add(&call->out, "\nevent: hello\ndata: ");
    json = json_into(&call->out);
    json_put_object(&json, NULL);
    json_put_int(&json, "as_of_ms", call->gateway->as_of_ms);
    json_put_text(&json, "version", SLIPWAY_VERSION);
    json_put_text(&json, "me", call->actor->subject);
    json_end_object(&json);
    text_add(&call->out, "\n\n");
}

/* With what was missed, or why that cannot be said. The former place is taken over. */
static void catch_up(struct gateway_call *call, const struct stream *stream)
{
    struct gateway_streams *const streams = call->gateway->streams;
    const char *const last = call_header(call, "last-event-id");
    struct stream *const former = find_former(streams, stream);
    const char *why = "nobody who watched this has left";

    say_hello(call, last);
    if (former != NULL)
        why = history_catch_up(&streams->history, stream, last, &call->out);
    if (why != NULL) {
        say_hello(call, NULL);
        text_add(&call->out, "event: reset\ndata: {\"why\":\"%s\"}\n\n", why);
    } else if (former->id == 0) {
        *former = (struct stream){ 0 };
        streams->count--;
    }
}

static void greet(struct gateway_call *call, const struct stream *stream)
{
    const char *const last = call_header(call, "last-event-id");

    if (last == NULL || last[0] == '\0')
        say_hello(call, NULL);
    else
        catch_up(call, stream);
}

/* A place among the streams, if there is one and the subject has not too many. */
static bool take_place(struct gateway_call *call, uint64_t id)
{
    struct gateway_streams *const streams = call->gateway->streams;
    const char *const topics = call_query(call, "topics");
    const char *const subject = call->actor->subject;
    struct stream comer = { .id = id, .actor = call->actor };
    struct text list = text_over(comer.topics, sizeof comer.topics);
    struct stream *place;

    if (streams_of(streams, subject) >=
        call->gateway->ports->settings->gateway.streams_per_token)
        return false;
    text_add(&list, ",%s,", topics != NULL ? topics : "deployments");
    memcpy(comer.subject, subject, strlen(subject) + 1);
    greet(call, &comer);
    place = find_place(streams);
    if (place == NULL)
        return false;
    *place = comer;
    if (streams->count++ == 0)
        streams->began_ms = call->now_ms;
    return true;
}

bool stream_register(struct gateway_call *call, uint64_t id)
{
    struct gateway *const gateway = call->gateway;
    bool taken = false;

    if (strlen(call->actor->subject) < STREAM_SUBJECT_MAX) {
        (void)pthread_mutex_lock(&gateway->lock);
        taken = take_place(call, id);
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    if (taken)
        return true;
    call->stream = false;
    call->retry_after_s = RETRY_S;
    call_problem(call,
                 &(struct problem){ .code = "too-many",
                                    .detail = "too many live updates are open",
                                    .remedy = "Close one of them." });
    return false;
}

void stream_forget(struct gateway *gateway, uint64_t id)
{
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (gateway->streams->item[i].id == id && id != 0) {
            gateway->streams->item[i].id = 0;
            gateway->streams->item[i].kept = true;
            gateway->streams->item[i].left_ms = clock_monotonic_ms(gateway->ports->clock);
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

/* --- what comes in --- */

void streams_control_changed(struct gateway *gateway, const char *key)
{
    struct gateway_streams *const streams = gateway->streams;

    if (streams->count == 0)
        return;
    if (streams->key_count >= STREAM_KEYS_MAX || strlen(key) >= STREAM_KEY_MAX) {
        streams->key_count = STREAM_KEYS_MAX + 1;
        return;
    }
    memcpy(streams->keys[streams->key_count++], key, strlen(key) + 1);
}

void streams_letter_came(struct gateway *gateway)
{
    if (gateway->streams->count > 0)
        gateway->streams->letters++;
}
