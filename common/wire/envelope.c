#include "common/wire/envelope.h"

#include "common/base/text.h"
#include "common/wire/digest.h"

#include <string.h>

enum { HEADER_VALUE_MAX = 4096 };

#define CONTENT_TYPE "application/protobuf"

/* The next key of that writer from item *place on, which moves behind it; false when there is
 * none. */
static bool key_next(const struct envelope_keys *keys,
                     const char *writer,
                     size_t *place,
                     struct digest_piece *ret)
{
    while (keys != NULL && writer != NULL && *place < keys->count) {
        const size_t i = (*place)++;

        if (strcmp(keys->item[i].writer, writer) == 0) {
            *ret = (struct digest_piece){ keys->item[i].key, keys->item[i].length };
            return true;
        }
    }
    return false;
}

/* What the MAC covers: where a record stands, what it is, who says so, and what it says. */
struct proof {
    const char *writer;
    const char *id;
    const char *type;
};

static void proof_mac(const struct bus_record *record,
                      const struct proof *proof,
                      struct digest_piece key,
                      char ret_hex[DIGEST_HEX_SIZE])
{
    const struct digest_piece pieces[] = {
        { record->topic, strlen(record->topic) }, { record->key, strlen(record->key) },
        { proof->id, strlen(proof->id) },         { proof->type, strlen(proof->type) },
        { proof->writer, strlen(proof->writer) }, { record->bytes, record->length },
    };

    digest_hmac(key.bytes, key.length, pieces, sizeof pieces / sizeof pieces[0], ret_hex);
}

static void header_add(struct bus_record *record, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        record->headers[record->header_count++] = (struct bus_header){ name, value };
}

static enum err headers_check(const struct bus_record *record, struct error *error)
{
    for (size_t i = 0; i < record->header_count; i++) {
        const struct bus_header *const header = &record->headers[i];

        if (strncmp(header->name, "ce_", 3) != 0)
            continue;
        if (strnlen(header->value, HEADER_VALUE_MAX + 1) > HEADER_VALUE_MAX)
            return error_set(error,
                             ERR_INVALID,
                             "%.64s is longer than %d bytes",
                             header->name,
                             HEADER_VALUE_MAX);
        if (!text_is_utf8(header->value))
            return error_set(error, ERR_INVALID, "%.64s is not UTF-8", header->name);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(record->headers[j].name, header->name) == 0)
                return error_set(error, ERR_INVALID, "%.64s stands there twice", header->name);
        }
    }
    return ERR_OK;
}

/* Payload of the record, in the arena. */
static enum err pack(struct arena *arena,
                     const ProtobufCMessage *message,
                     const char *id,
                     struct bus_record *ret,
                     struct error *error)
{
    const struct pb_bytes packed = pb_pack(arena, message);

    if (packed.length > PB_RECORD_MAX)
        return error_set(error,
                         ERR_TOO_LARGE,
                         "%s %s: %zu bytes, at most %d",
                         message->descriptor->name,
                         id,
                         packed.length,
                         PB_RECORD_MAX);
    ret->bytes = packed.bytes;
    ret->length = packed.length;
    return ERR_OK;
}

static enum err sign(struct arena *arena,
                     const struct envelope_keys *keys,
                     const struct proof *proof,
                     struct bus_record *record,
                     struct error *error)
{
    char *const mac = arena_alloc(arena, DIGEST_HEX_SIZE);
    struct digest_piece key = { 0 };
    size_t place = 0;

    if (!key_next(keys, proof->writer, &place, &key))
        return error_set(error, ERR_DENIED, "no key to write as \"%s\"", proof->writer);
    proof_mac(record, proof, key, mac);
    header_add(record, "ce_mac", mac);
    return ERR_OK;
}

enum err envelope_seal(struct arena *arena,
                       const struct envelope_keys *keys,
                       const struct envelope *envelope,
                       const struct envelope_out *out,
                       struct bus_record *ret,
                       struct error *error)
{
    const struct proof proof = {
        .writer = arena_text(arena, envelope->writer),
        .id = arena_text(arena, envelope->id),
        .type = arena_text(
            arena, envelope->type != NULL ? envelope->type : out->message->descriptor->name),
    };
    struct bus_record record = { .topic = arena_text(arena, out->topic),
                                 .partition = BUS_PARTITION_BY_KEY,
                                 .key = arena_text(arena, out->key) };
    enum err err = ERR_OK;

    if (out->message != NULL)
        err = pack(arena, out->message, proof.id, &record, error);
    header_add(&record, "ce_specversion", "1.0");
    header_add(&record, "ce_id", proof.id);
    header_add(&record, "ce_type", proof.type);
    header_add(&record, "ce_source", arena_text(arena, envelope->source));
    header_add(&record, "ce_time", envelope_time(arena, envelope->time_ms));
    header_add(&record, "content-type", CONTENT_TYPE);
    header_add(&record, "ce_subject", arena_text(arena, envelope->subject));
    header_add(&record, "ce_traceparent", arena_text(arena, envelope->traceparent));
    header_add(&record, "ce_writer", proof.writer);
    if (err == ERR_OK && out->sign)
        err = sign(arena, keys, &proof, &record, error);
    if (err == ERR_OK)
        err = headers_check(&record, error);
    if (err == ERR_OK)
        *ret = record;
    return err;
}

static enum err header_required(const struct bus_record *record,
                                const char *name,
                                const char **ret,
                                struct error *error)
{
    const char *const value = bus_header(record, name);

    if (value == NULL || value[0] == '\0')
        return error_set(error, ERR_INVALID, "%s is missing", name);
    *ret = value;
    return ERR_OK;
}

static enum err time_read(const struct bus_record *record, int64_t *ret_ms, struct error *error)
{
    const char *const text = bus_header(record, "ce_time");
    const int64_t ms = text != NULL ? envelope_parse_time(text) : record->at_ms;

    if (text != NULL && ms < 0)
        return error_set(error, ERR_INVALID, "ce_time \"%.40s\" is no RFC 3339 time", text);
    *ret_ms = ms;
    return ERR_OK;
}

enum err envelope_open(struct arena *arena,
                       const struct bus_record *record,
                       struct envelope *ret,
                       struct error *error)
{
    struct envelope envelope = { 0 };
    const char *version = "";
    enum err err = headers_check(record, error);

    if (err == ERR_OK)
        err = header_required(record, "ce_specversion", &version, error);
    if (err == ERR_OK && strcmp(version, "1.0") != 0)
        err = error_set(error, ERR_INVALID, "ce_specversion is \"%.16s\", not 1.0", version);
    if (err == ERR_OK)
        err = header_required(record, "ce_id", &envelope.id, error);
    if (err == ERR_OK)
        err = header_required(record, "ce_type", &envelope.type, error);
    if (err == ERR_OK)
        err = header_required(record, "ce_source", &envelope.source, error);
    if (err == ERR_OK)
        err = time_read(record, &envelope.time_ms, error);
    if (err != ERR_OK)
        return err;
    *ret = (struct envelope){
        .id = arena_text(arena, envelope.id),
        .type = arena_text(arena, envelope.type),
        .source = arena_text(arena, envelope.source),
        .subject = arena_text(arena, bus_header(record, "ce_subject")),
        .traceparent = arena_text(arena, bus_header(record, "ce_traceparent")),
        .writer = arena_text(arena, bus_header(record, "ce_writer")),
        .time_ms = envelope.time_ms,
    };
    return ERR_OK;
}

static bool writer_allowed(const char *writer, const char *const *allowed)
{
    if (allowed == NULL)
        return true;
    for (; *allowed != NULL; allowed++) {
        if (strcmp(*allowed, writer) == 0)
            return true;
    }
    return false;
}

/* One of the writer's keys makes this MAC. */
static enum err mac_check(const struct envelope_keys *keys,
                          const struct bus_record *record,
                          const struct proof *proof,
                          const char *mac,
                          struct error *error)
{
    char wanted[DIGEST_HEX_SIZE];
    struct digest_piece key = { 0 };
    size_t place = 0;
    bool known = false;

    while (key_next(keys, proof->writer, &place, &key)) {
        known = true;
        proof_mac(record, proof, key, wanted);
        if (digest_equal(mac, wanted))
            return ERR_OK;
    }
    if (!known)
        return error_set(error, ERR_DENIED, "ce_writer \"%.32s\" is unknown", proof->writer);
    return error_set(
        error, ERR_DENIED, "ce_mac does not prove that %s wrote this", proof->writer);
}

enum err envelope_verify(const struct envelope_keys *keys,
                         const struct bus_record *record,
                         const char *const *allowed,
                         struct error *error)
{
    struct proof proof = { .writer = "", .id = "", .type = "" };
    const char *mac = "";
    enum err err = headers_check(record, error);

    if (err == ERR_OK)
        err = header_required(record, "ce_writer", &proof.writer, error);
    if (err == ERR_OK)
        err = header_required(record, "ce_mac", &mac, error);
    if (err == ERR_OK)
        err = header_required(record, "ce_id", &proof.id, error);
    if (err == ERR_OK)
        err = header_required(record, "ce_type", &proof.type, error);
    if (err != ERR_OK)
        return ERR_DENIED;
    err = mac_check(keys, record, &proof, mac, error);
    if (err != ERR_OK)
        return err;
    if (!writer_allowed(proof.writer, allowed))
        return error_set(error, ERR_DENIED, "%s may not write this", proof.writer);
    return ERR_OK;
}

static const char *const coordinator_only[] = { "coordinator", NULL };
static const char *const gateway_only[] = { "gateway", NULL };
static const char *const monitor_only[] = { "monitor", NULL };
static const char *const workers[] = { "prechecks", "executor", "validator", "flag-rollout",
                                       "monitor",   "notifier", NULL };
static const char *const nobody[] = { NULL };

const char *const *envelope_writers_of(Pb__Event__BodyCase body)
{
    switch (body) {
    case PB__EVENT__BODY_GENESIS:
    case PB__EVENT__BODY_ACCEPTANCE_RECEIVED:
    case PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN:
    case PB__EVENT__BODY_TIMER_FIRED:
    case PB__EVENT__BODY_TASK_LOST:
    case PB__EVENT__BODY_HOLD_SET:
    case PB__EVENT__BODY_HOLD_CLEARED:
    case PB__EVENT__BODY_KILL_SEEN:
    case PB__EVENT__BODY_PLAN_COMPILED:
    case PB__EVENT__BODY_ATTEMPT_CREATED:
    case PB__EVENT__BODY_ATTEMPT_MOVED:
    case PB__EVENT__BODY_LANE_REQUESTED:
    case PB__EVENT__BODY_LANE_GRANTED:
    case PB__EVENT__BODY_LANE_RELEASED:
    case PB__EVENT__BODY_SUPERSEDED_BY: return coordinator_only;
    case PB__EVENT__BODY_TASK_STARTED:
    case PB__EVENT__BODY_TASK_FINISHED:
    case PB__EVENT__BODY_TASK_PROGRESS: return workers;
    case PB__EVENT__BODY_INCIDENT: return monitor_only;
    case PB__EVENT__BODY_REQUEST: return gateway_only;
    default: return nobody;
    }
}
