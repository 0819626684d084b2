/* What users were told, and what was granted. */
#include "tests/simulation/judge.h"

#include <string.h>

static const Pb__FlagValue *value_of(const struct said *said)
{
    return said->control != NULL && said->control->body_case == PB__CONTROL__BODY_FLAG
               ? said->control->flag
               : NULL;
}

static bool no_flag_before_validation(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__FlagValue *const value = value_of(&judge->said[i]);
        const struct said *deployed;

        if (value == NULL || value->percent == 0)
            continue;
        deployed = judge_signal(judge, value->deployment, PB__SIGNAL__BODY_FEATURE_DEPLOYED);
        if (deployed == NULL || judge_version(deployed, value->deployment) >
                                    judge_version(&judge->said[i], value->deployment))
            return judge_broken(judge,
                                "%s was granted %u %% of %s before it was deployed",
                                value->deployment,
                                value->percent,
                                value->flag);
    }
    return true;
}

static bool is_of_a_stage(const Pb__Plan *plan, uint32_t percent)
{
    for (size_t i = 0; i < plan->n_stages; i++) {
        if (plan->stages[i]->percent == percent)
            return true;
    }
    return percent == 0;
}

static bool only_planned_percentages(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__FlagValue *const value = value_of(&judge->said[i]);
        const Pb__Plan *const plan =
            value != NULL ? judge_plan_of(judge, value->deployment) : NULL;

        if (plan != NULL && !is_of_a_stage(plan, value->percent))
            return judge_broken(
                judge, "%u %% of %s is no stage of the plan", value->percent, value->flag);
    }
    return true;
}

/* The first latch of that deployment that anybody wrote, proven. */
static const struct said *latch_of(const struct judge *judge, const char *deployment)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Control *const control = judge->said[i].control;

        if (control != NULL && control->body_case == PB__CONTROL__BODY_KILL &&
            pb_same(control->kill->deployment, deployment))
            return &judge->said[i];
    }
    return NULL;
}

/* A gateway that has heard the latch never answers "on" again. */
static bool latched_is_off(struct judge *judge)
{
    for (size_t i = 0; i < judge->history->glimpse_count; i++) {
        const struct glimpse *const glimpse = &judge->history->glimpses[i];
        const struct said *const latch =
            glimpse->on ? latch_of(judge, glimpse->deployment) : NULL;

        if (latch != NULL && glimpse->heard > latch->offset)
            return judge_broken(judge,
                                "gateway %zu showed %s of %s though it had heard its latch",
                                glimpse->gateway + 1,
                                glimpse->flag,
                                glimpse->deployment);
    }
    return true;
}

static const struct glimpse *last_glimpse(const struct judge *judge,
                                          size_t gateway,
                                          const char *flag)
{
    for (size_t i = judge->history->glimpse_count; i-- > 0;) {
        const struct glimpse *const glimpse = &judge->history->glimpses[i];

        if (glimpse->gateway == gateway && strcmp(glimpse->flag, flag) == 0)
            return glimpse;
    }
    return NULL;
}

/* In the end every gateway tells the same; what was taken back is off, what is complete is on
 * at the planned stage. */
static bool users_see_how_it_ended(struct judge *judge)
{
    for (size_t f = 0; f < judge->feature_count; f++) {
        const struct glimpse *const one = last_glimpse(judge, 0, judge->features[f]);
        const struct glimpse *const two = last_glimpse(judge, 1, judge->features[f]);
        const Pb__Plan *plan;
        const struct said *end;
        bool complete;

        if ((one != NULL && one->on) != (two != NULL && two->on))
            return judge_broken(judge, "gateways differ about %s", judge->features[f]);
        if (one == NULL)
            continue;
        end = judge_signal(judge, one->deployment, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);
        plan = judge_plan_of(judge, one->deployment);
        complete = end != NULL && pb_same(end->signal->deployment_finished->exit, "COMPLETED");
        if (one->on && !complete)
            return judge_broken(
                judge, "%s ended, and %s is on", one->deployment, judge->features[f]);
        if (complete && latch_of(judge, one->deployment) == NULL && plan != NULL &&
            one->percent != plan->stages[plan->n_stages - 1]->percent)
            return judge_broken(judge,
                                "%s is complete, and %s is on for %u %%",
                                one->deployment,
                                judge->features[f],
                                one->percent);
    }
    return true;
}

/* Where a flag was ever granted, nothing is over before it was read back as off, later than
 * the longest timeout of a provider after the latch. */
static bool read_off_before_the_end(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const end = judge->said[i].signal;
        const Pb__FlagValue *granted = NULL;
        bool read_back = false;

        if (end == NULL || end->body_case != PB__SIGNAL__BODY_DEPLOYMENT_FINISHED ||
            pb_same(end->deployment_finished->exit, "COMPLETED"))
            continue;
        for (size_t k = 0; k < judge->count; k++) {
            const Pb__FlagValue *const value = value_of(&judge->said[k]);

            if (value != NULL && value->percent > 0 &&
                pb_same(value->deployment, end->deployment))
                granted = value;
        }
        for (size_t k = 0; k < i && granted != NULL && !read_back; k++) {
            const Pb__Command *const command = judge->said[k].command;

            read_back = command != NULL && command->body_case == PB__COMMAND__BODY_KILL_FLAGS &&
                        pb_same(command->deployment, end->deployment) &&
                        judge_ended_well(judge, command->task, (int64_t)i);
        }
        if (granted != NULL && !read_back)
            return judge_broken(judge,
                                "%s ended %s, and nobody had read %s as off",
                                end->deployment,
                                end->deployment_finished->exit,
                                granted->flag);
    }
    return true;
}

static const struct glimpse *glimpse_at(const struct judge *judge,
                                        size_t gateway,
                                        const char *flag,
                                        int64_t order)
{
    for (size_t i = judge->history->glimpse_count; i-- > 0;) {
        const struct glimpse *const glimpse = &judge->history->glimpses[i];

        if (glimpse->gateway == gateway && glimpse->order <= order &&
            strcmp(glimpse->flag, flag) == 0)
            return glimpse;
    }
    return NULL;
}

/* Who is told that it was taken back does not find it on anywhere. */
static bool nothing_is_on_when_it_is_taken_back(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const end = judge->said[i].signal;

        if (end == NULL || end->body_case != PB__SIGNAL__BODY_DEPLOYMENT_FINISHED ||
            pb_same(end->deployment_finished->exit, "COMPLETED"))
            continue;
        for (size_t gateway = 0; gateway < 2; gateway++) {
            const struct glimpse *const glimpse =
                glimpse_at(judge, gateway, end->feature, (int64_t)i);

            if (glimpse != NULL && glimpse->on && pb_same(glimpse->deployment, end->deployment))
                return judge_broken(judge,
                                    "%s ended %s, and gateway %zu still showed it",
                                    end->deployment,
                                    end->deployment_finished->exit,
                                    gateway + 1);
        }
    }
    return true;
}

const struct rule rules_of_latches[] = {
    { "what a gateway knows as latched is off", latched_is_off },
    { NULL, NULL },
};

const struct rule rules_of_flags[] = {
    { "no flag is on before validation is Go", no_flag_before_validation },
    { "only planned percentages are granted", only_planned_percentages },
    { "what a gateway knows as latched is off", latched_is_off },
    { "users see how it ended", users_see_how_it_ended },
    { "taken back only when the flags were read as off", read_off_before_the_end },
    { "nothing is on when it is taken back", nothing_is_on_when_it_is_taken_back },
    { NULL, NULL },
};
