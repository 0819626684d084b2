/* Both paths again, with a coordinator that dies, a Redis that forgets and an owner that
 * changes at every moment there is: the deployment ends where it ends without. */
#include "common/wire/pbjson.h"
#include "tests/scenario/coordinator/stage.h"

#include <stdio.h>

enum { SUMMARY_MAX = 64 * 1024, LONG_ENOUGH_MS = 60 * 1000 };

static struct stage stage;

struct path {
    const char *silent_at; /* Then the alert; NULL: all well. */
};

static const struct path paths[] = { { NULL }, { "apply 2.1" } };

/* Versions count the events, and a crash may let other events come first: what is left is what
 * the deployment has come to. */
static void forget_order(Pb__DeploymentState *state)
{
    state->version = state->changed_version = state->compile_version = 0;
    state->record_hash = state->last_event_id = "";
    state->n_timers = 0;
    state->next_task = 0;
    for (size_t i = 0; i < state->n_applied; i++)
        state->applied[i]->fence = NULL;
    for (size_t i = 0; i < state->n_lanes; i++)
        state->lanes[i]->number = 0;
}

/* What the deployment has come to, as JSON in the arena. */
static const char *summary(struct arena *arena)
{
    struct text text = text_over(arena_alloc(arena, SUMMARY_MAX), SUMMARY_MAX);
    Pb__DeploymentState *const state = stage_state(&stage);

    assert_non_null(state);
    forget_order(state);
    pbjson_print(state, PBJSON_SET, &text);
    return text.bytes;
}

typedef void (*settle_function)(void *self);

/* One path from acceptance to its end. */
static void walk(const struct path *path, settle_function settle, void *self)
{
    stage.silent_at = path->silent_at;
    settle(self);
    stage_accept(&stage);
    settle(self);
    if (path->silent_at != NULL) {
        stage_incident(&stage, "ShopErrorBudgetBurn", PB__SEVERITY__CRITICAL);
        settle(self);
    }
}

static void settle_well(void *self)
{
    (void)self;
    stage_settle(&stage);
}

static const char *undisturbed(struct arena *arena, const struct path *path)
{
    const char *result;

    stage_open(&stage);
    stage_start(&stage);
    walk(path, settle_well, NULL);
    result = summary(arena);
    stage_close(&stage);
    return result;
}

static void check(const char *found, const char *wanted, const char *what, unsigned nth)
{
    size_t same = 0;

    while (found[same] != '\0' && found[same] == wanted[same])
        same++;
    same = same > 60 ? same - 60 : 0;
    if (strcmp(found, wanted) != 0)
        fail_msg(
            "%s, %u:\nfound  %.200s\nwanted %.200s", what, nth, found + same, wanted + same);
}

/* --- it dies --- */

struct dying {
    struct crash_plan plan;
    unsigned deaths;
};

static void start_to_die(struct dying *dying)
{
    if (stage.coordinator == NULL || stage.coordinator->state == NULL)
        stage_start(&stage);
    stage.coordinator->ports.crash = &dying->plan;
    dying->plan.die = cluster_die;
    dying->plan.self = stage.coordinator;
}

static void settle_dying(void *self)
{
    struct dying *const dying = self;

    start_to_die(dying);
    while (!cluster_settle(&stage.cluster)) {
        dying->deaths++;
        start_to_die(dying);
    }
}

static void die_at(const struct path *path, const char *place, unsigned every)
{
    struct arena arena = arena_with_limit(1024 * 1024);
    const char *const wanted = undisturbed(&arena, path);
    unsigned deaths = 1;

    for (unsigned nth = 1; deaths > 0; nth += every) {
        struct dying dying = { .plan = { .at = crash_place_named(place), .remaining = nth } };

        stage_open(&stage);
        walk(path, settle_dying, &dying);
        check(summary(&stage.cluster.arena), wanted, place, nth);
        deaths = dying.deaths;
        assert_true(nth > 1 || deaths == 1); /* The place exists. */
        stage_close(&stage);
    }
    arena_release(&arena);
}

static void killed_at_any_boundary_both_paths_end_as_they_do_without(void **state)
{
    static const char *const places[] = { "after-receive",
                                          "before-commit",
                                          "after-commit",
                                          "after-publish",
                                          "after-trim",
                                          "after-group-commit",
                                          "after-control",
                                          "intake-after-publish",
                                          "takeover-after-owner",
                                          "takeover-after-ready",
                                          "takeover-after-publish" };

    (void)state;
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            die_at(&paths[p], places[i], 1);
    }
}

/* --- Redis forgets --- */

struct forgetting {
    unsigned at; /* Activity after which everything is forgotten. */
    bool done;
    struct memory_space *old; /* Come back as that instead of empty; NULL: empty. */
};

static void turn_all(void)
{
    stage.cluster.beside(stage.cluster.beside_self);
    for (size_t i = 0; i < CLUSTER_INSTANCES_MAX; i++)
        assert_true(cluster_turn(&stage.cluster.instances[i]));
}

static void settle_forgetting(void *self)
{
    struct forgetting *const forgetting = self;

    for (unsigned round = 0; !forgetting->done && round < 200; round++) {
        turn_all();
        if (--forgetting->at > 0)
            continue;
        memory_space_clear(stage.cluster.space);
        forgetting->done = true;
    }
    stage_settle(&stage);
    stage_pass(&stage, 2000);
}

/* The words of every event that was applied, without those that only say how often. */
static void with_redis_emptied_at_any_moment_all_goes_well_in_the_end(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 60; at += 2) {
        struct forgetting forgetting = { .at = at };

        stage_open(&stage);
        stage_start(&stage);
        walk(&paths[0], settle_forgetting, &forgetting);
        stage_pass(&stage, LONG_ENOUGH_MS);
        if (stage_state(&stage) == NULL || stage_state(&stage)->phase != PB__PHASE__COMPLETED)
            fail_msg("emptied after %u turns:\n%s%s",
                     at,
                     stage.story.bytes,
                     memory_log_text(stage.cluster.log));
        stage_close(&stage);
    }
}

static void the_fold_of_the_log_is_the_same_bytes(void **state)
{
    struct store_value before;
    struct store_value after;

    (void)state;
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        stage_open(&stage);
        stage_start(&stage);
        walk(&paths[p], settle_well, NULL);
        before = stage_bytes(&stage);
        const char *const was = summary(&stage.cluster.arena);
        memory_space_clear(stage.cluster.space);
        stage_pass(&stage, 2000);
        after = stage_bytes(&stage);
        check(summary(&stage.cluster.arena), was, "fold", (unsigned)p);
        assert_int_equal(after.length, before.length);
        assert_memory_equal(after.bytes, before.bytes, before.length);
        stage_close(&stage);
    }
}

/* --- owners change --- */

static void settle_alternating(void *self)
{
    unsigned *const turn = self;

    for (unsigned i = 0; i < 300; i++) {
        if (++*turn % 7 == 0)
            cluster_evict(&stage.cluster.instances[*turn / 7 % 2]);
        turn_all();
    }
    stage_settle(&stage);
}

static void with_two_owners_in_turns_both_paths_end_as_they_do_without(void **state)
{
    struct arena arena = arena_with_limit(1024 * 1024);

    (void)state;
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        const char *const wanted = undisturbed(&arena, &paths[p]);
        unsigned turn = 0;

        stage_open(&stage);
        stage_start(&stage);
        (void)cluster_start(&stage.cluster, coordinator_service(), "coordinator-2");
        walk(&paths[p], settle_alternating, &turn);
        check(summary(&stage.cluster.arena), wanted, "alternating", (unsigned)p);
        stage_close(&stage);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_boundary_both_paths_end_as_they_do_without),
        cmocka_unit_test(with_redis_emptied_at_any_moment_all_goes_well_in_the_end),
        cmocka_unit_test(the_fold_of_the_log_is_the_same_bytes),
        cmocka_unit_test(with_two_owners_in_turns_both_paths_end_as_they_do_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
