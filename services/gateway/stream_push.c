/* News for those who watch, by the herald. */
#include "services/gateway/stream_internal.h"

#include "common/base/json.h"
#include "services/gateway/resources.h"

#include <string.h>

enum {
    LIST_MAX = 200,
    EVERY_MS = 100,      /* A round. */
    DEPLOYMENT_MS = 250, /* At most four versions of one deployment a second. */
    PING_EVERY_MS = 5000,
    TOPIC_MAX = STREAM_SUBJECT_MAX + 32,
};

/* --- sending --- */

static bool subscribes(const struct stream *stream, const char *topic)
{
    char wanted[TOPIC_MAX];
    struct text text = text_over(wanted, sizeof wanted);

    text_add(&text, ",%s,", topic);
    return stream->id != 0 && text_ok(&text) && strstr(stream->topics, wanted) != NULL;
}

static bool anybody_subscribes(struct gateway *gateway, const char *topic)
{
    bool found = false;

    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX && !found; i++)
        found = subscribes(&gateway->streams->item[i], topic);
    (void)pthread_mutex_unlock(&gateway->lock);
    return found;
}

/* To everyone who subscribes to the topic, or to the other (NULL: none); NULL, NULL: to all. An
 * event that did not fit is not sent: the next version will be. */
static void push(struct gateway *gateway,
                 const char *topic,
                 const char *other,
                 const struct text *event)
{
    if (!text_ok(event))
        return;
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const struct stream *const stream = &gateway->streams->item[i];

        if (stream->id != 0 && (topic == NULL || subscribes(stream, topic) ||
                                (other != NULL && subscribes(stream, other))))
            (void)gateway->server.push(
                gateway->server.self, stream->id, event->bytes, event->length);
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

/* The head of an event; its data follow, and an empty line. */
static struct json event_begin(struct text *text, const char *name, int64_t at_ms)
{
    text_reset(text);
    if (at_ms > 0)
        text_add(text, "id: u%lld\n", (long long)at_ms);
    text_add(text, "event: %s\ndata: ", name);
    return json_into(text);
}

static void event_end(struct text *text)
{
    text_add(text, "\n\n");
}

/* {"changed": true}: what it is, is read again. */
static void push_changed(struct gateway *gateway,
                         struct text *text,
                         const char *name,
                         const char *topic)
{
    struct json json = event_begin(text, name, 0);

    json_put_object(&json, NULL);
    json_put_bool(&json, "changed", true);
    json_end_object(&json);
    event_end(text);
    push(gateway, topic, NULL, text);
}

/* --- deployments --- */

static struct seen *seen_of(struct gateway_streams *streams, const char *id)
{
    struct seen *place;

    for (size_t i = 0; i < STREAM_SEEN_MAX; i++) {
        if (strcmp(streams->seen[i].id, id) == 0)
            return &streams->seen[i];
    }
    place = &streams->seen[streams->next_seen++ % STREAM_SEEN_MAX];
    *place = (struct seen){ 0 };
    if (strlen(id) < sizeof place->id)
        memcpy(place->id, id, strlen(id) + 1);
    return place;
}

static void push_entries(struct gateway *gateway,
                         struct text *text,
                         const struct view_source *source,
                         const char *topic,
                         uint64_t after)
{
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];
        struct json json;

        if (entry->version <= after)
            continue;
        json = event_begin(text, "entry", entry->at_ms);
        json_put_object(&json, NULL);
        json_put_text(&json, "deployment", entry->deployment);
        view_entry(&json, "entry", entry);
        json_end_object(&json);
        event_end(text);
        push(gateway, topic, NULL, text);
    }
}

/* For those who look at this one: all of it, and its new entries. The first time only what it
 * is, for they have read what it was. */
static void push_detail(struct gateway *gateway,
                        struct bench *bench,
                        Pb__DeploymentState *state,
                        uint64_t after)
{
    const char *const topic = arena_printf(&bench->item, "deployment:%s", state->id);
    struct view_source source = { .arena = &bench->item, .state = state };
    Pb__Plan *plan = NULL;
    struct error error = { 0 };
    struct json json;

    if (!anybody_subscribes(gateway, topic) || projection_timeline(&bench->projection,
                                                                   &bench->item,
                                                                   state->id,
                                                                   &source.timeline,
                                                                   &source.timeline_count,
                                                                   &error) != ERR_OK)
        return;
    if (projection_plan(&bench->projection, &bench->item, state, &plan, &error) == ERR_OK)
        source.plan = plan;
    json = event_begin(&bench->text, "detail", state->now_ms);
    view_deployment(&json, NULL, &source);
    event_end(&bench->text);
    push(gateway, topic, NULL, &bench->text);
    if (after > 0)
        push_entries(gateway, &bench->text, &source, topic, after);
}

static void push_deployment(struct gateway *gateway,
                            struct bench *bench,
                            const Pb__DeploymentState *state)
{
    struct json json = event_begin(&bench->text, "deployment", state->now_ms);

    view_summary(&json, NULL, state);
    event_end(&bench->text);
    push(gateway,
         "deployments",
         arena_printf(&bench->item, "deployment:%s", state->id),
         &bench->text);
}

/* False when its turn has not come: it is looked at again in the next round. */
static bool tell_deployment(struct gateway *gateway, struct bench *bench, const char *id)
{
    const int64_t now_ms = clock_monotonic_ms(gateway->ports->clock);
    struct seen *const seen = seen_of(gateway->streams, id);
    Pb__DeploymentState *state = NULL;
    struct error error = { 0 };
    uint64_t before;

    arena_reset(&bench->item);
    if (projection_deployment(&bench->projection, &bench->item, id, &state, &error) != ERR_OK ||
        (seen->version == state->version && seen->id[0] != '\0'))
        return true;
    if (seen->at_ms != 0 && now_ms - seen->at_ms < DEPLOYMENT_MS &&
        !procedure_is_terminal(state->phase))
        return false;
    before = seen->version;
    seen->version = state->version;
    seen->at_ms = now_ms;
    push_deployment(gateway, bench, state);
    push_detail(gateway, bench, state, before);
    return true;
}

/* Answers whether anything was told. *oldest_ms falls to what has to be looked at again. */
static bool tell_list(struct gateway *gateway,
                      struct bench *bench,
                      bool live,
                      int64_t *newest_ms,
                      int64_t *oldest_ms)
{
    struct gateway_streams *const streams = gateway->streams;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;
    bool told = false;

    if (projection_list(
            &bench->projection, &bench->arena, live, LIST_MAX, &members, &count, &error) !=
        ERR_OK)
        return false;
    for (size_t i = 0; i < count && members[i].score >= streams->since_ms; i++) {
        const uint64_t before = seen_of(streams, members[i].name)->version;

        if (!tell_deployment(gateway, bench, members[i].name) && members[i].score < *oldest_ms)
            *oldest_ms = members[i].score;
        told = told || seen_of(streams, members[i].name)->version != before;
        if (members[i].score > *newest_ms)
            *newest_ms = members[i].score;
    }
    return told;
}

static void tell_deployments(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    int64_t newest_ms = streams->since_ms;
    int64_t oldest_ms = INT64_MAX;
    bool told;

    arena_reset(&bench->arena);
    told = tell_list(gateway, bench, true, &newest_ms, &oldest_ms);
    told = tell_list(gateway, bench, false, &newest_ms, &oldest_ms) || told;
    streams->since_ms = newest_ms < oldest_ms ? newest_ms : oldest_ms;
    if (told)
        push_changed(gateway, &bench->text, "inbox", "inbox");
}

/* --- the rest --- */

static void tell_flags(struct gateway *gateway, struct bench *bench)
{
    push_changed(gateway, &bench->text, "flag", "flags");
    push_changed(gateway, &bench->text, "freeze", "freezes");
}

static void ping(struct gateway *gateway, struct bench *bench)
{
    struct json json = event_begin(&bench->text, "ping", 0);

    json_put_object(&json, NULL);
    json_put_int(&json, "as_of_ms", gateway->as_of_ms);
    json_end_object(&json);
    event_end(&bench->text);
    push(gateway, NULL, NULL, &bench->text);
}

/* What came in since the last round. */
static size_t look(struct gateway *gateway, bool *ret_flags, bool *ret_letters)
{
    struct gateway_streams *const streams = gateway->streams;
    size_t count;

    (void)pthread_mutex_lock(&gateway->lock);
    count = streams->count;
    *ret_flags = streams->flags_changed;
    *ret_letters = streams->letters > 0;
    streams->flags_changed = false;
    streams->letters = 0;
    (void)pthread_mutex_unlock(&gateway->lock);
    return count;
}

size_t streams_serve(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    const int64_t now_ms = clock_monotonic_ms(gateway->ports->clock);
    bool flags = false;
    bool letters = false;
    const size_t count = look(gateway, &flags, &letters);

    if (count == 0)
        return 0;
    if (flags)
        tell_flags(gateway, bench);
    if (letters)
        push_changed(gateway, &bench->text, "dead-letter", "dead-letters");
    if (now_ms >= streams->next_ms) {
        streams->next_ms = now_ms + EVERY_MS;
        tell_deployments(gateway, bench);
    }
    if (now_ms >= streams->ping_ms) {
        streams->ping_ms = now_ms + PING_EVERY_MS;
        ping(gateway, bench);
    }
    return count;
}
