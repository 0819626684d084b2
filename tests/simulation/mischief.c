/* What goes wrong by itself, round by round. */
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <string.h>

enum {
    AWAY_MS = 20 * 1000,
    DEAF_MS = 60 * 1000,
    JUMP_MS = 60 * 60 * 1000,
    FREEZE_MS = 60 * 1000,
    TRUNCATED = 7,
};

static bool happens(struct world *world, unsigned in_million)
{
    return dice_chance(&world->dice, in_million);
}

static struct process *anybody(struct world *world)
{
    return &world->processes[dice_below(&world->dice, (unsigned)world->process_count)];
}

static struct feature *any_feature(struct world *world)
{
    return &world->features[dice_below(&world->dice, (unsigned)world->feature_count)];
}

/* --- Redis and Kafka --- */

static void trouble_store(struct world *world)
{
    if (world->copy_count > 0 && happens(world, world->weather.store_tail)) {
        const unsigned at = dice_below(&world->dice, (unsigned)world->copy_count);

        world_tell(world, "REDIS comes back as it was (%u of %zu)", at + 1, world->copy_count);
        memory_space_restore(world->space, world->copies[at]);
        log_loss_forget(world);
        world_counts(world, FAULT_OF_store_tail);
    }
    if (world->copy_count > 0 && happens(world, world->weather.replica))
        replica_promote(world);
    if (happens(world, world->weather.log_tail))
        log_loss_happen(world);
    if (happens(world, world->weather.store_empty)) {
        world_tell(world, "REDIS comes back empty");
        memory_space_clear(world->space);
        log_loss_forget(world);
        world_counts(world, FAULT_OF_store_empty);
    }
    if (happens(world, world->weather.store_away)) {
        world->store_back_ms = world_now_ms(world) + dice_ms(&world->dice, 1, AWAY_MS);
        world_tell(world, "REDIS is away");
        world_counts(world, FAULT_OF_store_away);
    }
    if (happens(world, world->weather.bus_away)) {
        world->bus_back_ms = world_now_ms(world) + dice_ms(&world->dice, 1, AWAY_MS);
        world_tell(world, "KAFKA is away");
        world_counts(world, FAULT_OF_bus_away);
    }
}

/* --- processes --- */

/* As an upgrade does it: the next when the one before is up again. */
static void roll(struct world *world)
{
    if (world->rolling == 0 && happens(world, world->weather.rolling)) {
        world->rolling = 1;
        world_counts(world, FAULT_OF_rolling);
    }
    if (world->rolling == 0 ||
        (world->rolling > 1 && world->processes[world->rolling - 2].state == NULL))
        return;
    process_stop(&world->processes[world->rolling - 1]);
    world->rolling = (world->rolling + 1) % (world->process_count + 1);
}

static void trouble_processes(struct world *world)
{
    if (happens(world, world->weather.evicted)) {
        struct process *const process = anybody(world);

        world_tell(world, "%s is given up by its groups", process->name);
        memory_broker_evict(world->broker, process);
        world_counts(world, FAULT_OF_evicted);
    }
    if (happens(world, world->weather.jump)) {
        struct process *const process = anybody(world);

        process->skew_ms = dice_ms(&world->dice, -JUMP_MS, JUMP_MS) /
                           (dice_below(&world->dice, 2) == 0 ? 1 : 1000);
        world_counts(
            world, process->worker != NULL ? FAULT_OF_jump_worker : FAULT_OF_jump_coordinator);
        world_tell(world, "%s: clock off by %lld", process->name, (long long)process->skew_ms);
    }
    if (happens(world, world->weather.restart))
        process_stop(anybody(world));
    roll(world);
    if (happens(world, world->weather.edit)) {
        struct process *const process = anybody(world);

        process->edited = !process->edited;
        process_stop(process);
    }
    if (happens(world, world->weather.gateway)) {
        world->gateways[dice_below(&world->dice, GATEWAYS)].deaf_until_ms =
            world_now_ms(world) + dice_ms(&world->dice, 1, DEAF_MS);
        world_counts(world, FAULT_OF_gateway);
    }
}

/* --- records --- */

static const char *any_topic(struct world *world)
{
    static const char *const topics[] = {
        TOPIC_EVENTS,
        TOPIC_EVENTS,
        TOPIC_EVENTS,
        TOPIC_CONTROL,
        TOPIC_ACCEPTANCE,
        TOPIC_ALERTS,
        TOPIC_COMMANDS("prechecks"),
        TOPIC_COMMANDS("executor"),
        TOPIC_COMMANDS("executor"),
        TOPIC_COMMANDS("validator"),
        TOPIC_COMMANDS("monitor"),
        TOPIC_COMMANDS("flag-rollout"),
        TOPIC_COMMANDS("notifier"),
    };

    return topics[dice_below(&world->dice, sizeof topics / sizeof topics[0])];
}

/* Of the last ones mostly: most producers that come back late do so soon. */
static int64_t any_offset(struct world *world, const char *topic, int32_t partition)
{
    const int64_t high = memory_broker_high(world->broker, topic, partition);
    const int64_t back =
        1 + dice_below(&world->dice, dice_below(&world->dice, 3) > 0 ? 8 : 500);

    return high - back < 0 ? 0 : high - back;
}

/* A producer that did not know whether its record was taken, and comes back with it late. */
static void echo(struct world *world)
{
    const char *const topic = any_topic(world);
    const int32_t partition =
        strcmp(topic, TOPIC_CONTROL) == 0 ? 0 : (int32_t)dice_below(&world->dice, 2);
    const int64_t offset = any_offset(world, topic, partition);
    const struct bus_record *const record =
        memory_broker_record(world->broker, topic, partition, offset);
    const char *const id = record != NULL ? bus_header(record, "ce_id") : NULL;
    struct bus_record again;
    struct error error = { 0 };

    if (id == NULL || strncmp(id, "genesis", 7) == 0)
        return;
    again = *record;
    world_counts(world, FAULT_OF_echo);
    world_tell(world, "ECHO of %s on %s", id, topic);
    (void)world->bus.publish(world->bus.self, &again, &error);
}

/* Half a record, somebody's own invention, or one whose writer is not proven. */
static void poison(struct world *world)
{
    static const uint8_t noise[] = { 0xff, 0x07, 0x00, 0x80, 0x41 };
    const char *const topic = any_topic(world);
    const bool bare = dice_below(&world->dice, 2) == 0;
    struct bus_record record = { .topic = topic,
                                 .partition = BUS_PARTITION_BY_KEY,
                                 .key = any_feature(world)->name,
                                 .bytes = noise,
                                 .length = dice_below(&world->dice, sizeof noise + 1) };
    struct error error = { 0 };

    if (!bare) {
        record.header_count = 4;
        record.headers[0] = (struct bus_header){ "ce_id", world_id(world, "poison") };
        record.headers[1] = (struct bus_header){ "ce_source", "/nowhere" };
        record.headers[2] = (struct bus_header){ "ce_type", "slipway.v1.Event" };
        record.headers[3] = (struct bus_header){ "ce_specversion", "1.0" };
    }
    world_counts(world, FAULT_OF_poison);
    world_tell(world, "POISON on %s", topic);
    (void)world->bus.publish(world->bus.self, &record, &error);
}

/* --- what monitoring and people say of what is live --- */

static const char *any_live(struct world *world, const struct feature *feature)
{
    const Pb__FeatureState *const known = people_see_feature(world, feature->name);

    return known != NULL ? known->live : "";
}

static void incident(struct world *world)
{
    static const char *const causes[] = { "BudgetBurn", "Latency" };
    const struct feature *const feature = any_feature(world);
    const char *const deployment = any_live(world, feature);
    Pb__Event *const event = pb_new(&world->scratch, &pb__event__descriptor);
    Pb__IncidentReported *const incident =
        pb_new(&world->scratch, &pb__incident_reported__descriptor);

    if (deployment[0] == '\0')
        return;
    incident->cause = causes[dice_below(&world->dice, 2)];
    incident->severity =
        dice_below(&world->dice, 2) == 0 ? PB__SEVERITY__CRITICAL : PB__SEVERITY__WARNING;
    incident->open = dice_below(&world->dice, 2) > 0;
    incident->count = 1;
    incident->summary = incident->cause;
    event->deployment = deployment;
    event->feature = feature->name;
    event->body_case = PB__EVENT__BODY_INCIDENT;
    event->incident = incident;
    world_counts(world, FAULT_OF_incident);
    world_tell(world,
               "INCIDENT %s of %s, %s, %s",
               incident->cause,
               deployment,
               incident->severity == PB__SEVERITY__CRITICAL ? "critical" : "warning",
               incident->open ? "open" : "over");
    world_say(world,
              &(struct saying){ .topic = TOPIC_EVENTS,
                                .key = feature->name,
                                .writer = "monitor",
                                .id = world_id(world, "incident"),
                                .message = &event->base });
}

static void freeze(struct world *world)
{
    static const char *const scopes[] = { "production/*", "production/shop", "production/pay" };
    Pb__Control *const control = pb_new(&world->scratch, &pb__control__descriptor);
    Pb__Freeze *const freeze = pb_new(&world->scratch, &pb__freeze__descriptor);
    const char *const id = world_id(world, "freeze");

    freeze->id = id;
    freeze->scope = scopes[dice_below(&world->dice, 3)];
    freeze->from_ms = world_now_ms(world);
    freeze->to_ms = freeze->from_ms + dice_ms(&world->dice, 1, FREEZE_MS);
    freeze->reason = "quiet, please";
    control->body_case = PB__CONTROL__BODY_FREEZE;
    control->freeze = freeze;
    world_counts(world, FAULT_OF_freeze);
    world_tell(world, "FREEZE of %s", freeze->scope);
    world_say(world,
              &(struct saying){ .topic = TOPIC_CONTROL,
                                .key = arena_printf(&world->scratch, "freeze/%s", id),
                                .writer = "gateway",
                                .id = id,
                                .message = &control->base });
}

static void turn_off(struct world *world)
{
    const struct feature *const feature = any_feature(world);
    const char *const deployment = any_live(world, feature);
    Pb__Control *const control = pb_new(&world->scratch, &pb__control__descriptor);
    Pb__Kill *const kill = pb_new(&world->scratch, &pb__kill__descriptor);

    if (deployment[0] == '\0')
        return;
    kill->deployment = deployment;
    kill->environment = "production";
    kill->reason = "off";
    kill->at_ms = world_now_ms(world);
    PB_APPEND(&world->scratch, kill, flags, feature->name);
    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = kill;
    world_counts(world, FAULT_OF_kill);
    world_tell(world, "KILL of %s", deployment);
    world_say(world,
              &(struct saying){ .topic = TOPIC_CONTROL,
                                .key = arena_printf(&world->scratch, "kill/%s", deployment),
                                .writer = "gateway",
                                .id = world_id(world, "kill"),
                                .message = &control->base });
}

static void withdraw(struct world *world)
{
    const struct feature *const feature = any_feature(world);
    Pb__AcceptanceWithdrawn *const withdrawn =
        pb_new(&world->scratch, &pb__acceptance_withdrawn__descriptor);

    if (feature->sent == 0)
        return;
    withdrawn->feature = feature->name;
    withdrawn->reason = "a mistake";
    world_counts(world, FAULT_OF_withdrawal);
    world_tell(world, "WITHDRAWAL of %s", feature->name);
    world_say(world,
              &(struct saying){ .topic = TOPIC_ACCEPTANCE,
                                .key = feature->name,
                                .id = world_id(world, "withdrawal"),
                                .message = &withdrawn->base });
}

void mischief_turn(struct world *world)
{
    trouble_store(world);
    trouble_processes(world);
    if (happens(world, world->weather.echo))
        echo(world);
    if (happens(world, world->weather.poison))
        poison(world);
    if (happens(world, world->weather.incident))
        incident(world);
    if (happens(world, world->weather.alert))
        alarms_happen(world);
    if (happens(world, world->weather.freeze))
        freeze(world);
    if (happens(world, world->weather.kill))
        turn_off(world);
    if (happens(world, world->weather.withdrawal))
        withdraw(world);
}
