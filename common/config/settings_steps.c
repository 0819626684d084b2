/* Of a policy: how long each of the seven steps may take, and what becomes of a No-Go. */
#include "common/config/settings_read.h"

#include <string.h>

#define MINUTES(n) ((int64_t)(n)*60 * 1000)
#define HOURS(n)   (60 * MINUTES(n))

enum { STEPS = 7, DRIVES_MAX = 10 };

struct step_options {
    int64_t deadline_ms;
    int64_t task_ms;
    int64_t max_age_ms;
    int64_t blocked_ms;
};

/* The same for every policy that does not say otherwise. Fallbacks "" keep what is there. */
static const struct step_default {
    struct step_options options;
    Pb__OnNoGo on_no_go;
} defaults[STEPS + 1] = {
    [1] = { { MINUTES(30), MINUTES(5), HOURS(1), HOURS(4) }, PB__ON_NO_GO__BLOCK },
    [2] = { { HOURS(4), MINUTES(15), 0, HOURS(4) }, PB__ON_NO_GO__STOP },
    [3] = { { MINUTES(30), MINUTES(5), 0, HOURS(4) }, PB__ON_NO_GO__STOP },
    [4] = { { HOURS(72), MINUTES(5), 0, HOURS(4) }, PB__ON_NO_GO__STOP },
    [5] = { { HOURS(1), MINUTES(5), 0, HOURS(4) }, PB__ON_NO_GO__BLOCK },
    [6] = { { HOURS(72), MINUTES(5), 0, HOURS(4) }, PB__ON_NO_GO__BLOCK },
    [7] = { { HOURS(4), MINUTES(5), 0, HOURS(24) }, PB__ON_NO_GO__BLOCK },
};

/* clang-format off */
static const struct option step_table[] = {
    DURATION_OPTION(struct step_options, deadline_ms, "deadline", "", "of all the step's work"),
    DURATION_OPTION(struct step_options, task_ms, "task", "", "of one task"),
    DURATION_OPTION(struct step_options, blocked_ms, "blocked", "", "how long BLOCKED may rest"),
    OPTIONS_END,
};
static const struct option first_step_table[] = {
    DURATION_OPTION(struct step_options, max_age_ms, "max_age", "", "step 1: how long its Go is good for"),
    OPTIONS_END,
};
static const struct option retry_table[] = {
    COUNT_OPTION(Pb__Retry, drives, "drives", "3", "attempts of one task after an error or loss"),
    DURATION_OPTION(Pb__Retry, first_ms, "first", "1s", "pause before the second, doubled each time"),
    DURATION_OPTION(Pb__Retry, max_ms, "max", "30s", "longest pause"),
    COUNT_OPTION(Pb__Retry, remeasures, "remeasures", "2", "of an inconclusive answer before BLOCKED"),
    OPTIONS_END,
};
static const struct word no_go_words[] = {
    { "",      PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED },
    { "stop",  PB__ON_NO_GO__STOP },
    { "block", PB__ON_NO_GO__BLOCK },
    { NULL, 0 },
};
/* clang-format on */

static Pb__Retry *read_retry(struct settings_reader *reader, const struct yaml_node *node)
{
    const struct yaml_node *const retry = yaml_get(node, "retry");
    const struct yaml_node *const at = retry != NULL ? retry : node;
    Pb__Retry *const spec = pb_new(reader->arena, &pb__retry__descriptor);

    if (options_read(retry_table, retry, spec, reader->problems) != ERR_OK)
        return spec;
    check_positive(reader, at, "drives", spec->drives);
    check_positive(reader, at, "first", spec->first_ms);
    if (spec->drives > DRIVES_MAX)
        (void)yaml_complain(reader->problems,
                            yaml_find(retry, "drives"),
                            "1 to 10",
                            "%s is too many",
                            at->path);
    if (spec->max_ms < spec->first_ms)
        (void)yaml_complain(reader->problems,
                            at,
                            "no less than first",
                            "%s.max is shorter than the first pause",
                            at->path);
    return spec;
}

/* Steps 2 to 5 can stop or block; the procedure says what the others do. */
static Pb__OnNoGo read_no_go(struct settings_reader *reader,
                             const struct yaml_node *node,
                             uint32_t step)
{
    Pb__OnNoGo on_no_go = PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED;

    if (step >= 2 && step <= 5)
        on_no_go = (Pb__OnNoGo)field_word(node, "on_no_go", no_go_words, reader->problems);
    return on_no_go != PB__ON_NO_GO__ON_NO_GO_UNSPECIFIED ? on_no_go : defaults[step].on_no_go;
}

static Pb__StepPlan *read_step(struct settings_reader *reader,
                               const struct yaml_node *node,
                               uint32_t step)
{
    struct step_options options = defaults[step].options;
    Pb__StepPlan *const plan = pb_new(reader->arena, &pb__step_plan__descriptor);

    (void)options_read(step_table, node, &options, reader->problems);
    if (step == 1)
        (void)options_read(first_step_table, node, &options, reader->problems);
    plan->step = step;
    plan->deadline_ms = options.deadline_ms;
    plan->task_deadline_ms = options.task_ms;
    plan->max_age_ms = options.max_age_ms;
    plan->blocked_deadline_ms = options.blocked_ms;
    plan->on_no_go = read_no_go(reader, node, step);
    if (node == NULL)
        return plan;
    check_positive(reader, node, "deadline", plan->deadline_ms);
    check_positive(reader, node, "task", plan->task_deadline_ms);
    check_positive(reader, node, "blocked", plan->blocked_deadline_ms);
    if (step == 1)
        check_positive(reader, node, "max_age", plan->max_age_ms);
    if (plan->task_deadline_ms > plan->deadline_ms)
        (void)yaml_complain(reader->problems,
                            node,
                            "task no longer than deadline",
                            "%s: one task may take longer than the whole step",
                            node->path);
    return plan;
}

void read_policy_steps(struct settings_reader *reader,
                       const struct yaml_node *node,
                       struct setting_policy *policy)
{
    static const char *const keys[STEPS + 1] = { "", "1", "2", "3", "4", "5", "6", "7" };
    const struct yaml_node *const steps = yaml_get(node, "steps");
    Pb__Retry *const retry = read_retry(reader, node);

    if (steps != NULL && steps->kind != YAML_MAPPING)
        (void)yaml_complain(
            reader->problems, steps, "1: {...} to 7: {...}", "%s is no mapping", steps->path);
    for (uint32_t step = 1; step <= STEPS; step++) {
        policy->steps[step] = read_step(reader, yaml_get(steps, keys[step]), step);
        policy->steps[step]->retry = retry;
    }
    if (policy->steps[6]->deadline_ms < policy->observe_ms)
        (void)yaml_complain(reader->problems,
                            steps != NULL ? steps : node,
                            "longer than observe",
                            "%s.steps.6.deadline is shorter than the period to observe",
                            node->path);
}
