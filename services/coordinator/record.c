#include "services/coordinator/record.h"

#include "common/state/keys.h"
#include "common/state/projection.h"

#include <string.h>

struct bus_record *record_copy(struct arena *arena, const struct bus_record *record)
{
    struct bus_record *const copy = arena_alloc(arena, sizeof *copy);

    *copy = *record;
    copy->topic = arena_text(arena, record->topic);
    copy->key = arena_text(arena, record->key);
    if (record->bytes != NULL)
        copy->bytes = (const uint8_t *)arena_copy(arena, record->bytes, record->length);
    for (size_t i = 0; i < record->header_count; i++) {
        copy->headers[i].name = arena_text(arena, record->headers[i].name);
        copy->headers[i].value = arena_text(arena, record->headers[i].value);
    }
    return copy;
}

const char *record_deployment(struct arena *arena, const struct bus_record *record)
{
    const char *const subject = bus_header(record, "ce_subject");

    if (subject == NULL || strrchr(subject, '.') == NULL ||
        strcmp(projection_feature_of(arena, subject), record->key) != 0)
        return NULL;
    return arena_text(arena, subject);
}

const char *record_body_name(const Pb__Event *event)
{
    for (unsigned i = 0; i < pb__event__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *const field = &pb__event__descriptor.fields[i];

        if (field->id == (uint32_t)event->body_case && field->type == PROTOBUF_C_TYPE_MESSAGE)
            return field->name;
    }
    return "nothing";
}

static const char *lane_of(const Pb__Event *event)
{
    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        return event->lane_requested->lane;
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        return event->lane_released->lane;
    return NULL;
}

/* Who it is for, as event.proto says. */
static void address(struct heard *heard)
{
    const Pb__Event *const event = heard->event;

    if (event->body_case == PB__EVENT__BODY_GENESIS) {
        heard->target = AGGREGATE_NONE;
        heard->id = "";
    } else if (!pb_same(event->deployment, "")) {
        heard->target = AGGREGATE_DEPLOYMENT;
        heard->id = event->deployment;
    } else if (lane_of(event) != NULL) {
        heard->target = AGGREGATE_LANE;
        heard->id = lane_of(event);
    } else {
        heard->target = AGGREGATE_FEATURE;
        heard->id = event->feature;
    }
}

/* A record under another key could be in a partition of another owner. */
static enum err key_check(struct arena *arena, const struct heard *heard, struct error *why)
{
    const char *wanted = heard->id;

    if (heard->target == AGGREGATE_NONE)
        return ERR_OK;
    if (heard->id[0] == '\0')
        return error_set(
            why, ERR_INVALID, "%s names nobody it is for", record_body_name(heard->event));
    if (heard->target == AGGREGATE_LANE)
        wanted = keys_lane_record(arena, heard->id);
    if (heard->target == AGGREGATE_DEPLOYMENT)
        wanted = projection_feature_of(arena, heard->id);
    if (strcmp(heard->record->key, wanted) != 0)
        return error_set(why,
                         ERR_INVALID,
                         "%s for %s has the key \"%.100s\", not \"%.100s\"",
                         record_body_name(heard->event),
                         heard->id,
                         heard->record->key,
                         wanted);
    return ERR_OK;
}

enum err record_hear(struct coordinator *shell,
                     struct arena *arena,
                     const struct bus_record *record,
                     struct heard *ret,
                     struct error *why)
{
    struct heard heard = { .record = record };
    void *event = NULL;
    enum err err = envelope_open(arena, record, &heard.envelope, why);

    if (err == ERR_OK)
        err = pb_unpack(arena,
                        &pb__event__descriptor,
                        (struct pb_bytes){ record->bytes, record->length },
                        &event,
                        why);
    if (err != ERR_OK)
        return err;
    heard.event = event;
    err = envelope_verify(
        shell->ports->keys, record, envelope_writers_of(heard.event->body_case), why);
    if (err != ERR_OK)
        return err;
    address(&heard);
    err = key_check(arena, &heard, why);
    if (err == ERR_OK)
        *ret = heard;
    return err;
}
