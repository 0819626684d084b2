#include "services/coordinator/core/flow.h"

/* control.v1 carries what is granted; it is what the built-in provider answers from, and what
 * every other provider is held against. */
static void grant_values(struct turn *turn)
{
    const Pb__FlagsState *const flags = turn->state->flags;

    for (size_t i = 0; i < turn->plan->n_flags; i++) {
        const Pb__FlagSpec *const spec = turn->plan->flags[i];
        Pb__Control *const control = effect_control(
            turn, arena_printf(turn->arena, "flag/%s/%s", turn->state->environment, spec->key));
        Pb__FlagValue *const value = pb_new(turn->arena, &pb__flag_value__descriptor);

        value->environment = turn->state->environment;
        value->flag = spec->key;
        value->deployment = turn->state->id;
        value->sequence = flags->sequence;
        value->percent = flags->percent;
        value->audience = flags->audience;
        value->at_ms = turn->now_ms;
        value->provider = spec->provider;
        control->body_case = PB__CONTROL__BODY_FLAG;
        control->flag = value;
    }
}

void stage_grant(struct turn *turn)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    Pb__FlagsState *const flags = turn->state->flags;
    Pb__StepState *const step = state_step(turn, 4);

    /* What was seen of the stage before says nothing about this one. */
    for (size_t i = step->n_results; i-- > 0;) {
        if (!result_waived(turn, step->results[i]))
            PB_REMOVE(step, results, i);
    }
    flags->sequence++;
    flags->percent = stage->percent;
    flags->audience = stage->audience;
    flags->ever_on = true;
    turn->state->samples = 0;
    grant_values(turn);
    (void)entry_add(turn,
                    "StageGranted",
                    "stage %u, %s: %u %%%s%s",
                    turn->state->cursor->stage + 1,
                    stage->name,
                    stage->percent,
                    stage->audience[0] != '\0' ? ", " : "",
                    stage->audience);
}

void stage_set(struct turn *turn)
{
    Pb__AuditDates *const dates = turn->state->dates;

    PB_APPEND(turn->arena, dates, activation_ms, turn->now_ms);
    (void)entry_add(turn,
                    "StageActivated",
                    "stage %u reads back as %u %%",
                    turn->state->cursor->stage + 1,
                    turn->state->flags->percent);
    cursor_move(turn, PB__SUB__SUB_WATCH);
}

void stage_verified(struct turn *turn)
{
    const uint32_t number = turn->state->cursor->stage;
    const Pb__Stage *const stage = plan_stage(turn, number);

    /* Looked at once more after a hold: said already. */
    if (!turn->state->remeasure) {
        (void)entry_add(turn, "StageGo", "stage %u, %s, is verified", number + 1, stage->name);
        signal_available(turn, stage);
        announce(turn,
                 "available",
                 "stage %u, %s: available to %u %%",
                 number + 1,
                 stage->name,
                 stage->percent);
    }
    turn->state->clock_ended = false;
    if (number + 1 < turn->plan->n_stages) {
        turn->state->cursor->stage++;
        cursor_move(turn, PB__SUB__SUB_ACTIVATE);
        return;
    }
    step_go(turn,
            arena_printf(turn->arena,
                         "%zu stages verified, the last at %u %%",
                         turn->plan->n_stages,
                         stage->percent));
}

void flags_to_zero(struct turn *turn)
{
    turn->state->flags->sequence++;
    turn->state->flags->percent = 0;
    turn->state->flags->audience = "";
    grant_values(turn);
}

void flags_disabled(struct turn *turn)
{
    const char *const why = state_step(turn, turn->state->step)->rule;

    turn->state->flags->disabled = true;
    if (turn->state->available_percent > 0)
        signal_withdrawn(turn, why);
    announce(turn, "withdrawn", "flags read back as off: %s", why);
    step_block(turn, why, turn->state->resting_remedy);
}
