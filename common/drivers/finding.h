/* Findings: beginning one for a check, and folding several answers into one. */
#ifndef COMMON_DRIVERS_FINDING_H
#define COMMON_DRIVERS_FINDING_H

#include "common/base/text.h"
#include "common/drivers/driver.h"

enum { FINDING_OBSERVED_MAX = 1000, FINDING_NAMED_MAX = 8 };

/* A finding without a verdict: check, kind, required, remedy and time are set. */
Pb__Finding *finding_new(const struct driver_env *env,
                         const Pb__CheckSpec *check,
                         const char *kind);

/* Verdict, and printf for what was observed; shortened to FINDING_OBSERVED_MAX and fit for a
 * record whatever others said. */
void finding_says(const struct driver_env *env,
                  Pb__Finding *finding,
                  Pb__Verdict verdict,
                  const char *observed,
                  ...) __attribute__((format(printf, 4, 5)));

/* 0 for PASS, rising with WARN, NO_DATA, INCONCLUSIVE, ERROR, FAIL: a FAIL is certain, so it
 * outweighs whatever else could not be told. What is no verdict counts as ERROR. */
int finding_badness(Pb__Verdict verdict);

/* Answers of several instances, metrics, flags, as they come in. Zeroed but for env. */
struct finding_fold {
    const struct driver_env *env;
    const char *what;   /* "instances", for the sentence. */
    Pb__Finding *worst; /* NULL until the first. */
    const char *differ; /* "shop-3: HTTP status 500; shop-4: no answer" */
    size_t named;
    size_t well;
    size_t asked;
};

/* name: whose answer it is. The finding may be changed. */
void finding_fold_add(struct finding_fold *fold, const char *name, Pb__Finding *answer);

/* The worst answer, its observed naming those that differ; NULL when nobody was asked. */
Pb__Finding *finding_fold_end(const struct finding_fold *fold);

/* Put a finding into a repeated field: one for each check, the worse of two. */
void finding_put(struct arena *arena, Pb__TaskFinished *result, Pb__Finding *finding);

#endif
