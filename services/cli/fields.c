#include "services/cli/cli.h"

#include <string.h>

json_t *field(const json_t *object, const char *path)
{
    char name[64];
    size_t length;

    while (object != NULL) {
        json_t *inner;

        length = strcspn(path, ".");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        inner = json_object_get(object, name);
        if (path[length] == '\0')
            return inner;
        object = inner;
        path += length + 1;
    }
    return NULL;
}

const char *field_text(const json_t *object, const char *path)
{
    const char *const text = json_string_value(field(object, path));

    return text != NULL ? text : "";
}

int64_t field_int(const json_t *object, const char *path)
{
    return json_integer_value(field(object, path));
}

bool field_true(const json_t *object, const char *path)
{
    return json_is_true(field(object, path));
}
