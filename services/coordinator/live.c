#include "services/coordinator/live.h"

#include "services/coordinator/core/procedure.h"
#include "services/coordinator/in_hand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void live_clear(struct live_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->items[i].id);
    free(table->items);
    *table = (struct live_table){ 0 };
}

struct live *live_find(const struct live_table *table, const char *id)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->items[i].id, id) == 0)
            return &table->items[i];
    }
    return NULL;
}

static struct live *live_add(struct live_table *table, const char *id)
{
    struct live *item;

    if (table->count == table->capacity) {
        const size_t capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
        struct live *const items = realloc(table->items, capacity * sizeof *items);

        if (items == NULL)
            abort();
        table->items = items;
        table->capacity = capacity;
    }
    item = &table->items[table->count++];
    *item = (struct live){ .id = strdup(id) };
    if (item->id == NULL)
        abort();
    return item;
}

static void live_remove(struct live_table *table, struct live *item)
{
    free(item->id);
    *item = table->items[--table->count];
}

/* The task as it was, if it is the same drive of the same task. */
static const struct live_task *same_task(const struct live_task *tasks,
                                         size_t count,
                                         const Pb__TaskState *task)
{
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].drive == task->drive && strcmp(tasks[i].name, task->task) == 0)
            return &tasks[i];
    }
    return NULL;
}

static void tasks_update(struct live *item, const Pb__DeploymentState *state, int64_t now_ms)
{
    struct live_task tasks[LIVE_TASKS_MAX] = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < state->n_tasks && count < LIVE_TASKS_MAX; i++) {
        const Pb__TaskState *const task = state->tasks[i];
        const struct live_task *const before = same_task(item->tasks, item->task_count, task);
        struct live_task *const after = &tasks[count++];

        if (before != NULL) {
            *after = *before;
        } else {
            (void)snprintf(after->name, sizeof after->name, "%s", task->task);
            after->drive = task->drive;
            after->sent_ms = now_ms;
        }
        if (after->waiting && task->retry_at_ms == 0)
            after->sent_ms = now_ms;
        after->waiting = task->retry_at_ms != 0;
        after->cancelling = task->cancelling;
    }
    memcpy(item->tasks, tasks, sizeof tasks);
    item->task_count = count;
}

bool live_belongs(const Pb__DeploymentState *state)
{
    return !procedure_is_terminal(state->phase) || state->n_tasks > 0;
}

void live_update(struct live_table *table, const Pb__DeploymentState *state, int64_t now_ms)
{
    struct live *item = live_find(table, state->id);

    if (!live_belongs(state)) {
        if (item != NULL)
            live_remove(table, item);
        return;
    }
    if (item == NULL)
        item = live_add(table, state->id);
    item->phase = state->phase;
    item->in_hand = in_hand_of_state(state);
    item->version = state->version;
    item->look_at_ms = 0;
    tasks_update(item, state, now_ms);
}

struct live_task *live_task_find(const struct live_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        struct live *const item = &table->items[i];

        for (size_t t = 0; t < item->task_count; t++) {
            if (strcmp(item->tasks[t].name, name) == 0)
                return &item->tasks[t];
        }
    }
    return NULL;
}

static struct live_fired *fired_find(struct live *live,
                                     const char *timer,
                                     uint64_t armed_version)
{
    for (size_t i = 0; i < LIVE_FIRED_MAX; i++) {
        struct live_fired *const fired = &live->fired[i];

        if (fired->armed_version == armed_version && strcmp(fired->timer, timer) == 0)
            return fired;
    }
    return NULL;
}

bool live_may_fire(struct live *live, const char *timer, uint64_t armed_version, int64_t now_ms)
{
    struct live_fired *fired = fired_find(live, timer, armed_version);

    if (fired != NULL && now_ms < fired->again_ms)
        return false;
    if (fired == NULL)
        fired = &live->fired[live->fired_next++ % LIVE_FIRED_MAX];
    (void)snprintf(fired->timer, sizeof fired->timer, "%s", timer);
    fired->armed_version = armed_version;
    fired->again_ms = now_ms + LIVE_FIRE_AGAIN_MS;
    return true;
}

void live_has_fired(struct live *live,
                    const char *timer,
                    uint64_t armed_version,
                    int64_t now_ms)
{
    struct live_fired *const fired = fired_find(live, timer, armed_version);

    if (fired != NULL)
        fired->again_ms = now_ms + LIVE_FIRE_EARLY_MS;
}

void live_look_again(struct live_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        table->items[i].look_at_ms = 0;
}
