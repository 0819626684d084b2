/* Everything that is wrong with a feature.yaml, said before it is submitted: the same for the
 * command line and the gateway. */
#ifndef COMMON_PLANNING_LINT_H
#define COMMON_PLANNING_LINT_H

#include "common/config/feature.h"
#include "common/planning/compile.h"

struct lint_request {
    const char *name; /* Of the file, as the user named it. */
    const char *bytes;
    size_t length;
    /* Where `digest: auto` measures what is not below the target's artifact root; NULL: auto is
     * an error. What is not there is a warning: it may be built later. */
    const char *base_folder;
    const struct settings *settings; /* NULL: the rules of every policy only. */
};

struct lint_result {
    Pb__AcceptanceSignedOff *acceptance; /* NULL after an error in the file itself. */
    Pb__PlanCompiled *compiled;          /* NULL without settings or acceptance. */
};

/* Read the file and, with settings, compile its plan. What is wrong or missing is added to
 * problems at its place in the file: errors where submitting would be refused, warnings where
 * the deployment would wait for an input. arena: twice YAML_ARENA_SIZE. */
struct lint_result lint_feature(struct arena *arena,
                                const struct lint_request *request,
                                struct yaml_problems *problems);

/* Checks of slipway.yaml that need the procedure: each policy binds checks that there are, and
 * answers those it has to. */
void lint_settings(const struct settings *settings, struct yaml_problems *problems);

/* "2 errors, 1 warning; reference: man 5 feature.yaml\n", after yaml_print_problems. */
void lint_summary(const struct yaml_problems *problems, const char *page, struct text *out);

#endif
