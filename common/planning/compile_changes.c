/* What is brought where, in which order, in which batches. */
#include "common/config/capabilities.h"
#include "common/config/nearest.h"
#include "common/planning/compiler.h"

#include <string.h>

/* The order of step 2: what others stand on comes first. */
static const struct kind {
    Pb__ArtifactKind kind;
    const char *name;
    bool code;
} order[] = {
    { PB__ARTIFACT_KIND__INFRASTRUCTURE, "infrastructure", false },
    { PB__ARTIFACT_KIND__THIRD_PARTY, "third-party configuration", false },
    { PB__ARTIFACT_KIND__MIGRATION, "migration", false },
    { PB__ARTIFACT_KIND__CONFIGURATION, "configuration", false },
    { PB__ARTIFACT_KIND__ENVIRONMENT, "environment variables", false },
    { PB__ARTIFACT_KIND__FLAG_DEFINITION, "flag definition", false },
    { PB__ARTIFACT_KIND__BACKEND, "backend", true },
    { PB__ARTIFACT_KIND__MIDDLEWARE, "middleware", true },
    { PB__ARTIFACT_KIND__FRONTEND, "frontend", true },
};
enum { KINDS = sizeof order / sizeof order[0] };

bool kind_is_code(Pb__ArtifactKind kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (order[i].kind == kind)
            return order[i].code;
    return false;
}

const char *kind_name(Pb__ArtifactKind kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (order[i].kind == kind)
            return order[i].name;
    return "unknown";
}

bool plan_brings(const struct compiler *compiler, unsigned kinds)
{
    for (size_t i = 0; i < compiler->acceptance->n_artifacts; i++)
        if ((kinds & (1U << compiler->acceptance->artifacts[i]->kind)) != 0)
            return true;
    return false;
}

static const char *nearest_target(const struct compiler *compiler, const char *name)
{
    const struct settings *const settings = compiler->settings;
    const char **const names =
        arena_alloc(compiler->arena, settings->target_count * sizeof *names);

    for (size_t i = 0; i < settings->target_count; i++)
        names[i] = settings->targets[i].name;
    return nearest_name(name, names, settings->target_count);
}

static bool is_service(const Pb__AcceptanceSignedOff *acceptance, const char *service)
{
    for (size_t i = 0; i < acceptance->n_services; i++)
        if (strcmp(acceptance->services[i], service) == 0)
            return true;
    return false;
}

static bool has_sides(const struct setting_target *target)
{
    return target->instance_count > 0 && *target->instances[0].side != '\0';
}

/* Does the target belong to what the feature changes? */
static bool belongs(struct compiler *compiler,
                    const struct setting_target *target,
                    const char *field)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;

    if (strcmp(target->environment, acceptance->environment) != 0)
        plan_missing(compiler,
                     "target",
                     field,
                     "target %s is in %s, not in %s",
                     target->name,
                     target->environment,
                     acceptance->environment);
    else if (!is_service(acceptance, target->service))
        plan_missing(compiler,
                     "services",
                     "services",
                     "target %s belongs to service %s: add it to services",
                     target->name,
                     target->service);
    else
        return true;
    return false;
}

/* Can its deployer bring that, by that approach? */
static bool can_bring(struct compiler *compiler,
                      const struct setting_target *target,
                      Pb__ArtifactKind kind,
                      const char *field)
{
    const struct capability *const deployer =
        capability_find(DRIVER_DEPLOYER, target->deployer.driver);
    const bool both_sides = kind_is_code(kind) && strcmp(compiler->approach, "blue-green") == 0;

    if (deployer == NULL)
        plan_missing(compiler,
                     "target",
                     field,
                     "target %s has the deployer %s, which there is not",
                     target->name,
                     target->deployer.driver);
    else if ((deployer->artifacts & (1U << kind)) == 0)
        plan_missing(
            compiler,
            "target",
            field,
            "target %s has the deployer %s, which cannot bring %s: name another target",
            target->name,
            deployer->name,
            kind_name(kind));
    else if (kind == PB__ARTIFACT_KIND__MIGRATION &&
             yaml_find(target->deployer.options, "check") == NULL)
        plan_missing(compiler,
                     "target",
                     field,
                     "target %s cannot try a migration before it runs: give its deployer a "
                     "check that changes nothing",
                     target->name);
    else if (both_sides && !deployer->can_shift)
        plan_missing(compiler,
                     "approach",
                     field,
                     "target %s cannot do blue-green: its deployer %s cannot move traffic; "
                     "replan with canary or rolling",
                     target->name,
                     deployer->name);
    else if (both_sides && !has_sides(target))
        plan_missing(
            compiler,
            "approach",
            field,
            "target %s cannot do blue-green: give its instances a side, or replan with "
            "canary or rolling",
            target->name);
    else
        return true;
    return false;
}

/* The target, if that artifact may go there. */
static const struct setting_target *find_target(struct compiler *compiler,
                                                const Pb__Artifact *artifact,
                                                const char *field)
{
    const struct setting_target *const target =
        settings_target(compiler->settings, artifact->target);

    if (target == NULL) {
        plan_missing(compiler,
                     "target",
                     field,
                     "target %s is not configured%s",
                     artifact->target,
                     did_you_mean(compiler->arena, nearest_target(compiler, artifact->target)));
        return NULL;
    }
    return belongs(compiler, target, field) &&
                   can_bring(compiler, target, artifact->kind, field)
               ? target
               : NULL;
}

static Pb__Batch *add_batch(struct compiler *compiler,
                            Pb__Change *change,
                            Pb__BatchKind kind,
                            const char *side)
{
    Pb__Batch *const batch = pb_new(compiler->arena, &pb__batch__descriptor);

    batch->index = (uint32_t)change->n_batches;
    batch->kind = kind;
    batch->side = side;
    PB_APPEND(compiler->arena, change, batches, batch);
    return batch;
}

static void add_instances(struct compiler *compiler,
                          Pb__Batch *batch,
                          const struct setting_target *target,
                          size_t first,
                          size_t count)
{
    for (size_t i = first; i < first + count && i < target->instance_count; i++)
        PB_APPEND(compiler->arena, batch, instances, target->instances[i].name);
}

/* first_size instances, then batch_size at a time. */
static void cut_batches(struct compiler *compiler,
                        Pb__Change *change,
                        const struct setting_target *target,
                        size_t first_size,
                        size_t batch_size)
{
    size_t size = first_size;

    for (size_t first = 0; first < target->instance_count; first += size) {
        if (first > 0)
            size = batch_size;
        add_instances(compiler,
                      add_batch(compiler, change, PB__BATCH_KIND__APPLY, ""),
                      target,
                      first,
                      size);
    }
}

static void plan_batches(struct compiler *compiler,
                         Pb__Change *change,
                         const struct setting_target *target)
{
    const struct setting_policy *const policy = compiler->policy;
    const size_t all = target->instance_count;

    if (!kind_is_code(change->kind)) {
        cut_batches(compiler, change, target, all, all);
    } else if (strcmp(compiler->approach, "blue-green") == 0) {
        /* Which side is idle is known only when it runs. */
        add_instances(compiler,
                      add_batch(compiler, change, PB__BATCH_KIND__APPLY, "idle"),
                      target,
                      0,
                      all);
        (void)add_batch(compiler, change, PB__BATCH_KIND__SHIFT, "idle");
    } else if (strcmp(compiler->approach, "canary") == 0) {
        cut_batches(compiler, change, target, policy->canary_instances, policy->batch_size);
    } else {
        cut_batches(compiler, change, target, policy->batch_size, policy->batch_size);
    }
}

static void plan_change(struct compiler *compiler,
                        const Pb__Artifact *artifact,
                        const struct setting_target *target)
{
    Pb__Change *const change = pb_new(compiler->arena, &pb__change__descriptor);
    struct checks checks;

    change->index = (uint32_t)compiler->plan->n_changes;
    change->kind = artifact->kind;
    change->target = artifact->target;
    change->service = target->service;
    change->artifact = artifact->name;
    change->version = artifact->version;
    change->digest = artifact->digest;
    change->source = artifact->source;
    change->on_rollback = artifact->on_rollback != PB__ON_ROLLBACK__ON_ROLLBACK_UNSPECIFIED
                              ? artifact->on_rollback
                              : PB__ON_ROLLBACK__REVERT;
    change->note = artifact->note;
    change->way_back = artifact->way_back;
    change->timeout_ms = compiler->policy->change_timeout_ms;
    change->deployer = target->deployer.driver;
    plan_batches(compiler, change, target);
    checks = plan_health(compiler, change);
    change->health = checks.item;
    change->n_health = checks.count;
    if (kind_is_code(change->kind) && compiler->policy->bake_ms > 0) {
        checks = plan_bake(compiler, change);
        change->bake = checks.item;
        change->n_bake = checks.count;
        change->bake_ms = compiler->policy->bake_ms;
    }
    PB_APPEND(compiler->arena, compiler->plan, changes, change);
}

/* Longer than step 2 may last in all? Better said now than at its deadline. */
static void check_length(struct compiler *compiler)
{
    const int64_t deadline_ms = compiler->policy->steps[2]->deadline_ms;
    int64_t bake_ms = 0;

    for (size_t i = 0; i < compiler->plan->n_changes; i++)
        bake_ms += compiler->plan->changes[i]->bake_ms *
                   (int64_t)compiler->plan->changes[i]->n_batches;
    if (bake_ms >= deadline_ms)
        plan_missing(compiler,
                     "policy",
                     "policy",
                     "policy %s gives step 2 %lld s, but baking its batches takes %lld s",
                     compiler->policy->name,
                     (long long)(deadline_ms / 1000),
                     (long long)(bake_ms / 1000));
}

void plan_changes(struct compiler *compiler)
{
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;

    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < acceptance->n_artifacts; i++) {
            const Pb__Artifact *const artifact = acceptance->artifacts[i];
            const struct setting_target *target;

            if (artifact->kind != order[k].kind)
                continue;
            target = find_target(
                compiler, artifact, arena_printf(compiler->arena, "artifacts[%zu].target", i));
            if (target != NULL)
                plan_change(compiler, artifact, target);
        }
    check_length(compiler);
}
