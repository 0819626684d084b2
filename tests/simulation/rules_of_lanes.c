/* One deployment at a time changes a lane. */
#include "tests/simulation/judge.h"

#include <stdio.h>
#include <string.h>

static const Pb__LaneGranted *grant_of(const struct said *said)
{
    return said->event != NULL && said->event->body_case == PB__EVENT__BODY_LANE_GRANTED
               ? said->event->lane_granted
               : NULL;
}

/* The first time that grant is on the log. */
static bool is_first(const struct judge *judge, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(judge->said[i].id, judge->said[at].id) == 0 &&
            grant_of(&judge->said[i]) != NULL)
            return false;
    }
    return true;
}

static bool was_released(const struct judge *judge, const Pb__LaneGranted *grant, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_LANE_RELEASED &&
            pb_same(event->lane_released->lane, grant->lane) &&
            pb_same(event->lane_released->deployment, grant->deployment) &&
            event->lane_released->number == grant->number)
            return true;
    }
    return false;
}

/* Granted to the next only after it was given back, under a higher number. */
static bool one_holder_at_a_time(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__LaneGranted *const grant = grant_of(&judge->said[i]);

        if (grant == NULL || !is_first(judge, i))
            continue;
        for (size_t k = 0; k < i; k++) {
            const Pb__LaneGranted *const before = grant_of(&judge->said[k]);

            if (before == NULL || !pb_same(before->lane, grant->lane) ||
                strcmp(judge->said[k].id, judge->said[i].id) == 0)
                continue;
            if (before->grant >= grant->grant)
                return judge_broken(judge,
                                    "grant %llu of %s to %s comes after %llu to %s",
                                    (unsigned long long)grant->grant,
                                    grant->lane,
                                    grant->deployment,
                                    (unsigned long long)before->grant,
                                    before->deployment);
            if (!was_released(judge, before, i))
                return judge_broken(judge,
                                    "%s was granted %s while %s held it",
                                    grant->deployment,
                                    grant->lane,
                                    before->deployment);
        }
    }
    return true;
}

/* Nobody is live any more when this is judged. */
static bool every_lane_is_given_back(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__LaneGranted *const grant = grant_of(&judge->said[i]);

        if (grant != NULL && !was_released(judge, grant, judge->count))
            return judge_broken(judge,
                                "grant %llu of %s to %s was never given back",
                                (unsigned long long)grant->grant,
                                grant->lane,
                                grant->deployment);
    }
    return true;
}

/* Whoever touches a target had been granted its lane, under the grant its fence names. */
static bool only_holders_touch_targets(struct judge *judge)
{
    for (size_t d = 0; d < judge->history->deed_count; d++) {
        const struct deed *const deed = &judge->history->deeds[d];
        char lane[128];
        bool granted = false;

        (void)snprintf(lane, sizeof lane, "production/%s", deed->service);
        for (size_t i = 0; i < (size_t)deed->order && !granted; i++) {
            const Pb__LaneGranted *const grant = grant_of(&judge->said[i]);

            granted = grant != NULL && pb_same(grant->lane, lane) &&
                      pb_same(grant->deployment, deed->deployment) &&
                      grant->grant == deed->grant;
        }
        if (!granted)
            return judge_broken(judge,
                                "%s touched %s under grant %llu of %s, which it never had",
                                deed->deployment,
                                deed->instance,
                                (unsigned long long)deed->grant,
                                lane);
    }
    return true;
}

/* --- what is left on the targets --- */

static bool ended_as(const struct judge *judge, const char *deployment, const char *exit)
{
    const struct said *const end =
        judge_signal(judge, deployment, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);

    return end != NULL && pb_same(end->signal->deployment_finished->exit, exit);
}

bool judge_may_stay(const struct judge *judge, const struct deed *deed)
{
    const Pb__Plan *const plan = judge_plan_of(judge, deed->deployment);

    for (size_t i = 0; plan != NULL && i < plan->n_changes; i++) {
        if (pb_same(plan->changes[i]->target, deed->target) &&
            plan->changes[i]->on_rollback != PB__ON_ROLLBACK__REVERT)
            return true;
    }
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_REQUEST &&
            pb_same(event->deployment, deed->deployment) &&
            (event->request->body_case == PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE ||
             event->request->body_case == PB__OPERATOR_REQUEST__BODY_MARK_RESTORED))
            return true;
    }
    return false;
}

static bool is_last(const struct judge *judge, size_t at)
{
    for (size_t i = at + 1; i < judge->history->deed_count; i++) {
        if (strcmp(judge->history->deeds[i].instance, judge->history->deeds[at].instance) == 0)
            return false;
    }
    return true;
}

static bool nothing_is_left_of_what_was_taken_back(struct judge *judge)
{
    for (size_t i = 0; i < judge->history->deed_count; i++) {
        const struct deed *const deed = &judge->history->deeds[i];

        if (deed->back || !is_last(judge, i) || judge_may_stay(judge, deed) ||
            ended_as(judge, deed->deployment, "COMPLETED"))
            continue;
        return judge_broken(
            judge, "%s still runs %s, which was taken back", deed->instance, deed->version);
    }
    return true;
}

static bool was_brought(const struct judge *judge, const char *deployment, const char *instance)
{
    for (size_t i = 0; i < judge->history->deed_count; i++) {
        const struct deed *const deed = &judge->history->deeds[i];

        if (!deed->back && strcmp(deed->deployment, deployment) == 0 &&
            strcmp(deed->instance, instance) == 0)
            return true;
    }
    return false;
}

/* One of two sides gets what is brought, all of its instances, and then the traffic. */
static bool is_brought_to_a_side(struct judge *judge, const char *id, const Pb__Change *change)
{
    const Pb__Batch *const batch = change->batches[0];
    bool brought = false, shifted = false;

    for (size_t i = 0; i < batch->n_instances; i++)
        brought |= was_brought(judge, id, batch->instances[i]);
    for (size_t i = 0; i < judge->history->deed_count; i++) {
        const struct deed *const deed = &judge->history->deeds[i];

        shifted |= !deed->back && strcmp(deed->deployment, id) == 0 &&
                   strcmp(deed->target, change->target) == 0 && deed->is_shift;
    }
    if (brought && shifted)
        return true;
    return judge_broken(judge,
                        "%s is complete, and %s of %s",
                        id,
                        brought ? "never got the traffic" : "was on no side",
                        change->target);
}

static bool is_brought_everywhere(struct judge *judge, const char *id, const Pb__Change *change)
{
    if (change->n_batches > 0 && change->batches[0]->side[0] != '\0')
        return is_brought_to_a_side(judge, id, change);
    for (size_t b = 0; b < change->n_batches; b++) {
        for (size_t i = 0; i < change->batches[b]->n_instances; i++) {
            if (!was_brought(judge, id, change->batches[b]->instances[i]))
                return judge_broken(judge,
                                    "%s is complete and was never brought to %s",
                                    id,
                                    change->batches[b]->instances[i]);
        }
    }
    return true;
}

static bool complete_is_everywhere(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const end = judge->said[i].signal;
        const Pb__Plan *plan;

        if (end == NULL || end->body_case != PB__SIGNAL__BODY_DEPLOYMENT_FINISHED ||
            !pb_same(end->deployment_finished->exit, "COMPLETED"))
            continue;
        plan = judge_plan_of(judge, end->deployment);
        for (size_t c = 0; plan != NULL && c < plan->n_changes; c++) {
            if (!is_brought_everywhere(judge, end->deployment, plan->changes[c]))
                return false;
        }
    }
    return true;
}

const struct rule rules_of_lanes[] = {
    { "a lane has one holder at a time", one_holder_at_a_time },
    { "every lane is given back", every_lane_is_given_back },
    { "only who holds the lane touches its targets", only_holders_touch_targets },
    { "nothing is left of what was taken back", nothing_is_left_of_what_was_taken_back },
    { "what is complete is everywhere", complete_is_everywhere },
    { NULL, NULL },
};
