/* What is shown of changes and incidents from the record, and how new it is. */
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

#include <inttypes.h>

/* In step 2, caused by that event. */
static void executed(struct world_deployment *deployment,
                     uint64_t version,
                     const char *type,
                     const char *text)
{
    const uint32_t step = deployment->state->step;

    memory_clock_advance(&w.clock, 1000);
    deployment->state->step = 2;
    world_entry(deployment, version, type, text, NULL);
    deployment->state->step = step;
}

static void a_batch_says_when_it_went_in_and_under_which_fence(void **state)
{
    struct world_deployment deployment = world_rolling_out();
    const int64_t at_ms = w.clock.now_ms;

    (void)state;
    deployment.state->applied[0]->fence = pb_new(&w.arena, &pb__fence__descriptor);
    deployment.state->applied[0]->fence->grant = 7;
    deployment.state->applied[0]->fence->version = 41;
    world_store(&deployment);
    executed(&deployment, 4, "TaskStarted", "apply by executor-1");
    executed(&deployment, 5, "BatchGo", "in and healthy");
    executed(&deployment, 6, "TaskStarted", "apply by executor-2");
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_int_equal(world_int("changes.0.batches.0.fence.grant"), 7);
    assert_int_equal(world_int("changes.0.batches.0.fence.version"), 41);
    assert_int_equal(world_int("changes.0.began_ms"), at_ms + 1000);
    assert_int_equal(world_int("changes.0.batches.0.ended_ms"), at_ms + 2000);
    assert_string_equal(world_text("changes.0.batches.0.instances.0.running"),
                        deployment.plan->changes[0]->version);
    assert_true(json_is_null(world_at("changes.1.batches.0.fence")));
    assert_int_equal(world_int("changes.1.batches.0.began_ms"), at_ms + 3000);
    assert_true(json_is_null(world_at("changes.1.ended_ms")));
}

static void an_incident_says_who_saw_it_and_what_it_set_in_motion(void **state)
{
    struct world_deployment deployment = world_rolling_out();
    Pb__Incident *const incident = pb_new(&w.arena, &pb__incident__descriptor);

    (void)state;
    executed(&deployment, 4, "BatchGo", "in and healthy");
    memory_clock_advance(&w.clock, 120000);
    incident->cause = "BudgetBurn";
    incident->summary = "too many errors";
    incident->severity = PB__SEVERITY__CRITICAL;
    incident->first_ms = w.clock.now_ms;
    PB_APPEND(&w.arena, deployment.state, incidents, incident);
    world_store(&deployment);
    world_entry(
        &deployment, 5, "IncidentDetected", "critical: BudgetBurn, too many errors", NULL);
    world_entry(&deployment, 6, "Noted", "something else", NULL);
    assert_int_equal(world_get("/v1/deployments/express-pay.3"), 200);
    assert_int_equal(strlen(world_text("incidents.0.id")), strlen("inc-12345678"));
    assert_string_equal(world_text("incidents.0.source"), "watch");
    assert_string_equal(world_text("incidents.0.confidence"),
                        "measured for this deployment; changed 2 min before");
    assert_int_equal(world_count("incidents.0.reaction"), 0);
}

static int read_from_version(uint64_t version)
{
    return world_get(
        arena_printf(&w.arena, "/v1/deployments/express-pay.3?min_version=%" PRIu64, version));
}

static void a_read_that_asks_for_more_than_there_is_is_told_so(void **state)
{
    const struct world_deployment deployment = world_rolling_out();
    const uint64_t version = deployment.state->version;

    (void)state;
    assert_int_equal(read_from_version(version), 200);
    assert_int_equal(read_from_version(version + 1), 503);
    assert_string_equal(world_text("code"), "behind");
    assert_int_equal(world_int("current_version"), (int64_t)version);
    assert_int_equal(w.call.retry_after_s, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_batch_says_when_it_went_in_and_under_which_fence),
        TEST(an_incident_says_who_saw_it_and_what_it_set_in_motion),
        TEST(a_read_that_asks_for_more_than_there_is_is_told_so),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
