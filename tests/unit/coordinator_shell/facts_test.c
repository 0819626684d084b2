/* Single facts of the shell, found by breaking it: each of these once went wrong in a mutant
 * that no other test noticed. */
#include "common/state/keys.h"
#include "services/coordinator/difference.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/live.h"
#include "services/coordinator/record.h"
#include "tests/unit/coordinator_shell/story.h"

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
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__AWAITING_INPUTS);
    story_pass(&story, 15 * 1000);
    assert_int_equal(
        memory_metric(story.cluster.metrics, "slipway_deployments", "phase", "AWAITING_INPUTS"),
        1);
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

static void what_ends_without_a_plan_is_reported_as_well(void **state)
{
    (void)state;
    story_start(&story);
    story_accept(&story, "pay", TOY_UNPLANNED);
    settle();
    story_request(&story, "pay.1", true);
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
    assert_non_null(strstr(story_topic(&story, "archive.v1"), "DeploymentReport pay.1."));
}

/* --- what differs --- */

static bool letters_differ(Pb__DeadLetter *wanted, Pb__DeadLetter *found, struct text *out)
{
    return difference_find(&pb__dead_letter__descriptor, wanted, found, out);
}

static void equal_bytes_do_not_differ_and_texts_are_shown(void **state)
{
    char bytes[256];
    struct text out = text_over(bytes, sizeof bytes);
    uint8_t here[] = { 1, 2 };
    uint8_t there[] = { 1, 2 };
    Pb__DeadLetter wanted = PB__DEAD_LETTER__INIT;
    Pb__DeadLetter found = PB__DEAD_LETTER__INIT;

    (void)state;
    wanted.bytes = (ProtobufCBinaryData){ sizeof here, here };
    found.bytes = (ProtobufCBinaryData){ sizeof there, there };
    assert_false(letters_differ(&wanted, &found, &out));
    wanted.reason = "torn";
    found.reason = "forged";
    assert_true(letters_differ(&wanted, &found, &out));
    assert_string_equal(bytes, "reason: \"torn\", not \"forged\"");
}

/* --- what cannot be --- */

/* Nothing in it can be read, but its headers say whom it may have been about. */
static void publish_garbage(const char *topic, const char *subject)
{
    const struct bus_record record = {
        .topic = topic,
        .partition = BUS_PARTITION_BY_KEY,
        .key = "pay",
        .bytes = (const uint8_t *)"garbage",
        .length = 7,
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "g1" },
                     { "ce_type", "slipway.v1.Event" },
                     { "ce_source", "/somebody" },
                     { "ce_subject", subject },
                     { "content-type", "application/protobuf" } },
        .header_count = 6,
    };
    struct error error = { 0 };

    assert_int_equal(story.cluster.bus.publish(story.cluster.bus.self, &record, &error),
                     ERR_OK);
}

/* Anybody can write garbage: only what an operator or the quarantine passed over holds. */
static void what_nobody_can_read_holds_nobody_whatever_its_headers_say(void **state)
{
    (void)state;
    story.silent_from = 2;
    story_start(&story);
    story_accept(&story, "pay", "one");
    settle();
    publish_garbage("events.v1", "pay.1");
    settle();
    assert_non_null(strstr(story_topic(&story, "dead-letter.v1"), "dead-letter.events.v1"));
    assert_int_equal(story_count(&story, PB__EVENT__BODY_HOLD_SET), 0);
}

static void headers_name_a_deployment_only_under_its_own_key(void **state)
{
    struct bus_record record = { .key = "pay",
                                 .headers = { { "ce_subject", "pay.1" } },
                                 .header_count = 1 };
    struct arena *const arena = &story.cluster.arena;

    (void)state;
    assert_string_equal(record_deployment(arena, &record), "pay.1");
    record.key = "shop";
    assert_null(record_deployment(arena, &record));
    record.headers[0].value = "shop";
    assert_null(record_deployment(arena, &record));
    record.header_count = 0;
    assert_null(record_deployment(arena, &record));
}

static void what_nobody_can_read_of_control_is_put_aside_by_one_of_two(void **state)
{
    unsigned records;
    unsigned ids;

    (void)state;
    story_start(&story);
    (void)cluster_start(&story.cluster, coordinator_service(), "coordinator-2");
    settle();
    story_pass(&story, 5000);
    publish_garbage("control.v1", "pay.1");
    settle();
    story_ids(&story, "dead-letter.v1", &records, &ids);
    assert_int_equal(records, 1);
}

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
        STORY(what_ends_without_a_plan_is_reported_as_well),
        STORY(equal_bytes_do_not_differ_and_texts_are_shown),
        STORY(what_nobody_can_read_holds_nobody_whatever_its_headers_say),
        STORY(headers_name_a_deployment_only_under_its_own_key),
        STORY(what_nobody_can_read_of_control_is_put_aside_by_one_of_two),
        STORY(what_cannot_be_of_a_feature_holds_no_deployment),
        STORY(a_state_that_fits_into_no_record_is_refused_with_its_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
