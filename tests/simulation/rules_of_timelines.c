/* What auditors read: the timeline of every deployment that ended, against what was commanded
 * and told. */
#include "tests/simulation/judge.h"

#include <string.h>

enum { STEPS = 7 };

static bool is(const Pb__TimelineEntry *entry, const char *type)
{
    return strcmp(entry->type, type) == 0;
}

/* Whatever can be cut out of a full turn are findings. */
static bool no_gaps(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 1; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const a = report->timeline[i - 1];
            const Pb__TimelineEntry *const b = report->timeline[i];
            const bool follows = b->version > a->version
                                     ? b->index == 0
                                     : b->version == a->version && b->index == a->index + 1;

            if (!follows || b->at_ms < a->at_ms)
                return judge_broken(judge,
                                    "the timeline of %s goes from %llu.%u (%s) to %llu.%u (%s)",
                                    report->state->id,
                                    (unsigned long long)a->version,
                                    a->index,
                                    a->type,
                                    (unsigned long long)b->version,
                                    b->index,
                                    b->type);
        }
    }
    return true;
}

static const Pb__OperatorRequest *request_of(const struct judge *judge, const char *event)
{
    const struct said *const said = judge_event(judge, event);

    return said != NULL && said->event->body_case == PB__EVENT__BODY_REQUEST
               ? said->event->request
               : NULL;
}

/* What followed from a person's request names the person. */
static bool people_are_named(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const entry = report->timeline[i];
            const Pb__OperatorRequest *const request = request_of(judge, entry->event_id);

            if (request != NULL && !pb_same(entry->actor, request->actor->subject))
                return judge_broken(judge,
                                    "%s of %s followed from %s, who is not named",
                                    entry->type,
                                    report->state->id,
                                    request->actor->subject);
        }
    }
    return true;
}

/* Something critical between the first batch and the end stops in the same moment what is not
 * being taken back already. */
static bool critical_stops_at_once(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        bool stopped = false;

        for (size_t i = report->n_timeline; i-- > 0;) {
            const Pb__TimelineEntry *const entry = report->timeline[i];
            const Pb__TimelineEntry *const next =
                i + 1 < report->n_timeline ? report->timeline[i + 1] : NULL;

            stopped |= is(entry, "Stop");
            if (!is(entry, "IncidentDetected") || entry->step < 2 ||
                strncmp(entry->text, "critical", 8) != 0)
                continue;
            if (!stopped)
                continue; /* It was being taken back, or it had ended. */
            if (next == NULL || next->version != entry->version || !is(next, "Stop")) {
                bool before = false;

                for (size_t k = 0; k < i; k++)
                    before |=
                        is(report->timeline[k], "Stop") || is(report->timeline[k], "Exit");
                if (!before)
                    return judge_broken(judge,
                                        "%s was not stopped by what was critical at %llu",
                                        report->state->id,
                                        (unsigned long long)entry->version);
            }
        }
    }
    return true;
}

/* --- holds --- */

static bool ends_hold(const Pb__TimelineEntry *entry, const Pb__TimelineEntry *held)
{
    const size_t length = strcspn(held->text, ":");

    return is(entry, "Stop") || is(entry, "Exit") ||
           (is(entry, "HoldCleared") && strncmp(entry->text, held->text, length) == 0);
}

static uint64_t hold_until(const Pb__DeploymentReport *report, size_t held)
{
    for (size_t i = held + 1; i < report->n_timeline; i++) {
        if (ends_hold(report->timeline[i], report->timeline[held]))
            return report->timeline[i]->version;
    }
    return UINT64_MAX;
}

/* New work that changes production; what was begun is brought to its end. */
static bool is_new_change(const Pb__Command *command)
{
    return command != NULL && command->drive == 1 &&
           (command->body_case == PB__COMMAND__BODY_APPLY ||
            (command->body_case == PB__COMMAND__BODY_SET_FLAGS &&
             command->set_flags->percent > 0));
}

static bool nothing_new_under(struct judge *judge,
                              const Pb__DeploymentReport *report,
                              size_t held)
{
    const Pb__TimelineEntry *const entry = report->timeline[held];
    const uint64_t until = hold_until(report, held);

    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];
        uint64_t version;

        if (!is_new_change(said->command) ||
            !pb_same(said->command->deployment, report->state->id))
            continue;
        version = judge_version(said, report->state->id);
        if (version > entry->version && version < until)
            return judge_broken(judge,
                                "%s was commanded at %llu, under the hold \"%s\" of %llu",
                                said->command->task,
                                (unsigned long long)version,
                                entry->text,
                                (unsigned long long)entry->version);
    }
    return true;
}

/* A window may close over what it lets finish; nothing else does. */
static bool holds_hold(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            if (is(report->timeline[i], "Held") &&
                strncmp(report->timeline[i]->text, "WINDOW", 6) != 0 &&
                !nothing_new_under(judge, report, i))
                return false;
        }
    }
    return true;
}

/* --- what is told of it --- */

static bool is_told(const struct judge *judge,
                    const char *deployment,
                    Pb__Signal__BodyCase body,
                    uint64_t version)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const signal = judge->said[i].signal;

        if (signal != NULL && signal->body_case == body &&
            pb_same(signal->deployment, deployment) &&
            judge_version(&judge->said[i], deployment) == version)
            return true;
    }
    return false;
}

/* What rests, and what can only go on by hand, is told where others listen. */
static bool rest_is_told(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const entry = report->timeline[i];

            if ((is(entry, "StepNoGo") || is(entry, "UndoBlocked")) &&
                !is_told(judge,
                         report->state->id,
                         PB__SIGNAL__BODY_DEPLOYMENT_BLOCKED,
                         entry->version))
                return judge_broken(judge,
                                    "%s of %s at %llu was told nobody",
                                    entry->type,
                                    report->state->id,
                                    (unsigned long long)entry->version);
        }
    }
    return true;
}

static bool is_step_go(const Pb__TimelineEntry *entry, uint32_t step)
{
    return is(entry, "StepGo") && entry->step == step;
}

static size_t count_of(const Pb__DeploymentReport *report, const char *type, uint32_t step)
{
    size_t count = 0;

    for (size_t i = 0; i < report->n_timeline; i++)
        count +=
            step == 0 ? is(report->timeline[i], type) : is_step_go(report->timeline[i], step);
    return count;
}

/* It begins with the beginning, says the end once, and of what is complete each step. */
static bool whole(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        const char *const id = report->state->id;

        if (report->n_timeline == 0 || report->timeline[0]->version != 1 ||
            report->timeline[0]->index != 0)
            return judge_broken(judge, "the timeline of %s does not begin at 1.0", id);
        if (count_of(report, "Exit", 0) != 1)
            return judge_broken(
                judge, "the timeline of %s has %zu ends", id, count_of(report, "Exit", 0));
        for (uint32_t step = 1; step <= STEPS && report->state->phase == PB__PHASE__COMPLETED;
             step++) {
            if (count_of(report, "StepGo", step) == 0)
                return judge_broken(
                    judge, "the timeline of %s does not say that step %u was Go", id, step);
        }
    }
    return true;
}

/* --- retries --- */

static const Pb__TaskFinished *finished_by(const struct judge *judge, const char *event)
{
    const struct said *const said = judge_event(judge, event);

    return said != NULL && said->event->body_case == PB__EVENT__BODY_TASK_FINISHED
               ? said->event->task_finished
               : NULL;
}

static uint32_t drives_of(const Pb__DeploymentReport *report, uint32_t step)
{
    const Pb__Retry *const retry =
        report->plan != NULL && step >= 1 && step <= report->plan->n_steps
            ? report->plan->steps[step - 1]->retry
            : NULL;

    return retry != NULL && retry->drives > 0 ? retry->drives : 3;
}

/* What could not be done is tried as often as the plan says before anybody is called. */
static bool errors_are_tried_again(struct judge *judge)
{
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const entry = report->timeline[i];
            const Pb__TaskFinished *const finished =
                is(entry, "StepNoGo") ? finished_by(judge, entry->event_id) : NULL;

            if (finished != NULL && finished->outcome == PB__OUTCOME__OUTCOME_ERROR &&
                finished->drive < drives_of(report, entry->step))
                return judge_broken(judge,
                                    "%s rests after drive %u of %s, of %u",
                                    report->state->id,
                                    finished->drive,
                                    finished->task,
                                    drives_of(report, entry->step));
        }
    }
    return true;
}

/* By the clock of the log: that of whoever wrote the entry may have been ahead. */
static int64_t really_ms(const struct judge *judge, const Pb__TimelineEntry *entry)
{
    const struct said *const said = judge_event(judge, entry->event_id);

    return said != NULL ? said->at_ms : entry->at_ms;
}

static int64_t try_began_ms(const struct judge *judge,
                            const Pb__DeploymentReport *report,
                            const Pb__TimelineEntry *entry)
{
    for (size_t i = 0; i < report->n_timeline; i++) {
        const Pb__TimelineEntry *const other = report->timeline[i];

        if (other->step == entry->step && other->try_number == entry->try_number)
            return really_ms(judge, other);
    }
    return really_ms(judge, entry);
}

/* Bringing, validating and rolling out does not fail when it begins after all has healed. What
 * is left of before, an incident that is open, a flag that is on, is the concern of the first
 * step and of the sixth. */
static bool what_is_well_goes_well(struct judge *judge)
{
    static const char drift[] = "made under configuration"; /* It stays an edited one. */
    const int64_t healed_ms = judge->history->healed_ms;
    const Pb__DeploymentReport *report;

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL && healed_ms > 0;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const entry = report->timeline[i];

            if (is(entry, "StepNoGo") && strstr(entry->text, drift) == NULL &&
                entry->step >= 2 && entry->step <= 5 &&
                try_began_ms(judge, report, entry) > healed_ms)
                return judge_broken(judge,
                                    "step %u of %s failed at %llu though nothing was wrong: %s",
                                    entry->step,
                                    report->state->id,
                                    (unsigned long long)entry->version,
                                    entry->text);
        }
    }
    return true;
}

const struct rule rules_of_timelines[] = {
    { "a timeline has no gaps", no_gaps },
    { "a timeline is whole", whole },
    { "whoever asked is named", people_are_named },
    { "what is critical stops at once", critical_stops_at_once },
    { "a hold holds", holds_hold },
    { "what rests is told", rest_is_told },
    { "errors are tried again", errors_are_tried_again },
    { "what begins when all is well goes well", what_is_well_goes_well },
    { NULL, NULL },
};
