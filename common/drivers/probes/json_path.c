#include "common/drivers/probes/json_path.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 128 };

static const json_t *member(const json_t *value, const char *key)
{
    char *end;
    unsigned long index;

    if (json_is_object(value))
        return json_object_get(value, key);
    index = strtoul(key, &end, 10);
    return json_is_array(value) && end != key && *end == '\0' ? json_array_get(value, index)
                                                              : NULL;
}

static const json_t *walk(const json_t *value, const char *path)
{
    while (value != NULL && *path != '\0') {
        const size_t length = strcspn(path, ".");
        char key[KEY_MAX];

        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        value = member(value, key);
        path += length;
        if (*path == '.')
            path++;
    }
    return value;
}

const char *json_path_text(struct arena *arena,
                           const char *bytes,
                           size_t length,
                           const char *path)
{
    json_error_t where;
    json_t *const root =
        json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    const json_t *const found = walk(root, path);
    const char *text = NULL;

    if (json_is_string(found)) {
        text = arena_text(arena, json_string_value(found));
    } else if (found != NULL) {
        char *const dumped = json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY);

        if (dumped != NULL)
            text = arena_text(arena, dumped);
        free(dumped);
    }
    json_decref(root);
    return text;
}
