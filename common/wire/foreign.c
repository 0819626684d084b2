#include "common/wire/foreign.h"

#include "common/base/base64.h"
#include "common/wire/pbjson.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TYPE_SHOWN = 60 };

#define CLOUDEVENTS      "application/cloudevents"
#define CLOUDEVENTS_JSON "application/cloudevents+json"
#define JSON             "application/json"
#define PROTOBUF         "application/protobuf"
#define PROTOBUF_OLD     "application/x-protobuf"

/* Whether a content type is that one, whatever its parameters. */
static bool is_media(const char *type, const char *wanted)
{
    const size_t length = strcspn(type, "; \t");

    return length == strlen(wanted) && strncasecmp(type, wanted, length) == 0;
}

static enum err add_header(struct bus_record *record,
                           const char *name,
                           const char *value,
                           struct error *error)
{
    if (record->header_count == BUS_HEADERS_MAX)
        return error_set(error, ERR_INVALID, "more than %d attributes", BUS_HEADERS_MAX);
    record->headers[record->header_count++] = (struct bus_header){ name, value };
    return ERR_OK;
}

/* Context attributes are texts, whole numbers and truths. A null one is not there. */
static enum err add_attribute(struct arena *arena,
                              const char *name,
                              const json_t *value,
                              struct bus_record *record,
                              struct error *error)
{
    const char *const header = arena_printf(arena, "ce_%s", name);
    const char *text;

    if (json_is_null(value))
        return ERR_OK;
    if (json_is_string(value))
        text = arena_text(arena, json_string_value(value));
    else if (json_is_integer(value))
        text = arena_printf(arena, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        text = json_is_true(value) ? "true" : "false";
    else
        return error_set(
            error, ERR_INVALID, "%.*s: a context attribute is a text", TYPE_SHOWN, name);
    return add_header(record, header, text, error);
}

static enum err add_attributes(struct arena *arena,
                               json_t *event,
                               struct bus_record *record,
                               struct error *error)
{
    const char *const type = json_string_value(json_object_get(event, "datacontenttype"));
    enum err err = add_header(
        record, "content-type", type != NULL ? arena_text(arena, type) : JSON, error);
    const char *name;
    json_t *value;

    json_object_foreach(event, name, value)
    {
        const bool other = strcmp(name, "data") != 0 && strcmp(name, "data_base64") != 0 &&
                           strcmp(name, "datacontenttype") != 0;

        if (err == ERR_OK && other)
            err = add_attribute(arena, name, value, record, error);
    }
    return err;
}

static enum err take_base64(struct arena *arena,
                            const json_t *text,
                            struct bus_record *record,
                            struct error *error)
{
    if (json_is_string(text))
        record->bytes = base64_read(
            arena, json_string_value(text), json_string_length(text), &record->length);
    if (record->bytes == NULL)
        return error_set(error, ERR_INVALID, "data_base64 is no base64");
    return ERR_OK;
}

static enum err take_json(struct arena *arena,
                          const json_t *data,
                          struct bus_record *record,
                          struct error *error)
{
    const char *const type = bus_header(record, "content-type");
    char *text;

    if (!is_media(type, JSON))
        return error_set(error,
                         ERR_INVALID,
                         "data is JSON, and datacontenttype %.*s; other data is data_base64",
                         TYPE_SHOWN,
                         type);
    text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        return error_set(error, ERR_INVALID, "data cannot be read");
    record->length = strlen(text);
    record->bytes = (const uint8_t *)arena_copy(arena, text, record->length);
    free(text);
    return ERR_OK;
}

static enum err unwrap(struct arena *arena,
                       json_t *event,
                       struct bus_record *record,
                       struct error *error)
{
    const json_t *const data = json_object_get(event, "data");
    const json_t *const base64 = json_object_get(event, "data_base64");
    enum err err = ERR_OK;

    if (!json_is_object(event))
        return error_set(error, ERR_INVALID, "a CloudEvent is a JSON object");
    err = add_attributes(arena, event, record, error);
    if (err != ERR_OK)
        return err;
    if (data != NULL && base64 != NULL)
        return error_set(error, ERR_INVALID, "data and data_base64 exclude each other");
    if (base64 != NULL)
        return take_base64(arena, base64, record, error);
    return data != NULL ? take_json(arena, data, record, error) : ERR_OK;
}

enum err foreign_unwrap(struct arena *arena,
                        const struct bus_record *record,
                        struct bus_record *ret,
                        struct error *error)
{
    const char *const type = bus_header(record, "content-type");
    struct bus_record plain = *record;
    json_error_t reason;
    json_t *event;
    enum err err;

    if (type == NULL || strncasecmp(type, CLOUDEVENTS, strlen(CLOUDEVENTS)) != 0) {
        *ret = plain;
        return ERR_OK;
    }
    if (!is_media(type, CLOUDEVENTS_JSON))
        return error_set(error,
                         ERR_INVALID,
                         "content-type is %.*s; a structured event is " CLOUDEVENTS_JSON,
                         TYPE_SHOWN,
                         type);
    if (record->length > PBJSON_TEXT_MAX)
        return error_set(error, ERR_TOO_LARGE, "more than %d bytes", PBJSON_TEXT_MAX);
    event = json_loadb(
        (const char *)record->bytes, record->length, JSON_REJECT_DUPLICATES, &reason);
    if (event == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "line %d column %d: %s",
                         reason.line,
                         reason.column,
                         reason.text);
    plain.header_count = 0;
    plain.bytes = NULL;
    plain.length = 0;
    err = unwrap(arena, event, &plain, error);
    json_decref(event);
    if (err == ERR_OK)
        *ret = plain;
    return err;
}

enum err foreign_message(struct arena *arena,
                         const struct bus_record *record,
                         const ProtobufCMessageDescriptor *type,
                         void **ret,
                         struct error *error)
{
    const char *const said = bus_header(record, "content-type");
    const char *const media = said != NULL ? said : PROTOBUF;
    const struct pb_bytes bytes = { record->bytes, record->length };

    if (record->bytes == NULL)
        return error_set(error, ERR_INVALID, "the record has no data");
    if (is_media(media, JSON))
        return pbjson_parse(
            arena, type, (const char *)record->bytes, record->length, ret, error);
    if (is_media(media, PROTOBUF) || is_media(media, PROTOBUF_OLD))
        return pb_unpack(arena, type, bytes, ret, error);
    return error_set(error,
                     ERR_INVALID,
                     "content-type is %.*s, not " JSON ", " PROTOBUF " or " CLOUDEVENTS_JSON,
                     TYPE_SHOWN,
                     media);
}
