/* Metric criteria of policy and feature, as checks of a bake, a stage or the watch. */
#include "common/planning/compiler.h"

#include <string.h>

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Watched while baking, rolling out and monitoring; others answer one check alone. */
bool criterion_is_general(const Pb__MetricCriterion *criterion)
{
    return !criterion->samples &&
           (*criterion->check == '\0' || starts(criterion->check, "stage."));
}

static const struct check_row *row_of(const char *id, unsigned step)
{
    return catalogue_find(id, step);
}

/* The checks that look at logs, the one after a batch first. */
static const char *const of_logs[] = { "logs.errors", "watch.logs", "monitoring.logs" };

/* Logs after a batch: the probe of logs.errors, else what looks at logs later on. */
static const Pb__CheckBinding *logs_probe(struct compiler *compiler)
{
    for (size_t i = 0; i < sizeof of_logs / sizeof of_logs[0]; i++) {
        const struct bindings bindings = bindings_of(compiler, of_logs[i]);

        for (size_t k = 0; k < bindings.count; k++)
            if (*bindings.item[k]->probe != '\0')
                return bindings.item[k];
    }
    return NULL;
}

/* Why nobody looks at logs after a batch, as policy or feature say it of any check of logs;
 * NULL if neither does. */
static const char *logs_reason(struct compiler *compiler)
{
    for (size_t i = 0; i < sizeof of_logs / sizeof of_logs[0]; i++) {
        const struct bindings bindings = bindings_of(compiler, of_logs[i]);

        if (bindings.count > 0 && *bindings.item[0]->not_applicable != '\0')
            return bindings.item[0]->not_applicable;
    }
    return NULL;
}

static Pb__CheckSpec *logs_check(struct compiler *compiler)
{
    const struct check_row *const row = row_of("logs.errors", 2);
    const struct bindings own = bindings_of(compiler, row->id);
    const bool ruled_out = own.count > 0 && *own.item[0]->not_applicable != '\0';
    const Pb__CheckBinding *const probe = ruled_out ? NULL : logs_probe(compiler);
    const char *const reason = logs_reason(compiler);

    if (probe != NULL)
        return check_bound(compiler, row, probe);
    if (reason == NULL)
        plan_missing(compiler,
                     "check",
                     "checks",
                     "check %s has no probe: bind one, or say why it does not apply",
                     row->id);
    return check_not_applicable(compiler, row, reason != NULL ? reason : "");
}

struct checks plan_bake(struct compiler *compiler, const Pb__Change *change)
{
    const struct check_row *const row = row_of("bake", 2);
    struct checks checks = { NULL, 0 };

    (void)change;
    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const Pb__MetricCriterion *const criterion = compiler->plan->metrics[i];

        if (criterion_is_general(criterion) || starts(criterion->check, "bake"))
            checks_add(compiler,
                       &checks,
                       check_metric(compiler,
                                    row,
                                    arena_printf(compiler->arena, "bake.%s", criterion->name),
                                    criterion));
    }
    checks_add(compiler, &checks, logs_check(compiler));
    return checks;
}

void plan_unmeasured(struct compiler *compiler,
                     const struct check_row *row,
                     struct checks *checks)
{
    const struct bindings bindings = bindings_of(compiler, row->id);
    const char *const reason = bindings.count > 0 ? bindings.item[0]->not_applicable : "";

    if (*reason == '\0')
        plan_missing(compiler,
                     "metrics",
                     "metrics",
                     "no metric answers %s: give one, or say why it does not apply",
                     row->id);
    checks_add(compiler, checks, check_not_applicable(compiler, row, reason));
}

void plan_watched(struct compiler *compiler, const struct check_row *row, struct checks *checks)
{
    const size_t before = checks->count;

    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const Pb__MetricCriterion *const criterion = compiler->plan->metrics[i];

        if (criterion_is_general(criterion) || starts(criterion->check, "watch.metrics"))
            checks_add(
                compiler,
                checks,
                check_metric(compiler,
                             row,
                             arena_printf(compiler->arena, "%s.%s", row->id, criterion->name),
                             criterion));
    }
    if (checks->count == before)
        plan_unmeasured(compiler, row, checks);
}

size_t plan_measured(struct compiler *compiler,
                     const struct check_row *row,
                     struct checks *checks)
{
    size_t count = 0;

    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const Pb__MetricCriterion *const criterion = compiler->plan->metrics[i];

        if (strcmp(criterion->check, row->id) != 0)
            continue;
        checks_add(
            compiler,
            checks,
            check_metric(compiler,
                         row,
                         arena_printf(compiler->arena, "%s.%s", row->id, criterion->name),
                         criterion));
        count++;
    }
    return count;
}

/* Which check of a stage the criterion answers. */
static const char *stage_check(const Pb__MetricCriterion *criterion)
{
    if (criterion->samples)
        return "stage.min_samples";
    return starts(criterion->check, "stage.") ? criterion->check : "stage.metrics";
}

static void add_if_answers(struct compiler *compiler,
                           const Pb__MetricCriterion *criterion,
                           const char *check,
                           struct checks *checks)
{
    const struct check_row *const row = row_of(check, 4);

    if (strcmp(stage_check(criterion), check) == 0)
        checks_add(compiler, checks, check_metric(compiler, row, check, criterion));
}

void plan_stage_metrics(struct compiler *compiler,
                        const Pb__RolloutStage *stage,
                        const char *check,
                        struct checks *checks)
{
    const size_t before = checks->count;

    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const Pb__MetricCriterion *const criterion = compiler->plan->metrics[i];

        if (criterion_is_general(criterion) || criterion->samples)
            add_if_answers(compiler, criterion, check, checks);
    }
    for (size_t i = 0; i < stage->n_criteria; i++)
        add_if_answers(compiler, stage->criteria[i], check, checks);
    if (checks->count - before < 2)
        return;
    for (size_t i = before; i < checks->count; i++)
        checks->item[i]->id =
            arena_printf(compiler->arena, "%s.%s", check, checks->item[i]->metric->name);
}

static void check_criterion(struct compiler *compiler,
                            const Pb__MetricCriterion *criterion,
                            const char *field)
{
    const struct check_row *const row =
        *criterion->check != '\0' ? catalogue_find(criterion->check, 0) : NULL;

    if (settings_metric_source(compiler->settings, criterion->source) == NULL)
        plan_missing(compiler,
                     "monitoring_system",
                     field,
                     "metric %s: source %s is not configured",
                     criterion->name,
                     criterion->source);
    if (*criterion->check != '\0' && row == NULL)
        plan_missing(compiler,
                     "check",
                     field,
                     "metric %s answers %s, but there is no such check%s",
                     criterion->name,
                     criterion->check,
                     did_you_mean(compiler->arena, catalogue_nearest(criterion->check)));
}

/* A feature adds metrics; it does not redefine those of the policy. */
void check_metrics(struct compiler *compiler)
{
    const Pb__Plan *const plan = compiler->plan;
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    const size_t of_policy = compiler->policy->metric_count;

    for (size_t i = 0; i < plan->n_metrics; i++) {
        const char *const field =
            i < of_policy ? "" : arena_printf(compiler->arena, "metrics[%zu]", i - of_policy);

        check_criterion(compiler, plan->metrics[i], field);
        for (size_t k = 0; k < i; k++)
            if (pb_same(plan->metrics[k]->name, plan->metrics[i]->name))
                plan_missing(compiler,
                             "metrics",
                             field,
                             "there is a metric %s already: name it differently",
                             plan->metrics[i]->name);
    }
    for (size_t s = 0; s < acceptance->n_rollout; s++)
        for (size_t i = 0; i < acceptance->rollout[s]->n_criteria; i++)
            check_criterion(compiler,
                            acceptance->rollout[s]->criteria[i],
                            arena_printf(compiler->arena, "rollout[%zu].criteria[%zu]", s, i));
}
