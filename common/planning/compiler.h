/* What the parts of the compiler share. Private to common/planning. */
#ifndef COMMON_PLANNING_COMPILER_H
#define COMMON_PLANNING_COMPILER_H

#include "common/planning/catalogue.h"
#include "common/planning/compile.h"

enum { STEPS = 7, MISSING_MAX = 40 };

/* One run. */
struct compiler {
    struct arena *arena;
    const struct settings *settings;
    const Pb__AcceptanceSignedOff *acceptance; /* With what was supplied. */
    const struct setting_environment *environment;
    const struct setting_policy *policy;
    const char *approach;
    Pb__Plan *plan;             /* Under construction. */
    Pb__PlanCompiled *compiled; /* Collects what is missing. */
};

/* Note what is missing or wrong; remedy as printf. */
void plan_missing(struct compiler *compiler,
                  const char *input,
                  const char *field,
                  const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

/* "<word>; did you mean <nearest>?" or "": nearest may be NULL. */
const char *did_you_mean(struct arena *arena, const char *nearest);

/* compile_inputs.c: acceptance with every supplied input merged in; what is still missing. */
Pb__AcceptanceSignedOff *merge_supplied(struct arena *arena,
                                        const struct plan_request *request);
void check_inputs(struct compiler *compiler);

/* compile_changes.c: changes in the order of the procedure, cut into batches. */
void plan_changes(struct compiler *compiler);
bool kind_is_code(Pb__ArtifactKind kind);
bool plan_brings(const struct compiler *compiler, unsigned kinds);
/* "backend" for people and files. */
const char *kind_name(Pb__ArtifactKind kind);

/* compile_bindings.c: who answers a check. */
struct bindings {
    const Pb__CheckBinding **item;
    size_t count;
};
void check_bindings(struct compiler *compiler);
struct bindings bindings_of(struct compiler *compiler, const char *check);
const struct setting_target *binding_target(const struct compiler *compiler,
                                            const Pb__CheckBinding *binding);

/* compile_checks.c: single checks of a plan. */
Pb__CheckSpec *check_new(struct compiler *compiler,
                         const struct check_row *row,
                         const char *id);
Pb__CheckSpec *check_bound(struct compiler *compiler,
                           const struct check_row *row,
                           const Pb__CheckBinding *binding);
Pb__CheckSpec *check_metric(struct compiler *compiler,
                            const struct check_row *row,
                            const char *id,
                            const Pb__MetricCriterion *criterion);
Pb__CheckSpec *check_not_applicable(struct compiler *compiler,
                                    const struct check_row *row,
                                    const char *reason);
void check_param(struct compiler *compiler,
                 Pb__CheckSpec *spec,
                 const char *key,
                 const char *value);
void fill_builtin(struct compiler *compiler, const struct check_row *row, Pb__CheckSpec *spec);

/* Checks under construction. */
struct checks {
    Pb__CheckSpec **item;
    size_t count;
};
void checks_add(struct compiler *compiler, struct checks *checks, Pb__CheckSpec *spec);

/* The bindings of a row as checks, each with an id of its own; complains if there is none. */
void plan_bound(struct compiler *compiler, const struct check_row *row, struct checks *checks);

/* compile_metrics.c */
struct checks plan_bake(struct compiler *compiler, const Pb__Change *change);
void plan_watched(struct compiler *compiler,
                  const struct check_row *row,
                  struct checks *checks);
/* What is said of a check that metrics answer, when none does: the reason of policy or feature
 * why it does not apply, or that a metric is missing. */
void plan_unmeasured(struct compiler *compiler,
                     const struct check_row *row,
                     struct checks *checks);
/* Criteria of policy and feature that answer exactly that check, as checks. */
size_t plan_measured(struct compiler *compiler,
                     const struct check_row *row,
                     struct checks *checks);
void plan_stage_metrics(struct compiler *compiler,
                        const Pb__RolloutStage *stage,
                        const char *check,
                        struct checks *checks);
bool criterion_is_general(const Pb__MetricCriterion *criterion);
void check_metrics(struct compiler *compiler);

/* compile_health.c: health of each batch; version and configuration afterwards. */
struct checks plan_health(struct compiler *compiler, const Pb__Change *change);
/* health.endpoint_status: the status, and a rule for the body. */
void plan_endpoints(struct compiler *compiler,
                    const struct check_row *row,
                    struct checks *checks);
/* env.ready: every target that gets code is looked at. */
void plan_ready(struct compiler *compiler, const struct check_row *row, struct checks *checks);
void plan_verify_version(struct compiler *compiler,
                         const struct check_row *row,
                         struct checks *checks);
void plan_verify_configuration(struct compiler *compiler,
                               const struct check_row *row,
                               struct checks *checks);

/* compile_stages.c, compile_steps.c, compile_words.c */
void plan_stages(struct compiler *compiler);
void plan_steps(struct compiler *compiler);
void plan_words(struct compiler *compiler);

#endif
