#include "common/runtime/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_BASE = 10, COUNT_MAX = 1000000 };

static bool count_read(const char *text, unsigned *ret)
{
    char *end = NULL;
    const long count = strtol(text, &end, NUMBER_BASE);

    if (end == text || *end != '\0' || count < 1 || count > COUNT_MAX)
        return false;
    *ret = (unsigned)count;
    return true;
}

bool crash_plan_read(const char *text, struct crash_plan *ret)
{
    struct crash_plan plan = { .remaining = 1 };
    const char *const colon = text != NULL ? strchr(text, ':') : NULL;
    size_t length;

    if (text == NULL)
        return false;
    length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    if (length == 0 || length >= sizeof plan.at)
        return false;
    if (colon != NULL && !count_read(colon + 1, &plan.remaining))
        return false;
    memcpy(plan.at, text, length);
    *ret = plan;
    return true;
}

void crash_place_reached(struct crash_plan *plan, const char *place)
{
    if (plan->remaining == 0 || strcmp(plan->at, place) != 0 || --plan->remaining > 0)
        return;
    if (plan->die != NULL)
        plan->die(plan->self);
    else
        (void)kill(getpid(), SIGKILL);
}
