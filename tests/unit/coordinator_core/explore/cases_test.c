/* The rules of the model of the procedure, each by the shortest trace that breaks what it
 * protects when the model goes without it: walked on the real core, with every judge of the
 * exploration looking at each state on the way and at everything that may come there. */
#include "tests/unit/coordinator_core/explore/cases.h"

#include <string.h>

static size_t led_to(const struct search *search, const char *label, size_t length)
{
    for (size_t i = 0; i < search->led_count; i++) {
        if (strlen(search->led[i].label) == length &&
            strncmp(search->led[i].label, label, length) == 0)
            return search->led[i].to;
    }
    return SIZE_MAX;
}

/* One event; with a '!' before it, it must not be possible, or change nothing. */
static size_t go(struct search *search, size_t at, const char *label, size_t length)
{
    const bool refused = label[0] == '!';
    size_t to;

    search_expand(search, at);
    if (search->breach[0] != '\0')
        fail_msg("%s", search->breach);
    to = led_to(search, label + refused, length - refused);
    if (refused && to != SIZE_MAX && to != at)
        fail_msg("%.*s is possible", (int)length, label);
    if (!refused && to == SIZE_MAX)
        fail_msg("%.*s is not possible", (int)length, label);
    return refused ? at : to;
}

static size_t walk(struct search *search, const char *trace)
{
    size_t at = 0;

    while (*trace != '\0') {
        const char *const end = strstr(trace, " > ");
        const size_t length = end != NULL ? (size_t)(end - trace) : strlen(trace);

        at = go(search, at, trace, length);
        trace += length + (end != NULL ? 3 : 0);
    }
    return at;
}

/* Where it stands, what is done there, what the provider holds, what is to be taken back. */
static const char *place(struct search *search, size_t node)
{
    const Pb__DeploymentState *const state = search_state(search, node);
    const Pb__TaskState *const task = main_task(state);
    const struct world *const world = &search->nodes[node].world;
    size_t asked = 0;
    size_t held = 0;

    for (size_t i = 0; i < state->n_lanes; i++) {
        asked += state->lanes[i]->asked ? 1 : 0;
        held += state->lanes[i]->grant != 0;
    }
    return arena_printf(
        &search->scratch,
        "%s(%u) %s%s%s, stage %u, flag %u%s, %zu to undo, lanes %zu asked %zu held",
        pb_phase_name(state->phase),
        state->step,
        task != NULL ? task->kind : "rests",
        task != NULL && task->cancelling ? " ends" : "",
        state->n_holds > 0 ? " held" : "",
        state->cursor->stage + 1,
        world->percent,
        world->latched ? " latched" : "",
        state->n_applied,
        asked,
        held);
}

static void each_rule_of_the_model_prevents_what_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < case_count; i++) {
        static struct search search;
        const struct scenario scenario = {
            .name = cases[i].rule,
            .plan = cases[i].plan,
            .weather = EVERYTHING,
            .nodes_max = 20000,
        };
        size_t at;

        search_open(&search, &scenario);
        at = walk(&search, cases[i].trace);
        if (strcmp(place(&search, at), cases[i].reached) != 0)
            fail_msg("%s: %s\n    %s\nnot %s",
                     cases[i].rule,
                     cases[i].trace,
                     place(&search, at),
                     cases[i].reached);
        search_close(&search);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_of_the_model_prevents_what_it_is_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
