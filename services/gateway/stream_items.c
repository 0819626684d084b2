/* News of what is no deployment: flags, freezes, dead letters, instances; and samples. */
#include "services/gateway/stream_internal.h"

#include "common/state/keys.h"
#include "common/wire/digest.h"
#include "services/gateway/resources.h"

#include <string.h>

enum { LETTERS_MAX = 16, OK = 200 };

/* --- what control.v1 brought --- */

/* The item as its resource shows it, or that it is gone. */
struct item {
    const char *topic;
    const char *event;
    void (*show)(struct gateway_call *call);
    const char *parameter[2];
    const char *id; /* Told when it is gone. */
};

static void tell_item(struct gateway *gateway, struct bench *bench, const struct item *item)
{
    const struct audience audience = { .topic = item->topic };
    struct gateway_call call = call_beside(gateway, bench);

    call.parameter[0] = item->parameter[0];
    call.parameter[1] = item->parameter[1];
    item->show(&call);
    call_done(&call, bench);
    if (call.status == OK)
        stream_tell(gateway, &audience, item->event, &bench->text);
    else if (call.status < 500)
        stream_tell_gone(gateway, bench, &audience, item->event, item->id);
    else
        stream_tell_reset(gateway, bench, &audience, "it could not be read");
}

static void tell_flag(struct gateway *gateway,
                      struct bench *bench,
                      const char *environment,
                      const char *flag)
{
    tell_item(gateway,
              bench,
              &(struct item){ .topic = "flags",
                              .event = "flag",
                              .show = get_flag,
                              .parameter = { environment, flag },
                              .id = arena_printf(&bench->arena, "%s/%s", environment, flag) });
}

/* Whatever the killed deployment owns is off now. */
static void tell_kill(struct gateway *gateway, struct bench *bench, const char *deployment)
{
    struct gateway_call call = call_beside(gateway, bench);
    const char **names = NULL;
    const size_t count = flags_of(&call, deployment, &names);

    for (size_t i = 0; i < count; i++)
        tell_flag(gateway, bench, names[2 * i], names[2 * i + 1]);
}

static void tell_key(struct gateway *gateway, struct bench *bench, const char *key)
{
    const char *const rest = strchr(key, '/');
    const char *const name = rest != NULL ? strchr(rest + 1, '/') : NULL;

    if (strncmp(key, "flag/", 5) == 0 && name != NULL)
        tell_flag(gateway,
                  bench,
                  arena_copy(&bench->arena, rest + 1, (size_t)(name - rest - 1)),
                  name + 1);
    else if (strncmp(key, "kill/", 5) == 0)
        tell_kill(gateway, bench, rest + 1);
    else if (strncmp(key, "freeze/", 7) == 0)
        tell_item(gateway,
                  bench,
                  &(struct item){ .topic = "freezes",
                                  .event = "freeze",
                                  .show = show_freeze,
                                  .parameter = { rest + 1 },
                                  .id = rest + 1 });
}

/* More at once than is told one by one. */
static void tell_too_much(struct gateway *gateway, struct bench *bench, const char *topic)
{
    stream_tell_reset(
        gateway, bench, &(struct audience){ .topic = topic }, "too much changed at once");
}

void tell_control(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    char(*keys)[STREAM_KEY_MAX];
    size_t count;

    arena_reset(&bench->arena);
    arena_reset(&bench->item);
    keys = arena_alloc(&bench->arena, sizeof streams->keys);
    (void)pthread_mutex_lock(&gateway->lock);
    count = streams->key_count;
    memcpy(keys, streams->keys, sizeof streams->keys);
    streams->key_count = 0;
    (void)pthread_mutex_unlock(&gateway->lock);
    if (count > STREAM_KEYS_MAX) {
        tell_too_much(gateway, bench, "flags");
        tell_too_much(gateway, bench, "freezes");
        return;
    }
    for (size_t i = 0; i < count; i++)
        tell_key(gateway, bench, keys[i]);
}

/* --- dead letters --- */

void tell_letters(struct gateway *gateway, struct bench *bench)
{
    const struct audience audience = { .topic = "dead-letters" };
    size_t count;

    (void)pthread_mutex_lock(&gateway->lock);
    count = gateway->streams->letters;
    gateway->streams->letters = 0;
    (void)pthread_mutex_unlock(&gateway->lock);
    if (count > LETTERS_MAX) {
        tell_too_much(gateway, bench, audience.topic);
        return;
    }
    while (count-- > 0) {
        struct gateway_call call = call_on(gateway, bench);

        show_dead_letter(&call, count);
        call_done(&call, bench);
        if (bench->text.length > 0)
            stream_tell(gateway, &audience, "dead-letter", &bench->text);
    }
}

/* --- instances --- */

static const struct audience health = { .topic = "health" };

/* What it says of itself but for the time, which moves always. */
static void describe(const struct store_value *said, char ret_hex[DIGEST_HEX_SIZE])
{
    const char *const seen = strstr(said->bytes, "\"seen_ms\"");

    digest_sha256(
        said->bytes, seen != NULL ? (size_t)(seen - said->bytes) : said->length, ret_hex);
}

static struct told_instance *instance_of(struct gateway_streams *streams, const char *name)
{
    struct told_instance *place = NULL;

    for (size_t i = 0; i < STREAM_INSTANCES_MAX; i++) {
        struct told_instance *const told = &streams->instances[i];

        if (strcmp(told->name, name) == 0)
            return told;
        if (told->name[0] == '\0' && place == NULL)
            place = told;
    }
    if (place == NULL || strlen(name) >= sizeof place->name)
        return NULL;
    *place = (struct told_instance){ 0 };
    memcpy(place->name, name, strlen(name) + 1);
    return place;
}

static void tell_instance(struct gateway *gateway,
                          struct bench *bench,
                          const struct store_field *instance)
{
    struct told_instance *const told = instance_of(gateway->streams, instance->name);
    char digest[DIGEST_HEX_SIZE];

    if (told == NULL)
        return;
    told->here = true;
    describe(&instance->value, digest);
    if (strcmp(digest, told->digest) == 0)
        return;
    memcpy(told->digest, digest, sizeof digest);
    text_reset(&bench->text);
    text_add(&bench->text, "{\"id\":\"");
    text_add_json(&bench->text, instance->name);
    text_add(&bench->text, "\",%s", instance->value.bytes + 1);
    if (gateway->streams->health_told)
        stream_tell(gateway, &health, "health", &bench->text);
}

static void tell_those_who_left(struct gateway *gateway, struct bench *bench)
{
    for (size_t i = 0; i < STREAM_INSTANCES_MAX; i++) {
        struct told_instance *const told = &gateway->streams->instances[i];

        if (told->name[0] == '\0' || told->here)
            continue;
        stream_tell_gone(gateway, bench, &health, "health", told->name);
        told->name[0] = '\0';
    }
}

/* Whoever has just come has read the resource: differences from then on. */
void tell_health(struct gateway *gateway, struct bench *bench)
{
    struct gateway_streams *const streams = gateway->streams;
    struct gateway_call call = call_on(gateway, bench);
    struct store_field *instances = NULL;
    struct error error = { 0 };
    size_t count = 0;

    call_done(&call, bench);
    if (load_instances(&call, &instances, &count, &error) != ERR_OK)
        return;
    for (size_t i = 0; i < STREAM_INSTANCES_MAX; i++)
        streams->instances[i].here = false;
    for (size_t i = 0; i < count; i++) {
        if (instance_is_shown(&instances[i].value, call.now_ms))
            tell_instance(gateway, bench, &instances[i]);
    }
    tell_those_who_left(gateway, bench);
    streams->health_told = true;
}

/* --- samples --- */

static struct sampled *sampled_of(struct gateway_streams *streams, const char *id)
{
    struct sampled *place;

    for (size_t i = 0; i < STREAM_SAMPLED_MAX; i++) {
        if (strcmp(streams->sampled[i].id, id) == 0)
            return &streams->sampled[i];
    }
    place = &streams->sampled[streams->next_sampled++ % STREAM_SAMPLED_MAX];
    *place = (struct sampled){ .at_ms = -1 };
    memcpy(place->id, id, strlen(id) + 1);
    return place;
}

/* The newest time among the points; those after `after` are told, oldest first. */
static int64_t tell_points(struct gateway *gateway,
                           struct bench *bench,
                           const Pb__DeploymentSeries *series,
                           const Pb__MetricSeries *metric,
                           int64_t after_ms)
{
    const struct audience audience = { .topic = arena_printf(
                                           &bench->item, "deployment:%s", series->deployment) };
    const size_t count =
        metric->n_values_micro < metric->n_at_ms ? metric->n_values_micro : metric->n_at_ms;

    for (size_t i = 0; i < count && after_ms >= 0; i++) {
        struct json json = json_afresh(&bench->text);

        if (metric->at_ms[i] <= after_ms)
            continue;
        json_put_object(&json, NULL);
        json_put_text(&json, "deployment", series->deployment);
        json_put_text(&json, "metric", metric->name);
        json_put_int(&json, "at_ms", metric->at_ms[i]);
        json_put_micro(&json, "value", metric->values_micro[i]);
        json_put_text(&json, "verdict", pb_verdict_name(metric->verdict));
        json_end_object(&json);
        stream_tell(gateway, &audience, "sample", &bench->text);
    }
    return count > 0 ? metric->at_ms[count - 1] : 0;
}

static void tell_samples_of(struct gateway *gateway, struct bench *bench, const char *id)
{
    struct sampled *const sampled = sampled_of(gateway->streams, id);
    struct gateway_call call = call_beside(gateway, bench);
    Pb__DeploymentState state = PB__DEPLOYMENT_STATE__INIT;
    struct view_source source = { .state = &state };
    int64_t newest_ms = sampled->at_ms > 0 ? sampled->at_ms : 0;

    state.id = id;
    arena_reset(&bench->item);
    if (!deployment_load_series(&call, &source))
        return;
    for (size_t i = 0; source.series != NULL && i < source.series->n_metrics; i++) {
        const int64_t at_ms = tell_points(
            gateway, bench, source.series, source.series->metrics[i], sampled->at_ms);

        if (at_ms > newest_ms)
            newest_ms = at_ms;
    }
    sampled->at_ms = newest_ms;
}

/* The deployments that somebody looks at, each once, in the bench's arena. */
static size_t find_watched(struct gateway *gateway, struct bench *bench, const char **ret)
{
    static const char one[] = ",deployment:";
    size_t count = 0;

    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        const char *rest = gateway->streams->item[i].topics;

        while ((rest = strstr(rest, one)) != NULL && count < STREAM_SAMPLED_MAX) {
            const size_t length = strcspn(rest += sizeof one - 1, ",");
            bool known = length >= STREAM_SUBJECT_MAX;

            for (size_t k = 0; k < count && !known; k++)
                known = strlen(ret[k]) == length && strncmp(ret[k], rest, length) == 0;
            if (!known)
                ret[count++] = arena_copy(&bench->arena, rest, length);
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
    return count;
}

void tell_samples(struct gateway *gateway, struct bench *bench)
{
    const char *watched[STREAM_SAMPLED_MAX];
    size_t count;

    arena_reset(&bench->arena);
    count = find_watched(gateway, bench, watched);
    for (size_t i = 0; i < count; i++)
        tell_samples_of(gateway, bench, watched[i]);
}
