/* Any bytes as the target of a request line: refused with a reason, or a clean path. */
#include "common/adapters/httpd/target.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
    if (path[0] != '/' || strstr(path, "//") != NULL || strstr(path, "/../") != NULL ||
        strstr(path, "/./") != NULL || !text_is_utf8(path))
        abort();
    for (; *path != '\0'; path++) {
        if ((unsigned char)*path < ' ')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    struct web_request request = { 0 };
    struct error error = { 0 };

    if (size > 16 * 1024)
        return 0;
    if (target_decode(&arena, arena_copy(&arena, data, size), &request, &error) == ERR_OK)
        check_path(request.path);
    else if (error.text[0] == '\0')
        abort();
    for (size_t i = 0; i < request.query_count; i++) {
        if (!text_is_utf8(request.query[i].name) || !text_is_utf8(request.query[i].value))
            abort();
    }
    arena_release(&arena);
    return 0;
}
