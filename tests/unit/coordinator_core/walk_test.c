#include "tests/unit/coordinator_core/walk.h"

#include <stdlib.h>

enum { WALKS = 250, EVENTS = 1500 };

static void open_walk(struct walk *walk, uint64_t seed)
{
    static const char *const ids[] = { "pay.1", "cart.1", "ship.1" };
    static const char *const features[] = { "pay", "cart", "ship" };
    static const char *const services[][2] = { { "shop", "web" },
                                               { "shop", "" },
                                               { "web", "" } };

    *walk = (struct walk){ .arena = arena_with_limit(1024 * 1024 * 1024),
                           .seed = seed * 2654435761u + 88172645463325252ULL };
    walk->story = text_over(walk->log, sizeof walk->log);
    memset(walk->changed, -1, sizeof walk->changed);
    for (int i = 0; i < DEPLOYMENTS; i++) {
        Pb__Plan *const plan = play_plan(&walk->arena);

        walk->party[i] = (struct party){ .id = ids[i], .feature = features[i], .plan = plan };
        plan->n_services = 0;
        for (int s = 0; s < 2 && services[i][s][0] != '\0'; s++)
            PB_APPEND(&walk->arena, plan, services, services[i][s]);
        plan->changes[0]->service = services[i][services[i][1][0] != '\0'];
        plan->changes[1]->service = services[i][0];
        plan->stages[0]->gate_role = i == 1 ? "technical-lead" : "";
        plan->steps[3]->on_no_go = i == 2 ? PB__ON_NO_GO__BLOCK : PB__ON_NO_GO__STOP;
        plan->auto_resume_ms = 1000;
    }
}

static void no_invariant_breaks_on_any_walk(void **state)
{
    struct walk *const walk = calloc(1, sizeof *walk);
    unsigned long applied = 0;
    unsigned long exits[32] = { 0 };
    unsigned long superseded = 0;

    (void)state;
    assert_non_null(walk);
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        open_walk(walk, seed);
        for (int i = 0; i < EVENTS; i++)
            walk_step(walk);
        applied += walk->applied;
        superseded += walk->superseded;
        for (int phase = 0; phase < 32; phase++)
            exits[phase] += walk->exits[phase];
        arena_release(&walk->arena);
    }
    free(walk);
    print_message(
        "%lu events applied, %lu times superseded; ended: %lu completed, %lu aborted, "
        "%lu rolled back\n",
        applied,
        superseded,
        exits[PB__PHASE__COMPLETED],
        exits[PB__PHASE__ABORTED],
        exits[PB__PHASE__ROLLED_BACK]);
    /* A walk that never gets far would prove nothing. */
    assert_true(exits[PB__PHASE__COMPLETED] > 20);
    assert_true(exits[PB__PHASE__ROLLED_BACK] > 20);
    assert_true(superseded > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_invariant_breaks_on_any_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
