#include "services/coordinator/compare.h"

#include "common/state/keys.h"
#include "common/state/projection.h"
#include "services/coordinator/difference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 20, LINE_SIZE = 1024 };

/* Names that one side or both know. */
struct names {
    const char **items;
    size_t count;
    size_t capacity;
};

static void say(struct comparison *comparison, const char *what, const char *how)
{
    if (comparison->differences++ < LINES_MAX)
        text_add(comparison->report, "  %s: %s\n", what, how);
}

static const char *presence(const struct store_value *wanted)
{
    return wanted->bytes != NULL ? "missing in Redis" : "in Redis, and not by the log";
}

static bool same(const struct store_value *a, const struct store_value *b)
{
    if (a->bytes == NULL || b->bytes == NULL)
        return a->bytes == b->bytes;
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static enum err read_both(struct comparison *comparison,
                          const char *key,
                          struct store_value ret[2],
                          struct error *error)
{
    enum err err =
        comparison->folded.get(comparison->folded.self, comparison->arena, key, &ret[0], error);

    if (err == ERR_OK)
        err = comparison->found.get(
            comparison->found.self, comparison->arena, key, &ret[1], error);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}

/* By the log first: version and first differing field, as far as both can be read. */
static const char *how_they_differ(struct comparison *comparison,
                                   const ProtobufCMessageDescriptor *type,
                                   const struct store_value both[2])
{
    char *const bytes = arena_alloc(comparison->arena, LINE_SIZE);
    struct text line = text_over(bytes, LINE_SIZE);
    void *messages[2] = { NULL, NULL };

    for (size_t i = 0; i < 2; i++) {
        struct error error = { 0 };

        if (pb_unpack(comparison->arena,
                      type,
                      (struct pb_bytes){ (const uint8_t *)both[i].bytes, both[i].length },
                      &messages[i],
                      &error) != ERR_OK)
            return i == 0 ? "cannot be read" : "cannot be read in Redis";
    }
    if (!difference_find(type, messages[0], messages[1], &line))
        return "other bytes, though every field is the same";
    return bytes;
}

static enum err compare_value(struct comparison *comparison,
                              const char *what,
                              const char *key,
                              const ProtobufCMessageDescriptor *type,
                              struct error *error)
{
    struct store_value both[2] = { { 0 }, { 0 } };
    const enum err err = read_both(comparison, key, both, error);

    if (err != ERR_OK || same(&both[0], &both[1]))
        return err;
    if (both[0].bytes == NULL || both[1].bytes == NULL)
        say(comparison, what, presence(&both[0]));
    else
        say(comparison, what, how_they_differ(comparison, type, both));
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct store_field *const left = a;
    const struct store_field *const right = b;

    return strcmp(left->name, right->name);
}

/* Both sides of a hash, in the order of their fields. */
static enum err compare_hash(struct comparison *comparison,
                             const char *what,
                             const char *key,
                             struct error *error)
{
    struct store_field *fields[2] = { NULL, NULL };
    size_t counts[2] = { 0, 0 };
    size_t at[2] = { 0, 0 };
    const struct store sides[] = { comparison->folded, comparison->found };

    for (size_t i = 0; i < 2; i++) {
        const enum err err = sides[i].hash_all(
            sides[i].self, comparison->arena, key, &fields[i], &counts[i], error);

        if (err != ERR_OK)
            return error_wrap(error, err, "read %s", key);
        if (counts[i] > 0)
            qsort(fields[i], counts[i], sizeof *fields[i], by_name);
    }
    while (at[0] < counts[0] || at[1] < counts[1]) {
        const int order = at[0] == counts[0]   ? 1
                          : at[1] == counts[1] ? -1
                                               : by_name(&fields[0][at[0]], &fields[1][at[1]]);
        const char *const name = order <= 0 ? fields[0][at[0]].name : fields[1][at[1]].name;
        const char *const line = arena_printf(comparison->arena, "%s %s", what, name);

        if (order != 0)
            say(comparison,
                line,
                order < 0 ? "missing in Redis" : "in Redis, and not by the log");
        else if (!same(&fields[0][at[0]].value, &fields[1][at[1]].value))
            say(comparison, line, "another value");
        at[0] += order <= 0;
        at[1] += order >= 0;
    }
    return ERR_OK;
}

static void names_add(struct comparison *comparison, struct names *names, const char *name)
{
    const char **items = names->items;

    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 64 : 2 * names->capacity;
        names->items = arena_alloc(comparison->arena, names->capacity * sizeof *names->items);
        if (names->count > 0)
            memcpy(names->items, items, names->count * sizeof *items);
    }
    names->items[names->count++] = name;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each name once. */
static void names_settle(struct names *names)
{
    size_t kept = 0;

    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, by_text);
    for (size_t i = 0; i < names->count; i++) {
        if (kept == 0 || strcmp(names->items[kept - 1], names->items[i]) != 0)
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
}

/* A sorted set as a hash of its scores. */
static enum err read_list(struct comparison *comparison,
                          struct store store,
                          const char *key,
                          struct names *ret,
                          struct error *error)
{
    const struct store_range range = {
        .key = key, .min = INT64_MIN, .max = INT64_MAX, .limit = INT32_MAX
    };
    struct store_member *members = NULL;
    size_t count = 0;
    const enum err err =
        store.sorted_range(store.self, comparison->arena, &range, &members, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        names_add(comparison,
                  ret,
                  arena_printf(
                      comparison->arena, "%s at %" PRId64, members[i].name, members[i].score));
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}

static enum err read_set(struct comparison *comparison,
                         struct store store,
                         const char *key,
                         struct names *ret,
                         struct error *error)
{
    const char **items = NULL;
    size_t count = 0;
    const enum err err =
        store.members(store.self, comparison->arena, key, &items, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++)
        names_add(comparison, ret, items[i]);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}

typedef enum err (*names_reader)(struct comparison *comparison,
                                 struct store store,
                                 const char *key,
                                 struct names *ret,
                                 struct error *error);

/* all: may be NULL; gets every name that either side knows. */
static enum err compare_names(struct comparison *comparison,
                              const char *what,
                              const char *key,
                              names_reader reader,
                              struct names *all,
                              struct error *error)
{
    struct names sides[2] = { { 0 }, { 0 } };
    size_t at[2] = { 0, 0 };
    enum err err = reader(comparison, comparison->folded, key, &sides[0], error);

    if (err == ERR_OK)
        err = reader(comparison, comparison->found, key, &sides[1], error);
    if (err != ERR_OK)
        return err;
    names_settle(&sides[0]);
    names_settle(&sides[1]);
    while (at[0] < sides[0].count || at[1] < sides[1].count) {
        const int order = at[0] == sides[0].count ? 1
                          : at[1] == sides[1].count
                              ? -1
                              : strcmp(sides[0].items[at[0]], sides[1].items[at[1]]);
        const char *const name = order <= 0 ? sides[0].items[at[0]] : sides[1].items[at[1]];

        if (order != 0)
            say(comparison,
                arena_printf(comparison->arena, "%s %s", what, name),
                order < 0 ? "missing in Redis" : "in Redis, and not by the log");
        if (all != NULL)
            names_add(comparison, all, name);
        at[0] += order <= 0;
        at[1] += order >= 0;
    }
    return ERR_OK;
}

static enum err compare_plan(struct comparison *comparison,
                             const char *state_key,
                             const char *what,
                             struct error *error)
{
    struct arena *const arena = comparison->arena;
    struct store_value value = { 0 };
    struct error ignored = { 0 };
    void *state = NULL;
    const enum err err =
        comparison->folded.get(comparison->folded.self, arena, state_key, &value, error);

    if (err != ERR_OK || value.bytes == NULL ||
        pb_unpack(arena,
                  &pb__deployment_state__descriptor,
                  (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                  &state,
                  &ignored) != ERR_OK)
        return err;
    if (pb_same(((const Pb__DeploymentState *)state)->plan_hash, ""))
        return ERR_OK;
    return compare_value(comparison,
                         arena_printf(arena, "plan of %s", what),
                         KEY_PLAN(arena,
                                  comparison->partition,
                                  comparison->prefix,
                                  ((const Pb__DeploymentState *)state)->plan_hash),
                         &pb__plan__descriptor,
                         error);
}

static enum err compare_deployment(struct comparison *comparison,
                                   const char *id,
                                   struct error *error)
{
    struct arena *const arena = comparison->arena;
    const char *const prefix = comparison->prefix;
    const int32_t p = comparison->partition;
    const char *const feature = projection_feature_of(arena, id);
    const char *const key = KEY_DEPLOYMENT(arena, p, prefix, id);
    enum err err = compare_value(comparison,
                                 arena_printf(arena, "deployment %s", id),
                                 key,
                                 &pb__deployment_state__descriptor,
                                 error);

    if (err == ERR_OK)
        err = compare_value(comparison,
                            arena_printf(arena, "acceptance of %s", id),
                            KEY_ACCEPTANCE(arena, p, prefix, id),
                            &pb__acceptance_signed_off__descriptor,
                            error);
    if (err == ERR_OK)
        err = compare_value(comparison,
                            arena_printf(arena, "feature %s", feature),
                            KEY_FEATURE(arena, p, prefix, feature),
                            &pb__feature_state__descriptor,
                            error);
    if (err == ERR_OK)
        err = compare_hash(comparison,
                           arena_printf(arena, "timeline of %s, entry", id),
                           KEY_TIMELINE(arena, p, prefix, id),
                           error);
    return err == ERR_OK ? compare_plan(comparison, key, id, error) : err;
}

static enum err compare_deployments(struct comparison *comparison, struct error *error)
{
    struct arena *const arena = comparison->arena;
    const char *const prefix = comparison->prefix;
    const int32_t p = comparison->partition;
    struct names all = { 0 };
    enum err err = compare_names(comparison,
                                 "list of live deployments:",
                                 KEY_LIVE(arena, p, prefix),
                                 read_list,
                                 &all,
                                 error);

    if (err == ERR_OK)
        err = compare_names(comparison,
                            "list of ended deployments:",
                            KEY_DONE(arena, p, prefix),
                            read_list,
                            &all,
                            error);
    for (size_t i = 0; i < all.count; i++)
        all.items[i] = arena_copy(
            arena, all.items[i], (size_t)(strstr(all.items[i], " at ") - all.items[i]));
    names_settle(&all);
    comparison->deployments = all.count;
    for (size_t i = 0; i < all.count && err == ERR_OK; i++)
        err = compare_deployment(comparison, all.items[i], error);
    return err;
}

static enum err compare_lanes(struct comparison *comparison, struct error *error)
{
    struct arena *const arena = comparison->arena;
    const char *const prefix = comparison->prefix;
    const int32_t p = comparison->partition;
    struct names all = { 0 };
    enum err err = compare_names(
        comparison, "list of lanes:", KEY_LANES(arena, p, prefix), read_set, &all, error);

    comparison->lanes = all.count;
    for (size_t i = 0; i < all.count && err == ERR_OK; i++)
        err = compare_value(comparison,
                            arena_printf(arena, "lane %s", all.items[i]),
                            KEY_LANE(arena, p, prefix, all.items[i]),
                            &pb__lane_state__descriptor,
                            error);
    return err;
}

enum err compare_partition(struct comparison *comparison, struct error *error)
{
    struct arena *const arena = comparison->arena;
    const char *const prefix = comparison->prefix;
    const int32_t p = comparison->partition;
    enum err err = compare_deployments(comparison, error);

    if (err == ERR_OK)
        err = compare_lanes(comparison, error);
    if (err == ERR_OK)
        err = compare_names(
            comparison, "timer", KEY_TIMERS(arena, p, prefix), read_list, NULL, error);
    if (err == ERR_OK)
        err = compare_names(comparison,
                            "ended, with announcements out:",
                            KEY_BUSY(arena, p, prefix),
                            read_set,
                            NULL,
                            error);
    if (err == ERR_OK)
        err = compare_hash(
            comparison, "said on control.v1:", KEY_CONTROL(arena, p, prefix), error);
    return err;
}
