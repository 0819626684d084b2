#include "services/gateway/stream.h"

#include "common/base/json.h"
#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_MAX = 1000,
    TOPICS_LENGTH_MAX = 256,
    SUBJECT_MAX = 128,
    LIST_MAX = 200,
    SEEN_MAX = 1024,
    EVERY_MS = 100,
};

/* Who watches what. topics as asked for, with commas around: ",deployments,deployment:a.1,". */
struct stream {
    uint64_t id; /* 0: free. */
    char topics[TOPICS_LENGTH_MAX];
    char subject[SUBJECT_MAX];
};

/* The version of a deployment that was pushed last. */
struct seen {
    char id[SUBJECT_MAX];
    uint64_t version;
};

struct gateway_streams {
    struct stream item[STREAMS_MAX];
    size_t count;

    /* Of the herald, but for flags_changed. */
    struct seen seen[SEEN_MAX];
    size_t next_seen;
    int64_t since_ms;
    int64_t next_ms;
    bool flags_changed;
};

struct gateway_streams *streams_new(void)
{
    struct gateway_streams *const streams = calloc(1, sizeof *streams);

    if (streams == NULL)
        abort();
    return streams;
}

void streams_free(struct gateway_streams *streams)
{
    free(streams);
}

/* --- coming and going --- */

static size_t streams_of(const struct gateway_streams *streams, const char *subject)
{
    size_t count = 0;

    for (size_t i = 0; i < STREAMS_MAX; i++)
        count += streams->item[i].id != 0 && strcmp(streams->item[i].subject, subject) == 0;
    return count;
}

static struct stream *free_stream(struct gateway_streams *streams)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (streams->item[i].id == 0)
            return &streams->item[i];
    }
    return NULL;
}

void get_stream(struct gateway_call *call)
{
    const char *const last = call_header(call, "last-event-id");
    struct json json;

    call->status = 200;
    call->content_type = "text/event-stream";
    call->stream = true;
    text_add(&call->out, "event: hello\ndata: ");
    json = json_into(&call->out);
    json_put_object(&json, NULL);
    json_put_int(&json, "as_of_ms", call->now_ms);
    json_put_text(&json, "version", SLIPWAY_VERSION);
    json_put_text(&json, "me", call->actor->subject);
    json_end_object(&json);
    text_add(&call->out, "\n\n");
    /* Nothing is kept for those who were away: they read the resources again. */
    if (last != NULL)
        text_add(&call->out, "event: reset\ndata: {\"why\":\"the connection was lost\"}\n\n");
}

bool stream_register(struct gateway_call *call, uint64_t id)
{
    struct gateway *const gateway = call->gateway;
    const char *const topics = call_query(call, "topics");
    const char *const subject = call->actor->subject;
    struct stream *stream = NULL;

    if ((topics == NULL || strlen(topics) + 3 < TOPICS_LENGTH_MAX) &&
        strlen(subject) < SUBJECT_MAX) {
        (void)pthread_mutex_lock(&gateway->lock);
        if (streams_of(gateway->streams, subject) <
            gateway->ports->settings->gateway.streams_per_token)
            stream = free_stream(gateway->streams);
        if (stream != NULL) {
            struct text list = text_over(stream->topics, sizeof stream->topics);

            text_add(&list, ",%s,", topics != NULL ? topics : "deployments");
            memcpy(stream->subject, subject, strlen(subject) + 1);
            stream->id = id;
            gateway->streams->count++;
        }
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    if (stream != NULL)
        return true;
    call->stream = false;
    call_problem(call, &(struct problem){ .code = "too-many", .detail = "too many streams" });
    return false;
}

void stream_forget(struct gateway *gateway, uint64_t id)
{
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (gateway->streams->item[i].id == id && id != 0) {
            gateway->streams->item[i].id = 0;
            gateway->streams->count--;
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

/* --- pushing --- */

static bool subscribes(const struct stream *stream, const char *topic)
{
    char wanted[SUBJECT_MAX + 32];
    struct text text = text_over(wanted, sizeof wanted);

    text_add(&text, ",%s,", topic);
    return text_ok(&text) && strstr(stream->topics, wanted) != NULL;
}

/* To everyone who subscribes to one of the two topics (other may be NULL). */
static void push(struct gateway *gateway,
                 const char *topic,
                 const char *other,
                 const struct text *event)
{
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const struct stream *const stream = &gateway->streams->item[i];

        if (stream->id != 0 &&
            (subscribes(stream, topic) || (other != NULL && subscribes(stream, other))))
            (void)gateway->server.push(
                gateway->server.self, stream->id, event->bytes, event->length);
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

static bool is_new(struct gateway_streams *streams, const Pb__DeploymentState *state)
{
    struct seen *place = &streams->seen[streams->next_seen % SEEN_MAX];

    for (size_t i = 0; i < SEEN_MAX; i++) {
        if (strcmp(streams->seen[i].id, state->id) != 0)
            continue;
        if (streams->seen[i].version == state->version)
            return false;
        streams->seen[i].version = state->version;
        return true;
    }
    if (strlen(state->id) >= sizeof place->id)
        return true;
    streams->next_seen++;
    memcpy(place->id, state->id, strlen(state->id) + 1);
    place->version = state->version;
    return true;
}

static void push_deployment(struct gateway *gateway,
                            struct bench *bench,
                            const Pb__DeploymentState *state)
{
    struct text *const text = &bench->text;
    struct json json = json_into(text);

    text_reset(text);
    text_add(text, "id: u%lld\nevent: deployment\ndata: ", (long long)state->now_ms);
    view_summary(&json, NULL, state);
    text_add(text, "\n\n");
    if (text_ok(text))
        push(gateway,
             "deployments",
             arena_printf(&bench->item, "deployment:%s", state->id),
             text);
}

static void push_changed(struct gateway *gateway, struct bench *bench, bool live)
{
    struct gateway_streams *const streams = gateway->streams;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;
    int64_t newest_ms = streams->since_ms;

    if (projection_list(
            &bench->projection, &bench->arena, live, LIST_MAX, &members, &count, &error) !=
        ERR_OK)
        return;
    for (size_t i = 0; i < count && members[i].score >= streams->since_ms; i++) {
        Pb__DeploymentState *state = NULL;

        arena_reset(&bench->item);
        if (projection_deployment(
                &bench->projection, &bench->item, members[i].name, &state, &error) == ERR_OK &&
            is_new(streams, state))
            push_deployment(gateway, bench, state);
        if (members[i].score > newest_ms)
            newest_ms = members[i].score;
    }
    /* Only after the ended ones, so that neither list hides the other's news. */
    if (!live)
        streams->since_ms = newest_ms;
}

static void push_flags(struct gateway *gateway, struct text *text)
{
    static const char event[] = "event: flag\ndata: {\"changed\":true}\n\n";

    text_reset(text);
    text_add_bytes(text, event, sizeof event - 1);
    push(gateway, "flags", NULL, text);
}

void streams_flags_changed(struct gateway *gateway)
{
    gateway->streams->flags_changed = true;
}

/* What came in since the last round. */
static size_t look(struct gateway *gateway, bool *ret_flags)
{
    size_t count;

    (void)pthread_mutex_lock(&gateway->lock);
    count = gateway->streams->count;
    *ret_flags = gateway->streams->flags_changed;
    gateway->streams->flags_changed = false;
    (void)pthread_mutex_unlock(&gateway->lock);
    return count;
}

size_t streams_serve(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    const int64_t now_ms = clock_monotonic_ms(gateway->ports->clock);
    bool flags = false;
    const size_t count = look(gateway, &flags);

    if (count > 0 && flags)
        push_flags(gateway, &bench->text);
    if (count == 0 || now_ms < streams->next_ms)
        return count;
    streams->next_ms = now_ms + EVERY_MS;
    arena_reset(&bench->arena);
    push_changed(gateway, bench, true);
    push_changed(gateway, bench, false);
    return count;
}
