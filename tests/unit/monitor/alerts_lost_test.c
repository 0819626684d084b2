/* The monitor dies, or Redis forgets, between an alert and its end. */
#include "common/wire/topics.h"
#include "services/monitor/alerts.h"
#include "tests/support/test.h"
#include "tests/unit/monitor/alert_scene.h"

static void an_end_that_waits_is_told_by_the_next_when_the_monitor_dies(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    memory_clock_advance(&f->world.drivers.clock, 1000);
    alert_add(f, "ShopErrors", "f1")->status = PB__ALERT_STATUS__RESOLVED;
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    alert_scene_restart(f);
    alert_hear(f);
    memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
    alert_hear(f);
    (void)alert_incidents(f, "express-pay.1", &incident);
    assert_false(incident->open);
    assert_int_equal(alert_remembered(f), 0);
}

static void resolve(struct alert_scene *f, const char *name, const char *fingerprint)
{
    alert_add(f, name, fingerprint)->status = PB__ALERT_STATUS__RESOLVED;
    alert_send_and_hear(f);
}

static void what_is_over_stays_over_when_redis_loses_its_tail(void **state)
{
    struct alert_scene *const f = *state;
    struct memory_space *before;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    before = memory_space_copy(f->world.space);
    memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
    resolve(f, "ShopErrors", "f1");
    (void)alert_add(f, "ShopLatency", "f2");
    alert_send_and_hear(f);
    memory_space_restore(f->world.space, before);
    memory_space_free(before);
    memory_clock_advance(&f->world.drivers.clock, HEARD_CHECK_MS);
    alert_hear(f);
    assert_int_equal(alert_remembered(f), 1);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident),
                     3); /* No word is said twice. */
    assert_int_equal(
        memory_metric(f->world.metrics, "slipway_alerts_heard_again_total", "", ""), 2);
    resolve(f, "ShopLatency", "f2");
    assert_int_equal(alert_remembered(f), 0);
}

static void what_is_open_stays_open_when_redis_is_emptied(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    (void)alert_add(f, "ShopLatency", "f2");
    alert_send_and_hear(f);
    resolve(f, "ShopLatency", "f2");
    memory_space_clear(f->world.space);
    alert_scene_deploy(f, "gift-card.4", "gift-card", PB__PHASE__EXECUTING);
    memory_clock_advance(&f->world.drivers.clock, HEARD_CHECK_MS);
    alert_hear(f);
    assert_int_equal(alert_remembered(f), 1);
    /* It was told to whom it concerned, when it came. */
    assert_int_equal(alert_incidents(f, "gift-card.4", &incident), 0);
}

static void what_redis_lost_while_no_monitor_ran_is_heard_again(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    memory_space_clear(f->world.space);
    alert_scene_restart(f);
    alert_hear(f);
    assert_int_equal(alert_remembered(f), 1);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

static void a_loss_is_noticed_by_the_next_alert_too_and_that_one_is_told(void **state)
{
    struct alert_scene *const f = *state;
    struct memory_space *before;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    before = memory_space_copy(f->world.space);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    memory_space_restore(f->world.space, before);
    memory_space_free(before);
    (void)alert_add(f, "ShopLatency", "f2");
    alert_send(f);
    assert_int_not_equal(alert_turn(f), ERR_OK); /* Redis does not have what it had. */
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 2);
    alert_hear(f);
    assert_int_equal(alert_remembered(f), 2);
}

static void who_is_to_blame_is_not_forgotten_with_redis(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_hear(f);
    memory_space_clear(f->world.space); /* And the coordinator has not noticed yet. */
    memory_clock_advance(&f->world.drivers.clock, SUSPECTS_WARM_MS);
    alert_hear(f);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

static void an_alert_waits_until_it_is_known_who_may_be_to_blame(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    memory_space_clear(f->world.space);
    alert_scene_restart(f);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send(f);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(alert_turn(f), ERR_OK);
    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_scene_whole(f);
    alert_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, alert_scene_open, alert_scene_close)
    const struct CMUnitTest tests[] = {
        WITH(an_end_that_waits_is_told_by_the_next_when_the_monitor_dies),
        WITH(what_is_over_stays_over_when_redis_loses_its_tail),
        WITH(what_is_open_stays_open_when_redis_is_emptied),
        WITH(what_redis_lost_while_no_monitor_ran_is_heard_again),
        WITH(a_loss_is_noticed_by_the_next_alert_too_and_that_one_is_told),
        WITH(who_is_to_blame_is_not_forgotten_with_redis),
        WITH(an_alert_waits_until_it_is_known_who_may_be_to_blame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
