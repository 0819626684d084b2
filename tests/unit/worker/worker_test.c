/* Which commands become tasks, and what is said about them. */
#include "common/wire/topics.h"
#include "tests/support/test.h"
#include "tests/unit/worker/command_world.h"

#include <stdio.h>

static struct command_world world;
static void *worker;
static struct error error;

/* What the handler does next time, and what it was called for. */
static struct {
    unsigned steps;
    unsigned again; /* So often AGAIN, each a second later, before DONE. */
    Pb__Outcome outcome;
    const char *error;
    const char *observed; /* In each of... */
    unsigned findings;
    unsigned progress; /* Calls of progress in a step. */
    bool active;
} script;

static void find_all(struct worker_task *task)
{
    const Pb__CheckSpec check = { .id = "apply.observed", .kind = "builtin", .remedy = "" };

    for (unsigned i = 0; i < script.findings; i++) {
        Pb__Finding *const finding =
            worker_find(task, &check, PB__VERDICT__PASS, "%s", script.observed);

        finding->evidence = script.observed;
    }
}

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *why)
{
    assert_non_null(ports->scratch);
    assert_non_null(ports->http.perform);
    script.steps++;
    for (unsigned i = 0; i < script.progress; i++) {
        Pb__TaskProgress progress = PB__TASK_PROGRESS__INIT;

        progress.samples = script.steps * 10 + i;
        progress.active = script.active;
        task->progress(task, &progress);
    }
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (script.again > 0) {
        script.again--;
        task->wake_ms += 1000;
        return WORKER_AGAIN;
    }
    find_all(task);
    task->result->outcome = script.outcome;
    if (script.error != NULL)
        (void)error_set(why, ERR_UNAVAILABLE, "%s", script.error);
    return WORKER_DONE;
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_RUN_CHECKS, .step = step },
    { .body = PB__COMMAND__BODY_APPLY, .step = step },
    { .body = PB__COMMAND__BODY_REVERT, .step = step },
    { .body = PB__COMMAND__BODY_SET_FLAGS, .step = step },
};
static const struct worker_spec spec = {
    .name = "executor", .handlers = handlers, .handler_count = 4, .tasks_max = 2
};

static int setup(void **state)
{
    (void)state;
    script = (__typeof__(script)){ .outcome = PB__OUTCOME__OUTCOME_OK, .observed = "1.1" };
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

static void order(uint32_t drive)
{
    command_order(&world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, drive));
}

static void a_task_is_claimed_done_and_reported_once(void **state)
{
    (void)state;
    order(1);
    turn();
    turn();
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
    assert_int_equal(script.steps, 1);
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
    assert_int_equal(metric_of(&world, "slipway_tasks_finished_total", "outcome", "ok"), 1);
    assert_int_equal(worker_next_wake_ms(worker), INT64_MAX);
}

static void a_record_says_what_the_log_said(void **state)
{
    const struct bus_record *record;

    (void)state;
    order(7);
    turn();
    record =
        memory_broker_record(world.broker, TOPIC_EVENTS, bus_partition("express-pay", 2), 1);
    assert_string_equal(bus_header(record, "ce_id"), TASK "/7/finished");
    assert_string_equal(bus_header(record, "ce_source"), "/slipway/executor/executor-1");
    assert_string_equal(bus_header(record, "ce_subject"), "express-pay.3");
    assert_string_equal(record->key, "express-pay");
}

static void a_command_that_comes_twice_is_dropped(void **state)
{
    (void)state;
    script.again = 100;
    order(1);
    command_publish(
        &world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1), "coordinator");
    turn();
    assert_string_equal(events_told(&world), "started 1; ");
    assert_int_equal(metric_of(&world, "slipway_commands_dropped_total", "reason", "taken"), 1);
}

static void a_command_of_another_drive_is_dropped(void **state)
{
    (void)state;
    order(2);
    record_set(&world, TASK, "drive", "3");
    turn();
    assert_int_equal(script.steps, 0);
    assert_string_equal(events_told(&world), "");
    assert_int_equal(
        metric_of(&world, "slipway_commands_dropped_total", "reason", "other drive"), 1);
}

static void a_command_without_a_record_is_dropped(void **state)
{
    (void)state;
    command_publish(
        &world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1), "coordinator");
    turn();
    assert_int_equal(script.steps, 0);
    assert_int_equal(metric_of(&world, "slipway_commands_dropped_total", "reason", "gone"), 1);
}

static void what_the_coordinator_did_not_write_is_put_aside(void **state)
{
    const struct bus_record *letter;
    void *message = NULL;

    (void)state;
    record_set(&world, TASK, "state", "PENDING");
    record_set(&world, TASK, "drive", "1");
    command_publish(
        &world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, TASK, 1), "validator");
    turn();
    assert_int_equal(script.steps, 0);
    letter = memory_broker_record(world.broker, TOPIC_DEAD_LETTER, 0, 0);
    assert_non_null(letter);
    assert_int_equal(pb_unpack(&world.arena,
                               &pb__dead_letter__descriptor,
                               (struct pb_bytes){ letter->bytes, letter->length },
                               &message,
                               &error),
                     ERR_OK);
    assert_string_equal(((Pb__DeadLetter *)message)->reason, "validator may not write this");
    assert_string_equal(((Pb__DeadLetter *)message)->topic, "commands.executor.v1");
    assert_string_equal(((Pb__DeadLetter *)message)->key, "express-pay");
    assert_int_equal(
        metric_of(&world, "slipway_dead_letters_total", "topic", "commands.executor.v1"), 1);
    turn();
    assert_null(memory_broker_record(world.broker, TOPIC_DEAD_LETTER, 0, 1));
}

static void garbage_is_put_aside_and_harms_nobody(void **state)
{
    const struct bus_record garbage = { .topic = TOPIC_COMMANDS("executor"),
                                        .partition = BUS_PARTITION_BY_KEY,
                                        .key = "express-pay",
                                        .bytes = (const uint8_t *)"\xff\xff\xff",
                                        .length = 3 };

    (void)state;
    assert_int_equal(world.bus.publish(world.bus.self, &garbage, &error), ERR_OK);
    order(1);
    turn();
    assert_non_null(memory_broker_record(world.broker, TOPIC_DEAD_LETTER, 0, 0));
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
}

static void a_bad_record_that_cannot_be_put_aside_is_heard_again(void **state)
{
    const struct bus_record garbage = { .topic = TOPIC_COMMANDS("executor"),
                                        .partition = BUS_PARTITION_BY_KEY,
                                        .key = "express-pay" };

    (void)state;
    assert_int_equal(world.bus.publish(world.bus.self, &garbage, &error), ERR_OK);
    world.failing = "publish";
    world.fault = FAULT_BEFORE;
    assert_int_not_equal(worker_turn_inline(worker, &error), ERR_OK);
    world.failing = NULL;
    memory_clock_advance(&world.clock, 2000);
    turn();
    assert_non_null(memory_broker_record(world.broker, TOPIC_DEAD_LETTER, 0, 0));
}

static void again_means_at_that_time(void **state)
{
    (void)state;
    script.again = 2;
    order(1);
    turn();
    assert_int_equal(worker_next_wake_ms(worker), world.clock.now_ms + 1000);
    memory_clock_advance(&world.clock, 999);
    turn();
    assert_int_equal(script.steps, 1);
    memory_clock_advance(&world.clock, 1);
    turn();
    turn();
    assert_int_equal(script.steps, 2);
    memory_clock_advance(&world.clock, 1000);
    turn();
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
}

static void a_handler_without_an_outcome_has_failed_to_work(void **state)
{
    (void)state;
    script.outcome = PB__OUTCOME__OUTCOME_UNSPECIFIED;
    script.error = "shop-2: no answer";
    order(1);
    turn();
    assert_int_equal(events_result(&world)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_string_equal(events_result(&world)->error, "shop-2: no answer");
}

static void a_command_nobody_handles_is_an_error(void **state)
{
    Pb__Command *const command = command_of(&world, PB__COMMAND__BODY_FINALISE, TASK, 1);

    (void)state;
    command->finalise = pb_new(&world.arena, &pb__finalise__descriptor);
    command_order(&world, command);
    turn();
    assert_int_equal(events_result(&world)->outcome, PB__OUTCOME__OUTCOME_ERROR);
}

static void forward_work_refuses_another_configuration(void **state)
{
    static const Pb__Command__BodyCase forward[] = { PB__COMMAND__BODY_APPLY,
                                                     PB__COMMAND__BODY_SET_FLAGS };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        Pb__Command *const command = command_of(&world, forward[i], TASK, i + 1);

        command->config_hash = "theirs";
        if (forward[i] == PB__COMMAND__BODY_SET_FLAGS)
            command->set_flags->percent = 5;
        command_order(&world, command);
        turn();
        assert_int_equal(events_result(&world)->outcome, PB__OUTCOME__OUTCOME_ERROR);
        assert_string_equal(
            events_result(&world)->error,
            "the plan was made under configuration theirs, executor-1 runs under ours");
    }
    assert_int_equal(script.steps, 0);
}

static void taking_back_goes_on_under_another_configuration(void **state)
{
    Pb__Command *const revert = command_of(&world, PB__COMMAND__BODY_REVERT, TASK, 1);
    Pb__Command *const off = command_of(&world, PB__COMMAND__BODY_SET_FLAGS, TASK, 2);

    (void)state;
    revert->config_hash = off->config_hash = "theirs";
    command_order(&world, revert);
    turn();
    command_order(&world, off);
    turn();
    assert_int_equal(script.steps, 2);
}

static void progress_goes_out_once_a_second(void **state)
{
    (void)state;
    script.progress = 3;
    script.again = 2;
    order(1);
    turn();
    memory_clock_advance(&world.clock, 1000);
    turn();
    assert_string_equal(events_told(&world), "started 1; progress 10; progress 20; ");
}

static void the_first_active_sample_always_goes_out(void **state)
{
    (void)state;
    script.progress = 1;
    script.again = 3;
    order(1);
    turn();
    script.active = true;
    script.progress = 2;
    command_cancel(&world, TASK, 1); /* Calls the handler before a second is over. */
    turn();
    assert_string_equal(events_told(&world),
                        "started 1; progress 10; progress 20; finished 1 OUTCOME_CANCELLED; ");
}

static void a_result_that_was_not_taken_is_told_again(void **state)
{
    (void)state;
    order(1);
    world.failing = "flush";
    world.fault = FAULT_BEFORE;
    turn();
    assert_string_equal(record_get(&world, TASK, "state"), "CLAIMED");
    world.failing = NULL;
    memory_clock_advance_to(&world.clock, worker_next_wake_ms(worker));
    turn();
    /* The same id twice: whoever reads it takes the second for the first. */
    assert_string_equal(events_told(&world),
                        "started 1; finished 1 OUTCOME_OK; finished 1 OUTCOME_OK; ");
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
    assert_int_equal(script.steps, 1);
}

static void what_is_too_long_is_shortened(void **state)
{
    enum { LONG = 100 * 1000 };
    char *const text = arena_alloc(&world.arena, LONG + 1);
    const Pb__TaskFinished *result;

    (void)state;
    memset(text, 'x', LONG);
    memcpy(text + 8189, "\xe2\x82\xac", 3); /* A character across the place of the cut. */
    script.observed = text;
    script.findings = 4;
    order(1);
    turn();
    result = events_result(&world);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->n_findings, 4);
    assert_int_equal(result->findings[3]->verdict, PB__VERDICT__PASS);
    assert_true(strlen(result->findings[3]->evidence) <= 8192);
    assert_true(strlen(result->findings[3]->evidence) > 8000);
    assert_string_equal(result->findings[3]->evidence + strlen(result->findings[3]->evidence) -
                            4,
                        "x\xe2\x80\xa6");
}

static void bytes_that_are_no_text_are_told_as_text(void **state)
{
    (void)state;
    script.observed = "caf\xe9 \xc3\xa9";
    script.findings = 1;
    order(1);
    turn();
    assert_string_equal(events_result(&world)->findings[0]->observed, "caf? \xc3\xa9");
    assert_string_equal(events_result(&world)->findings[0]->evidence, "caf? \xc3\xa9");
}

static void further_tasks_wait_in_kafka(void **state)
{
    static const char *const tasks[] = { TASK, "express-pay.3/2/1/1", "express-pay.3/2/1/2" };

    (void)state;
    script.again = 2;
    for (int i = 0; i < 3; i++)
        command_order(&world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, tasks[i], 1));
    turn();
    assert_string_equal(record_get(&world, tasks[1], "state"), "CLAIMED");
    assert_string_equal(record_get(&world, tasks[2], "state"), "PENDING");
    memory_clock_advance(&world.clock, 1000);
    turn();
    memory_clock_advance(&world.clock, 1000);
    turn();
    assert_string_equal(record_get(&world, tasks[2], "state"), "DONE");
}

static void complain(struct arena *arena,
                     const struct settings *settings,
                     struct yaml_problems *problems)
{
    (void)arena;
    (void)settings;
    (void)yaml_complain_file(problems, "slipway.yaml", "no such driver: %s", "smtpp");
}

static enum err never_opened(const struct service_ports *ports, void **ret, struct error *why)
{
    (void)ports;
    (void)ret;
    (void)why;
    fail_msg("opened from settings that are wrong");
    return ERR_OK;
}

static void wrong_settings_of_drivers_stop_the_start(void **state)
{
    const struct worker_spec wrong = { .name = "executor",
                                       .check = complain,
                                       .open = never_opened };
    void *opened = NULL;

    (void)state;
    assert_int_equal(worker_open_inline(&wrong, &world.ports, &opened, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "slipway.yaml"));
    assert_non_null(strstr(error.text, "no such driver: smtpp"));
    assert_null(opened);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_task_is_claimed_done_and_reported_once),
        EACH(a_record_says_what_the_log_said),
        EACH(a_command_that_comes_twice_is_dropped),
        EACH(a_command_of_another_drive_is_dropped),
        EACH(a_command_without_a_record_is_dropped),
        EACH(what_the_coordinator_did_not_write_is_put_aside),
        EACH(garbage_is_put_aside_and_harms_nobody),
        EACH(a_bad_record_that_cannot_be_put_aside_is_heard_again),
        EACH(again_means_at_that_time),
        EACH(a_handler_without_an_outcome_has_failed_to_work),
        EACH(a_command_nobody_handles_is_an_error),
        EACH(forward_work_refuses_another_configuration),
        EACH(taking_back_goes_on_under_another_configuration),
        EACH(progress_goes_out_once_a_second),
        EACH(the_first_active_sample_always_goes_out),
        EACH(a_result_that_was_not_taken_is_told_again),
        EACH(what_is_too_long_is_shortened),
        EACH(bytes_that_are_no_text_are_told_as_text),
        EACH(wrong_settings_of_drivers_stop_the_start),
        EACH(further_tasks_wait_in_kafka),
    };

    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
