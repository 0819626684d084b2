#include "tests/unit/coordinator_core/explore/key.h"

#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include <string.h>

enum { NUMBERS_MAX = 64 };

/* Request numbers rise without end, and nothing but their order counts: in the key each is its
 * place among all that are still named anywhere. */
struct numbers {
    uint64_t of[DEPS_MAX][NUMBERS_MAX];
    size_t count[DEPS_MAX];
};

static void note(struct numbers *numbers, size_t dep, uint64_t number)
{
    for (size_t i = 0; i < numbers->count[dep]; i++) {
        if (numbers->of[dep][i] == number)
            return;
    }
    assert_true(numbers->count[dep] < NUMBERS_MAX);
    numbers->of[dep][numbers->count[dep]++] = number;
}

static unsigned rank(const struct numbers *numbers, size_t dep, uint64_t number)
{
    unsigned below = 0;

    for (size_t i = 0; i < numbers->count[dep]; i++)
        below += numbers->of[dep][i] < number;
    return below;
}

struct word {
    const char *deployment;
    const char *lane;
    const char *top;
    const char *restored;
    uint64_t number;
    bool flag; /* undo; withdrawn */
};

static struct word word_of(const Pb__Event *event)
{
    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        return (struct word){
            event->lane_requested->deployment, event->lane_requested->lane, "", "",
            event->lane_requested->number,     event->lane_requested->undo
        };
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        return (
            struct word){ event->lane_released->deployment, event->lane_released->lane,
                          event->lane_released->top,        event->lane_released->restored,
                          event->lane_released->number,     event->lane_released->withdrawn };
    if (event->body_case == PB__EVENT__BODY_LANE_GRANTED)
        return (struct word){ event->lane_granted->deployment, event->lane_granted->lane,
                              event->lane_granted->top,        "",
                              event->lane_granted->number,     false };
    return (struct word){ event->superseded_by->deployment, event->superseded_by->lane,
                          event->superseded_by->top,        "",
                          event->superseded_by->number,     false };
}

static size_t dep_of(const char *deployment)
{
    return (size_t)(deployment[0] - 'a');
}

static const Pb__Event *opened(struct atlas *atlas, const struct letter *letter)
{
    struct error error = { "" };
    void *event = NULL;

    if (pb_unpack(&atlas->scratch, &pb__event__descriptor, letter->event, &event, &error) !=
        ERR_OK)
        fail_msg("%s", error.text);
    return event;
}

static void collect(struct numbers *numbers,
                    const struct atlas *atlas,
                    const struct scene *scene,
                    const Pb__Event *const *mail,
                    size_t mail_count)
{
    for (size_t i = 0; i < atlas->dep_count; i++) {
        for (size_t k = 0; k < scene->deps[i]->n_lanes; k++)
            note(numbers, i, scene->deps[i]->lanes[k]->number);
    }
    for (size_t i = 0; i < atlas->lane_count; i++) {
        const Pb__LaneState *const lane = scene->lanes[i];

        if (lane == NULL)
            continue;
        if (lane->holder[0] != '\0')
            note(numbers, dep_of(lane->holder), lane->holder_number);
        for (size_t k = 0; k < lane->n_queue; k++)
            note(numbers, dep_of(lane->queue[k]->deployment), lane->queue[k]->number);
    }
    for (size_t i = 0; i < mail_count; i++) {
        const struct word word = word_of(mail[i]);

        note(numbers, dep_of(word.deployment), word.number);
    }
}

static void add_deps(struct text *out,
                     const struct numbers *numbers,
                     const struct atlas *atlas,
                     const struct scene *scene)
{
    for (size_t i = 0; i < atlas->dep_count; i++) {
        const Pb__DeploymentState *const state = scene->deps[i];

        text_add(out, "|D");
        key_state(out, state);
        for (size_t k = 0; k < state->n_lanes; k++)
            text_add(out,
                     "N%u%s",
                     rank(numbers, i, state->lanes[k]->number),
                     state->lanes[k]->below);
    }
}

static void add_lanes(struct text *out,
                      const struct numbers *numbers,
                      const struct atlas *atlas,
                      const struct scene *scene)
{
    for (size_t i = 0; i < atlas->lane_count; i++) {
        const Pb__LaneState *const lane = scene->lanes[i];

        text_add(out, "|L");
        if (lane == NULL)
            continue;
        text_add(out, "%s,%s", lane->holder, lane->top);
        if (lane->holder[0] != '\0')
            text_add(out, "%u", rank(numbers, dep_of(lane->holder), lane->holder_number));
        for (size_t k = 0; k < lane->n_queue; k++) {
            const Pb__LaneRequest *const request = lane->queue[k];

            text_add(out,
                     "Q%s%u%d%d",
                     request->deployment,
                     rank(numbers, dep_of(request->deployment), request->number),
                     request->undo,
                     request->superseded_told);
        }
        for (size_t k = 0; k < lane->n_restored; k++)
            text_add(out, "R%s>%s", lane->restored[k]->deployment, lane->restored[k]->below);
    }
}

static unsigned channel(const struct letter *letter)
{
    const unsigned from = letter->from;
    const unsigned of_copies = letter->stray ? 1 : 0;

    return of_copies + 2U * (from * (DEPS_MAX + LANES_MAX) + letter->to);
}

/* Only the order between one sender and one receiver counts. */
static void add_mail(struct text *out,
                     const struct numbers *numbers,
                     const struct place *place,
                     const Pb__Event *const *mail)
{
    for (unsigned pair = 0; pair < 2U * (DEPS_MAX + LANES_MAX) * (DEPS_MAX + LANES_MAX);
         pair++) {
        for (size_t i = 0; i < place->mail_count; i++) {
            const struct letter *const letter = &place->mail[i];
            const struct word word = word_of(mail[i]);

            if (pair != channel(letter))
                continue;
            text_add(out,
                     "M%u:%d%s%u%s%s%d",
                     pair,
                     (int)mail[i]->body_case,
                     word.deployment,
                     rank(numbers, dep_of(word.deployment), word.number),
                     word.top,
                     word.restored,
                     word.flag);
        }
    }
}

void lanes_key(struct atlas *atlas,
               const struct scene *scene,
               const struct place *place,
               uint64_t ret[2])
{
    char bytes[8192];
    struct text out = text_over(bytes, sizeof bytes);
    struct numbers numbers = { 0 };
    const Pb__Event *mail[MAIL_MAX];

    for (size_t i = 0; i < place->mail_count; i++)
        mail[i] = opened(atlas, &place->mail[i]);
    collect(&numbers, atlas, scene, mail, place->mail_count);
    add_deps(&out, &numbers, atlas, scene);
    add_lanes(&out, &numbers, atlas, scene);
    add_mail(&out, &numbers, place, mail);
    text_add(&out, "|W");
    for (size_t i = 0; i < LANES_MAX; i++) {
        for (size_t k = 0; k < CHANGES_MAX; k++)
            text_add(&out, "%u", place->road.changed[i][k]);
    }
    for (size_t i = 0; i < DEPS_MAX; i++)
        text_add(&out,
                 ",%u%u%d",
                 place->road.freezes[i],
                 place->road.alerts[i],
                 place->road.ended_badly[i]);
    text_add(&out, ",%u", place->road.copies);
    key_hash(&out, ret);
}
