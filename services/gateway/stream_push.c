/* News for those who watch, by the herald. */
#include "services/gateway/stream_internal.h"

#include "common/state/keys.h"
#include "services/gateway/resources.h"

#include <string.h>

enum {
    LIST_MAX = 1000,
    SLACK_MS = 10000, /* Between the broker's clock and ours. */
    SEEN_WAYS = 8,
    LATE_MS = 10 * 60 * 1000, /* Between two partitions. */
    EVERY_MS = 100,           /* A round. */
    DEPLOYMENT_MS = 250,      /* At most four versions of one deployment a second. */
    SLOW_EVERY_MS = 1000,
    PING_EVERY_MS = 5000,
    VIEWERS_MAX = 64, /* Different people at one deployment. */
};

/* --- sending --- */

struct gateway_call call_beside(struct gateway *gateway, struct bench *bench)
{
    text_reset(&bench->text);
    return (struct gateway_call){
        .gateway = gateway,
        .projection = &bench->projection,
        .arena = &bench->arena,
        .item = &bench->item,
        .now_ms = clock_now_ms(gateway->ports->clock),
        .out = bench->text,
    };
}

struct json json_afresh(struct text *text)
{
    text_reset(text);
    return json_into(text);
}

/* With the lock: to those who are here; true if anybody wants it, here or away. */
static bool send(struct gateway *gateway,
                 const struct audience *audience,
                 const struct text *event)
{
    struct gateway_streams *const streams = gateway->streams;
    bool wanted = false;

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const struct stream *const stream = &streams->item[i];

        if (!stream_wants(stream, audience))
            continue;
        wanted = true;
        if (stream->id != 0)
            (void)gateway->server.push(
                gateway->server.self, stream->id, event->bytes, event->length);
    }
    return wanted;
}

/* An event that did not fit is not sent: the next version will be. */
void stream_tell(struct gateway *gateway,
                 const struct audience *audience,
                 const char *name,
                 const struct text *data)
{
    struct history *const history = &gateway->streams->history;
    struct text *const event = &gateway->streams->event;

    (void)pthread_mutex_lock(&gateway->lock);
    text_reset(event);
    text_add(event, "id: ");
    history_name(history, history->next, event);
    text_add(event, "\nevent: %s\ndata: ", name);
    text_add_bytes(event, data->bytes, data->length);
    text_add(event, "\n\n");
    if (text_ok(data) && text_ok(event) && send(gateway, audience, event))
        history_add(history, audience, event, clock_monotonic_ms(gateway->ports->clock));
    (void)pthread_mutex_unlock(&gateway->lock);
}

void stream_tell_gone(struct gateway *gateway,
                      struct bench *bench,
                      const struct audience *audience,
                      const char *name,
                      const char *id)
{
    struct json json = json_afresh(&bench->text);

    json_put_object(&json, NULL);
    json_put_text(&json, "id", id);
    json_put_bool(&json, "gone", true);
    json_end_object(&json);
    stream_tell(gateway, audience, name, &bench->text);
}

void stream_tell_reset(struct gateway *gateway,
                       struct bench *bench,
                       const struct audience *audience,
                       const char *why)
{
    struct json json = json_afresh(&bench->text);

    json_put_object(&json, NULL);
    json_put_text(&json, "why", why);
    json_end_object(&json);
    stream_tell(gateway, audience, "reset", &bench->text);
}

/* --- deployments --- */

static size_t hash_of(const char *id)
{
    uint64_t hash = 14695981039346656037U;

    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * 1099511628211U;
    return (size_t)(hash % (STREAM_SEEN_MAX / SEEN_WAYS)) * SEEN_WAYS;
}

/* The one of that id; otherwise the place told longest ago, of those it may have, is its own.
 */
static struct seen *seen_of(struct gateway_streams *streams, const char *id)
{
    struct seen *const first = &streams->seen[hash_of(id)];
    struct seen *place = first;

    for (size_t i = 0; i < SEEN_WAYS; i++) {
        if (strcmp(first[i].id, id) == 0)
            return &first[i];
        if (first[i].at_ms < place->at_ms)
            place = &first[i];
    }
    *place = (struct seen){ 0 };
    if (strlen(id) < sizeof place->id)
        memcpy(place->id, id, strlen(id) + 1);
    return place;
}

/* The timeline may be ahead of the state that was read before it: what is beyond it is told
 * with its own version, once. */
static void tell_entries(struct gateway *gateway,
                         struct text *text,
                         const struct view_source *source,
                         const struct audience *audience,
                         uint64_t after)
{
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];
        struct json json;

        if (entry->version <= after || entry->version > source->state->version)
            continue;
        json = json_afresh(text);
        json_put_object(&json, NULL);
        json_put_text(&json, "deployment", entry->deployment);
        view_entry(&json, "entry", entry);
        json_end_object(&json);
        stream_tell(gateway, audience, "entry", text);
    }
}

/* The different people who look at it. */
static size_t find_viewers(struct gateway *gateway,
                           const char *topic,
                           const Pb__Actor *ret[VIEWERS_MAX])
{
    const struct audience audience = { .topic = topic };
    size_t count = 0;

    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX && count < VIEWERS_MAX; i++) {
        const struct stream *const stream = &gateway->streams->item[i];
        size_t k = 0;

        if (!stream_wants(stream, &audience))
            continue;
        while (k < count && ret[k] != stream->actor)
            k++;
        if (k == count)
            ret[count++] = stream->actor;
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return count;
}

/* Everything that its resource shows; false if it cannot be had. */
static bool load_detail(struct gateway *gateway,
                        struct bench *bench,
                        struct view_source *source)
{
    struct gateway_call call = call_beside(gateway, bench);
    Pb__Plan *plan = NULL;
    struct error error = { 0 };
    bool loaded;

    call.arena = &bench->item;
    loaded = deployment_load_timeline(&call, source) && deployment_load_series(&call, source);
    deployment_load_attempts(&call, source);
    if (projection_plan(&bench->projection, &bench->item, source->state, &plan, &error) ==
        ERR_OK)
        source->plan = plan;
    call_done(&call, bench);
    return loaded;
}

/* Those who look at a deployment, and what they see. */
struct detail {
    const char *topic;
    struct view_source source;
    const Pb__Actor *viewers[VIEWERS_MAX];
    size_t viewer_count;
};

/* False if it cannot be had now: then nothing may be told of that version yet, for what is not
 * told with it is never told. */
static bool prepare_detail(struct gateway *gateway,
                           struct bench *bench,
                           Pb__DeploymentState *state,
                           struct detail *ret)
{
    *ret = (struct detail){
        .topic = arena_printf(&bench->item, "deployment:%s", state->id),
        .source = { .arena = &bench->item, .state = state },
    };
    ret->viewer_count = find_viewers(gateway, ret->topic, ret->viewers);
    return ret->viewer_count == 0 || load_detail(gateway, bench, &ret->source);
}

/* For those who look at this one: its new entries, and then all of it, as each may see and do:
 * who sees the end has seen everything before it. The first time only what it is, for they have
 * read what it was. */
static void tell_detail(struct gateway *gateway,
                        struct bench *bench,
                        struct detail *detail,
                        uint64_t after)
{
    if (detail->viewer_count > 0 && after > 0)
        tell_entries(gateway,
                     &bench->text,
                     &detail->source,
                     &(struct audience){ .topic = detail->topic },
                     after);
    for (size_t i = 0; i < detail->viewer_count; i++) {
        const struct audience audience = {
            .topic = detail->topic,
            .actor = detail->viewers[i],
            .whole = arena_printf(&bench->item, "detail %s", detail->source.state->id),
        };
        struct json json = json_afresh(&bench->text);

        detail->source.viewer = detail->viewers[i];
        view_deployment(&json, NULL, &detail->source);
        stream_tell(gateway, &audience, "detail", &bench->text);
    }
}

static void tell_summary(struct gateway *gateway,
                         struct bench *bench,
                         const Pb__DeploymentState *state)
{
    const struct audience audience = {
        .topic = "deployments",
        .other = arena_printf(&bench->item, "deployment:%s", state->id),
        .whole = arena_printf(&bench->item, "deployment %s", state->id),
    };
    struct json json = json_afresh(&bench->text);

    view_summary(&json, NULL, state);
    stream_tell(gateway, &audience, "deployment", &bench->text);
}

/* Whether a list as in seen.asked names the role. */
static bool is_asked(const char *asked, const char *role)
{
    char wanted[STREAM_ROLES_MAX];
    struct text text = text_over(wanted, sizeof wanted);

    text_add(&text, ",%s,", role);
    return text_ok(&text) && strstr(asked, wanted) != NULL;
}

/* Nobody of these roles is asked any more, but for those who still are. */
static void tell_no_longer_asked(struct gateway *gateway,
                                 struct bench *bench,
                                 const Pb__DeploymentState *state,
                                 const char *was,
                                 const char *now)
{
    for (const char *role = was + strspn(was, ","); *role != '\0'; role += strspn(role, ",")) {
        const size_t length = strcspn(role, ",");
        const char *const name = arena_copy(&bench->item, role, length);
        const struct audience audience = { .topic = "inbox", .role = name };

        if (!is_asked(now, name))
            stream_tell_gone(
                gateway, bench, &audience, "inbox", inbox_item_id(&bench->item, state, name));
        role += length;
    }
}

/* A version that was never told may have been read by whoever came just before the next. */
static void suppose_all_were_asked(const struct gateway *gateway,
                                   const Pb__DeploymentState *state,
                                   struct seen *seen)
{
    const struct settings *const settings = gateway->ports->settings;
    struct text roles = text_over(seen->asked, sizeof seen->asked);

    if (state->now_ms < gateway->streams->began_ms - SLACK_MS)
        return;
    for (size_t i = 0; i < settings->role_count; i++)
        text_add(&roles, "%s%s,", i == 0 ? "," : "", settings->roles[i].name);
}

static void tell_inbox(struct gateway *gateway,
                       struct bench *bench,
                       const Pb__DeploymentState *state,
                       struct seen *seen)
{
    struct gateway_call call = call_beside(gateway, bench);
    char now[STREAM_ROLES_MAX] = "";
    struct text roles = text_over(now, sizeof now);

    for (size_t i = 0; i < inbox_roles(state); i++) {
        const char *const role = state->waiting_for->who[i];
        const struct audience audience = { .topic = "inbox", .role = role };
        struct json json = json_afresh(&bench->text);

        text_add(&roles, "%s%s,", roles.length == 0 ? "," : "", role);
        write_inbox_item(&call, &json, state, role);
        stream_tell(gateway, &audience, "inbox", &bench->text);
    }
    tell_no_longer_asked(gateway, bench, state, seen->asked, now);
    memcpy(seen->asked, now, sizeof now);
}

/* False when its turn has not come: it is looked at again in the next round. */
static bool tell_deployment(struct gateway *gateway, struct bench *bench, const char *id)
{
    const int64_t now_ms = clock_monotonic_ms(gateway->ports->clock);
    struct seen *const seen = seen_of(gateway->streams, id);
    Pb__DeploymentState *state = NULL;
    struct detail detail;
    struct error error = { 0 };
    uint64_t before;
    enum err err;

    arena_reset(&bench->item);
    err = projection_deployment(&bench->projection, &bench->item, id, &state, &error);
    if (err != ERR_OK)
        return false;
    if (seen->version == state->version && seen->id[0] != '\0')
        return true;
    if (seen->at_ms != 0 && now_ms - seen->at_ms < DEPLOYMENT_MS &&
        !procedure_is_terminal(state->phase))
        return false;
    if (!prepare_detail(gateway, bench, state, &detail))
        return false;
    before = seen->version;
    if (state->version != before + 1)
        suppose_all_were_asked(gateway, state, seen);
    seen->version = state->version;
    seen->at_ms = now_ms;
    tell_detail(gateway, bench, &detail, before);
    tell_summary(gateway, bench, state);
    tell_inbox(gateway, bench, state, seen);
    return true;
}

/* A time of update is that of the record, not of the commit: what one partition brings may be
 * older than what another has brought before. */
static void tell_list(struct gateway *gateway,
                      struct bench *bench,
                      bool live,
                      int64_t *newest_ms)
{
    struct gateway_streams *const streams = gateway->streams;
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;

    if (projection_list(
            &bench->projection, &bench->arena, live, LIST_MAX, &members, &count, &error) !=
        ERR_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const int64_t updated_ms = keys_listed_ms(members[i].score);
        struct seen *const seen = seen_of(streams, members[i].name);

        if (updated_ms < streams->since_ms - LATE_MS)
            return;
        if (seen->listed_at != members[i].score &&
            tell_deployment(gateway, bench, members[i].name))
            seen->listed_at = members[i].score;
        if (updated_ms > *newest_ms)
            *newest_ms = updated_ms;
    }
}

/* Whose coordinator's clock was ahead must not make all others look old. */
static void tell_deployments(struct gateway *gateway, struct bench *bench)
{
    const int64_t now_ms = clock_now_ms(gateway->ports->clock);
    struct gateway_streams *const streams = gateway->streams;
    int64_t newest_ms = streams->since_ms;

    arena_reset(&bench->arena);
    tell_list(gateway, bench, true, &newest_ms);
    tell_list(gateway, bench, false, &newest_ms);
    streams->since_ms = newest_ms < now_ms ? newest_ms : now_ms;
}

/* --- the rest --- */

/* To all who are here, and not kept: it is true only now. */
static void ping(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;

    text_reset(&bench->text);
    text_add(&bench->text,
             "event: ping\ndata: {\"as_of_ms\":%lld}\n\n",
             (long long)gateway->as_of_ms);
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (streams->item[i].id != 0)
            (void)gateway->server.push(gateway->server.self,
                                       streams->item[i].id,
                                       bench->text.bytes,
                                       bench->text.length);
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

static size_t look(struct gateway *gateway, int64_t now_ms)
{
    size_t count;

    (void)pthread_mutex_lock(&gateway->lock);
    streams_expire(gateway->streams, now_ms);
    count = gateway->streams->count;
    (void)pthread_mutex_unlock(&gateway->lock);
    return count;
}

/* True once in so long a time. */
static bool is_due(int64_t *at_ms, int64_t now_ms, int64_t every_ms)
{
    if (now_ms < *at_ms)
        return false;
    *at_ms = now_ms + every_ms;
    return true;
}

size_t streams_serve(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    const int64_t now_ms = clock_monotonic_ms(gateway->ports->clock);
    const size_t count = look(gateway, now_ms);

    if (count == 0)
        return 0;
    tell_control(gateway, bench);
    tell_letters(gateway, bench);
    if (is_due(&streams->next_ms, now_ms, EVERY_MS))
        tell_deployments(gateway, bench);
    if (is_due(&streams->slow_ms, now_ms, SLOW_EVERY_MS)) {
        tell_health(gateway, bench);
        tell_samples(gateway, bench);
    }
    if (is_due(&streams->ping_ms, now_ms, PING_EVERY_MS))
        ping(gateway, bench);
    return count;
}
