/* Any bytes as a time zone: what is read answers for every moment. */
#include "common/config/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = { 0, 1795442858, -2000000000, 4102444800, 99999999999 };
    struct arena arena = arena_with_limit(4 << 20);
    struct error error = { 0 };
    const struct zone *zone;

    if (zone_parse(&arena, data, size, &zone, &error) == ERR_OK)
        for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
            (void)zone_offset_s(zone, moments[i]);
            (void)zone_moment_s(zone, moments[i]);
        }
    arena_release(&arena);
    return 0;
}
