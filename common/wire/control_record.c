#include "common/wire/control_record.h"

/* NULL: a tombstone. */
static const char *const *writers_of(const Pb__Control *control)
{
    static const char *const coordinator[] = { "coordinator", NULL };
    static const char *const people[] = { "coordinator", "gateway", NULL };
    static const char *const anybody[] = { "coordinator", "gateway", "monitor", NULL };

    if (control == NULL)
        return people;
    switch (control->body_case) {
    case PB__CONTROL__BODY_KILL: return anybody;
    case PB__CONTROL__BODY_FREEZE:
    case PB__CONTROL__BODY_SKIP: return people;
    default: return coordinator;
    }
}

enum err control_record_read(struct arena *arena,
                             const struct envelope_keys *keys,
                             const struct bus_record *record,
                             Pb__Control **ret,
                             struct error *error)
{
    void *control = NULL;
    enum err err = ERR_OK;

    if (record->bytes != NULL)
        err = pb_unpack(arena,
                        &pb__control__descriptor,
                        (struct pb_bytes){ record->bytes, record->length },
                        &control,
                        error);
    if (err != ERR_OK)
        return err;
    *ret = control;
    return envelope_verify(keys, record, writers_of(control), error);
}
