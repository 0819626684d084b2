/* Recorded logs give the states that they gave when they were recorded, byte for byte.
 *
 * For each corpus/NAME.log there is NAME.digests: "<aggregate> <sha256 of its packed state>" a
 * line, taken from the Redis of the system that wrote the log. REPLAY_ANEW=1 writes it as it
 * is now, REPLAY_COVERAGE=FILE writes to FILE what the logs walk through, and
 * REPLAY_CORPUS=FOLDER takes the logs from there; REPLAY_STATES=FOLDER writes every state
 * there.
 *
 * NAME.said is the same of what they said to the world meanwhile (said.h), as the core of that
 * time says it. REPLAY_SAID=1 writes it anew. */
#include "tests/replay/coverage.h"
#include "tests/replay/log_file.h"
#include "tests/replay/said.h"

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

enum {
    AGGREGATES_MAX = 256,
    PLANS_MAX = 256,
    ARENA_BYTES = 256 * 1024 * 1024,
    DIGESTS_MAX = 64 * 1024,
    PATH_SIZE = 512
};

struct aggregate {
    const char *name; /* "dep:pay.1", "lane:production/shop", "feature:pay" */
    void *state;
    char said[DIGEST_HEX_SIZE];
};

struct plan {
    const char *hash;
    Pb__Plan *plan;
};

/* What was known at some place of a log. */
struct known {
    struct aggregate aggregates[AGGREGATES_MAX];
    size_t count;
    struct plan plans[PLANS_MAX];
    size_t plan_count;
};

/* What a log gives, folded as the coordinator does. */
struct fold {
    struct arena arena;
    struct known now;
    struct known saved;
    struct text lines; /* "<aggregate> <digest>" */
    struct text said;  /* The same of what it said. */
    FILE *coverage;    /* NULL: nobody asked. */
};

static struct aggregate *aggregate_of(struct fold *fold, const char *kind, const char *id)
{
    const char *const name = arena_printf(&fold->arena, "%s:%s", kind, id);

    for (size_t i = 0; i < fold->now.count; i++) {
        if (strcmp(fold->now.aggregates[i].name, name) == 0)
            return &fold->now.aggregates[i];
    }
    assert_true(fold->now.count < AGGREGATES_MAX);
    fold->now.aggregates[fold->now.count].name = name;
    return &fold->now.aggregates[fold->now.count++];
}

static Pb__Plan *plan_of(const struct fold *fold, const char *hash)
{
    for (size_t i = 0; i < fold->now.plan_count; i++) {
        if (strcmp(fold->now.plans[i].hash, hash) == 0)
            return fold->now.plans[i].plan;
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
    assert_true(fold->now.plan_count < PLANS_MAX);
    fold->now.plans[fold->now.plan_count++] =
        (struct plan){ state->plan_hash, event->plan_compiled->plan };
    if (fold->coverage != NULL)
        coverage_plan(fold->coverage, event->plan_compiled->plan);
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

    enum procedure_answer answer;

    if (before == NULL && event->body_case != PB__EVENT__BODY_ATTEMPT_CREATED)
        return;
    answer = procedure_step(&fold->arena, &input, output);
    if (fold->coverage != NULL)
        coverage_cell(fold->coverage, before, event, answer);
    if (answer == PROCEDURE_APPLIED || answer == PROCEDURE_REFUSED)
        said_chain(&fold->arena, &output->effects, aggregate->said);
    if (answer != PROCEDURE_APPLIED)
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

    if (lane_step(&fold->arena, &input, output) != PROCEDURE_APPLIED)
        return;
    aggregate->state = output->after;
    said_chain(&fold->arena, &output->effects, aggregate->said);
}

static void step_feature(struct fold *fold,
                         const struct log_record *record,
                         const Pb__Event *event)
{
    struct aggregate *const aggregate = aggregate_of(fold, "feature", event->feature);
    struct feature_output *const output = arena_alloc(&fold->arena, sizeof *output);
    const struct feature_input input = { aggregate->state, event, record->id, record->at_ms };

    if (feature_step(&fold->arena, &input, output) != PROCEDURE_APPLIED)
        return;
    aggregate->state = output->after;
    said_chain(&fold->arena, &output->effects, aggregate->said);
}

static const char *target_of(const Pb__Event *event)
{
    if (!pb_same(event->deployment, ""))
        return "deployment";
    return event->body_case == PB__EVENT__BODY_LANE_REQUESTED ||
                   event->body_case == PB__EVENT__BODY_LANE_RELEASED
               ? "lane"
               : "feature";
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
    if (fold->coverage != NULL)
        coverage_kind(fold->coverage, target_of(event), event);
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

/* For protoc --decode: which field is another one. */
static void write_state(struct fold *fold, const char *name, const struct pb_bytes *packed)
{
    const char *const folder = getenv("REPLAY_STATES");
    char *path;
    FILE *file;

    if (folder == NULL)
        return;
    path = arena_alloc(&fold->arena, PATH_SIZE);
    (void)snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    for (char *at = path + strlen(folder) + 1; *at != '\0'; at++)
        *at = (char)(*at == '/' || *at == ' ' ? '_' : *at);
    file = fopen(path, "wb");
    assert_non_null(file);
    (void)fwrite(packed->bytes, 1, packed->length, file);
    (void)fclose(file);
}

static void note(struct fold *fold, const char *name, struct aggregate *aggregate)
{
    const struct pb_bytes packed = pb_pack(&fold->arena, aggregate->state);
    char digest[DIGEST_HEX_SIZE];

    write_state(fold, name, &packed);
    digest_sha256(packed.bytes, packed.length, digest);
    text_add(&fold->lines, "%s %s\n", name, digest);
    if (strncmp(aggregate->name, "dep:", 4) == 0) {
        const Pb__DeploymentState *const state = aggregate->state;

        said_chain_outlook(
            &fold->arena, state, plan_of(fold, state->plan_hash), aggregate->said);
    }
    text_add(&fold->said, "%s %s\n", name, aggregate->said);
}

static void note_all(struct fold *fold)
{
    qsort(fold->now.aggregates, fold->now.count, sizeof fold->now.aggregates[0], by_name);
    for (size_t i = 0; i < fold->now.count; i++) {
        struct aggregate *const aggregate = &fold->now.aggregates[i];

        if (aggregate->state != NULL)
            note(fold, aggregate->name, aggregate);
    }
}

/* Of a log that was played (table_log.c), not recorded: from one place on, several ways. */
static void hear_mark(struct fold *fold, const char *mark)
{
    static const char back[] = "back ";

    if (strcmp(mark, "save") == 0) {
        fold->saved = fold->now;
    } else if (strcmp(mark, "forget") == 0) {
        fold->now = (struct known){ .count = 0 };
    } else {
        assert_memory_equal(mark, back, strlen(back));
        assert_int_equal(fold->now.count, 1);
        note(fold, mark + strlen(back), &fold->now.aggregates[0]);
        fold->now = fold->saved;
    }
}

static const char *recorded(struct arena *arena, const char *path)
{
    char *const bytes = arena_alloc(arena, DIGESTS_MAX);
    FILE *const file = fopen(path, "rb");

    assert_non_null(file);
    (void)!fread(bytes, 1, DIGESTS_MAX - 1, file);
    (void)fclose(file);
    return bytes;
}

/* Line by line: cmocka shows the beginning of a long text only. */
static void compare_lines(const char *log, const char *now, const char *recorded)
{
    while (now[0] != '\0' || recorded[0] != '\0') {
        const size_t length = strcspn(now, "\n");
        const size_t wanted = strcspn(recorded, "\n");

        if (length != wanted || memcmp(now, recorded, length) != 0)
            fail_msg("%s: is now\n    %.*s\nand was\n    %.*s",
                     log,
                     (int)length,
                     now,
                     (int)wanted,
                     recorded);
        now += length + (now[length] != '\0');
        recorded += wanted + (recorded[wanted] != '\0');
    }
}

static const char *corpus(void)
{
    const char *const other = getenv("REPLAY_CORPUS");

    return other != NULL ? other : "tests/replay/corpus";
}

static void hear_all(struct fold *fold, const char *path)
{
    const struct log_file log =
        log_file_read(&fold->arena, arena_printf(&fold->arena, "%s.log", path));

    for (size_t i = 0; i < log.count; i++) {
        if (log.records[i].key[0] == '\0')
            hear_mark(fold, log.records[i].id);
        else
            hear(fold, &log.records[i]);
    }
    note_all(fold);
    assert_true(text_ok(&fold->lines) && text_ok(&fold->said));
}

static void keep(const char *path, const struct text *said)
{
    FILE *const file = fopen(path, "wb");

    assert_non_null(file);
    (void)fputs(said->bytes, file);
    assert_int_equal(fclose(file), 0);
}

static void replay(const char *name, FILE *coverage)
{
    static struct fold fold;
    const char *digests;
    const char *said;
    const char *path;

    fold = (struct fold){ .arena = arena_with_limit(ARENA_BYTES), .coverage = coverage };
    fold.lines = text_over(arena_alloc(&fold.arena, DIGESTS_MAX), DIGESTS_MAX);
    fold.said = text_over(arena_alloc(&fold.arena, DIGESTS_MAX), DIGESTS_MAX);
    path = arena_printf(&fold.arena, "%s/%s", corpus(), name);
    digests = arena_printf(&fold.arena, "%s.digests", path);
    said = arena_printf(&fold.arena, "%s.said", path);
    hear_all(&fold, path);
    print_message("%s: %zu aggregates\n", name, fold.now.count);
    if (getenv("REPLAY_ANEW") != NULL)
        keep(digests, &fold.lines);
    if (getenv("REPLAY_ANEW") != NULL || getenv("REPLAY_SAID") != NULL)
        keep(said, &fold.said);
    compare_lines(name, fold.lines.bytes, recorded(&fold.arena, digests));
    compare_lines(name, fold.said.bytes, recorded(&fold.arena, said));
    arena_release(&fold.arena);
}

static size_t replay_all(FILE *coverage)
{
    static const char end[] = ".log";
    DIR *const folder = opendir(corpus());
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char name[256];
        const size_t length = strlen(entry->d_name);

        if (length <= strlen(end) || length >= sizeof name ||
            strcmp(entry->d_name + length - strlen(end), end) != 0)
            continue;
        memcpy(name, entry->d_name, length + 1);
        name[length - strlen(end)] = '\0';
        if (coverage != NULL)
            (void)fprintf(coverage, "log\t%s\n", name);
        replay(name, coverage);
        count++;
    }
    (void)closedir(folder);
    return count;
}

static void recorded_logs_give_the_states_they_gave(void **state)
{
    const char *const path = getenv("REPLAY_COVERAGE");
    FILE *const coverage = path != NULL ? fopen(path, "w") : NULL;

    (void)state;
    assert_true(replay_all(coverage) > 0);
    if (coverage != NULL)
        assert_int_equal(fclose(coverage), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_logs_give_the_states_they_gave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
