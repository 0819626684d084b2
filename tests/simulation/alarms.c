/* What monitoring says of services: alerts that fire, are told again with others, and are over;
 * a last one when nothing else is wrong any more. */
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <string.h>

enum { LAST_MS = 10 * 1000, OVER_MS = 150 * 1000 };

static Pb__Alert *said_of(struct world *world, const struct alarm *alarm, bool firing)
{
    Pb__Alert *const alert = pb_new(&world->scratch, &pb__alert__descriptor);

    alert->fingerprint = alarm->fingerprint;
    alert->name = alarm->name;
    alert->service = alarm->service;
    alert->environment = "production";
    alert->severity = alarm->critical ? PB__SEVERITY__CRITICAL : PB__SEVERITY__WARNING;
    alert->status = firing ? PB__ALERT_STATUS__FIRING : PB__ALERT_STATUS__RESOLVED;
    alert->starts_at_ms = alarm->since_ms;
    if (!firing)
        alert->ends_at_ms = world_now_ms(world);
    alert->summary = alarm->name;
    return alert;
}

/* As grouping does it: the others of that service that are open are told again. */
static void say(struct world *world, const struct alarm *alarm, bool firing)
{
    Pb__AlertBatch *const batch = pb_new(&world->scratch, &pb__alert_batch__descriptor);
    Pb__Alert *alert;

    batch->source = "alertmanager/simulated";
    batch->group = alarm->service;
    for (size_t i = 0; i < world->alarm_count; i++) {
        const struct alarm *const other = &world->alarms[i];

        if (other == alarm || !other->open || strcmp(other->service, alarm->service) != 0)
            continue;
        alert = said_of(world, other, true);
        PB_APPEND(&world->scratch, batch, alerts, alert);
    }
    alert = said_of(world, alarm, firing);
    PB_APPEND(&world->scratch, batch, alerts, alert);
    world_tell(world,
               "ALERT %s of %s, %s, %s",
               alarm->name,
               alarm->service,
               alarm->critical ? "critical" : "warning",
               firing ? "fires" : "is over");
    world_say(world,
              &(struct saying){ .topic = TOPIC_ALERTS,
                                .key = alarm->service,
                                .id = world_id(world, "alert"),
                                .message = &batch->base });
}

static void fire(struct world *world, bool critical)
{
    static const char *const services[] = { "shop", "pay" };
    static const char *const names[] = { "BudgetBurn", "Latency", "Saturation" };
    struct alarm *const alarm = &world->alarms[world->alarm_count];

    if (world->alarm_count == ALARMS_MAX)
        return;
    *alarm = (struct alarm){ .service = services[dice_below(&world->dice, 2)],
                             .name = names[dice_below(&world->dice, 3)],
                             .critical = critical,
                             .open = true,
                             .since_ms = world_now_ms(world) };
    alarm->fingerprint = world_id(world, alarm->name);
    world->alarm_count++;
    world_counts(world, FAULT_OF_alert);
    say(world, alarm, true);
}

static void end(struct world *world, struct alarm *alarm)
{
    alarm->open = false;
    say(world, alarm, false);
}

/* Fires, or is over. */
void alarms_happen(struct world *world)
{
    struct alarm *const alarm =
        world->alarm_count > 0
            ? &world->alarms[dice_below(&world->dice, (unsigned)world->alarm_count)]
            : NULL;

    if (alarm != NULL && alarm->open && dice_below(&world->dice, 2) == 0)
        end(world, alarm);
    else
        fire(world, dice_below(&world->dice, 2) == 0);
}

void alarms_heal(struct world *world)
{
    if (world->weather.alert == 0)
        return;
    world->last_alarm_ms = world_now_ms(world) + dice_ms(&world->dice, 1, LAST_MS);
    world->alarms_over_ms = world_now_ms(world) + OVER_MS;
}

int64_t alarms_wake_ms(const struct world *world)
{
    if (world->last_alarm_ms > 0)
        return world->last_alarm_ms;
    return world->alarms_over_ms > 0 ? world->alarms_over_ms : INT64_MAX;
}

/* All that ever fired is over: what was said late, or again, too. */
void alarms_turn(struct world *world)
{
    const int64_t now_ms = world_now_ms(world);

    if (world->last_alarm_ms > 0 && now_ms >= world->last_alarm_ms) {
        world->last_alarm_ms = 0;
        fire(world, true);
    }
    if (world->alarms_over_ms == 0 || now_ms < world->alarms_over_ms)
        return;
    world->alarms_over_ms = 0;
    for (size_t i = 0; i < world->alarm_count; i++)
        world->alarms[i].open = false;
    for (size_t i = 0; i < world->alarm_count; i++)
        end(world, &world->alarms[i]);
}

bool alarms_are_over(const struct world *world)
{
    return world->alarms_over_ms == 0;
}
