/* The worker dies at each place where something has just become durable; another goes on. */
#include "common/runtime/worker_internal.h"
#include "tests/support/test.h"
#include "tests/unit/worker/command_world.h"

#include <setjmp.h>
#include <stdio.h>

static struct command_world world;
static struct error error;
static unsigned steps;
static jmp_buf died;

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *why)
{
    (void)ports;
    (void)why;
    steps++;
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

static const struct worker_handler handlers[] = { { .body = PB__COMMAND__BODY_RUN_CHECKS,
                                                    .step = step } };
static const struct worker_spec spec = { .name = "executor",
                                         .handlers = handlers,
                                         .handler_count = 1 };

static int setup(void **state)
{
    (void)state;
    steps = 0;
    command_world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    command_world_close(&world);
    return 0;
}

static void die(void *self)
{
    (void)self;
    longjmp(died, 1);
}

/* A worker that lives until that place. True if it came there. Its memory is freed; what it
 * said to the world stays as it was at that moment. */
static bool worker_dies_at(const char *place)
{
    void *opened = NULL;
    struct crash_plan plan = { .at = crash_place_named(place), .remaining = 1, .die = die };
    volatile bool dead = true; /* It must survive the jump. */

    assert_int_equal(worker_open_inline(&spec, &world.ports, &opened, &error), ERR_OK);
    world.ports.crash = &plan;
    if (setjmp(died) == 0) {
        assert_int_equal(worker_turn_inline(opened, &error), ERR_OK);
        dead = false;
    }
    world.ports.crash = NULL;
    worker_close_inline(opened);
    return dead;
}

static void another_works(void)
{
    void *worker = NULL;

    memory_clock_advance(&world.clock, 1);
    assert_int_equal(worker_open_inline(&spec, &world.ports, &worker, &error), ERR_OK);
    assert_int_equal(worker_turn_inline(worker, &error), ERR_OK);
    assert_int_equal(worker_turn_inline(worker, &error), ERR_OK);
    worker_close_inline(worker);
}

static void order(uint32_t drive)
{
    command_order(&world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, drive));
}

/* What the log has when the worker has died there, another has come, and, if nothing was
 * finished, the coordinator has driven the task once more. */
static void dies_and_goes_on(const char *place, const char *told_before, const char *told_after)
{
    order(1);
    assert_true(worker_dies_at(place));
    another_works();
    assert_string_equal(events_told(&world), told_before);
    if (events_result(&world) == NULL) {
        order(2);
        another_works();
    }
    assert_string_equal(events_told(&world), told_after);
}

static void after_the_claim_the_next_drive_does_the_work(void **state)
{
    (void)state;
    dies_and_goes_on(
        "worker-after-claim", "started 1; ", "started 1; started 2; finished 2 OUTCOME_OK; ");
    assert_int_equal(steps, 1);
}

static void before_its_offset_the_command_comes_again_and_is_dropped(void **state)
{
    (void)state;
    dies_and_goes_on(
        "worker-before-offset", "started 1; ", "started 1; started 2; finished 2 OUTCOME_OK; ");
    assert_int_equal(metric_of(&world, "slipway_commands_dropped_total", "reason", "taken"), 1);
}

static void after_its_offset_nobody_hears_the_command_again(void **state)
{
    (void)state;
    dies_and_goes_on(
        "worker-after-offset", "started 1; ", "started 1; started 2; finished 2 OUTCOME_OK; ");
}

static void before_a_step_nothing_was_done(void **state)
{
    (void)state;
    dies_and_goes_on(
        "worker-before-step", "started 1; ", "started 1; started 2; finished 2 OUTCOME_OK; ");
    assert_int_equal(steps, 1);
}

static void after_a_step_the_work_is_looked_at_again(void **state)
{
    (void)state;
    dies_and_goes_on(
        "worker-after-step", "started 1; ", "started 1; started 2; finished 2 OUTCOME_OK; ");
    assert_int_equal(steps, 2);
}

static void after_the_report_the_log_has_the_result(void **state)
{
    (void)state;
    dies_and_goes_on("worker-after-report",
                     "started 1; finished 1 OUTCOME_OK; ",
                     "started 1; finished 1 OUTCOME_OK; ");
    assert_string_equal(record_get(&world, TASK, "state"), "CLAIMED");
    assert_int_equal(steps, 1);
}

static void after_the_mark_nothing_is_left_to_do(void **state)
{
    (void)state;
    dies_and_goes_on("worker-after-mark",
                     "started 1; finished 1 OUTCOME_OK; ",
                     "started 1; finished 1 OUTCOME_OK; ");
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(after_the_claim_the_next_drive_does_the_work),
        EACH(before_its_offset_the_command_comes_again_and_is_dropped),
        EACH(after_its_offset_nobody_hears_the_command_again),
        EACH(before_a_step_nothing_was_done),
        EACH(after_a_step_the_work_is_looked_at_again),
        EACH(after_the_report_the_log_has_the_result),
        EACH(after_the_mark_nothing_is_left_to_do),
    };

    return cmocka_run_group_tests_name("worker crash", tests, NULL, NULL);
}
