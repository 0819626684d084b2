/* What the rules of an acceptance share. Private to common/config. */
#ifndef COMMON_CONFIG_ACCEPTANCE_RULES_H
#define COMMON_CONFIG_ACCEPTANCE_RULES_H

#include "common/config/feature.h"

/* One run over one acceptance. */
struct check {
    struct arena *arena;
    acceptance_problem_fn *tell;
    void *self;
};

/* Tell a problem of that field: "<field> <what>", what as printf. */
void tell(const struct check *check,
          const char *field,
          const char *expected,
          const char *format,
          ...) __attribute__((format(printf, 4, 5)));

/* "list[index]rest" */
const char *at(const struct check *check, const char *list, size_t index, const char *rest);

/* False, and told, if there are too many of something to look at each. */
bool check_counts(const struct check *check, const Pb__AcceptanceSignedOff *acceptance);

/* Lengths and characters of every text. Counts have been checked. */
void check_texts(const struct check *check, const Pb__AcceptanceSignedOff *acceptance);

#endif
