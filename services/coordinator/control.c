#include "services/coordinator/control.h"

#include "common/wire/control_record.h"
#include "common/wire/topics.h"
#include "services/coordinator/kills.h"
#include "services/coordinator/letters.h"
#include "services/coordinator/outbox.h"
#include "services/coordinator/partition.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_PER_TURN = 256 };

struct skipped {
    int32_t partition;
    int64_t offset;
};

struct control {
    struct bus_consumer consumer;
    struct flag_table *table;
    struct skipped *skips;
    size_t skip_count;
    int64_t caught_up_at; /* The end of the topic when it was opened. */
    int64_t next_offset;
    uint64_t looked_at; /* Version of the table when holds were last compared. */
};

enum err control_open(struct coordinator *shell, struct control **ret, struct error *error)
{
    static const char *const topics[] = { TOPIC_CONTROL, NULL };
    const struct bus_subscription subscription = { .topics = topics,
                                                   .start = BUS_FROM_BEGINNING };
    const struct bus *const bus = &shell->ports->bus;
    struct control *const control = calloc(1, sizeof *control);
    int64_t low = 0;
    enum err err;

    if (control == NULL)
        abort();
    err = bus->subscribe(bus->self, &subscription, &control->consumer, error);
    if (err == ERR_OK)
        err = control->consumer.watermarks(
            control->consumer.self, TOPIC_CONTROL, 0, &low, &control->caught_up_at, error);
    control->table = flag_table_new();
    control->next_offset = low;
    if (err != ERR_OK) {
        control_close(control);
        return error_wrap(error, err, "listen to %s", TOPIC_CONTROL);
    }
    *ret = control;
    return ERR_OK;
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    if (control->consumer.close != NULL)
        control->consumer.close(control->consumer.self);
    flag_table_free(control->table);
    free(control->skips);
    free(control);
}

bool control_is_caught_up(const struct control *control)
{
    return control->next_offset >= control->caught_up_at;
}

const struct flag_table *control_table(const struct control *control)
{
    return control->table;
}

bool control_skips(const struct control *control, int32_t partition, int64_t offset)
{
    for (size_t i = 0; i < control->skip_count; i++) {
        if (control->skips[i].partition == partition && control->skips[i].offset == offset)
            return true;
    }
    return false;
}

void control_add_skip(struct control *control, int32_t partition, int64_t offset)
{
    struct skipped *skips;

    if (control_skips(control, partition, offset))
        return;
    skips = realloc(control->skips, (control->skip_count + 1) * sizeof *skips);
    if (skips == NULL)
        abort();
    control->skips = skips;
    skips[control->skip_count++] = (struct skipped){ partition, offset };
}

/* Every coordinator hears it, at each of its starts: whoever has partition 0 says so, and only
 * of what is new. */
static void refuse(struct coordinator *shell,
                   const struct bus_record *record,
                   const struct error *why)
{
    const struct letter letter = { .record = record, .reason = why->text };
    struct outbox outbox = { .arena = &shell->arena };
    struct outgoing outgoing;
    struct error error = { 0 };

    if (record->offset < shell->control->caught_up_at || partition_find(shell, 0) == NULL)
        return;
    letter_note(shell, &letter);
    outgoing = letter_make(&shell->arena, &letter);
    outbox_add(&outbox, &outgoing);
    if (outbox_publish(shell, &outbox, &error) != ERR_OK)
        LOG(shell->ports->log,
            LOG_ERROR,
            "dead letter not published",
            { "id", outgoing.id },
            { "error", error.text });
}

static void fold(struct coordinator *shell, const struct bus_record *record)
{
    struct control *const control = shell->control;
    struct error why = { 0 };
    Pb__Control *said = NULL;

    if (control_record_read(&shell->arena, shell->ports->keys, record, &said, &why) != ERR_OK) {
        refuse(shell, record, &why);
        return;
    }
    if (said != NULL && said->body_case == PB__CONTROL__BODY_SKIP)
        control_add_skip(control, (int32_t)said->skip->partition, said->skip->offset);
    if (flag_table_apply(control->table, record->key, said) && said != NULL &&
        said->body_case == PB__CONTROL__BODY_KILL)
        kills_remember(shell, said->kill->deployment);
}

enum err control_turn(struct coordinator *shell, struct error *error)
{
    struct control *const control = shell->control;
    enum err err = ERR_OK;

    for (int i = 0; i < RECORDS_PER_TURN && err == ERR_OK; i++) {
        struct bus_record record = { 0 };

        err = control->consumer.receive(control->consumer.self, 0, &record, error);
        if (err != ERR_OK)
            break;
        control->next_offset = record.offset + 1;
        fold(shell, &record);
    }
    if (err != ERR_OK && err != ERR_STALE)
        return error_wrap(error, err, "listen to %s", TOPIC_CONTROL);
    if (control->looked_at != flag_table_version(control->table)) {
        control->looked_at = flag_table_version(control->table);
        for (int32_t p = 0; p < shell->partition_count; p++) {
            if (shell->partitions[p] != NULL)
                live_look_again(&shell->partitions[p]->live);
        }
    }
    return ERR_OK;
}

/* Whether the topic has what that record says, or something newer. */
static bool is_known(const struct flag_table *table, const Pb__Control *said)
{
    bool latched = false;
    const Pb__FlagValue *value;

    if (said->body_case == PB__CONTROL__BODY_KILL)
        return flag_table_kill(table, said->kill->deployment) != NULL;
    if (said->body_case != PB__CONTROL__BODY_FLAG)
        return true;
    value = flag_table_find(table, said->flag->environment, said->flag->flag, &latched);
    return value != NULL && value->sequence >= said->flag->sequence;
}

enum err control_assert(struct coordinator *shell,
                        const struct partition *partition,
                        struct outbox *outbox,
                        struct error *error)
{
    const char *const key = KEY_CONTROL(&shell->arena, partition->number, shell_prefix(shell));
    struct store_field *fields = NULL;
    size_t count = 0;
    enum err err =
        shell->store.hash_all(shell->store.self, &shell->arena, key, &fields, &count, error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        const struct store_value *const value = &fields[i].value;
        struct outgoing outgoing;

        err = outgoing_unpack(&shell->arena,
                              (struct pb_bytes){ (const uint8_t *)value->bytes, value->length },
                              &outgoing,
                              error);
        if (err == ERR_OK &&
            !is_known(shell->control->table, (const Pb__Control *)outgoing.message))
            outbox_add(outbox, &outgoing);
    }
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}
