/* Time zones, read from the system's database (/usr/share/zoneinfo, TZif files), so that
 * windows open and close by the clock on the wall and follow its daylight-saving changes. */
#ifndef COMMON_CONFIG_ZONE_H
#define COMMON_CONFIG_ZONE_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZONE_FILE_MAX = 64 * 1024 };

struct zone;

/* The zone of that name: "UTC", "Europe/Berlin". ERR_NOT_FOUND if the database has none of that
 * name; ERR_INVALID if the name or its file is none. */
enum err zone_load(struct arena *arena,
                   const char *name,
                   const struct zone **ret,
                   struct error *error) MUST_CHECK;

/* The same from the bytes of a TZif file. Pure. */
enum err zone_parse(struct arena *arena,
                    const void *bytes,
                    size_t length,
                    const struct zone **ret,
                    struct error *error) MUST_CHECK;

/* Seconds that clocks of the zone are ahead of UTC at that moment. */
int64_t zone_offset_s(const struct zone *zone, int64_t at_s);

/* The moment at which clocks of the zone show local_s (seconds of the wall clock since
 * 1970-01-01 00:00 on the wall). A time shown twice is the first; a time left out when clocks
 * are put forward is the moment they are. */
int64_t zone_moment_s(const struct zone *zone, int64_t local_s);

/* Days from 1970-01-01 to that date of the Gregorian calendar; month 1 to 12. */
int64_t zone_days(int64_t year, int64_t month, int64_t day);

/* The year of that day. */
int64_t zone_year(int64_t days);

/* A POSIX rule, the footer of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3". */
enum zone_day_form { ZONE_DAY_WEEK, ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR };
struct zone_day {
    enum zone_day_form form;
    int64_t month; /* ZONE_DAY_WEEK */
    int64_t week;  /* 1 to 5; 5 is the last */
    int64_t day;   /* 0 Sunday; or the day of the year */
    int64_t time_s;
};
struct zone_rule {
    bool daylight;
    int64_t standard_s; /* ahead of UTC */
    int64_t daylight_s;
    struct zone_day begins;
    struct zone_day ends;
};
bool zone_rule_parse(const char *text, struct zone_rule *ret);
int64_t zone_rule_offset_s(const struct zone_rule *rule, int64_t at_s);

#endif
