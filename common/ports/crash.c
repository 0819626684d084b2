#include "common/ports/crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_BASE = 10, COUNT_MAX = 1000000, NAME_MAX_SIZE = 64 };

struct place {
    const char *name;
    const char *who;
    const char *what;
};

static const struct place places[] = {
    [CRASH_NOWHERE] = { "", "", "" },
#define CRASH(symbol, name, who, what) [CRASH_##symbol] = { name, who, what },
#include "common/ports/crash_places.def"
#undef CRASH
};

enum crash_place crash_place_named(const char *name)
{
    for (int i = CRASH_NOWHERE + 1; i < CRASH_PLACES; i++) {
        if (strcmp(places[i].name, name) == 0)
            return (enum crash_place)i;
    }
    return CRASH_NOWHERE;
}

void crash_places_print(void)
{
    for (int i = CRASH_NOWHERE + 1; i < CRASH_PLACES; i++)
        (void)printf("%s\t%s\t%s\n", places[i].name, places[i].who, places[i].what);
}

static bool count_read(const char *text, struct crash_plan *plan)
{
    char *end = NULL;
    const long count = strtol(text, &end, NUMBER_BASE);

    if (end == text || *end != '\0' || count < 1 || count > COUNT_MAX)
        return false;
    plan->remaining = (unsigned)count;
    return true;
}

static bool in_read(const char *text, struct crash_plan *plan)
{
    if (strcmp(text, "undo") == 0)
        plan->in = CRASH_UNDO;
    else if (strcmp(text, "lane") == 0)
        plan->in = CRASH_LANE;
    else if (text[0] >= '0' && text[0] <= '7' && text[1] == '\0')
        plan->in = CRASH_STEP(text[0] - '0');
    else
        return false;
    return true;
}

/* Cuts what stands behind that sign off; NULL if it is not there. */
static char *cut(char *text, char sign)
{
    char *const found = strchr(text, sign);

    if (found == NULL)
        return NULL;
    *found = '\0';
    return found + 1;
}

bool crash_plan_read(const char *text, struct crash_plan *ret)
{
    struct crash_plan plan = { .remaining = 1 };
    char name[NAME_MAX_SIZE];
    const char *count;
    const char *in;

    if (text == NULL || strlen(text) >= sizeof name)
        return false;
    memcpy(name, text, strlen(text) + 1);
    count = cut(name, ':');
    in = cut(name, '@');
    plan.at = crash_place_named(name);
    if (plan.at == CRASH_NOWHERE || (count != NULL && !count_read(count, &plan)) ||
        (in != NULL && !in_read(in, &plan)))
        return false;
    ret->at = plan.at;
    ret->in = plan.in;
    ret->remaining = plan.remaining;
    ret->die = NULL;
    ret->self = NULL;
    return true;
}

/* Several threads may come to it at once: one of them is the one that dies. */
static bool is_the_time(struct crash_plan *plan)
{
    unsigned left = atomic_load(&plan->remaining);

    while (left > 0 && !atomic_compare_exchange_weak(&plan->remaining, &left, left - 1))
        continue;
    return left == 1;
}

void crash_place_reached(struct crash_plan *plan, enum crash_place place, unsigned in)
{
    if (plan->at != place || (plan->in != 0 && (plan->in & in) == 0) || !is_the_time(plan))
        return;
    if (plan->die != NULL)
        plan->die(plan->self);
    else
        (void)kill(getpid(), SIGKILL);
}
