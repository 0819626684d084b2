#include "common/wire/pbjson.h"

#include "common/base/base64.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_PER_BYTE = 64, MEMORY_AT_LEAST = 64 * 1024, NAME_SHOWN = 60, NAMES_SHOWN = 8 };

/* Where in the document a value stands: one link a level, on the stack. */
struct place {
    const struct place *above;
    const char *name; /* NULL: an element of the list above. */
    size_t index;
    unsigned depth;
};

struct reader {
    struct arena *arena;
    struct error *error;
    const char *where;
};

static void write_place(const struct place *place, struct text *path)
{
    if (place == NULL)
        return;
    write_place(place->above, path);
    if (place->name == NULL)
        text_add(path, "[%zu]", place->index);
    else
        text_add(path, "%s%.*s", path->length > 0 ? "." : "", NAME_SHOWN, place->name);
}

/* "artifacts[0].digest: <what>" */
static enum err refuse(const struct reader *reader,
                       const struct place *place,
                       enum err code,
                       const char *what)
{
    char buffer[ERROR_TEXT_MAX / 2];
    struct text path = text_over(buffer, sizeof buffer);

    text_add(&path, "%s", reader->where);
    write_place(place, &path);
    return error_set(
        reader->error, code, "%s: %s", path.length > 0 ? path.bytes : "the document", what);
}

static enum err refuse_type(const struct reader *reader,
                            const struct place *place,
                            const char *expected)
{
    char buffer[64];
    struct text what = text_over(buffer, sizeof buffer);

    text_add(&what, "expected %s", expected);
    return refuse(reader, place, ERR_INVALID, what.bytes);
}

static enum err refuse_size(const struct reader *reader, const struct place *place)
{
    return refuse(reader, place, ERR_TOO_LARGE, "takes more memory than it may");
}

/* Decimal digits, as canonical proto3 JSON writes 64-bit numbers. */
static bool text_is_integer(const char *text, bool sign)
{
    text += sign && *text == '-';
    return *text >= '0' && *text <= '9' && text[strspn(text, "0123456789")] == '\0';
}

static enum err read_i64(const struct reader *reader,
                         const struct place *place,
                         json_t *tree,
                         int64_t min,
                         int64_t max,
                         int64_t *ret)
{
    int64_t value;

    if (json_is_integer(tree)) {
        value = json_integer_value(tree);
    } else if (json_is_string(tree) && text_is_integer(json_string_value(tree), true)) {
        errno = 0;
        value = strtoll(json_string_value(tree), NULL, 10);
        if (errno != 0)
            return refuse(reader, place, ERR_INVALID, "integer out of range");
    } else {
        return refuse_type(reader, place, "integer");
    }
    if (value < min || value > max)
        return refuse(reader, place, ERR_INVALID, "integer out of range");
    *ret = value;
    return ERR_OK;
}

static enum err read_u64(const struct reader *reader,
                         const struct place *place,
                         json_t *tree,
                         uint64_t *ret)
{
    int64_t value = 0;
    enum err err;

    if (json_is_string(tree) && text_is_integer(json_string_value(tree), false)) {
        errno = 0;
        *ret = strtoull(json_string_value(tree), NULL, 10);
        return errno == 0 ? ERR_OK : refuse(reader, place, ERR_INVALID, "integer out of range");
    }
    err = read_i64(reader, place, tree, 0, INT64_MAX, &value);
    *ret = (uint64_t)value;
    return err;
}

static enum err read_text(const struct reader *reader,
                          const struct place *place,
                          json_t *tree,
                          const char **ret)
{
    const size_t length = json_string_length(tree);
    char *copy;

    if (!json_is_string(tree))
        return refuse_type(reader, place, "text");
    copy = arena_try(reader->arena, length + 1);
    if (copy == NULL)
        return refuse_size(reader, place);
    memcpy(copy, json_string_value(tree), length);
    *ret = copy;
    return ERR_OK;
}

static enum err read_bytes(const struct reader *reader,
                           const struct place *place,
                           json_t *tree,
                           ProtobufCBinaryData *ret)
{
    const char *const text = json_string_value(tree);

    if (text != NULL)
        ret->data = base64_read(reader->arena, text, json_string_length(tree), &ret->len);
    return ret->data != NULL ? ERR_OK : refuse_type(reader, place, "base64");
}

/* Names only: a number would pass by every change of the schema. */
static enum err read_enum(const struct reader *reader,
                          const struct place *place,
                          json_t *tree,
                          const ProtobufCEnumDescriptor *type,
                          int *ret)
{
    const ProtobufCEnumValue *value;
    char buffer[ERROR_TEXT_MAX / 2];
    struct text what = text_over(buffer, sizeof buffer);

    if (!json_is_string(tree))
        return refuse_type(reader, place, "the name of an enum value");
    value = protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(tree));
    if (value != NULL) {
        *ret = value->value;
        return ERR_OK;
    }
    text_add(&what, "unknown value; expected ");
    for (unsigned i = 1; i < type->n_values && i <= NAMES_SHOWN; i++)
        text_add(&what, "%s%s", i > 1 ? ", " : "", type->values[i].name);
    text_add(&what, "%s", type->n_values > NAMES_SHOWN + 1 ? " ..." : "");
    return refuse(reader, place, ERR_INVALID, what.bytes);
}

static enum err read_message(const struct reader *reader,
                             const struct place *place,
                             json_t *tree,
                             const ProtobufCMessageDescriptor *type,
                             void **ret);

/* One value into its member. What the descriptor says lies there is what is written. */
static enum err read_value(const struct reader *reader,
                           const struct place *place,
                           json_t *tree,
                           const ProtobufCFieldDescriptor *field,
                           void *at)
{
    int64_t number = 0;
    enum err err;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        err = read_i64(reader, place, tree, INT32_MIN, INT32_MAX, &number);
        *(int32_t *)at = (int32_t)number;
        return err;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        err = read_i64(reader, place, tree, 0, UINT32_MAX, &number);
        *(uint32_t *)at = (uint32_t)number;
        return err;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_i64(reader, place, tree, INT64_MIN, INT64_MAX, at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return read_u64(reader, place, tree, at);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = json_is_true(tree);
        return json_is_boolean(tree) ? ERR_OK : refuse_type(reader, place, "true or false");
    case PROTOBUF_C_TYPE_ENUM: return read_enum(reader, place, tree, field->descriptor, at);
    case PROTOBUF_C_TYPE_STRING: return read_text(reader, place, tree, at);
    case PROTOBUF_C_TYPE_BYTES: return read_bytes(reader, place, tree, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(reader, place, tree, field->descriptor, at);
    default: return refuse(reader, place, ERR_INVALID, "no JSON form for this type");
    }
}

static enum err read_list(const struct reader *reader,
                          const struct place *place,
                          json_t *tree,
                          const ProtobufCFieldDescriptor *field,
                          void *message)
{
    const size_t count = json_array_size(tree);
    const size_t size = pb_element_size(field->type);
    char *items;

    if (!json_is_array(tree))
        return refuse_type(reader, place, "a list");
    if (count == 0)
        return ERR_OK;
    items = arena_try(reader->arena, count * size);
    if (items == NULL)
        return refuse_size(reader, place);
    for (size_t i = 0; i < count; i++) {
        const struct place element = { .above = place, .index = i, .depth = place->depth };
        json_t *const item = json_array_get(tree, i);
        const enum err err = read_value(reader, &element, item, field, items + i * size);

        if (err != ERR_OK)
            return err;
    }
    *(void **)(void *)((char *)message + field->offset) = items;
    *(size_t *)(void *)((char *)message + field->quantifier_offset) = count;
    return ERR_OK;
}

/* The members of a oneof share their memory, which may hold the default of another one. */
static enum err read_oneof(const struct reader *reader,
                           const struct place *place,
                           json_t *tree,
                           const ProtobufCFieldDescriptor *field,
                           void *message)
{
    uint32_t *const which = (void *)((char *)message + field->quantifier_offset);
    void *const at = (char *)message + field->offset;

    if (*which != 0)
        return refuse(
            reader, place, ERR_INVALID, "another one of which only one may be given is there");
    *which = field->id;
    memset(at, 0, pb_element_size(field->type));
    return read_value(reader, place, tree, field, at);
}

static enum err read_field(const struct reader *reader,
                           const struct place *place,
                           json_t *tree,
                           void *message)
{
    const ProtobufCMessageDescriptor *const type = ((ProtobufCMessage *)message)->descriptor;
    const ProtobufCFieldDescriptor *const field =
        protobuf_c_message_descriptor_get_field_by_name(type, place->name);

    if (field == NULL)
        return refuse(reader, place, ERR_INVALID, "unknown field");
    if (json_is_null(tree))
        return ERR_OK;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(reader, place, tree, field, message);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return read_oneof(reader, place, tree, field, message);
    return read_value(reader, place, tree, field, (char *)message + field->offset);
}

static enum err read_message(const struct reader *reader,
                             const struct place *place,
                             json_t *tree,
                             const ProtobufCMessageDescriptor *type,
                             void **ret)
{
    const unsigned depth = place != NULL ? place->depth + 1 : 1;
    void *message;

    if (!json_is_object(tree))
        return refuse_type(reader, place, "object");
    if (depth > PBJSON_DEPTH_MAX)
        return refuse(reader, place, ERR_TOO_LARGE, "nested too deep");
    message = arena_try(reader->arena, type->sizeof_message);
    if (message == NULL)
        return refuse_size(reader, place);
    protobuf_c_message_init(type, message);
    for (void *at = json_object_iter(tree); at != NULL; at = json_object_iter_next(tree, at)) {
        const struct place member = { place, json_object_iter_key(at), 0, depth };
        const enum err err = read_field(reader, &member, json_object_iter_value(at), message);

        if (err != ERR_OK)
            return err;
    }
    *ret = message;
    return ERR_OK;
}

enum err pbjson_read(struct arena *arena,
                     const ProtobufCMessageDescriptor *type,
                     struct json_t *tree,
                     const char *where,
                     void **ret,
                     struct error *error)
{
    const struct reader reader = { arena, error, where };

    return read_message(&reader, NULL, tree, type, ret);
}

enum err pbjson_parse(struct arena *arena,
                      const ProtobufCMessageDescriptor *type,
                      const char *bytes,
                      size_t length,
                      void **ret,
                      struct error *error)
{
    const size_t room = length * MEMORY_PER_BYTE + MEMORY_AT_LEAST;
    const size_t limit = arena->limit;
    json_error_t why;
    json_t *tree;
    enum err err;

    if (length > PBJSON_TEXT_MAX)
        return error_set(
            error, ERR_TOO_LARGE, "%zu bytes of JSON, at most %d", length, PBJSON_TEXT_MAX);
    tree = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &why);
    if (tree == NULL)
        return error_set(
            error, ERR_INVALID, "line %d column %d: %s", why.line, why.column, why.text);
    if (room < limit - arena->used)
        arena->limit = arena->used + room;
    err = pbjson_read(arena, type, tree, "", ret, error);
    arena->limit = limit;
    json_decref(tree);
    return err;
}
