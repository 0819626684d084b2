#include "tests/unit/flag_rollout/rollout_world.h"

#include "common/wire/topics.h"
#include "tests/support/test.h"

struct rollout_world w;

static void key_of(const char *writer)
{
    const size_t i = w.keys.count++;

    memcpy(w.keys.item[i].writer, writer, strlen(writer) + 1);
    memcpy(w.keys.item[i].key, "0123456789abcdef0123456789abcdef", 32);
    w.keys.item[i].length = 32;
}

static void open_ports(void)
{
    static const struct bus_topic control = { TOPIC_CONTROL, 1, -1, true, false };
    const struct clock_port clock = memory_clock_port(&w.gateways.clock);
    struct error error = { 0 };

    w.broker = memory_broker_new(clock);
    w.space = memory_space_new(clock);
    w.log = memory_log_new();
    w.metrics = memory_metrics_new();
    key_of("coordinator");
    key_of("monitor");
    w.gateways.settings.redis.prefix = "slipway:";
    w.gateways.settings.kafka.partitions = 1;
    w.service = (struct service_ports){
        .settings = &w.gateways.settings,
        .service = "flag-rollout",
        .instance = "flag-rollout-1",
        .clock = clock,
        .bus = memory_bus(w.broker, (struct memory_faults){ 0 }),
        .log = memory_log_port(w.log),
        .metrics = memory_metrics_port(w.metrics),
        .keys = &w.keys,
    };
    assert_int_equal(w.service.bus.ensure_topics(w.service.bus.self, &control, 1, &error),
                     ERR_OK);
    w.ports.service = &w.service;
    w.ports.http = w.gateways.env.http;
    w.ports.store = memory_store(w.space, (struct memory_faults){ 0 });
}

int set_up(void **state)
{
    struct error error = { 0 };

    (void)state;
    memset(&w, 0, sizeof w);
    fake_gateways_open(&w.gateways);
    w.gateways.clock.now_ms = BEGAN_MS;
    w.gateways.clock.monotonic_ms = BEGAN_MS;
    open_ports();
    assert_int_equal(flag_rollout_worker.open(&w.service, &w.ports.state, &error), ERR_OK);
    pb__flag_spec__init(&w.flag);
    w.flag.key = "express-pay";
    w.flags[0] = &w.flag;
    pb__command__init(&w.command);
    w.command.deployment = "express-pay.1";
    w.command.feature = "express-pay";
    w.command.environment = "production";
    w.command.task = "express-pay.1/4/1/0";
    w.command.deadline_ms = BEGAN_MS + 60000;
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    fake_task_close(&w.task);
    flag_rollout_worker.close(w.ports.state);
    w.ports.store.close(w.ports.store.self);
    w.service.bus.close(w.service.bus.self);
    memory_space_free(w.space);
    memory_broker_free(w.broker);
    memory_metrics_free(w.metrics);
    memory_log_free(w.log);
    fake_gateways_close(&w.gateways);
    return 0;
}

void publish(const char *writer, const char *key, const Pb__Control *control)
{
    struct arena *const arena = &w.gateways.arena;
    const struct envelope envelope = {
        .id = key,
        .source = "/slipway/test",
        .subject = "",
        .writer = writer,
    };
    const struct envelope_out out = { TOPIC_CONTROL, key, &control->base, true };
    struct bus_record record = { 0 };
    struct error error = { 0 };

    assert_int_equal(envelope_seal(arena, &w.keys, &envelope, &out, &record, &error), ERR_OK);
    record.partition = 0;
    assert_int_equal(w.service.bus.publish(w.service.bus.self, &record, &error), ERR_OK);
    assert_int_equal(flag_rollout_worker.turn(w.ports.state, &w.ports, &error), ERR_OK);
}

Pb__FlagValue *grant_heard_by_the_worker(uint64_t sequence, uint32_t percent)
{
    Pb__FlagValue *const value = fake_value(&w.gateways, sequence, percent);
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = value;
    publish("coordinator", "flag/production/express-pay", &control);
    return value;
}

void grant(uint64_t sequence, uint32_t percent)
{
    fake_grant(&w.gateways, grant_heard_by_the_worker(sequence, percent));
}

void latch_heard_by_the_worker(const char *deployment)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = pb_new(&w.gateways.arena, &pb__kill__descriptor);
    control.kill->deployment = deployment;
    control.kill->reason = "critical incident";
    control.kill->at_ms = w.gateways.clock.now_ms;
    publish("monitor", arena_printf(&w.gateways.arena, "kill/%s", deployment), &control);
}

void command_set(uint64_t sequence, uint32_t percent)
{
    pb__set_flags__init(&w.set);
    w.set.flags = w.flags;
    w.set.n_flags = 1;
    w.set.sequence = sequence;
    w.set.percent = percent;
    w.command.body_case = PB__COMMAND__BODY_SET_FLAGS;
    w.command.set_flags = &w.set;
    fake_task_open(&w.task, &w.command, &w.gateways.clock);
}

void command_kill(void)
{
    pb__kill_flags__init(&w.kill);
    w.kill.flags = w.flags;
    w.kill.n_flags = 1;
    w.kill.settle_ms = SETTLE_MS;
    w.command.body_case = PB__COMMAND__BODY_KILL_FLAGS;
    w.command.kill_flags = &w.kill;
    fake_task_open(&w.task, &w.command, &w.gateways.clock);
}

enum worker_step step(unsigned which)
{
    return fake_task_step(
        &w.task, flag_rollout_worker.handlers[which].step, &w.ports, &w.gateways.clock);
}

const Pb__TaskFinished *run(unsigned which)
{
    return fake_task_run(
        &w.task, flag_rollout_worker.handlers[which].step, &w.ports, &w.gateways.clock);
}

Pb__Verdict verdict_of(const char *check)
{
    const Pb__Finding *const finding = fake_task_finding(&w.task, check);

    return finding != NULL ? finding->verdict : PB__VERDICT__VERDICT_UNSPECIFIED;
}
