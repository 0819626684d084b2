#include "services/coordinator/core/turn.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };
static const int64_t DAY_MS = 24LL * HOUR_MS;

const char *words_cut(struct turn *turn, const char *text, size_t max)
{
    const size_t length = strlen(text);
    size_t end = max - 3;

    if (length <= max)
        return text;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return arena_printf(turn->arena, "%.*s...", (int)end, text);
}

struct date {
    unsigned day;
    unsigned month; /* From 1. */
    int64_t year;
};

/* Of a number of days since 1 January 1970, after Howard Hinnant's civil_from_days. */
static struct date date_of(int64_t days)
{
    const int64_t shifted = days + 719468;
    const int64_t era = shifted / 146097;
    const unsigned day_of_era = (unsigned)(shifted - era * 146097);
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month = (5 * day_of_year + 2) / 153;

    const unsigned from_january = month < 10 ? month + 3 : month - 9;

    return (struct date){ .day = day_of_year - (153 * month + 2) / 5 + 1,
                          .month = from_january,
                          .year = (int64_t)year_of_era + era * 400 + (from_january <= 2) };
}

const char *words_time(struct turn *turn, int64_t at_ms)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    const int64_t at = at_ms > 0 ? at_ms : 0;
    const int hours = (int)(at % DAY_MS / HOUR_MS);
    const int minutes = (int)(at % HOUR_MS / MINUTE_MS);
    const struct date date = date_of(at / DAY_MS);

    if (at - turn->now_ms < DAY_MS)
        return arena_printf(turn->arena, "%02d:%02d", hours, minutes);
    return arena_printf(
        turn->arena, "%u %s %02d:%02d", date.day, months[date.month - 1], hours, minutes);
}

const char *words_date(struct turn *turn, int64_t at_ms)
{
    const struct date date = date_of(at_ms / DAY_MS);

    return arena_printf(turn->arena,
                        "%04lld-%02u-%02uT%02d:%02d:%02dZ",
                        (long long)date.year,
                        date.month,
                        date.day,
                        (int)(at_ms % DAY_MS / HOUR_MS),
                        (int)(at_ms % HOUR_MS / MINUTE_MS),
                        (int)(at_ms % MINUTE_MS / 1000));
}

const char *words_version(struct turn *turn)
{
    const char *version = "";

    for (size_t i = 0; turn->plan != NULL && i < turn->plan->n_changes; i++) {
        const Pb__Change *const change = turn->plan->changes[i];

        if (change->kind < PB__ARTIFACT_KIND__BACKEND)
            continue;
        version = arena_printf(turn->arena,
                               "%s%s%s %s",
                               version,
                               version[0] != '\0' ? ", " : "",
                               change->artifact,
                               change->version);
    }
    return version;
}

const char *words_duration(struct turn *turn, int64_t ms)
{
    if (ms < 1000)
        return arena_printf(turn->arena, "%lld ms", (long long)ms);
    if (ms < MINUTE_MS)
        return arena_printf(turn->arena, "%lld s", (long long)(ms / 1000));
    if (ms < HOUR_MS)
        return arena_printf(turn->arena, "%lld min", (long long)(ms / MINUTE_MS));
    if (ms % HOUR_MS < MINUTE_MS)
        return arena_printf(turn->arena, "%lld h", (long long)(ms / HOUR_MS));
    return arena_printf(turn->arena,
                        "%lld h %lld min",
                        (long long)(ms / HOUR_MS),
                        (long long)(ms % HOUR_MS / MINUTE_MS));
}

const char *words_count(struct turn *turn, uint64_t count)
{
    if (count < 1000)
        return arena_printf(turn->arena, "%llu", (unsigned long long)count);
    return arena_printf(turn->arena,
                        "%s,%03llu",
                        words_count(turn, count / 1000),
                        (unsigned long long)(count % 1000));
}

const char *words_step(uint32_t step)
{
    static const char *const names[] = {
        "Plan and review", "Pre-deployment checks",      "Execute", "Validate",
        "Roll out flags",  "Post-deployment validation", "Monitor", "Finalise",
    };

    return step <= STEP_LAST ? names[step] : "?";
}
