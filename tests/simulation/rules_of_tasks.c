/* What is driven, how often, and whose word about it counts. */
#include "tests/simulation/judge.h"

#include <string.h>

enum { DRIVES_DEFAULT = 3, STEP_WATCHED = 6 };

/* What a task costs at most: each error a drive, each measuring again another, and the last
 * period of watching may be extended once. */
static uint32_t drives_most(const struct judge *judge, const Pb__Command *command)
{
    const Pb__Plan *const plan = judge_plan(judge, command);
    const uint32_t step = judge_step(command->task);
    uint32_t most = 0;

    for (size_t i = 0; plan != NULL && i < plan->n_steps; i++) {
        const Pb__Retry *const retry = plan->steps[i]->retry;
        uint32_t drives = DRIVES_DEFAULT + 1;

        if (retry != NULL)
            drives = (retry->drives > 0 ? retry->drives : DRIVES_DEFAULT) + retry->remeasures;
        if (plan->steps[i]->step == STEP_WATCHED)
            drives++;
        /* What takes back is driven as step 2 is, whenever it is. */
        if ((plan->steps[i]->step == step || plan->steps[i]->step == 2) && drives > most)
            most = drives;
    }
    return plan != NULL && most > DRIVES_DEFAULT ? most : DRIVES_DEFAULT;
}

static bool driven_as_planned(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command != NULL && command->drive > DRIVES_DEFAULT &&
            command->body_case != PB__COMMAND__BODY_CANCEL &&
            command->drive > drives_most(judge, command))
            return judge_broken(judge,
                                "drive %u of %s is commanded, and %u are allowed",
                                command->drive,
                                command->task,
                                drives_most(judge, command));
    }
    return true;
}

/* --- late words --- */

/* What an entry of the timeline followed from, if that is a word about a task. */
struct word_about {
    const char *task;
    uint32_t drive;
    bool ends;
};

static bool word_of(const struct judge *judge, const char *id, struct word_about *ret)
{
    const struct said *const said = judge_event(judge, id);

    if (said == NULL)
        return false;
    switch (said->event->body_case) {
    case PB__EVENT__BODY_TASK_STARTED:
        *ret = (struct word_about){ said->event->task_started->task,
                                    said->event->task_started->drive,
                                    false };
        return true;
    case PB__EVENT__BODY_TASK_FINISHED:
        *ret = (struct word_about){ said->event->task_finished->task,
                                    said->event->task_finished->drive,
                                    true };
        return true;
    case PB__EVENT__BODY_TASK_LOST:
        *ret = (struct word_about){ said->event->task_lost->task,
                                    said->event->task_lost->drive,
                                    true };
        return true;
    default: return false;
    }
}

/* The newest drive that had been decided on before that version. */
static uint32_t drive_before(const struct judge *judge,
                             const char *deployment,
                             const char *task,
                             uint64_t version)
{
    uint32_t newest = 0;

    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Command *const command = judge->said[i].command;

        if (command != NULL && command->drive > newest && pb_same(command->task, task) &&
            command->body_case != PB__COMMAND__BODY_CANCEL &&
            judge_version(&judge->said[i], deployment) < version)
            newest = command->drive;
    }
    return newest;
}

/* No earlier entry of another turn followed from the end of the same drive. */
static bool ended_before(const struct judge *judge,
                         const Pb__DeploymentReport *report,
                         size_t at,
                         const struct word_about *word)
{
    for (size_t i = 0; i < at; i++) {
        const Pb__TimelineEntry *const entry = report->timeline[i];
        struct word_about other;

        if (entry->version < report->timeline[at]->version &&
            word_of(judge, entry->event_id, &other) && other.ends &&
            other.drive == word->drive && pb_same(other.task, word->task))
            return true;
    }
    return false;
}

static bool late_words_change_nothing(struct judge *judge)
{
    const Pb__DeploymentReport *report;
    const char *seen = "";

    for (size_t at = 0; (report = judge_next_report(judge, &at)) != NULL;) {
        for (size_t i = 0; i < report->n_timeline; i++) {
            const Pb__TimelineEntry *const entry = report->timeline[i];
            const char *const id = report->state->id;
            struct word_about word;
            uint32_t newest;

            if (pb_same(entry->event_id, seen) || !word_of(judge, entry->event_id, &word))
                continue;
            seen = entry->event_id;
            newest = drive_before(judge, id, word.task, entry->version);
            if (word.drive < newest)
                return judge_broken(judge,
                                    "%s at %llu followed from drive %u of %s, after drive %u "
                                    "was commanded",
                                    entry->type,
                                    (unsigned long long)entry->version,
                                    word.drive,
                                    word.task,
                                    newest);
            if (word.ends && ended_before(judge, report, i, &word))
                return judge_broken(judge,
                                    "%s at %llu followed from drive %u of %s, which had ended",
                                    entry->type,
                                    (unsigned long long)entry->version,
                                    word.drive,
                                    word.task);
        }
    }
    return true;
}

const struct rule rules_of_tasks[] = {
    { "a task is driven as often as the plan says", driven_as_planned },
    { "a late word changes nothing", late_words_change_nothing },
    { NULL, NULL },
};
