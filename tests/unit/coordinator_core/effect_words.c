#include "tests/unit/coordinator_core/play.h"

static const char *command_words(struct play *play, const struct effect *effect)
{
    const Pb__Command *const command = effect->command;

    switch (command->body_case) {
    case PB__COMMAND__BODY_APPLY:
        return arena_printf(&play->arena,
                            "apply %s.%u",
                            command->apply->change->artifact,
                            command->apply->batch);
    case PB__COMMAND__BODY_REVERT:
        return arena_printf(&play->arena,
                            "revert %s.%u",
                            command->revert->change->artifact,
                            command->revert->batch);
    case PB__COMMAND__BODY_SET_FLAGS:
        return arena_printf(&play->arena, "set flags %u%%", command->set_flags->percent);
    case PB__COMMAND__BODY_KILL_FLAGS:
        return arena_printf(&play->arena,
                            "assert off after %lld ms",
                            (long long)command->kill_flags->settle_ms);
    case PB__COMMAND__BODY_WATCH:
        return arena_printf(&play->arena, "watch %s", command->watch->kind);
    case PB__COMMAND__BODY_ANNOUNCE:
        return arena_printf(&play->arena, "announce %s", command->announce->what);
    case PB__COMMAND__BODY_RUN_CHECKS:
        return arena_printf(
            &play->arena,
            "check %s%s by %s",
            command->run_checks->n_checks > 0 ? command->run_checks->checks[0]->id : "nothing",
            command->run_checks->n_checks > 1 ? "..." : "",
            effect->worker);
    case PB__COMMAND__BODY_READ_BACK: return "read back versions";
    case PB__COMMAND__BODY_FINALISE: return "finalise";
    default: return "?";
    }
}

static const char *event_words(struct play *play, const struct effect *effect)
{
    const Pb__Event *const event = effect->event;

    switch (event->body_case) {
    case PB__EVENT__BODY_LANE_REQUESTED:
        return arena_printf(&play->arena,
                            "ask %s%s",
                            event->lane_requested->lane,
                            event->lane_requested->undo ? " to undo" : "");
    case PB__EVENT__BODY_LANE_RELEASED:
        return arena_printf(&play->arena,
                            "%s %s%s%s%s%s",
                            event->lane_released->withdrawn ? "withdraw" : "give back",
                            event->lane_released->lane,
                            event->lane_released->top[0] != '\0' ? " top " : "",
                            event->lane_released->top,
                            event->lane_released->restored[0] != '\0' ? " restored " : "",
                            event->lane_released->restored);
    case PB__EVENT__BODY_ATTEMPT_MOVED:
        return arena_printf(&play->arena,
                            "tell feature %s",
                            event->attempt_moved->ended ? event->attempt_moved->exit
                                                        : "started");
    case PB__EVENT__BODY_ATTEMPT_CREATED:
        return event->attempt_created->rollback ? "wish rollback" : "wish attempt";
    default: return "?";
    }
}

static const char *signal_words(struct play *play, const Pb__Signal *signal)
{
    switch (signal->body_case) {
    case PB__SIGNAL__BODY_FEATURE_DEPLOYED: return "signal deployed";
    case PB__SIGNAL__BODY_FEATURE_AVAILABLE:
        return arena_printf(
            &play->arena, "signal available %u%%", signal->feature_available->percent);
    case PB__SIGNAL__BODY_MONITORING_ACTIVE: return "signal monitoring";
    case PB__SIGNAL__BODY_FEATURE_WITHDRAWN: return "signal withdrawn";
    case PB__SIGNAL__BODY_FEATURE_ROLLED_BACK: return "signal rolled back";
    case PB__SIGNAL__BODY_DEPLOYMENT_BLOCKED: return "signal blocked";
    case PB__SIGNAL__BODY_DEPLOYMENT_FINISHED: return "signal finished";
    default: return "?";
    }
}

static const char *control_words(struct play *play, const struct effect *effect)
{
    if (effect->control->body_case == PB__CONTROL__BODY_KILL)
        return arena_printf(&play->arena, "LATCH %s", effect->key);
    return arena_printf(&play->arena, "%s = %u%%", effect->key, effect->control->flag->percent);
}

const char *effect_words(struct play *play, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_COMMAND: return command_words(play, effect);
    case EFFECT_CANCEL: return "cancel";
    case EFFECT_EVENT: return event_words(play, effect);
    case EFFECT_SIGNAL: return signal_words(play, effect->signal);
    case EFFECT_CONTROL: return control_words(play, effect);
    case EFFECT_COMPILE: return "compile";
    case EFFECT_ARCHIVE: return "archive";
    case EFFECT_ANSWER: return effect->answer.applied ? "" : effect->answer.code;
    case EFFECT_FORGET:
    case EFFECT_ENTRY: break;
    }
    return "";
}
