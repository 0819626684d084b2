#include "common/base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct json json_into(struct text *text)
{
    return (struct json){ .text = text };
}

static void begin(struct json *json, const char *key)
{
    if (json->filled[json->depth])
        text_add_char(json->text, ',');
    json->filled[json->depth] = true;
    if (key != NULL) {
        text_add_char(json->text, '"');
        text_add_json(json->text, key);
        text_add_bytes(json->text, "\":", 2);
    }
}

static void open_with(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    text_add_char(json->text, bracket);
    assert(json->depth + 1 < JSON_DEPTH_MAX);
    json->filled[++json->depth] = false;
}

static void close_with(struct json *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    text_add_char(json->text, bracket);
}

void json_put_object(struct json *json, const char *key)
{
    open_with(json, key, '{');
}

void json_end_object(struct json *json)
{
    close_with(json, '}');
}

void json_put_array(struct json *json, const char *key)
{
    open_with(json, key, '[');
}

void json_end_array(struct json *json)
{
    close_with(json, ']');
}

void json_put_text(struct json *json, const char *key, const char *value)
{
    begin(json, key);
    text_add_char(json->text, '"');
    text_add_json(json->text, value);
    text_add_char(json->text, '"');
}

void json_put_int(struct json *json, const char *key, int64_t value)
{
    begin(json, key);
    text_add(json->text, "%" PRId64, value);
}

void json_put_uint(struct json *json, const char *key, uint64_t value)
{
    begin(json, key);
    text_add(json->text, "%" PRIu64, value);
}

void json_put_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    text_add(json->text, "%s", value ? "true" : "false");
}

void json_put_null(struct json *json, const char *key)
{
    begin(json, key);
    text_add(json->text, "null");
}

void json_put_micro(struct json *json, const char *key, int64_t value_micro)
{
    const uint64_t size = value_micro < 0 ? 0 - (uint64_t)value_micro : (uint64_t)value_micro;
    uint64_t fraction = size % 1000000;
    int digits = 6;

    begin(json, key);
    text_add(json->text, "%s%" PRIu64, value_micro < 0 ? "-" : "", size / 1000000);
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    text_add(json->text, ".%0*" PRIu64, digits, fraction);
}

void json_put_raw(struct json *json, const char *key, const char *value)
{
    begin(json, key);
    text_add_bytes(json->text, value, strlen(value));
}
