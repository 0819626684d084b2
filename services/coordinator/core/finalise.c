#include "services/coordinator/core/flow.h"

#include <string.h>

enum { URL_MAX = 400 };

void links_add(struct turn *turn, Pb__Link *const *links, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool known = false;

        for (size_t k = 0; k < turn->state->n_links; k++)
            known = known || pb_same(turn->state->links[k]->url, links[i]->url);
        /* A cut address would lead nowhere. */
        if (known || turn->state->n_links == LINKS_MAX || strlen(links[i]->url) > URL_MAX)
            continue;
        PB_APPEND(turn->arena, turn->state, links, pb_clone(turn->arena, links[i]));
        turn->state->links[turn->state->n_links - 1]->title =
            words_cut(turn, links[i]->title, 100);
    }
}

void observe_active(struct turn *turn, Pb__Link *const *links, size_t count)
{
    links_add(turn, links, count);
    if (turn->state->monitoring_active)
        return;
    turn->state->monitoring_active = true;
    turn->state->dates->monitoring_ms = turn->now_ms;
    signal_monitoring(turn);
    for (size_t i = 0; i < turn->plan->n_signoffs; i++) {
        if (turn->plan->signoffs[i]->step == 6)
            (void)entry_add(turn,
                            "SignOffOpened",
                            "%s may sign off the monitoring setup",
                            turn->plan->signoffs[i]->role);
    }
}

const Pb__SignOffGiven *signoff_find(const struct turn *turn, uint32_t step, const char *role)
{
    const Pb__StepState *const of = state_step(turn, step);

    for (size_t i = turn->state->n_signoffs; i-- > 0;) {
        const Pb__SignOffGiven *const given = turn->state->signoffs[i];

        if (given->step == step && pb_same(given->role, role) && of != NULL &&
            given->try_number == of->try_number)
            return given;
    }
    return NULL;
}

struct judgement judge_signoffs(struct turn *turn)
{
    struct judgement worst = { FOUND_GO, "", "", "" };

    for (size_t i = 0; i < turn->plan->n_signoffs; i++) {
        const Pb__SignOffSpec *const spec = turn->plan->signoffs[i];
        const Pb__SignOffGiven *const given = signoff_find(turn, spec->step, spec->role);

        if (given != NULL && given->accept)
            continue;
        if (given != NULL)
            return (
                struct judgement){ FOUND_FAIL,
                                   arena_printf(turn->arena,
                                                "%s (%s) refused the sign-off of step %u%s%s",
                                                given->subject,
                                                spec->role,
                                                spec->step,
                                                given->note[0] != '\0' ? ": " : "",
                                                given->note),
                                   "address it, then sign off",
                                   "" };
        if (worst.found == FOUND_GO)
            worst = (struct judgement){ FOUND_WAIT, spec->role, "", "" };
    }
    return worst;
}
