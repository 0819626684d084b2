/* Section policies. */
#include "common/config/settings_read.h"

#include <string.h>

enum { COVERAGE_MICRO_A_BP = 100, COVERAGE_BP_MAX = 10000, POLICY_LISTS_MAX = 64 };

/* What needs another type than it has in the policy. */
struct policy_options {
    int64_t coverage_micro;
};

/* clang-format off */
static const struct option policy_table[] = {
    TEXT_OPTION(struct setting_policy, name, "name", NULL, "what environments and features name"),
    TEXT_OPTION(struct setting_policy, approach, "approach", "rolling", "where a feature names none: blue-green, canary, rolling"),
    COUNT_OPTION(struct setting_policy, canary_instances, "canary_instances", "1", "instances in the first batch of a canary"),
    COUNT_OPTION(struct setting_policy, batch_size, "batch_size", "1", "instances of each further batch"),
    DURATION_OPTION(struct setting_policy, bake_ms, "bake", "10m", "how long metrics are watched after each batch"),
    DURATION_OPTION(struct setting_policy, change_timeout_ms, "change_timeout", "10m", "of one batch"),
    DURATION_OPTION(struct setting_policy, window_grace_ms, "window_grace", "30m", "to finish step 2 after a window has closed"),
    DURATION_OPTION(struct setting_policy, observe_ms, "observe", "24h", "length of step 6"),
    DURATION_OPTION(struct setting_policy, sample_every_ms, "sample_every", "15s", "how often metrics are asked for"),
    DURATION_OPTION(struct setting_policy, blame_window_ms, "blame_window", "24h", "how long after a change an alert is held against it"),
    DURATION_OPTION(struct setting_policy, auto_resume_ms, "auto_resume", "0s", "after a warning was resolved; 0s: only by resume"),
    DURATION_OPTION(struct setting_policy, stage_max_ms, "stage_max", "24h", "by then a stage has its samples, or it is blocked"),
    DURATION_OPTION(struct setting_policy, gate_deadline_ms, "gate_deadline", "24h", "for the person who opens the next stage"),
    DURATION_OPTION(struct setting_policy, flag_timeout_ms, "flag_timeout", "10s", "longest timeout of a flag provider"),
    BOOL_OPTION(struct setting_policy, require_flags, "require_flags", "true", "false: a feature may bring no flag"),
    LIST_OPTION(struct setting_policy, acceptance_roles, "acceptance_roles", "", "who must have signed off the acceptance, each of them"),
    OPTIONS_END,
};
static const struct option coverage_table[] = {
    MICRO_OPTION(struct policy_options, coverage_micro, "coverage", "95%", "share of step 6's samples that must be there"),
    OPTIONS_END,
};
static const struct option deadline_table[] = {
    DURATION_OPTION(struct setting_policy, input_deadline_ms, "input", "7d", "for missing inputs"),
    DURATION_OPTION(struct setting_policy, review_deadline_ms, "review", "24h", "for approvals"),
    DURATION_OPTION(struct setting_policy, queue_deadline_ms, "queue", "7d", "for window and lane"),
    DURATION_OPTION(struct setting_policy, hold_deadline_ms, "hold", "24h", "of a hold"),
    DURATION_OPTION(struct setting_policy, reminder_ms, "reminder", "4h", "between reminders"),
    OPTIONS_END,
};
static const struct option approval_table[] = {
    TEXT_OPTION(Pb__ApprovalSpec, role, "role", NULL, "a configured role"),
    COUNT_OPTION(Pb__ApprovalSpec, needed, "needed", "1", "how many of it approve the plan"),
    OPTIONS_END,
};
static const struct option signoff_table[] = {
    TEXT_OPTION(Pb__SignOffSpec, role, "role", NULL, "a configured role"),
    COUNT_OPTION(Pb__SignOffSpec, step, "step", NULL, "2 execution, 3 validation, 6 monitoring"),
    TEXT_OPTION(Pb__SignOffSpec, what, "what", "", "what is signed for"),
    OPTIONS_END,
};
struct channel_options {
    const char *channel;
    const char *purpose;
    bool required;
};
static const struct option channel_table[] = {
    TEXT_OPTION(struct channel_options, channel, "channel", NULL, "a configured channel"),
    TEXT_OPTION(struct channel_options, purpose, "purpose", NULL, "a check of step 7, such as notify.deployment; or page, blocked"),
    BOOL_OPTION(struct channel_options, required, "required", "true", "false: best effort"),
    OPTIONS_END,
};
static const struct word closed_window_words[] = {
    { "finish",   PB__ON_CLOSED_WINDOW__FINISH },
    { "hold",     PB__ON_CLOSED_WINDOW__HOLD },
    { "rollback", PB__ON_CLOSED_WINDOW__ROLLBACK },
    { NULL, 0 },
};
static const struct word freeze_words[] = {
    { "hold",     PB__ON_CLOSED_WINDOW__HOLD },
    { "rollback", PB__ON_CLOSED_WINDOW__ROLLBACK },
    { NULL, 0 },
};
/* clang-format on */

static struct named roles_of(const struct settings *settings)
{
    return NAMED("role", settings->roles, settings->role_count);
}

static void **room_for(struct settings_reader *reader, const struct yaml_node *list)
{
    return arena_alloc(reader->arena, list->count * sizeof(void *));
}

static void read_approvals(struct settings_reader *reader,
                           const struct yaml_node *node,
                           struct setting_policy *policy)
{
    const struct yaml_node *const list =
        field_list(node, "approvals", POLICY_LISTS_MAX, reader->problems);

    if (list == NULL)
        return;
    policy->approvals = (Pb__ApprovalSpec **)room_for(reader, list);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *const item = list->items[i];
        Pb__ApprovalSpec *const spec = pb_new(reader->arena, &pb__approval_spec__descriptor);
        const struct setting_role *role;

        if (options_read(approval_table, item, spec, reader->problems) != ERR_OK)
            continue;
        policy->approvals[policy->approval_count++] = spec;
        check_positive(reader, item, "needed", spec->needed);
        if (!check_reference(reader, yaml_find(item, "role"), roles_of(reader->settings)))
            continue;
        role = named_find(roles_of(reader->settings), spec->role);
        if (spec->needed > role->members.count)
            (void)yaml_complain(reader->problems,
                                yaml_find(item, "needed"),
                                "no more than the role has members",
                                "%s needs %u of %s, which has %zu",
                                item->path,
                                spec->needed,
                                spec->role,
                                role->members.count);
    }
}

/* The procedure asks for three sign-offs: execution, validation and monitoring. */
static void check_signoffs(struct settings_reader *reader,
                           const struct yaml_node *node,
                           const struct setting_policy *policy)
{
    static const uint32_t steps[] = { 2, 3, 6 };
    const struct yaml_node *const at = yaml_find(node, "signoffs");

    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        bool found = false;

        for (size_t i = 0; i < policy->signoff_count; i++)
            found = found || policy->signoffs[i]->step == steps[s];
        if (!found)
            (void)yaml_complain(reader->problems,
                                at != NULL ? at : node,
                                "{role: ..., step: 2}, 3 and 6",
                                "%s.signoffs has none for step %u",
                                node->path,
                                steps[s]);
    }
}

static void read_signoffs(struct settings_reader *reader,
                          const struct yaml_node *node,
                          struct setting_policy *policy)
{
    const struct yaml_node *const list =
        field_list(node, "signoffs", POLICY_LISTS_MAX, reader->problems);

    policy->signoff_count = 0;
    policy->signoffs = list != NULL ? (Pb__SignOffSpec **)room_for(reader, list) : NULL;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const struct yaml_node *const item = list->items[i];
        Pb__SignOffSpec *const spec = pb_new(reader->arena, &pb__sign_off_spec__descriptor);

        if (options_read(signoff_table, item, spec, reader->problems) != ERR_OK)
            continue;
        policy->signoffs[policy->signoff_count++] = spec;
        (void)check_reference(reader, yaml_find(item, "role"), roles_of(reader->settings));
        if (spec->step != 2 && spec->step != 3 && spec->step != 6)
            (void)yaml_complain(reader->problems,
                                yaml_find(item, "step"),
                                "one of: 2, 3, 6",
                                "%s.step is %u",
                                item->path,
                                spec->step);
    }
    check_signoffs(reader, node, policy);
}

static void read_checks(struct settings_reader *reader,
                        const struct yaml_node *node,
                        struct setting_policy *policy)
{
    const struct settings *const settings = reader->settings;
    const struct yaml_node *const list =
        field_list(node, "checks", SETTINGS_CHECKS_MAX, reader->problems);

    if (list == NULL)
        return;
    policy->checks = (Pb__CheckBinding **)room_for(reader, list);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *const item = list->items[i];
        Pb__CheckBinding *const binding = binding_read(item, reader->problems);

        if (binding == NULL)
            continue;
        policy->checks[policy->check_count++] = binding;
        (void)check_reference(reader,
                              yaml_find(item, "probe"),
                              NAMED("probe", settings->probes, settings->probe_count));
        (void)check_reference(reader, yaml_find(item, "attest"), roles_of(settings));
    }
}

static void read_metrics(struct settings_reader *reader,
                         const struct yaml_node *node,
                         struct setting_policy *policy)
{
    const struct settings *const settings = reader->settings;
    const struct yaml_node *const list =
        field_list(node, "metrics", POLICY_LISTS_MAX, reader->problems);

    if (list == NULL)
        return;
    policy->metrics = (Pb__MetricCriterion **)room_for(reader, list);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *const item = list->items[i];
        Pb__MetricCriterion *const criterion = criterion_read(item, reader->problems);

        if (criterion == NULL)
            continue;
        policy->metrics[policy->metric_count++] = criterion;
        (void)check_reference(
            reader,
            yaml_find(item, "source"),
            NAMED("metric source", settings->metric_sources, settings->metric_source_count));
        for (size_t k = 0; k + 1 < policy->metric_count; k++)
            if (strcmp(policy->metrics[k]->name, criterion->name) == 0)
                (void)yaml_complain(reader->problems,
                                    yaml_find(item, "name"),
                                    "each name once",
                                    "%s.name is %s, which an earlier one has",
                                    item->path,
                                    criterion->name);
    }
}

static void read_channel_uses(struct settings_reader *reader,
                              const struct yaml_node *node,
                              struct setting_policy *policy)
{
    const struct settings *const settings = reader->settings;
    const struct yaml_node *const list =
        field_list(node, "channels", POLICY_LISTS_MAX, reader->problems);

    if (list == NULL)
        return;
    policy->channels = (Pb__ChannelUse **)room_for(reader, list);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *const item = list->items[i];
        Pb__ChannelUse *const use = pb_new(reader->arena, &pb__channel_use__descriptor);
        struct channel_options options = { 0 };

        if (options_read(channel_table, item, &options, reader->problems) != ERR_OK)
            continue;
        use->channel = options.channel;
        use->purpose = options.purpose;
        use->required = options.required;
        policy->channels[policy->channel_count++] = use;
        (void)check_reference(reader,
                              yaml_find(item, "channel"),
                              NAMED("channel", settings->channels, settings->channel_count));
    }
}

static void read_window_names(struct settings_reader *reader,
                              const struct yaml_node *node,
                              struct setting_policy *policy)
{
    const struct settings *const settings = reader->settings;
    const struct yaml_node *const list =
        field_list(node, "windows", POLICY_LISTS_MAX, reader->problems);

    if (list == NULL)
        return;
    policy->windows = arena_alloc(reader->arena, list->count * sizeof *policy->windows);
    for (size_t i = 0; i < list->count; i++)
        if (check_reference(reader,
                            list->items[i],
                            NAMED("window", settings->windows, settings->window_count)))
            policy->windows[policy->window_count++] = list->items[i]->text;
}

static void read_coverage(struct settings_reader *reader,
                          const struct yaml_node *node,
                          struct setting_policy *policy)
{
    struct policy_options options = { 0 };

    if (options_read(coverage_table, node, &options, reader->problems) != ERR_OK)
        return;
    if (options.coverage_micro <= 0 ||
        options.coverage_micro > (int64_t)COVERAGE_BP_MAX * COVERAGE_MICRO_A_BP)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "coverage"),
                            "more than 0 %, at most 100 %",
                            "%s.coverage is %s",
                            node->path,
                            yaml_text(yaml_find(node, "coverage")));
    else
        policy->coverage_bp = (uint32_t)(options.coverage_micro / COVERAGE_MICRO_A_BP);
}

static void check_numbers(struct settings_reader *reader,
                          const struct yaml_node *node,
                          const struct setting_policy *policy)
{
    const struct yaml_node *const deadlines = yaml_find(node, "deadlines");
    const struct yaml_node *const at = deadlines != NULL ? deadlines : node;
    const struct yaml_node *const approach = yaml_find(node, "approach");

    check_positive(reader, node, "canary_instances", policy->canary_instances);
    check_positive(reader, node, "batch_size", policy->batch_size);
    check_positive(reader, node, "change_timeout", policy->change_timeout_ms);
    check_positive(reader, node, "observe", policy->observe_ms);
    check_positive(reader, node, "sample_every", policy->sample_every_ms);
    check_positive(reader, node, "stage_max", policy->stage_max_ms);
    check_positive(reader, node, "gate_deadline", policy->gate_deadline_ms);
    check_positive(reader, node, "flag_timeout", policy->flag_timeout_ms);
    check_positive(reader, at, "input", policy->input_deadline_ms);
    check_positive(reader, at, "review", policy->review_deadline_ms);
    check_positive(reader, at, "queue", policy->queue_deadline_ms);
    check_positive(reader, at, "hold", policy->hold_deadline_ms);
    check_positive(reader, at, "reminder", policy->reminder_ms);
    if (policy->observe_ms > 0 && policy->sample_every_ms > policy->observe_ms)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "sample_every"),
                            "less than observe",
                            "%s.sample_every is longer than step 6",
                            node->path);
    if (approach != NULL)
        (void)field_word(node, "approach", approach_words + 1, reader->problems);
}

static void read_policy(struct settings_reader *reader,
                        const struct yaml_node *node,
                        void *item)
{
    struct setting_policy *const policy = item;
    bool complete;

    policy->node = node;
    complete = options_read(policy_table, node, policy, reader->problems) == ERR_OK;
    (void)options_read(deadline_table, yaml_get(node, "deadlines"), policy, reader->problems);
    policy->on_closed_window = (Pb__OnClosedWindow)field_word(
        node, "on_closed_window", closed_window_words, reader->problems);
    policy->on_freeze =
        (Pb__OnClosedWindow)field_word(node, "on_freeze", freeze_words, reader->problems);
    read_coverage(reader, node, policy);
    read_approvals(reader, node, policy);
    read_signoffs(reader, node, policy);
    read_window_names(reader, node, policy);
    read_policy_steps(reader, node, policy);
    read_metrics(reader, node, policy);
    read_channel_uses(reader, node, policy);
    read_checks(reader, node, policy);
    if (complete) /* Otherwise a 0 may stand for what could not be read. */
        check_numbers(reader, node, policy);
}

/* Environments and targets stand before what they name: look again when all is known. */
static void check_environments(struct settings_reader *reader, const struct yaml_node *root)
{
    const struct settings *const settings = reader->settings;
    const struct yaml_node *const environments = yaml_find(root, "environments");
    const struct yaml_node *const targets = yaml_find(root, "targets");

    for (size_t i = 0; i < settings->environment_count; i++) {
        const struct yaml_node *const node = environments->items[i];

        (void)check_reference(reader,
                              yaml_find(node, "policy"),
                              NAMED("policy", settings->policies, settings->policy_count));
        (void)check_reference(reader,
                              yaml_find(node, "provider"),
                              NAMED("provider", settings->providers, settings->provider_count));
    }
    for (size_t i = 0; i < settings->target_count; i++)
        (void)check_reference(
            reader,
            yaml_find(targets->items[i], "environment"),
            NAMED("environment", settings->environments, settings->environment_count));
}

void read_policies(struct settings_reader *reader, const struct yaml_node *root)
{
    static const struct list_spec policies = { "policies",
                                               sizeof(struct setting_policy),
                                               read_policy };
    struct settings *const settings = reader->settings;

    settings->policies = read_items(reader, root, &policies, &settings->policy_count);
    check_environments(reader, root);
}
