/* What must hold of the records themselves. */
#include "tests/simulation/judge.h"

#include "common/wire/topics.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *left, const void *right)
{
    const struct said *const a = *(const struct said *const *)left;
    const struct said *const b = *(const struct said *const *)right;
    const int topics = strcmp(a->topic, b->topic);
    const int ids = topics != 0 ? topics : strcmp(a->id, b->id);

    if (ids != 0)
        return ids;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Some things are made when they are said, from what is known then: of plans and of tasks lost
 * the first counts, of reports the last. */
static bool is_made_anew(const struct said *said)
{
    return strcmp(said->topic, TOPIC_ARCHIVE) == 0 ||
           (said->event != NULL && (said->event->body_case == PB__EVENT__BODY_PLAN_COMPILED ||
                                    said->event->body_case == PB__EVENT__BODY_TASK_LOST));
}

/* An effect may go out more than once; then it is the same effect. */
static bool same_id_same_words(struct judge *judge)
{
    const struct said **const sorted =
        arena_alloc(judge->arena, (judge->count + 1) * sizeof *sorted);
    size_t count = 0;

    for (size_t i = 0; i < judge->count; i++) {
        const struct said *const said = &judge->said[i];

        if ((strcmp(said->writer, "coordinator") == 0 || said->signal != NULL) &&
            !is_made_anew(said))
            sorted[count++] = said;
    }
    qsort(sorted, count, sizeof *sorted, by_id);
    for (size_t i = 1; i < count; i++) {
        const struct said *const a = sorted[i - 1], *const b = sorted[i];

        if (strcmp(a->topic, b->topic) == 0 && strcmp(a->id, b->id) == 0 &&
            (a->length != b->length || memcmp(a->bytes, b->bytes, a->length) != 0 ||
             strcmp(a->key, b->key) != 0))
            return judge_broken(judge,
                                "%s on %s was said with different words (records %lld, %lld)",
                                a->id,
                                a->topic,
                                (long long)a->order,
                                (long long)b->order);
    }
    return true;
}

/* Whoever takes only the signal with the next number hears all of them. */
static bool signals_count_up(struct judge *judge)
{
    for (size_t f = 0; f < judge->feature_count; f++) {
        uint64_t heard = 0, highest = 0;

        for (size_t i = 0; i < judge->count; i++) {
            const Pb__Signal *const signal = judge->said[i].signal;

            if (signal == NULL || strcmp(signal->feature, judge->features[f]) != 0 ||
                signal->body_case == PB__SIGNAL__BODY_ACCEPTANCE_REFUSED)
                continue;
            heard += signal->sequence == heard + 1;
            if (signal->sequence > highest)
                highest = signal->sequence;
        }
        if (heard < highest)
            return judge_broken(judge,
                                "signal %llu of %s is never said in its order",
                                (unsigned long long)heard + 1,
                                judge->features[f]);
    }
    return true;
}

/* One number is one signal. */
static bool a_number_is_one_signal(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const a = judge->said[i].signal;

        if (a == NULL || a->body_case == PB__SIGNAL__BODY_ACCEPTANCE_REFUSED)
            continue;
        for (size_t k = i + 1; k < judge->count; k++) {
            const Pb__Signal *const b = judge->said[k].signal;

            if (b != NULL && a->sequence == b->sequence &&
                b->body_case != PB__SIGNAL__BODY_ACCEPTANCE_REFUSED &&
                strcmp(a->feature, b->feature) == 0 &&
                strcmp(judge->said[i].id, judge->said[k].id) != 0)
                return judge_broken(judge,
                                    "signal %llu of %s is %s and %s",
                                    (unsigned long long)a->sequence,
                                    a->feature,
                                    judge->said[i].id,
                                    judge->said[k].id);
        }
    }
    return true;
}

/* Unless Redis forgot who it was: then the fence keeps the two apart. */
static bool a_drive_is_begun_by_one(struct judge *judge)
{
    for (size_t i = 0; i < judge->count && !judge->history->store_lost; i++) {
        const Pb__Event *const a = judge->said[i].event;

        if (a == NULL || a->body_case != PB__EVENT__BODY_TASK_STARTED)
            continue;
        for (size_t k = i + 1; k < judge->count; k++) {
            const Pb__Event *const b = judge->said[k].event;

            if (b != NULL && b->body_case == PB__EVENT__BODY_TASK_STARTED &&
                a->task_started->drive == b->task_started->drive &&
                pb_same(a->task_started->task, b->task_started->task) &&
                !pb_same(a->task_started->instance, b->task_started->instance))
                return judge_broken(judge,
                                    "drive %u of %s is begun by %s and by %s",
                                    a->task_started->drive,
                                    a->task_started->task,
                                    a->task_started->instance,
                                    b->task_started->instance);
        }
    }
    return true;
}

const struct rule rules_of_records[] = {
    { "an effect that goes out twice is the same effect", same_id_same_words },
    { "a number is one signal", a_number_is_one_signal },
    { "the signals of a feature count up", signals_count_up },
    { "a drive is begun by one worker", a_drive_is_begun_by_one },
    { NULL, NULL },
};
