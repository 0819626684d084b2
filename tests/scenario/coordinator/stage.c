#include "tests/scenario/coordinator/stage.h"

#include "common/config/feature.h"
#include "common/state/keys.h"
#include "common/state/projection.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    FILE_MAX = 64 * 1024,
    STORY_MAX = 256 * 1024,
    STAGE_ARENA_MAX = 64 * 1024 * 1024,
    STEP_MS = 250
};

static const char digest[] =
    "digest: sha256:1111111111111111111111111111111111111111111111111111111111111111";

void stage_note(struct stage *stage, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_add(&stage->story, "%s\n", line);
}

/* --- what a worker answers --- */

static void answer_checks(struct stage *stage,
                          Pb__CheckSpec *const *checks,
                          size_t count,
                          Pb__TaskFinished *result)
{
    struct arena *const arena = &stage->cluster.arena;

    for (size_t i = 0; i < count; i++) {
        const bool planned = !pb_same(checks[i]->not_applicable, "");
        Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

        if (pb_same(checks[i]->kind, "attest"))
            continue;
        finding->check = checks[i]->id;
        finding->required = checks[i]->required;
        finding->verdict = planned ? PB__VERDICT__NOT_APPLICABLE : PB__VERDICT__PASS;
        finding->observed = "well";
        finding->at_ms = stage->cluster.clock.now_ms;
        PB_APPEND(arena, result, findings, finding);
    }
}

static void answer_one(struct stage *stage, const char *check, Pb__TaskFinished *result)
{
    Pb__CheckSpec spec = PB__CHECK_SPEC__INIT;
    Pb__CheckSpec *const specs[] = { &spec };

    spec.id = check;
    spec.required = true;
    answer_checks(stage, specs, 1, result);
}

/* "apply 2.1", and what it finds. */
static const char *answer_body(struct stage *stage,
                               const Pb__Command *command,
                               Pb__TaskFinished *result)
{
    struct arena *const arena = &stage->cluster.arena;

    switch (command->body_case) {
    case PB__COMMAND__BODY_RUN_CHECKS:
        answer_checks(
            stage, command->run_checks->checks, command->run_checks->n_checks, result);
        return arena_printf(arena, "checks of step %c", strchr(command->task, '/')[1]);
    case PB__COMMAND__BODY_APPLY:
        answer_one(
            stage,
            arena_printf(
                arena, "apply.%u.%u", command->apply->change->index, command->apply->batch),
            result);
        answer_one(stage, "logs.errors", result);
        answer_one(stage, "traffic.weight", result);
        return arena_printf(
            arena, "apply %u.%u", command->apply->change->index, command->apply->batch);
    case PB__COMMAND__BODY_REVERT:
        answer_one(stage, "revert", result);
        return arena_printf(
            arena, "revert %u.%u", command->revert->change->index, command->revert->batch);
    case PB__COMMAND__BODY_READ_BACK:
        answer_one(stage, "read-back", result);
        return "read back";
    case PB__COMMAND__BODY_SET_FLAGS:
        answer_checks(stage, command->set_flags->checks, command->set_flags->n_checks, result);
        answer_one(stage, "flag.set", result);
        return arena_printf(arena, "set flags to %u %%", command->set_flags->percent);
    case PB__COMMAND__BODY_KILL_FLAGS:
        answer_one(stage, "flag.off", result);
        return "flags off";
    case PB__COMMAND__BODY_WATCH:
        answer_checks(stage, command->watch->checks, command->watch->n_checks, result);
        result->samples = command->watch->min_samples;
        result->coverage_bp = 10000;
        return arena_printf(arena, "watch %s", command->watch->kind);
    case PB__COMMAND__BODY_ANNOUNCE:
        answer_one(stage, "notify", result);
        return arena_printf(arena, "announce %s", command->announce->what);
    case PB__COMMAND__BODY_FINALISE:
        answer_checks(stage, command->finalise->checks, command->finalise->n_checks, result);
        return "finalise";
    default: return "?";
    }
}

static bool answer(void *self, const Pb__Command *command, Pb__TaskFinished *result)
{
    struct stage *const stage = self;
    const char *const what = answer_body(stage, command, result);
    const bool silent = stage->silent_at != NULL && strstr(what, stage->silent_at) != NULL;

    result->outcome = PB__OUTCOME__OUTCOME_OK;
    if (command->body_case != PB__COMMAND__BODY_ANNOUNCE)
        stage_note(stage,
                   "%s%s%s",
                   what,
                   command->drive > 1 ? ", again" : "",
                   silent ? ": silence" : "");
    return !silent;
}

static void beside(void *self)
{
    struct stage *const stage = self;

    stage_listen(stage);
    hands_turn(&stage->hands);
    if (!stage->people_away)
        stage_people(stage);
}

/* --- the stage --- */

static const char *read_feature(struct stage *stage)
{
    char *const bytes = arena_alloc(&stage->arena, FILE_MAX);
    char *const replaced = arena_alloc(&stage->arena, 2 * FILE_MAX);
    struct text text = text_over(replaced, 2 * FILE_MAX);
    FILE *const file = fopen("deploy/example/feature.yaml", "rb");
    const char *rest = bytes;
    const char *found;

    assert_non_null(file);
    assert_true(fread(bytes, 1, FILE_MAX - 1, file) > 0);
    (void)fclose(file);
    while ((found = strstr(rest, "digest: auto")) != NULL) {
        text_add_bytes(&text, rest, (size_t)(found - rest));
        text_add(&text, "%s", digest);
        rest = found + strlen("digest: auto");
    }
    text_add(&text, "%s", rest);
    return text.bytes;
}

static void read_example(struct stage *stage)
{
    struct yaml_problems *const problems = arena_alloc(&stage->arena, sizeof *problems);
    const char *feature;

    problems->arena = &stage->arena;
    stage->settings = settings_load(&stage->arena, "deploy/example/slipway.yaml", problems);
    assert_non_null(stage->settings);
    feature = read_feature(stage);
    stage->acceptance =
        feature_read(&stage->arena, "feature.yaml", feature, strlen(feature), NULL, problems);
    assert_non_null(stage->acceptance);
}

static void open_cluster(struct stage *stage)
{
    cluster_open(&stage->cluster, stage->settings);
    stage->hands =
        (struct hands){ .cluster = &stage->cluster, .answer = answer, .self = stage };
    stage->cluster.beside = beside;
    stage->cluster.beside_self = stage;
}

void stage_open(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    stage->arena = arena_with_limit(STAGE_ARENA_MAX);
    stage->story = text_new(STORY_MAX);
    read_example(stage);
    open_cluster(stage);
}

void stage_again(struct stage *stage)
{
    const struct stage read = *stage;

    cluster_close(&stage->cluster);
    memset(stage, 0, sizeof *stage);
    stage->arena = read.arena;
    stage->settings = read.settings;
    stage->acceptance = read.acceptance;
    stage->story = read.story;
    text_reset(&stage->story);
    open_cluster(stage);
}

void stage_close(struct stage *stage)
{
    cluster_close(&stage->cluster);
    text_release(&stage->story);
    arena_release(&stage->arena);
}

void stage_start(struct stage *stage)
{
    stage->coordinator = cluster_start(&stage->cluster, coordinator_service(), "coordinator-1");
}

void stage_settle(struct stage *stage)
{
    assert_true(cluster_settle(&stage->cluster));
}

void stage_pass(struct stage *stage, int64_t ms)
{
    for (; ms > 0; ms -= STEP_MS) {
        memory_clock_advance(&stage->cluster.clock, STEP_MS);
        stage_settle(stage);
    }
}

void stage_accept(struct stage *stage)
{
    cluster_publish(&stage->cluster,
                    &(struct cluster_record){ .topic = "acceptance.v1",
                                              .key = STAGE_FEATURE,
                                              .id = "ci-1",
                                              .message = &stage->acceptance->base });
}

void stage_incident(struct stage *stage, const char *cause, Pb__Severity severity)
{
    struct arena *const arena = &stage->cluster.arena;
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);
    Pb__IncidentReported *const incident = pb_new(arena, &pb__incident_reported__descriptor);

    incident->cause = cause;
    incident->severity = severity;
    incident->open = true;
    incident->count = 1;
    incident->summary = cause;
    event->deployment = STAGE_DEPLOYMENT;
    event->feature = STAGE_FEATURE;
    event->body_case = PB__EVENT__BODY_INCIDENT;
    event->incident = incident;
    stage_note(stage, "INCIDENT %s", cause);
    cluster_publish(&stage->cluster,
                    &(struct cluster_record){ .topic = "events.v1",
                                              .key = STAGE_FEATURE,
                                              .writer = "monitor",
                                              .id = arena_printf(arena, "incident.%s", cause),
                                              .message = &event->base });
}

struct store_value stage_bytes(struct stage *stage)
{
    struct arena *const arena = &stage->cluster.arena;
    const int32_t p = bus_partition(STAGE_FEATURE, (int32_t)stage->settings->kafka.partitions);
    const char *const key =
        KEY_DEPLOYMENT(arena, p, stage->settings->redis.prefix, STAGE_DEPLOYMENT);
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(
        stage->cluster.store.get(stage->cluster.store.self, arena, key, &value, &error),
        ERR_OK);
    return value;
}

Pb__DeploymentState *stage_state(struct stage *stage)
{
    const struct store_value value = stage_bytes(stage);
    struct error error = { 0 };
    void *state = NULL;

    if (value.bytes == NULL)
        return NULL;
    assert_int_equal(pb_unpack(&stage->cluster.arena,
                               &pb__deployment_state__descriptor,
                               (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                               &state,
                               &error),
                     ERR_OK);
    return state;
}
