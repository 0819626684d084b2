#include "services/flag-rollout/control.h"

#include "common/domain/flags.h"
#include "common/wire/control_record.h"
#include "common/wire/topics.h"

#include <pthread.h>
#include <stdlib.h>

enum { RECORDS_A_POLL = 256, RECORD_MEMORY = 1024 * 1024 };

struct control {
    const struct service_ports *ports;
    struct bus_consumer consumer;
    pthread_mutex_t lock; /* Guards table. */
    struct flag_table *table;
};

enum err flag_control_open(const struct service_ports *ports,
                           struct control **ret,
                           struct error *error)
{
    static const char *const topics[] = { TOPIC_CONTROL, NULL };
    const struct bus_subscription subscription = {
        .topics = topics,
        .start = BUS_FROM_BEGINNING,
    };
    struct control *const control = calloc(1, sizeof *control);
    enum err err;

    if (control == NULL)
        abort();
    control->ports = ports;
    control->table = flag_table_new();
    (void)pthread_mutex_init(&control->lock, NULL);
    err = ports->bus.subscribe(ports->bus.self, &subscription, &control->consumer, error);
    if (err != ERR_OK) {
        flag_control_close(control);
        return error_wrap(error, err, "follow %s", TOPIC_CONTROL);
    }
    *ret = control;
    return ERR_OK;
}

void flag_control_close(struct control *control)
{
    if (control == NULL)
        return;
    if (control->consumer.self != NULL)
        control->consumer.close(control->consumer.self);
    flag_table_free(control->table);
    (void)pthread_mutex_destroy(&control->lock);
    free(control);
}

static enum err fold(struct control *control,
                     struct arena *arena,
                     const struct bus_record *record,
                     struct error *error)
{
    Pb__Control *said = NULL;
    const enum err err = control_record_read(arena, control->ports->keys, record, &said, error);

    if (err != ERR_OK)
        return err;
    (void)pthread_mutex_lock(&control->lock);
    (void)flag_table_apply(control->table, record->key, said);
    (void)pthread_mutex_unlock(&control->lock);
    return ERR_OK;
}

static void pass_over(struct control *control,
                      const struct bus_record *record,
                      const struct error *why)
{
    const struct service_ports *const ports = control->ports;

    ports->metrics.add(ports->metrics.self, "slipway_control_records_refused_total", "", "", 1);
    LOG(ports->log,
        LOG_WARNING,
        "record of control.v1 passed over",
        { "key", record->key },
        { "why", why->text });
}

enum err control_poll(struct control *control, struct error *error)
{
    for (unsigned i = 0; i < RECORDS_A_POLL; i++) {
        struct arena arena = arena_with_limit(RECORD_MEMORY);
        struct bus_record record;
        struct error why = { 0 };
        enum err err = control->consumer.receive(control->consumer.self, 0, &record, error);

        if (err == ERR_STALE)
            return ERR_OK;
        if (err != ERR_OK)
            return err;
        if (fold(control, &arena, &record, &why) != ERR_OK)
            pass_over(control, &record, &why);
        arena_release(&arena);
    }
    return ERR_OK;
}

bool control_value(struct control *control,
                   struct arena *arena,
                   const char *environment,
                   const char *flag,
                   struct flag_value *ret)
{
    const Pb__FlagValue *value;
    bool latched;

    *ret = (struct flag_value){ .audience = "", .deployment = "" };
    (void)pthread_mutex_lock(&control->lock);
    value = flag_table_find(control->table, environment, flag, &latched);
    if (value != NULL)
        *ret = (struct flag_value){
            .percent = value->percent,
            .audience = arena_text(arena, value->audience),
            .sequence = value->sequence,
            .latched = latched,
            .deployment = arena_text(arena, value->deployment),
        };
    (void)pthread_mutex_unlock(&control->lock);
    return value != NULL;
}

Pb__Kill *control_kill(struct control *control, struct arena *arena, const char *deployment)
{
    const Pb__Kill *kill;
    Pb__Kill *copy = NULL;

    (void)pthread_mutex_lock(&control->lock);
    kill = flag_table_kill(control->table, deployment);
    if (kill != NULL)
        copy = pb_clone(arena, kill);
    (void)pthread_mutex_unlock(&control->lock);
    return copy;
}

Pb__FlagValue *control_granted(struct control *control, struct arena *arena, size_t place)
{
    const Pb__FlagValue *const *flags;
    Pb__FlagValue *granted = NULL;
    size_t count;

    (void)pthread_mutex_lock(&control->lock);
    count = flag_table_flags(control->table, &flags);
    for (size_t i = 0; i < count && granted == NULL; i++) {
        bool latched;

        (void)flag_table_find(control->table, flags[i]->environment, flags[i]->flag, &latched);
        if (flags[i]->percent > 0 && !latched && place-- == 0)
            granted = pb_clone(arena, flags[i]);
    }
    (void)pthread_mutex_unlock(&control->lock);
    return granted;
}
