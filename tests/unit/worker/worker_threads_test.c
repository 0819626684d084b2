/* The worker as a service: its threads, and how it leaves. Runs under the thread sanitizer,
 * too. */
#include "common/adapters/posix/posix.h"
#include "common/runtime/worker_internal.h"
#include "tests/support/patience.h"
#include "tests/support/test.h"
#include "tests/unit/worker/command_world.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

enum { PATIENCE_MS = 20000, MANY = 20, OTHERS = 4 };

static struct command_world world;
static struct service_spec service;
static void *worker;
static struct error error;

static struct {
    _Atomic unsigned steps;
    _Atomic unsigned inside; /* Steps under way of the task that counts. */
    _Atomic bool overlapped;
    _Atomic bool hold;        /* Steps stay inside until this is false or they are stopped. */
    _Atomic unsigned again;   /* So many steps answer AGAIN, at once. */
    _Atomic int64_t sleep_ms; /* Then AGAIN for so long; 0: DONE. */
} script;

static enum worker_step step(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *why)
{
    (void)ports;
    (void)why;
    atomic_fetch_add(&script.steps, 1);
    if (strcmp(task->command->task, TASK) == 0 && atomic_fetch_add(&script.inside, 1) > 0)
        atomic_store(&script.overlapped, true);
    if (atomic_load(&script.again) > 0)
        (void)poll(NULL, 0, 1); /* Long enough for another thread to come upon it. */
    while (atomic_load(&script.hold) && !task->stopped(task))
        (void)poll(NULL, 0, 1);
    if (strcmp(task->command->task, TASK) == 0)
        atomic_fetch_sub(&script.inside, 1);
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (atomic_load(&script.again) > 0) {
        atomic_fetch_sub(&script.again, 1);
        return WORKER_AGAIN;
    }
    if (atomic_load(&script.sleep_ms) > 0) {
        task->wake_ms += atomic_load(&script.sleep_ms);
        return WORKER_AGAIN;
    }
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

/* A look whose answer was cut off, and which does not know it. */
static enum worker_step look(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct error *why)
{
    const enum worker_step answer = step(ports, task, why);

    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return answer;
}

static const struct worker_handler handlers[] = {
    { .body = PB__COMMAND__BODY_RUN_CHECKS, .step = step },
    { .body = PB__COMMAND__BODY_READ_BACK, .step = look, .looks = true },
};
static const struct worker_spec spec = { .name = "executor",
                                         .handlers = handlers,
                                         .handler_count = 2 };

static int setup(void **state)
{
    (void)state;
    atomic_store(&script.steps, 0);
    atomic_store(&script.inside, 0);
    atomic_store(&script.overlapped, false);
    atomic_store(&script.hold, false);
    atomic_store(&script.again, 0);
    atomic_store(&script.sleep_ms, 0);
    command_world_open(&world);
    world.ports.clock = posix_clock();
    world.ports.detail = &spec;
    service = worker_service(&spec);
    return service.open(&world.ports, &worker, &error) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    service.close(worker);
    command_world_close(&world);
    return 0;
}

static void order(const char *task)
{
    command_order(&world, command_of(&world, PB__COMMAND__BODY_RUN_CHECKS, task, 1));
}

static bool finished_are(unsigned count)
{
    return memory_metric(world.metrics, "slipway_tasks_finished_total", "outcome", "ok") ==
           count;
}

static void turn(void)
{
    assert_int_equal(service.turn(worker, &error), ERR_OK);
    (void)poll(NULL, 0, 1); /* The bus in memory does not wait. */
}

static void turn_until_finished(unsigned count)
{
    struct patience patience = patience_for(PATIENCE_MS);

    while (!finished_are(count) && patience_left(&patience))
        turn();
    assert_true(finished_are(count));
}

static void turn_until_steps(unsigned count)
{
    struct patience patience = patience_for(PATIENCE_MS);

    while (atomic_load(&script.steps) < count && patience_left(&patience))
        turn();
    assert_true(atomic_load(&script.steps) >= count);
}

static void many_tasks_are_each_done_once(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++)
        order(arena_printf(&world.arena, "express-pay.3/2/1/%d", i));
    turn_until_finished(MANY);
    assert_int_equal(atomic_load(&script.steps), MANY);
}

static void steps_of_one_task_never_overlap(void **state)
{
    (void)state;
    atomic_store(&script.again, 200);
    order(TASK);
    turn_until_finished(1);
    assert_int_equal(atomic_load(&script.steps), 201);
    assert_false(atomic_load(&script.overlapped));
}

static void a_step_under_way_hears_of_its_cancellation(void **state)
{
    struct patience patience = patience_for(PATIENCE_MS);

    (void)state;
    atomic_store(&script.hold, true);
    order(TASK);
    turn_until_steps(1);
    command_cancel(&world, TASK, 1);
    while (events_result(&world) == NULL && patience_left(&patience))
        turn();
    assert_int_equal(events_result(&world)->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
}

static void a_task_that_waits_is_woken_by_its_cancellation(void **state)
{
    struct patience patience = patience_for(PATIENCE_MS);

    (void)state;
    atomic_store(&script.sleep_ms, 3600 * 1000);
    order(TASK);
    turn_until_steps(1);
    command_cancel(&world, TASK, 1);
    while (events_result(&world) == NULL && patience_left(&patience))
        turn();
    assert_int_equal(events_result(&world)->outcome, PB__OUTCOME__OUTCOME_CANCELLED);
}

static void it_is_ready_once_it_hears_commands(void **state)
{
    struct error why = { 0 };

    (void)state;
    assert_false(service.ready(worker, &why));
    assert_string_equal(why.text, "not yet a member of slipway.executor");
    turn();
    assert_true(service.ready(worker, &why));
}

/* Others were there before, as many as there are partitions or more. */
static void who_has_no_partition_is_ready_and_says_so(void **state)
{
    static const char *const topics[] = { "commands.executor.v1", NULL };
    const struct bus_subscription subscription = { .group = "slipway.executor",
                                                   .topics = topics,
                                                   .start = BUS_FROM_COMMITTED };
    const struct bus *const bus = &world.bus;
    struct bus_consumer others[OTHERS];
    struct bus_record record;
    struct error why = { 0 };

    (void)state;
    for (size_t i = 0; i < OTHERS; i++)
        assert_int_equal(bus->subscribe(bus->self, &subscription, &others[i], &why), ERR_OK);
    for (size_t round = 0; round < OTHERS; round++) {
        for (size_t i = 0; i < OTHERS; i++)
            (void)others[i].receive(others[i].self, 0, &record, &why);
        turn();
    }
    assert_true(service.ready(worker, &why));
    assert_string_equal(why.text, SERVICE_STANDS_BY);
    for (size_t i = 0; i < OTHERS; i++)
        others[i].close(others[i].self);
}

static void leaving_hands_back_what_waits(void **state)
{
    (void)state;
    atomic_store(&script.sleep_ms, 3600 * 1000);
    order(TASK);
    turn_until_steps(1);
    service.drain(worker);
    assert_string_equal(record_get(&world, TASK, "state"), "CLAIMED");
    assert_string_equal(record_get(&world, TASK, "lease_until"), "0");
    assert_null(events_result(&world));
}

static void leaving_begins_no_further_step(void **state)
{
    unsigned steps;

    (void)state;
    atomic_store(&script.again, 1000000);
    order(TASK);
    turn_until_steps(3);
    steps = atomic_load(&script.steps);
    service.drain(worker);
    assert_in_range(atomic_load(&script.steps) - steps, 0, 2);
    assert_string_equal(record_get(&world, TASK, "lease_until"), "0");
}

static void *let_go(void *self)
{
    (void)poll(NULL, 0, 50);
    atomic_store(&script.hold, false);
    return self;
}

static void leaving_lets_a_step_end_and_reports_it(void **state)
{
    pthread_t other;

    (void)state;
    atomic_store(&script.hold, true);
    order(TASK);
    turn_until_steps(1);
    assert_int_equal(pthread_create(&other, NULL, let_go, NULL), 0);
    service.drain(worker);
    (void)pthread_join(other, NULL);
    assert_string_equal(events_told(&world), "started 1; finished 1 OUTCOME_OK; ");
    assert_string_equal(record_get(&world, TASK, "state"), "DONE");
}

static void leaving_gives_up_a_look_at_once_and_hands_its_task_back(void **state)
{
    const struct clock_port clock = posix_clock();
    int64_t began_ms;

    (void)state;
    atomic_store(&script.hold, true);
    command_order(&world, command_of(&world, PB__COMMAND__BODY_READ_BACK, TASK, 1));
    turn_until_steps(1);
    began_ms = clock_monotonic_ms(clock);
    service.drain(worker);
    assert_true(clock_monotonic_ms(clock) - began_ms < 7000);
    assert_string_equal(events_told(&world), "started 1; ");
    assert_string_equal(record_get(&world, TASK, "state"), "CLAIMED");
    assert_string_equal(record_get(&world, TASK, "lease_until"), "0");
}

/* Whether any thread could begin a step now. */
static bool is_due(struct worker *self)
{
    bool due;

    (void)pthread_mutex_lock(&self->lock);
    due = worker_has_due(self);
    (void)pthread_mutex_unlock(&self->lock);
    return due;
}

/* As the thread that renews leases does it. */
static void set_keeping(struct worker *self, bool keeping)
{
    (void)pthread_mutex_lock(&self->lock);
    self->runs->keeping = keeping;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

static unsigned tasks_of(struct worker *self)
{
    unsigned count;

    (void)pthread_mutex_lock(&self->lock);
    count = self->run_count;
    (void)pthread_mutex_unlock(&self->lock);
    return count;
}

static void a_lost_task_whose_lease_is_being_renewed_is_ended_by_one_thread(void **state)
{
    struct worker *const self = worker;
    struct patience patience = patience_for(PATIENCE_MS);

    (void)state;
    atomic_store(&script.hold, true);
    order(TASK);
    turn_until_steps(1);
    set_keeping(self, true);
    atomic_store(&self->runs->lost, true);
    for (int i = 0; i < 200; i++) { /* Long enough for the step to end. */
        assert_false(is_due(self));
        (void)poll(NULL, 0, 1);
    }
    set_keeping(self, false);
    while (tasks_of(self) > 0 && patience_left(&patience))
        turn();
    assert_int_equal(tasks_of(self), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(many_tasks_are_each_done_once),
        EACH(steps_of_one_task_never_overlap),
        EACH(a_step_under_way_hears_of_its_cancellation),
        EACH(a_task_that_waits_is_woken_by_its_cancellation),
        EACH(it_is_ready_once_it_hears_commands),
        EACH(who_has_no_partition_is_ready_and_says_so),
        EACH(leaving_hands_back_what_waits),
        EACH(leaving_begins_no_further_step),
        EACH(leaving_lets_a_step_end_and_reports_it),
        EACH(leaving_gives_up_a_look_at_once_and_hands_its_task_back),
        EACH(a_lost_task_whose_lease_is_being_renewed_is_ended_by_one_thread),
    };

    return cmocka_run_group_tests_name("worker threads", tests, NULL, NULL);
}
