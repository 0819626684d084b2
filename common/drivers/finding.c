#include "common/drivers/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SAYS_MAX = 4096, BADNESS_OF_ERROR = 4 };

Pb__Finding *finding_new(const struct driver_env *env,
                         const Pb__CheckSpec *check,
                         const char *kind)
{
    Pb__Finding *const finding = pb_new(env->arena, &pb__finding__descriptor);

    finding->check = check->id;
    finding->kind = kind;
    finding->required = check->required;
    finding->remedy = check->remedy;
    finding->at_ms = clock_now_ms(env->clock);
    return finding;
}

void finding_says(const struct driver_env *env,
                  Pb__Finding *finding,
                  Pb__Verdict verdict,
                  const char *observed,
                  ...)
{
    char bytes[SAYS_MAX];
    va_list arguments;

    va_start(arguments, observed);
    (void)vsnprintf(bytes, sizeof bytes, observed, arguments);
    va_end(arguments);
    finding->verdict = verdict;
    finding->observed = driver_excerpt(env->arena, bytes, strlen(bytes), FINDING_OBSERVED_MAX);
}

int finding_badness(Pb__Verdict verdict)
{
    static const Pb__Verdict order[] = {
        PB__VERDICT__PASS,         PB__VERDICT__WARN,  PB__VERDICT__NO_DATA,
        PB__VERDICT__INCONCLUSIVE, PB__VERDICT__ERROR, PB__VERDICT__FAIL,
    };

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == verdict)
            return (int)i;
    }
    return BADNESS_OF_ERROR;
}

void finding_fold_add(struct finding_fold *fold, const char *name, Pb__Finding *answer)
{
    struct arena *const arena = fold->env->arena;

    if (finding_badness(answer->verdict) == BADNESS_OF_ERROR)
        answer->verdict = PB__VERDICT__ERROR;
    fold->asked++;
    if (answer->verdict == PB__VERDICT__PASS)
        fold->well++;
    else if (fold->named++ < FINDING_NAMED_MAX)
        fold->differ = arena_printf(arena,
                                    "%s%s%s: %.120s",
                                    fold->differ != NULL ? fold->differ : "",
                                    fold->differ != NULL ? "; " : "",
                                    name,
                                    answer->observed);
    if (fold->worst == NULL ||
        finding_badness(answer->verdict) > finding_badness(fold->worst->verdict))
        fold->worst = answer;
}

Pb__Finding *finding_fold_end(const struct finding_fold *fold)
{
    Pb__Finding *const worst = fold->worst;

    if (worst == NULL || fold->asked == 1)
        return worst;
    if (fold->well == fold->asked)
        finding_says(fold->env,
                     worst,
                     worst->verdict,
                     "all %zu %s: %s",
                     fold->asked,
                     fold->what,
                     worst->observed);
    else
        finding_says(fold->env,
                     worst,
                     worst->verdict,
                     "%s%s (%zu of %zu are well)",
                     fold->differ,
                     fold->named > FINDING_NAMED_MAX ? "; and more" : "",
                     fold->well,
                     fold->asked);
    return worst;
}

void finding_put(struct arena *arena, Pb__TaskFinished *result, Pb__Finding *finding)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        Pb__Finding **const held = &result->findings[i];

        if (strcmp((*held)->check, finding->check) != 0)
            continue;
        if (finding_badness(finding->verdict) > finding_badness((*held)->verdict))
            *held = finding;
        return;
    }
    PB_APPEND(arena, result, findings, finding);
}
