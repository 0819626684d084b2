#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include <string.h>

/* Who hears that event: deployments first, then lanes; DEPS_MAX + LANES_MAX: nobody here. */
static size_t hearer(const struct atlas *atlas, const Pb__Event *event)
{
    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        return DEPS_MAX + lanes_index(atlas, event->lane_requested->lane);
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        return DEPS_MAX + lanes_index(atlas, event->lane_released->lane);
    if (event->body_case == PB__EVENT__BODY_LANE_GRANTED ||
        event->body_case == PB__EVENT__BODY_SUPERSEDED_BY)
        return (size_t)(event->deployment[0] - 'a');
    return DEPS_MAX + LANES_MAX;
}

/* False when more is on its way than this search looks at. */
static bool post(struct atlas *atlas,
                 struct place *place,
                 size_t from,
                 const struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        const Pb__Event *const event = effects->item[i].event;
        size_t to;

        if (effects->item[i].kind != EFFECT_EVENT)
            continue;
        to = hearer(atlas, event);
        if (to == DEPS_MAX + LANES_MAX)
            continue;
        if (place->mail_count == MAIL_MAX)
            return false;
        place->mail[place->mail_count++] = (struct letter){
            pb_pack(&atlas->scratch, event), (uint8_t)from, (uint8_t)to, false
        };
    }
    return true;
}

static const char *judge_deployment(const struct atlas *atlas,
                                    const Pb__DeploymentState *before,
                                    const struct procedure_output *output,
                                    struct road *road)
{
    if (procedure_is_terminal(before->phase) && output->after->phase != before->phase)
        return "invariant 1: a terminal deployment moved";
    for (size_t i = 0; i < output->effects.count; i++) {
        const char *const breach =
            output->effects.item[i].kind == EFFECT_COMMAND
                ? lanes_judge_command(atlas, output->effects.item[i].command, road)
                : NULL;

        if (breach != NULL)
            return breach;
    }
    return NULL;
}

/* One event at one deployment. True when it was applied; false with atlas->breach set, or when
 * it is stale. */
static bool step_once(
    struct atlas *atlas, struct place *place, size_t node, size_t dep, const Pb__Event *event)
{
    const Pb__DeploymentState *const before =
        lanes_unpacked(atlas, &pb__deployment_state__descriptor, place->deps[dep]);
    struct procedure_output *const output = arena_alloc(&atlas->scratch, sizeof *output);
    const struct procedure_input input = {
        .before = before,
        .plan = before->plan_hash[0] != '\0' ? atlas->plans[dep] : NULL,
        .event = event,
        .event_id = "e",
        .at_ms = before->now_ms,
    };
    const enum procedure_answer answer = procedure_step(&atlas->scratch, &input, output);
    const char *breach = answer == PROCEDURE_IMPOSSIBLE ? output->why : NULL;

    if (answer == PROCEDURE_APPLIED)
        breach = judge_deployment(atlas, before, output, &place->road);
    if (breach != NULL)
        lanes_report(atlas, node, place->label, breach);
    if (breach != NULL || answer != PROCEDURE_APPLIED)
        return false;
    place->deps[dep] = pb_pack(&atlas->scratch, output->after);
    return post(atlas, place, dep, &output->effects);
}

/* Its end is sure to be near, and concerns nobody else. */
static bool hurries(const struct atlas *atlas, const Pb__DeploymentState *state)
{
    static const char *const kinds[] = { "bake",    "validate", "activate", "watch",
                                         "confirm", "finalise", "flags-off" };
    const Pb__TaskState *const task = main_task(state);

    if ((atlas->crossing->trouble & BRISK) == 0 || task == NULL || task->cancelling ||
        task->retry_at_ms != 0 || state->n_holds > 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], task->kind) == 0)
            return true;
    }
    return false;
}

bool lanes_step_deployment(
    struct atlas *atlas, struct place *place, size_t node, size_t dep, const Pb__Event *event)
{
    bool applied = step_once(atlas, place, node, dep, event);

    while (applied) {
        struct tried tried[TRIES_MAX];
        struct scene scene;

        lanes_scene(atlas, place, &scene);
        if (!hurries(atlas, scene.deps[dep]))
            return true;
        assert_true(lanes_events(atlas, &scene, place, dep, tried) > 0);
        place->road = tried[0].road;
        applied = step_once(atlas, place, node, dep, tried[0].event);
    }
    return false;
}

bool lanes_step_lane(
    struct atlas *atlas, struct place *place, size_t node, size_t lane, const Pb__Event *event)
{
    struct lane_output *const output = arena_alloc(&atlas->scratch, sizeof *output);
    const struct lane_input input = {
        .before = place->lanes[lane].bytes == NULL
                      ? NULL
                      : lanes_unpacked(atlas, &pb__lane_state__descriptor, place->lanes[lane]),
        .event = event,
        .event_id = "e",
        .at_ms = 1000,
    };
    const enum procedure_answer answer = lane_step(&atlas->scratch, &input, output);

    if (answer == PROCEDURE_IMPOSSIBLE)
        lanes_report(atlas, node, place->label, output->why);
    if (answer != PROCEDURE_APPLIED)
        return false;
    if (input.before != NULL && output->after->grant < input.before->grant) {
        lanes_report(atlas, node, place->label, "invariant 9: the number of a grant fell");
        return false;
    }
    place->lanes[lane] = pb_pack(&atlas->scratch, output->after);
    return post(atlas, place, DEPS_MAX + lane, &output->effects);
}
