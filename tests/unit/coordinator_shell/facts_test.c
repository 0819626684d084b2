/* Single facts of the shell, found by breaking it: each of these once went wrong in a mutant
 * that no other test noticed. */
#include "common/state/keys.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/live.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdio.h>

static struct story story;

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static int setup(void **state)
{
    *state = &story;
    story_open(&story);
    return 0;
}

static int teardown(void **state)
{
    story_close(*state);
    return 0;
}

static void settle(void)
{
    assert_true(cluster_settle(&story.cluster));
}

static const void *message_of(const struct bus_record *record,
                              const ProtobufCMessageDescriptor *type)
{
    struct error error = { 0 };
    void *message = NULL;

    assert_int_equal(pb_unpack(&story.cluster.arena,
                               type,
                               (struct pb_bytes){ record->bytes, record->length },
                               &message,
                               &error),
                     ERR_OK);
    return message;
}

/* The only event of that kind under that feature. */
static const Pb__Event *only_event(const char *feature, Pb__Event__BodyCase body)
{
    const int32_t p = story_partition(&story, feature);
    const struct bus_record *record;
    const Pb__Event *found = NULL;

    for (int64_t o = 0;
         (record = memory_broker_record(story.cluster.broker, "events.v1", p, o)) != NULL;
         o++) {
        const Pb__Event *const event = message_of(record, &pb__event__descriptor);

        if (event->body_case != body)
            continue;
        assert_null(found);
        found = event;
    }
    assert_non_null(found);
    return found;
}

/* Why the first record was put aside; "" if none was. */
static const char *first_refusal(void)
{
    for (int32_t p = 0; p < 2; p++) {
        const struct bus_record *const record =
            memory_broker_record(story.cluster.broker, "dead-letter.v1", p, 0);
        const Pb__DeadLetter *letter;

        if (record == NULL)
            continue;
        letter = message_of(record, &pb__dead_letter__descriptor);
        return letter->reason;
    }
    return "";
}

/* --- what is live --- */

static Pb__DeploymentState *state_with_task(const char *task)
{
    Pb__DeploymentState *const state =
        pb_new(&story.cluster.arena, &pb__deployment_state__descriptor);
    Pb__TaskState *const only = pb_new(&story.cluster.arena, &pb__task_state__descriptor);

    state->id = "pay.1";
    state->phase = PB__PHASE__CHECKING;
    only->task = task;
    only->drive = 1;
    PB_APPEND(&story.cluster.arena, state, tasks, only);
    return state;
}

static void a_task_that_is_still_out_was_sent_when_it_was_sent(void **state)
{
    struct live_table table = { 0 };

    (void)state;
    live_update(&table, state_with_task("pay.1/1"), 1000);
    live_update(&table, state_with_task("pay.1/1"), 2000);
    assert_int_equal(live_task_find(&table, "pay.1/1")->sent_ms, 1000);
    live_update(&table, state_with_task("pay.1/2"), 3000);
    assert_null(live_task_find(&table, "pay.1/1"));
    assert_int_equal(live_task_find(&table, "pay.1/2")->sent_ms, 3000);
    live_clear(&table);
}

static void two_timers_armed_at_once_fire_each_for_itself(void **state)
{
    struct live live = { 0 };

    (void)state;
    assert_true(live_may_fire(&live, "task", 7, 1000));
    assert_true(live_may_fire(&live, "deadline", 7, 1000));
    assert_false(live_may_fire(&live, "task", 7, 1001));
    assert_false(live_may_fire(&live, "deadline", 7, 1001));
    live_has_fired(&live, "task", 7, 1000);
    assert_true(live_may_fire(&live, "task", 7, 1000 + LIVE_FIRE_EARLY_MS));
    assert_false(live_may_fire(&live, "deadline", 7, 1000 + LIVE_FIRE_EARLY_MS));
    assert_true(live_may_fire(&live, "deadline", 7, 1000 + LIVE_FIRE_AGAIN_MS));
}

static void a_crash_point_has_each_step_in_hand_and_undo_from_its_start_to_its_end(void **state)
{
    static const Pb__Phase undo[] = { PB__PHASE__STOPPING,
                                      PB__PHASE__ROLLING_BACK,
                                      PB__PHASE__BLOCKED_ROLLBACK,
                                      PB__PHASE__ABORTED,
                                      PB__PHASE__ROLLED_BACK };
    Pb__DeploymentState deployment = PB__DEPLOYMENT_STATE__INIT;

    (void)state;
    deployment.phase = PB__PHASE__BLOCKED;
    for (uint32_t step = 0; step <= 7; step++) {
        deployment.step = step;
        assert_int_equal(in_hand_of_state(&deployment), CRASH_STEP(step));
    }
    for (size_t i = 0; i < sizeof undo / sizeof undo[0]; i++) {
        deployment.phase = undo[i];
        assert_int_equal(in_hand_of_state(&deployment), CRASH_UNDO);
    }
}

static void a_deployment_in_its_first_phase_is_counted(void **state)
{
    (void)state;
    story_start(&story);
    story_accept(&story, "pay", "unplanned");
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__PLANNING);
    story_pass(&story, 15 * 1000);
    assert_int_equal(
        memory_metric(story.cluster.metrics, "slipway_deployments", "phase", "PLANNING"), 1);
}

/* --- what stays in Redis --- */

static void of_a_task_that_is_over_no_record_stays(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    struct store_field *fields = NULL;
    struct error error = { 0 };
    size_t count = 1;

    (void)state;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
    assert_int_equal(
        story.cluster.store.hash_all(
            story.cluster.store.self,
            &story.cluster.arena,
            KEY_TASK(&story.cluster.arena, p, story.settings.redis.prefix, "pay.1/1/1/0"),
            &fields,
            &count,
            &error),
        ERR_OK);
    assert_int_equal(count, 0);
}

/* --- plans and holds --- */

static void a_closed_window_holds_a_plan_until_it_opens(void **state)
{
    const Pb__PlanCompiled *compiled;

    (void)state;
    story_start(&story);
    story_accept(&story, TOY_NIGHT, "one");
    settle();
    compiled = only_event(TOY_NIGHT, PB__EVENT__BODY_PLAN_COMPILED)->plan_compiled;
    assert_false(compiled->window_open);
    assert_int_equal(compiled->n_holds, 1);
    assert_int_equal(compiled->holds[0]->kind, PB__HOLD_KIND__HOLD_WINDOW);
    assert_int_equal(compiled->holds[0]->until_ms, TOY_NIGHT_ENDS_MS);
}

static void a_plan_that_fits_into_no_record_is_named_as_missing_and_holds_nothing(void **state)
{
    const Pb__PlanCompiled *compiled;

    (void)state;
    story_start(&story);
    story_accept(&story, TOY_NIGHT, TOY_LARGE);
    settle();
    compiled = only_event(TOY_NIGHT, PB__EVENT__BODY_PLAN_COMPILED)->plan_compiled;
    assert_null(compiled->plan);
    assert_string_equal(compiled->plan_hash, "");
    assert_int_equal(compiled->n_holds, 0);
    assert_int_equal(compiled->n_missing, 1);
    assert_string_equal(compiled->missing[0]->field, "artifacts");
    assert_non_null(strstr(compiled->missing[0]->remedy, "bring fewer changes"));
}

/* --- what cannot be --- */

static void what_cannot_be_of_a_feature_holds_no_deployment(void **state)
{
    Pb__AcceptanceWithdrawnReceived withdrawn = PB__ACCEPTANCE_WITHDRAWN_RECEIVED__INIT;
    Pb__Event *event;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    event = story_event(&story, "pay", "");
    event->body_case = PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN;
    event->acceptance_withdrawn = &withdrawn;
    story_tell(&story, "coordinator", "w1", event);
    settle();
    assert_string_equal(first_refusal(), "the toy withdraws nothing");
    assert_int_equal(story_count(&story, PB__EVENT__BODY_HOLD_SET), 0);
}

static void a_state_that_fits_into_no_record_is_refused_with_its_size(void **state)
{
    Pb__HoldSet set = PB__HOLD_SET__INIT;
    Pb__Event *event;

    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    event = story_event(&story, "pay", "pay.1");
    set.kind = PB__HOLD_KIND__HOLD_FREEZE;
    set.id = arena_printf(&story.cluster.arena, "%0*d", PB_STATE_MAX, 0);
    event->body_case = PB__EVENT__BODY_HOLD_SET;
    event->hold_set = &set;
    story_tell(&story, "coordinator", "h1", event);
    settle();
    assert_non_null(strstr(first_refusal(), "the state would be "));
    assert_non_null(strstr(first_refusal(), "at most 32768"));
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 0);
}

/* --- topics that fail, and records that are passed over --- */

struct deafness {
    unsigned countdown; /* The nth receive from now on fails; 0: none. */
};

static enum memory_fault turn_deaf(void *self, const char *operation, const char *object)
{
    struct deafness *const deafness = self;

    (void)object;
    if (strcmp(operation, "receive") != 0 || deafness->countdown == 0 ||
        --deafness->countdown > 0)
        return FAULT_NONE;
    return FAULT_BEFORE;
}

static void a_turn_that_cannot_listen_to_control_says_so(void **state)
{
    struct deafness deafness = { 0 };
    bool said = false;

    (void)state;
    story.cluster.faults = (struct memory_faults){ &deafness, turn_deaf };
    story_start(&story);
    for (unsigned nth = 1; nth <= 4; nth++) {
        deafness.countdown = nth;
        story.coordinator->error = (struct error){ 0 };
        assert_true(cluster_turn(story.coordinator));
        said = said || strstr(story.coordinator->error.text, "control.v1") != NULL;
    }
    assert_true(said);
}

static void records_that_were_passed_over_are_asked_for_again(void **state)
{
    const int32_t p = story_partition(&story, "pay");
    struct coordinator *shell;
    struct error error = { 0 };

    (void)state;
    story.silent_from = 1;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    story_pass(&story, 5000);
    shell = story.coordinator->state;
    story_request(&story, "pay.1", true);
    assert_int_equal(
        shell->events.seek(shell->events.self,
                           "events.v1",
                           p,
                           memory_broker_high(story.cluster.broker, "events.v1", p),
                           &error),
        ERR_OK);
    story_request(&story, "pay.1", false);
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_task_that_is_still_out_was_sent_when_it_was_sent),
        STORY(two_timers_armed_at_once_fire_each_for_itself),
        STORY(a_crash_point_has_each_step_in_hand_and_undo_from_its_start_to_its_end),
        STORY(a_deployment_in_its_first_phase_is_counted),
        STORY(of_a_task_that_is_over_no_record_stays),
        STORY(a_closed_window_holds_a_plan_until_it_opens),
        STORY(a_plan_that_fits_into_no_record_is_named_as_missing_and_holds_nothing),
        STORY(what_cannot_be_of_a_feature_holds_no_deployment),
        STORY(a_state_that_fits_into_no_record_is_refused_with_its_size),
        STORY(a_turn_that_cannot_listen_to_control_says_so),
        STORY(records_that_were_passed_over_are_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
