/* One check, looked at once. */
#ifndef SERVICES_VALIDATOR_ANSWER_H
#define SERVICES_VALIDATOR_ANSWER_H

#include "common/drivers/driver.h"

/* What the check is part of. Borrowed. */
struct answer_context {
    const struct driver_env *env;
    const Pb__Command *command;
    const Pb__RunChecks *checks;
};

/* A finding in env->arena, whatever kind of check it is. Never PASS without having looked: a
 * check nobody here knows is ERROR. */
Pb__Finding *check_answer(const struct answer_context *context, const Pb__CheckSpec *check);

/* The same for a check of kind "builtin". */
Pb__Finding *builtin_answer(const struct answer_context *context, const Pb__CheckSpec *check);

#endif
