#include "services/coordinator/core/turn.h"

#include <assert.h>

/* Entries make room first: an audit line can be summed up, a command cannot. */
static bool drop_an_entry(struct effects *effects)
{
    for (size_t i = effects->count; i-- > 0;) {
        if (effects->item[i].kind != EFFECT_ENTRY)
            continue;
        for (size_t k = i; k + 1 < effects->count; k++)
            effects->item[k] = effects->item[k + 1];
        effects->count--;
        return true;
    }
    return false;
}

static struct effect *effect_new(struct turn *turn, enum effect_kind kind)
{
    struct effects *const effects = &turn->out->effects;
    struct effect *effect;

    if (effects->count == EFFECTS_MAX && !drop_an_entry(effects)) {
        turn->overflowed = true;
        effects->count--;
    }
    effect = &effects->item[effects->count++];
    *effect = (struct effect){ .kind = kind, .worker = "", .task = "", .key = "" };
    return effect;
}

Pb__Event *effect_event(struct turn *turn, const char *key, const char *deployment)
{
    struct effect *const effect = effect_new(turn, EFFECT_EVENT);

    effect->key = key;
    effect->event = pb_new(turn->arena, &pb__event__descriptor);
    effect->event->deployment = deployment;
    effect->event->feature = turn->state->feature;
    return effect->event;
}

Pb__Control *effect_control(struct turn *turn, const char *key)
{
    struct effect *const effect = effect_new(turn, EFFECT_CONTROL);

    effect->key = key;
    effect->control = pb_new(turn->arena, &pb__control__descriptor);
    return effect->control;
}

void effect_command(struct turn *turn, const char *worker, Pb__Command *command)
{
    struct effect *const effect = effect_new(turn, EFFECT_COMMAND);

    effect->worker = worker;
    effect->task = command->task;
    effect->command = command;
}

void effect_cancel(struct turn *turn, const Pb__TaskState *task)
{
    struct effect *const effect = effect_new(turn, EFFECT_CANCEL);
    Pb__Command *const command = pb_new(turn->arena, &pb__command__descriptor);
    Pb__Cancel *const cancel = pb_new(turn->arena, &pb__cancel__descriptor);

    cancel->task = task->task;
    command->deployment = turn->state->id;
    command->feature = turn->state->feature;
    command->environment = turn->state->environment;
    command->task = task->task;
    command->drive = task->drive;
    command->body_case = PB__COMMAND__BODY_CANCEL;
    command->cancel = cancel;
    effect->worker = task->worker;
    effect->task = task->task;
    effect->command = command;
}

void effect_forget(struct turn *turn, const char *task)
{
    effect_new(turn, EFFECT_FORGET)->task = task;
}

void effect_compile(struct turn *turn, const char *approach)
{
    effect_new(turn, EFFECT_COMPILE)->approach = approach;
}

void effect_archive(struct turn *turn)
{
    (void)effect_new(turn, EFFECT_ARCHIVE);
}

void effect_answer(struct turn *turn, const struct effect_answer *answer)
{
    effect_new(turn, EFFECT_ANSWER)->answer = *answer;
}

void effect_signal(struct turn *turn, Pb__Signal *signal)
{
    effect_new(turn, EFFECT_SIGNAL)->signal = signal;
}

void effect_entry(struct turn *turn, Pb__TimelineEntry *entry)
{
    if (turn->out->effects.count < EFFECTS_MAX)
        effect_new(turn, EFFECT_ENTRY)->entry = entry;
}

void effects_order(struct effects *effects)
{
    size_t front = 0;

    for (size_t i = 0; i < effects->count; i++) {
        const struct effect effect = effects->item[i];

        if (effect.kind != EFFECT_CONTROL)
            continue;
        for (size_t k = i; k > front; k--)
            effects->item[k] = effects->item[k - 1];
        effects->item[front++] = effect;
    }
}
