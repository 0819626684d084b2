#include "services/coordinator/difference.h"

#include <inttypes.h>
#include <string.h>

enum { PATH_SIZE = 256 };

/* A field of both messages, and the way to it. */
struct pair {
    const ProtobufCFieldDescriptor *field;
    const char *wanted;
    const char *found;
    char path[PATH_SIZE];
};

static bool messages_differ(const ProtobufCMessageDescriptor *type,
                            const void *wanted,
                            const void *found,
                            const char *path,
                            struct text *out);

static const void *pointer_at(const char *place)
{
    const void *pointer;

    memcpy(&pointer, place, sizeof pointer);
    return pointer;
}

static uint32_t number_at(const char *place)
{
    uint32_t number;

    memcpy(&number, place, sizeof number);
    return number;
}

static void add_value(struct text *out, const struct pair *pair, const char *place)
{
    int64_t wide;

    switch (pair->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        text_add(out, "\"%.120s\"", (const char *)pointer_at(place));
        return;
    case PROTOBUF_C_TYPE_BYTES: text_add(out, "other bytes"); return;
    case PROTOBUF_C_TYPE_BOOL: text_add(out, number_at(place) != 0 ? "true" : "false"); return;
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *const value = protobuf_c_enum_descriptor_get_value(
            pair->field->descriptor, (int)number_at(place));

        text_add(out, "%s", value != NULL ? value->name : "?");
        return;
    }
    default: break;
    }
    if (pb_element_size(pair->field->type) == sizeof wide) {
        memcpy(&wide, place, sizeof wide);
        text_add(out, "%" PRId64, wide);
    } else {
        text_add(out, "%" PRId32, (int32_t)number_at(place));
    }
}

static bool texts_differ(const char *wanted, const char *found)
{
    return strcmp(pointer_at(wanted), pointer_at(found)) != 0;
}

static bool bytes_differ(const char *wanted, const char *found)
{
    ProtobufCBinaryData a;
    ProtobufCBinaryData b;

    memcpy(&a, wanted, sizeof a);
    memcpy(&b, found, sizeof b);
    return a.len != b.len || (a.len > 0 && memcmp(a.data, b.data, a.len) != 0);
}

static bool values_differ(const struct pair *pair,
                          const char *wanted,
                          const char *found,
                          struct text *out)
{
    bool differ;

    if (pair->field->type == PROTOBUF_C_TYPE_MESSAGE)
        return messages_differ(
            pair->field->descriptor, pointer_at(wanted), pointer_at(found), pair->path, out);
    if (pair->field->type == PROTOBUF_C_TYPE_STRING)
        differ = texts_differ(wanted, found);
    else if (pair->field->type == PROTOBUF_C_TYPE_BYTES)
        differ = bytes_differ(wanted, found);
    else
        differ = memcmp(wanted, found, pb_element_size(pair->field->type)) != 0;
    if (!differ)
        return false;
    text_add(out, "%s: ", pair->path);
    add_value(out, pair, wanted);
    text_add(out, ", not ");
    add_value(out, pair, found);
    return true;
}

static bool lists_differ(struct pair *pair, struct text *out)
{
    const size_t size = pb_element_size(pair->field->type);
    const size_t path_length = strlen(pair->path);
    size_t counts[2];

    memcpy(&counts[0], pair->wanted + pair->field->quantifier_offset, sizeof counts[0]);
    memcpy(&counts[1], pair->found + pair->field->quantifier_offset, sizeof counts[1]);
    if (counts[0] != counts[1]) {
        text_add(out, "%s: %zu of them, not %zu", pair->path, counts[0], counts[1]);
        return true;
    }
    for (size_t i = 0; i < counts[0]; i++) {
        const char *const wanted = pointer_at(pair->wanted + pair->field->offset);
        const char *const found = pointer_at(pair->found + pair->field->offset);
        struct text path = text_over(pair->path, sizeof pair->path);

        path.length = path_length;
        text_add(&path, "[%zu]", i);
        if (values_differ(pair, wanted + i * size, found + i * size, out))
            return true;
    }
    return false;
}

static bool field_differs(struct pair *pair, struct text *out)
{
    const ProtobufCFieldDescriptor *const field = pair->field;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return lists_differ(pair, out);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        const uint32_t wanted = number_at(pair->wanted + field->quantifier_offset);
        const uint32_t found = number_at(pair->found + field->quantifier_offset);

        if (wanted != field->id && found != field->id)
            return false;
        if (wanted != found) {
            text_add(out,
                     "%s: %s",
                     pair->path,
                     wanted == field->id ? "missing" : "should not be there");
            return true;
        }
    }
    return values_differ(pair, pair->wanted + field->offset, pair->found + field->offset, out);
}

static bool messages_differ(const ProtobufCMessageDescriptor *type,
                            const void *wanted,
                            const void *found,
                            const char *path,
                            struct text *out)
{
    if (wanted == NULL || found == NULL) {
        if (wanted != found)
            text_add(out, "%s: %s", path, found == NULL ? "missing" : "should not be there");
        return wanted != found;
    }
    for (unsigned i = 0; i < type->n_fields; i++) {
        struct pair pair = { .field = &type->fields[i], .wanted = wanted, .found = found };
        struct text name = text_over(pair.path, sizeof pair.path);

        text_add(&name, "%s%s%s", path, path[0] != '\0' ? "." : "", pair.field->name);
        if (field_differs(&pair, out))
            return true;
    }
    return false;
}

bool difference_find(const ProtobufCMessageDescriptor *type,
                     const void *wanted,
                     const void *found,
                     struct text *out)
{
    return messages_differ(type, wanted, found, "", out);
}
