/* What a shell leaves in Redis and on its topics, where stories do not look. */
#include "common/state/keys.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdlib.h>

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static struct story story;

static int setup(void **state)
{
    *state = &story;
    story_open(&story);
    story_start(&story);
    return 0;
}

static int teardown(void **state)
{
    (void)unsetenv("SLIPWAY_REBUILD");
    story_close(*state);
    return 0;
}

static void settle(void)
{
    assert_true(cluster_settle(&story.cluster));
}

static const struct bus_record *only_record(const char *topic)
{
    const struct bus_record *found = NULL;

    for (int32_t p = 0; p < 2; p++) {
        const struct bus_record *const record =
            memory_broker_record(story.cluster.broker, topic, p, 0);

        assert_null(memory_broker_record(story.cluster.broker, topic, p, 1));
        if (record == NULL)
            continue;
        assert_null(found);
        found = record;
    }
    assert_non_null(found);
    return found;
}

static void *message_of(const struct bus_record *record, const ProtobufCMessageDescriptor *type)
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

static void publish(const char *type, const struct pb_bytes *bytes)
{
    const struct bus_record record = {
        .topic = "acceptance.v1",
        .partition = BUS_PARTITION_BY_KEY,
        .key = "pay",
        .bytes = bytes->bytes,
        .length = bytes->length,
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "a1" },
                     { "ce_type", type },
                     { "ce_source", "/ci" },
                     { "content-type", "application/protobuf" } },
        .header_count = 5,
    };
    struct error error = { 0 };

    assert_int_equal(story.cluster.bus.publish(story.cluster.bus.self, &record, &error),
                     ERR_OK);
}

/* --- what comes in, and what is said of it --- */

static void an_acceptance_in_its_envelope_is_as_good(void **state)
{
    Pb__AcceptanceSignedOff signed_off = PB__ACCEPTANCE_SIGNED_OFF__INIT;
    Pb__Acceptance either = PB__ACCEPTANCE__INIT;
    struct pb_bytes bytes;

    (void)state;
    signed_off.feature = "pay";
    signed_off.title = "one";
    signed_off.environment = "production";
    either.body_case = PB__ACCEPTANCE__BODY_SIGNED_OFF;
    either.signed_off = &signed_off;
    bytes = pb_pack(&story.cluster.arena, &either);
    publish("slipway.v1.Acceptance", &bytes);
    settle();
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void a_refusal_is_said_under_the_feature_with_field_and_reason(void **state)
{
    const struct bus_record *record;
    const Pb__Signal *signal;

    (void)state;
    story_accept(&story, "pay", "bad");
    settle();
    record = only_record("signals.v1");
    signal = message_of(record, &pb__signal__descriptor);
    assert_string_equal(record->key, "pay");
    assert_string_equal(signal->feature, "pay");
    assert_string_equal(signal->acceptance_refused->field, "title");
    assert_string_equal(signal->acceptance_refused->reason, "title: the toy takes no bad ones");
}

/* It says no time of its own, and so other words are said of it a minute later. */
static void what_is_refused_with_other_words_has_another_id(void **state)
{
    const int32_t partition = story_partition(&story, "pay");
    const struct bus_record *said[2];

    (void)state;
    for (int64_t i = 0; i < 2; i++) {
        story_accept(&story, "pay", "bad");
        settle();
        story_pass(&story, 60 * 1000);
        said[i] = memory_broker_record(story.cluster.broker, "signals.v1", partition, i);
        assert_non_null(said[i]);
    }
    assert_string_not_equal(bus_header(said[0], "ce_id"), bus_header(said[1], "ce_id"));
}

static void a_dead_letter_says_where_its_record_lies_and_since_when(void **state)
{
    const struct pb_bytes garbage = { (const uint8_t *)"garbage", 7 };
    const Pb__DeadLetter *letter;

    (void)state;
    publish("slipway.v1.AcceptanceSignedOff", &garbage);
    settle();
    letter = message_of(only_record("dead-letter.v1"), &pb__dead_letter__descriptor);
    assert_string_equal(letter->topic, "acceptance.v1");
    assert_int_equal(letter->partition, story_partition(&story, "pay"));
    assert_int_equal(letter->offset, 0);
    assert_string_equal(letter->key, "pay");
    assert_string_equal(letter->id, "a1");
    assert_string_equal(letter->source, "/ci");
    assert_int_equal(letter->at_ms, only_record("acceptance.v1")->at_ms);
    assert_true(letter->at_ms > 0);
    assert_int_equal(letter->bytes.len, 7);
    assert_memory_equal(letter->bytes.data, "garbage", 7);
}

/* --- holds --- */

static const Pb__Event *only_event(Pb__Event__BodyCase body)
{
    const struct bus_record *record;
    const Pb__Event *found = NULL;
    const int32_t p = story_partition(&story, "pay");

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

static void a_freeze_of_the_configuration_holds_with_its_reason_until_its_end(void **state)
{
    struct setting_freeze freeze = { .id = "yearend",
                                     .scope = "production",
                                     .reason = "audit" };
    const Pb__HoldSet *hold;

    (void)state;
    story.silent_from = 1;
    story_accept(&story, "pay", "one");
    settle();
    freeze.from_ms = story.cluster.clock.now_ms;
    freeze.to_ms = freeze.from_ms + 60 * 1000;
    story.settings.freezes = &freeze;
    story.settings.freeze_count = 1;
    cluster_stop(story.coordinator);
    story_start(&story);
    story_pass(&story, 1000);
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 1);
    hold = only_event(PB__EVENT__BODY_HOLD_SET)->hold_set;
    assert_string_equal(hold->id, "yearend");
    assert_string_equal(hold->reason, "audit");
    assert_int_equal(hold->until_ms, freeze.to_ms);
    story.settings.freeze_count = 0;
}

/* Each is set under its own name, though both are freezes. */
static void two_freezes_are_two_holds(void **state)
{
    struct setting_freeze freezes[] = { { .id = "a", .scope = "production", .reason = "x" },
                                        { .id = "b", .scope = "production", .reason = "y" } };

    (void)state;
    story.silent_from = 1;
    story_accept(&story, "pay", "one");
    settle();
    for (size_t i = 0; i < 2; i++) {
        freezes[i].from_ms = story.cluster.clock.now_ms + (int64_t)i * 5000;
        freezes[i].to_ms = story.cluster.clock.now_ms + 60 * 1000;
    }
    story.settings.freezes = freezes;
    story.settings.freeze_count = 2;
    cluster_stop(story.coordinator);
    story_start(&story);
    story_pass(&story, 1000);
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 1);
    story_pass(&story, 6000);
    assert_int_equal(story_unpack(&story, "pay.1")->n_holds, 2);
    story.settings.freeze_count = 0;
}

/* --- a plan --- */

static void a_plan_is_made_by_the_approach_and_under_the_deadlines_asked_for(void **state)
{
    struct setting_policy policy = { .name = "quick",
                                     .input_deadline_ms = 5000,
                                     .reminder_ms = 700 };
    struct setting_environment environment = { .name = "production", .policy = "quick" };
    const Pb__PlanCompiled *compiled;

    (void)state;
    story.settings.policies = &policy;
    story.settings.policy_count = 1;
    story.settings.environments = &environment;
    story.settings.environment_count = 1;
    story_accept(&story, "pay", "one");
    settle();
    compiled = only_event(PB__EVENT__BODY_PLAN_COMPILED)->plan_compiled;
    assert_string_equal(compiled->plan->approach, "rolling");
    assert_int_equal(compiled->input_deadline_ms, 5000);
    assert_int_equal(compiled->reminder_ms, 700);
    story.settings.policy_count = 0;
    story.settings.environment_count = 0;
}

/* --- a rebuild leaves nothing of another state --- */

static void write_ops(const struct store_op *ops, size_t count)
{
    const struct store_batch batch = { .ops = ops, .op_count = count };
    struct error error = { 0 };

    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
}

static bool holds_text(const char *key)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(story.cluster.store.get(
                         story.cluster.store.self, &story.cluster.arena, key, &value, &error),
                     ERR_OK);
    return value.bytes != NULL;
}

static bool holds_hash(const char *key)
{
    struct store_field *fields = NULL;
    size_t count = 0;
    struct error error = { 0 };

    assert_int_equal(
        story.cluster.store.hash_all(
            story.cluster.store.self, &story.cluster.arena, key, &fields, &count, &error),
        ERR_OK);
    return count > 0;
}

static void check_cleaned(const char *list_of)
{
    struct arena *const arena = &story.cluster.arena;
    const char *const prefix = story.settings.redis.prefix;
    const int32_t p = story_partition(&story, "ghost");
    const char *const list =
        strcmp(list_of, "live") == 0 ? KEY_LIVE(arena, p, prefix) : KEY_DONE(arena, p, prefix);
    const char *const texts[] = { KEY_DEPLOYMENT(arena, p, prefix, "ghost.1"),
                                  KEY_ACCEPTANCE(arena, p, prefix, "ghost.1"),
                                  KEY_FEATURE(arena, p, prefix, "ghost"),
                                  KEY_LANE(arena, p, prefix, "production/ghost") };
    const char *const timeline = KEY_TIMELINE(arena, p, prefix, "ghost.1");
    const struct store_op more[] = {
        { .kind = STORE_SORTED_ADD, .key = list, .field = "ghost.1", .score = 1 },
        { .kind = STORE_MEMBER_ADD,
          .key = KEY_LANES(arena, p, prefix),
          .field = "production/ghost" },
        { .kind = STORE_HASH_SET, .key = timeline, .field = "0", .value = { "x", 1 } },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        write_ops(&(struct store_op){ .kind = STORE_SET, .key = texts[i], .value = { "?", 1 } },
                  1);
    write_ops(more, sizeof more / sizeof more[0]);
    cluster_stop(story.coordinator);
    assert_int_equal(setenv("SLIPWAY_REBUILD", "1", 1), 0);
    story_start(&story);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(holds_text(texts[i]));
    assert_false(holds_hash(timeline));
}

static void a_rebuild_leaves_nothing_of_what_another_state_had_live(void **state)
{
    (void)state;
    check_cleaned("live");
}

static void a_rebuild_leaves_nothing_of_what_another_state_had_ended(void **state)
{
    (void)state;
    check_cleaned("done");
}

/* --- what fails, and what dies --- */

/* The first publication to that topic fails. */
struct refusal {
    const char *topic;
    unsigned happened;
};

static enum memory_fault refuse(void *self, const char *operation, const char *object)
{
    struct refusal *const refusal = self;

    if (refusal->happened > 0 || strcmp(operation, "publish") != 0 ||
        strcmp(object, refusal->topic) != 0)
        return FAULT_NONE;
    refusal->happened++;
    return FAULT_BEFORE;
}

static void an_acceptance_that_could_not_be_passed_on_is_taken_in_again(void **state)
{
    struct refusal refusal = { .topic = "events.v1", .happened = 1 };

    (void)state;
    cluster_stop(story.coordinator);
    story.cluster.faults = (struct memory_faults){ &refusal, refuse };
    story_start(&story);
    refusal.happened = 0;
    story_accept(&story, "pay", "one");
    story_pass(&story, 4000);
    assert_int_equal(refusal.happened, 1);
    assert_int_equal(story_count(&story, PB__EVENT__BODY_ACCEPTANCE_RECEIVED), 1);
    assert_int_equal(story_unpack(&story, "pay.1")->phase, PB__PHASE__COMPLETED);
}

static void nothing_is_decided_without_the_plan(void **state)
{
    const char *const key = KEY_PLAN(&story.cluster.arena,
                                     story_partition(&story, "pay"),
                                     story.settings.redis.prefix,
                                     "toy-plan");
    uint64_t version;

    (void)state;
    story.silent_from = 2;
    story_accept(&story, "pay", "one");
    settle();
    version = story_unpack(&story, "pay.1")->version;
    cluster_stop(story.coordinator);
    assert_true(holds_text(key));
    write_ops(&(struct store_op){ .kind = STORE_DELETE, .key = key }, 1);
    story_start(&story);
    story_request(&story, "pay.1", true);
    story_pass(&story, 3000);
    assert_int_equal(story_unpack(&story, "pay.1")->version, version);
    assert_non_null(strstr(story_not_ready(&story, story.coordinator), "the plan is gone"));
}

/* --- what is counted --- */

static void deployments_are_counted_in_their_phase(void **state)
{
    (void)state;
    story.silent_from = 1;
    story_accept(&story, "pay", "one");
    story_accept(&story, "search", "one");
    story_pass(&story, 20 * 1000);
    for (unsigned i = 0; i < pb__phase__descriptor.n_values; i++) {
        const char *const name = pb__phase__descriptor.values[i].name;
        const int phase = pb__phase__descriptor.values[i].value;

        if (phase == (int)story_unpack(&story, "pay.1")->phase)
            assert_int_equal(
                memory_metric(story.cluster.metrics, "slipway_deployments", "phase", name), 2);
    }
}

static const char *ready_of(const char *feature)
{
    const int32_t p = story_partition(&story, feature);
    struct store *const store = &story.cluster.store;
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(
        store->hash_get(store->self,
                        &story.cluster.arena,
                        KEY_LOG(&story.cluster.arena, p, story.settings.redis.prefix),
                        "ready",
                        &value,
                        &error),
        ERR_OK);
    return value.bytes;
}

static void another_run_of_redis_is_believed_again_only_when_nothing_is_missing(void **state)
{
    struct memory_space *same;
    const char *run = "";
    struct error error = { 0 };

    (void)state;
    story_accept(&story, "pay", "one");
    settle();
    assert_non_null(strstr(ready_of("pay"), ".run-0"));
    same = memory_space_copy(story.cluster.space);
    memory_space_restore(story.cluster.space, same);
    memory_space_free(same);
    story_pass(&story, 3000);
    assert_int_equal(story.cluster.store.run(story.cluster.store.self, &run, &error), ERR_OK);
    assert_string_not_equal(run, "run-0");
    assert_non_null(strstr(ready_of("pay"), run));
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(an_acceptance_in_its_envelope_is_as_good),
        STORY(a_refusal_is_said_under_the_feature_with_field_and_reason),
        STORY(what_is_refused_with_other_words_has_another_id),
        STORY(a_dead_letter_says_where_its_record_lies_and_since_when),
        STORY(a_freeze_of_the_configuration_holds_with_its_reason_until_its_end),
        STORY(two_freezes_are_two_holds),
        STORY(a_plan_is_made_by_the_approach_and_under_the_deadlines_asked_for),
        STORY(a_rebuild_leaves_nothing_of_what_another_state_had_live),
        STORY(a_rebuild_leaves_nothing_of_what_another_state_had_ended),
        STORY(an_acceptance_that_could_not_be_passed_on_is_taken_in_again),
        STORY(nothing_is_decided_without_the_plan),
        STORY(deployments_are_counted_in_their_phase),
        STORY(another_run_of_redis_is_believed_again_only_when_nothing_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
