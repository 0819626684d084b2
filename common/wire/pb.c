#include "common/wire/pb.h"

#include "common/base/text.h"

#include <string.h>

enum { MEMORY_PER_BYTE = 64, MEMORY_AT_LEAST = 64 * 1024 };

void *pb_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *const message = arena_alloc(arena, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

void *pb_grow(struct arena *arena, const void *items, size_t count, size_t size)
{
    void *const grown = arena_alloc(arena, (count + 1) * size);

    if (count > 0)
        memcpy(grown, items, count * size);
    return grown;
}

size_t pb_element_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    default: return sizeof(int32_t);
    }
}

struct pb_bytes pb_pack(struct arena *arena, const void *message)
{
    const size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *const bytes = arena_alloc(arena, length);

    (void)protobuf_c_message_pack(message, bytes);
    return (struct pb_bytes){ bytes, length };
}

static void *take(void *data, size_t size)
{
    return arena_try(data, size);
}

static void give(void *data, void *memory)
{
    (void)data;
    (void)memory;
}

static const char *bad_text(const ProtobufCMessage *message);

static const char *bad_element(const ProtobufCFieldDescriptor *field, const void *element)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *const text = *(const char *const *)element;

        return text != NULL && !text_is_utf8(text) ? field->name : NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *const inner = *(const ProtobufCMessage *const *)element;

        return inner != NULL ? bad_text(inner) : NULL;
    }
    return NULL;
}

/* The name of the first field whose text is not UTF-8, or NULL. Types do not recurse, so
 * neither does this beyond the depth of the schema. */
static const char *bad_text(const ProtobufCMessage *message)
{
    const char *const base = (const char *)message;

    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &message->descriptor->fields[f];
        const bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        const char *const member = base + field->offset;
        const char *bad = NULL;

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (oneof &&
            *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
            continue;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            bad = bad_element(field, member);
        } else {
            const size_t count =
                *(const size_t *)(const void *)(base + field->quantifier_offset);
            const char *const *const array = *(const char *const *const *)(const void *)member;

            for (size_t i = 0; i < count && bad == NULL; i++)
                bad = bad_element(field, &array[i]);
        }
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

/* The first byte sequence that reads as a NUL inside a text cannot be seen after unpacking,
 * so the packed size tells: a text that was cut packs shorter than it arrived. Where no byte
 * is NUL none can be cut. */
static bool text_was_cut(const ProtobufCMessage *message, struct pb_bytes arrived)
{
    return arrived.length > 0 && memchr(arrived.bytes, 0, arrived.length) != NULL &&
           protobuf_c_message_get_packed_size(message) < arrived.length;
}

enum err pb_unpack(struct arena *arena,
                   const ProtobufCMessageDescriptor *type,
                   struct pb_bytes packed,
                   void **ret,
                   struct error *error)
{
    const size_t room = packed.length * MEMORY_PER_BYTE + MEMORY_AT_LEAST;
    const size_t limit = arena->limit;
    ProtobufCAllocator allocator = { take, give, arena };
    ProtobufCMessage *message;
    const char *bad;

    if (packed.length > PB_RECORD_MAX)
        return error_set(error,
                         ERR_TOO_LARGE,
                         "%s: %zu bytes, at most %d",
                         type->short_name,
                         packed.length,
                         PB_RECORD_MAX);
    if (room < limit - arena->used)
        arena->limit = arena->used + room;
    message = protobuf_c_message_unpack(type, &allocator, packed.length, packed.bytes);
    arena->limit = limit;
    if (message == NULL)
        return error_set(error, ERR_INVALID, "not a packed %s", type->name);
    bad = bad_text(message);
    if (bad != NULL)
        return error_set(error, ERR_INVALID, "%s: text is not UTF-8", bad);
    if (text_was_cut(message, packed))
        return error_set(
            error, ERR_INVALID, "%s: not in canonical form (a NUL in a text?)", type->name);
    *ret = message;
    return ERR_OK;
}

const char *pb_enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *const found = protobuf_c_enum_descriptor_get_value(type, value);

    return found != NULL ? found->name : "?";
}

int pb_enum_value(const ProtobufCEnumDescriptor *type, const char *name)
{
    const ProtobufCEnumValue *const found =
        protobuf_c_enum_descriptor_get_value_by_name(type, name);

    return found != NULL ? found->value : -1;
}

const char *pb_verdict_name(Pb__Verdict verdict)
{
    return pb_enum_name(&pb__verdict__descriptor, (int)verdict);
}

const char *pb_phase_name(Pb__Phase phase)
{
    return pb_enum_name(&pb__phase__descriptor, (int)phase);
}

bool pb_same(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

const char *pb_pair(Pb__Pair *const *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i]->key, key) == 0)
            return pairs[i]->value;
    }
    return "";
}

Pb__Pair *pb_pair_new(struct arena *arena, const char *key, const char *value)
{
    Pb__Pair *const pair = pb_new(arena, &pb__pair__descriptor);

    pair->key = arena_text(arena, key);
    pair->value = arena_text(arena, value);
    return pair;
}

bool pb_fence_before(const Pb__Fence *a, const Pb__Fence *b)
{
    if (a == NULL || b == NULL)
        return a == NULL && b != NULL;
    return a->grant != b->grant ? a->grant < b->grant : a->version < b->version;
}

const char *pb_fence_text(struct arena *arena, const Pb__Fence *fence)
{
    if (fence == NULL)
        return "";
    return arena_printf(arena,
                        "%llu.%llu",
                        (unsigned long long)fence->grant,
                        (unsigned long long)fence->version);
}
