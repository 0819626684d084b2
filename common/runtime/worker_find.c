#include "common/runtime/worker.h"

#include <stdarg.h>
#include <stdio.h>

enum { OBSERVED_MAX = 4096 };

Pb__Finding *worker_find(struct worker_task *task,
                         const Pb__CheckSpec *check,
                         Pb__Verdict verdict,
                         const char *observed,
                         ...)
{
    Pb__Finding *const finding = pb_new(task->arena, &pb__finding__descriptor);
    char text[OBSERVED_MAX];
    va_list args;

    va_start(args, observed);
    (void)vsnprintf(text, sizeof text, observed, args);
    va_end(args);
    finding->check = arena_text(task->arena, check->id);
    finding->kind = arena_text(task->arena, check->kind);
    finding->required = check->required;
    finding->remedy = arena_text(task->arena, check->remedy);
    finding->verdict = verdict;
    finding->observed = arena_text(task->arena, text);
    PB_APPEND(task->arena, task->result, findings, finding);
    return finding;
}
