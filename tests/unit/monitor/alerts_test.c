#include "common/wire/topics.h"
#include "services/monitor/alerts.h"
#include "tests/support/test.h"
#include "tests/unit/monitor/alert_scene.h"

static void an_alert_becomes_an_incident_of_the_deployment_at_work(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_string_equal(incident->cause, "ShopErrors");
    assert_int_equal(incident->severity, PB__SEVERITY__CRITICAL);
    assert_true(incident->open);
    assert_string_equal(incident->summary, "it burns");
    assert_string_equal(incident->alerts[0]->fingerprint, "f1");
    assert_int_equal(alert_remembered(f), 1);
}

static void a_deployment_that_begins_just_before_is_seen(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_hear(f);
    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

/* The clock of its coordinator was ahead: until then its time of update stands still. */
static void a_deployment_whose_time_stands_still_is_seen_as_it_is_now(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    f->ahead_ms = f->world.drivers.clock.now_ms + 20 * 60 * 1000;
    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__QUEUED);
    alert_hear(f);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 0);
    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopLatency", "f2");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

static void every_alert_of_a_group_counts_for_every_deployment_it_matches(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_scene_deploy(f, "gift-card.4", "gift-card", PB__PHASE__OBSERVING);
    alert_scene_deploy(f, "old.2", "old", PB__PHASE__QUEUED);
    (void)alert_add(f, "ShopErrors", "f1");
    (void)alert_add(f, "ShopLatency", "f2");
    alert_add(f, "StagingErrors", "f3")->environment = "staging";
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 2);
    assert_int_equal(alert_incidents(f, "gift-card.4", &incident), 2);
    assert_int_equal(alert_incidents(f, "old.2", &incident), 0);
}

static void labels_speak_where_fields_are_silent(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;
    Pb__Alert *const alert = alert_add(f, "", "f1");

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert->service = "";
    alert->environment = "";
    alert->severity = PB__SEVERITY__SEVERITY_UNSPECIFIED;
    PB_APPEND(&f->arena, alert, labels, pb_pair_new(&f->arena, "service", "shop"));
    PB_APPEND(&f->arena, alert, labels, pb_pair_new(&f->arena, "environment", "production"));
    PB_APPEND(&f->arena, alert, labels, pb_pair_new(&f->arena, "alertname", "ShopErrors"));
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_string_equal(incident->cause, "ShopErrors");
    assert_int_equal(incident->severity, PB__SEVERITY__WARNING);
}

static void an_alert_without_labels_is_a_dead_letter_and_the_others_count(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_add(f, "Nameless", "f1")->service = "";
    (void)alert_add(f, "ShopErrors", "f2");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_int_equal(alert_count_records(f, TOPIC_DEAD_LETTER), 1);
    assert_true(memory_log_has(f->world.log, "the alert names no service"));
}

static void who_alerts_proves_it_where_that_is_asked_for(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    f->world.service.producers = &f->world.keys;
    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 0);
    assert_int_equal(alert_count_records(f, TOPIC_DEAD_LETTER), 1);
    f->writer = "monitor";
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_int_equal(alert_count_records(f, TOPIC_DEAD_LETTER), 1);
}

static void what_is_no_batch_of_alerts_is_a_dead_letter(void **state)
{
    struct alert_scene *const f = *state;
    struct bus_record garbage = { .topic = TOPIC_ALERTS,
                                  .partition = 1,
                                  .key = "shop",
                                  .bytes = (const uint8_t *)"?",
                                  .length = 1 };
    Pb__Stage wrong_type = PB__STAGE__INIT;
    struct error error = { 0 };

    wrong_type.name = "beta";
    alert_publish(f, &wrong_type, "b");
    assert_int_equal(f->world.service.bus.publish(f->world.service.bus.self, &garbage, &error),
                     ERR_OK);
    garbage.bytes = NULL;
    garbage.length = 0;
    assert_int_equal(f->world.service.bus.publish(f->world.service.bus.self, &garbage, &error),
                     ERR_OK);
    f->batch = pb_new(&f->arena, &pb__alert_batch__descriptor);
    alert_send_and_hear(f);
    assert_int_equal(alert_count_records(f, TOPIC_DEAD_LETTER), 4);
}

static void alerts_of_services_we_do_not_deploy_are_none_of_our_business(void **state)
{
    struct alert_scene *const f = *state;

    alert_add(f, "Errors", "f1")->service = "billing";
    alert_send_and_hear(f);
    assert_int_equal(alert_count_records(f, TOPIC_DEAD_LETTER), 0);
    assert_int_equal(
        memory_metric(f->world.metrics, "slipway_alerts_total", "answer", "not-ours"), 1);
}

static void a_repeat_is_not_told_again_even_after_a_restart(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    for (int i = 0; i < 3; i++) {
        (void)alert_add(f, "ShopErrors", "f1");
        alert_send_and_hear(f);
        memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
        if (i == 1)
            alert_scene_restart(f);
    }
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
}

static void an_incident_is_over_when_its_last_alert_is(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    (void)alert_add(f, "ShopErrors", "f2");
    alert_send_and_hear(f);
    memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
    alert_hear(f);
    memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
    alert_add(f, "ShopErrors", "f1")->status = PB__ALERT_STATUS__RESOLVED;
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 2);
    assert_true(incident->open);
    alert_add(f, "ShopErrors", "f2")->status = PB__ALERT_STATUS__RESOLVED;
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 3);
    assert_false(incident->open);
    assert_int_equal(alert_remembered(f), 0);
}

static void a_resolution_with_another_start_holds_for_what_is_open(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;
    Pb__Alert *alert;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send_and_hear(f);
    alert = alert_add(f, "ShopErrors", "f1"); /* Prometheus lost its state and began again. */
    alert->starts_at_ms = 5000;
    alert_send_and_hear(f);
    assert_int_equal(alert_remembered(f), 1);
    memory_clock_advance(&f->world.drivers.clock, 2 * INCIDENT_EVERY_MS);
    alert = alert_add(f, "ShopErrors", "f1");
    alert->starts_at_ms = 4000;
    alert->status = PB__ALERT_STATUS__RESOLVED;
    alert_send_and_hear(f);
    assert_int_equal(alert_remembered(f), 1); /* Late word. */
    alert = alert_add(f, "ShopErrors", "f1");
    alert->starts_at_ms = 6000;
    alert->status = PB__ALERT_STATUS__RESOLVED;
    memory_clock_advance(&f->world.drivers.clock, 2 * INCIDENT_EVERY_MS);
    alert_send_and_hear(f);
    assert_int_equal(alert_remembered(f), 0);
    assert_true(alert_incidents(f, "express-pay.1", &incident) >= 2);
    assert_false(incident->open);
}

static void a_direct_rule_latches_before_it_reports(void **state)
{
    struct alert_scene *const f = *state;
    const struct bus_record *record;
    struct error error = { 0 };
    void *control = NULL;
    const Pb__Kill *kill;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__ROLLING_OUT);
    alert_scene_deploy(f, "gift-card.4", "gift-card", PB__PHASE__CHECKING);
    (void)alert_add(f, "ShopIsDown", "f1");
    (void)alert_add(f, "ShopIsDown", "f2");
    alert_send_and_hear(f);
    assert_int_equal(alert_count_records(f, TOPIC_CONTROL), 1);
    record = memory_broker_record(f->world.broker, TOPIC_CONTROL, 0, 0);
    assert_string_equal(record->key, "kill/express-pay.1");
    assert_string_equal(bus_header(record, "ce_writer"), "monitor");
    assert_int_equal(envelope_verify(&f->world.keys, record, NULL, &error), ERR_OK);
    assert_int_equal(pb_unpack(&f->arena,
                               &pb__control__descriptor,
                               (struct pb_bytes){ record->bytes, record->length },
                               &control,
                               &error),
                     ERR_OK);
    kill = ((Pb__Control *)control)->kill;
    assert_string_equal(kill->flags[0], "express-pay");
    assert_string_equal(kill->reason, "alert ShopIsDown: it burns");
}

static void a_rule_that_is_not_direct_latches_nothing(void **state)
{
    struct alert_scene *const f = *state;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__ROLLING_OUT);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_add(f, "ShopIsDown", "f2")->severity = PB__SEVERITY__WARNING;
    alert_send_and_hear(f);
    assert_int_equal(alert_count_records(f, TOPIC_CONTROL), 0);
}

static void in_a_storm_the_first_incident_comes_first_and_alone(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident = NULL;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    for (int i = 0; i < 10000; i++) {
        const char *const fingerprint = arena_printf(&f->arena, "f%d", i);

        (void)alert_add(f, "ShopErrors", fingerprint);
        alert_send(f);
    }
    alert_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_string_equal(incident->alerts[0]->fingerprint, "f0");
    memory_clock_advance(&f->world.drivers.clock, INCIDENT_EVERY_MS);
    alert_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 2);
    assert_int_equal(incident->count, 9999);
    assert_int_equal(alert_remembered(f), 10000);
}

static void while_redis_is_away_incidents_still_go_out(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f0");
    alert_send_and_hear(f);
    f->world.store_fault = FAULT_BEFORE;
    (void)alert_add(f, "ShopLatency", "f1");
    alert_send(f);
    assert_int_not_equal(alert_turn(f),
                         ERR_OK); /* It cannot be remembered, so it stays uncommitted. */
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 2);
    f->world.store_fault = FAULT_NONE;
    alert_hear(f);
    assert_int_equal(alert_remembered(f), 2);
}

static void what_could_not_be_remembered_is_tried_again_and_not_told_again(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_hear(f);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send(f);
    f->world.store_fault = FAULT_BEFORE;
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(alert_turn(f), ERR_OK);
    f->world.store_fault = FAULT_NONE;
    alert_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 1);
    assert_int_equal(alert_remembered(f), 1);
}

static void what_the_bus_lost_is_told_again_under_the_same_id(void **state)
{
    struct alert_scene *const f = *state;
    const int32_t p = bus_partition("express-pay", 2);
    const struct bus_record *told;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    (void)alert_add(f, "ShopErrors", "f1");
    alert_send(f);
    f->world.publish_fault = FAULT_LOST;
    assert_int_not_equal(alert_turn(f), ERR_OK);
    assert_null(memory_broker_record(f->world.broker, TOPIC_EVENTS, p, 0));
    f->world.publish_fault = FAULT_AFTER;
    assert_int_not_equal(alert_turn(f), ERR_OK);
    f->world.publish_fault = FAULT_NONE;
    alert_hear(f);
    told = memory_broker_record(f->world.broker, TOPIC_EVENTS, p, 0);
    assert_non_null(told);
    assert_string_equal(bus_header(told, "ce_id"),
                        "alert.express-pay.1.ShopErrors.f1@1000.open");
    told = memory_broker_record(f->world.broker, TOPIC_EVENTS, p, 1);
    assert_string_equal(bus_header(told, "ce_id"),
                        "alert.express-pay.1.ShopErrors.f1@1000.open");
    assert_int_equal(alert_remembered(f), 1);
}

static void information_is_remembered_and_told_nobody(void **state)
{
    struct alert_scene *const f = *state;
    Pb__IncidentReported *incident;

    alert_scene_deploy(f, "express-pay.1", "express-pay", PB__PHASE__EXECUTING);
    alert_add(f, "ShopBackup", "f1")->severity = PB__SEVERITY__INFO;
    alert_send_and_hear(f);
    assert_int_equal(alert_incidents(f, "express-pay.1", &incident), 0);
    assert_int_equal(alert_remembered(f), 1);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, alert_scene_open, alert_scene_close)
    const struct CMUnitTest tests[] = {
        WITH(an_alert_becomes_an_incident_of_the_deployment_at_work),
        WITH(a_deployment_that_begins_just_before_is_seen),
        WITH(a_deployment_whose_time_stands_still_is_seen_as_it_is_now),
        WITH(every_alert_of_a_group_counts_for_every_deployment_it_matches),
        WITH(labels_speak_where_fields_are_silent),
        WITH(an_alert_without_labels_is_a_dead_letter_and_the_others_count),
        WITH(who_alerts_proves_it_where_that_is_asked_for),
        WITH(what_is_no_batch_of_alerts_is_a_dead_letter),
        WITH(alerts_of_services_we_do_not_deploy_are_none_of_our_business),
        WITH(a_repeat_is_not_told_again_even_after_a_restart),
        WITH(an_incident_is_over_when_its_last_alert_is),
        WITH(a_resolution_with_another_start_holds_for_what_is_open),
        WITH(a_direct_rule_latches_before_it_reports),
        WITH(a_rule_that_is_not_direct_latches_nothing),
        WITH(in_a_storm_the_first_incident_comes_first_and_alone),
        WITH(while_redis_is_away_incidents_still_go_out),
        WITH(what_could_not_be_remembered_is_tried_again_and_not_told_again),
        WITH(what_the_bus_lost_is_told_again_under_the_same_id),
        WITH(information_is_remembered_and_told_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
