/* RFC 3339 both ways, by arithmetic alone: no locale, no time zone of the machine. */
#include "common/wire/envelope.h"

#include <string.h>

enum { DAYS_TO_1970 = 719468, MS_A_DAY = 24 * 60 * 60 * 1000 };

struct civil {
    int64_t year;
    int64_t month; /* 1 to 12 */
    int64_t day;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar, years counted from March so that
 * the leap day is the last of its year. */
static int64_t days_of(struct civil date)
{
    const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t from_march = date.month > 2 ? date.month - 3 : date.month + 9;
    const int64_t day_of_year = (153 * from_march + 2) / 5 + date.day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_1970;
}

static struct civil date_of(int64_t days)
{
    const int64_t shifted = days + DAYS_TO_1970;
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t from_march = (5 * day_of_year + 2) / 153;
    const int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;

    return (struct civil){ .year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
                           .month = month,
                           .day = day_of_year - (153 * from_march + 2) / 5 + 1 };
}

const char *envelope_time(struct arena *arena, int64_t ms)
{
    const int64_t days = (ms >= 0 ? ms : ms - (MS_A_DAY - 1)) / MS_A_DAY;
    const int64_t rest = ms - days * MS_A_DAY;
    const struct civil date = date_of(days);

    return arena_printf(arena,
                        "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                        (int)date.year,
                        (int)date.month,
                        (int)date.day,
                        (int)(rest / 3600000),
                        (int)(rest / 60000 % 60),
                        (int)(rest / 1000 % 60),
                        (int)(rest % 1000));
}

/* Exactly `digits` digits; -1 if they are not there. */
static int64_t take_number(const char **text, int digits)
{
    int64_t number = 0;

    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return -1;
        number = number * 10 + (**text - '0');
    }
    return number;
}

static bool take_char(const char **text, const char *one_of)
{
    if (**text == '\0' || strchr(one_of, **text) == NULL)
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, int64_t *ret_days)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct civil date;
    int64_t length;

    date.year = take_number(text, 4);
    if (date.year < 0 || !take_char(text, "-"))
        return false;
    date.month = take_number(text, 2);
    if (date.month < 1 || date.month > 12 || !take_char(text, "-"))
        return false;
    date.day = take_number(text, 2);
    length = lengths[date.month - 1];
    if (date.month == 2 &&
        (date.year % 400 == 0 || (date.year % 4 == 0 && date.year % 100 != 0)))
        length = 29;
    *ret_days = days_of(date);
    return date.day >= 1 && date.day <= length;
}

/* "23:59:60" is a leap second: the first moment of the next minute. */
static bool take_clock(const char **text, int64_t *ret_ms)
{
    const int64_t hour = take_number(text, 2);
    const int64_t minute = take_char(text, ":") ? take_number(text, 2) : -1;
    const int64_t second = take_char(text, ":") ? take_number(text, 2) : -1;
    int64_t ms = 0;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    if (take_char(text, ".")) {
        int64_t weight = 100;

        if (**text < '0' || **text > '9')
            return false;
        for (; **text >= '0' && **text <= '9'; (*text)++, weight /= 10)
            ms += (**text - '0') * weight;
    }
    *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    return true;
}

static bool take_zone(const char **text, int64_t *ret_ms)
{
    const char sign = **text;
    int64_t hour, minute;

    *ret_ms = 0;
    if (take_char(text, "Zz"))
        return true;
    if (!take_char(text, "+-"))
        return false;
    hour = take_number(text, 2);
    minute = take_char(text, ":") ? take_number(text, 2) : -1;
    *ret_ms = (hour * 60 + minute) * 60000 * (sign == '-' ? -1 : 1);
    return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

int64_t envelope_parse_time(const char *text)
{
    int64_t days, clock_ms, zone_ms, ms;

    if (!take_date(&text, &days) || !take_char(&text, "Tt ") || !take_clock(&text, &clock_ms) ||
        !take_zone(&text, &zone_ms) || *text != '\0')
        return -1;
    ms = days * MS_A_DAY + clock_ms - zone_ms;
    return ms >= 0 ? ms : -1;
}
