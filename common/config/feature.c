#include "common/config/feature.h"

#include "common/config/feature_measure.h"
#include "common/config/fields.h"
#include "common/wire/envelope.h"

#include <string.h>

struct reader {
    struct arena *arena;
    struct yaml_problems *problems;
    const struct feature_file *file;
    Pb__AcceptanceSignedOff *acceptance;
};

/* Fields of their own type in the message; the tables fill the message itself. */
struct artifact_options {
    const char *digest;
};
struct stage_options {
    int64_t min_ms;
    uint32_t min_samples;
};
struct report_options {
    const char *link;
    const char *digest;
    bool accepted;
    bool criteria_met;
    struct option_texts criteria;
};
struct signoff_options {
    const char *subject;
    const char *role;
    const char *at;
};
struct list_options {
    struct option_texts services;
    struct option_texts risks;
    struct option_texts unknowns;
    bool artifacts_ready;
};
struct document_options {
    const char *kind;
    const char *link;
    const char *digest;
};

/* clang-format off */
static const struct option heading_table[] = {
    TEXT_OPTION(Pb__AcceptanceSignedOff, feature, "feature", NULL, "lower-case letters, digits and -"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, title, "title", "", "one line for people"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, environment, "environment", NULL, "a configured environment"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, policy, "policy", "", "a configured policy; absent: the environment's"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, ticket, "ticket", "", "the feature's ticket, SHOP-4182"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, approach, "approach", "", "blue-green, canary, rolling; absent: the policy's"),
    TEXT_OPTION(Pb__AcceptanceSignedOff, team, "team", "", "who is paged and gets the lessons"),
    OPTIONS_END,
};
static const struct option list_table[] = {
    LIST_OPTION(struct list_options, services, "services", NULL, "the services it changes"),
    LIST_OPTION(struct list_options, risks, "risks", "", "what may go wrong"),
    LIST_OPTION(struct list_options, unknowns, "unknowns", "", "what nobody knows yet"),
    BOOL_OPTION(struct list_options, artifacts_ready, "artifacts_ready", "false", "the decision that artifacts are prepared"),
    OPTIONS_END,
};
static const struct option report_table[] = {
    BOOL_OPTION(struct report_options, accepted, "accepted", "false", "the decision: feature accepted"),
    BOOL_OPTION(struct report_options, criteria_met, "criteria_met", "false", "every acceptance criterion is met"),
    LIST_OPTION(struct report_options, criteria, "criteria", "", "the acceptance criteria"),
    OPTIONS_END,
};
static const struct option report_link_table[] = {
    TEXT_OPTION(struct report_options, link, "link", "", "where the acceptance report is"),
    TEXT_OPTION(struct report_options, digest, "digest", "", "sha256: of the report"),
    OPTIONS_END,
};
static const struct option signoff_table[] = {
    TEXT_OPTION(struct signoff_options, subject, "subject", NULL, "who signed"),
    TEXT_OPTION(struct signoff_options, role, "role", NULL, "in which role"),
    TEXT_OPTION(struct signoff_options, at, "at", "", "when, RFC 3339"),
    OPTIONS_END,
};
static const struct option artifact_table[] = {
    TEXT_OPTION(Pb__Artifact, name, "name", NULL, "what it is called"),
    TEXT_OPTION(Pb__Artifact, version, "version", NULL, "its version"),
    TEXT_OPTION(Pb__Artifact, target, "target", NULL, "a configured target"),
    TEXT_OPTION(Pb__Artifact, source, "source", NULL, "file or folder below the target's artifact root"),
    TEXT_OPTION(Pb__Artifact, note, "note", "", "for the reader of the plan"),
    TEXT_OPTION(Pb__Artifact, way_back, "way_back", "", "what a person does where on_rollback is manual"),
    OPTIONS_END,
};
static const struct option artifact_digest_table[] = {
    TEXT_OPTION(struct artifact_options, digest, "digest", NULL, "sha256: and 64 hexadecimal digits, or auto"),
    OPTIONS_END,
};
static const struct option flag_table[] = {
    TEXT_OPTION(Pb__FlagSpec, key, "key", NULL, "the flag's key"),
    TEXT_OPTION(Pb__FlagSpec, description, "description", "", "what it switches"),
    TEXT_OPTION(Pb__FlagSpec, provider, "provider", "", "a configured provider; absent: the environment's"),
    OPTIONS_END,
};
static const struct option stage_table[] = {
    TEXT_OPTION(Pb__RolloutStage, name, "name", NULL, "what the stage is called"),
    PERCENT_OPTION(Pb__RolloutStage, percent, "percent", NULL, "of users, more than the stage before"),
    TEXT_OPTION(Pb__RolloutStage, audience, "audience", "", "key=value: users who are in at any percentage"),
    TEXT_OPTION(Pb__RolloutStage, gate_role, "gate", "", "a role that opens the next stage"),
    OPTIONS_END,
};
static const struct option stage_number_table[] = {
    DURATION_OPTION(struct stage_options, min_ms, "min_time", "0s", "how long it is watched at least"),
    COUNT_OPTION(struct stage_options, min_samples, "min_samples", "0", "how many samples it needs"),
    OPTIONS_END,
};
static const struct option document_table[] = {
    TEXT_OPTION(struct document_options, kind, "kind", NULL, "deployment_steps, configuration, rollback, runbook, requirements, observability"),
    TEXT_OPTION(struct document_options, link, "link", NULL, "where it is"),
    TEXT_OPTION(struct document_options, digest, "digest", "", "sha256: of its text"),
    OPTIONS_END,
};
static const struct option test_table[] = {
    TEXT_OPTION(Pb__TestResult, suite, "suite", NULL, "which tests"),
    COUNT_OPTION(Pb__TestResult, passed, "passed", NULL, "how many passed"),
    COUNT_OPTION(Pb__TestResult, failed, "failed", NULL, "how many failed"),
    TEXT_OPTION(Pb__TestResult, link, "link", "", "where the results are"),
    OPTIONS_END,
};
static const struct option dashboard_table[] = {
    TEXT_OPTION(Pb__Link, title, "title", NULL, "what it shows"),
    TEXT_OPTION(Pb__Link, url, "url", NULL, "where it is"),
    OPTIONS_END,
};
/* clang-format on */

/* What options_read left out after a complaint. */
static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static Pb__Digest *read_digest(struct reader *reader,
                               const struct yaml_node *node,
                               const char *text)
{
    Pb__Digest *digest;

    if (text == NULL || *text == '\0')
        return NULL;
    digest = digest_read(reader->arena, text);
    if (digest == NULL)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "digest"),
                            "sha256: and 64 hexadecimal digits",
                            "%s.digest is %.80s",
                            node->path,
                            text);
    return digest;
}

static void read_artifact(struct reader *reader, const struct yaml_node *node)
{
    Pb__Artifact *const artifact = pb_new(reader->arena, &pb__artifact__descriptor);
    struct artifact_options options = { 0 };

    PB_APPEND(reader->arena, reader->acceptance, artifacts, artifact);
    (void)options_read(artifact_table, node, artifact, reader->problems);
    (void)options_read(artifact_digest_table, node, &options, reader->problems);
    if (yaml_get(node, "kind") != NULL)
        artifact->kind =
            (Pb__ArtifactKind)field_word(node, "kind", artifact_words, reader->problems);
    if (yaml_get(node, "on_rollback") != NULL || artifact->kind != PB__ARTIFACT_KIND__MIGRATION)
        artifact->on_rollback = (Pb__OnRollback)field_word(
            node, "on_rollback", on_rollback_words, reader->problems);
    artifact->digest = options.digest != NULL && strcmp(options.digest, "auto") == 0
                           ? feature_measure(reader->problems, reader->file, node, artifact)
                           : read_digest(reader, node, options.digest);
}

static void read_flag(struct reader *reader, const struct yaml_node *node)
{
    Pb__FlagSpec *const flag = pb_new(reader->arena, &pb__flag_spec__descriptor);

    PB_APPEND(reader->arena, reader->acceptance, flags, flag);
    (void)options_read(flag_table, node, flag, reader->problems);
}

static void read_stage(struct reader *reader, const struct yaml_node *node)
{
    Pb__RolloutStage *const stage = pb_new(reader->arena, &pb__rollout_stage__descriptor);
    const struct yaml_node *const criteria =
        field_list(node, "criteria", ACCEPTANCE_METRICS_MAX, reader->problems);
    struct stage_options options = { 0 };

    PB_APPEND(reader->arena, reader->acceptance, rollout, stage);
    (void)options_read(stage_table, node, stage, reader->problems);
    (void)options_read(stage_number_table, node, &options, reader->problems);
    stage->min_ms = options.min_ms;
    stage->min_samples = options.min_samples;
    for (size_t i = 0; criteria != NULL && i < criteria->count; i++) {
        Pb__MetricCriterion *const criterion =
            criterion_read(criteria->items[i], reader->problems);

        if (criterion != NULL)
            PB_APPEND(reader->arena, stage, criteria, criterion);
    }
}

static void read_metric(struct reader *reader, const struct yaml_node *node)
{
    Pb__MetricCriterion *const criterion = criterion_read(node, reader->problems);

    if (criterion != NULL)
        PB_APPEND(reader->arena, reader->acceptance, metrics, criterion);
}

static void read_check(struct reader *reader, const struct yaml_node *node)
{
    Pb__CheckBinding *const binding = binding_read(node, reader->problems);

    if (binding != NULL)
        PB_APPEND(reader->arena, reader->acceptance, checks, binding);
}

static void read_document(struct reader *reader, const struct yaml_node *node)
{
    Pb__Document *const document = pb_new(reader->arena, &pb__document__descriptor);
    struct document_options options = { 0 };

    PB_APPEND(reader->arena, reader->acceptance, documents, document);
    (void)options_read(document_table, node, &options, reader->problems);
    document->kind = or_empty(options.kind);
    document->link = or_empty(options.link);
    document->digest = read_digest(reader, node, options.digest);
}

static void read_test(struct reader *reader, const struct yaml_node *node)
{
    Pb__TestResult *const result = pb_new(reader->arena, &pb__test_result__descriptor);

    PB_APPEND(reader->arena, reader->acceptance, test_results, result);
    (void)options_read(test_table, node, result, reader->problems);
}

static void read_dashboard(struct reader *reader, const struct yaml_node *node)
{
    Pb__Link *const link = pb_new(reader->arena, &pb__link__descriptor);

    PB_APPEND(reader->arena, reader->acceptance, dashboards, link);
    link->kind = "dashboard";
    (void)options_read(dashboard_table, node, link, reader->problems);
}

static void read_signoff(struct reader *reader, const struct yaml_node *node)
{
    Pb__AcceptanceSignature *const signature =
        pb_new(reader->arena, &pb__acceptance_signature__descriptor);
    struct signoff_options options = { 0 };

    PB_APPEND(reader->arena, reader->acceptance->report, signoffs, signature);
    (void)options_read(signoff_table, node, &options, reader->problems);
    signature->subject = or_empty(options.subject);
    signature->role = or_empty(options.role);
    if (*or_empty(options.at) == '\0')
        return;
    signature->at_ms = envelope_parse_time(options.at);
    if (signature->at_ms < 0)
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "at"),
                            "a time such as \"2026-11-20T10:00:00Z\"",
                            "%s.at is %.40s",
                            node->path,
                            options.at);
}

typedef void read_entry_fn(struct reader *reader, const struct yaml_node *node);

static void read_list(struct reader *reader,
                      const struct yaml_node *mapping,
                      const char *key,
                      size_t max,
                      read_entry_fn *read)
{
    const struct yaml_node *const list = field_list(mapping, key, max, reader->problems);

    for (size_t i = 0; list != NULL && i < list->count; i++)
        read(reader, list->items[i]);
}

static void copy_texts(const struct option_texts *texts, const char ***ret, size_t *ret_count)
{
    *ret = texts->items;
    *ret_count = texts->count;
}

static void read_report(struct reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *const node = yaml_get(root, "acceptance");
    const struct yaml_node *const link = yaml_get(node, "report");
    struct report_options options = { 0 };
    Pb__AcceptanceReport *report;

    if (node == NULL)
        return;
    report = pb_new(reader->arena, &pb__acceptance_report__descriptor);
    reader->acceptance->report = report;
    (void)options_read(report_table, node, &options, reader->problems);
    report->accepted = options.accepted;
    report->criteria_met = options.criteria_met;
    copy_texts(&options.criteria, &report->criteria, &report->n_criteria);
    read_list(reader, node, "signoffs", ACCEPTANCE_LIST_MAX, read_signoff);
    if (link == NULL ||
        options_read(report_link_table, link, &options, reader->problems) != ERR_OK)
        return;
    report->link = or_empty(options.link);
    report->digest = read_digest(reader, link, options.digest);
}

static void read_root(struct reader *reader, const struct yaml_node *root)
{
    Pb__AcceptanceSignedOff *const acceptance = reader->acceptance;
    struct list_options lists = { 0 };

    (void)options_read(heading_table, root, acceptance, reader->problems);
    (void)options_read(list_table, root, &lists, reader->problems);
    acceptance->artifacts_ready = lists.artifacts_ready;
    copy_texts(&lists.services, &acceptance->services, &acceptance->n_services);
    copy_texts(&lists.risks, &acceptance->risks, &acceptance->n_risks);
    copy_texts(&lists.unknowns, &acceptance->unknowns, &acceptance->n_unknowns);
    read_report(reader, root);
    read_list(reader, root, "artifacts", ACCEPTANCE_ARTIFACTS_MAX, read_artifact);
    read_list(reader, root, "flags", ACCEPTANCE_FLAGS_MAX, read_flag);
    read_list(reader, root, "rollout", ACCEPTANCE_STAGES_MAX, read_stage);
    read_list(reader, root, "metrics", ACCEPTANCE_METRICS_MAX, read_metric);
    read_list(reader, root, "documents", ACCEPTANCE_LIST_MAX, read_document);
    read_list(reader, root, "dashboards", ACCEPTANCE_LIST_MAX, read_dashboard);
    read_list(reader, root, "test_results", ACCEPTANCE_LIST_MAX, read_test);
    read_list(reader, root, "checks", ACCEPTANCE_CHECKS_MAX, read_check);
}

/* Tells the rules' problems where they stand in the file. */
struct teller {
    struct reader *reader;
    const struct yaml_node *root;
    size_t errors; /* Before this file was read. */
    size_t first;  /* The reader's own problems. */
    size_t last;
};

/* Has the reader complained of that place already? Then the rule's word is an echo. */
static bool is_echo(const struct teller *teller,
                    const struct yaml_node *node,
                    const struct acceptance_problem *problem)
{
    const struct yaml_problems *const problems = teller->reader->problems;
    const char *const last = strrchr(problem->field, '.');

    if (strcmp(problem->what, "is missing") == 0 && last != NULL &&
        yaml_find(feature_node(teller->root,
                               arena_printf(teller->reader->arena,
                                            "%.*s",
                                            (int)(last - problem->field),
                                            problem->field)),
                  last + 1) != NULL &&
        problems->errors > teller->errors)
        return true;
    for (size_t i = teller->first; i < teller->last; i++)
        if (problems->item[i].line == node->line && problems->item[i].column == node->column)
            return true;
    return false;
}

static void tell_at_node(void *self, const struct acceptance_problem *problem)
{
    const struct teller *const teller = self;
    const struct yaml_node *const node = feature_node(teller->root, problem->field);
    /* The words of the file, where it says the thing at all. */
    const bool absent = strcmp(problem->what, "is missing") == 0;
    const char *const in_report =
        absent && strncmp(problem->field, "report.", 7) == 0 ? "acceptance." : "";

    if (is_echo(teller, node, problem))
        return;
    (void)yaml_complain(teller->reader->problems,
                        node,
                        problem->expected,
                        "%s%s %s",
                        in_report,
                        absent ? problem->field : node->path,
                        problem->what);
}

Pb__AcceptanceSignedOff *feature_read_tree(struct arena *arena,
                                           const struct feature_file *file,
                                           struct yaml_problems *problems,
                                           const struct yaml_node **ret_root)
{
    const size_t errors = problems->errors;
    struct reader reader = {
        arena, problems, file, pb_new(arena, &pb__acceptance_signed_off__descriptor)
    };
    struct teller teller = { &reader, NULL, errors, problems->count, 0 };

    teller.root = yaml_parse(arena, file->name, file->bytes, file->length, problems);
    *ret_root = teller.root;
    if (teller.root == NULL)
        return NULL;
    if (teller.root->kind != YAML_MAPPING) {
        (void)yaml_complain(problems, teller.root, "feature: ...", "the file is no mapping");
        return NULL;
    }
    read_root(&reader, teller.root);
    yaml_complain_unused(problems, teller.root);
    teller.last = problems->count;
    acceptance_problems(arena, reader.acceptance, tell_at_node, &teller);
    return problems->errors == errors ? reader.acceptance : NULL;
}

Pb__AcceptanceSignedOff *feature_read(struct arena *arena,
                                      const char *name,
                                      const char *bytes,
                                      size_t length,
                                      const char *base_folder,
                                      struct yaml_problems *problems)
{
    const struct feature_file file = {
        .name = name, .bytes = bytes, .length = length, .base_folder = base_folder
    };
    const struct yaml_node *root;

    return feature_read_tree(arena, &file, problems, &root);
}
