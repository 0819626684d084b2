#include "services/prechecks/prechecks.h"

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
}

const char *sighting_name(struct arena *arena, const struct sighting *sighting)
{
    if (sighting->instance != NULL)
        return sighting->instance->name;
    return arena_printf(
        arena, "%s%s", sighting->target, sighting->entry != NULL ? " traffic" : "");
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
    return observed->version[0] != '\0' && observed->digest[0] != '\0' &&
           (pb_same(observed->state, DEPLOYED_ACTIVE) ||
            pb_same(observed->state, DEPLOYED_UNMANAGED));
}
