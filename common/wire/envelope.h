/* The envelope of every record of ours: CloudEvents 1.0 in Kafka's binary mode, plus who wrote
 * it and the proof.
 *
 *     ce_specversion 1.0            ce_id      deterministic: a redelivery has the same
 *     ce_type        slipway.v1.Event  ce_source  /slipway/executor/executor-1
 *     ce_time        RFC 3339       content-type application/protobuf
 *     ce_subject     deployment     ce_traceparent  carried through
 *     ce_writer      executor       ce_mac     HMAC-SHA-256 of that writer's key over
 *                                   topic, key, ce_id, ce_type, ce_writer, payload
 *
 * Everything on events.v1, commands.*.v1 and control.v1 must carry a MAC; acceptance.v1 and
 * alerts.v1 must where security.producers asks for it, by keys of their own. signals.v1 carries
 * none: its rights are Kafka ACLs. */
#ifndef COMMON_WIRE_ENVELOPE_H
#define COMMON_WIRE_ENVELOPE_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/ports/bus.h"
#include "common/wire/pb.h"

#include <stdbool.h>

enum { ENVELOPE_WRITERS_MAX = 16, ENVELOPE_KEYS_EACH_MAX = 4, ENVELOPE_KEY_MAX = 64 };
enum { ENVELOPE_KEYS_MAX = ENVELOPE_WRITERS_MAX * ENVELOPE_KEYS_EACH_MAX };

/* The keys by writer name. A service holds its own to write, and those it must believe. Of
 * several of one writer the first writes, and each proves: what was signed before a key was
 * replaced stays believed, also when the log is folded again. */
struct envelope_keys {
    struct {
        char writer[32];
        unsigned char key[ENVELOPE_KEY_MAX];
        size_t length;
    } item[ENVELOPE_KEYS_MAX];
    size_t count;
};

/* What one record says of itself. Text borrowed from the record or the caller. */
struct envelope {
    const char *id;
    const char *type;
    const char *source;
    const char *subject;
    const char *traceparent;
    const char *writer;
    int64_t time_ms;
};

/* Fill ret (headers and payload in the arena) from envelope and message. A NULL envelope->type
 * is the message's own. The caller sets ret->partition where it must. ERR_DENIED when it is to
 * be signed and keys has no envelope->writer; ERR_TOO_LARGE; ERR_INVALID for a header that is
 * longer than 4 KiB or not UTF-8. */
struct envelope_out {
    const char *topic;
    const char *key;
    const ProtobufCMessage *message; /* NULL: a tombstone; envelope->type must be given. */
    bool sign;
};
enum err envelope_seal(struct arena *arena,
                       const struct envelope_keys *keys,
                       const struct envelope *envelope,
                       const struct envelope_out *out,
                       struct bus_record *ret,
                       struct error *error) MUST_CHECK;

/* Read the ce_* headers. ERR_INVALID names the header that is missing, doubled or wrong.
 * Accepts records of others: ce_writer and ce_mac may be absent, and without ce_time the
 * record's own timestamp stands. Text of ret is in the arena, "" for what is absent. */
enum err envelope_open(struct arena *arena,
                       const struct bus_record *record,
                       struct envelope *ret,
                       struct error *error) MUST_CHECK;

/* ERR_DENIED unless ce_mac proves ce_writer, and ce_writer is one of the NULL-terminated
 * allowed (NULL: any known writer). */
enum err envelope_verify(const struct envelope_keys *keys,
                         const struct bus_record *record,
                         const char *const *allowed,
                         struct error *error) MUST_CHECK;

/* The writers that may put that body on events.v1, NULL-terminated; the type column of
 * messages.md. */
const char *const *envelope_writers_of(Pb__Event__BodyCase body);

/* "2026-11-23T08:24:00.000Z" */
const char *envelope_time(struct arena *arena, int64_t ms);

/* The inverse; -1 if text is no RFC 3339 time, or one before 1970. */
int64_t envelope_parse_time(const char *text);

#endif
