/* From an acceptance and the operator's settings to a plan: pure, so that the same inputs give
 * the same bytes and therefore the same hash. */
#ifndef COMMON_PLANNING_COMPILE_H
#define COMMON_PLANNING_COMPILE_H

#include "common/config/settings.h"
#include "common/wire/pb.h"
#include "common/wire/revision.h"

enum {
    PLAN_SIZE_MAX = 160 * 1024, /* Packed: with its state and effects it still fits a record. */
};

/* A plan, or what is missing. supplied: inputs that people handed in later. */
struct plan_request {
    const struct settings *settings;
    const Pb__AcceptanceSignedOff *acceptance;
    Pb__SupplyInput *const *supplied;
    size_t supplied_count;
    const char *approach; /* Of a replan; "" keeps the acceptance's. */
};

/* ret->plan and ret->plan_hash, or ret->missing (each with its remedy of steps.md, or the
 * sentence that says which check has no probe, which target is not configured). ret is a new
 * PlanCompiled with for_version, holds and window_open left to the caller. */
Pb__PlanCompiled *plan_compile(struct arena *arena, const struct plan_request *request);

/* SHA-256 over the packed plan. */
const char *plan_hash(struct arena *arena, const Pb__Plan *plan);

/* One difference between two plans. */
struct plan_difference {
    char op;          /* '+', '~', '-' */
    const char *path; /* "changes[2].version" */
    const char *was;
    const char *now;
};
size_t plan_diff(struct arena *arena,
                 const Pb__Plan *was,
                 const Pb__Plan *now,
                 struct plan_difference **ret);

/* The plan as a document for people: everything section 4 of the procedure asks for. */
struct text;
void plan_markdown(const Pb__Plan *plan, const char *hash, struct text *out);

/* True while one of the plan's windows is open at that moment, or it has none. next_change_ms:
 * when that will change; 0 if never. */
bool plan_window_open(const Pb__Plan *plan, int64_t at_ms, int64_t *ret_next_change_ms);

#endif
