/* The kill switch that needs no gateway. */
#include "services/cli/direct.h"

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/domain/flags.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

static struct {
    struct cli cli;
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_http *http;
    struct bus bus;
    struct envelope_keys keys;
    struct settings settings;
    const char *peers[2];
} t;

static bool wait_in_test(void *self, int ms)
{
    (void)self;
    memory_clock_advance(&t.clock, ms);
    return true;
}

static void add_key(const char *writer, unsigned char byte)
{
    const size_t place = t.keys.count++;

    (void)snprintf(t.keys.item[place].writer, sizeof t.keys.item[place].writer, "%s", writer);
    memset(t.keys.item[place].key, byte, 32);
    t.keys.item[place].length = 32;
}

static int open_all(void **state)
{
    static const struct bus_topic control = { .name = TOPIC_CONTROL, .partitions = 1 };
    struct error error = { 0 };

    (void)state;
    memset(&t, 0, sizeof t);
    t.clock.now_ms = 1795442850000;
    t.cli.arena = arena_with_limit(4 << 20);
    t.cli.clock = memory_clock_port(&t.clock);
    t.cli.terminal.wait = wait_in_test;
    t.broker = memory_broker_new(t.cli.clock);
    t.bus = memory_bus(t.broker, (struct memory_faults){ 0 });
    t.http = memory_http_new();
    t.cli.http = memory_http_client(t.http);
    add_key("coordinator", 1);
    add_key("gateway", 2);
    t.peers[0] = "http://gateway-1";
    t.peers[1] = "http://gateway-2";
    t.settings.gateway.peers.items = t.peers;
    t.settings.gateway.peers.count = 2;
    assert_int_equal(t.bus.ensure_topics(t.bus.self, &control, 1, &error), ERR_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    t.bus.close(t.bus.self);
    memory_http_free(t.http);
    memory_broker_free(t.broker);
    arena_release(&t.cli.arena);
    return 0;
}

static void grant(const char *environment, const char *deployment, unsigned sequence)
{
    Pb__Control *const control = pb_new(&t.cli.arena, &pb__control__descriptor);
    struct envelope envelope = { .id = deployment,
                                 .type = "slipway.v1.Control",
                                 .source = "/test",
                                 .subject = deployment,
                                 .writer = "coordinator",
                                 .time_ms = t.clock.now_ms };
    struct envelope_out out = { .topic = TOPIC_CONTROL,
                                .message = &control->base,
                                .sign = true };
    struct bus_record record;
    struct error error = { 0 };

    control->body_case = PB__CONTROL__BODY_FLAG;
    control->flag = pb_new(&t.cli.arena, &pb__flag_value__descriptor);
    control->flag->flag = "express-pay";
    control->flag->environment = environment;
    control->flag->deployment = deployment;
    control->flag->percent = 25;
    control->flag->sequence = sequence;
    out.key = arena_printf(&t.cli.arena, "flag/%s/express-pay", environment);
    assert_int_equal(envelope_seal(&t.cli.arena, &t.keys, &envelope, &out, &record, &error),
                     ERR_OK);
    assert_int_equal(t.bus.publish(t.bus.self, &record, &error), ERR_OK);
}

static enum cli_exit kill_in(const char *environment)
{
    const struct direct_kill kill = { .settings = &t.settings,
                                      .bus = &t.bus,
                                      .keys = &t.keys,
                                      .flag = "express-pay",
                                      .environment = environment,
                                      .reason = "gateways are down" };

    return direct_kill(&t.cli, &kill);
}

/* The newest record, believed as the gateway's; NULL if it is no kill. */
static const Pb__Kill *killed(int64_t offset)
{
    static const char *const gateway_only[] = { "gateway", NULL };
    const struct bus_record *const record =
        memory_broker_record(t.broker, TOPIC_CONTROL, 0, offset);
    struct error error = { 0 };
    void *control = NULL;

    if (record == NULL)
        return NULL;
    assert_int_equal(envelope_verify(&t.keys, record, gateway_only, &error), ERR_OK);
    assert_int_equal(pb_unpack(&t.cli.arena,
                               &pb__control__descriptor,
                               (struct pb_bytes){ record->bytes, record->length },
                               &control,
                               &error),
                     ERR_OK);
    return ((const Pb__Control *)control)->kill;
}

static void the_newest_owner_of_the_flag_is_latched(void **state)
{
    static const struct memory_http_answer off = {
        .url = "http://gateway-1/internal/v1/flags/production/express-pay",
        .status = 200,
        .body = "{\"latched\":true}"
    };
    const Pb__Kill *kill;

    (void)state;
    memory_http_answer(t.http, &off);
    grant("production", "express-pay.1", 1);
    grant("production", "express-pay.2", 2);
    assert_int_equal(kill_in(NULL), EXIT_DONE);
    kill = killed(2);
    assert_non_null(kill);
    assert_string_equal(kill->deployment, "express-pay.2");
    assert_string_equal(kill->environment, "production");
    assert_string_equal(kill->flags[0], "express-pay");
    assert_string_equal(kill->reason, "gateways are down");
    assert_int_equal(strncmp(kill->actor->subject, "direct/", 7), 0);
    assert_int_equal(kill_in(NULL), EXIT_DONE); /* It is latched, and stays so. */
    assert_null(memory_broker_record(t.broker, TOPIC_CONTROL, 0, 3));
}

static void which_flag_is_meant_must_be_clear(void **state)
{
    (void)state;
    assert_int_equal(kill_in(NULL), EXIT_NO_SUCH);
    grant("production", "express-pay.1", 1);
    grant("staging", "express-pay.2", 1);
    assert_int_equal(kill_in(NULL), EXIT_USAGE);
    assert_null(memory_broker_record(t.broker, TOPIC_CONTROL, 0, 2));
    assert_int_equal(kill_in("staging"), EXIT_DONE);
    assert_string_equal(killed(2)->deployment, "express-pay.2");
}

static void a_dry_run_writes_nothing(void **state)
{
    (void)state;
    grant("production", "express-pay.1", 1);
    t.cli.dry_run = true;
    assert_int_equal(kill_in(NULL), EXIT_DONE);
    assert_null(memory_broker_record(t.broker, TOPIC_CONTROL, 0, 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_owner_of_the_flag_is_latched),
        TEST(which_flag_is_meant_must_be_clear),
        TEST(a_dry_run_writes_nothing),
    };

    return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
