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
                                deed->task,
                                deed->instance,
                                (unsigned long long)deed->grant,
                                lane);
    }
    return true;
}

const struct rule rules_of_lanes[] = {
    { "a lane has one holder at a time", one_holder_at_a_time },
    { "only who holds the lane touches its targets", only_holders_touch_targets },
    { NULL, NULL },
};
