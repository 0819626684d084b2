/* What teams accept: features of all kinds, drawn from one. */
#include "tests/simulation/world.h"

#include <string.h>

static bool is_for(const Pb__AcceptanceSignedOff *acceptance, const char *target)
{
    const bool pays = strcmp(target, "pay") == 0;

    for (size_t i = 0; i < acceptance->n_services; i++) {
        if ((strcmp(acceptance->services[i], "pay") == 0) == pays)
            return true;
    }
    return false;
}

static void choose_services(struct dice *dice, Pb__AcceptanceSignedOff *acceptance)
{
    const unsigned choice = dice_below(dice, 5);

    if (choice <= 2) /* shop */
        acceptance->n_services = 1;
    else if (choice == 3) /* pay */
        PB_REMOVE(acceptance, services, 0);
}

static void choose_artifacts(struct dice *dice, Pb__AcceptanceSignedOff *acceptance)
{
    for (size_t i = acceptance->n_artifacts; i-- > 0;) {
        Pb__Artifact *const artifact = acceptance->artifacts[i];
        const bool spared = dice_below(dice, 4) == 0 && strcmp(artifact->target, "shop") != 0 &&
                            strcmp(artifact->target, "pay") != 0;

        if (!is_for(acceptance, artifact->target) || spared)
            PB_REMOVE(acceptance, artifacts, i);
        else if (dice_below(dice, 10) == 0)
            artifact->on_rollback = PB__ON_ROLLBACK__KEEP;
        else if (dice_below(dice, 20) == 0) {
            artifact->on_rollback = PB__ON_ROLLBACK__MANUAL;
            artifact->way_back = "by hand";
        }
    }
}

static void choose_stages(struct dice *dice, Pb__AcceptanceSignedOff *acceptance)
{
    for (size_t i = acceptance->n_rollout; i-- > 0;) {
        if (acceptance->n_rollout > 1 && dice_below(dice, 2) == 0)
            PB_REMOVE(acceptance, rollout, i);
        else if (dice_below(dice, 5) == 0)
            acceptance->rollout[i]->gate_role = "technical-lead";
    }
}

void acceptance_renew(struct world *world, Pb__AcceptanceSignedOff *acceptance)
{
    for (size_t i = 0; i < acceptance->n_artifacts; i++)
        acceptance->artifacts[i]->version = world_id(world, acceptance->feature);
}

Pb__AcceptanceSignedOff *acceptance_make(struct world *world, const char *name)
{
    static const char *const policies[POLICIES] = { "quick", "patient", "strict" };
    static const char *const approaches[] = { "canary", "rolling", "blue-green" };
    struct dice *const dice = &world->dice;
    Pb__AcceptanceSignedOff *const acceptance = pb_clone(&world->arena, world->set->acceptance);

    acceptance->feature = name;
    acceptance->title = name;
    acceptance->flags[0]->key = name;
    acceptance->policy = policies[dice_below(dice, POLICIES)];
    acceptance->approach =
        approaches[dice_below(dice, sizeof approaches / sizeof approaches[0])];
    choose_services(dice, acceptance);
    choose_artifacts(dice, acceptance);
    choose_stages(dice, acceptance);
    acceptance_renew(world, acceptance);
    return acceptance;
}
