#include "services/prechecks/tally.h"

#include <stdarg.h>
#include <stdio.h>

enum { PROBLEMS_MAX = 2048, PROBLEM_MAX = 400 };

struct tally tally_begin(void)
{
    return (struct tally){
        .worst = PB__VERDICT__PASS,
        .problems = text_new(PROBLEMS_MAX),
    };
}

/* The higher, the worse: what was seen to be wrong before what could not be seen. */
static int badness(Pb__Verdict verdict)
{
    switch (verdict) {
    case PB__VERDICT__PASS: return 0;
    case PB__VERDICT__WARN: return 1;
    case PB__VERDICT__NO_DATA: return 2;
    case PB__VERDICT__INCONCLUSIVE: return 3;
    case PB__VERDICT__ERROR: return 4;
    default: return 5;
    }
}

void tally_add(struct tally *tally, Pb__Verdict verdict, const char *format, ...)
{
    char problem[PROBLEM_MAX];
    va_list arguments;

    tally->count++;
    if (verdict == PB__VERDICT__PASS)
        return;
    if (badness(verdict) > badness(tally->worst))
        tally->worst = verdict;
    va_start(arguments, format);
    (void)vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    text_add(&tally->problems, "%s%s", tally->problems.length > 0 ? "; " : "", problem);
}

void tally_end(struct tally *tally,
               struct arena *arena,
               Pb__Finding *ret,
               const char *well,
               const char *nothing)
{
    ret->verdict = tally->count > 0 ? tally->worst : PB__VERDICT__NO_DATA;
    if (tally->count == 0)
        ret->observed = nothing;
    else if (tally->problems.length > 0)
        ret->observed = arena_text(arena, tally->problems.bytes);
    else
        ret->observed = arena_printf(arena, "%zu %s", tally->count, well);
    text_release(&tally->problems);
}
