/* Alerts: Alertmanager's and Grafana's webhook, by hand, and those that are open. */
#include "services/gateway/alertmanager.h"

#include "common/wire/topics.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

/* Two alerts that arrived together, one of them over; as Alertmanager 0.27 sends them. */
static const char grouped[] =
    "{\"version\":\"4\",\"groupKey\":\"{}:{alertname=\\\"Burn\\\"}\",\"truncatedAlerts\":3,"
    "\"status\":\"firing\",\"receiver\":\"slipway\",\"groupLabels\":{\"alertname\":\"Burn\"},"
    "\"commonLabels\":{},\"commonAnnotations\":{},\"externalURL\":\"http://am\","
    "\"notification_reason\":\"first notification\",\"alerts\":["
    "{\"status\":\"firing\",\"labels\":{\"alertname\":\"Burn\",\"service\":\"shop\","
    "\"environment\":\"production\",\"severity\":\"critical\"},\"annotations\":{\"summary\":"
    "\"errors\"},\"startsAt\":\"2026-11-23T14:00:00.5Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
    "\"generatorURL\":\"http://prom/graph\",\"fingerprint\":\"00aa11bb22cc33dd\"},"
    "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"Slow\",\"service\":\"web\"},"
    "\"annotations\":{\"description\":\"p95\"},\"startsAt\":\"2026-11-23T13:00:00Z\","
    "\"endsAt\":\"2026-11-23T13:30:00+01:00\",\"fingerprint\":\"ff\"}]}";

/* Grafana's superset: version 1, values, numbers and nulls where they please. */
static const char grafana[] =
    "{\"version\":\"1\",\"orgId\":1,\"title\":\"[FIRING:1]\",\"state\":\"alerting\","
    "\"message\":"
    "\"**Firing**\",\"appVersion\":\"11.0\",\"groupKey\":\"g\",\"truncatedAlerts\":0,"
    "\"alerts\":[{"
    "\"status\":\"firing\",\"labels\":{\"alertname\":\"A\",\"service\":\"shop\","
    "\"environment\":"
    "\"production\",\"severity\":\"page\"},\"annotations\":{},\"startsAt\":"
    "\"2026-11-23T14:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\",\"values\":{\"B\":1.5,\"C\":"
    "null},\"valueString\":\"[ var='B' ]\",\"silenceURL\":\"http://g\",\"imageURL\":\"\","
    "\"fingerprint\":\"57c6d9296de2ad39\",\"orgId\":1,\"enrichments\":[]}]}";

static int webhook(const char *body)
{
    return world_post("monitoring", "/v1/alertmanager", body);
}

static void every_alert_of_a_group_counts(void **state)
{
    const Pb__AlertBatch *batch;

    (void)state;
    assert_int_equal(webhook(grouped), 202);
    assert_int_equal(world_int("alerts"), 2);
    assert_int_equal(world_int("truncated"), 3);
    batch = world_sent(TOPIC_ALERTS, &pb__alert_batch__descriptor);
    assert_string_equal(batch->source, "alertmanager/monitoring");
    assert_string_equal(batch->group, "{}:{alertname=\"Burn\"}");
    assert_int_equal(batch->truncated, 3);
    assert_int_equal(batch->n_alerts, 2);
    assert_int_equal(batch->alerts[0]->status, PB__ALERT_STATUS__FIRING);
    assert_int_equal(batch->alerts[0]->severity, PB__SEVERITY__CRITICAL);
    assert_string_equal(batch->alerts[0]->name, "Burn");
    assert_string_equal(batch->alerts[0]->service, "shop");
    assert_string_equal(batch->alerts[0]->environment, "production");
    assert_string_equal(batch->alerts[0]->summary, "errors");
    assert_int_equal(batch->alerts[0]->starts_at_ms, 1795442400500);
    assert_int_equal(batch->alerts[0]->ends_at_ms, 0);
    assert_string_equal(batch->alerts[0]->link, "http://prom/graph");
    assert_int_equal(batch->alerts[1]->status, PB__ALERT_STATUS__RESOLVED);
    assert_int_equal(batch->alerts[1]->severity, PB__SEVERITY__WARNING);
    assert_string_equal(batch->alerts[1]->environment, "");
    assert_string_equal(batch->alerts[1]->summary, "p95");
    assert_int_equal(batch->alerts[1]->ends_at_ms, 1795437000000);
    assert_string_equal(world_record(TOPIC_ALERTS)->key, "shop");
}

static void grafana_sends_more_and_is_understood(void **state)
{
    const Pb__AlertBatch *batch;

    (void)state;
    assert_int_equal(webhook(grafana), 202);
    batch = world_sent(TOPIC_ALERTS, &pb__alert_batch__descriptor);
    assert_int_equal(batch->n_alerts, 1);
    assert_int_equal(batch->alerts[0]->severity, PB__SEVERITY__CRITICAL);
    assert_string_equal(batch->alerts[0]->fingerprint, "57c6d9296de2ad39");
}

static void an_empty_group_is_taken_and_sends_nothing(void **state)
{
    (void)state;
    assert_int_equal(webhook("{\"alerts\":[]}"), 202);
    assert_int_equal(world_sent_count(TOPIC_ALERTS), 0);
}

static void rubbish_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *body;
        const char *detail;
    } cases[] = {
        { "", "line 1" },
        { "[]", "alerts must be a list" },
        { "{\"alerts\":{}}", "alerts must be a list" },
        { "{\"alerts\":[1]}", "alerts[0]: labels" },
        { "{\"alerts\":[{\"labels\":{},\"status\":\"new\"}]}", "alerts[0]: status" },
        { "{\"alerts\":[{\"labels\":{},\"status\":\"firing\"}]}", "alerts[0]: fingerprint" },
        { "{\"alerts\":[{\"labels\":[],\"status\":\"firing\",\"fingerprint\":\"a\"}]}",
          "alerts[0]: labels" },
        { "{\"alerts\":[],\"alerts\":[]}", "line 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(webhook(cases[i].body), 400);
        if (strstr(world_text("detail"), cases[i].detail) == NULL)
            fail_msg("%s: %s", cases[i].body, world_text("detail"));
    }
    assert_int_equal(world_sent_count(TOPIC_ALERTS), 0);
}

static void a_thousand_fit_and_one_more_does_not(void **state)
{
    struct text body = text_new(1 << 20);
    struct error error = { 0 };
    Pb__AlertBatch *batch = NULL;

    (void)state;
    text_add(&body, "{\"alerts\":[");
    for (int i = 0; i < ALERTMANAGER_ALERTS_MAX; i++)
        text_add(&body,
                 "%s{\"labels\":{},\"status\":\"firing\",\"fingerprint\":\"%d\"}",
                 i > 0 ? "," : "",
                 i);
    text_add(&body, "]}");
    assert_int_equal(
        alertmanager_read(&w.arena,
                          "s",
                          (struct pb_bytes){ (const uint8_t *)body.bytes, body.length },
                          &batch,
                          &error),
        ERR_OK);
    assert_int_equal(batch->n_alerts, ALERTMANAGER_ALERTS_MAX);
    body.length -= 2;
    text_add(&body, ",{\"labels\":{},\"status\":\"firing\",\"fingerprint\":\"x\"}]}");
    assert_int_equal(webhook(body.bytes), 413);
    text_release(&body);
}

static enum memory_fault no_kafka(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)object;
    return strcmp(operation, "publish") == 0 ? FAULT_BEFORE : FAULT_NONE;
}

/* Alertmanager sends again after 5xx, never after 4xx. */
static void trouble_of_ours_is_never_the_senders_fault(void **state)
{
    (void)state;
    w.bus_faults.ask = no_kafka;
    assert_int_equal(webhook(grouped), 503);
    assert_int_equal(w.call.retry_after_s, 1);
}

static void monitoring_is_never_refused_for_its_rate(void **state)
{
    (void)state;
    for (int i = 0; i < 1500; i++)
        assert_int_equal(webhook("{\"alerts\":[]}"), 202);
}

static void only_those_who_may_send_alerts_do(void **state)
{
    (void)state;
    assert_int_equal(world_post("ci", "/v1/alertmanager", grouped), 403);
    assert_int_equal(world_post("rita", "/v1/alerts", "{}"), 403);
    assert_int_equal(world_sent_count(TOPIC_ALERTS), 0);
}

static const char by_hand[] =
    "{\"service\":\"shop\",\"environment\":\"production\",\"severity\":\"CRITICAL\","
    "\"summary\":\"pay fails\"}";

static void an_alert_by_hand_says_whom_it_concerns(void **state)
{
    struct world_deployment runs = world_deployment("runs.1", PB__PHASE__ROLLING_OUT);
    struct world_deployment waits = world_deployment("waits.1", PB__PHASE__IN_REVIEW);
    struct world_deployment undone = world_deployment("undone.1", PB__PHASE__ROLLED_BACK);
    struct world_deployment done = world_deployment("done.1", PB__PHASE__COMPLETED);
    struct world_deployment past = world_deployment("past.1", PB__PHASE__COMPLETED);

    (void)state;
    done.state->dates->execution_ms = w.clock.now_ms - 1000;
    past.state->dates->execution_ms = w.clock.now_ms - 1000 - past.plan->blame_window_ms;
    world_store(&runs);
    world_store(&waits);
    world_store(&undone);
    world_store(&done);
    world_store(&past);
    assert_int_equal(world_post("monitoring", "/v1/alerts", by_hand), 202);
    assert_int_equal(world_count("matches"), 2);
    assert_string_equal(world_text("matches.0.deployment"), "runs.1");
    assert_string_equal(world_text("matches.1.deployment"), "done.1");
    assert_int_equal(world_int("matches.1.changed_ms"), w.clock.now_ms - 1000);
    assert_int_equal(strlen(world_text("fingerprint")), 16);
}

static void the_same_words_are_the_same_alert(void **state)
{
    const char *first;

    (void)state;
    assert_int_equal(world_post("monitoring", "/v1/alerts", by_hand), 202);
    first = arena_text(&w.arena, world_text("fingerprint"));
    assert_int_equal(world_post("monitoring", "/v1/alerts", by_hand), 202);
    assert_string_equal(world_text("fingerprint"), first);
}

static enum memory_fault no_redis(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)operation;
    (void)object;
    return FAULT_BEFORE;
}

static void an_alert_is_taken_without_redis_too(void **state)
{
    (void)state;
    w.store_faults.ask = no_redis;
    assert_int_equal(world_post("monitoring", "/v1/alerts", by_hand), 202);
    assert_true(json_is_null(world_at("matches")));
    assert_int_equal(world_sent_count(TOPIC_ALERTS), 1);
    assert_int_equal(world_get("/v1/alerts"), 503);
}

static void what_is_missing_of_an_alert_is_named(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *field;
    } cases[] = {
        { "{}", 422, "service" },
        { "{\"service\":\"shop\"}", 422, "environment" },
        { "{\"service\":\"shop\",\"environment\":\"production\"}", 422, "severity" },
        { "{\"service\":\"shop\",\"environment\":\"production\",\"severity\":\"BAD\"}",
          400,
          "" },
        { "{\"servise\":\"shop\"}", 400, "" },
        { "rubbish", 400, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(world_post("monitoring", "/v1/alerts", cases[i].body),
                         cases[i].status);
        assert_string_equal(world_text("field"), cases[i].field);
    }
}

static void open_alerts_are_listed_with_whom_they_concern(void **state)
{
    struct world_deployment runs = world_deployment("runs.1", PB__PHASE__ROLLING_OUT);
    Pb__Alert *const alert = pb_new(&w.arena, &pb__alert__descriptor);

    (void)state;
    world_store(&runs);
    alert->service = "shop";
    alert->environment = "production";
    alert->severity = PB__SEVERITY__CRITICAL;
    alert->status = PB__ALERT_STATUS__FIRING;
    alert->fingerprint = "f";
    world_put_field("slipway:alerts:shop", "f@1", alert);
    assert_int_equal(world_get("/v1/alerts"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_string_equal(world_text("items.0.matches.0.deployment"), "runs.1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(every_alert_of_a_group_counts),
        TEST(grafana_sends_more_and_is_understood),
        TEST(an_empty_group_is_taken_and_sends_nothing),
        TEST(rubbish_is_refused_with_its_place),
        TEST(a_thousand_fit_and_one_more_does_not),
        TEST(trouble_of_ours_is_never_the_senders_fault),
        TEST(monitoring_is_never_refused_for_its_rate),
        TEST(only_those_who_may_send_alerts_do),
        TEST(an_alert_by_hand_says_whom_it_concerns),
        TEST(the_same_words_are_the_same_alert),
        TEST(an_alert_is_taken_without_redis_too),
        TEST(what_is_missing_of_an_alert_is_named),
        TEST(open_alerts_are_listed_with_whom_they_concern),
    };

    return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
