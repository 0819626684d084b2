#include "services/coordinator/core/work.h"

#include <string.h>

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void expect_add(struct turn *turn, struct expectation *to, Pb__CheckSpec *spec)
{
    to->item = pb_grow(turn->arena, to->item, to->count, sizeof *to->item);
    to->item[to->count++] = spec;
}

static struct expectation expect_all(Pb__CheckSpec **checks, size_t count)
{
    return (struct expectation){ checks, count };
}

struct expectation expect_inputs(struct turn *turn)
{
    if (turn->plan == NULL)
        return expect_all(NULL, 0);
    return expect_all(turn->plan->input_checks, turn->plan->n_input_checks);
}

static Pb__CheckSpec *coverage_check(struct turn *turn)
{
    Pb__CheckSpec *const coverage = pb_new(turn->arena, &pb__check_spec__descriptor);

    coverage->id = "coverage";
    coverage->kind = "builtin";
    coverage->required = true;
    coverage->remedy = "find out why samples are missing, then retry step 6";
    return coverage;
}

struct expectation expect_step(struct turn *turn)
{
    const Pb__StepPlan *const step = plan_step(turn, turn->state->step);
    struct expectation all = expect_all(step->checks, step->n_checks);

    if (turn->state->step == 6)
        expect_add(turn, &all, coverage_check(turn));
    return all;
}

/* That of this batch; where traffic is shifted, that it went where it should as well. */
struct expectation expect_apply(struct turn *turn)
{
    const Pb__StepPlan *const step = plan_step(turn, 2);
    const Pb__Cursor *const cursor = turn->state->cursor;
    const Pb__Change *const change = plan_change(turn, cursor->change);
    const bool shifts = change != NULL && cursor->batch < change->n_batches &&
                        change->batches[cursor->batch]->kind == PB__BATCH_KIND__SHIFT;
    const char *const own =
        arena_printf(turn->arena, "apply.%u.%u", cursor->change, cursor->batch);
    struct expectation found = { NULL, 0 };

    for (size_t i = 0; i < step->n_checks; i++) {
        const char *const id = step->checks[i]->id;

        if (strcmp(id, own) == 0 || (shifts && strcmp(id, "traffic.weight") == 0))
            expect_add(turn, &found, step->checks[i]);
    }
    return found;
}

struct expectation expect_health(struct turn *turn)
{
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);

    return change != NULL ? expect_all(change->health, change->n_health) : expect_all(NULL, 0);
}

struct expectation expect_bake(struct turn *turn)
{
    const Pb__Change *const change = plan_change(turn, turn->state->cursor->change);

    return change != NULL ? expect_all(change->bake, change->n_bake) : expect_all(NULL, 0);
}

/* Checks of a stage stand in the stage; those of every stage in step 4. */
static struct expectation expect_rollout(struct turn *turn, bool of_flags)
{
    const Pb__StepPlan *const step = plan_step(turn, 4);
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    struct expectation found = { NULL, 0 };

    for (size_t i = 0; i < step->n_checks; i++) {
        if (starts(step->checks[i]->id, "flag.") == of_flags)
            expect_add(turn, &found, step->checks[i]);
    }
    for (size_t i = 0; stage != NULL && i < stage->n_checks; i++) {
        if (starts(stage->checks[i]->id, "flag.") == of_flags)
            expect_add(turn, &found, stage->checks[i]);
    }
    return found;
}

struct expectation expect_flags(struct turn *turn)
{
    return expect_rollout(turn, true);
}

/* A gate is a check like any other, that a person answers. */
static Pb__CheckSpec *gate_check(struct turn *turn, const Pb__Stage *stage)
{
    Pb__CheckSpec *const gate = pb_new(turn->arena, &pb__check_spec__descriptor);

    gate->id = "stage.gate";
    gate->kind = "attest";
    gate->role = stage->gate_role;
    gate->required = true;
    gate->remedy = arena_printf(
        turn->arena, "a %s attests stage.gate for stage %s", stage->gate_role, stage->name);
    return gate;
}

struct expectation expect_stage(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    struct expectation all = expect_rollout(turn, false);
    struct expectation found = { NULL, 0 };

    for (size_t i = 0; i < all.count; i++) {
        if (strcmp(all.item[i]->id, "stage.gate") != 0)
            expect_add(turn, &found, all.item[i]);
    }
    if (stage != NULL && stage->gate_role[0] != '\0')
        expect_add(turn, &found, gate_check(turn, stage));
    return found;
}

struct expectation expect_here(struct turn *turn)
{
    const Pb__Cursor *const cursor = turn->state->cursor;

    if (turn->state->step == 2 && cursor->sub == PB__SUB__SUB_APPLY)
        return expect_apply(turn);
    if (turn->state->step == 2)
        return cursor->sub == PB__SUB__SUB_BAKE ? expect_bake(turn) : expect_health(turn);
    if (turn->state->step == 4)
        return cursor->sub == PB__SUB__SUB_ACTIVATE ? expect_flags(turn) : expect_stage(turn);
    return turn->state->step == 0 ? expect_inputs(turn) : expect_step(turn);
}

bool check_is_own(const struct turn *turn, const char *id)
{
    /* Step 3 asks the validator for monitoring.active; in step 6 the running watch shows it. */
    if (strcmp(id, "monitoring.active") == 0)
        return turn->state->step == 6;
    if (strcmp(id, "coverage") == 0)
        return turn->state->step == 6;
    return strcmp(id, "rollout.reviewed") == 0 || strcmp(id, "stage.gate") == 0 ||
           starts(id, "signoff.");
}

struct expectation expect_of_worker(struct turn *turn, struct expectation all)
{
    struct expectation found = { NULL, 0 };

    for (size_t i = 0; i < all.count; i++) {
        const Pb__CheckSpec *const spec = all.item[i];

        if (strcmp(spec->kind, "attest") != 0 && spec->not_applicable[0] == '\0' &&
            !check_is_own(turn, spec->id))
            expect_add(turn, &found, all.item[i]);
    }
    return found;
}
