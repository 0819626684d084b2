/* Any bytes as a page of metrics, and the same bytes as a query: never a crash, and never a
 * result from a page that was refused. */
#include "common/drivers/metric_sources/selector.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t cut = size < 32 ? size : 32;
    struct arena arena = arena_with_limit(1 << 20);
    struct metric_memory *const memory = calloc(1, sizeof *memory);
    struct selector_query query;
    struct selector_sum sum = { .query = &query, .memory = memory };
    const struct exposition_page page = { (const char *)data + cut,
                                          size - cut,
                                          size > 0 && data[0] % 2 == 1 };
    struct error error = { 0 };
    double value;

    if (selector_parse(&arena, arena_copy(&arena, data, cut), &query, &error) != ERR_OK &&
        selector_parse(&arena, "increase(a{b=\"c\"}) / a", &query, &error) != ERR_OK)
        abort();
    selector_sum_page(&sum, "one");
    if (exposition_read(&page, selector_visit, &sum, &error) == ERR_OK &&
        selector_result(&sum, &value, &error) == ERR_OK && error.text[0] != '\0')
        abort();
    free(memory);
    arena_release(&arena);
    return 0;
}
