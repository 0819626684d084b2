/* Single checks of a plan, with all that the one who looks needs to know. */
#include "common/planning/compiler.h"

#include <string.h>

Pb__CheckSpec *check_new(struct compiler *compiler, const struct check_row *row, const char *id)
{
    Pb__CheckSpec *const spec = pb_new(compiler->arena, &pb__check_spec__descriptor);

    spec->id = id;
    spec->kind = "builtin";
    spec->required = true;
    spec->waivable = row->waivable;
    spec->remedy = row->remedy;
    return spec;
}

void check_param(struct compiler *compiler,
                 Pb__CheckSpec *spec,
                 const char *key,
                 const char *value)
{
    PB_APPEND(compiler->arena, spec, params, pb_pair_new(compiler->arena, key, value));
}

void checks_add(struct compiler *compiler, struct checks *checks, Pb__CheckSpec *spec)
{
    checks->item = pb_grow(compiler->arena, checks->item, checks->count, sizeof *checks->item);
    checks->item[checks->count++] = spec;
}

Pb__CheckSpec *check_not_applicable(struct compiler *compiler,
                                    const struct check_row *row,
                                    const char *reason)
{
    Pb__CheckSpec *const spec = check_new(compiler, row, row->id);

    spec->not_applicable = reason;
    return spec;
}

Pb__CheckSpec *check_metric(struct compiler *compiler,
                            const struct check_row *row,
                            const char *id,
                            const Pb__MetricCriterion *criterion)
{
    Pb__CheckSpec *const spec = check_new(compiler, row, id);
    Pb__MetricCriterion *const metric = pb_clone(compiler->arena, criterion);

    if (metric->no_data == PB__NO_DATA_RULE__NO_DATA_RULE_UNSPECIFIED)
        metric->no_data = PB__NO_DATA_RULE__NO_DATA_HOLDS;
    spec->kind = "metric";
    spec->metric = metric;
    spec->required = criterion->required;
    return spec;
}

Pb__CheckSpec *check_bound(struct compiler *compiler,
                           const struct check_row *row,
                           const Pb__CheckBinding *binding)
{
    Pb__CheckSpec *const spec = check_new(compiler, row, row->id);
    const struct setting_driver *const probe =
        settings_probe(compiler->settings, binding->probe);

    spec->warn_ok = binding->warn_ok;
    spec->not_applicable = binding->not_applicable;
    if (*binding->probe != '\0') {
        spec->kind = "probe";
        spec->probe = binding->probe;
    } else if (*binding->attest_role != '\0') {
        spec->kind = "attest";
        spec->role = binding->attest_role;
        spec->remedy =
            arena_printf(compiler->arena, "a %s attests %s", binding->attest_role, row->id);
    }
    if (probe != NULL && strcmp(probe->driver, "flag") == 0 &&
        compiler->acceptance->n_flags > 0) {
        check_param(compiler, spec, "flag", compiler->acceptance->flags[0]->key);
        check_param(compiler, spec, "environment", compiler->acceptance->environment);
    }
    return spec;
}

void plan_bound(struct compiler *compiler, const struct check_row *row, struct checks *checks)
{
    const struct bindings bindings = bindings_of(compiler, row->id);
    const size_t measured = plan_measured(compiler, row, checks);

    if (bindings.count == 0 && measured == 0)
        plan_missing(compiler,
                     "check",
                     "checks",
                     "check %s has no probe: bind one, name a role that attests it, or say why "
                     "it does not apply",
                     row->id);
    for (size_t i = 0; i < bindings.count; i++) {
        const Pb__CheckBinding *const binding = bindings.item[i];
        Pb__CheckSpec *const spec = check_bound(compiler, row, binding);

        if (*binding->not_applicable != '\0' && measured > 0)
            continue;
        if (bindings.count > 1)
            spec->id =
                arena_printf(compiler->arena,
                             "%s.%s",
                             row->id,
                             *binding->probe != '\0' ? binding->probe : binding->attest_role);
        checks_add(compiler, checks, spec);
    }
}

/* --- what the builtin checks are told --- */

static void add_digest(struct compiler *compiler,
                       Pb__CheckSpec *spec,
                       const char *key,
                       const Pb__Digest *digest)
{
    if (digest != NULL)
        check_param(compiler, spec, key, digest->value);
}

static void fill_report(struct compiler *compiler, Pb__CheckSpec *spec)
{
    const Pb__AcceptanceReport *const report = compiler->acceptance->report;

    if (report == NULL)
        return;
    check_param(compiler, spec, "link", report->link);
    add_digest(compiler, spec, "digest", report->digest);
}

/* Roles outside of ours: the acceptance is another procedure's. */
static void fill_signoffs_all(struct compiler *compiler, Pb__CheckSpec *spec)
{
    const struct option_texts *const roles = &compiler->policy->acceptance_roles;

    fill_report(compiler, spec);
    for (size_t i = 0; i < roles->count; i++)
        check_param(compiler, spec, "role", roles->items[i]);
}

/* "<kind>" is the link of a document, "<kind>.digest" its digest; a kind may stand there again.
 */
static void fill_documents(struct compiler *compiler, Pb__CheckSpec *spec, const char *kind)
{
    for (size_t i = 0; i < compiler->acceptance->n_documents; i++) {
        const Pb__Document *const document = compiler->acceptance->documents[i];

        if (strcmp(document->kind, kind) != 0)
            continue;
        check_param(compiler, spec, kind, document->link);
        add_digest(
            compiler, spec, arena_printf(compiler->arena, "%s.digest", kind), document->digest);
    }
}

static void fill_docs_steps(struct compiler *compiler, Pb__CheckSpec *spec)
{
    fill_documents(compiler, spec, "deployment_steps");
    fill_documents(compiler, spec, "configuration");
}

static void fill_docs_rollback(struct compiler *compiler, Pb__CheckSpec *spec)
{
    fill_documents(compiler, spec, "rollback");
}

static void fill_docs_runbooks(struct compiler *compiler, Pb__CheckSpec *spec)
{
    fill_documents(compiler, spec, "runbook");
}

static void fill_flags(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->acceptance->n_flags; i++) {
        const Pb__FlagSpec *const flag = compiler->acceptance->flags[i];

        check_param(compiler, spec, "flag", flag->key);
        check_param(compiler,
                    spec,
                    "provider",
                    *flag->provider != '\0' ? flag->provider : compiler->environment->provider);
    }
}

static void fill_providers(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->acceptance->n_flags; i++) {
        const char *const own = compiler->acceptance->flags[i]->provider;
        const char *const provider = *own != '\0' ? own : compiler->environment->provider;
        bool known = false;

        for (size_t k = 0; k < spec->n_params; k++)
            known = known || pb_same(spec->params[k]->value, provider);
        if (!known)
            check_param(compiler, spec, "provider", provider);
    }
}

static void fill_metrics(struct compiler *compiler, Pb__CheckSpec *spec)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;

    for (size_t i = 0; i < compiler->plan->n_metrics; i++)
        PB_APPEND(compiler->arena, spec, metrics, compiler->plan->metrics[i]);
    for (size_t s = 0; s < acceptance->n_rollout; s++)
        for (size_t i = 0; i < acceptance->rollout[s]->n_criteria; i++)
            PB_APPEND(compiler->arena, spec, metrics, acceptance->rollout[s]->criteria[i]);
}

static void fill_sources(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->plan->n_metrics; i++) {
        const char *const source = compiler->plan->metrics[i]->source;
        bool known = false;

        for (size_t k = 0; k < spec->n_params; k++)
            known = known || pb_same(spec->params[k]->value, source);
        if (!known)
            check_param(compiler, spec, "source", source);
    }
    fill_metrics(compiler, spec);
}

static void fill_dashboards(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->acceptance->n_dashboards; i++)
        check_param(compiler, spec, "dashboard", compiler->acceptance->dashboards[i]->url);
}

static void fill_services(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->acceptance->n_services; i++)
        check_param(compiler, spec, "service", compiler->acceptance->services[i]);
}

static void fill_windows(struct compiler *compiler, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < compiler->policy->window_count; i++)
        check_param(compiler, spec, "window", compiler->policy->windows[i]);
}

/* The channels of that purpose. Required is the check only where one of them is. */
static void fill_channels(struct compiler *compiler, Pb__CheckSpec *spec)
{
    const struct setting_policy *const policy = compiler->policy;

    spec->required = false;
    for (size_t i = 0; i < policy->channel_count; i++) {
        if (strcmp(policy->channels[i]->purpose, spec->id) != 0)
            continue;
        check_param(compiler, spec, "channel", policy->channels[i]->channel);
        spec->required = spec->required || policy->channels[i]->required;
    }
    if (spec->n_params == 0)
        plan_missing(compiler,
                     "check",
                     "",
                     "check %s has no channel: add one with that purpose to policy %s, or say "
                     "there why it does not apply",
                     spec->id,
                     policy->name);
}

static void fill_signoff(struct compiler *compiler, Pb__CheckSpec *spec)
{
    static const struct {
        const char *id;
        uint32_t step;
    } signoffs[] = { { "signoff.devops", 2 },
                     { "signoff.technical", 3 },
                     { "signoff.operations", 6 } };

    for (size_t s = 0; s < sizeof signoffs / sizeof signoffs[0]; s++)
        for (size_t i = 0; i < compiler->policy->signoff_count; i++)
            if (strcmp(signoffs[s].id, spec->id) == 0 &&
                compiler->policy->signoffs[i]->step == signoffs[s].step)
                check_param(compiler, spec, "role", compiler->policy->signoffs[i]->role);
}

typedef void fill_fn(struct compiler *compiler, Pb__CheckSpec *spec);

/* clang-format off */
static const struct {
    const char *id; /* Or the group, with its dot. */
    fill_fn *fill;
} fillers[] = {
    { "acceptance.signoffs_all",     fill_signoffs_all },
    { "acceptance.",                 fill_report },
    { "docs.steps",                  fill_docs_steps },
    { "docs.rollback",               fill_docs_rollback },
    { "docs.runbooks",               fill_docs_runbooks },
    { "flag.system_available",       fill_providers },
    { "flag.",                       fill_flags },
    { "verify.flags_off",            fill_flags },
    { "watch.rollout",               fill_flags },
    { "monitoring.available",        fill_sources },
    { "monitoring.configured",       fill_metrics },
    { "monitoring.metrics",          fill_metrics },
    { "monitoring.active",           fill_metrics },
    { "monitoring.working",          fill_metrics },
    { "performance.metrics",         fill_metrics },
    { "monitoring.dashboards",       fill_dashboards },
    { "monitoring.alerts",           fill_services },
    { "monitoring.no_open_critical", fill_services },
    { "monitoring.alerts_configured", fill_services },
    { "watch.alerts",                fill_services },
    { "env.window_approved",         fill_windows },
    { "jira.",                       fill_channels },
    { "handoff.",                    fill_channels },
    { "notify.",                     fill_channels },
    { "signoff.",                    fill_signoff },
};
/* clang-format on */

void fill_builtin(struct compiler *compiler, const struct check_row *row, Pb__CheckSpec *spec)
{
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        const size_t length = strlen(fillers[i].id);
        const bool group = fillers[i].id[length - 1] == '.';

        if (group ? strncmp(fillers[i].id, row->id, length) == 0
                  : strcmp(fillers[i].id, row->id) == 0) {
            fillers[i].fill(compiler, spec);
            return;
        }
    }
}
