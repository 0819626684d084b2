#include "services/monitor/publish.h"

#include "common/wire/topics.h"

enum { ARENA_MAX = 2 * 1024 * 1024 };

/* One record to be: what it says of itself, what it holds, and where it goes. */
struct outgoing {
    struct envelope envelope;
    struct envelope_out out;
    int32_t partition;
};

static enum err send(const struct service_ports *ports,
                     struct arena *arena,
                     struct outgoing *outgoing,
                     struct error *error)
{
    struct bus_record record = { 0 };
    enum err err;

    outgoing->envelope.source = arena_printf(arena, "/slipway/monitor/%s", ports->instance);
    outgoing->envelope.writer = "monitor";
    outgoing->envelope.time_ms = clock_now_ms(ports->clock);
    outgoing->out.sign = true;
    err =
        envelope_seal(arena, ports->keys, &outgoing->envelope, &outgoing->out, &record, error);
    if (err != ERR_OK)
        return err;
    record.partition = outgoing->partition;
    return ports->bus.publish(ports->bus.self, &record, error);
}

enum err publish_incident(const struct service_ports *ports,
                          const struct incident_fact *fact,
                          struct error *error)
{
    struct arena arena = arena_with_limit(ARENA_MAX);
    Pb__IncidentReported body = *fact->incident;
    Pb__Event event = PB__EVENT__INIT;
    struct outgoing outgoing = {
        .envelope = { .id = fact->id, .subject = fact->deployment },
        .out = { .topic = TOPIC_EVENTS, .key = fact->feature, .message = &event.base },
        .partition = bus_partition(fact->feature, (int32_t)ports->settings->kafka.partitions),
    };
    enum err err;

    event.deployment = fact->deployment;
    event.feature = fact->feature;
    event.body_case = PB__EVENT__BODY_INCIDENT;
    event.incident = &body;
    err = send(ports, &arena, &outgoing, error);
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK
                         : error_wrap(error, err, "report incident of %s", fact->deployment);
}

enum err publish_kill(const struct service_ports *ports,
                      const Pb__Kill *kill,
                      struct error *error)
{
    struct arena arena = arena_with_limit(ARENA_MAX);
    Pb__Kill body = *kill;
    Pb__Control control = PB__CONTROL__INIT;
    const char *const key = arena_printf(&arena, "kill/%s", kill->deployment);
    struct outgoing outgoing = {
        .envelope = { .id = arena_printf(&arena, "kill.%s", kill->deployment),
                      .subject = kill->deployment },
        .out = { .topic = TOPIC_CONTROL, .key = key, .message = &control.base },
    };
    enum err err;

    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = &body;
    err = send(ports, &arena, &outgoing, error);
    arena_release(&arena);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "latch %s", kill->deployment);
}
