#include "common/wire/pbjson.h"

#include "common/base/base64.h"

#include <string.h>

static const char *member_of(const void *message, size_t offset)
{
    return (const char *)message + offset;
}

/* What the descriptor says lies at p; protobuf-c guarantees type and alignment. */
#define AT(ctype, p) (*(ctype const *)(const void *)(p))

static void put_bytes(struct json *json, const char *key, const ProtobufCBinaryData *data)
{
    struct text text = text_new(data->len / 3 * 4 + 8);

    text_add_char(&text, '"');
    base64_write(&text, data->data, data->len);
    text_add_char(&text, '"');
    json_put_raw(json, key, text.bytes);
    text_release(&text);
}

static void put_enum(struct json *json,
                     const char *key,
                     const ProtobufCEnumDescriptor *type,
                     int value)
{
    const ProtobufCEnumValue *const known = protobuf_c_enum_descriptor_get_value(type, value);

    if (known != NULL)
        json_put_text(json, key, known->name);
    else
        json_put_int(json, key, value);
}

/* Beyond int64 only a text survives other people's parsers. */
static void put_u64(struct json *json, const char *key, uint64_t value)
{
    char buffer[24];
    struct text text = text_over(buffer, sizeof buffer);

    text_add(&text, "%llu", (unsigned long long)value);
    if (value > INT64_MAX)
        json_put_text(json, key, buffer);
    else
        json_put_uint(json, key, value);
}

static void put_value(struct json *json,
                      const char *key,
                      const ProtobufCFieldDescriptor *field,
                      const char *at,
                      enum pbjson_style style)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32: json_put_int(json, key, AT(int32_t, at)); break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64: json_put_int(json, key, AT(int64_t, at)); break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: json_put_uint(json, key, AT(uint32_t, at)); break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: put_u64(json, key, AT(uint64_t, at)); break;
    case PROTOBUF_C_TYPE_BOOL: json_put_bool(json, key, AT(protobuf_c_boolean, at)); break;
    case PROTOBUF_C_TYPE_ENUM: put_enum(json, key, field->descriptor, AT(int, at)); break;
    case PROTOBUF_C_TYPE_STRING: json_put_text(json, key, AT(const char *, at)); break;
    case PROTOBUF_C_TYPE_BYTES: put_bytes(json, key, &AT(ProtobufCBinaryData, at)); break;
    case PROTOBUF_C_TYPE_MESSAGE: pbjson_put(json, key, AT(const void *, at), style); break;
    default: json_put_null(json, key); break; /* No message of ours holds a float. */
    }
}

static void put_list(struct json *json,
                     const ProtobufCFieldDescriptor *field,
                     const void *message,
                     enum pbjson_style style)
{
    const size_t count = AT(size_t, member_of(message, field->quantifier_offset));
    const char *const items = AT(const char *, member_of(message, field->offset));

    if (count == 0 && style == PBJSON_SET)
        return;
    json_put_array(json, field->name);
    for (size_t i = 0; i < count; i++)
        put_value(json, NULL, field, items + i * pb_element_size(field->type), style);
    json_end_array(json);
}

static bool is_default(const ProtobufCFieldDescriptor *field, const char *at)
{
    static const char zeros[8];

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return AT(const char *, at) == NULL || AT(const char *, at)[0] == '\0';
    case PROTOBUF_C_TYPE_BYTES: return AT(ProtobufCBinaryData, at).len == 0;
    case PROTOBUF_C_TYPE_MESSAGE: return AT(const void *, at) == NULL;
    default: return memcmp(at, zeros, pb_element_size(field->type)) == 0;
    }
}

void pbjson_put_fields(struct json *json, const void *message, enum pbjson_style style)
{
    const ProtobufCMessageDescriptor *const type =
        ((const ProtobufCMessage *)message)->descriptor;

    for (unsigned f = 0; f < type->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &type->fields[f];
        const char *const at = member_of(message, field->offset);
        bool present;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            put_list(json, field, message, style);
            continue;
        }
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            present = AT(uint32_t, member_of(message, field->quantifier_offset)) == field->id;
        else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            present = AT(const void *, at) != NULL;
        else
            present = style == PBJSON_FULL || !is_default(field, at);
        if (present)
            put_value(json, field->name, field, at, style);
    }
}

void pbjson_put(struct json *json,
                const char *key,
                const void *message,
                enum pbjson_style style)
{
    json_put_object(json, key);
    if (message != NULL)
        pbjson_put_fields(json, message, style);
    json_end_object(json);
}

void pbjson_print(const void *message, enum pbjson_style style, struct text *out)
{
    struct json json = json_into(out);

    pbjson_put(&json, NULL, message, style);
}
