#include "common/wire/pb.h"

#include "common/base/text.h"

#include <string.h>

/* The same text with "?" for each byte that is part of no character. */
static const char *cleaned(struct arena *arena, const char *text)
{
    const size_t length = strlen(text);
    char *const copy = arena_try(arena, length + 1);

    if (copy == NULL)
        return "";
    memcpy(copy, text, length + 1);
    for (char *at = copy; *at != '\0';) {
        const size_t step = text_utf8_length(at);

        if (step == 0)
            *at = '?';
        at += step > 0 ? step : 1;
    }
    return copy;
}

static void clean_element(struct arena *arena,
                          const ProtobufCFieldDescriptor *field,
                          void *element)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        ProtobufCMessage *const inner = *(ProtobufCMessage **)element;

        if (inner != NULL)
            pb_clean(arena, inner);
    } else {
        const char **const text = element;

        if (*text != NULL && !text_is_utf8(*text))
            *text = cleaned(arena, *text);
    }
}

/* Types do not recurse, so neither does this beyond the depth of the schema. */
void pb_clean(struct arena *arena, void *message)
{
    const ProtobufCMessageDescriptor *const type = ((ProtobufCMessage *)message)->descriptor;
    char *const base = message;

    for (unsigned f = 0; f < type->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &type->fields[f];
        const bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        void *const quantifier = base + field->quantifier_offset;
        void *const member = base + field->offset;

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (oneof && *(const uint32_t *)quantifier != field->id)
            continue;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            clean_element(arena, field, member);
            continue;
        }
        for (size_t i = 0; i < *(const size_t *)quantifier; i++)
            clean_element(arena, field, &(*(void ***)member)[i]);
    }
}
