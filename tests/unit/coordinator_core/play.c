#include "tests/unit/coordinator_core/play.h"

#include <stdlib.h>

enum { ARENA_MAX = 1024 * 1024 * 1024 };

void play_open(struct play *play)
{
    play->arena = arena_with_limit(ARENA_MAX);
    play->plan = play_plan(&play->arena);
    play->state = NULL;
    play->now_ms = 0;
    play->events = 0;
    play->grants = 0;
    play->top = "";
    play->wish = NULL;
    play->asked = NULL;
    play->silent = NULL;
    play->story = text_over(play->bytes, sizeof play->bytes);
}

void play_close(struct play *play)
{
    arena_release(&play->arena);
}

int play_setup(void **state)
{
    *state = calloc(1, sizeof(struct play));
    if (*state == NULL)
        return -1;
    play_open(*state);
    return 0;
}

int play_teardown(void **state)
{
    play_close(*state);
    free(*state);
    return 0;
}

void play_quiet(struct play *play)
{
    text_reset(&play->story);
}

const Pb__TaskState *play_task(const struct play *play)
{
    for (size_t i = 0; play->state != NULL && i < play->state->n_tasks; i++) {
        if (!play->state->tasks[i]->announce)
            return play->state->tasks[i];
    }
    return NULL;
}

bool play_has_timer(const struct play *play, const char *timer)
{
    for (size_t i = 0; i < play->state->n_timers; i++) {
        if (strcmp(play->state->timers[i]->id, timer) == 0)
            return true;
    }
    return false;
}

const char *play_code(const struct play *play)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        if (play->last.effects.item[i].kind == EFFECT_ANSWER)
            return play->last.effects.item[i].answer.code;
    }
    return "no answer";
}

bool play_said(const struct play *play, enum effect_kind kind, const char *word)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind == kind &&
            strstr(effect_words((struct play *)(uintptr_t)play, effect), word) != NULL)
            return true;
    }
    return false;
}

/* --- writing it down --- */

static const char *sub_name(Pb__Sub sub)
{
    static const char *const names[] = { "",         "run",       "apply",  "health", "bake",
                                         "activate", "read-back", "watch",  "gate",   "disable",
                                         "send",     "sign-offs", "go",     "cancel", "lanes",
                                         "undo",     "verify",    "missing" };

    return names[sub];
}

static void write_state(struct play *play)
{
    const Pb__DeploymentState *const state = play->state;

    text_add(&play->story, "%s", pb_phase_name(state->phase));
    if (state->phase == PB__PHASE__BLOCKED)
        text_add(&play->story, "(%u)", state->step);
    if (state->cursor->sub != PB__SUB__SUB_UNSPECIFIED)
        text_add(&play->story, " %s", sub_name(state->cursor->sub));
    for (size_t i = 0; i < state->n_holds; i++)
        text_add(&play->story, "%s", i == 0 ? " held" : "+");
}

static void write_effects(struct play *play)
{
    const char *separator = ": ";

    for (size_t i = 0; i < play->last.effects.count; i++) {
        const char *const words = effect_words(play, &play->last.effects.item[i]);

        if (words[0] == '\0')
            continue;
        text_add(&play->story, "%s%s", separator, words);
        separator = ", ";
    }
}

static void write_down(struct play *play, const char *label)
{
    text_add(&play->story, "[%4lld] %s -> ", (long long)(play->now_ms / 1000), label);
    if (play->answer == PROCEDURE_APPLIED)
        write_state(play);
    else
        text_add(&play->story,
                 "%s",
                 play->answer == PROCEDURE_STALE     ? "stale"
                 : play->answer == PROCEDURE_REFUSED ? "refused"
                                                     : "IMPOSSIBLE");
    write_effects(play);
    text_add(&play->story, "\n");
}

static void listen(struct play *play)
{
    for (size_t i = 0; i < play->last.effects.count; i++) {
        const struct effect *const effect = &play->last.effects.item[i];

        if (effect->kind == EFFECT_COMMAND && play_task(play) != NULL &&
            strcmp(effect->task, play_task(play)->task) == 0)
            play->asked = effect->command;
        if (effect->kind == EFFECT_EVENT &&
            effect->event->body_case == PB__EVENT__BODY_ATTEMPT_CREATED)
            play->wish = effect->event->attempt_created;
        if (effect->kind == EFFECT_EVENT &&
            effect->event->body_case == PB__EVENT__BODY_LANE_RELEASED &&
            !effect->event->lane_released->withdrawn)
            play->top = effect->event->lane_released->top;
    }
}

enum procedure_answer play_event(struct play *play, const char *label, Pb__Event *event)
{
    const struct procedure_input input = {
        .before = play->state,
        .plan = play->state != NULL && play->state->plan_hash[0] != '\0' ? play->plan : NULL,
        .event = event,
        .event_id = arena_printf(&play->arena, "e%llu", (unsigned long long)++play->events),
        .at_ms = play->now_ms,
    };

    if (event->deployment[0] == '\0')
        event->deployment = "pay.1";
    event->feature = "pay";
    if (play->witness != NULL)
        play->witness(play->witness_self, &input);
    play->answer = procedure_step(&play->arena, &input, &play->last);
    if (play->answer == PROCEDURE_APPLIED)
        play->state = play->last.after;
    if (play->state != NULL && play->state->now_ms > play->now_ms)
        play->now_ms = play->state->now_ms;
    write_down(play, label);
    if (play->answer == PROCEDURE_APPLIED)
        listen(play);
    return play->answer;
}

/* --- events --- */

static Pb__Event *event_new(struct play *play, Pb__Event__BodyCase body)
{
    Pb__Event *const event = pb_new(&play->arena, &pb__event__descriptor);

    event->body_case = body;
    return event;
}

enum procedure_answer play_birth(struct play *play)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_ATTEMPT_CREATED);
    Pb__AcceptanceSignedOff *const acceptance =
        pb_new(&play->arena, &pb__acceptance_signed_off__descriptor);

    acceptance->feature = "pay";
    acceptance->title = "Pay by one click";
    acceptance->environment = "production";
    PB_APPEND(&play->arena, acceptance, services, "shop");
    acceptance->submitted_by = pb_new(&play->arena, &pb__actor__descriptor);
    acceptance->submitted_by->subject = "ci/github";
    event->attempt_created = pb_new(&play->arena, &pb__attempt_created__descriptor);
    event->attempt_created->acceptance = acceptance;
    event->attempt_created->content_hash = "content-1";
    event->attempt_created->attempt = 1;
    return play_event(play, "acceptance", event);
}

enum procedure_answer play_compiled(struct play *play)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_PLAN_COMPILED);

    event->plan_compiled = pb_new(&play->arena, &pb__plan_compiled__descriptor);
    event->plan_compiled->plan = play->plan;
    event->plan_compiled->plan_hash = "6adc9e62";
    event->plan_compiled->for_version = play->state->compile_version;
    event->plan_compiled->window_open = true;
    return play_event(play, "plan", event);
}

enum procedure_answer play_missing(struct play *play, const char *input)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_PLAN_COMPILED);
    Pb__MissingInput *const missing = pb_new(&play->arena, &pb__missing_input__descriptor);

    missing->input = input;
    missing->remedy = arena_printf(&play->arena, "supply %s", input);
    event->plan_compiled = pb_new(&play->arena, &pb__plan_compiled__descriptor);
    event->plan_compiled->for_version = play->state->compile_version;
    PB_APPEND(&play->arena, event->plan_compiled, missing, missing);
    return play_event(play, "inputs missing", event);
}

/* The checks that the running task was asked for. */
static size_t asked_checks(const struct play *play, Pb__CheckSpec ***ret)
{
    const Pb__Command *const command = play->asked;

    *ret = NULL;
    if (command == NULL || strcmp(command->task, play_task(play)->task) != 0)
        return 0;
    switch (command->body_case) {
    case PB__COMMAND__BODY_RUN_CHECKS:
        *ret = command->run_checks->checks;
        return command->run_checks->n_checks;
    case PB__COMMAND__BODY_SET_FLAGS:
        *ret = command->set_flags->checks;
        return command->set_flags->n_checks;
    case PB__COMMAND__BODY_WATCH:
        *ret = command->watch->checks;
        return command->watch->n_checks;
    case PB__COMMAND__BODY_FINALISE:
        *ret = command->finalise->checks;
        return command->finalise->n_checks;
    default: return 0;
    }
}

static void add_finding(struct play *play,
                        Pb__TaskFinished *finished,
                        const char *check,
                        Pb__Verdict verdict)
{
    Pb__Finding *const finding = pb_new(&play->arena, &pb__finding__descriptor);

    if (play->silent != NULL && play->state->step == play->silent_step &&
        strcmp(play->silent, check) == 0)
        return;
    finding->check = check;
    finding->required = true;
    finding->verdict = verdict;
    finding->observed = pb_verdict_name(verdict);
    PB_APPEND(&play->arena, finished, findings, finding);
}

static void answer_checks(struct play *play,
                          Pb__TaskFinished *finished,
                          const char *kind,
                          Pb__Verdict verdict)
{
    const Pb__Cursor *const cursor = play->state->cursor;
    Pb__CheckSpec **checks;
    const size_t count = asked_checks(play, &checks);

    for (size_t i = 0; i < count; i++)
        add_finding(play, finished, checks[i]->id, verdict);
    if (strcmp(kind, "apply") == 0)
        kind = arena_printf(&play->arena, "apply.%u.%u", cursor->change, cursor->batch);
    if (count == 0)
        add_finding(play, finished, kind, verdict);
}

static enum procedure_answer finish(struct play *play, Pb__Outcome outcome, Pb__Verdict verdict)
{
    const Pb__TaskState *const task = play_task(play);
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_TASK_FINISHED);
    const char *label;

    assert_non_null(task);
    event->task_finished = pb_new(&play->arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->outcome = outcome;
    event->task_finished->coverage_bp = 10000;
    if (outcome == PB__OUTCOME__OUTCOME_OK)
        answer_checks(play, event->task_finished, task->kind, verdict);
    label = arena_printf(&play->arena,
                         "%s %s",
                         task->kind,
                         task->cancelling                        ? "ends"
                         : outcome == PB__OUTCOME__OUTCOME_ERROR ? "ERROR"
                                                                 : pb_verdict_name(verdict));
    return play_event(play, label, event);
}

enum procedure_answer play_finish(struct play *play, Pb__Verdict verdict)
{
    return finish(play, PB__OUTCOME__OUTCOME_OK, verdict);
}

enum procedure_answer play_error(struct play *play)
{
    return finish(play, PB__OUTCOME__OUTCOME_ERROR, PB__VERDICT__ERROR);
}

enum procedure_answer play_lost(struct play *play)
{
    const Pb__TaskState *const task = play_task(play);
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_TASK_LOST);

    assert_non_null(task);
    event->task_lost = pb_new(&play->arena, &pb__task_lost__descriptor);
    event->task_lost->task = task->task;
    event->task_lost->drive = task->drive;
    event->task_lost->why = "its lease ran out";
    return play_event(play, arena_printf(&play->arena, "%s lost", task->kind), event);
}

enum procedure_answer play_granted(struct play *play)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_LANE_GRANTED);

    event->lane_granted = pb_new(&play->arena, &pb__lane_granted__descriptor);
    for (size_t i = 0; i < play->state->n_lanes; i++) {
        if (!play->state->lanes[i]->asked)
            continue;
        event->lane_granted->lane = play->state->lanes[i]->lane;
        event->lane_granted->number = play->state->lanes[i]->number;
    }
    event->lane_granted->grant = ++play->grants;
    event->lane_granted->top = play->top;
    return play_event(play, "lane granted", event);
}

enum procedure_answer play_timer(struct play *play, const char *timer)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_TIMER_FIRED);

    event->timer_fired = pb_new(&play->arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = timer;
    for (size_t i = 0; i < play->state->n_timers; i++) {
        if (strcmp(play->state->timers[i]->id, timer) != 0)
            continue;
        event->timer_fired->armed_version = play->state->timers[i]->armed_version;
        if (play->state->timers[i]->due_ms > play->now_ms)
            play->now_ms = play->state->timers[i]->due_ms;
    }
    return play_event(play, arena_printf(&play->arena, "timer %s", timer), event);
}

enum procedure_answer play_hold(struct play *play, Pb__HoldKind kind, bool set)
{
    Pb__Event *const event =
        event_new(play, set ? PB__EVENT__BODY_HOLD_SET : PB__EVENT__BODY_HOLD_CLEARED);
    const char *const name = kind == PB__HOLD_KIND__HOLD_FREEZE ? "freeze" : "window";

    if (set) {
        event->hold_set = pb_new(&play->arena, &pb__hold_set__descriptor);
        event->hold_set->kind = kind;
        event->hold_set->id = name;
        event->hold_set->reason = "not now";
    } else {
        event->hold_cleared = pb_new(&play->arena, &pb__hold_cleared__descriptor);
        event->hold_cleared->kind = kind;
        event->hold_cleared->id = name;
    }
    return play_event(
        play, arena_printf(&play->arena, "%s %s", name, set ? "set" : "cleared"), event);
}

enum procedure_answer play_incident(struct play *play,
                                    const char *cause,
                                    Pb__Severity severity,
                                    bool open)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_INCIDENT);

    event->incident = pb_new(&play->arena, &pb__incident_reported__descriptor);
    event->incident->cause = cause;
    event->incident->severity = severity;
    event->incident->open = open;
    event->incident->count = 1;
    event->incident->summary = "errors rise";
    return play_event(
        play, arena_printf(&play->arena, "%s %s", cause, open ? "fires" : "resolved"), event);
}

enum procedure_answer play_kill_seen(struct play *play)
{
    Pb__Event *const event = event_new(play, PB__EVENT__BODY_KILL_SEEN);

    event->kill_seen = pb_new(&play->arena, &pb__kill_seen__descriptor);
    event->kill_seen->kill = pb_new(&play->arena, &pb__kill__descriptor);
    event->kill_seen->kill->deployment = "pay.1";
    event->kill_seen->kill->reason = "a direct rule fired";
    return play_event(play, "kill seen", event);
}
