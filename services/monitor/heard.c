#include "services/monitor/heard.h"

#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "services/monitor/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No mark is ever so: what is written under it is refused. */
#define MARK_UNKNOWN "?"

/* What the bus says of a partition. */
struct log_ends {
    int64_t low;
    int64_t high;
    int64_t rule; /* Where the group goes on: what it has committed, else the beginning. */
    bool has_group;
};

struct alert_source *heard_source(struct alert_desk *desk, int32_t partition)
{
    for (size_t i = 0; i < desk->source_count; i++) {
        if (desk->sources[i].partition == partition)
            return &desk->sources[i];
    }
    return NULL;
}

void heard_add(struct alert_desk *desk, int32_t partition)
{
    if (desk->source_count < ALERTS_PARTITIONS_MAX)
        desk->sources[desk->source_count++] =
            (struct alert_source){ .partition = partition, .at = -1 };
}

static const char *marks_key(struct alert_desk *desk)
{
    return keys_global(&desk->arena, desk->projection.prefix, "heard:", TOPIC_ALERTS);
}

static const char *field_of(struct alert_desk *desk, const struct alert_source *source)
{
    return arena_printf(&desk->arena, "%" PRId32, source->partition);
}

static void write_mark(const struct alert_desk *desk, int64_t next, char ret[HEARD_MARK_SIZE])
{
    const struct bus *const bus = &desk->ports->bus;

    (void)snprintf(ret, HEARD_MARK_SIZE, "%" PRId64 " %.64s", next, bus->cluster_id(bus->self));
}

/* The offset that the mark names; -1 if there is none, or it is of another cluster. */
static int64_t marked(const struct alert_desk *desk, const struct alert_source *source)
{
    const int64_t next = strtoll(source->mark, NULL, 10);
    char wanted[HEARD_MARK_SIZE];

    write_mark(desk, next, wanted);
    return strcmp(source->mark, wanted) == 0 ? next : -1;
}

/* A group's offset that is no longer kept, or beyond the end, counts as none: everything. */
static enum err ask_bus(struct alert_desk *desk,
                        const struct alert_source *source,
                        struct log_ends *ret,
                        struct error *error)
{
    const struct bus_consumer *const bus = &desk->consumer;
    enum err err = bus->watermarks(
        bus->self, TOPIC_ALERTS, source->partition, &ret->low, &ret->high, error);

    if (err == ERR_OK)
        err = bus->committed(bus->self, TOPIC_ALERTS, source->partition, &ret->rule, error);
    if (err != ERR_OK)
        return err;
    ret->has_group = ret->rule >= ret->low && ret->rule <= ret->high;
    if (!ret->has_group)
        ret->rule = ret->low;
    return ERR_OK;
}

static bool ask_redis(struct alert_desk *desk, struct alert_source *source)
{
    struct store *const store = &desk->projection.store;
    struct store_value value = { 0 };
    struct error ignored = { 0 };
    const enum err err = store->hash_get(
        store->self, &desk->arena, marks_key(desk), field_of(desk, source), &value, &ignored);
    const char *const mark = value.bytes != NULL ? value.bytes : "";

    (void)snprintf(
        source->mark, sizeof source->mark, "%s", err == ERR_OK ? mark : MARK_UNKNOWN);
    return err == ERR_OK;
}

/* What was told, and where to go on: at the mark, but never beyond what was told. A mark beyond
 * the log's end is of a log that was lost. It is written after telling, so that it also says
 * what was told where the group's offset has expired. */
static int64_t start_of(const struct alert_desk *desk,
                        struct alert_source *source,
                        const struct log_ends *log)
{
    const int64_t mark = marked(desk, source);

    source->told = log->rule;
    if (strcmp(source->mark, MARK_UNKNOWN) == 0)
        return log->rule;
    if (mark < log->low || mark > log->high)
        return log->low;
    if (!log->has_group)
        source->told = mark;
    return mark < source->told ? mark : source->told;
}

static enum err go_to(struct alert_desk *desk,
                      struct alert_source *source,
                      int64_t offset,
                      struct error *error)
{
    enum err err;

    if (source->at == offset)
        return ERR_OK;
    err = desk->consumer.seek(
        desk->consumer.self, TOPIC_ALERTS, source->partition, offset, error);
    if (err == ERR_OK)
        source->at = offset;
    return err;
}

static void note_again(const struct alert_desk *desk,
                       const struct alert_source *source,
                       int64_t count)
{
    if (count <= 0)
        return;
    desk->ports->metrics.add(
        desk->ports->metrics.self, "slipway_alerts_heard_again_total", "", "", count);
    LOG(desk->ports->log,
        LOG_WARNING,
        "Redis does not have all open alerts: they are heard again",
        { "mark", source->mark });
}

static enum err know(struct alert_desk *desk, struct alert_source *source, struct error *error)
{
    struct log_ends log = { 0 };
    int64_t start;
    bool answered;
    enum err err = ask_bus(desk, source, &log, error);

    if (err != ERR_OK)
        return err;
    if (source->at < 0)
        source->at = log.rule;
    answered = ask_redis(desk, source);
    start = start_of(desk, source, &log);
    err = go_to(desk, source, start, error);
    source->known = err == ERR_OK && answered;
    if (source->known)
        note_again(desk, source, source->told - start);
    return err;
}

enum err heard_know(struct alert_desk *desk, struct error *error)
{
    for (size_t i = 0; i < desk->source_count; i++) {
        enum err err;

        if (desk->sources[i].known)
            continue;
        err = know(desk, &desk->sources[i], error);
        if (err != ERR_OK)
            return error_wrap(
                error, err, "%s %d", TOPIC_ALERTS, (int)desk->sources[i].partition);
    }
    return ERR_OK;
}

static const char *mark_among(const struct store_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].value.bytes;
    }
    return "";
}

bool heard_stands(struct alert_desk *desk)
{
    struct store *const store = &desk->projection.store;
    struct store_field *fields = NULL;
    size_t count = 0;
    struct error ignored = { 0 };
    bool stands = true;

    if (store->hash_all(
            store->self, &desk->arena, marks_key(desk), &fields, &count, &ignored) != ERR_OK)
        return true;
    for (size_t i = 0; i < desk->source_count; i++) {
        struct alert_source *const source = &desk->sources[i];

        if (!source->known ||
            strcmp(source->mark, mark_among(fields, count, field_of(desk, source))) == 0)
            continue;
        source->known = false;
        stands = false;
    }
    return stands;
}

void heard_keep(struct alert_desk *desk,
                const struct store_guard **ret_guards,
                size_t *ret_count)
{
    struct store_guard *const guards =
        arena_alloc(&desk->arena, (desk->source_count + 1) * sizeof *guards);
    const char *const key = marks_key(desk);

    *ret_count = 0;
    for (size_t i = 0; i < desk->source_count; i++) {
        const struct alert_source *const source = &desk->sources[i];
        const char *const field = field_of(desk, source);
        char mark[HEARD_MARK_SIZE];

        if (source->first == source->next)
            continue;
        write_mark(desk, source->next, mark);
        guards[(*ret_count)++] =
            (struct store_guard){ key, field, source->mark[0] != '\0' ? source->mark : NULL };
        *alert_op(desk) = (struct store_op){
            .kind = STORE_HASH_SET,
            .key = key,
            .field = field,
            .value = { arena_text(&desk->arena, mark), strlen(mark) },
        };
    }
    *ret_guards = guards;
}

void heard_kept(struct alert_desk *desk)
{
    for (size_t i = 0; i < desk->source_count; i++) {
        struct alert_source *const source = &desk->sources[i];

        if (source->first != source->next)
            write_mark(desk, source->next, source->mark);
    }
}

void heard_refused(struct alert_desk *desk)
{
    for (size_t i = 0; i < desk->source_count; i++)
        desk->sources[i].known = false;
}
