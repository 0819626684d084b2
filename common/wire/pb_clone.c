/* A copy of a message field by field: packing and unpacking it anew would cost many times more,
 * and the core copies the state at each event. */
#include "common/wire/pb.h"

#include <string.h>

static ProtobufCMessage *message_copy(struct arena *arena, const ProtobufCMessage *message);

/* Nobody writes to texts, and nobody frees them one by one: all empty ones are the same. */
static char *string_copy(struct arena *arena, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return (char *)(uintptr_t)protobuf_c_empty_string;
    return arena_copy(arena, text, strlen(text));
}

static void element_copy(struct arena *arena, ProtobufCType type, void *element)
{
    if (type == PROTOBUF_C_TYPE_STRING) {
        char **const text = element;

        *text = string_copy(arena, *text);
    } else if (type == PROTOBUF_C_TYPE_MESSAGE) {
        ProtobufCMessage **const inner = element;

        *inner = *inner != NULL ? message_copy(arena, *inner) : NULL;
    } else if (type == PROTOBUF_C_TYPE_BYTES) {
        ProtobufCBinaryData *const bytes = element;

        if (bytes->len > 0)
            bytes->data = (uint8_t *)arena_copy(arena, bytes->data, bytes->len);
    }
}

static bool is_flat(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_MESSAGE &&
           type != PROTOBUF_C_TYPE_BYTES;
}

static void repeated_copy(struct arena *arena,
                          const ProtobufCFieldDescriptor *field,
                          void *member,
                          size_t count)
{
    const size_t size = pb_element_size(field->type);
    char **const array = member;

    if (count == 0) {
        *array = NULL;
        return;
    }
    *array = arena_copy(arena, *array, count * size);
    for (size_t i = 0; i < count && !is_flat(field->type); i++)
        element_copy(arena, field->type, *array + i * size);
}

static void field_copy(struct arena *arena, const ProtobufCFieldDescriptor *field, char *base)
{
    void *const member = base + field->offset;
    void *const quantifier = base + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        repeated_copy(arena, field, member, *(const size_t *)quantifier);
    } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        element_copy(arena, field->type, member);
    } else if (*(const uint32_t *)quantifier == field->id) {
        /* A choice without its content is none: it would not be sent either. */
        if (!is_flat(field->type) && field->type != PROTOBUF_C_TYPE_BYTES &&
            *(void *const *)member == NULL)
            *(uint32_t *)quantifier = 0;
        else
            element_copy(arena, field->type, member);
    }
}

/* What a newer version of Slipway said stays with the message. */
static void unknown_copy(struct arena *arena, ProtobufCMessage *copy)
{
    const size_t size = copy->n_unknown_fields * sizeof *copy->unknown_fields;

    if (copy->n_unknown_fields == 0) {
        copy->unknown_fields = NULL;
        return;
    }
    copy->unknown_fields = (void *)arena_copy(arena, copy->unknown_fields, size);
    for (size_t i = 0; i < copy->n_unknown_fields; i++) {
        ProtobufCMessageUnknownField *const field = &copy->unknown_fields[i];

        field->data = (uint8_t *)arena_copy(arena, field->data, field->len);
    }
}

static ProtobufCMessage *message_copy(struct arena *arena, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *const type = message->descriptor;
    ProtobufCMessage *const copy = arena_alloc(arena, type->sizeof_message);

    memcpy(copy, message, type->sizeof_message);
    for (unsigned f = 0; f < type->n_fields; f++) {
        if (!is_flat(type->fields[f].type) ||
            type->fields[f].label == PROTOBUF_C_LABEL_REPEATED)
            field_copy(arena, &type->fields[f], (char *)copy);
    }
    unknown_copy(arena, copy);
    return copy;
}

void *pb_clone(struct arena *arena, const void *message)
{
    return message_copy(arena, message);
}
