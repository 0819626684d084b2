#include "common/planning/compile.h"

#include "common/config/feature.h"
#include "common/config/nearest.h"
#include "common/planning/compiler.h"
#include "common/wire/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REMEDY_MAX = 300 };

void plan_missing(
    struct compiler *compiler, const char *input, const char *field, const char *format, ...)
{
    Pb__MissingInput *const missing = pb_new(compiler->arena, &pb__missing_input__descriptor);
    char remedy[REMEDY_MAX];
    va_list args;

    if (compiler->compiled->n_missing == MISSING_MAX)
        return;
    va_start(args, format);
    (void)vsnprintf(remedy, sizeof remedy, format, args);
    va_end(args);
    missing->input = input;
    missing->field = field;
    missing->remedy = arena_text(compiler->arena, remedy);
    PB_APPEND(compiler->arena, compiler->compiled, missing, missing);
}

const char *did_you_mean(struct arena *arena, const char *nearest)
{
    return nearest != NULL ? arena_printf(arena, "; did you mean %s?", nearest) : "";
}

static const char *nearest_environment(const struct compiler *compiler, const char *name)
{
    const struct settings *const settings = compiler->settings;
    const char **const names =
        arena_alloc(compiler->arena, settings->environment_count * sizeof *names);

    for (size_t i = 0; i < settings->environment_count; i++)
        names[i] = settings->environments[i].name;
    return nearest_name(name, names, settings->environment_count);
}

static const char *nearest_policy(const struct compiler *compiler, const char *name)
{
    const struct settings *const settings = compiler->settings;
    const char **const names =
        arena_alloc(compiler->arena, settings->policy_count * sizeof *names);

    for (size_t i = 0; i < settings->policy_count; i++)
        names[i] = settings->policies[i].name;
    return nearest_name(name, names, settings->policy_count);
}

/* Where it goes and under which policy; nothing can be said of a feature without them. */
static bool find_policy(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    const char *name;

    compiler->environment = settings_environment(compiler->settings, acceptance->environment);
    if (compiler->environment == NULL) {
        plan_missing(compiler,
                     "environment",
                     "environment",
                     "environment %s is not configured%s",
                     acceptance->environment,
                     did_you_mean(compiler->arena,
                                  nearest_environment(compiler, acceptance->environment)));
        return false;
    }
    name = *acceptance->policy != '\0' ? acceptance->policy : compiler->environment->policy;
    compiler->policy = settings_policy(compiler->settings, name);
    if (compiler->policy == NULL)
        plan_missing(compiler,
                     "policy",
                     "policy",
                     "policy %s is not configured%s",
                     name,
                     did_you_mean(compiler->arena, nearest_policy(compiler, name)));
    return compiler->policy != NULL;
}

static const char *choose_approach(const struct compiler *compiler,
                                   const struct plan_request *request)
{
    if (request->approach != NULL && *request->approach != '\0')
        return request->approach;
    if (*compiler->acceptance->approach != '\0')
        return compiler->acceptance->approach;
    return compiler->policy->approach;
}

static void check_approach(struct compiler *compiler)
{
    static const char *const known[] = { "blue-green", "canary", "rolling" };
    const size_t count = sizeof known / sizeof known[0];

    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i], compiler->approach) == 0)
            return;
    plan_missing(compiler,
                 "approach",
                 "approach",
                 "%s is no approach; replan with blue-green, canary or rolling",
                 compiler->approach);
}

/* Whoever fills in `dashboards` need not say of each that it is one. */
static void plan_dashboards(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;

    for (size_t i = 0; i < acceptance->n_dashboards; i++) {
        Pb__Link *const link = pb_clone(compiler->arena, acceptance->dashboards[i]);

        if (link->kind[0] == '\0')
            link->kind = "dashboard";
        PB_APPEND(compiler->arena, compiler->plan, dashboards, link);
    }
}

static void plan_heading(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    Pb__Plan *const plan = compiler->plan;

    plan->feature = acceptance->feature;
    plan->title = acceptance->title;
    plan->environment = acceptance->environment;
    plan->revision = PROCEDURE_REVISION;
    plan->config_hash = compiler->settings->hash;
    plan->policy = compiler->policy->name;
    plan->services = acceptance->services;
    plan->n_services = acceptance->n_services;
    plan->approach = compiler->approach;
    plan->flags = acceptance->flags;
    plan->n_flags = acceptance->n_flags;
    plan->ticket = acceptance->ticket;
    plan->documents = acceptance->documents;
    plan->n_documents = acceptance->n_documents;
    plan_dashboards(compiler);
    plan->test_results = acceptance->test_results;
    plan->n_test_results = acceptance->n_test_results;
    plan->report = acceptance->report;
    plan->team = acceptance->team;
    plan->submitted_by = acceptance->submitted_by;
}

static void plan_policy(struct compiler *compiler)
{
    const struct setting_policy *const policy = compiler->policy;
    Pb__Plan *const plan = compiler->plan;

    plan->signoffs = policy->signoffs;
    plan->n_signoffs = policy->signoff_count;
    plan->approvals = policy->approvals;
    plan->n_approvals = policy->approval_count;
    plan->channels = policy->channels;
    plan->n_channels = policy->channel_count;
    for (size_t i = 0; i < policy->window_count; i++)
        PB_APPEND(compiler->arena,
                  plan,
                  windows,
                  settings_window(compiler->settings, policy->windows[i])->spec);
    plan->window_grace_ms = policy->window_grace_ms;
    plan->on_closed_window = policy->on_closed_window;
    plan->on_freeze = policy->on_freeze;
    plan->observe_ms = policy->observe_ms;
    plan->sample_every_ms = policy->sample_every_ms;
    plan->coverage_bp = policy->coverage_bp;
    plan->blame_window_ms = policy->blame_window_ms;
    plan->input_deadline_ms = policy->input_deadline_ms;
    plan->review_deadline_ms = policy->review_deadline_ms;
    plan->queue_deadline_ms = policy->queue_deadline_ms;
    plan->hold_deadline_ms = policy->hold_deadline_ms;
    plan->reminder_ms = policy->reminder_ms;
    plan->auto_resume_ms = policy->auto_resume_ms;
    plan->flag_timeout_ms = policy->flag_timeout_ms;
    for (size_t i = 0; i < policy->metric_count; i++)
        PB_APPEND(compiler->arena, plan, metrics, policy->metrics[i]);
    for (size_t i = 0; i < compiler->acceptance->n_metrics; i++)
        PB_APPEND(compiler->arena, plan, metrics, compiler->acceptance->metrics[i]);
}

static void compile(struct compiler *compiler, const struct plan_request *request)
{
    if (!find_policy(compiler))
        return;
    compiler->approach = choose_approach(compiler, request);
    check_approach(compiler);
    plan_heading(compiler);
    plan_policy(compiler);
    check_inputs(compiler);
    check_metrics(compiler);
    check_bindings(compiler);
    plan_changes(compiler);
    plan_stages(compiler);
    plan_steps(compiler);
    plan_words(compiler);
}

const char *plan_hash(struct arena *arena, const Pb__Plan *plan)
{
    const struct pb_bytes packed = pb_pack(arena, plan);
    char *const hex = arena_alloc(arena, DIGEST_HEX_SIZE);

    digest_sha256(packed.bytes, packed.length, hex);
    return hex;
}

Pb__PlanCompiled *plan_compile(struct arena *arena, const struct plan_request *request)
{
    Pb__PlanCompiled *const compiled = pb_new(arena, &pb__plan_compiled__descriptor);
    struct compiler compiler = { .arena = arena,
                                 .settings = request->settings,
                                 .acceptance = merge_supplied(arena, request),
                                 .plan = pb_new(arena, &pb__plan__descriptor),
                                 .compiled = compiled };

    compile(&compiler, request);
    if (compiled->n_missing > 0)
        return compiled;
    compiler.plan->content_hash = acceptance_hash(arena, request->acceptance);
    if (protobuf_c_message_get_packed_size(&compiler.plan->base) > PLAN_SIZE_MAX) {
        plan_missing(&compiler,
                     "plan",
                     "",
                     "the plan is larger than %d KiB: deploy fewer changes at once",
                     PLAN_SIZE_MAX / 1024);
        return compiled;
    }
    compiled->plan = compiler.plan;
    compiled->plan_hash = plan_hash(arena, compiler.plan);
    return compiled;
}
