/* What people are told: once, and not only so in the log. Judged where somebody kept what they
 * were told. */
#include "tests/simulation/judge.h"

#include <string.h>

/* Whoever has it already can see by its id that it is the same. */
static bool the_same_is_said_under_one_id(struct judge *judge)
{
    const struct history *const history = judge->history;

    for (size_t i = 0; i < history->word_count; i++) {
        const struct word *const word = &history->words[i];

        for (size_t k = 0; k < i && word->url == NULL; k++) {
            const struct word *const before = &history->words[k];
            const bool same_id = strcmp(before->id, word->id) == 0;
            bool same;

            if (before->url != NULL || strcmp(before->deployment, word->deployment) != 0)
                continue;
            same = strcmp(before->purpose, word->purpose) == 0 &&
                   strcmp(before->what, word->what) == 0;
            if (same_id && !same)
                return judge_broken(
                    judge, "%s says %s and %s", word->id, before->purpose, word->purpose);
            if (same && !same_id && strncmp(word->what, "completed", 9) == 0)
                return judge_broken(judge,
                                    "%s: %s is told as %s and as %s",
                                    word->deployment,
                                    word->purpose,
                                    before->id,
                                    word->id);
        }
    }
    return true;
}

static bool is_told(const struct judge *judge, const struct said *said, const char *id)
{
    for (size_t i = 0; i < judge->history->word_count; i++) {
        const struct word *const word = &judge->history->words[i];

        if (word->order <= said->order && strcmp(word->id, id) == 0)
            return true;
    }
    return false;
}

static bool what_was_delivered_is_there(struct judge *judge)
{
    for (size_t i = 0; i < judge->count && judge->history->hears_words; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event == NULL || event->body_case != PB__EVENT__BODY_TASK_FINISHED)
            continue;
        for (size_t k = 0; k < event->task_finished->n_receipts; k++) {
            const Pb__Receipt *const receipt = event->task_finished->receipts[k];

            if (!is_told(judge, &judge->said[i], receipt->id))
                return judge_broken(judge,
                                    "%s has a receipt of %s, which nobody was told",
                                    event->task_finished->task,
                                    receipt->check);
        }
    }
    return true;
}

const struct rule rules_of_words[] = {
    { "the same is said under one id", the_same_is_said_under_one_id },
    { "what was delivered is there", what_was_delivered_is_there },
    { NULL, NULL },
};
