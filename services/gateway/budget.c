#include "services/gateway/budget.h"

#include <stdlib.h>

/* A request costs so much, and a millisecond brings as much as requests are allowed a minute.
 */
enum { COST = 60000, SECOND = 1000 };

struct bucket {
    int64_t level;
    int64_t filled_ms;
};

struct budget {
    const Pb__Actor *actor; /* NULL: free. */
    struct bucket everyday;
    struct bucket stops;
};

struct budgets {
    uint32_t per_minute;
    struct budget item[BUDGET_ACTORS_MAX];
};

struct budgets *budgets_new(uint32_t per_minute)
{
    struct budgets *const budgets = calloc(1, sizeof *budgets);

    if (budgets == NULL)
        abort();
    budgets->per_minute = per_minute;
    return budgets;
}

void budgets_free(struct budgets *budgets)
{
    free(budgets);
}

/* The token file holds no more tokens than there are places; NULL only for one beyond. */
static struct budget *budget_of(struct budgets *budgets, const Pb__Actor *actor, int64_t now_ms)
{
    size_t i = 0;

    while (i < BUDGET_ACTORS_MAX && budgets->item[i].actor != actor &&
           budgets->item[i].actor != NULL)
        i++;
    if (i == BUDGET_ACTORS_MAX)
        return NULL;
    if (budgets->item[i].actor == NULL)
        budgets->item[i] = (struct budget){
            .actor = actor,
            .everyday = { (int64_t)budgets->per_minute * COST, now_ms },
            .stops = { (int64_t)BUDGET_STOPS_PER_MINUTE * COST, now_ms },
        };
    return &budgets->item[i];
}

static bool bucket_take(struct bucket *bucket, int64_t rate, int64_t now_ms, int *ret_wait_s)
{
    const int64_t most = rate * COST;
    const int64_t missing = most - bucket->level;
    const int64_t passed_ms = now_ms > bucket->filled_ms ? now_ms - bucket->filled_ms : 0;

    /* Without multiplying a pause of any length. */
    bucket->level = passed_ms >= missing / rate + 1 ? most : bucket->level + passed_ms * rate;
    bucket->filled_ms = now_ms;
    if (bucket->level >= COST) {
        bucket->level -= COST;
        return true;
    }
    *ret_wait_s = (int)((COST - bucket->level) / rate / SECOND) + 1;
    return false;
}

bool budget_take(
    struct budgets *budgets, const Pb__Actor *actor, bool stop, int64_t now_ms, int *ret_wait_s)
{
    struct budget *const budget = budget_of(budgets, actor, now_ms);

    if (budget == NULL || (!stop && budgets->per_minute == 0))
        return true;
    return stop ? bucket_take(&budget->stops, BUDGET_STOPS_PER_MINUTE, now_ms, ret_wait_s)
                : bucket_take(&budget->everyday, budgets->per_minute, now_ms, ret_wait_s);
}
