#include "services/monitor/publish.h"

#include "common/wire/topics.h"

enum { ARENA_MAX = 2 * 1024 * 1024 };

static enum err send(const struct service_ports *ports,
                     struct arena *arena,
                     const struct envelope *said,
                     const struct envelope_out *out,
                     int32_t partition,
                     struct error *error)
{
    struct envelope envelope = *said;
    struct bus_record record = { 0 };
    enum err err;

    envelope.source = arena_printf(arena, "/slipway/monitor/%s", ports->instance);
    envelope.writer = "monitor";
    envelope.time_ms = clock_now_ms(ports->clock);
    err = envelope_seal(arena, ports->keys, &envelope, out, &record, error);
    if (err != ERR_OK)
        return err;
    record.partition = partition;
    return ports->bus.publish(ports->bus.self, &record, error);
}

enum err publish_incident(const struct service_ports *ports,
                          const char *deployment,
                          const char *feature,
                          const char *id,
                          const Pb__IncidentReported *incident,
                          struct error *error)
{
    struct arena arena = arena_with_limit(ARENA_MAX);
    Pb__IncidentReported body = *incident;
    Pb__Event event = PB__EVENT__INIT;
    const struct envelope envelope = { .id = id, .subject = deployment };
    const struct envelope_out out = {
        .topic = TOPIC_EVENTS, .key = feature, .message = &event.base, .sign = true
    };
    enum err err;

    event.deployment = deployment;
    event.feature = feature;
    event.body_case = PB__EVENT__BODY_INCIDENT;
    event.incident = &body;
    err = send(ports,
               &arena,
               &envelope,
               &out,
               bus_partition(feature, (int32_t)ports->settings->kafka.partitions),
               error);
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "report incident of %s", deployment);
}

enum err publish_kill(const struct service_ports *ports,
                      const Pb__Kill *kill,
                      struct error *error)
{
    struct arena arena = arena_with_limit(ARENA_MAX);
    Pb__Kill body = *kill;
    Pb__Control control = PB__CONTROL__INIT;
    const char *const key = arena_printf(&arena, "kill/%s", kill->deployment);
    const struct envelope envelope = { .id = arena_printf(&arena, "kill.%s", kill->deployment),
                                       .subject = kill->deployment };
    const struct envelope_out out = {
        .topic = TOPIC_CONTROL, .key = key, .message = &control.base, .sign = true
    };
    enum err err;

    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = &body;
    err = send(ports, &arena, &envelope, &out, 0, error);
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "latch %s", kill->deployment);
}
