/* Any bytes as JSON of an acceptance and of an operator's request: refused, or read, printed,
 * read again with the same result. */
#include "common/wire/pbjson.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_type(const ProtobufCMessageDescriptor *type, const char *bytes, size_t size)
{
    struct arena arena = arena_with_limit(16 << 20);
    struct text text = text_new(8 << 20);
    struct error error = { 0 };
    void *first = NULL;
    void *second = NULL;

    if (pbjson_parse(&arena, type, bytes, size, &first, &error) == ERR_OK) {
        const struct pb_bytes before = pb_pack(&arena, first);
        struct pb_bytes after;

        pbjson_print(first, size % 2 == 0 ? PBJSON_SET : PBJSON_FULL, &text);
        if (text.length < PBJSON_TEXT_MAX) {
            if (pbjson_parse(&arena, type, text.bytes, text.length, &second, &error) != ERR_OK)
                abort();
            after = pb_pack(&arena, second);
            if (before.length != after.length ||
                memcmp(before.bytes, after.bytes, before.length) != 0)
                abort();
        }
    } else if (error.text[0] == '\0') {
        abort();
    }
    text_release(&text);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_type(&pb__acceptance_signed_off__descriptor, (const char *)data, size);
    try_type(&pb__operator_request__descriptor, (const char *)data, size);
    return 0;
}
