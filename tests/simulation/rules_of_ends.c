/* How deployments end, and what they leave behind. */
#include "tests/simulation/judge.h"

#include "common/wire/topics.h"

#include <string.h>

enum { HEARD_MS = 15 * 1000 };

static bool ends_as(const struct said *said, const char *exit)
{
    return said->signal != NULL &&
           said->signal->body_case == PB__SIGNAL__BODY_DEPLOYMENT_FINISHED &&
           (exit == NULL || pb_same(said->signal->deployment_finished->exit, exit));
}

static bool one_end_each(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        for (size_t k = i + 1; k < judge->count && ends_as(&judge->said[i], NULL); k++) {
            if (ends_as(&judge->said[k], NULL) &&
                pb_same(judge->said[k].signal->deployment, judge->said[i].signal->deployment) &&
                strcmp(judge->said[k].id, judge->said[i].id) != 0)
                return judge_broken(judge, "%s ended twice", judge->said[i].signal->deployment);
        }
    }
    return true;
}

/* Whoever was ever commanded something, or told the world anything, ends and says so. */
static bool every_deployment_ends(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const char *const id = said->command != NULL  ? said->command->deployment
                               : said->signal != NULL ? said->signal->deployment
                                                      : "";

        if (id[0] != '\0' &&
            judge_signal(judge, id, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED) == NULL)
            return judge_broken(judge, "%s never said how it ended", id);
    }
    return true;
}

static bool is_signed_off(const struct judge *judge,
                          const struct said *end,
                          const Pb__SignOffSpec *spec)
{
    for (size_t i = 0; i < (size_t)end->order; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_REQUEST &&
            event->request->body_case == PB__OPERATOR_REQUEST__BODY_SIGNOFF &&
            pb_same(event->deployment, end->signal->deployment) &&
            event->request->signoff->step == spec->step && event->request->signoff->accept &&
            pb_same(event->request->signoff->role[0] != '\0' ? event->request->signoff->role
                                                             : event->request->role,
                    spec->role))
            return true;
    }
    return false;
}

static bool complete_is_complete(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const end = &judge->said[i];
        const Pb__Plan *plan;
        const char *id;

        if (!ends_as(end, "COMPLETED"))
            continue;
        id = end->signal->deployment;
        plan = judge_plan_of(judge, id);
        if (plan == NULL ||
            judge_signal(judge, id, PB__SIGNAL__BODY_FEATURE_DEPLOYED) == NULL ||
            judge_signal(judge, id, PB__SIGNAL__BODY_MONITORING_ACTIVE) == NULL)
            return judge_broken(judge, "%s is complete without plan or signals", id);
        for (size_t s = 0; s < plan->n_signoffs; s++) {
            if (!is_signed_off(judge, end, plan->signoffs[s]))
                return judge_broken(judge,
                                    "%s is complete, and %s has not signed off",
                                    id,
                                    plan->signoffs[s]->role);
        }
        for (size_t s = 0; s < plan->n_stages; s++) {
            if (!judge_was_available(judge, end, plan->stages[s]->percent))
                return judge_broken(judge,
                                    "%s is complete and was never available to %u %%",
                                    id,
                                    plan->stages[s]->percent);
        }
    }
    return true;
}

/* The first end of a task with that command of that deployment. */
static int64_t first_end_of(const struct judge *judge,
                            const char *deployment,
                            Pb__Command__BodyCase body,
                            int32_t partition)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command == NULL || command->body_case != body ||
            !pb_same(command->deployment, deployment))
            continue;
        for (size_t k = i; k < judge->count; k++) {
            const Pb__Event *const event = judge->said[k].event;

            if (event != NULL && event->body_case == PB__EVENT__BODY_TASK_FINISHED &&
                judge->said[k].partition == partition &&
                pb_same(event->task_finished->task, command->task))
                return judge->said[k].offset;
        }
    }
    return INT64_MAX;
}

static bool was_skipped(const struct judge *judge, const struct said *record)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Control *const control = judge->said[i].control;

        if (control != NULL && control->body_case == PB__CONTROL__BODY_SKIP &&
            (int32_t)control->skip->partition == record->partition &&
            control->skip->offset == record->offset)
            return true;
    }
    return false;
}

/* Something critical between the first batch and the last step leaves only one way. */
static bool a_critical_incident_stops(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        const char *id;
        const struct said *end;

        if (said->event == NULL || said->event->body_case != PB__EVENT__BODY_INCIDENT ||
            !said->event->incident->open ||
            said->event->incident->severity != PB__SEVERITY__CRITICAL)
            continue;
        id = said->event->deployment;
        end = judge_signal(judge, id, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);
        if (end == NULL || !ends_as(end, "COMPLETED") || was_skipped(judge, said) ||
            said->offset < first_end_of(judge, id, PB__COMMAND__BODY_APPLY, said->partition) ||
            said->offset > first_end_of(judge, id, PB__COMMAND__BODY_FINALISE, said->partition))
            continue;
        return judge_broken(judge, "%s is complete in spite of %s", id, said->id);
    }
    return true;
}

/* The alert is over at that time, or earlier. */
static bool is_over(const struct judge *judge, const char *fingerprint, int64_t until_ms)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__AlertBatch *const batch = judge->said[i].alerts;

        for (size_t a = 0; batch != NULL && a < batch->n_alerts; a++) {
            if (judge->said[i].at_ms <= until_ms &&
                batch->alerts[a]->status == PB__ALERT_STATUS__RESOLVED &&
                pb_same(batch->alerts[a]->fingerprint, fingerprint))
                return true;
        }
    }
    return false;
}

/* It had been commanded before to change that service. */
static bool has_changed(const struct judge *judge,
                        const char *deployment,
                        const char *service,
                        int64_t before)
{
    for (size_t i = 0; i < (size_t)before; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command != NULL && command->body_case == PB__COMMAND__BODY_APPLY &&
            pb_same(command->deployment, deployment) &&
            pb_same(command->apply->change->service, service))
            return true;
    }
    return false;
}

static bool alert_is_heeded(struct judge *judge,
                            const struct said *said,
                            const Pb__Alert *alert)
{
    const int64_t healed_ms = judge->history->healed_ms;
    const int64_t heard_ms = HEARD_MS + (said->at_ms > healed_ms ? said->at_ms : healed_ms);

    if (alert->status != PB__ALERT_STATUS__FIRING ||
        alert->severity != PB__SEVERITY__CRITICAL ||
        is_over(judge, alert->fingerprint, heard_ms))
        return true;
    for (size_t i = (size_t)said->order; i < judge->count; i++) {
        const struct said *const end = &judge->said[i];

        if (ends_as(end, "COMPLETED") && end->at_ms > heard_ms &&
            judge_signal(judge, end->signal->deployment, end->signal->body_case) == end &&
            has_changed(judge, end->signal->deployment, alert->service, said->order))
            return judge_broken(judge,
                                "%s is complete, and had changed %s before %s fired",
                                end->signal->deployment,
                                alert->service,
                                alert->fingerprint);
    }
    return true;
}

/* Once monitoring and everybody between is well, an alert reaches whoever changed the service.
 */
static bool alerts_reach_who_changed_it(struct judge *judge)
{
    for (size_t i = 0; i < judge->count && judge->history->healed_ms > 0; i++) {
        const Pb__AlertBatch *const batch = judge->said[i].alerts;

        for (size_t a = 0; batch != NULL && a < batch->n_alerts; a++) {
            if (!alert_is_heeded(judge, &judge->said[i], batch->alerts[a]))
                return false;
        }
    }
    return true;
}

/* No exit by a failure without something that failed, none by a decision without one. */
static bool was_decided(const struct judge *judge, const char *deployment, const char *feature)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event == NULL)
            continue;
        if (pb_same(event->deployment, deployment) &&
            (event->body_case == PB__EVENT__BODY_HOLD_SET ||
             event->body_case == PB__EVENT__BODY_TIMER_FIRED ||
             event->body_case == PB__EVENT__BODY_KILL_SEEN))
            return true;
        if (event->body_case == PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN &&
            pb_same(event->feature, feature))
            return true;
        if (event->body_case == PB__EVENT__BODY_REQUEST &&
            pb_same(event->deployment, deployment) &&
            (event->request->body_case == PB__OPERATOR_REQUEST__BODY_ABORT ||
             event->request->body_case == PB__OPERATOR_REQUEST__BODY_REJECT))
            return true;
    }
    return false;
}

static bool aborted_by_a_decision(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const end = &judge->said[i];

        if (ends_as(end, "ABORTED") &&
            !was_decided(judge, end->signal->deployment, end->signal->feature))
            return judge_broken(
                judge, "%s is aborted, and nobody decided it", end->signal->deployment);
    }
    return true;
}

static bool the_end_is_the_last_signal(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const signal = judge->said[i].signal;
        const struct said *end;

        if (signal == NULL || signal->deployment[0] == '\0')
            continue;
        end = judge_signal(judge, signal->deployment, PB__SIGNAL__BODY_DEPLOYMENT_FINISHED);
        if (end != NULL && signal->sequence > end->signal->sequence &&
            signal->body_case != PB__SIGNAL__BODY_FEATURE_WITHDRAWN)
            return judge_broken(judge,
                                "signal %llu of %s comes after its end",
                                (unsigned long long)signal->sequence,
                                signal->deployment);
    }
    return true;
}

static Pb__Phase phase_of(const char *exit)
{
    if (pb_same(exit, "COMPLETED"))
        return PB__PHASE__COMPLETED;
    return pb_same(exit, "ABORTED") ? PB__PHASE__ABORTED : PB__PHASE__ROLLED_BACK;
}

/* Whoever reads the archive later is told the same end as those who heard it. */
static bool the_archive_says_the_same(struct judge *judge)
{
    size_t first = 0;
    const bool archived = judge_next_report(judge, &first) != NULL;

    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const end = &judge->said[i];
        const Pb__DeploymentReport *report;

        if (!ends_as(end, NULL))
            continue;
        report = judge_report(judge, end->signal->deployment);
        if (report == NULL && !archived && !judge->history->hears_words)
            continue; /* A history without the archive. */
        if (report == NULL)
            return judge_broken(
                judge, "%s ended, and no report says so", end->signal->deployment);
        if (report->state->phase != phase_of(end->signal->deployment_finished->exit))
            return judge_broken(judge,
                                "%s ended %s, and its report says %s",
                                end->signal->deployment,
                                end->signal->deployment_finished->exit,
                                pb_phase_name(report->state->phase));
    }
    return true;
}

/* --- bad input --- */

/* What nobody can read is told of where operators look, and nothing else is. */
static bool poison_is_told_of(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        bool told = false;

        if (!said->poison || strcmp(said->topic, TOPIC_EVENTS) != 0)
            continue;
        for (size_t k = 0; k < judge->count && !told; k++) {
            const Pb__DeadLetter *const letter = judge->said[k].letter;

            told = letter != NULL && pb_same(letter->topic, said->topic) &&
                   (int32_t)letter->partition == said->partition &&
                   letter->offset == said->offset;
        }
        if (!told)
            return judge_broken(judge,
                                "nobody told of the poison at %s %d, %lld",
                                said->topic,
                                (int)said->partition,
                                (long long)said->offset);
    }
    return true;
}

const struct rule rules_of_ends[] = {
    { "a deployment ends once", one_end_each },
    { "every deployment says how it ended", every_deployment_ends },
    { "complete means complete", complete_is_complete },
    { "a critical incident stops what runs", a_critical_incident_stops },
    { "an alert stops who changed the service", alerts_reach_who_changed_it },
    { "aborted means that somebody decided it", aborted_by_a_decision },
    { "the end is the last signal", the_end_is_the_last_signal },
    { "the archive says the same end", the_archive_says_the_same },
    { "poison is told of", poison_is_told_of },
    { NULL, NULL },
};
