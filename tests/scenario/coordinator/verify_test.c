/* Whether what Redis holds is what the log says, asked beside a coordinator that runs. */
#include "services/coordinator/verify.h"

#include "common/state/keys.h"
#include "tests/scenario/coordinator/stage.h"

enum { TURNS_MAX = 2000 };

static int setup(void **state)
{
    static struct stage stage;

    stage_open(&stage);
    stage_start(&stage);
    stage_accept(&stage);
    stage_settle(&stage);
    *state = &stage;
    return 0;
}

static int teardown(void **state)
{
    stage_close(*state);
    return 0;
}

/* What verification says now, in the stage's arena; its exit status to ret_status. */
static const char *verified(struct stage *stage, int *ret_status)
{
    const struct service_spec *const spec = verify_service();
    struct cluster_instance *const instance = cluster_start(&stage->cluster, spec, "verify");
    const char *report;
    int turns = 0;

    while (!spec->finished(instance->state, ret_status)) {
        assert_true(cluster_turn(instance));
        assert_true(turns++ < TURNS_MAX);
    }
    report = arena_text(&stage->arena, verify_report(instance->state));
    cluster_stop(instance);
    return report;
}

/* As verified; before each turn something happens to the stage. */
static const char *verified_while(struct stage *stage,
                                  void (*happens)(struct stage *stage, int turn),
                                  int *ret_status)
{
    const struct service_spec *const spec = verify_service();
    struct cluster_instance *const instance = cluster_start(&stage->cluster, spec, "verify");
    const char *report;
    int turns = 0;

    while (!spec->finished(instance->state, ret_status)) {
        happens(stage, turns);
        assert_true(cluster_turn(instance));
        assert_true(turns++ < TURNS_MAX);
    }
    report = arena_text(&stage->arena, verify_report(instance->state));
    cluster_stop(instance);
    return report;
}

static int32_t partition_of(const struct stage *stage)
{
    return bus_partition(STAGE_FEATURE, (int32_t)stage->settings->kafka.partitions);
}

static void write(struct stage *stage, const struct store_op *op)
{
    const struct store_batch batch = { .ops = op, .op_count = 1 };
    struct error error = { "" };

    assert_int_equal(stage->cluster.store.commit(stage->cluster.store.self, &batch, &error),
                     ERR_OK);
}

static void what_a_coordinator_wrote_is_what_the_log_says(void **state)
{
    struct stage *const stage = *state;
    const uint64_t before = cluster_activity(&stage->cluster);
    int status = -1;
    const char *const report = verified(stage, &status);

    assert_non_null(strstr(report, "1 deployments"));
    assert_non_null(strstr(report, "everything in Redis is as the log says"));
    assert_int_equal(status, 0);
    assert_int_equal(cluster_activity(&stage->cluster), before);
}

static void a_changed_state_is_named_with_its_first_differing_field(void **state)
{
    struct stage *const stage = *state;
    Pb__DeploymentState *const deployment = stage_state(stage);
    struct pb_bytes packed;
    const char *report;
    int status = -1;

    deployment->version--;
    deployment->flags->percent = 99;
    packed = pb_pack(&stage->cluster.arena, deployment);
    write(stage,
          &(struct store_op){ .kind = STORE_SET,
                              .key = KEY_DEPLOYMENT(&stage->cluster.arena,
                                                    partition_of(stage),
                                                    stage->settings->redis.prefix,
                                                    STAGE_DEPLOYMENT),
                              .value = { (const char *)packed.bytes, packed.length } });
    report = verified(stage, &status);
    assert_non_null(strstr(report, "  deployment " STAGE_DEPLOYMENT ": version: "));
    assert_non_null(strstr(report, ", not "));
    assert_non_null(strstr(report, "1 differences: Redis is not what the log says"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

static void what_is_missing_and_what_is_too_much_is_named(void **state)
{
    struct stage *const stage = *state;
    struct arena *const arena = &stage->cluster.arena;
    const char *const prefix = stage->settings->redis.prefix;
    const int32_t p = partition_of(stage);
    const char *report;
    int status = -1;

    write(stage,
          &(struct store_op){ .kind = STORE_DELETE,
                              .key = KEY_FEATURE(arena, p, prefix, STAGE_FEATURE) });
    write(stage,
          &(struct store_op){ .kind = STORE_SORTED_ADD,
                              .key = KEY_DONE(arena, p, prefix),
                              .field = "nobody.1",
                              .score = 5 });
    write(stage,
          &(struct store_op){ .kind = STORE_HASH_SET,
                              .key = KEY_TIMELINE(arena, p, prefix, STAGE_DEPLOYMENT),
                              .field = "0000000001.0000",
                              .value = { "?", 1 } });
    report = verified(stage, &status);
    assert_non_null(strstr(report, "feature " STAGE_FEATURE ": missing in Redis"));
    assert_non_null(strstr(report, "nobody.1 at 5: in Redis, and not by the log"));
    assert_non_null(strstr(
        report, "timeline of " STAGE_DEPLOYMENT ", entry 0000000001.0000: another value"));
    assert_non_null(strstr(report, "3 differences: Redis is not what the log says"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

/* One name too many hides none of those around it. */
static void what_is_too_much_is_named_alone(void **state)
{
    struct stage *const stage = *state;
    struct arena *const arena = &stage->cluster.arena;
    const char *const prefix = stage->settings->redis.prefix;
    const int32_t p = partition_of(stage);
    const char *report;
    int status = -1;

    write(stage,
          &(struct store_op){ .kind = STORE_SORTED_ADD,
                              .key = KEY_LIVE(arena, p, prefix),
                              .field = "a.1",
                              .score = 5 });
    write(stage,
          &(struct store_op){ .kind = STORE_SORTED_ADD,
                              .key = KEY_DONE(arena, p, prefix),
                              .field = "a.1",
                              .score = 5 });
    write(stage,
          &(struct store_op){ .kind = STORE_HASH_SET,
                              .key = KEY_TIMELINE(arena, p, prefix, STAGE_DEPLOYMENT),
                              .field = "0000000000.0000",
                              .value = { "?", 1 } });
    report = verified(stage, &status);
    assert_non_null(strstr(report, "live deployments: a.1 at 5: in Redis, and not by the log"));
    assert_non_null(
        strstr(report, "ended deployments: a.1 at 5: in Redis, and not by the log"));
    assert_non_null(strstr(report, "entry 0000000000.0000: in Redis, and not by the log"));
    assert_non_null(strstr(report, "3 differences: Redis is not what the log says"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

/* A partition whose log has no more than its first record is not empty. */
static void of_a_log_that_only_began_redis_may_not_hold_nothing(void **state)
{
    struct stage *const stage = *state;
    const int32_t other = (int32_t)stage->settings->kafka.partitions - 1;
    int status = -1;

    assert_non_null(memory_broker_record(stage->cluster.broker, "events.v1", other, 0));
    assert_null(memory_broker_record(stage->cluster.broker, "events.v1", other, 1));
    write(stage,
          &(struct store_op){
              .kind = STORE_DELETE,
              .key = KEY_LOG(&stage->cluster.arena, other, stage->settings->redis.prefix) });
    assert_non_null(strstr(verified(stage, &status), "Redis holds nothing of it yet"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

/* The coordinator that runs beside it was not told, and still holds what it wrote. */
static void of_a_log_that_was_cut_it_is_said_at_which_end(void **state)
{
    struct stage *const stage = *state;
    struct memory_broker *const broker = stage->cluster.broker;
    const int32_t p = partition_of(stage);
    const int64_t high = memory_broker_high(broker, "events.v1", p);
    const char *report;
    int status = -1;

    memory_broker_cut(broker, "events.v1", p, 0, high - 1);
    report = verified(stage, &status);
    assert_non_null(strstr(report, "the log ends before the record that was applied last"));
    assert_null(strstr(report, "lost its beginning"));
    assert_int_equal(status, VERIFY_DIFFERS);
    memory_broker_cut(broker, "events.v1", p, 1, high - 1);
    report = verified(stage, &status);
    assert_non_null(strstr(report, "the log has lost its beginning"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

static void somebody_reports(struct stage *stage, int turn)
{
    stage_incident(stage, arena_printf(&stage->arena, "alert %d", turn), PB__SEVERITY__WARNING);
    for (int i = 0; i < 4; i++)
        assert_true(cluster_turn(stage->coordinator));
}

static void of_a_redis_that_never_stands_still_nothing_is_said_to_differ(void **state)
{
    struct stage *const stage = *state;
    const uint64_t before = stage_state(stage)->version;
    int status = -1;
    const char *const report = verified_while(stage, somebody_reports, &status);

    assert_true(stage_state(stage)->version > before + 100);
    assert_null(strstr(report, "differences"));
    assert_null(strstr(report, "everything in Redis is as the log says"));
    assert_non_null(strstr(report, "1 partitions could not be compared"));
    assert_int_equal(status, VERIFY_UNSURE);
}

/* As a rebuild does while somebody verifies: the mark stands where it stood once. */
static void redis_begins_anew(struct stage *stage, int turn)
{
    if (turn == 0)
        return;
    write(stage,
          &(struct store_op){ .kind = STORE_HASH_SET,
                              .key = KEY_LOG(&stage->cluster.arena,
                                             partition_of(stage),
                                             stage->settings->redis.prefix),
                              .field = "offset",
                              .value = { "3", 1 } });
}

static void of_a_redis_that_is_being_folded_anew_nothing_is_said_to_differ(void **state)
{
    struct stage *const stage = *state;
    int status = -1;
    const char *report;

    write(stage,
          &(struct store_op){ .kind = STORE_DELETE,
                              .key = KEY_FEATURE(&stage->cluster.arena,
                                                 partition_of(stage),
                                                 stage->settings->redis.prefix,
                                                 STAGE_FEATURE) });
    report = verified_while(stage, redis_begins_anew, &status);
    assert_null(strstr(report, "differences"));
    assert_non_null(strstr(report, "is being folded anew: it has 4 records again"));
    assert_int_equal(status, VERIFY_UNSURE);
}

static void redis_is_emptied(struct stage *stage, int turn)
{
    if (turn == 1)
        memory_space_clear(stage->cluster.space);
}

static void of_a_redis_that_is_emptied_meanwhile_nothing_is_said_to_differ(void **state)
{
    int status = -1;
    const char *const report = verified_while(*state, redis_is_emptied, &status);

    assert_null(strstr(report, "differences"));
    assert_non_null(strstr(report, "is being folded anew: it has 0 records again"));
    assert_int_equal(status, VERIFY_UNSURE);
}

static void a_redis_that_lost_everything_is_told_from_one_that_is_right(void **state)
{
    struct stage *const stage = *state;
    const char *report;
    int status = -1;

    memory_space_clear(stage->cluster.space);
    report = verified(stage, &status);
    assert_non_null(strstr(report, "Redis holds nothing of it yet"));
    assert_int_equal(status, VERIFY_DIFFERS);
}

static void what_was_folded_anew_is_byte_for_byte_what_it_was(void **state)
{
    struct stage *const stage = *state;
    const struct store_value before = stage_bytes(stage);
    const char *const copy = arena_copy(&stage->arena, before.bytes, before.length);
    struct store_value after;
    int status = -1;

    memory_space_clear(stage->cluster.space);
    stage_pass(stage, 60 * 1000);
    after = stage_bytes(stage);
    assert_int_equal(after.length, before.length);
    assert_memory_equal(after.bytes, copy, before.length);
    assert_non_null(strstr(verified(stage, &status), "everything in Redis is as the log says"));
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_a_coordinator_wrote_is_what_the_log_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_named_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_redis_that_never_stands_still_nothing_is_said_to_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_redis_that_is_emptied_meanwhile_nothing_is_said_to_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_redis_that_is_being_folded_anew_nothing_is_said_to_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_log_that_only_began_redis_may_not_hold_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(
            of_a_log_that_was_cut_it_is_said_at_which_end, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_changed_state_is_named_with_its_first_differing_field, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_missing_and_what_is_too_much_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_redis_that_lost_everything_is_told_from_one_that_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_was_folded_anew_is_byte_for_byte_what_it_was, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
