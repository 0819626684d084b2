/* Slipway's messages as C structs. The only includer of generated headers.
 *
 * proto/slipway/v1 is compiled with the C prefix `pb`: message Finding is Pb__Finding, its
 * verdict PB__VERDICT__PASS. All of them live in arenas: nothing here is ever freed one by
 * one, and a struct may point into memory of the arena it came from, and only into that.
 * Strings are never NULL (protobuf-c points absent ones at a shared empty string). */
#ifndef COMMON_WIRE_PB_H
#define COMMON_WIRE_PB_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include "slipway/v1/acceptance.pb-c.h"
#include "slipway/v1/alert.pb-c.h"
#include "slipway/v1/command.pb-c.h"
#include "slipway/v1/common.pb-c.h"
#include "slipway/v1/control.pb-c.h"
#include "slipway/v1/dead_letter.pb-c.h"
#include "slipway/v1/event.pb-c.h"
#include "slipway/v1/plan.pb-c.h"
#include "slipway/v1/report.pb-c.h"
#include "slipway/v1/series.pb-c.h"
#include "slipway/v1/signal.pb-c.h"
#include "slipway/v1/state.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PB_RECORD_MAX = 256 * 1024, /* Of a packed record; Kafka's default is 1 MiB. */
    PB_STATE_MAX = 32 * 1024,   /* Of a packed DeploymentState. */
};

/* A new, empty message of that type. Assign it to a pointer of the matching struct:
 *     Pb__Finding *finding = pb_new(arena, &pb__finding__descriptor); */
void *pb_new(struct arena *arena, const ProtobufCMessageDescriptor *type);

/* Append item (a pointer, or an integer or enum by pb_append_u32) to a repeated field:
 *     PB_APPEND(arena, state, tasks, task);
 * The old array stays as it was, so that a copied struct can be appended to. */
#define PB_APPEND(arena, message, field, item)                                                 \
    do {                                                                                       \
        (message)->field = pb_grow((arena),                                                    \
                                   (const void *)(message)->field,                             \
                                   (message)->n_##field,                                       \
                                   sizeof *(message)->field);                                  \
        (message)->field[(message)->n_##field++] = (item);                                     \
    } while (0)

/* A copy of count elements of that size with room for one more. Used by PB_APPEND. */
void *pb_grow(struct arena *arena, const void *items, size_t count, size_t size);

/* Remove element index of a repeated field, in place, keeping order:
 *     PB_REMOVE(state, tasks, i); */
#define PB_REMOVE(message, field, index)                                                       \
    do {                                                                                       \
        for (size_t pb_i_ = (index); pb_i_ + 1 < (message)->n_##field; pb_i_++)                \
            (message)->field[pb_i_] = (message)->field[pb_i_ + 1];                             \
        (message)->n_##field--;                                                                \
    } while (0)

/* Bytes that one element of a repeated field of that type takes. */
size_t pb_element_size(ProtobufCType type);

/* Packed bytes of message, in the arena. */
struct pb_bytes {
    const uint8_t *bytes;
    size_t length;
};
struct pb_bytes pb_pack(struct arena *arena, const void *message);

/* The message that bytes hold. Refuses more than max_length bytes, what does not parse, text
 * that is not UTF-8 or holds a NUL, and more than 64 bytes of memory for each byte
 * received. ERR_INVALID or ERR_TOO_LARGE, with the reason in error. */
enum err pb_unpack(struct arena *arena,
                   const ProtobufCMessageDescriptor *type,
                   struct pb_bytes packed,
                   void **ret,
                   struct error *error) MUST_CHECK;

/* Every text in message that is not UTF-8 is replaced by one that is, "?" standing for each
 * wrong byte: what others answered can be told, and pb_unpack will take it. Copies go to the
 * arena; when that is full, the text is left out. */
void pb_clean(struct arena *arena, void *message);

/* A deep copy. */
void *pb_clone(struct arena *arena, const void *message);

/* The name of an enum's value: "PASS"; "?" if it has none. */
const char *pb_enum_name(const ProtobufCEnumDescriptor *type, int value);

/* The value of that name, or -1. */
int pb_enum_value(const ProtobufCEnumDescriptor *type, const char *name);

/* Names often asked for. */
const char *pb_verdict_name(Pb__Verdict verdict);
const char *pb_phase_name(Pb__Phase phase);

/* True when the two strings are equal; NULL counts as empty. */
bool pb_same(const char *a, const char *b);

/* The value of that key, or "". */
const char *pb_pair(Pb__Pair *const *pairs, size_t count, const char *key);

/* A new key and value, both copied. */
Pb__Pair *pb_pair_new(struct arena *arena, const char *key, const char *value);

/* True if fence a orders before b. A NULL fence orders before all others. */
bool pb_fence_before(const Pb__Fence *a, const Pb__Fence *b);

/* "<grant>.<version>". */
const char *pb_fence_text(struct arena *arena, const Pb__Fence *fence);

#endif
