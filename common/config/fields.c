#include "common/config/fields.h"

#include "common/base/text.h"
#include "common/wire/digest.h"

#include <string.h>

enum { NAME_LENGTH_MAX = 63 };

/* clang-format off */
const struct word approach_words[] = {
    { "", 0 }, { "blue-green", 1 }, { "canary", 2 }, { "rolling", 3 }, { NULL, 0 },
};
const struct word artifact_words[] = {
    { "infrastructure",  PB__ARTIFACT_KIND__INFRASTRUCTURE },
    { "third_party",     PB__ARTIFACT_KIND__THIRD_PARTY },
    { "migration",       PB__ARTIFACT_KIND__MIGRATION },
    { "configuration",   PB__ARTIFACT_KIND__CONFIGURATION },
    { "environment",     PB__ARTIFACT_KIND__ENVIRONMENT },
    { "flag_definition", PB__ARTIFACT_KIND__FLAG_DEFINITION },
    { "backend",         PB__ARTIFACT_KIND__BACKEND },
    { "middleware",      PB__ARTIFACT_KIND__MIDDLEWARE },
    { "frontend",        PB__ARTIFACT_KIND__FRONTEND },
    { NULL, 0 },
};
const struct word on_rollback_words[] = {
    { "revert", PB__ON_ROLLBACK__REVERT },
    { "keep",   PB__ON_ROLLBACK__KEEP },
    { "manual", PB__ON_ROLLBACK__MANUAL },
    { NULL, 0 },
};
static const struct word no_data_words[] = {
    { "",      PB__NO_DATA_RULE__NO_DATA_RULE_UNSPECIFIED },
    { "holds", PB__NO_DATA_RULE__NO_DATA_HOLDS },
    { "fails", PB__NO_DATA_RULE__NO_DATA_FAILS },
    { NULL, 0 },
};
/* clang-format on */

const struct yaml_node *field_list(const struct yaml_node *mapping,
                                   const char *key,
                                   size_t max,
                                   struct yaml_problems *problems)
{
    const struct yaml_node *const list = yaml_get(mapping, key);

    if (list == NULL || (list->kind == YAML_SCALAR && *list->text == '\0' && !list->quoted))
        return NULL;
    if (list->kind != YAML_SEQUENCE) {
        (void)yaml_complain(problems, list, "a list", "%s is no list", list->path);
        return NULL;
    }
    if (list->count > max) {
        (void)yaml_complain(problems,
                            list,
                            arena_printf(problems->arena, "at most %zu", max),
                            "%s has %zu entries",
                            list->path,
                            list->count);
        return NULL;
    }
    return list;
}

const char *words_listed(struct arena *arena, const struct word *words)
{
    char bytes[256];
    struct text text = text_over(bytes, sizeof bytes);

    for (; words->text != NULL; words++)
        if (*words->text != '\0')
            text_add(&text, "%s%s", text.length > 0 ? ", " : "", words->text);
    return arena_text(arena, bytes);
}

int field_word(const struct yaml_node *mapping,
               const char *key,
               const struct word *words,
               struct yaml_problems *problems)
{
    const struct yaml_node *const value = yaml_get(mapping, key);

    if (value == NULL)
        return words->value;
    for (const struct word *word = words; word->text != NULL; word++)
        if (value->kind == YAML_SCALAR && strcmp(word->text, value->text) == 0)
            return word->value;
    (void)yaml_complain(
        problems,
        value,
        arena_printf(problems->arena, "one of: %s", words_listed(problems->arena, words)),
        "%s is %.60s",
        value->path,
        value->kind == YAML_SCALAR ? value->text : "no word");
    return words->value;
}

bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const size_t length = strlen(text);

    return length > 0 && length <= NAME_LENGTH_MAX && strchr(letters, text[0]) != NULL &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length;
}

Pb__Digest *digest_read(struct arena *arena, const char *text)
{
    static const char prefix[] = "sha256:";
    const char *const hex = text + sizeof prefix - 1;
    Pb__Digest *digest;

    if (strncmp(text, prefix, sizeof prefix - 1) != 0 || strlen(hex) != DIGEST_HEX_SIZE - 1 ||
        strspn(hex, "0123456789abcdef") != DIGEST_HEX_SIZE - 1)
        return NULL;
    digest = pb_new(arena, &pb__digest__descriptor);
    digest->algorithm = "sha256";
    digest->value = arena_text(arena, hex);
    return digest;
}

/* Exactly one of at_most and at_least. */
static enum err read_limit(const struct yaml_node *node,
                           Pb__MetricCriterion *criterion,
                           struct yaml_problems *problems)
{
    const struct yaml_node *const most = yaml_get(node, "at_most");
    const struct yaml_node *const least = yaml_get(node, "at_least");
    const struct yaml_node *const limit = most != NULL ? most : least;

    if ((most == NULL) == (least == NULL))
        return yaml_complain(problems,
                             node,
                             "at_most or at_least",
                             "%s has %s limit",
                             node->path,
                             most == NULL ? "no" : "more than one");
    criterion->comparison = most != NULL ? PB__COMPARISON__AT_MOST : PB__COMPARISON__AT_LEAST;
    if (option_micro(yaml_text(limit), &criterion->limit_micro) != ERR_OK)
        return yaml_complain(problems,
                             limit,
                             "a decimal number with at most six places, such as 0.01",
                             "%s is %.60s",
                             limit->path,
                             yaml_text(limit));
    return ERR_OK;
}

struct criterion_options {
    const char *name;
    const char *source;
    const char *query;
    const char *unit;
    const char *check;
    bool required;
    bool critical;
    bool samples;
};

/* clang-format off */
static const struct option criterion_table[] = {
    TEXT_OPTION(struct criterion_options, name, "name", NULL, "what the number is called"),
    TEXT_OPTION(struct criterion_options, source, "source", NULL, "a configured metric source"),
    TEXT_OPTION(struct criterion_options, query, "query", NULL, "in the language of the source"),
    TEXT_OPTION(struct criterion_options, unit, "unit", "", "for people: ratio, ms, requests"),
    TEXT_OPTION(struct criterion_options, check, "check", "", "the check it answers"),
    BOOL_OPTION(struct criterion_options, required, "required", "true", "false: only looked at"),
    BOOL_OPTION(struct criterion_options, critical, "critical", "false", "a breach while monitoring stops the deployment"),
    BOOL_OPTION(struct criterion_options, samples, "samples", "false", "its value is the number of samples seen"),
    OPTIONS_END,
};
/* clang-format on */

static bool is_metric_name(const char *name)
{
    const size_t length = strlen(name);

    return length > 0 && length <= NAME_LENGTH_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

Pb__MetricCriterion *criterion_read(const struct yaml_node *node,
                                    struct yaml_problems *problems)
{
    Pb__MetricCriterion *const criterion =
        pb_new(problems->arena, &pb__metric_criterion__descriptor);
    struct criterion_options options = { 0 };
    const size_t errors = problems->errors;

    (void)options_read(criterion_table, node, &options, problems);
    (void)read_limit(node, criterion, problems);
    criterion->no_data = (Pb__NoDataRule)field_word(node, "no_data", no_data_words, problems);
    if (problems->errors > errors)
        return NULL;
    if (!is_metric_name(options.name)) {
        (void)yaml_complain(problems,
                            yaml_find(node, "name"),
                            "lower-case letters, digits, _ and -",
                            "%s.name is %.60s",
                            node->path,
                            options.name);
        return NULL;
    }
    criterion->name = options.name;
    criterion->source = options.source;
    criterion->query = options.query;
    criterion->unit = options.unit;
    criterion->check = options.check;
    criterion->required = options.required;
    criterion->critical = options.critical;
    criterion->samples = options.samples;
    return criterion;
}

struct binding_options {
    const char *check;
    const char *probe;
    const char *attest;
    const char *not_applicable;
    const char *service;
    bool warn_ok;
};

/* clang-format off */
static const struct option binding_table[] = {
    TEXT_OPTION(struct binding_options, check, "check", NULL, "a check of the procedure, such as smoke.api"),
    TEXT_OPTION(struct binding_options, probe, "probe", "", "a configured probe answers it"),
    TEXT_OPTION(struct binding_options, attest, "attest", "", "a person of that role answers it"),
    TEXT_OPTION(struct binding_options, not_applicable, "not_applicable", "", "why it does not apply"),
    TEXT_OPTION(struct binding_options, service, "service", "", "only for features of that service"),
    BOOL_OPTION(struct binding_options, warn_ok, "warn_ok", "false", "a WARN counts as PASS; alone, of a check that Slipway answers itself"),
    OPTIONS_END,
};
/* clang-format on */

Pb__CheckBinding *binding_read(const struct yaml_node *node, struct yaml_problems *problems)
{
    Pb__CheckBinding *const binding = pb_new(problems->arena, &pb__check_binding__descriptor);
    struct binding_options options = { 0 };
    unsigned answers;

    if (options_read(binding_table, node, &options, problems) != ERR_OK)
        return NULL;
    answers = (*options.probe != '\0' ? 1U : 0U) + (*options.attest != '\0' ? 1U : 0U) +
              (*options.not_applicable != '\0' ? 1U : 0U);
    if (answers != 1 && !(answers == 0 && options.warn_ok)) {
        (void)yaml_complain(problems,
                            node,
                            "one of: probe, attest, not_applicable",
                            "%s has %s",
                            node->path,
                            answers == 0 ? "no answer" : "more than one answer");
        return NULL;
    }
    binding->check = options.check;
    binding->probe = options.probe;
    binding->attest_role = options.attest;
    binding->not_applicable = options.not_applicable;
    binding->service = options.service;
    binding->warn_ok = options.warn_ok;
    return binding;
}
