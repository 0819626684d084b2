/* Any bytes as a marker or the facts of a release: refused, or read; and what was read is
 * written and read again the same, unless it cannot be written. */
#include "common/drivers/deployers/facts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 4 * 1024 * 1024, SIZE_MAX_HERE = 16 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_agree(const struct facts *first, const struct facts *second)
{
    for (size_t i = 0; i < first->count; i++) {
        const char *const name = first->items[i]->key;

        if (strcmp(facts_get(first, name), facts_get(second, name)) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    struct facts facts = { 0 }, again = { 0 };
    struct error error = { 0 };
    const char *text;

    if (size <= SIZE_MAX_HERE) {
        text = arena_copy(&arena, data, size);
        if (facts_parse(&arena, "marker", text, &facts, &error) == ERR_OK) {
            (void)facts_fence(&facts, "fence");
            if (facts_text(&arena, "marker", &facts, &text, &error) == ERR_OK &&
                facts_parse(&arena, "marker", text, &again, &error) == ERR_OK)
                must_agree(&facts, &again);
        } else if (error.text[0] == '\0') {
            abort();
        }
    }
    arena_release(&arena);
    return 0;
}
