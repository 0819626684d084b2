/* POSIX TZ rules: what holds after the last listed transition. */
#include "common/config/zone.h"

#include <string.h>

enum { DAY_S = 24 * 3600, DAYS_TO_1970 = 719468 };

int64_t zone_days(int64_t year, int64_t month, int64_t day)
{
    /* Years counted from March, so that the leap day is the last of its year. */
    const int64_t shifted = month <= 2 ? year - 1 : year;
    const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    const int64_t year_of_era = shifted - era * 400;
    const int64_t from_march = month > 2 ? month - 3 : month + 9;
    const int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_1970;
}

int64_t zone_year(int64_t days)
{
    int64_t year = 1970 + days / 366;

    while (zone_days(year + 1, 1, 1) <= days)
        year++;
    while (zone_days(year, 1, 1) > days)
        year--;
    return year;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool take_number(const char **text, int64_t max, int64_t *ret)
{
    int64_t number = 0;

    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        number = number * 10 + (**text - '0');
        if (number > max)
            return false;
    }
    *ret = number;
    return true;
}

/* "[+-]hh[:mm[:ss]]" as seconds. */
static bool take_time(const char **text, int64_t *ret_s)
{
    const bool negative = **text == '-';
    int64_t hours, minutes = 0, seconds = 0;

    if (**text == '-' || **text == '+')
        (*text)++;
    if (!take_number(text, 167, &hours))
        return false;
    if (take_char(text, ':') && !take_number(text, 59, &minutes))
        return false;
    if (take_char(text, ':') && !take_number(text, 59, &seconds))
        return false;
    *ret_s = (hours * 3600 + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

/* "CET" or "<+03>" */
static bool take_abbreviation(const char **text)
{
    const char *const start = *text;

    if (take_char(text, '<')) {
        *text += strcspn(*text, ">");
        return take_char(text, '>');
    }
    while ((**text >= 'A' && **text <= 'Z') || (**text >= 'a' && **text <= 'z'))
        (*text)++;
    return *text - start >= 3;
}

static bool take_day(const char **text, struct zone_day *ret)
{
    bool taken;

    *ret = (struct zone_day){ .form = ZONE_DAY_OF_YEAR, .time_s = 2 * (int64_t)3600 };
    if (take_char(text, 'M')) {
        ret->form = ZONE_DAY_WEEK;
        taken = take_number(text, 12, &ret->month) && take_char(text, '.') &&
                take_number(text, 5, &ret->week) && take_char(text, '.') &&
                take_number(text, 6, &ret->day) && ret->month > 0 && ret->week > 0;
    } else if (take_char(text, 'J')) {
        ret->form = ZONE_DAY_JULIAN;
        taken = take_number(text, 365, &ret->day) && ret->day > 0;
    } else {
        taken = take_number(text, 365, &ret->day);
    }
    if (taken && take_char(text, '/'))
        taken = take_time(text, &ret->time_s);
    return taken;
}

bool zone_rule_parse(const char *text, struct zone_rule *ret)
{
    struct zone_rule rule = { 0 };
    int64_t behind_s;

    /* POSIX counts west of Greenwich as positive. */
    if (!take_abbreviation(&text) || !take_time(&text, &behind_s))
        return false;
    rule.standard_s = -behind_s;
    if (*text != '\0') {
        rule.daylight = true;
        rule.daylight_s = rule.standard_s + 3600;
        if (!take_abbreviation(&text))
            return false;
        if (*text != ',' && *text != '\0') {
            if (!take_time(&text, &behind_s))
                return false;
            rule.daylight_s = -behind_s;
        }
        if (!take_char(&text, ',') || !take_day(&text, &rule.begins) ||
            !take_char(&text, ',') || !take_day(&text, &rule.ends))
            return false;
    }
    if (*text != '\0')
        return false;
    *ret = rule;
    return true;
}

/* The day of that year, counted from 1970. */
static int64_t day_in_year(const struct zone_day *day, int64_t year)
{
    const int64_t first = zone_days(year, 1, 1);
    int64_t begin, end, found;

    if (day->form == ZONE_DAY_OF_YEAR)
        return first + day->day;
    if (day->form == ZONE_DAY_JULIAN) { /* The leap day is never counted. */
        const bool leap = zone_days(year, 3, 1) - first == 60;

        return first + day->day - 1 + (leap && day->day >= 60 ? 1 : 0);
    }
    begin = zone_days(year, day->month, 1);
    end = day->month == 12 ? zone_days(year + 1, 1, 1) : zone_days(year, day->month + 1, 1);
    found = begin + ((day->day - (begin + 4)) % 7 + 7) % 7; /* 1970-01-01 was a Thursday. */
    found += 7 * (day->week - 1);
    return found < end ? found : found - 7;
}

int64_t zone_rule_offset_s(const struct zone_rule *rule, int64_t at_s)
{
    const int64_t local_s = at_s + rule->standard_s;
    const int64_t days = (local_s >= 0 ? local_s : local_s - (DAY_S - 1)) / DAY_S;
    const int64_t year = zone_year(days);
    int64_t begins_s, ends_s;
    bool inside;

    if (!rule->daylight)
        return rule->standard_s;
    begins_s =
        day_in_year(&rule->begins, year) * DAY_S + rule->begins.time_s - rule->standard_s;
    ends_s = day_in_year(&rule->ends, year) * DAY_S + rule->ends.time_s - rule->daylight_s;
    /* South of the equator summer lasts over the turn of the year. */
    inside = begins_s < ends_s ? at_s >= begins_s && at_s < ends_s
                               : at_s >= begins_s || at_s < ends_s;
    return inside ? rule->daylight_s : rule->standard_s;
}
