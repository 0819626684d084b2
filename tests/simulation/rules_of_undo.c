/* What is taken back, in which order, and what is looked at before that is believed. */
#include "tests/simulation/judge.h"

#include <string.h>

/* The first time that batch was commanded, by the version of the deployment; 0: never. */
static uint64_t applied_at(const struct judge *judge, const Pb__Command *revert)
{
    uint64_t first = 0;

    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Command *const command = judge->said[i].command;
        uint64_t version;

        if (command == NULL || command->body_case != PB__COMMAND__BODY_APPLY ||
            !pb_same(command->deployment, revert->deployment) ||
            command->apply->batch != revert->revert->batch ||
            command->apply->change->index != revert->revert->change->index)
            continue;
        version = judge_version(&judge->said[i], command->deployment);
        if (version > 0 && (first == 0 || version < first))
            first = version;
    }
    return first;
}

static bool is_revert(const struct said *said)
{
    return said->command != NULL && said->command->body_case == PB__COMMAND__BODY_REVERT &&
           judge_version(said, said->command->deployment) > 0;
}

/* What was applied last is taken back first. */
static bool undo_goes_backwards(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const a = &judge->said[i];
        const uint64_t applied = is_revert(a) ? applied_at(judge, a->command) : 0;

        for (size_t k = 0; k < judge->count && applied > 0; k++) {
            const struct said *const b = &judge->said[k];

            if (is_revert(b) && pb_same(a->command->deployment, b->command->deployment) &&
                judge_version(b, b->command->deployment) >
                    judge_version(a, a->command->deployment) &&
                applied_at(judge, b->command) > applied)
                return judge_broken(judge,
                                    "%s was taken back before %s, which was applied after it",
                                    a->command->task,
                                    b->command->task);
        }
    }
    return true;
}

static bool has_fence(const struct said *said)
{
    return said->command != NULL && said->command->fence != NULL &&
           (said->command->body_case == PB__COMMAND__BODY_APPLY ||
            said->command->body_case == PB__COMMAND__BODY_REVERT) &&
           judge_version(said, said->command->deployment) > 0;
}

/* Each drive, and each undo, outranks whatever was commanded before. */
static bool fences_rise(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const a = &judge->said[i];

        for (size_t k = 0; k < judge->count && has_fence(a); k++) {
            const struct said *const b = &judge->said[k];
            const char *const id = a->command->deployment;

            if (!has_fence(b) || !pb_same(b->command->deployment, id) ||
                judge_version(b, id) <= judge_version(a, id))
                continue;
            if (b->command->fence->version <= a->command->fence->version)
                return judge_broken(judge,
                                    "the fence of %s, %llu, is no higher than that of %s",
                                    b->command->task,
                                    (unsigned long long)b->command->fence->version,
                                    a->command->task);
        }
    }
    return true;
}

/* The last command that changed a target, by the version of the deployment; 0: none did. */
static uint64_t last_change(const struct judge *judge, const char *deployment)
{
    uint64_t last = 0;

    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];

        if (has_fence(said) && pb_same(said->command->deployment, deployment) &&
            judge_version(said, deployment) > last)
            last = judge_version(said, deployment);
    }
    return last;
}

/* Where a target was touched, nothing is taken back before the versions were read as before. */
static bool versions_are_read_back(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const end = judge->said[i].signal;
        uint64_t changed;
        bool read = false;

        if (end == NULL || end->body_case != PB__SIGNAL__BODY_DEPLOYMENT_FINISHED ||
            pb_same(end->deployment_finished->exit, "COMPLETED"))
            continue;
        changed = last_change(judge, end->deployment);
        for (size_t k = 0; k < i && changed > 0 && !read; k++) {
            const Pb__Command *const command = judge->said[k].command;

            read = command != NULL && command->body_case == PB__COMMAND__BODY_READ_BACK &&
                   pb_same(command->deployment, end->deployment) &&
                   judge_version(&judge->said[k], end->deployment) > changed &&
                   judge_ended_well(judge, command->task, (int64_t)i);
        }
        if (changed > 0 && !read)
            return judge_broken(judge,
                                "%s ended %s, and nobody had read the versions",
                                end->deployment,
                                end->deployment_finished->exit);
    }
    return true;
}

static size_t feature_length(const char *deployment)
{
    const char *const dot = strrchr(deployment, '.');

    return dot != NULL ? (size_t)(dot - deployment) : strlen(deployment);
}

static bool same_feature(const char *a, const char *b)
{
    return feature_length(a) == feature_length(b) && strncmp(a, b, feature_length(a)) == 0;
}

static bool is_complete(const struct judge *judge, const char *deployment)
{
    const struct said *const end =
        judge_signal(judge, deployment, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);

    return end != NULL && pb_same(end->signal->deployment_finished->exit, "COMPLETED");
}

/* A person has said of one of its deployments that something is as it should be, or may stay.
 */
static bool was_handled_by_hand(const struct judge *judge, const char *deployment)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_REQUEST &&
            same_feature(event->deployment, deployment) &&
            (event->request->body_case == PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE ||
             event->request->body_case == PB__OPERATOR_REQUEST__BODY_MARK_RESTORED))
            return true;
    }
    return false;
}

/* Code is never restored under what another feature has brought there since, and keeps. */
static bool nothing_is_undone_under_another(struct judge *judge)
{
    const struct history *const history = judge->history;

    for (size_t i = 0; i < history->deed_count; i++) {
        const struct deed *const back = &history->deeds[i];

        for (size_t k = i; k-- > 0 && back->back;) {
            const struct deed *const before = &history->deeds[k];

            if (strcmp(before->instance, back->instance) != 0)
                continue;
            if (!before->back && !same_feature(before->deployment, back->deployment) &&
                strcmp(before->version, back->version) != 0 &&
                is_complete(judge, before->deployment) && !judge_may_stay(judge, before) &&
                !was_handled_by_hand(judge, before->deployment))
                return judge_broken(
                    judge, "%s was taken back under %s", back->instance, before->deployment);
            break;
        }
    }
    return true;
}

/* Users that had it are told that they have it no more. */
static bool withdrawal_is_told(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const end = judge->said[i].signal;

        if (end == NULL || end->body_case != PB__SIGNAL__BODY_DEPLOYMENT_FINISHED ||
            pb_same(end->deployment_finished->exit, "COMPLETED") ||
            judge_signal(judge, end->deployment, PB__SIGNAL__BODY_FEATURE_AVAILABLE) == NULL)
            continue;
        if (judge_signal(judge, end->deployment, PB__SIGNAL__BODY_FEATURE_WITHDRAWN) == NULL)
            return judge_broken(judge,
                                "%s was available and ended %s, and nobody was told",
                                end->deployment,
                                end->deployment_finished->exit);
    }
    return true;
}

/* --- the plan that people approved is the plan that runs --- */

/* Said with the approval, or whose role the whole request was made in. */
static const char *role_of(const Pb__OperatorRequest *request)
{
    return pb_same(request->approve->role, "") ? request->role : request->approve->role;
}

static bool is_approved(const struct judge *judge,
                        const struct said *before,
                        const Pb__ApprovalSpec *spec)
{
    for (size_t i = 0; i < (size_t)before->order; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_REQUEST &&
            event->request->body_case == PB__OPERATOR_REQUEST__BODY_APPROVE &&
            pb_same(event->deployment, before->command->deployment) &&
            pb_same(role_of(event->request), spec->role) &&
            pb_same(event->request->approve->plan_hash, before->command->plan_hash))
            return true;
    }
    return false;
}

static bool only_what_is_approved_runs(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const Pb__Plan *plan;

        if (said->command == NULL || said->command->body_case != PB__COMMAND__BODY_APPLY)
            continue;
        plan = judge_plan(judge, said->command);
        for (size_t a = 0; plan != NULL && a < plan->n_approvals; a++) {
            if (plan->approvals[a]->needed > 0 && !is_approved(judge, said, plan->approvals[a]))
                return judge_broken(judge,
                                    "%s was commanded, and %s had not approved the plan",
                                    said->command->task,
                                    plan->approvals[a]->role);
        }
    }
    return true;
}

const struct rule rules_of_undo[] = {
    { "undo goes backwards", undo_goes_backwards },
    { "fences rise", fences_rise },
    { "taken back only when the versions were read", versions_are_read_back },
    { "nothing is undone under another feature", nothing_is_undone_under_another },
    { "who had it is told when it goes", withdrawal_is_told },
    { "only what is approved runs", only_what_is_approved_runs },
    { NULL, NULL },
};
