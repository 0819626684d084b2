#include "services/cli/cli.h"

#include "common/config/option.h"
#include "common/wire/envelope.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { WEEK_DAYS = 7, MS_PER_S = 1000, DAY_S = 24 * 60 * 60 };

static int weekday_of(const char *text)
{
    static const char *const days[WEEK_DAYS] = {
        "sun", "mon", "tue", "wed", "thu", "fri", "sat"
    };

    for (int i = 0; i < WEEK_DAYS; i++) {
        if (strncasecmp(text, days[i], strlen(days[i])) == 0)
            return i;
    }
    return -1;
}

/* "18:00"; false if it is no time of the day. */
static bool read_clock(const char *text, int *ret_hour, int *ret_minute)
{
    const size_t length = strlen(text);
    const size_t colon = strcspn(text, ":");

    if (length < 4 || length > 5 || colon + 3 != length ||
        strspn(text, "0123456789") != colon || strspn(text + colon + 1, "0123456789") != 2)
        return false;
    *ret_hour = text[0] - '0';
    if (colon == 2)
        *ret_hour = *ret_hour * 10 + text[1] - '0';
    *ret_minute = (text[colon + 1] - '0') * 10 + text[colon + 2] - '0';
    return *ret_hour < 24 && *ret_minute < 60;
}

/* That time of the day, so many days after the day of `from`. */
static time_t day_time(const struct cli *cli, time_t from, int days, int minutes)
{
    struct tm parts = { 0 };

    if (cli->utc)
        return from - from % DAY_S + (time_t)days * DAY_S + (time_t)minutes * 60;
    (void)localtime_r(&from, &parts);
    parts.tm_mday += days;
    parts.tm_hour = 0;
    parts.tm_min = minutes;
    parts.tm_sec = 0;
    parts.tm_isdst = -1;
    return mktime(&parts);
}

/* The next "thu 18:00" after from_ms, in the local zone or UTC. */
static int64_t next_weekday(const struct cli *cli, const char *text, int64_t from_ms)
{
    const time_t from = (time_t)(from_ms / MS_PER_S);
    const int day = weekday_of(text);
    struct tm today = { 0 };
    int hour = 0;
    int minute = 0;
    time_t then;
    int days;

    if (day < 0 || text[3] != ' ' || !read_clock(text + 4, &hour, &minute))
        return -1;
    if (cli->utc)
        (void)gmtime_r(&from, &today);
    else
        (void)localtime_r(&from, &today);
    days = (day - today.tm_wday + WEEK_DAYS) % WEEK_DAYS;
    then = day_time(cli, from, days, hour * 60 + minute);
    if (then <= from)
        then = day_time(cli, from, days + WEEK_DAYS, hour * 60 + minute);
    return (int64_t)then * MS_PER_S;
}

int64_t cli_time(const struct cli *cli, const char *text, int64_t from_ms)
{
    int64_t ms = 0;

    if (strcmp(text, "now") == 0)
        return clock_now_ms(cli->clock);
    if (text[0] == '+')
        return option_duration_ms(text + 1, &ms) == ERR_OK ? from_ms + ms : -1;
    ms = next_weekday(cli, text, from_ms);
    return ms >= 0 ? ms : envelope_parse_time(text);
}
