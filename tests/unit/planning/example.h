/* The files of deploy/example as structs, for tests that change one thing and look. */
#ifndef TESTS_UNIT_PLANNING_EXAMPLE_H
#define TESTS_UNIT_PLANNING_EXAMPLE_H

#include "common/planning/compile.h"

struct example {
    struct arena arena;
    struct yaml_problems problems;
    const struct settings *settings;
    Pb__AcceptanceSignedOff *acceptance; /* Every `digest: auto` is sha256:11...1. */
};

/* cmocka set-up and tear-down; state is a struct example. */
int example_setup(void **state);
int example_teardown(void **state);

/* The text of feature.yaml with one thing changed, its digests written out. */
const char *example_feature(struct arena *arena, const char *was, const char *now);

/* Read slipway.yaml with one thing changed into the example; fails the test if it is wrong. */
void example_settings(struct example *example, const char *was, const char *now);

/* The plan, or what is missing. */
Pb__PlanCompiled *example_compile(struct example *example);

/* The remedy of the first thing missing under that input; "" if nothing is. */
const char *example_remedy(const Pb__PlanCompiled *compiled, const char *input);

#endif
