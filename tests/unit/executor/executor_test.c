/* The executor's handlers over a real release-directory target with a blue and a green
 * instance.
 */
#include "services/executor/executor.h"
#include "tests/contract/deployer/deployer_site.h"
#include "tests/support/test.h"

#include <stdlib.h>

struct fixture {
    struct deployer_site *site;
    struct service_ports service;
    struct worker_ports ports;
    struct arena arena; /* Of the task at hand. */
    struct worker_task task;
    Pb__Command command;
    Pb__Fence fence;
    Pb__Observed **baseline;
    size_t baseline_count;
    unsigned steps;
    unsigned stop_before_step; /* From 1; 0: never. */
};

static int set_up(void **state)
{
    static const struct site_kind kind = { "release-directory", true };
    struct fixture *const f = calloc(1, sizeof *f);
    struct error error = { 0 };

    f->site = site_new(&kind);
    f->service = (struct service_ports){
        .settings = &f->site->settings,
        .clock = f->site->env.clock,
        .process = f->site->env.process,
    };
    f->ports.service = &f->service;
    assert_int_equal(executor_spec.open(&f->service, &f->ports.state, &error), ERR_OK);
    f->arena = arena_with_limit(4 * 1024 * 1024);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const f = *state;

    executor_spec.close(f->ports.state);
    arena_release(&f->arena);
    site_free(f->site);
    free(f);
    return 0;
}

static bool stopped(const struct worker_task *task)
{
    const struct fixture *const f = task->runtime;

    return f->stop_before_step > 0 && f->steps + 1 >= f->stop_before_step;
}

typedef enum worker_step (*handler)(const struct worker_ports *ports,
                                    struct worker_task *task,
                                    struct error *error);

/* Run a command's handler to its end. */
static const Pb__TaskFinished *run(struct fixture *f, handler handle, uint64_t fence)
{
    struct error error = { 0 };

    pb__fence__init(&f->fence);
    f->fence.grant = 7;
    f->fence.version = fence;
    f->command.fence = &f->fence;
    f->command.deployment = "express-pay.1";
    if (f->command.config_hash == NULL || f->command.config_hash[0] == '\0')
        f->command.config_hash = f->site->settings.hash;
    f->task = (struct worker_task){
        .command = &f->command,
        .arena = &f->arena,
        .result = pb_new(&f->arena, &pb__task_finished__descriptor),
        .stopped = stopped,
        .runtime = f,
    };
    for (f->steps = 0; handle(&f->ports, &f->task, &error) == WORKER_AGAIN; f->steps++)
        assert_true(f->steps < 100);
    assert_int_not_equal(f->task.result->outcome, PB__OUTCOME__OUTCOME_UNSPECIFIED);
    return f->task.result;
}

static Pb__Batch *batch(struct fixture *f, uint32_t index, Pb__BatchKind kind, const char *side)
{
    Pb__Batch *const made = pb_new(&f->arena, &pb__batch__descriptor);

    made->index = index;
    made->kind = kind;
    made->side = side;
    if (kind == PB__BATCH_KIND__APPLY) {
        PB_APPEND(&f->arena, made, instances, "shop-1");
        PB_APPEND(&f->arena, made, instances, "shop-2");
    }
    return made;
}

/* Bring that version to both instances. */
static Pb__Change *change(struct fixture *f, const char *version)
{
    const struct deployer_order order = site_order(f->site, version, 1);
    Pb__Change *const made = pb_clone(&f->arena, order.change);

    PB_APPEND(&f->arena, made, batches, batch(f, 0, PB__BATCH_KIND__APPLY, ""));
    return made;
}

/* To the side without traffic, which then gets it. */
static Pb__Change *blue_green_change(struct fixture *f, const char *version)
{
    const struct deployer_order order = site_order(f->site, version, 1);
    Pb__Change *const made = pb_clone(&f->arena, order.change);

    PB_APPEND(&f->arena, made, batches, batch(f, 0, PB__BATCH_KIND__APPLY, "idle"));
    PB_APPEND(&f->arena, made, batches, batch(f, 1, PB__BATCH_KIND__SHIFT, "idle"));
    return made;
}

static const Pb__TaskFinished *apply(struct fixture *f,
                                     Pb__Change *what,
                                     uint32_t of,
                                     uint64_t fence)
{
    Pb__ApplyChange *const body = pb_new(&f->arena, &pb__apply_change__descriptor);

    body->change = what;
    body->batch = of;
    body->baseline = f->baseline;
    body->n_baseline = f->baseline_count;
    pb__command__init(&f->command);
    f->command.body_case = PB__COMMAND__BODY_APPLY;
    f->command.apply = body;
    return run(f, executor_apply, fence);
}

static const Pb__TaskFinished *revert(struct fixture *f,
                                      Pb__Change *what,
                                      uint32_t of,
                                      uint64_t fence)
{
    Pb__RevertChange *const body = pb_new(&f->arena, &pb__revert_change__descriptor);

    body->change = what;
    body->batch = of;
    body->baseline = f->baseline;
    body->n_baseline = f->baseline_count;
    pb__command__init(&f->command);
    f->command.body_case = PB__COMMAND__BODY_REVERT;
    f->command.revert = body;
    f->command.config_hash = "another configuration";
    return run(f, executor_revert, fence);
}

static const Pb__TaskFinished *read_back(struct fixture *f, Pb__ReadBack *body)
{
    body->baseline = f->baseline;
    body->n_baseline = f->baseline_count;
    pb__command__init(&f->command);
    f->command.body_case = PB__COMMAND__BODY_READ_BACK;
    f->command.read_back = body;
    return run(f, executor_read_back, 9);
}

static Pb__ReadBack *read_back_of(struct fixture *f, Pb__Change *what)
{
    Pb__ReadBack *const body = pb_new(&f->arena, &pb__read_back__descriptor);

    PB_APPEND(&f->arena, body, changes, what);
    return body;
}

static void before(struct fixture *f,
                   const char *instance,
                   const char *version,
                   const char *state)
{
    Pb__Observed *const observed = pb_new(&f->arena, &pb__observed__descriptor);

    observed->target = "shop";
    observed->instance = instance;
    observed->version = version;
    observed->state = state;
    if (version[0] != '\0')
        observed->digest = site_order(f->site, version, 1).change->digest->value;
    f->baseline = pb_grow(&f->arena, f->baseline, f->baseline_count, sizeof *f->baseline);
    f->baseline[f->baseline_count++] = observed;
}

/* Both instances run 1.0, and the baseline says so. */
static void start_with_1_0(struct fixture *f)
{
    assert_int_equal(apply(f, change(f, "1.0"), 0, 1)->outcome, PB__OUTCOME__OUTCOME_OK);
    before(f, "shop-1", "1.0", DEPLOYED_ACTIVE);
    before(f, "shop-2", "1.0", DEPLOYED_ACTIVE);
}

static const char *version_on(struct fixture *f, size_t instance)
{
    struct deployer_order order =
        deployer_order_for(&f->site->book.entries[0], &f->site->instances[instance]);
    Pb__Observed *const observed = pb_new(&f->arena, &pb__observed__descriptor);
    struct error error = { 0 };

    (void)f->site->book.entries[0].driver->observe(&f->site->env, &order, observed, &error);
    return observed->version;
}

static const char *traffic(struct fixture *f)
{
    const struct deployer_order order = deployer_order_for(&f->site->book.entries[0], NULL);
    Pb__Observed *const observed = pb_new(&f->arena, &pb__observed__descriptor);
    struct error error = { 0 };

    assert_int_equal(
        f->site->book.entries[0].driver->observe(&f->site->env, &order, observed, &error),
        ERR_OK);
    return observed->state;
}

static void a_batch_is_brought_one_instance_after_the_other(void **state)
{
    struct fixture *const f = *state;
    const Pb__TaskFinished *const result = apply(f, change(f, "1.0"), 0, 1);

    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(f->steps, 1);
    assert_int_equal(result->n_findings, 1);
    assert_string_equal(result->findings[0]->check, "apply.0.0");
    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__PASS);
    assert_int_equal(result->n_observed, 2);
    assert_string_equal(result->observed[1]->instance, "shop-2");
    assert_string_equal(result->observed[1]->version, "1.0");
    assert_string_equal(result->observed[1]->fence, "7.1");
}

static void stopped_between_two_instances_leaves_the_second_as_it_was(void **state)
{
    struct fixture *const f = *state;
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    f->stop_before_step = 2;
    result = apply(f, change(f, "1.1"), 0, 2);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
    assert_int_equal(result->n_observed, 1);
    assert_string_equal(version_on(f, 0), "1.1");
    assert_string_equal(version_on(f, 1), "1.0");
}

static void forward_work_refuses_another_configuration(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.0");

    assert_int_equal(apply(f, what, 0, 1)->outcome, PB__OUTCOME__OUTCOME_OK);
    memset(f->site->settings.hash, 'a', 12);
    f->command.config_hash = "0123456789abcdef";
    f->steps = 0;
    assert_int_equal(run(f, executor_apply, 2)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_non_null(strstr(f->task.result->error, "configuration"));
}

static void a_failed_restart_is_an_error_with_evidence(void **state)
{
    struct fixture *const f = *state;
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    site_break(f->site);
    result = apply(f, change(f, "1.1"), 0, 2);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__ERROR);
    assert_non_null(strstr(result->findings[0]->evidence, "no luck"));
    assert_non_null(strstr(result->findings[0]->observed, "shop-1"));
    assert_int_equal(result->n_observed, 1);
    assert_string_equal(result->observed[0]->state, "switching");
    assert_string_equal(version_on(f, 1), "1.0");
}

static void an_artifact_with_another_digest_fails_for_good(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.1");
    const Pb__TaskFinished *result;

    site_put(f->site, "artifacts/1.1/lib/shop.py", "evil");
    result = apply(f, what, 0, 1);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__FAIL);
    assert_int_equal(site_changes(f->site), 0);
}

static void a_lower_fence_fails_for_good(void **state)
{
    struct fixture *const f = *state;

    assert_int_equal(apply(f, change(f, "1.1"), 0, 5)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(apply(f, change(f, "1.0"), 0, 4)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_string_equal(version_on(f, 0), "1.1");
}

static void a_target_that_is_not_configured_is_an_error(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.0");

    what->target = "nowhere";
    assert_int_equal(apply(f, what, 0, 1)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_non_null(strstr(f->task.result->error, "nowhere"));
}

static void the_way_back_starts_with_the_last_instance_and_ignores_drift(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.1");
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    (void)apply(f, what, 0, 2);
    result = revert(f, what, 0, 3);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_string_equal(result->observed[0]->instance, "shop-2");
    assert_string_equal(version_on(f, 0), "1.0");
    assert_string_equal(version_on(f, 1), "1.0");
}

static void the_way_back_goes_on_after_a_failure_and_reports_it(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.1");
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    (void)apply(f, what, 0, 2);
    f->baseline[1]->version = "0.9";
    result = revert(f, what, 0, 3);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_non_null(strstr(result->error, "shop-2"));
    assert_string_equal(version_on(f, 0), "1.0");
}

static void idle_is_the_side_that_had_no_traffic_before(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = blue_green_change(f, "1.1");

    start_with_1_0(f);
    before(f, "", "", "side=blue");
    assert_int_equal(apply(f, what, 0, 2)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_string_equal(version_on(f, 0), "1.0");
    assert_string_equal(version_on(f, 1), "1.1");
    assert_int_equal(apply(f, what, 1, 3)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_string_equal(traffic(f), "side=green");
    assert_string_equal(f->task.result->findings[1]->check, "traffic.weight");
}

static void a_shift_driven_twice_does_not_shift_back(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = blue_green_change(f, "1.1");

    start_with_1_0(f);
    before(f, "", "", "side=blue");
    (void)apply(f, what, 1, 3);
    assert_int_equal(apply(f, what, 1, 4)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_string_equal(traffic(f), "side=green");
}

static void the_traffic_goes_back_to_where_it_was(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = blue_green_change(f, "1.1");

    start_with_1_0(f);
    before(f, "", "", "side=");
    (void)apply(f, what, 1, 3);
    assert_string_equal(traffic(f), "side=blue");
    assert_int_equal(revert(f, what, 1, 5)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_string_equal(traffic(f), "side=");
}

static void idle_without_a_baseline_is_refused(void **state)
{
    struct fixture *const f = *state;

    assert_int_equal(apply(f, blue_green_change(f, "1.1"), 1, 3)->outcome,
                     PB__OUTCOME__OUTCOME_FAILED);
    assert_string_equal(traffic(f), "side=");
}

static void the_last_look_passes_when_all_is_as_before(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = blue_green_change(f, "1.1");
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    before(f, "", "", "side=");
    result = read_back(f, read_back_of(f, what));
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__PASS);
    assert_string_equal(result->findings[0]->check, "verify.version");
    assert_int_equal(result->n_observed, 3);
}

static void the_last_look_names_the_instance_that_differs(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.1");
    const Pb__TaskFinished *result;

    start_with_1_0(f);
    f->stop_before_step = 2;
    (void)apply(f, what, 0, 2);
    f->stop_before_step = 0;
    result = read_back(f, read_back_of(f, what));
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_FAILED);
    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__FAIL);
    assert_non_null(strstr(result->findings[0]->observed, "shop-1 1.1"));
    assert_null(strstr(result->findings[0]->observed, "shop-2"));
}

static void what_stays_is_reported_and_not_compared(void **state)
{
    struct fixture *const f = *state;
    Pb__Change *const what = change(f, "1.1");
    Pb__ReadBack *const kept = read_back_of(f, what);
    Pb__ReadBack *const skipped = read_back_of(f, what);

    start_with_1_0(f);
    (void)apply(f, what, 0, 2);
    PB_APPEND(&f->arena, kept, kept, what);
    assert_int_equal(read_back(f, kept)->findings[0]->verdict, PB__VERDICT__PASS);
    assert_int_equal(f->task.result->n_observed, 2);
    PB_APPEND(&f->arena, skipped, skipped, what->index);
    assert_int_equal(read_back(f, skipped)->findings[0]->verdict, PB__VERDICT__PASS);
}

static void an_unknown_baseline_is_never_as_before(void **state)
{
    struct fixture *const f = *state;
    const Pb__TaskFinished *const result = read_back(f, read_back_of(f, change(f, "1.1")));

    assert_int_equal(result->findings[0]->verdict, PB__VERDICT__INCONCLUSIVE);
}

static void an_instance_that_cannot_be_seen_is_never_as_before(void **state)
{
    struct fixture *const f = *state;

    start_with_1_0(f);
    site_put(f->site, "two/marker", "damaged");
    assert_int_equal(read_back(f, read_back_of(f, change(f, "1.1")))->findings[0]->verdict,
                     PB__VERDICT__ERROR);
    assert_int_equal(f->task.result->outcome, PB__OUTCOME__OUTCOME_ERROR);
}

#define PROVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVES(a_batch_is_brought_one_instance_after_the_other),
        PROVES(stopped_between_two_instances_leaves_the_second_as_it_was),
        PROVES(forward_work_refuses_another_configuration),
        PROVES(a_failed_restart_is_an_error_with_evidence),
        PROVES(an_artifact_with_another_digest_fails_for_good),
        PROVES(a_lower_fence_fails_for_good),
        PROVES(a_target_that_is_not_configured_is_an_error),
        PROVES(the_way_back_starts_with_the_last_instance_and_ignores_drift),
        PROVES(the_way_back_goes_on_after_a_failure_and_reports_it),
        PROVES(idle_is_the_side_that_had_no_traffic_before),
        PROVES(a_shift_driven_twice_does_not_shift_back),
        PROVES(the_traffic_goes_back_to_where_it_was),
        PROVES(idle_without_a_baseline_is_refused),
        PROVES(the_last_look_passes_when_all_is_as_before),
        PROVES(the_last_look_names_the_instance_that_differs),
        PROVES(what_stays_is_reported_and_not_compared),
        PROVES(an_unknown_baseline_is_never_as_before),
        PROVES(an_instance_that_cannot_be_seen_is_never_as_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
