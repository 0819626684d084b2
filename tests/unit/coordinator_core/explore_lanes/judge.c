#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include <string.h>

size_t lanes_index(const struct atlas *atlas, const char *name)
{
    const char *const service = strrchr(name, '/');

    return service != NULL && service[1] >= 'a' ? (size_t)(service[1] - 'a')
                                                : atlas->lane_count;
}

size_t lanes_changed_by(const struct atlas *atlas, const Pb__DeploymentState *state)
{
    const Pb__TaskState *const task = main_task(state);
    const size_t dep = (size_t)(state->id[0] - 'a');
    const Pb__Plan *const plan = atlas->plans[dep];
    const bool undoing = state->stop != NULL && state->n_applied > 0;
    const uint32_t index =
        undoing ? state->applied[state->n_applied - 1]->change : state->cursor->change;

    if (task != NULL && strcmp(task->kind, "apply") != 0 && strcmp(task->kind, "revert") != 0)
        return atlas->lane_count;
    if (task == NULL && state->phase != PB__PHASE__BLOCKED_ROLLBACK)
        return atlas->lane_count;
    if (index >= plan->n_changes)
        return atlas->lane_count;
    return (size_t)(plan->changes[index]->service[0] - 'a');
}

static const char *judge_lane(const struct atlas *atlas,
                              const struct scene *scene,
                              const struct place *place,
                              size_t lane)
{
    size_t holders = 0;
    size_t workers = 0;

    for (size_t i = 0; i < atlas->dep_count; i++) {
        const Pb__DeploymentState *const state = scene->deps[i];
        const Pb__TaskState *const task = main_task(state);

        for (size_t k = 0; k < state->n_lanes; k++)
            holders += lanes_index(atlas, state->lanes[k]->lane) == lane &&
                       state->lanes[k]->grant != 0;
        if (task == NULL || lanes_changed_by(atlas, state) != lane)
            continue;
        workers++;
        if (scene->lanes[lane] == NULL || strcmp(scene->lanes[lane]->holder, state->id) != 0)
            return "invariant 9: a lane is changed by one who does not hold it";
        if (strcmp(task->kind, "revert") != 0)
            continue;
        for (size_t k = 0; k + 1 < CHANGES_MAX; k++) {
            if (place->road.changed[lane][k] == i + 1 && place->road.changed[lane][k + 1] != 0)
                return "invariant 9: code restored under a newer deployment";
        }
    }
    if (holders > 1)
        return "invariant 9: two deployments hold one lane";
    return workers > 1 ? "invariant 9: two deployments change one lane" : NULL;
}

/* It is about to end, and may still find with its read-back that what it did there, and a
 * person restored by hand, is not restored. */
static bool may_be_there(const struct atlas *atlas,
                         const Pb__DeploymentState *state,
                         size_t lane)
{
    if (state->stop == NULL || procedure_is_terminal(state->phase) ||
        state->steps[2]->began_ms == 0)
        return false;
    for (size_t k = 0; k < state->n_lanes; k++) {
        if (lanes_index(atlas, state->lanes[k]->lane) == lane)
            return true;
    }
    return false;
}

/* All has been heard, nobody holds the lane, and of those that changed it, or may have, this
 * one is the last. */
static const char *judge_queue(const struct atlas *atlas,
                               const struct scene *scene,
                               const struct place *place,
                               size_t lane)
{
    const Pb__LaneState *const state = scene->lanes[lane];
    const uint8_t *const changed = place->road.changed[lane];
    uint8_t last = 0;

    if (state == NULL || state->holder[0] != '\0' || place->mail_count > 0)
        return NULL;
    for (size_t i = 0; i < atlas->dep_count; i++) {
        if (place->road.ended_badly[i])
            return NULL;
    }
    for (size_t i = 0; i < CHANGES_MAX && changed[i] != 0; i++)
        last = changed[i];
    for (size_t i = 0; i < atlas->dep_count; i++) {
        if (memchr(changed, (int)i + 1, CHANGES_MAX) == NULL &&
            may_be_there(atlas, scene->deps[i], lane))
            return NULL;
    }
    for (size_t i = 0; i < state->n_queue; i++) {
        if (state->queue[i]->undo && state->queue[i]->deployment[0] - 'a' + 1 == last)
            return "invariant 9: nothing newer is there, and its undo is not granted the lane";
    }
    return NULL;
}

static const char *judge_end(const struct atlas *atlas,
                             const struct scene *scene,
                             const struct place *place)
{
    for (size_t i = 0; i < atlas->dep_count; i++) {
        if (!procedure_is_terminal(scene->deps[i]->phase))
            return NULL;
    }
    if (place->mail_count > 0)
        return NULL;
    for (size_t i = 0; i < atlas->lane_count; i++) {
        if (scene->lanes[i] != NULL &&
            (scene->lanes[i]->holder[0] != '\0' || scene->lanes[i]->n_queue > 0))
            return "invariant 9: a lane held by nobody alive";
    }
    return NULL;
}

const char *lanes_judge(const struct atlas *atlas,
                        const struct scene *scene,
                        const struct place *place)
{
    for (size_t i = 0; i < atlas->lane_count; i++) {
        const char *breach = judge_lane(atlas, scene, place, i);

        if (breach == NULL)
            breach = judge_queue(atlas, scene, place, i);
        if (breach != NULL)
            return breach;
    }
    return judge_end(atlas, scene, place);
}

const char *lanes_judge_command(const struct atlas *atlas,
                                const Pb__Command *command,
                                struct road *road)
{
    const Pb__ApplyChange *const apply =
        command->body_case == PB__COMMAND__BODY_APPLY ? command->apply : NULL;
    const Pb__RevertChange *const revert =
        command->body_case == PB__COMMAND__BODY_REVERT ? command->revert : NULL;
    const Pb__Fence *const fence = command->fence;
    const Pb__Change *const of =
        apply != NULL ? apply->change : (revert != NULL ? revert->change : NULL);
    uint64_t *newest;

    if (apply == NULL && revert == NULL)
        return NULL;
    if (fence == NULL || of == NULL)
        return "invariant 9: work on a lane without a fence";
    newest = road->fence[of->service[0] - 'a'];
    (void)atlas;
    if (fence->grant < newest[0] || (fence->grant == newest[0] && fence->version <= newest[1]))
        return "invariant 9: a fence that does not outrank the one before";
    newest[0] = fence->grant;
    newest[1] = fence->version;
    return NULL;
}
