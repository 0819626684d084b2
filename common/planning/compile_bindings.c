/* Who answers a check: what the feature says, else what the policy says for its services. */
#include "common/config/nearest.h"
#include "common/planning/compiler.h"

#include <string.h>

const struct setting_target *binding_target(const struct compiler *compiler,
                                            const Pb__CheckBinding *binding)
{
    const struct setting_driver *const probe =
        *binding->probe != '\0' ? settings_probe(compiler->settings, binding->probe) : NULL;

    return probe != NULL ? settings_target(compiler->settings, probe->target) : NULL;
}

static bool has_service(const struct compiler *compiler, const char *service)
{
    for (size_t i = 0; i < compiler->acceptance->n_services; i++)
        if (strcmp(compiler->acceptance->services[i], service) == 0)
            return true;
    return false;
}

/* A policy serves all services of an environment: does this one concern the feature's? */
static bool is_relevant(const struct compiler *compiler, const Pb__CheckBinding *binding)
{
    const struct setting_target *const target = binding_target(compiler, binding);

    if (*binding->service != '\0')
        return has_service(compiler, binding->service);
    if (target == NULL)
        return true;
    return has_service(compiler, target->service) &&
           strcmp(target->environment, compiler->acceptance->environment) == 0;
}

static void add(struct compiler *compiler,
                struct bindings *bindings,
                const Pb__CheckBinding *binding)
{
    for (size_t i = 0; i < bindings->count; i++)
        if (pb_same(bindings->item[i]->probe, binding->probe) &&
            pb_same(bindings->item[i]->attest_role, binding->attest_role))
            return;
    bindings->item =
        pb_grow(compiler->arena, bindings->item, bindings->count, sizeof *bindings->item);
    bindings->item[bindings->count++] = binding;
}

/* Those of a list that answer the check. answered: only probes and people. */
static struct bindings choose(struct compiler *compiler,
                              Pb__CheckBinding *const *list,
                              size_t count,
                              const char *check,
                              bool answered)
{
    struct bindings chosen = { NULL, 0 };

    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->check, check) == 0 && is_relevant(compiler, list[i]) &&
            answered == (*list[i]->not_applicable == '\0'))
            add(compiler, &chosen, list[i]);
    return chosen;
}

struct bindings bindings_of(struct compiler *compiler, const char *check)
{
    const struct setting_policy *const policy = compiler->policy;
    const Pb__AcceptanceSignedOff *const acceptance = compiler->acceptance;
    struct bindings found;

    /* "Does not apply" counts only where nobody answers. */
    found = choose(compiler, acceptance->checks, acceptance->n_checks, check, true);
    if (found.count == 0)
        found = choose(compiler, acceptance->checks, acceptance->n_checks, check, false);
    if (found.count == 0)
        found = choose(compiler, policy->checks, policy->check_count, check, true);
    if (found.count == 0)
        found = choose(compiler, policy->checks, policy->check_count, check, false);
    return found;
}

static const char *nearest_driver(const struct compiler *compiler,
                                  const struct setting_driver *drivers,
                                  size_t count,
                                  const char *name)
{
    const char **const names = arena_alloc(compiler->arena, count * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = drivers[i].name;
    return did_you_mean(compiler->arena, nearest_name(name, names, count));
}

/* Not only the permission to warn. */
static bool is_answer(const Pb__CheckBinding *binding)
{
    return *binding->probe != '\0' || *binding->attest_role != '\0' ||
           *binding->not_applicable != '\0';
}

/* What is bound must be a check that somebody else can answer. */
static void check_bound_id(struct compiler *compiler,
                           const Pb__CheckBinding *binding,
                           const char *whose,
                           const char *field)
{
    const struct check_row *const row = catalogue_find(binding->check, 0);
    const bool exact = row != NULL && strcmp(row->id, binding->check) == 0;
    const bool by_policy = *field == '\0';

    if (!exact)
        plan_missing(compiler,
                     "check",
                     field,
                     "%s binds %s, but there is no such check%s",
                     whose,
                     binding->check,
                     did_you_mean(compiler->arena, catalogue_nearest(binding->check)));
    else if (row->answer == CHECK_METRIC && *binding->not_applicable == '\0')
        plan_missing(compiler,
                     "check",
                     field,
                     "%s binds %s, but metrics answer it: give one `check: %s`",
                     whose,
                     binding->check,
                     binding->check);
    else if (row->answer != CHECK_BUILTIN && !is_answer(binding))
        plan_missing(compiler,
                     "check",
                     field,
                     "%s permits %s to warn, but does not say what answers it",
                     whose,
                     binding->check);
    else if (row->answer == CHECK_BUILTIN &&
             (*binding->probe != '\0' || *binding->attest_role != '\0' || !by_policy ||
              !row->waivable))
        plan_missing(compiler,
                     "check",
                     field,
                     "%s binds %s, but %s answers it itself%s",
                     whose,
                     binding->check,
                     row->worker,
                     row->waivable && !by_policy
                         ? "; only a policy can say that it does not apply"
                         : "");
}

static void check_feature_binding(struct compiler *compiler,
                                  const Pb__CheckBinding *binding,
                                  size_t index)
{
    const struct settings *const settings = compiler->settings;
    const char *const field = arena_printf(compiler->arena, "checks[%zu]", index);

    check_bound_id(compiler, binding, "the feature", field);
    if (*binding->probe != '\0' && settings_probe(settings, binding->probe) == NULL)
        plan_missing(
            compiler,
            "check",
            field,
            "check %s: probe %s is not configured%s",
            binding->check,
            binding->probe,
            nearest_driver(compiler, settings->probes, settings->probe_count, binding->probe));
    if (*binding->attest_role != '\0' && settings_role(settings, binding->attest_role) == NULL)
        plan_missing(compiler,
                     "check",
                     field,
                     "check %s: role %s is not configured",
                     binding->check,
                     binding->attest_role);
}

void check_bindings(struct compiler *compiler)
{
    const struct setting_policy *const policy = compiler->policy;

    for (size_t i = 0; i < policy->check_count; i++)
        check_bound_id(compiler,
                       policy->checks[i],
                       arena_printf(compiler->arena, "policy %s", policy->name),
                       "");
    for (size_t i = 0; i < compiler->acceptance->n_checks; i++)
        check_feature_binding(compiler, compiler->acceptance->checks[i], i);
}
