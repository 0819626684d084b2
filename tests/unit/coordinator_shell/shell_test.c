/* What the shell promises while all is well: the path of an acceptance, and who is told what.
 */
#include "common/state/keys.h"
#include "common/wire/digest.h"
#include "tests/unit/coordinator_shell/story.h"

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static int setup(void **state)
{
    static struct story story;

    story_open(&story);
    story_start(&story);
    *state = &story;
    return 0;
}

static int teardown(void **state)
{
    story_close(*state);
    return 0;
}

static void settle(struct story *story)
{
    assert_true(cluster_settle(&story->cluster));
}

static void an_acceptance_goes_through_to_its_end(void **state)
{
    struct story *const story = *state;

    story_accept(story, "pay", "one");
    settle(story);
    assert_string_equal(story_topic(story, "events.v1"),
                        "genesis -\n"
                        "genesis -\n"
                        "acceptance_received acceptance.9baa895dbbcfeab1e2b5f33cd3e29b9f\n"
                        "attempt_created pay.1.0\n"
                        "plan_compiled pay.1.1.1\n"
                        "task_finished pay.1/1/1/0.1.finished\n"
                        "task_finished pay.1/2/1/0.1.finished\n"
                        "task_finished pay.1/3/1/0.1.finished\n");
    assert_string_equal(story_topic(story, "commands.prechecks.v1"),
                        "slipway.v1.Command pay.1.2.0\n"
                        "slipway.v1.Command pay.1.3.1\n"
                        "slipway.v1.Command pay.1.4.1\n");
    assert_string_equal(story_topic(story, "signals.v1"), "slipway.v1.Signal pay.1.5.1\n");
    assert_string_equal(story_topic(story, "archive.v1"),
                        "slipway.v1.DeploymentReport pay.1.5.2\n");
    assert_string_equal(story_topic(story, "dead-letter.v1"), "");
    assert_int_equal(story_unpack(story, "pay.1")->phase, PB__PHASE__COMPLETED);
    assert_int_equal(story->hands.dropped, 0);
    assert_string_equal(story_not_ready(story, story->coordinator), "");
}

static const struct bus_record *only_record(struct story *story, const char *topic)
{
    const struct bus_record *found = NULL;

    for (int32_t p = 0; p < (int32_t)story->settings.kafka.partitions; p++) {
        const struct bus_record *const record =
            memory_broker_record(story->cluster.broker, topic, p, 0);

        assert_true(found == NULL || record == NULL);
        assert_null(memory_broker_record(story->cluster.broker, topic, p, 1));
        found = record != NULL ? record : found;
    }
    assert_non_null(found);
    return found;
}

static void the_end_is_told_with_where_the_report_is_and_its_digest(void **state)
{
    struct story *const story = *state;
    const struct bus_record *report;
    const struct bus_record *signal;
    const Pb__DeploymentFinished *finished;
    void *message = NULL;
    struct error error = { 0 };
    char hex[DIGEST_HEX_SIZE];

    story_accept(story, "pay", "one");
    settle(story);
    report = only_record(story, "archive.v1");
    signal = only_record(story, "signals.v1");
    assert_int_equal(pb_unpack(&story->cluster.arena,
                               &pb__signal__descriptor,
                               (struct pb_bytes){ signal->bytes, signal->length },
                               &message,
                               &error),
                     ERR_OK);
    finished = ((Pb__Signal *)message)->deployment_finished;
    digest_sha256(report->bytes, report->length, hex);
    assert_string_equal(finished->exit, "COMPLETED");
    assert_string_equal(finished->report_link,
                        "https://slipway.example/v1/deployments/pay.1/report");
    assert_string_equal(finished->report_digest,
                        arena_printf(&story->cluster.arena, "sha256:%s", hex));
}

static void nothing_is_left_behind_by_a_deployment_that_ended(void **state)
{
    struct story *const story = *state;
    struct arena *const arena = &story->cluster.arena;
    const int32_t p = story_partition(story, "pay");
    const char *const indexes[] = { KEY_TIMERS(arena, p, "slipway:"),
                                    KEY_OUTBOX(arena, p, "slipway:"),
                                    KEY_LEASES(arena, p, "slipway:"),
                                    KEY_LIVE(arena, p, "slipway:") };
    struct error error = { 0 };

    story_accept(story, "pay", "one");
    settle(story);
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        const struct store_range range = { indexes[i], INT64_MIN, INT64_MAX, 10 };
        struct store_member *members = NULL;
        size_t count = 0;

        assert_int_equal(
            story->cluster.store.sorted_range(
                story->cluster.store.self, arena, &range, &members, &count, &error),
            ERR_OK);
        assert_int_equal(count, 0);
    }
}

static void publish_acceptance(struct story *story, const char *feature, const char *writer)
{
    Pb__AcceptanceSignedOff acceptance = PB__ACCEPTANCE_SIGNED_OFF__INIT;

    acceptance.feature = (char *)(uintptr_t)feature;
    cluster_publish(&story->cluster,
                    &(struct cluster_record){ .topic = "acceptance.v1",
                                              .key = feature,
                                              .id = feature,
                                              .writer = writer,
                                              .message = &acceptance.base });
    settle(story);
}

static void who_hands_in_proves_it_where_that_is_asked_for(void **state)
{
    static struct envelope_keys producers;
    struct story *const story = *state;
    struct memory_metrics *const metrics = story->cluster.metrics;
    unsigned told, ids;

    producers = (struct envelope_keys){ 0 };
    cluster_stop(story->coordinator);
    story->cluster.producers = &producers;
    story_start(story);
    publish_acceptance(story, "unsigned", NULL);
    publish_acceptance(story, "unknown", "gateway");
    assert_int_equal(memory_metric(metrics, "slipway_acceptances_total", "result", "unproven"),
                     2);
    assert_int_equal(story_count(story, PB__EVENT__BODY_ACCEPTANCE_RECEIVED), 0);
    story_ids(story, "signals.v1", &told, &ids);
    assert_int_equal(told, 2);
    story_ids(story, "dead-letter.v1", &told, &ids);
    assert_int_equal(told, 2);
    producers = story->cluster.keys;
    publish_acceptance(story, "pay", "gateway");
    assert_int_equal(memory_metric(metrics, "slipway_acceptances_total", "result", "accepted"),
                     1);
    assert_int_equal(story_count(story, PB__EVENT__BODY_ACCEPTANCE_RECEIVED), 1);
}

static void what_follows_from_a_record_carries_its_trace(void **state)
{
    struct story *const story = *state;
    static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Pb__AcceptanceSignedOff acceptance = PB__ACCEPTANCE_SIGNED_OFF__INIT;
    const struct bus_record *command;

    acceptance.feature = "pay";
    cluster_publish(&story->cluster,
                    &(struct cluster_record){ .topic = "acceptance.v1",
                                              .key = "pay",
                                              .id = "1",
                                              .message = &acceptance.base,
                                              .traceparent = trace });
    settle(story);
    command = memory_broker_record(
        story->cluster.broker, "commands.prechecks.v1", story_partition(story, "pay"), 0);
    /* Acceptance, attempt, plan, first command: one trace. */
    assert_non_null(command);
    assert_string_equal(bus_header(command, "ce_traceparent"), trace);
}

static void a_request_gets_its_answer_once_for_a_day(void **state)
{
    struct story *const story = *state;
    struct arena *const arena = &story->cluster.arena;
    const int32_t p = story_partition(story, "pay");
    struct store_value value = { 0 };
    struct error error = { 0 };
    const struct store *const store = &story->cluster.store;

    story->silent_from = 1;
    story_accept(story, "pay", "one");
    settle(story);
    story_request(story, "pay.1", false);
    story_request(story, "pay.1", true);
    settle(story);
    assert_int_equal(
        store->get(store->self, arena, KEY_REQUEST(arena, p, "slipway:", "r1"), &value, &error),
        ERR_OK);
    assert_string_equal(value.bytes,
                        "{\"state\":\"REFUSED\",\"version\":2,\"code\":\"not-now\","
                        "\"detail\":\"The toy cannot \\\"do\\\" it.\",\"remedy\":\"\","
                        "\"deployment\":\"pay.1\"}");
    assert_int_equal(
        store->get(store->self, arena, KEY_REQUEST(arena, p, "slipway:", "r2"), &value, &error),
        ERR_OK);
    assert_string_equal(value.bytes,
                        "{\"state\":\"APPLIED\",\"version\":3,\"code\":\"\",\"detail\":\"\","
                        "\"remedy\":\"\",\"deployment\":\"pay.1\"}");
    memory_clock_advance(&story->cluster.clock, 24LL * 60 * 60 * 1000 + 1);
    assert_int_equal(
        store->get(store->self, arena, KEY_REQUEST(arena, p, "slipway:", "r2"), &value, &error),
        ERR_OK);
    assert_null(value.bytes);
}

/* Sent again because nobody knew what had become of the first sending. */
static void the_answer_to_a_request_that_comes_twice_is_that_to_the_first(void **state)
{
    struct story *const story = *state;
    struct arena *const arena = &story->cluster.arena;
    const struct store *const store = &story->cluster.store;
    const char *const key = KEY_REQUEST(arena, story_partition(story, "pay"), "slipway:", "r1");
    struct store_value value = { 0 };
    struct error error = { 0 };

    story->silent_from = 1;
    story_accept(story, "pay", "one");
    settle(story);
    story_request(story, "pay.1", true);
    settle(story);
    story->requests = 0;
    story_request(story, "pay.1", false);
    settle(story);
    assert_int_equal(store->get(store->self, arena, key, &value, &error), ERR_OK);
    assert_non_null(strstr(value.bytes, "APPLIED"));
}

static void a_request_for_a_deployment_nobody_knows_is_refused(void **state)
{
    struct story *const story = *state;
    struct arena *const arena = &story->cluster.arena;
    const char *const key =
        KEY_REQUEST(arena, story_partition(story, "ghost"), "slipway:", "r1");
    struct store_value value = { 0 };
    struct error error = { 0 };

    story_request(story, "ghost.7", true);
    settle(story);
    assert_int_equal(
        story->cluster.store.get(story->cluster.store.self, arena, key, &value, &error),
        ERR_OK);
    assert_non_null(strstr(value.bytes, "\"not-found\""));
}

static void a_latch_is_out_before_everything_else_of_its_event(void **state)
{
    struct story *const story = *state;

    story->silent_from = 2;
    story_accept(story, "pay", "one");
    settle(story);
    story_request(story, "pay.1", true);
    settle(story);
    assert_string_equal(story_topic(story, "control.v1"), "slipway.v1.Control pay.1.4.1\n");
    assert_int_equal(story_unpack(story, "pay.1")->phase, PB__PHASE__ROLLED_BACK);
}

static void a_bad_acceptance_is_refused_where_its_sender_looks(void **state)
{
    struct story *const story = *state;

    story_accept(story, "pay", "bad");
    settle(story);
    assert_int_equal(story_count(story, PB__EVENT__BODY_ACCEPTANCE_RECEIVED), 0);
    assert_string_equal(story_topic(story, "signals.v1"),
                        "slipway.v1.Signal acceptance-refused.d5dfc3b86d0fc48336052fc9f1921654."
                        "faef7657a3917759\n");
    assert_string_equal(story_topic(story, "dead-letter.v1"),
                        "slipway.v1.DeadLetter dead-letter.acceptance.v1.1.0\n");
}

static void publish_raw(struct story *story,
                        const char *type,
                        const char *content,
                        const char *bytes)
{
    const struct bus_record record = {
        .topic = "acceptance.v1",
        .partition = BUS_PARTITION_BY_KEY,
        .key = "pay",
        .bytes = (const uint8_t *)bytes,
        .length = strlen(bytes),
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", bytes },
                     { "ce_type", type },
                     { "ce_source", "/ci" },
                     { "content-type", content } },
        .header_count = 5,
    };
    struct error error = { 0 };

    assert_int_equal(story->cluster.bus.publish(story->cluster.bus.self, &record, &error),
                     ERR_OK);
}

/* The same once more, an hour later, is answered with the same words under the same id. */
static void what_is_refused_twice_is_refused_with_the_same_words(void **state)
{
    struct story *const story = *state;
    struct bus_record record = {
        .topic = "acceptance.v1",
        .partition = BUS_PARTITION_BY_KEY,
        .key = "pay",
        .bytes = (const uint8_t *)"garbage",
        .length = strlen("garbage"),
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "one" },
                     { "ce_type", "slipway.v1.AcceptanceSignedOff" },
                     { "ce_source", "/ci" },
                     { "ce_time", "2020-01-02T03:04:05Z" },
                     { "content-type", "application/protobuf" } },
        .header_count = 6,
    };
    const int32_t partition = story_partition(story, "pay");
    const struct bus_record *said[2];
    struct error error = { 0 };

    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(story->cluster.bus.publish(story->cluster.bus.self, &record, &error),
                         ERR_OK);
        settle(story);
        story_pass(story, 3600 * 1000);
        said[i] = memory_broker_record(story->cluster.broker, "signals.v1", partition, i);
        assert_non_null(said[i]);
    }
    assert_string_equal(bus_header(said[0], "ce_id"), bus_header(said[1], "ce_id"));
    assert_int_equal(said[0]->length, said[1]->length);
    assert_memory_equal(said[0]->bytes, said[1]->bytes, said[0]->length);
}

static void an_acceptance_in_json_is_as_good(void **state)
{
    struct story *const story = *state;

    publish_raw(story,
                "slipway.v1.AcceptanceSignedOff",
                "application/json; charset=utf-8",
                "{\"feature\":\"pay\",\"title\":\"one\",\"environment\":\"production\"}");
    settle(story);
    assert_int_equal(story_unpack(story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void what_is_no_acceptance_is_a_dead_letter_and_harms_nobody(void **state)
{
    struct story *const story = *state;
    unsigned records;
    unsigned ids;

    publish_raw(story, "slipway.v1.AcceptanceSignedOff", "application/protobuf", "garbage");
    publish_raw(story, "slipway.v1.AcceptanceSignedOff", "application/json", "{\"featur\":1}");
    publish_raw(story, "slipway.v1.Command", "application/protobuf", "x");
    publish_raw(story, "slipway.v1.Acceptance", "application/protobuf", "");
    story_accept(story, "pay", "one");
    settle(story);
    story_ids(story, "dead-letter.v1", &records, &ids);
    assert_int_equal(records, 4);
    assert_int_equal(ids, 4);
    assert_int_equal(story_unpack(story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void a_forged_or_misaddressed_record_is_a_dead_letter_and_moves_nobody(void **state)
{
    struct story *const story = *state;
    Pb__Event *const event = story_event(story, "pay", "pay.1");
    Pb__TaskFinished result = PB__TASK_FINISHED__INIT;
    struct store_value before;
    unsigned records;
    unsigned ids;

    story->silent_from = 1;
    story_accept(story, "pay", "one");
    settle(story);
    before = story_state(story, "pay.1");
    result.task = "pay.1/1/1/0";
    result.drive = 1;
    result.outcome = PB__OUTCOME__OUTCOME_OK;
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = &result;
    story_tell(story, NULL, "unsigned", event);
    story_tell(story, "gateway", "not-your-type", event);
    cluster_publish(&story->cluster,
                    &(struct cluster_record){ .topic = "events.v1",
                                              .key = "other",
                                              .writer = "prechecks",
                                              .id = "wrong-key",
                                              .message = &event->base });
    settle(story);
    story_ids(story, "dead-letter.v1", &records, &ids);
    assert_int_equal(records, 3);
    assert_int_equal(story_state(story, "pay.1").length, before.length);
    assert_memory_equal(story_state(story, "pay.1").bytes, before.bytes, before.length);
    assert_int_equal(
        memory_metric(story->cluster.metrics, "slipway_events_total", "result", "denied"), 2);
    story_tell(story, "prechecks", "the-right-one", event);
    settle(story);
    assert_int_equal(story_unpack(story, "pay.1")->step, 2);
}

static void a_repeated_word_changes_nothing(void **state)
{
    struct story *const story = *state;
    Pb__TaskFinished result = PB__TASK_FINISHED__INIT;
    struct store_value before;

    story->silent_from = 2;
    story_accept(story, "pay", "one");
    settle(story);
    before = story_state(story, "pay.1");
    result.task = "pay.1/1/1/0";
    result.drive = 1;
    result.outcome = PB__OUTCOME__OUTCOME_OK;
    hands_finish(&story->hands, "prechecks", "pay", &result);
    story_accept(story, "pay", "one");
    settle(story);
    assert_memory_equal(story_state(story, "pay.1").bytes, before.bytes, before.length);
    assert_int_equal(
        memory_metric(story->cluster.metrics, "slipway_events_total", "result", "stale"), 2);
    assert_int_equal(story_count(story, PB__EVENT__BODY_ATTEMPT_CREATED), 1);
}

static void an_event_that_cannot_be_holds_its_deployment(void **state)
{
    struct story *const story = *state;
    Pb__Event *const event = story_event(story, "pay", "pay.1");
    Pb__IncidentReported incident = PB__INCIDENT_REPORTED__INIT;
    Pb__DeploymentState *after;

    story->silent_from = 1;
    story_accept(story, "pay", "one");
    settle(story);
    event->body_case = PB__EVENT__BODY_INCIDENT;
    event->incident = &incident;
    story_tell(story, "monitor", "odd", event);
    settle(story);
    after = story_unpack(story, "pay.1");
    assert_int_equal(after->n_holds, 1);
    assert_int_equal(after->holds[0]->kind, PB__HOLD_KIND__HOLD_OPERATOR);
    assert_true(memory_log_has(story->cluster.log, "an event that cannot be"));
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(an_acceptance_goes_through_to_its_end),
        STORY(the_end_is_told_with_where_the_report_is_and_its_digest),
        STORY(nothing_is_left_behind_by_a_deployment_that_ended),
        STORY(who_hands_in_proves_it_where_that_is_asked_for),
        STORY(what_follows_from_a_record_carries_its_trace),
        STORY(a_request_gets_its_answer_once_for_a_day),
        STORY(the_answer_to_a_request_that_comes_twice_is_that_to_the_first),
        STORY(a_request_for_a_deployment_nobody_knows_is_refused),
        STORY(a_latch_is_out_before_everything_else_of_its_event),
        STORY(a_bad_acceptance_is_refused_where_its_sender_looks),
        STORY(what_is_refused_twice_is_refused_with_the_same_words),
        STORY(an_acceptance_in_json_is_as_good),
        STORY(what_is_no_acceptance_is_a_dead_letter_and_harms_nobody),
        STORY(a_forged_or_misaddressed_record_is_a_dead_letter_and_moves_nobody),
        STORY(a_repeated_word_changes_nothing),
        STORY(an_event_that_cannot_be_holds_its_deployment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
