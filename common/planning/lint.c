#include "common/planning/lint.h"

#include "common/base/text.h"
#include "common/planning/catalogue.h"

#include <string.h>

/* Inputs that may follow later; anything else is wrong in the file. */
static bool may_follow(const char *input)
{
    static const char *const inputs[] = {
        "acceptance_report", "feature_accepted", "acceptance_signoffs",
        "artifacts_ready",   "deployment_steps", "configuration",
        "rollback",          "runbook",          "requirements",
        "observability",     "test_results",     "ticket",
        "dashboards",
    };

    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (strcmp(inputs[i], input) == 0)
            return true;
    return false;
}

static void tell_missing(const Pb__MissingInput *missing,
                         const struct yaml_node *root,
                         struct yaml_problems *problems)
{
    const struct yaml_node *const node = feature_node(root, missing->field);

    if (may_follow(missing->input))
        yaml_warn(problems, node, "", "%s is missing: %s", missing->input, missing->remedy);
    else
        (void)yaml_complain(problems, node, "", "%s", missing->remedy);
}

/* What holds for any policy but is worth a word. */
static void warn_of_defaults(const Pb__AcceptanceSignedOff *acceptance,
                             const struct yaml_node *root,
                             struct yaml_problems *problems)
{
    for (size_t i = 0; i < acceptance->n_metrics; i++) {
        char field[64];
        struct text text = text_over(field, sizeof field);

        if (acceptance->metrics[i]->no_data != PB__NO_DATA_RULE__NO_DATA_RULE_UNSPECIFIED)
            continue;
        text_add(&text, "metrics[%zu]", i);
        yaml_warn(problems,
                  feature_node(root, field),
                  "",
                  "%s has no no_data: without data the deployment holds",
                  field);
    }
}

struct lint_result lint_feature(struct arena *arena,
                                const struct lint_request *request,
                                struct yaml_problems *problems)
{
    const struct feature_file file = { .name = request->name,
                                       .bytes = request->bytes,
                                       .length = request->length,
                                       .base_folder = request->base_folder,
                                       .settings = request->settings,
                                       .may_be_absent = request->base_folder != NULL };
    const struct plan_request plan = { .settings = request->settings, .approach = "" };
    struct plan_request compile = plan;
    struct lint_result result = { NULL, NULL };
    const struct yaml_node *root;

    result.acceptance = feature_read_tree(arena, &file, problems, &root);
    if (result.acceptance == NULL)
        return result;
    warn_of_defaults(result.acceptance, root, problems);
    if (request->settings == NULL)
        return result;
    compile.acceptance = result.acceptance;
    result.compiled = plan_compile(arena, &compile);
    for (size_t i = 0; i < result.compiled->n_missing; i++)
        tell_missing(result.compiled->missing[i], root, problems);
    return result;
}

/* A check of step 7, or an occasion on which people are told something. */
static bool is_purpose(const char *purpose)
{
    static const char *const occasions[] = {
        "page",
        "notify.page",
        "notify.blocked",
        "notify.reminder",
        "notify.incident",
        "notify.available",
        "notify.withdrawn",
        "notify.completed",
        "notify.aborted",
        "notify.rolled_back",
    };
    const struct check_row *const row = catalogue_find(purpose, 7);

    for (size_t i = 0; i < sizeof occasions / sizeof occasions[0]; i++)
        if (strcmp(occasions[i], purpose) == 0)
            return true;
    return row != NULL && strcmp(row->id, purpose) == 0;
}

static void lint_checks(const struct setting_policy *policy, struct yaml_problems *problems)
{
    const struct yaml_node *const list = yaml_find(policy->node, "checks");

    for (size_t i = 0; list != NULL && i < policy->check_count; i++) {
        const Pb__CheckBinding *const binding = policy->checks[i];
        const struct yaml_node *const node = yaml_find(list->items[i], "check");
        const struct check_row *const row = catalogue_find(binding->check, 0);
        const char *const nearest = catalogue_nearest(binding->check);

        if (row == NULL || strcmp(row->id, binding->check) != 0)
            (void)yaml_complain(problems,
                                node,
                                nearest != NULL
                                    ? arena_printf(problems->arena, "did you mean %s?", nearest)
                                    : "",
                                "%s is %.60s, but there is no such check",
                                node->path,
                                binding->check);
        else if (row->answer == CHECK_BUILTIN &&
                 (*binding->probe != '\0' || *binding->attest_role != '\0' || !row->waivable))
            (void)yaml_complain(problems,
                                node,
                                row->waivable ? "not_applicable, with a reason, or warn_ok"
                                              : "",
                                "%s is %s, which %s answers itself",
                                node->path,
                                row->id,
                                row->worker);
    }
}

static void lint_channels(const struct setting_policy *policy, struct yaml_problems *problems)
{
    const struct yaml_node *const list = yaml_find(policy->node, "channels");

    for (size_t i = 0; list != NULL && i < policy->channel_count; i++) {
        const struct yaml_node *const node = yaml_find(list->items[i], "purpose");

        if (!is_purpose(policy->channels[i]->purpose))
            yaml_warn(problems,
                      node,
                      "a check of step 7, such as notify.deployment; or page",
                      "%s is %.60s: nothing is ever sent for that",
                      node->path,
                      policy->channels[i]->purpose);
    }
}

static void lint_metrics(const struct setting_policy *policy, struct yaml_problems *problems)
{
    const struct yaml_node *const list = yaml_find(policy->node, "metrics");

    for (size_t i = 0; list != NULL && i < policy->metric_count; i++) {
        const char *const check = policy->metrics[i]->check;
        const struct yaml_node *const node = yaml_find(list->items[i], "check");

        if (*check != '\0' && catalogue_find(check, 0) == NULL)
            (void)yaml_complain(problems,
                                node,
                                "a check of the procedure, such as stage.errors",
                                "%s is %.60s, but there is no such check",
                                node->path,
                                check);
    }
}

void lint_settings(const struct settings *settings, struct yaml_problems *problems)
{
    for (size_t i = 0; i < settings->policy_count; i++) {
        lint_checks(&settings->policies[i], problems);
        lint_channels(&settings->policies[i], problems);
        lint_metrics(&settings->policies[i], problems);
    }
}

void lint_summary(const struct yaml_problems *problems, const char *page, struct text *out)
{
    if (problems->errors + problems->warnings == 0)
        return;
    text_add(out,
             "%zu error%s, %zu warning%s; reference: man 5 %s\n",
             problems->errors,
             problems->errors == 1 ? "" : "s",
             problems->warnings,
             problems->warnings == 1 ? "" : "s",
             page);
}
