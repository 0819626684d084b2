/* Health of each batch, and what must run afterwards. */
#include "common/planning/compiler.h"

#include <string.h>

static const char *health_check_of(Pb__ArtifactKind kind)
{
    switch (kind) {
    case PB__ARTIFACT_KIND__BACKEND: return "health.backend";
    case PB__ARTIFACT_KIND__MIDDLEWARE: return "health.middleware";
    case PB__ARTIFACT_KIND__FRONTEND: return "health.frontend";
    default: return "";
    }
}

static bool asks_probe(const struct checks *checks, const char *probe)
{
    for (size_t i = 0; i < checks->count; i++)
        if (pb_same(checks->item[i]->probe, probe))
            return true;
    return false;
}

/* Does the probe look at what the change touches: its target, or its service, or everything? */
static bool looks_at(const struct compiler *compiler,
                     const Pb__CheckBinding *binding,
                     const Pb__Change *change,
                     bool target_itself)
{
    const struct setting_target *const target = binding_target(compiler, binding);

    if (target == NULL)
        return true;
    return strcmp(target->name, change->target) == 0 ||
           (!target_itself && strcmp(target->service, change->service) == 0);
}

static void add_health(struct compiler *compiler,
                       const Pb__Change *change,
                       const struct check_row *row,
                       struct checks *checks)
{
    const struct bindings bindings = bindings_of(compiler, row->id);
    const bool own = strcmp(row->id, health_check_of(change->kind)) == 0;
    size_t found = 0;

    for (size_t i = 0; i < bindings.count; i++) {
        const Pb__CheckBinding *const binding = bindings.item[i];
        Pb__CheckSpec *spec;

        if (*binding->probe == '\0' || !looks_at(compiler, binding, change, own))
            continue;
        found++;
        if (asks_probe(checks, binding->probe))
            continue;
        spec = check_bound(compiler, row, binding);
        if (bindings.count > 1)
            spec->id = arena_printf(compiler->arena, "%s.%s", row->id, binding->probe);
        checks_add(compiler, checks, spec);
    }
    if (own && found == 0)
        plan_missing(compiler,
                     "check",
                     "checks",
                     "check %s has no probe on target %s, which %s %s changes: bind one",
                     row->id,
                     change->target,
                     kind_name(change->kind),
                     change->artifact);
}

/* What is bound to "health" is asked after a batch alone; the checks of step 3 beside it. */
struct checks plan_health(struct compiler *compiler, const Pb__Change *change)
{
    struct checks checks = { NULL, 0 };
    const struct check_row *rows;
    size_t count;

    rows = catalogue(&count);
    for (size_t i = 0; i < count; i++)
        if ((rows[i].step == 2 && strcmp(rows[i].id, "health") == 0) ||
            (rows[i].step == 3 && strncmp(rows[i].id, "health.", 7) == 0))
            add_health(compiler, change, &rows[i], &checks);
    return checks;
}

static Pb__CheckSpec *verify(struct compiler *compiler,
                             const struct check_row *row,
                             const Pb__CheckBinding *binding,
                             const Pb__Change *change)
{
    Pb__CheckSpec *const spec = check_bound(compiler, row, binding);

    check_param(compiler, spec, "target", change->target);
    check_param(compiler, spec, "artifact", change->artifact);
    check_param(compiler, spec, "version", change->version);
    check_param(compiler, spec, "digest", change->digest->value);
    return spec;
}

/* The binding whose probe looks at the change; else one that a person answers or that says why
 * it does not apply. */
static const Pb__CheckBinding *binding_for(struct compiler *compiler,
                                           const struct check_row *row,
                                           const Pb__Change *change,
                                           bool target_itself)
{
    const struct bindings bindings = bindings_of(compiler, row->id);

    for (size_t i = 0; i < bindings.count; i++)
        if (*bindings.item[i]->probe != '\0' &&
            looks_at(compiler, bindings.item[i], change, target_itself))
            return bindings.item[i];
    for (size_t i = 0; i < bindings.count; i++)
        if (*bindings.item[i]->probe == '\0')
            return bindings.item[i];
    return NULL;
}

/* "{digest}" in the words of a list, or in a text. */
static bool mentions(const struct yaml_node *node, const char *word)
{
    if (node == NULL)
        return false;
    for (size_t i = 0; i < node->count; i++)
        if (mentions(node->items[i], word))
            return true;
    return node->text != NULL && strstr(node->text, word) != NULL;
}

/* Does the probe hold what runs against the plan? One that asks only whether something answers
 * would pass whatever runs. */
static bool compares(const struct compiler *compiler, const Pb__CheckBinding *binding)
{
    const struct setting_driver *const probe =
        *binding->probe != '\0' ? settings_probe(compiler->settings, binding->probe) : NULL;

    if (probe == NULL || strcmp(probe->driver, "version") == 0 ||
        strcmp(probe->driver, "configuration") == 0)
        return true;
    return strcmp(probe->driver, "command") == 0 &&
           (mentions(yaml_find(probe->options, "argv"), "{digest}") ||
            mentions(yaml_find(probe->options, "environment"), "{digest}"));
}

static void add_verified(struct compiler *compiler,
                         const struct check_row *row,
                         const Pb__CheckBinding *binding,
                         const Pb__Change *change,
                         struct checks *checks)
{
    if (!compares(compiler, binding))
        plan_missing(compiler,
                     "check",
                     "checks",
                     "check %s: probe %s does not compare what runs with the plan; bind one of "
                     "driver version or configuration, or a command that is told {digest}",
                     row->id,
                     binding->probe);
    checks_add(compiler, checks, verify(compiler, row, binding, change));
}

static void verify_changes(struct compiler *compiler,
                           const struct check_row *row,
                           bool of_code,
                           struct checks *checks)
{
    const Pb__Plan *const plan = compiler->plan;
    const size_t before = checks->count;

    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];
        const bool wanted = of_code ? kind_is_code(change->kind)
                                    : change->kind == PB__ARTIFACT_KIND__CONFIGURATION;
        const Pb__CheckBinding *const binding =
            wanted ? binding_for(compiler, row, change, of_code) : NULL;

        if (wanted && binding == NULL)
            plan_missing(
                compiler,
                "check",
                "checks",
                "check %s has no probe for target %s: bind one, name a role that attests "
                "it, or say why it does not apply",
                row->id,
                change->target);
        else if (wanted)
            add_verified(compiler, row, binding, change, checks);
    }
    if (checks->count - before > 1)
        for (size_t i = before; i < checks->count; i++)
            checks->item[i]->id = arena_printf(
                compiler->arena,
                "%s.%s.%s",
                row->id,
                pb_pair(checks->item[i]->params, checks->item[i]->n_params, "target"),
                pb_pair(checks->item[i]->params, checks->item[i]->n_params, "artifact"));
    if (checks->count == before)
        checks_add(compiler,
                   checks,
                   check_not_applicable(compiler,
                                        row,
                                        of_code ? "the plan brings no code"
                                                : "the plan brings no configuration"));
}

/* Does the probe read what a health endpoint says? One that only finds somebody there takes an
 * endpoint that answers "degraded" for a healthy one. */
static bool reads_answer(const struct compiler *compiler, const char *name)
{
    const struct setting_driver *const probe =
        *name != '\0' ? settings_probe(compiler->settings, name) : NULL;

    if (probe == NULL || strcmp(probe->driver, "command") == 0)
        return true;
    return strcmp(probe->driver, "http") == 0 && (yaml_find(probe->options, "body") != NULL ||
                                                  yaml_find(probe->options, "json") != NULL);
}

void plan_endpoints(struct compiler *compiler,
                    const struct check_row *row,
                    struct checks *checks)
{
    const size_t before = checks->count;

    plan_bound(compiler, row, checks);
    for (size_t i = before; i < checks->count; i++)
        if (!reads_answer(compiler, checks->item[i]->probe))
            plan_missing(compiler,
                         "check",
                         "checks",
                         "check %s: probe %s does not read what the endpoint says; bind one of "
                         "driver http with body or json, or a command",
                         row->id,
                         checks->item[i]->probe);
}

void plan_ready(struct compiler *compiler, const struct check_row *row, struct checks *checks)
{
    const Pb__Plan *const plan = compiler->plan;

    plan_bound(compiler, row, checks);
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        if (kind_is_code(change->kind) && bindings_of(compiler, row->id).count > 0 &&
            binding_for(compiler, row, change, true) == NULL)
            plan_missing(compiler,
                         "check",
                         "checks",
                         "check %s has no probe for target %s: bind one, name a role that "
                         "attests it, or say why it does not apply",
                         row->id,
                         change->target);
    }
}

void plan_verify_version(struct compiler *compiler,
                         const struct check_row *row,
                         struct checks *checks)
{
    verify_changes(compiler, row, true, checks);
}

void plan_verify_configuration(struct compiler *compiler,
                               const struct check_row *row,
                               struct checks *checks)
{
    verify_changes(compiler, row, false, checks);
}
