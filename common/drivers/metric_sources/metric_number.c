#include "common/base/text.h"
#include "common/drivers/metric_sources/metric_source.h"

#include <inttypes.h>
#include <math.h>

enum { MICRO = 1000000, NUMBER_MAX = 64 };

bool metric_micro(double value, int64_t *ret_micro)
{
    const double micro = value * (double)MICRO;

    if (!isfinite(micro) || fabs(micro) > 9e18)
        return false;
    *ret_micro = llround(micro);
    return true;
}

/* Millionths as a decimal number without needless zeros. */
static void add_micro(struct text *out, int64_t value_micro)
{
    const uint64_t size =
        value_micro < 0 ? (uint64_t)0 - (uint64_t)value_micro : (uint64_t)value_micro;
    uint64_t rest = size % MICRO;
    int digits = 6;

    text_add(out, "%s%" PRIu64, value_micro < 0 ? "-" : "", size / MICRO);
    if (rest == 0)
        return;
    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    text_add(out, ".%0*" PRIu64, digits, rest);
}

const char *metric_value_text(struct arena *arena, int64_t value_micro, const char *unit)
{
    char bytes[NUMBER_MAX];
    struct text number = text_over(bytes, sizeof bytes);

    add_micro(&number, value_micro);
    return unit[0] == '\0' ? arena_text(arena, bytes)
                           : arena_printf(arena, "%s %s", bytes, unit);
}

const char *metric_limit_text(struct arena *arena, const Pb__MetricCriterion *criterion)
{
    return arena_printf(arena,
                        "%s %s",
                        criterion->comparison == PB__COMPARISON__AT_MOST ? "at most"
                                                                         : "at least",
                        metric_value_text(arena, criterion->limit_micro, criterion->unit));
}
