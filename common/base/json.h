/* Writing JSON, piece by piece, into a text. Commas and quotes are kept right here; the
 * caller opens and closes. Reading is jansson's work; the names keep clear of its own. */
#ifndef COMMON_BASE_JSON_H
#define COMMON_BASE_JSON_H

#include "common/base/text.h"

#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

struct json {
    struct text *text; /* Borrowed. */
    bool filled[JSON_DEPTH_MAX];
    unsigned depth;
};

/* Everything is appended to text, which must outlive the writer. */
struct json json_into(struct text *text);

/* key is NULL inside arrays and at the top. */
void json_put_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_put_array(struct json *json, const char *key);
void json_end_array(struct json *json);

/* A NULL value is written as the empty string. */
void json_put_text(struct json *json, const char *key, const char *value);
void json_put_int(struct json *json, const char *key, int64_t value);
void json_put_uint(struct json *json, const char *key, uint64_t value);
void json_put_bool(struct json *json, const char *key, bool value);
void json_put_null(struct json *json, const char *key);

/* value_micro millionths as a decimal number: 1500000 is 1.5. */
void json_put_micro(struct json *json, const char *key, int64_t value_micro);

/* value is JSON already. */
void json_put_raw(struct json *json, const char *key, const char *value);

#endif
