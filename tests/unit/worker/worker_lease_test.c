/* Who a task belongs to: cancellations, leases that end, stores that fail. */
#include "common/state/keys.h"
#include "tests/support/test.h"
#include "tests/unit/worker/command_world.h"

#include <stdio.h>

static struct command_world world;
static void *worker;
static struct error error;

static struct {
    unsigned steps;
    bool done;        /* DONE with OK at the next step. */
    int64_t takes_ms; /* So long does a step take. */
    bool heeds;       /* Asks stopped(). */
    bool was_stopped;
    const char *loses; /* During the step, the record's owner becomes this. */
} script;

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *why)
{
    (void)ports;
    (void)why;
    script.steps++;
    memory_clock_advance(&world.clock, script.takes_ms);
    if (script.loses != NULL)
        record_set(&world, TASK, "owner", script.loses);
    script.was_stopped = task->stopped(task);
    if (script.heeds && script.was_stopped) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (script.done) {
        task->result->outcome = PB__OUTCOME__OUTCOME_OK;
        return WORKER_DONE;
    }
    task->wake_ms = world.clock.now_ms + 60000;
    return WORKER_AGAIN;
}

static const struct worker_handler handlers[] = { { .body = PB__COMMAND__BODY_RUN_CHECKS,
                                                    .step = step } };
static const struct worker_spec spec = { .name = "executor",
                                         .handlers = handlers,
                                         .handler_count = 1 };

static int setup(void **state)
{
    (void)state;
    script = (__typeof__(script)){ .heeds = true };
    command_world_open(&world);
    return worker_open_inline(&spec, &world.ports, &worker, &error) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    worker_close_inline(worker);
    command_world_close(&world);
    return 0;
}

static void turn(void)
{
    assert_int_equal(worker_turn_inline(worker, &error), ERR_OK);
}

static void order(void)
{
    command_order(&world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1));
}

static void write_ready(const char *text)
{
    const struct store_op op = { .kind = STORE_HASH_SET,
                                 .key = bus_partition("express-pay", 2) == 0
                                            ? "slipway:{0}:log"
                                            : "slipway:{1}:log",
                                 .field = "ready",
                                 .value = { text, strlen(text) } };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };

    assert_int_equal(world.store.commit(world.store.self, &batch, &error), ERR_OK);
}

static void nothing_is_claimed_while_the_coordinator_catches_up(void **state)
{
    (void)state;
    write_ready("");
    order();
    turn();
    assert_int_equal(script.steps, 0);
    assert_string_equal(record_get(&world, TASK, "state"), "PENDING");
    assert_int_equal(
        metric_of(&world, "slipway_commands_dropped_total", "reason", "catching up"), 1);
}

static void nothing_is_claimed_of_a_store_that_is_not_the_one_the_coordinator_had(void **state)
{
    struct memory_space *const lagging = memory_space_copy(world.space);
    const char *run = "";
    char ready[64];

    (void)state;
    assert_int_equal(world.store.run(world.store.self, &run, &error), ERR_OK);
    (void)snprintf(ready, sizeof ready, "nonce.%s", run);
    memory_space_restore(world.space, lagging); /* A replica took its place. */
    memory_space_free(lagging);
    write_ready(ready);
    order();
    turn();
    assert_int_equal(script.steps, 0);
    assert_string_equal(record_get(&world, TASK, "state"), "PENDING");
    assert_int_equal(
        metric_of(&world, "slipway_commands_dropped_total", "reason", "catching up"), 1);

    assert_int_equal(world.store.run(world.store.self, &run, &error), ERR_OK);
    (void)snprintf(ready, sizeof ready, "nonce.%s", run);
    write_ready(ready);
    order();
    turn();
    assert_int_equal(script.steps, 1);
}

static void a_cancelled_task_stops_at_once(void **state)
{
    (void)state;
    order();
    turn();
    command_cancel(&world, TASK, 1);
    turn();
    assert_true(script.was_stopped);
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_CANCELLED; ");
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
}

static void a_cancellation_whose_command_was_lost_is_seen_at_the_next_renewal(void **state)
{
    (void)state;
    order();
    turn();
    record_set(&world, TASK, "state", "CANCELLING");
    memory_clock_advance_to(&world.clock, worker_next_wake_ms(worker));
    turn();
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_CANCELLED; ");
}

static void work_that_was_done_before_it_heard_of_the_end_is_reported_as_done(void **state)
{
    (void)state;
    script.heeds = false;
    order();
    turn();
    script.done = true;
    command_cancel(&world, TASK, 1);
    turn();
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
}

static void a_task_cancelled_before_anybody_began_is_reported_as_cancelled(void **state)
{
    (void)state;
    record_set(&world, TASK, "drive", "1");
    command_cancel(&world, TASK, 1);
    turn();
    assert_int_equal(script.steps, 0);
    assert_string_equal(events_told(&world), "finished 1 OUTCOME_CANCELLED; ");
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
}

static void a_task_that_another_holds_is_not_cancelled_here(void **state)
{
    (void)state;
    record_set(&world, TASK, "drive", "1");
    record_set(&world, TASK, "owner", "executor-2@1");
    command_cancel(&world, TASK, 1);
    turn();
    assert_string_equal(events_told(&world), "");
    assert_string_equal(record_get(&world, TASK, "owner"), "executor-2@1");
}

static void a_cancellation_of_another_drive_is_not_for_us(void **state)
{
    (void)state;
    order();
    turn();
    command_cancel(&world, TASK, 2);
    record_set(&world, TASK, "state", "CLAIMED");
    turn();
    assert_int_equal(script.steps, 1);
}

static void the_lease_is_renewed_at_a_third(void **state)
{
    const char *before;

    (void)state;
    order();
    turn();
    before = record_get(&world, TASK, "lease_until");
    memory_clock_advance(&world.clock, 4999);
    turn();
    assert_string_equal(record_get(&world, TASK, "lease_until"), before);
    memory_clock_advance(&world.clock, 1);
    turn();
    assert_string_equal(
        record_get(&world, TASK, "lease_until"),
        arena_printf(&world.arena, "%lld", (long long)world.clock.now_ms + 15000));
}

static void a_task_given_to_another_is_left_without_a_word(void **state)
{
    (void)state;
    order();
    turn();
    record_set(&world, TASK, "drive", "2");
    memory_clock_advance(&world.clock, 5000);
    turn();
    memory_clock_advance(&world.clock, 60000);
    turn();
    assert_int_equal(script.steps, 1);
    assert_string_equal(events_told(&world), "started 1; ");
    assert_int_equal(metric_of(&world, "slipway_leases_lost_total", "", ""), 1);
    assert_int_equal(worker_next_wake_ms(worker), INT64_MAX);
}

static void half_a_lease_without_renewal_stops_the_work(void **state)
{
    (void)state;
    order();
    script.takes_ms = 7499;
    turn();
    assert_false(script.was_stopped);
    memory_clock_advance(&world.clock, 60000);
    turn(); /* Renewed first. */
    assert_false(script.was_stopped);
    memory_clock_advance(&world.clock, 60000);
    script.takes_ms = 7500;
    turn();
    assert_true(script.was_stopped);
}

static void work_stopped_by_doubt_is_handed_back_and_not_called_cancelled(void **state)
{
    (void)state;
    order();
    script.takes_ms = 7500;
    turn();
    assert_true(script.was_stopped);
    assert_string_equal(events_told(&world), "started 1; ");
    assert_string_equal(record_get(&world, TASK, "lease_until"), "0");
}

static void nothing_begins_while_the_lease_is_in_doubt(void **state)
{
    (void)state;
    order();
    turn();
    world.failing = "commit";
    world.fault = FAULT_BEFORE;
    memory_clock_advance(&world.clock, 8000);
    command_cancel(&world, TASK, 1);
    turn();
    assert_int_equal(script.steps, 1);
    world.failing = NULL;
    memory_clock_advance(&world.clock, 1000);
    turn();
    assert_int_equal(script.steps, 2);
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_CANCELLED; ");
}

static void a_lease_that_ended_is_given_up(void **state)
{
    (void)state;
    order();
    turn();
    world.failing = "commit";
    world.fault = FAULT_BEFORE;
    memory_clock_advance(&world.clock, 60000);
    turn();
    world.failing = NULL;
    turn();
    assert_int_equal(script.steps, 1);
    assert_int_equal(metric_of(&world, "slipway_leases_lost_total", "", ""), 1);
    assert_string_equal(events_told(&world), "started 1; ");
}

static void a_deadline_that_passed_is_an_error(void **state)
{
    Pb__Command *const command = command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1);

    (void)state;
    command->deadline_ms = world.clock.now_ms + 1000;
    command_order(&world, command);
    script.takes_ms = 1000;
    turn();
    assert_string_equal(events_result(&world)->error, "its deadline has passed");
}

static void a_handler_that_does_not_stop_is_ended_after_its_deadline(void **state)
{
    Pb__Command *const command = command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1);

    (void)state;
    command->deadline_ms = world.clock.now_ms + 1000;
    command_order(&world, command);
    script.heeds = false;
    turn();
    for (int i = 0; i < 20; i++) {
        memory_clock_advance(&world.clock, 5000);
        turn();
    }
    assert_string_equal(events_result(&world)->error,
                        "its deadline has passed, and it did not stop");
}

static void a_command_is_heard_again_when_the_store_did_not_answer(void **state)
{
    (void)state;
    order();
    world.failing = "commit";
    world.fault = FAULT_BEFORE;
    turn();
    assert_int_equal(script.steps, 0);
    world.failing = NULL;
    memory_clock_advance(&world.clock, 1000);
    turn();
    assert_string_equal(events_told(&world), "started 1; ");
}

/* A renewal is due. */
static void renew(void)
{
    memory_clock_advance(&world.clock, TASK_LEASE_MS / 3 + 1);
    turn();
}

static void forget_record(void)
{
    const struct store_op op = {
        .kind = STORE_DELETE,
        .key = keys_at(&world.arena,
                       world.settings.redis.prefix,
                       bus_partition("express-pay", (int32_t)world.settings.kafka.partitions),
                       "task:",
                       TASK)
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };

    assert_int_equal(world.store.commit(world.store.self, &batch, &error), ERR_OK);
    assert_string_equal(record_get(&world, TASK, "state"), "");
}

static void a_task_goes_on_when_redis_was_emptied_and_its_record_comes_back(void **state)
{
    (void)state;
    order();
    turn();
    forget_record();
    renew();
    /* The coordinator has folded the log. */
    record_set(&world, TASK, "drive", "1");
    record_set(&world, TASK, "owner", TASK_OWNER_UNKNOWN);
    record_set(&world, TASK, "state", "CLAIMED");
    renew();
    assert_string_not_equal(record_get(&world, TASK, "owner"), TASK_OWNER_UNKNOWN);
    script.done = true;
    memory_clock_advance(&world.clock, 60000);
    assert_int_equal(metric_of(&world, "slipway_leases_lost_total", "", ""), 0);
}

static void a_later_drive_is_not_taken_over(void **state)
{
    (void)state;
    order();
    turn();
    record_set(&world, TASK, "drive", "2");
    record_set(&world, TASK, "owner", TASK_OWNER_UNKNOWN);
    renew();
    assert_string_equal(record_get(&world, TASK, "owner"), TASK_OWNER_UNKNOWN);
    assert_int_equal(metric_of(&world, "slipway_leases_lost_total", "", ""), 1);
}

static void a_claim_whose_answer_was_lost_is_ours_all_the_same(void **state)
{
    (void)state;
    order();
    world.failing = "commit";
    world.fault = FAULT_AFTER;
    turn();
    assert_int_equal(script.steps, 1);
    world.failing = NULL;
}

static void a_record_that_cannot_be_marked_is_not_worked_on_again(void **state)
{
    (void)state;
    script.done = true;
    order();
    turn();
    world.failing = NULL;
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
    order();
    turn();
    assert_int_equal(script.steps, 2);
}

static void a_restarted_worker_does_not_take_its_old_lease_for_its_own(void **state)
{
    (void)state;
    order();
    turn();
    worker_close_inline(worker);
    memory_clock_advance(&world.clock, 1);
    assert_int_equal(worker_open_inline(&spec, &world.ports, &worker, &error), ERR_OK);
    command_publish(
        &world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1), "coordinator");
    turn();
    assert_int_equal(script.steps, 1);
    assert_int_equal(metric_of(&world, "slipway_commands_dropped_total", "reason", "taken"), 1);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(nothing_is_claimed_while_the_coordinator_catches_up),
        EACH(nothing_is_claimed_of_a_store_that_is_not_the_one_the_coordinator_had),
        EACH(a_cancelled_task_stops_at_once),
        EACH(a_cancellation_whose_command_was_lost_is_seen_at_the_next_renewal),
        EACH(work_that_was_done_before_it_heard_of_the_end_is_reported_as_done),
        EACH(a_task_cancelled_before_anybody_began_is_reported_as_cancelled),
        EACH(a_task_that_another_holds_is_not_cancelled_here),
        EACH(a_cancellation_of_another_drive_is_not_for_us),
        EACH(the_lease_is_renewed_at_a_third),
        EACH(a_task_given_to_another_is_left_without_a_word),
        EACH(half_a_lease_without_renewal_stops_the_work),
        EACH(work_stopped_by_doubt_is_handed_back_and_not_called_cancelled),
        EACH(nothing_begins_while_the_lease_is_in_doubt),
        EACH(a_lease_that_ended_is_given_up),
        EACH(a_deadline_that_passed_is_an_error),
        EACH(a_handler_that_does_not_stop_is_ended_after_its_deadline),
        EACH(a_command_is_heard_again_when_the_store_did_not_answer),
        EACH(a_task_goes_on_when_redis_was_emptied_and_its_record_comes_back),
        EACH(a_later_drive_is_not_taken_over),
        EACH(a_claim_whose_answer_was_lost_is_ours_all_the_same),
        EACH(a_record_that_cannot_be_marked_is_not_worked_on_again),
        EACH(a_restarted_worker_does_not_take_its_old_lease_for_its_own),
    };

    return cmocka_run_group_tests_name("worker lease", tests, NULL, NULL);
}
