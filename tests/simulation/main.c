/* slipway-simulation: whole lives of a Slipway in one process, on simulated Kafka, Redis and
 * time, with everything going wrong that can; a judge who was not there reads the record.
 *
 *     slipway-simulation [--seeds N] [--first S] [--seconds T] [--twice EVERY] [--trace]
 *                        [--keep FOLDER] [--faults] [--every-rule]
 *
 * With --faults, how often each kind of trouble came about is printed in the end; over runs
 * without a limit of time it is a failure if one never did.
 *
 * With --keep, what was on events.v1 goes to FOLDER/sim-SEED.log, for tests/replay. One seed
 * gives one run, bit for bit. Exit status 0: all runs were right. */
#include "common/base/text.h"
#include "tests/simulation/judge.h"
#include "tests/simulation/world.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ACTIVE_MS = 5 * 60 * 1000,
    LOSS_MS = 15 * 60 * 1000,
    QUIET_MS = 3 * 60 * 60 * 1000, /* People never wait longer than seconds. */
    ROUNDS_MAX = 40 * 1000,
    JUDGE_ARENA_MAX = 1024 * 1024 * 1024,
    FAILURES_MAX = 10,
    SAMPLE_ROUNDS = 8,
    REBUILD_EVERY = 4, /* Seeds. */
    FAULTS_RUNS = 300, /* In so many, every kind of trouble comes about. */
    KEPT_BYTES = 32 * 1024 * 1024,
};

struct options {
    uint64_t seeds;
    uint64_t first;
    uint64_t seconds; /* After that much time no new run begins; 0: all are run. */
    uint64_t twice;   /* Every so many seeds are run once more and compared; 0: none. */
    bool trace;
    bool every_rule;          /* Not only the first that is broken. */
    struct faults_seen *seen; /* NULL: nobody wants to know. */
    const char *keep;         /* Folder for what was on events.v1; NULL: nowhere. */
};

struct outcome {
    const char *rule; /* NULL: all held. */
    char sentence[512];
    uint64_t digest;
};

/* Somebody or something will move every deployment that has not ended. */
static bool nobody_is_forgotten(struct world *world, struct outcome *ret)
{
    for (size_t i = 0; i < world->feature_count; i++) {
        const Pb__FeatureState *const known =
            people_see_feature(world, world->features[i].name);
        const Pb__DeploymentState *const state =
            known != NULL && known->live[0] != '\0' ? people_see(world, known->live) : NULL;

        if (state == NULL || state->phase >= PB__PHASE__COMPLETED || state->n_tasks > 0 ||
            state->n_timers > 0)
            continue;
        if (state->waiting_for != NULL && state->waiting_for->n_who > 0 &&
            state->waiting_for->sentence[0] != '\0')
            continue;
        ret->rule = "everybody says what it waits for";
        (void)snprintf(ret->sentence,
                       sizeof ret->sentence,
                       "%s in %s waits for nothing",
                       state->id,
                       pb_phase_name(state->phase));
        return false;
    }
    return true;
}

static void say_unfinished(struct world *world, struct outcome *ret)
{
    struct text text = text_over(ret->sentence, sizeof ret->sentence);

    ret->rule = "everything ends once all heals";
    for (size_t i = 0; i < world->feature_count; i++) {
        const Pb__FeatureState *const known =
            people_see_feature(world, world->features[i].name);
        const char *const id = known == NULL            ? ""
                               : known->live[0] != '\0' ? known->live
                                                        : known->last;
        const Pb__DeploymentState *const state = people_see(world, id);

        text_add(&text, "%s: %s ", world->features[i].name, id);
        if (state != NULL)
            text_add(&text,
                     "%s step %u, %zu tasks: %s; ",
                     pb_phase_name(state->phase),
                     state->step,
                     state->n_tasks,
                     state->waiting_for != NULL ? state->waiting_for->sentence : "");
    }
}

/* True when it was noticed, nobody went on, and what the operator decided was done. */
static bool loss_is_dealt_with(const struct world *world, struct outcome *ret)
{
    const struct log_loss *const loss = &world->loss;

    if (loss->high == 0)
        return true;
    ret->rule = "a log that lost its end stops all";
    if (loss->passed_over)
        (void)snprintf(ret->sentence, sizeof ret->sentence, "it was gone on with");
    else if (loss->told_ms == 0 && !loss->forgotten)
        (void)snprintf(ret->sentence, sizeof ret->sentence, "nobody was told");
    else if (!loss->decided && loss->deciding)
        (void)snprintf(ret->sentence, sizeof ret->sentence, "it does not start again");
    else
        ret->rule = NULL;
    return ret->rule == NULL;
}

/* Where Redis forgot what had been applied nobody need decide, but who has begun to, will. */
static bool loss_is_over(const struct log_loss *loss)
{
    return loss->decided || (loss->forgotten && !loss->deciding);
}

/* What was lost may be what somebody waits for: not everything ends by itself. */
static bool live_with_loss(struct world *world, int64_t calm_ms, struct outcome *ret)
{
    while (world_now_ms(world) < calm_ms + LOSS_MS &&
           !(loss_is_over(&world->loss) && people_are_done(world)))
        world_round(world);
    world->history.log_fate =
        world->loss.folds_anew || world->loss.forgotten ? LOG_REBUILT : LOG_ADOPTED;
    return loss_is_dealt_with(world, ret);
}

static bool walk(struct world *world, struct outcome *ret)
{
    const int64_t calm_ms =
        world_now_ms(world) + dice_ms(&world->dice, ACTIVE_MS / 10, ACTIVE_MS);
    unsigned rounds = 0;

    while (world_now_ms(world) < calm_ms && rounds++ < ROUNDS_MAX) {
        world_round(world);
        if (rounds % SAMPLE_ROUNDS == 0 && !nobody_is_forgotten(world, ret))
            return false;
    }
    world->quiet = true;
    world->history.healed_ms = world_now_ms(world);
    alarms_heal(world);
    world_tell(world, "---- all heals");
    for (size_t i = 0; i < world->process_count; i++)
        world->processes[i].skew_ms = 0;
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->processes[i].edited) {
            world->processes[i].edited = false;
            process_stop(&world->processes[i]);
        }
    }
    if (world->loss.high > 0)
        return live_with_loss(world, calm_ms, ret);
    while (world_now_ms(world) < calm_ms + QUIET_MS && rounds++ < ROUNDS_MAX) {
        world_round(world);
        if (rounds % SAMPLE_ROUNDS == 0 && !nobody_is_forgotten(world, ret))
            return false;
        if (rounds % SAMPLE_ROUNDS == 0 && people_are_done(world) && world_is_read(world))
            return true;
    }
    say_unfinished(world, ret);
    return false;
}

static bool requests_are_answered(struct world *world, struct outcome *ret)
{
    const char *request = "";
    const char *why = "";

    if (answers_are_given(world, &request, &why))
        return true;
    ret->rule = "each request is answered once";
    (void)snprintf(ret->sentence, sizeof ret->sentence, "%s %s", request, why);
    return false;
}

static void say_also(const char *rule)
{
    (void)printf("also broken: %s\n", rule);
}

/* A router is told a side, not whether that is the way back: the command says it. */
static void settle_shifts(const struct judge *judge, struct history *history)
{
    for (size_t d = 0; d < history->deed_count; d++) {
        struct deed *const deed = &history->deeds[d];

        for (size_t i = 0; i < judge->count && deed->is_shift; i++) {
            const Pb__Command *const command = judge->said[i].command;

            if (command != NULL && command->body_case == PB__COMMAND__BODY_REVERT &&
                pb_same(command->deployment, deed->deployment) &&
                command->fence->version == deed->at_version)
                deed->back = true;
        }
    }
}

static void judge_run(struct world *world, struct outcome *ret)
{
    const char *features[FEATURES_MAX];
    struct arena arena = arena_with_limit(JUDGE_ARENA_MAX);
    struct judge judge = { .arena = &arena,
                           .history = &world->history,
                           .features = features,
                           .feature_count = world->feature_count,
                           .also = world->every_rule ? say_also : NULL };

    for (size_t i = 0; i < world->feature_count; i++)
        features[i] = world->features[i].name;
    outer_world_turn(world, INT64_MAX);
    judge_read(&judge, world->broker, (int32_t)world->set->settings[0]->kafka.partitions);
    settle_shifts(&judge, &world->history);
    if (!judge_all(&judge)) {
        ret->rule = judge.rule;
        (void)snprintf(ret->sentence, sizeof ret->sentence, "%s", judge.sentence);
    }
    arena_release(&arena);
}

static void rebuild_run(struct world *world, struct outcome *ret)
{
    const char *const id = world_rebuild(world);

    if (id == NULL)
        return;
    ret->rule = "state is the fold of the record";
    (void)snprintf(ret->sentence, sizeof ret->sentence, "%s is folded differently", id);
}

static void keep_run(struct world *world, const char *folder)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/sim-%llu", folder, (unsigned long long)world->seed);
    world_keep(world, path);
}

static void count_faults(struct world *world, struct faults_seen *seen)
{
    struct arena arena = arena_with_limit(JUDGE_ARENA_MAX);
    struct judge judge = { .arena = &arena, .history = &world->history };

    judge_read(&judge, world->broker, (int32_t)world->set->settings[0]->kafka.partitions);
    consequences_count(&judge, &world->faults);
    faults_add(seen, &world->faults);
    arena_release(&arena);
}

static void run(struct stage_set *set,
                uint64_t seed,
                const struct options *options,
                bool digested,
                struct outcome *ret)
{
    static struct world world;

    memset(ret, 0, sizeof *ret);
    world.tracing = options->trace;
    world.every_rule = options->every_rule;
    world_open(&world, set, seed);
    if (walk(&world, ret) && (world.loss.high > 0 || requests_are_answered(&world, ret)))
        judge_run(&world, ret);
    if (ret->rule == NULL && world.loss.high == 0 && options->keep != NULL)
        keep_run(&world, options->keep);
    if (ret->rule == NULL && world.loss.high == 0 && seed % REBUILD_EVERY == 0)
        rebuild_run(&world, ret);
    if (digested)
        ret->digest = world_digest(&world);
    if (options->seen != NULL)
        count_faults(&world, options->seen);
    world_close(&world);
}

static bool run_seed(struct stage_set *set, const struct options *options, uint64_t seed)
{
    const bool twice = options->twice > 0 && seed % options->twice == 0;
    const struct options once_more = { 0 };
    struct outcome outcome;
    struct outcome again;

    run(set, seed, options, twice, &outcome);
    if (outcome.rule == NULL && twice) {
        run(set, seed, &once_more, true, &again);
        if (outcome.digest != again.digest) {
            outcome.rule = "one seed is one run";
            (void)snprintf(outcome.sentence,
                           sizeof outcome.sentence,
                           "digest %llx, then %llx",
                           (unsigned long long)outcome.digest,
                           (unsigned long long)again.digest);
        }
    }
    if (outcome.rule == NULL)
        return true;
    (void)printf("seed %llu: broken: %s\n    %s\n    again with: "
                 "build/tests/simulation/slipway-simulation --first %llu --seeds 1 --trace\n",
                 (unsigned long long)seed,
                 outcome.rule,
                 outcome.sentence,
                 (unsigned long long)seed);
    (void)fflush(stdout);
    return false;
}

static bool read_number(const char *text, uint64_t *ret)
{
    char *end = NULL;

    if (text == NULL)
        return false;
    *ret = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

static bool read_options(int argc, char **argv, struct options *ret)
{
    static struct faults_seen seen;

    for (int i = 1; i < argc; i++) {
        const char *const value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--trace") == 0) {
            ret->trace = true;
            continue;
        }
        if (strcmp(argv[i], "--every-rule") == 0) {
            ret->every_rule = true;
            continue;
        }
        if (strcmp(argv[i], "--faults") == 0) {
            ret->seen = &seen;
            continue;
        }
        if (strcmp(argv[i], "--keep") == 0 && value != NULL) {
            ret->keep = value;
            i++;
            continue;
        }
        if (!(strcmp(argv[i], "--seeds") == 0 && read_number(value, &ret->seeds)) &&
            !(strcmp(argv[i], "--first") == 0 && read_number(value, &ret->first)) &&
            !(strcmp(argv[i], "--seconds") == 0 && read_number(value, &ret->seconds)) &&
            !(strcmp(argv[i], "--twice") == 0 && read_number(value, &ret->twice)))
            return false;
        i++;
    }
    return true;
}

static bool is_over(const struct options *options, time_t began)
{
    return options->seconds > 0 && (uint64_t)(time(NULL) - began) >= options->seconds;
}

int main(int argc, char **argv)
{
    static struct stage_set set;
    struct options options = { .seeds = 100, .first = 1, .twice = 50 };
    const time_t began = time(NULL);
    unsigned failures = 0;
    uint64_t done = 0;

    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr,
                      "usage: slipway-simulation [--seeds N] [--first S] [--seconds T] "
                      "[--twice EVERY] [--trace] [--keep FOLDER] [--faults] "
                      "[--every-rule]\n");
        return 2;
    }
    /* Every run takes and gives back the same memory. */
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    stage_set_open(&set);
    for (; done < options.seeds && failures < FAILURES_MAX && !is_over(&options, began); done++)
        failures += !run_seed(&set, &options, options.first + done);
    stage_set_close(&set);
    (void)printf("%llu passed, %u failed\n", (unsigned long long)(done - failures), failures);
    if (options.seen != NULL && faults_print(options.seen) > 0 && done >= FAULTS_RUNS)
        failures++;
    return failures > 0;
}
