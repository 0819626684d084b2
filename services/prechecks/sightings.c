#include "services/prechecks/prechecks.h"

#include "common/drivers/probes/probe.h"

#include <string.h>

static bool has_side(const char *state)
{
    return strncmp(state, DEPLOYED_SIDE, strlen(DEPLOYED_SIDE)) == 0;
}

static bool is_listed(const struct sighting *sightings, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++)
        if (pb_same(sightings[i].target, target))
            return true;
    return false;
}

static bool shifts(const Pb__RunChecks *asked, const char *target)
{
    for (size_t i = 0; i < asked->n_changes; i++)
        for (size_t b = 0; b < asked->changes[i]->n_batches; b++)
            if (pb_same(asked->changes[i]->target, target) &&
                asked->changes[i]->batches[b]->kind == PB__BATCH_KIND__SHIFT)
                return true;
    return false;
}

/* The instances of one target, and its router when the plan shifts its traffic. */
static size_t list_target(const struct prechecks *prechecks,
                          const Pb__RunChecks *asked,
                          const char *target,
                          struct sighting *ret)
{
    const struct deployer_entry *const entry = deployer_book_find(&prechecks->book, target);
    size_t count = 0;

    if (entry == NULL || shifts(asked, target))
        ret[count++] = (struct sighting){ .entry = entry, .target = target };
    for (size_t i = 0; entry != NULL && i < entry->target->instance_count; i++)
        ret[count++] = (struct sighting){
            .entry = entry,
            .instance = &entry->target->instances[i],
            .target = target,
        };
    return count;
}

size_t sightings_list(const struct prechecks *prechecks,
                      struct arena *arena,
                      const Pb__RunChecks *asked,
                      struct sighting **ret)
{
    size_t room = asked->n_changes, count = 0;

    for (size_t i = 0; i < asked->n_changes; i++) {
        const struct deployer_entry *const entry =
            deployer_book_find(&prechecks->book, asked->changes[i]->target);

        room += entry != NULL ? entry->target->instance_count : 0;
    }
    *ret = arena_alloc(arena, (room + 1) * sizeof **ret);
    for (size_t i = 0; i < asked->n_changes; i++)
        if (!is_listed(*ret, count, asked->changes[i]->target))
            count += list_target(prechecks, asked, asked->changes[i]->target, *ret + count);
    return count;
}

/* The configured probe that asks a target's instances which version they run, or NULL. */
static const char *version_probe(const struct settings *settings, const char *target)
{
    for (size_t i = 0; i < settings->probe_count; i++)
        if (pb_same(settings->probes[i].driver, "version") &&
            pb_same(settings->probes[i].target, target))
            return settings->probes[i].name;
    return NULL;
}

const Pb__Finding *sighting_running(const struct driver_env *env,
                                    const struct sighting *sighting,
                                    const char *check_id)
{
    const char *const probe = version_probe(env->settings, sighting->target);
    const Pb__Observed *const observed = sighting->observed;
    Pb__CheckSpec *check;
    Pb__Finding *finding;
    const char *only[1];

    if (probe == NULL || sighting->instance == NULL || observed->version[0] == '\0')
        return NULL;
    check = pb_new(env->arena, &pb__check_spec__descriptor);
    only[0] = sighting->instance->name;
    check->id = check_id;
    check->kind = "probe";
    check->probe = probe;
    PB_APPEND(env->arena, check, params, pb_pair_new(env->arena, "version", observed->version));
    PB_APPEND(env->arena, check, params, pb_pair_new(env->arena, "digest", observed->digest));
    finding = pb_clone(env->arena, probe_answer(env, check, only, 1));
    finding->evidence = probe;
    return finding;
}

/* An unfinished switch is as good as a finished one where the instance itself says that it runs
 * the whole release that lies there. */
static bool is_proven(const struct driver_env *env, const struct sighting *sighting)
{
    const Pb__Finding *finding;

    if (!pb_same(sighting->observed->state, DEPLOYED_SWITCHING))
        return false;
    finding = sighting_running(env, sighting, "env.baseline_known");
    return finding != NULL && finding->verdict == PB__VERDICT__PASS;
}

void sighting_look(const struct driver_env *env,
                   const Pb__Command *command,
                   struct arena *keep,
                   struct sighting *sighting)
{
    struct error error = { 0 };
    struct deployer_order order;
    Pb__Observed observed;
    enum err err;

    if (sighting->entry == NULL) {
        sighting->why = "the target is not in this configuration";
        return;
    }
    pb__observed__init(&observed);
    order = deployer_order_for(sighting->entry, sighting->instance);
    order.fence = command->fence;
    order.deployment = command->deployment;
    order.side = "";
    err = sighting->entry->driver->observe(env, &order, &observed, &error);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        sighting->observed = pb_clone(keep, &observed);
    else
        sighting->why = arena_text(keep, error.text);
    sighting->proven = sighting->observed != NULL && is_proven(env, sighting);
}

const char *sighting_name(struct arena *arena, const struct sighting *sighting)
{
    if (sighting->instance != NULL)
        return sighting->instance->name;
    return arena_printf(
        arena, "%s%s", sighting->target, sighting->entry != NULL ? " traffic" : "");
}

const char *sighting_remedy(struct arena *arena, const struct sighting *sighting)
{
    const Pb__Observed *const observed = sighting->observed;

    if (observed == NULL || sighting_is_settled(sighting) ||
        strncmp(observed->state, DEPLOYED_SWITCHING, strlen(DEPLOYED_SWITCHING)) != 0)
        return "";
    return arena_printf(
        arena,
        "%s was left between two releases. Point `current` in its directory to a "
        "whole release, restart it, see that it runs this release, and remove the "
        "file `marker` beside `current`; then retry. With a version probe of %s "
        "that answers with what lies there, retry alone is enough",
        sighting_name(arena, sighting),
        sighting->target);
}

bool sighting_is_settled(const struct sighting *sighting)
{
    const Pb__Observed *const observed = sighting->observed;

    if (observed == NULL)
        return false;
    if (sighting->instance == NULL)
        return has_side(observed->state);
    if (pb_same(observed->state, DEPLOYED_NONE))
        return true;
    if (sighting->proven)
        return true;
    return observed->version[0] != '\0' && observed->digest[0] != '\0' &&
           (pb_same(observed->state, DEPLOYED_ACTIVE) ||
            pb_same(observed->state, DEPLOYED_UNMANAGED));
}
