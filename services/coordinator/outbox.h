/* What the coordinator says to the world: collected while events are applied, committed with
 * the state, published afterwards, and only then taken out of Redis. */
#ifndef SERVICES_COORDINATOR_OUTBOX_H
#define SERVICES_COORDINATOR_OUTBOX_H

#include "services/coordinator/shell.h"
#include "services/coordinator/writes.h"

/* One thing to say. Everything borrowed from the arena of the piece of work. */
struct outgoing {
    Pb__OutboxKind kind;
    const char *id; /* ce_id */
    const char *topic;
    const char *key;
    const char *subject;
    const char *traceparent;
    int64_t at_ms;
    const ProtobufCMessage *message; /* RECORD, FINISHED */
    const char *deployment;          /* COMPILE, ARCHIVE, FINISHED */
    uint64_t version;                /* COMPILE */
    const char *approach;            /* COMPILE */
    struct pb_bytes state;           /* ARCHIVE, FINISHED */
    bool kept;                       /* In {p}:outbox; a command is kept with its task. */
};

struct outbox {
    struct arena *arena;
    struct outgoing *items;
    size_t count;
    size_t capacity;
};

void outbox_add(struct outbox *outbox, const struct outgoing *outgoing);

/* As it is kept in Redis, and back. ERR_INVALID when the bytes are not one. */
struct pb_bytes outgoing_pack(struct arena *arena, const struct outgoing *outgoing);
enum err outgoing_unpack(struct arena *arena,
                         struct pb_bytes packed,
                         struct outgoing *ret,
                         struct error *error) MUST_CHECK;

/* ERR_TOO_LARGE when the bus would refuse it. Asked before anything is committed. */
enum err outgoing_check(const struct outgoing *outgoing, struct error *error) MUST_CHECK;

/* What can never be made, however often it is tried: it must not keep what is behind it. */
bool outgoing_is_hopeless(enum err err);

/* The writes that keep it in {p}:outbox. score orders it. */
void outbox_keep(struct writes *writes, const struct outgoing *outgoing, int64_t score);

/* Publish all of it, control records first, and wait until the bus has it. On an error some of
 * it may be out: publish again, ids make that harmless. */
enum err outbox_publish(struct coordinator *shell,
                        const struct outbox *outbox,
                        struct error *error) MUST_CHECK;

/* Take what was published out of Redis. Only the owner may. */
enum err outbox_trim(struct coordinator *shell,
                     const struct partition *partition,
                     const struct outbox *outbox,
                     struct error *error) MUST_CHECK;

/* All that is in {p}:outbox, in order, except what the group's committed offset says is out:
 * that is taken away. */
enum err outbox_load(struct coordinator *shell,
                     const struct partition *partition,
                     struct outbox *ret,
                     struct error *error) MUST_CHECK;

enum { OUTBOX_SCORE_SHIFT = 6 }; /* score = offset * 64 + index */

#endif
