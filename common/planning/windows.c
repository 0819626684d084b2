/* When a plan's windows are open, by the clocks of their zones. */
#include "common/config/zone.h"
#include "common/planning/compile.h"

#include <stdlib.h>
#include <string.h>

enum {
    DAY_S = 24 * 3600,
    DAYS_BACK = 2,  /* A window of the day before may reach into today. */
    DAYS_AHEAD = 9, /* A week and the day it may reach into. */
    WINDOWS_MAX = 64,
    ARENA_SIZE = 16 * 1024 * 1024,
};

/* Periods in which windows are open, near the moment asked about. */
struct periods {
    struct {
        int64_t from_ms;
        int64_t to_ms; /* Not in it. */
    } item[WINDOWS_MAX * (DAYS_BACK + DAYS_AHEAD)];
    size_t count;
};

static void add_period(struct periods *periods, int64_t from_ms, int64_t to_ms)
{
    const size_t room = sizeof periods->item / sizeof periods->item[0];

    if (from_ms >= to_ms || periods->count == room)
        return;
    periods->item[periods->count].from_ms = from_ms;
    periods->item[periods->count++].to_ms = to_ms;
}

static bool has_day(const Pb__Window *window, int64_t day)
{
    const uint32_t weekday = (uint32_t)(((day + 3) % 7 + 7) % 7) + 1; /* 1970-01-01: Thursday */

    for (size_t i = 0; i < window->n_days; i++)
        if (window->days[i] == weekday)
            return true;
    return false;
}

static void add_week(struct periods *periods,
                     const Pb__Window *window,
                     const struct zone *zone,
                     int64_t at_s)
{
    const int64_t local_s = at_s + zone_offset_s(zone, at_s);
    const int64_t today = (local_s >= 0 ? local_s : local_s - (DAY_S - 1)) / DAY_S;
    const int64_t over_midnight = window->to_minute <= window->from_minute ? DAY_S : 0;

    for (int64_t day = today - DAYS_BACK; day < today + DAYS_AHEAD; day++) {
        const int64_t from_s = day * DAY_S + window->from_minute * (int64_t)60;
        const int64_t to_s = day * DAY_S + over_midnight + window->to_minute * (int64_t)60;

        if (has_day(window, day))
            add_period(
                periods, zone_moment_s(zone, from_s) * 1000, zone_moment_s(zone, to_s) * 1000);
    }
}

/* A zone that is not known here opens nothing. */
static void add_window(struct arena *arena,
                       struct periods *periods,
                       const Pb__Window *window,
                       int64_t at_s)
{
    struct error error = { 0 };
    const struct zone *zone;

    if (window->n_days == 0)
        add_period(periods, window->opens_ms, window->closes_ms);
    else if (zone_load(arena, window->zone, &zone, &error) == ERR_OK)
        add_week(periods, window, zone, at_s);
}

static bool is_open(const struct periods *periods, int64_t at_ms)
{
    for (size_t i = 0; i < periods->count; i++)
        if (periods->item[i].from_ms <= at_ms && at_ms < periods->item[i].to_ms)
            return true;
    return false;
}

/* The first moment after at_ms at which it is otherwise than then; 0 if there is none near. */
static int64_t next_change(const struct periods *periods, int64_t at_ms)
{
    const bool open = is_open(periods, at_ms);
    int64_t next_ms = 0;

    for (size_t i = 0; i < periods->count; i++) {
        const int64_t ends[] = { periods->item[i].from_ms, periods->item[i].to_ms };

        for (size_t k = 0; k < 2; k++)
            if (ends[k] > at_ms && (next_ms == 0 || ends[k] < next_ms) &&
                is_open(periods, ends[k]) != open)
                next_ms = ends[k];
    }
    return next_ms;
}

bool plan_window_open(const Pb__Plan *plan, int64_t at_ms, int64_t *ret_next_change_ms)
{
    const int64_t at_s = (at_ms >= 0 ? at_ms : at_ms - 999) / 1000;
    struct arena arena = arena_with_limit(ARENA_SIZE);
    struct periods *const periods = arena_alloc(&arena, sizeof *periods);
    bool open;

    *ret_next_change_ms = 0;
    if (plan->n_windows == 0) {
        arena_release(&arena);
        return true;
    }
    for (size_t i = 0; i < plan->n_windows && i < WINDOWS_MAX; i++)
        add_window(&arena, periods, plan->windows[i], at_s);
    open = is_open(periods, at_ms);
    *ret_next_change_ms = next_change(periods, at_ms);
    arena_release(&arena);
    return open;
}
