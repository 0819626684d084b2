#include "services/monitor/suspects.h"

#include <string.h>

enum {
    KEPT_MAX = 64 * 1024 * 1024,
    SCRATCH_MAX = 16 * 1024 * 1024, /* One state and one plan. */
    ROOM = SUSPECTS_MAX + SUSPECTS_ENDED_MAX,
};

void suspects_release(struct suspects *suspects)
{
    arena_release(&suspects->arena);
    *suspects = (struct suspects){ 0 };
}

static const struct suspect *find(const struct suspects *suspects,
                                  const struct store_member *member)
{
    for (size_t i = 0; i < suspects->count; i++) {
        if (suspects->item[i].listed_at == member->score &&
            strcmp(suspects->item[i].deployment, member->name) == 0)
            return &suspects->item[i];
    }
    return NULL;
}

static enum err load(const struct projection *projection,
                     const struct store_member *member,
                     struct suspects *to,
                     struct error *error)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    struct error no_plan = { 0 };
    enum err err = projection_deployment(projection, &scratch, member->name, &state, error);

    if (err == ERR_OK) {
        err = projection_plan(projection, &scratch, state, &plan, &no_plan);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
        else if (err != ERR_OK)
            *error = no_plan;
    } else if (err == ERR_NOT_FOUND) {
        err = ERR_OK; /* It ended between the list and the look. */
    }
    if (err == ERR_OK && state != NULL) {
        to->item[to->count] = suspect_of(&to->arena, state, plan);
        to->item[to->count++].listed_at = member->score;
    }
    arena_release(&scratch);
    return err;
}

static enum err read_list(const struct suspects *from,
                          const struct projection *projection,
                          bool live,
                          struct suspects *to,
                          struct error *error)
{
    struct arena names = arena_with_limit(SCRATCH_MAX);
    struct store_member *members = NULL;
    size_t count = 0;
    enum err err = projection_list(projection,
                                   &names,
                                   live,
                                   live ? SUSPECTS_MAX : SUSPECTS_ENDED_MAX,
                                   &members,
                                   &count,
                                   error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        const struct suspect *const known = find(from, &members[i]);

        if (known != NULL)
            to->item[to->count++] = suspect_copy(&to->arena, known);
        else
            err = load(projection, &members[i], to, error);
    }
    arena_release(&names);
    return err;
}

static bool has(const struct suspects *suspects, const char *deployment)
{
    for (size_t i = 0; i < suspects->count; i++) {
        if (strcmp(suspects->item[i].deployment, deployment) == 0)
            return true;
    }
    return false;
}

/* Those that Redis does not have now may be missing only for the moment. */
static void keep_at_hand(const struct suspects *from, struct suspects *to)
{
    for (size_t i = 0; i < from->count && to->count < ROOM; i++) {
        if (!has(to, from->item[i].deployment))
            to->item[to->count++] = suspect_copy(&to->arena, &from->item[i]);
    }
}

/* After the lists: what was whole then, was whole while they were read. */
static enum err complete(const struct suspects *from,
                         const struct projection *projection,
                         struct suspects *to,
                         struct error *error)
{
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    bool whole = false;
    const enum err err = projection_whole(projection, &scratch, &whole, error);

    arena_release(&scratch);
    if (err != ERR_OK || whole)
        return err;
    keep_at_hand(from, to);
    if (from->read_ms == 0 && (to->count == 0 || to->read_ms - to->asked_ms < SUSPECTS_WAIT_MS))
        return error_set(
            error, ERR_UNAVAILABLE, "the coordinator is not done with what Redis has lost");
    return ERR_OK;
}

enum err suspects_read(struct suspects *suspects,
                       const struct projection *projection,
                       int64_t now_ms,
                       struct error *error)
{
    struct suspects fresh = { .arena = arena_with_limit(KEPT_MAX), .read_ms = now_ms };
    enum err err;

    if (suspects->asked_ms == 0)
        suspects->asked_ms = now_ms;
    fresh.asked_ms = suspects->asked_ms;
    fresh.item = arena_alloc(&fresh.arena, ROOM * sizeof *fresh.item);
    err = read_list(suspects, projection, true, &fresh, error);
    if (err == ERR_OK)
        err = read_list(suspects, projection, false, &fresh, error);
    if (err == ERR_OK)
        err = complete(suspects, projection, &fresh, error);
    if (err != ERR_OK) {
        suspects_release(&fresh);
        return err;
    }
    suspects_release(suspects);
    *suspects = fresh;
    return ERR_OK;
}
