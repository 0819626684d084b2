#include "tests/unit/monitor/alert_scene.h"

#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"

static const char settings[] = "alerts:\n  - {alert: ShopIsDown, direct: true}\n";

static void start(struct alert_scene *f)
{
    struct error error = { 0 };

    if (monitor_spec_inline.open(&f->world.service, &f->monitor, &error) != ERR_OK)
        fail_msg("%s", error.text);
}

void alert_scene_restart(struct alert_scene *f)
{
    monitor_spec_inline.close(f->monitor);
    start(f);
}

int alert_scene_open(void **state)
{
    static struct alert_scene f;

    memset(&f, 0, sizeof f);
    f.arena = arena_with_limit((size_t)256 << 20);
    worker_world_open(&f.world, settings);
    alert_scene_whole(&f);
    start(&f);
    *state = &f;
    return 0;
}

int alert_scene_close(void **state)
{
    struct alert_scene *const f = *state;

    monitor_spec_inline.close(f->monitor);
    arena_release(&f->arena);
    worker_world_close(&f->world);
    return 0;
}

/* --- what the coordinator keeps --- */

static void store_all(struct alert_scene *f, const struct store_op *ops, size_t count)
{
    const struct store_batch batch = { .ops = ops, .op_count = count };
    struct error error = { 0 };

    assert_int_equal(f->world.ports.store.commit(f->world.ports.store.self, &batch, &error),
                     ERR_OK);
}

void alert_scene_whole(struct alert_scene *f)
{
    for (int32_t p = 0; p < 2; p++) {
        const struct store_op op = {
            .kind = STORE_HASH_SET,
            .key = KEY_LOG(&f->arena, p, f->world.service.settings->redis.prefix),
            .field = "ready",
            .value = { "owner", strlen("owner") },
        };

        store_all(f, &op, 1);
    }
}

static struct store_value packed(struct alert_scene *f, const void *message)
{
    const struct pb_bytes bytes = pb_pack(&f->arena, message);

    return (struct store_value){ (const char *)bytes.bytes, bytes.length };
}

/* A deployment of shop in production with one flag. */
void alert_scene_deploy(struct alert_scene *f,
                        const char *id,
                        const char *feature,
                        Pb__Phase phase)
{
    static const char *services[] = { "shop" };
    const char *const prefix = f->world.service.settings->redis.prefix;
    const int32_t p = bus_partition(feature, 2);
    const int64_t updated_ms = f->ahead_ms != 0 ? f->ahead_ms : f->world.drivers.clock.now_ms;
    Pb__DeploymentState state = PB__DEPLOYMENT_STATE__INIT;
    Pb__Plan plan = PB__PLAN__INIT;
    Pb__FlagSpec *const flag = pb_new(&f->arena, &pb__flag_spec__descriptor);

    flag->key = feature;
    plan.feature = feature;
    plan.blame_window_ms = 60 * 60 * 1000;
    PB_APPEND(&f->arena, &plan, flags, flag);
    state.id = id;
    state.feature = feature;
    state.environment = "production";
    state.services = services;
    state.n_services = 1;
    state.phase = phase;
    state.plan_hash = feature;
    {
        const struct store_op ops[] = {
            { .kind = STORE_SET,
              .key = KEY_PLAN(&f->arena, p, prefix, feature),
              .value = packed(f, &plan) },
            { .kind = STORE_SET,
              .key = KEY_DEPLOYMENT(&f->arena, p, prefix, id),
              .value = packed(f, &state) },
            { .kind = STORE_SORTED_ADD,
              .key = KEY_LIVE(&f->arena, p, prefix),
              .field = id,
              .score = keys_listed_at(updated_ms, ++f->versions) },
        };

        store_all(f, ops, sizeof ops / sizeof ops[0]);
    }
    memory_clock_advance(&f->world.drivers.clock, 100);
}

/* --- what monitoring says --- */

Pb__Alert *alert_add(struct alert_scene *f, const char *name, const char *fingerprint)
{
    Pb__Alert *const alert = pb_new(&f->arena, &pb__alert__descriptor);

    if (f->batch == NULL)
        f->batch = pb_new(&f->arena, &pb__alert_batch__descriptor);
    alert->name = name;
    alert->fingerprint = fingerprint;
    alert->status = PB__ALERT_STATUS__FIRING;
    alert->severity = PB__SEVERITY__CRITICAL;
    alert->service = "shop";
    alert->environment = "production";
    alert->summary = "it burns";
    alert->starts_at_ms = 1000;
    PB_APPEND(&f->arena, f->batch, alerts, alert);
    return alert;
}

void alert_publish(struct alert_scene *f, const void *message, const char *id)
{
    const struct envelope envelope = { .id = id,
                                       .writer = f->writer,
                                       .source = "/alertmanager",
                                       .time_ms = f->world.drivers.clock.now_ms };
    const struct envelope_out out = {
        .topic = TOPIC_ALERTS, .key = "shop", .message = message, .sign = f->writer != NULL
    };
    struct bus_record record = { 0 };
    struct error error = { 0 };

    if (envelope_seal(&f->arena, &f->world.keys, &envelope, &out, &record, &error) != ERR_OK)
        fail_msg("%s", error.text);
    record.partition = 0;
    assert_int_equal(f->world.service.bus.publish(f->world.service.bus.self, &record, &error),
                     ERR_OK);
}

void alert_send(struct alert_scene *f)
{
    alert_publish(f, f->batch, "a");
    f->batch = NULL;
}

enum err alert_turn(struct alert_scene *f)
{
    struct error error = { 0 };

    return monitor_spec_inline.turn(f->monitor, &f->world.ports, &error);
}

/* Until everything sent was heard. */
void alert_hear(struct alert_scene *f)
{
    for (int i = 0; i < 60; i++)
        assert_int_equal(alert_turn(f), ERR_OK);
}

void alert_send_and_hear(struct alert_scene *f)
{
    alert_send(f);
    alert_hear(f);
}

/* --- what came of it --- */

/* Events so far of that deployment; the newest in ret. */
size_t alert_incidents(struct alert_scene *f,
                       const char *deployment,
                       Pb__IncidentReported **ret)
{
    size_t count = 0;

    for (int32_t p = 0; p < 2; p++) {
        const struct bus_record *record;

        for (int64_t o = 0;
             (record = memory_broker_record(f->world.broker, TOPIC_EVENTS, p, o)) != NULL;
             o++) {
            struct error error = { 0 };
            void *event = NULL;

            assert_int_equal(pb_unpack(&f->arena,
                                       &pb__event__descriptor,
                                       (struct pb_bytes){ record->bytes, record->length },
                                       &event,
                                       &error),
                             ERR_OK);
            if (!pb_same(((Pb__Event *)event)->deployment, deployment))
                continue;
            *ret = ((Pb__Event *)event)->incident;
            count++;
        }
    }
    return count;
}

size_t alert_count_records(struct alert_scene *f, const char *topic)
{
    int64_t offset = 0;

    while (memory_broker_record(f->world.broker, topic, 0, offset) != NULL)
        offset++;
    return (size_t)offset;
}

size_t alert_remembered(struct alert_scene *f)
{
    const char *const key =
        keys_global(&f->arena, f->world.service.settings->redis.prefix, "alerts:", "shop");
    struct store_field *fields = NULL;
    struct error error = { 0 };
    size_t count = 0;

    assert_int_equal(f->world.ports.store.hash_all(
                         f->world.ports.store.self, &f->arena, key, &fields, &count, &error),
                     ERR_OK);
    return count;
}
