/* Recorded logs give the states that they gave when they were recorded, byte for byte.
 *
 * For each corpus/NAME.log there is NAME.digests: "<aggregate> <sha256 of its packed state>" a
 * line, taken from the Redis of the system that wrote the log. REPLAY_PRINT=1 prints what it is
 * now. */
#include "tests/replay/log_file.h"

#include "common/base/text.h"
#include "common/wire/digest.h"
#include "services/coordinator/core/feature.h"
#include "services/coordinator/core/lane.h"
#include "services/coordinator/core/procedure.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORPUS "tests/replay/corpus"

enum {
    AGGREGATES_MAX = 256,
    PLANS_MAX = 256,
    ARENA_BYTES = 256 * 1024 * 1024,
    DIGESTS_MAX = 64 * 1024
};

struct aggregate {
    const char *name; /* "dep:pay.1", "lane:production/shop", "feature:pay" */
    void *state;
};

struct plan {
    const char *hash;
    Pb__Plan *plan;
};

/* What a log gives, folded as the coordinator does. */
struct fold {
    struct arena arena;
    struct aggregate aggregates[AGGREGATES_MAX];
    size_t count;
    struct plan plans[PLANS_MAX];
    size_t plan_count;
};

static struct aggregate *aggregate_of(struct fold *fold, const char *kind, const char *id)
{
    const char *const name = arena_printf(&fold->arena, "%s:%s", kind, id);

    for (size_t i = 0; i < fold->count; i++) {
        if (strcmp(fold->aggregates[i].name, name) == 0)
            return &fold->aggregates[i];
    }
    assert_true(fold->count < AGGREGATES_MAX);
    fold->aggregates[fold->count].name = name;
    return &fold->aggregates[fold->count++];
}

static Pb__Plan *plan_of(const struct fold *fold, const char *hash)
{
    for (size_t i = 0; i < fold->plan_count; i++) {
        if (strcmp(fold->plans[i].hash, hash) == 0)
            return fold->plans[i].plan;
    }
    assert_string_equal(hash, "");
    return NULL;
}

static void remember_plan(struct fold *fold,
                          const Pb__DeploymentState *state,
                          const Pb__Event *event)
{
    if (event->body_case != PB__EVENT__BODY_PLAN_COMPILED ||
        event->plan_compiled->plan == NULL ||
        !pb_same(state->plan_hash, event->plan_compiled->plan_hash))
        return;
    assert_true(fold->plan_count < PLANS_MAX);
    fold->plans[fold->plan_count++] =
        (struct plan){ state->plan_hash, event->plan_compiled->plan };
}

static void step_deployment(struct fold *fold,
                            const struct log_record *record,
                            const Pb__Event *event)
{
    struct aggregate *const aggregate = aggregate_of(fold, "dep", event->deployment);
    struct procedure_output *const output = arena_alloc(&fold->arena, sizeof *output);
    const Pb__DeploymentState *const before = aggregate->state;
    const struct procedure_input input = {
        .before = before,
        .plan = before != NULL ? plan_of(fold, before->plan_hash) : NULL,
        .event = event,
        .event_id = record->id,
        .at_ms = record->at_ms,
    };

    if (before == NULL && event->body_case != PB__EVENT__BODY_ATTEMPT_CREATED)
        return;
    if (procedure_step(&fold->arena, &input, output) != PROCEDURE_APPLIED)
        return;
    aggregate->state = output->after;
    remember_plan(fold, output->after, event);
}

static void step_lane(struct fold *fold,
                      const struct log_record *record,
                      const Pb__Event *event,
                      const char *lane)
{
    struct aggregate *const aggregate = aggregate_of(fold, "lane", lane);
    struct lane_output *const output = arena_alloc(&fold->arena, sizeof *output);
    const struct lane_input input = { aggregate->state, event, record->id, record->at_ms };

    if (lane_step(&fold->arena, &input, output) == PROCEDURE_APPLIED)
        aggregate->state = output->after;
}

static void step_feature(struct fold *fold,
                         const struct log_record *record,
                         const Pb__Event *event)
{
    struct aggregate *const aggregate = aggregate_of(fold, "feature", event->feature);
    struct feature_output *const output = arena_alloc(&fold->arena, sizeof *output);
    const struct feature_input input = { aggregate->state, event, record->id, record->at_ms };

    if (feature_step(&fold->arena, &input, output) == PROCEDURE_APPLIED)
        aggregate->state = output->after;
}

static void hear(struct fold *fold, const struct log_record *record)
{
    struct error error = { "" };
    void *unpacked = NULL;
    const Pb__Event *event;

    if (pb_unpack(&fold->arena, &pb__event__descriptor, record->payload, &unpacked, &error) !=
        ERR_OK)
        fail_msg("record %lld: %s", (long long)record->offset, error.text);
    event = unpacked;
    if (event->body_case == PB__EVENT__BODY_GENESIS)
        return;
    if (!pb_same(event->deployment, ""))
        step_deployment(fold, record, event);
    else if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        step_lane(fold, record, event, event->lane_requested->lane);
    else if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        step_lane(fold, record, event, event->lane_released->lane);
    else
        step_feature(fold, record, event);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct aggregate *)a)->name, ((const struct aggregate *)b)->name);
}

static const char *digests(struct fold *fold)
{
    char *const bytes = arena_alloc(&fold->arena, DIGESTS_MAX);
    struct text text = text_over(bytes, DIGESTS_MAX);

    qsort(fold->aggregates, fold->count, sizeof fold->aggregates[0], by_name);
    for (size_t i = 0; i < fold->count; i++) {
        char digest[DIGEST_HEX_SIZE];
        struct pb_bytes packed;

        if (fold->aggregates[i].state == NULL)
            continue;
        packed = pb_pack(&fold->arena, fold->aggregates[i].state);
        digest_sha256(packed.bytes, packed.length, digest);
        text_add(&text, "%s %s\n", fold->aggregates[i].name, digest);
    }
    assert_true(text_ok(&text));
    return bytes;
}

static const char *recorded_digests(struct arena *arena, const char *path)
{
    char *const bytes = arena_alloc(arena, DIGESTS_MAX);
    FILE *const file = fopen(path, "rb");

    assert_non_null(file);
    (void)!fread(bytes, 1, DIGESTS_MAX - 1, file);
    (void)fclose(file);
    return bytes;
}

static void replay(const char *name)
{
    static struct fold fold;
    struct log_file log;
    const char *now;
    const char *path;

    fold = (struct fold){ .arena = arena_with_limit(ARENA_BYTES) };
    path = arena_printf(&fold.arena, CORPUS "/%s.log", name);
    log = log_file_read(&fold.arena, path);
    for (size_t i = 0; i < log.count; i++)
        hear(&fold, &log.records[i]);
    now = digests(&fold);
    print_message("%s: %zu records, %zu aggregates\n", name, log.count, fold.count);
    if (getenv("REPLAY_PRINT") != NULL)
        print_message("%s", now);
    else
        assert_string_equal(
            now,
            recorded_digests(&fold.arena,
                             arena_printf(&fold.arena, CORPUS "/%s.digests", name)));
    arena_release(&fold.arena);
}

static void recorded_logs_give_the_states_they_gave(void **state)
{
    DIR *const folder = opendir(CORPUS);
    const struct dirent *entry;
    size_t count = 0;

    (void)state;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char name[256];
        const char *const end = strstr(entry->d_name, ".log");

        if (end == NULL || strlen(entry->d_name) >= sizeof name)
            continue;
        memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
        name[end - entry->d_name] = '\0';
        replay(name);
        count++;
    }
    (void)closedir(folder);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_logs_give_the_states_they_gave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
