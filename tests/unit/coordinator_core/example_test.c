/* The plan that the compiler makes of deploy/example, played on the core. */
#include "tests/unit/coordinator_core/play.h"
#include "tests/unit/planning/example.h"

#include <stdlib.h>

struct both {
    struct example *example;
    struct play play;
};

static int open_both(void **state)
{
    struct both *const both = calloc(1, sizeof *both);
    void *example = NULL;
    Pb__PlanCompiled *compiled;

    if (both == NULL || example_setup(&example) != 0)
        return -1;
    both->example = example;
    play_open(&both->play);
    compiled = example_compile(both->example);
    if (compiled->plan == NULL)
        return -1;
    both->play.plan = compiled->plan;
    *state = both;
    return 0;
}

static int close_both(void **state)
{
    struct both *const both = *state;
    void *example = both->example;
    const int answer = example_teardown(&example);

    play_close(&both->play);
    free(both);
    return answer;
}

static void the_plan_of_the_example_is_completed(void **state)
{
    struct both *const both = *state;
    struct play *const play = &both->play;

    play_until(play, PB__PHASE__COMPLETED, 7);
    assert_int_equal(play->state->flags->percent, 100);
    assert_true(protobuf_c_message_get_packed_size(&play->state->base) < PB_STATE_MAX / 2);
    for (size_t i = 0; i < play->state->n_steps; i++)
        assert_string_equal(play->state->steps[i]->decision, "GO");
}

/* Each check of the plan that a worker answers, left out or failed in turn, keeps its step from
 * being Go. */
static void no_check_of_the_plan_may_be_missing(void **state)
{
    struct both *const both = *state;
    struct play *const play = &both->play;
    size_t left_out = 0;

    for (uint32_t step = 1; step <= 7; step++) {
        for (size_t i = 0; i < play->plan->steps[step - 1]->n_checks; i++) {
            const Pb__CheckSpec *const spec = play->plan->steps[step - 1]->checks[i];

            if (step == 4 || spec->not_applicable[0] != '\0' ||
                strcmp(spec->kind, "attest") == 0 || strncmp(spec->id, "signoff.", 8) == 0 ||
                strcmp(spec->id, "monitoring.active") == 0)
                continue;
            play->state = NULL;
            play->silent = spec->id;
            play->silent_step = step;
            play_quiet(play);
            while (play_well(play) && play->state->phase != PB__PHASE__BLOCKED)
                ;
            if (play->state->phase != PB__PHASE__BLOCKED || play->state->step != step)
                fail_msg("without %s:\n%s", spec->id, play->story.bytes);
            left_out++;
        }
    }
    assert_true(left_out > 50);
}

#define BOTH(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_plan_of_the_example_is_completed),
        BOTH(no_check_of_the_plan_may_be_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
