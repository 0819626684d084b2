#include "tests/unit/coordinator_core/explore/explore.h"

#include <stdlib.h>
#include <time.h>

static void look_at_the_whole(struct search *search)
{
    size_t stuck;

    search->ways.count = search->count;
    search->ways.ends = calloc(search->count, sizeof *search->ways.ends);
    assert_non_null(search->ways.ends);
    for (size_t i = 0; i < search->count; i++) {
        arena_reset(&search->scratch);
        search->ways.ends[i] = procedure_is_terminal(search_state(search, i)->phase);
    }
    stuck = ends_check(&search->ways, &search->way_out);
    if (stuck < search->count)
        search_report(search,
                      stuck,
                      "",
                      "invariant 3: no end without a failure, an abort or a skipped change");
    for (size_t i = 0; i < search->audit_count && search->breach[0] == '\0'; i++)
        audit_compare(search, i);
}

static void explore(const struct scenario *scenario)
{
    static struct search search;
    const clock_t began = clock();

    search_open(&search, scenario);
    for (size_t i = 0; i < search.count && search.breach[0] == '\0'; i++)
        search_expand(&search, i);
    if (search.breach[0] == '\0')
        look_at_the_whole(&search);
    print_message("%-16s %8zu states %9zu events; longest shortest way in %2u, out %2u; "
                  "%4zu audited; %.0f s\n",
                  scenario->name,
                  search.count,
                  search.events,
                  search.depth,
                  search.way_out,
                  search.audits,
                  (double)(clock() - began) / CLOCKS_PER_SEC);
    if (search.breach[0] != '\0')
        fail_msg("%s: %s", scenario->name, search.breach);
    search_close(&search);
}

static void nothing_that_must_not_be_can_be_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < scenario_count; i++) {
        if (key_wanted(scenarios[i].name, scenarios[i].deep))
            explore(&scenarios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_must_not_be_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
