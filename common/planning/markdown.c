/* The plan as a document: what section 4 of the procedure asks for, for people who approve it.
 */
#include "common/base/text.h"
#include "common/planning/compiler.h"
#include "common/planning/markdown_parts.h"

#include <inttypes.h>
#include <string.h>

enum { STAGE_TABLE_MAX = 64 * 1024 };

static const char *const step_names[STEPS + 1] = {
    "Plan and review",
    "Pre-deployment checks",
    "Execute deployment",
    "Validate deployment",
    "Activate feature flags",
    "Post-deployment validation",
    "Monitor",
    "Finalise",
};

void plan_add_plain(struct text *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (strchr("|\\`*_<>[]#", *value) != NULL)
            text_add_char(out, '\\');
        text_add_char(out, *value == '\n' || *value == '\t' ? ' ' : *value);
    }
}

void plan_add_duration(struct text *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {
        { 24 * 3600 * 1000, "d" }, { 3600 * 1000, "h" }, { 60 * 1000, "min" }, { 1000, "s" }
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ms >= units[i].ms && ms % units[i].ms == 0) {
            text_add(out, "%" PRId64 " %s", ms / units[i].ms, units[i].unit);
            return;
        }
    text_add(out, "%" PRId64 " ms", ms);
}

static void add_micro(struct text *out, int64_t micro)
{
    const uint64_t size = micro < 0 ? (uint64_t)-micro : (uint64_t)micro;
    uint64_t fraction = size % 1000000;
    int digits = 6;

    text_add(out, "%s%" PRIu64, micro < 0 ? "-" : "", size / 1000000);
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    text_add(out, ".%0*" PRIu64, digits, fraction);
}

static void add_list(struct text *out,
                     const char *heading,
                     const char *const *items,
                     size_t count)
{
    text_add(out, "\n## %s\n\n", heading);
    if (count == 0)
        text_add(out, "None named.\n");
    for (size_t i = 0; i < count; i++) {
        text_add(out, "- ");
        plan_add_plain(out, items[i]);
        text_add_char(out, '\n');
    }
}

static void add_heading(const Pb__Plan *plan, const char *hash, struct text *out)
{
    text_add(out, "# Feature deployment plan: ");
    plan_add_plain(out, *plan->title != '\0' ? plan->title : plan->feature);
    text_add(
        out, "\n\n| | |\n|---|---|\n| plan | %.*s (sha256:%s) |\n", HASH_SHOWN, hash, hash);
    text_add(out,
             "| feature | %s |\n| environment | %s |\n| services |",
             plan->feature,
             plan->environment);
    for (size_t i = 0; i < plan->n_services; i++)
        text_add(out, "%s %s", i > 0 ? "," : "", plan->services[i]);
    text_add(out,
             " |\n| policy | %s, configuration %.*s, procedure revision %u |\n",
             plan->policy,
             HASH_SHOWN,
             plan->config_hash,
             plan->revision);
    text_add(out, "| approach | %s |\n| ticket | ", plan->approach);
    plan_add_plain(out, plan->ticket);
    text_add(out, " |\n| team | ");
    plan_add_plain(out, plan->team);
    text_add(out, " |\n");
}

static void add_batches(const Pb__Change *change, struct text *out)
{
    for (size_t i = 0; i < change->n_batches; i++) {
        const Pb__Batch *const batch = change->batches[i];

        if (batch->kind == PB__BATCH_KIND__SHIFT)
            text_add(out, " then traffic to it");
        else if (*batch->side != '\0')
            text_add(out, "the idle side of %zu", batch->n_instances);
        else
            text_add(out, "%s%zu", i > 0 ? "+" : "", batch->n_instances);
    }
}

static const char *rollback_word(Pb__OnRollback on_rollback)
{
    switch (on_rollback) {
    case PB__ON_ROLLBACK__KEEP: return "kept";
    case PB__ON_ROLLBACK__MANUAL: return "**point of no return**";
    default: return "reverted";
    }
}

static void add_changes(const Pb__Plan *plan, struct text *out)
{
    text_add(
        out,
        "\n## Changes, in order\n\n"
        "| | kind | artifact | target | batches | on rollback |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        text_add(out, "| %zu | %s | ", i + 1, kind_name(change->kind));
        plan_add_plain(out, change->artifact);
        text_add_char(out, ' ');
        plan_add_plain(out, change->version);
        text_add(out,
                 " (sha256:%.*s) | %s by %s | ",
                 HASH_SHOWN,
                 change->digest->value,
                 change->target,
                 change->deployer);
        add_batches(change, out);
        text_add(out, " | %s |\n", rollback_word(change->on_rollback));
    }
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        if (*change->note != '\0') {
            text_add(out, "\nChange %zu: ", i + 1);
            plan_add_plain(out, change->note);
            text_add_char(out, '\n');
        }
        if (*change->way_back != '\0') {
            text_add(out, "\nWay back of change %zu: ", i + 1);
            plan_add_plain(out, change->way_back);
            text_add_char(out, '\n');
        }
    }
}

static void add_stages(const Pb__Plan *plan, struct text *out)
{
    text_add(out, "\n## Rollout\n\n");
    if (plan->n_stages == 0) {
        text_add(out, "No flag, no stages.\n");
        return;
    }
    text_add(out, "Flags:");
    for (size_t i = 0; i < plan->n_flags; i++)
        text_add(out, "%s %s", i > 0 ? "," : "", plan->flags[i]->key);
    text_add(out,
             "\n\n| | stage | users | audience | at least | at most | samples | gate |\n"
             "|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < plan->n_stages; i++) {
        const Pb__Stage *const stage = plan->stages[i];

        text_add(out, "| %zu | ", i + 1);
        plan_add_plain(out, stage->name);
        text_add(out, " | %u %% | ", stage->percent);
        plan_add_plain(out, *stage->audience != '\0' ? stage->audience : "everyone");
        text_add(out, " | ");
        plan_add_duration(out, stage->min_ms);
        text_add(out, " | ");
        plan_add_duration(out, stage->max_ms);
        text_add(out,
                 " | %" PRIu64 " | %s |\n",
                 stage->min_samples,
                 *stage->gate_role != '\0' ? stage->gate_role : "-");
    }
}

static void add_answer(const Pb__CheckSpec *check, struct text *out)
{
    if (*check->not_applicable != '\0') {
        text_add(out, "not applicable: ");
        plan_add_plain(out, check->not_applicable);
    } else if (check->metric != NULL) {
        text_add(out,
                 "metric %s %s ",
                 check->metric->name,
                 check->metric->comparison == PB__COMPARISON__AT_MOST ? "<=" : ">=");
        add_micro(out, check->metric->limit_micro);
        text_add_char(out, ' ');
        plan_add_plain(out, check->metric->unit);
        text_add(out, " from %s", check->metric->source);
        text_add(out, check->metric->critical ? ", critical" : "");
    } else if (*check->probe != '\0') {
        text_add(out, "probe %s", check->probe);
    } else if (*check->role != '\0') {
        text_add(out, "a %s attests it", check->role);
    } else {
        text_add(out, "built in");
    }
    if (!check->required)
        text_add(out, " (not required)");
    if (check->warn_ok)
        text_add(out, " (a warning is fine)");
}

static void add_checks(Pb__CheckSpec *const *checks,
                       size_t count,
                       unsigned step,
                       struct text *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct check_row *const row = catalogue_find(checks[i]->id, step);

        text_add(out, "| %s | %s | ", checks[i]->id, row != NULL ? row->asks : "");
        add_answer(checks[i], out);
        text_add(out, " |\n");
    }
}

/* Stages that ask the same are told together. */
static void add_stage_checks(const Pb__Plan *plan, struct text *out)
{
    struct text table = text_new(STAGE_TABLE_MAX);
    struct text next = text_new(STAGE_TABLE_MAX);
    size_t first = 0;

    for (size_t i = 0; i < plan->n_stages; i++) {
        const Pb__Stage *const after = i + 1 < plan->n_stages ? plan->stages[i + 1] : NULL;

        text_reset(&table);
        text_reset(&next);
        add_checks(plan->stages[i]->checks, plan->stages[i]->n_checks, 4, &table);
        if (after != NULL)
            add_checks(after->checks, after->n_checks, 4, &next);
        if (strcmp(table.bytes, next.bytes) == 0)
            continue;
        text_add(out, "\nIn stage%s %zu", first < i ? "s" : "", first + 1);
        if (first < i)
            text_add(out, " to %zu", i + 1);
        text_add(out, ":\n\n| check | asks | answered by |\n|---|---|---|\n%s", table.bytes);
        first = i + 1;
    }
    text_release(&table);
    text_release(&next);
}

static void add_step(const Pb__Plan *plan, const Pb__StepPlan *step, struct text *out)
{
    text_add(out, "\n### Step %u: %s\n\nAll work within ", step->step, step_names[step->step]);
    plan_add_duration(out, step->deadline_ms);
    text_add(out, ", one task within ");
    plan_add_duration(out, step->task_deadline_ms);
    text_add(out,
             "; a failed task is driven %u times; a No-Go %s",
             step->retry->drives,
             step->on_no_go == PB__ON_NO_GO__STOP ? "stops and rolls back" : "blocks");
    text_add(out, ", where it may rest ");
    plan_add_duration(out, step->blocked_deadline_ms);
    if (step->max_age_ms > 0) {
        text_add(out, "; its Go is good for ");
        plan_add_duration(out, step->max_age_ms);
    }
    text_add(out, ".\n\n| check | asks | answered by |\n|---|---|---|\n");
    add_checks(step->checks, step->n_checks, step->step, out);
    for (size_t i = 0; step->step == 2 && i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        if (change->n_health + change->n_bake == 0)
            continue;
        text_add(out, "\nAfter each batch of change %zu", i + 1);
        if (change->bake_ms > 0) {
            text_add(out, ", and watched for ");
            plan_add_duration(out, change->bake_ms);
        }
        text_add(out, ":\n\n| check | asks | answered by |\n|---|---|---|\n");
        add_checks(change->health, change->n_health, 3, out);
        add_checks(change->bake, change->n_bake, 2, out);
    }
    if (step->step == 4)
        add_stage_checks(plan, out);
}

static void add_steps(const Pb__Plan *plan, struct text *out)
{
    text_add(out, "\n## Steps to be executed\n");
    if (plan->n_input_checks > 0) {
        text_add(out,
                 "\n### Before the review\n\n| check | asks | answered by |\n|---|---|---|\n");
        add_checks(plan->input_checks, plan->n_input_checks, 0, out);
    }
    for (size_t i = 0; i < plan->n_steps; i++)
        add_step(plan, plan->steps[i], out);
}

void plan_markdown(const Pb__Plan *plan, const char *hash, struct text *out)
{
    add_heading(plan, hash, out);
    add_changes(plan, out);
    add_stages(plan, out);
    add_list(out, "Risks", plan->risks, plan->n_risks);
    add_list(out, "Unknowns", plan->unknowns, plan->n_unknowns);
    add_list(
        out, "Procedures to be invoked", plan->invoked_procedures, plan->n_invoked_procedures);
    add_list(out, "Dependencies between steps", plan->dependencies, plan->n_dependencies);
    add_list(out, "Validation points", plan->validation_points, plan->n_validation_points);
    plan_add_rules(plan, out);
    add_steps(plan, out);
    plan_add_inputs(plan, out);
}
