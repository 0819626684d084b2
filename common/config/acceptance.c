/* The rules of an acceptance, for YAML, JSON and Kafka alike. */
#include "common/config/acceptance_rules.h"

#include "common/config/fields.h"
#include "common/wire/digest.h"

#include <string.h>

enum {
    TITLE_MAX = 200,
    SOURCE_MAX = 500,
    FULL_PERCENT = 100,
    STAGE_MS_MAX = 1000 * 3600 * 24 * 14, /* Longest least time of a stage: two weeks. */
};

static void check_name(const struct check *check, const char *field, const char *name)
{
    static const char expected[] = "lower-case letters, digits, - and ., at most 63";

    if (*name == '\0')
        tell(check, field, expected, "is missing");
    else if (!is_name(name))
        tell(check, field, expected, "is %.80s", name);
}

/* Links are shown to people: nothing a browser would run. */
static void check_link(const struct check *check, const char *field, const char *link)
{
    if (*link != '\0' && strncmp(link, "https://", 8) != 0 && strncmp(link, "http://", 7) != 0)
        tell(check, field, "an address that begins with https://", "is %.80s", link);
}

static void check_digest(const struct check *check, const char *field, const Pb__Digest *digest)
{
    static const char expected[] = "sha256: and 64 hexadecimal digits";

    if (digest == NULL)
        return;
    if (strcmp(digest->algorithm, "sha256") != 0)
        tell(check, field, expected, "has the algorithm %.40s", digest->algorithm);
    else if (strlen(digest->value) != DIGEST_HEX_SIZE - 1 ||
             strspn(digest->value, "0123456789abcdef") != DIGEST_HEX_SIZE - 1)
        tell(check, field, expected, "is %.80s", digest->value);
}

/* Below a root, whatever the root is: relative, without a way up, without control of a shell.
 */
static bool is_inside(const char *source)
{
    const char *part = source;

    if (*source == '/' || *source == '\0' || strlen(source) > SOURCE_MAX ||
        strchr(source, '\\') != NULL || strchr(source, ':') != NULL)
        return false;
    while (part != NULL) {
        const size_t length = strcspn(part, "/");

        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part = part[length] == '/' ? part + length + 1 : NULL;
    }
    return true;
}

static void check_rollback(const struct check *check,
                           const Pb__Artifact *artifact,
                           size_t index)
{
    static const char expected[] =
        "one of: revert, keep, manual (manual is a point of no return)";
    const bool migration = artifact->kind == PB__ARTIFACT_KIND__MIGRATION;
    const char *const name =
        pb_enum_name(&pb__on_rollback__descriptor, (int)artifact->on_rollback);

    if (artifact->on_rollback == PB__ON_ROLLBACK__ON_ROLLBACK_UNSPECIFIED && migration)
        tell(check, at(check, "artifacts", index, ".on_rollback"), expected, "is missing");
    else if (*name == '?')
        tell(check, at(check, "artifacts", index, ".on_rollback"), expected, "is unknown");
    if (artifact->on_rollback == PB__ON_ROLLBACK__MANUAL && *artifact->way_back == '\0')
        tell(check,
             at(check, "artifacts", index, ".way_back"),
             "what a person does to go back",
             "is missing");
}

static void check_artifact(const struct check *check,
                           const Pb__AcceptanceSignedOff *acceptance,
                           size_t index)
{
    const Pb__Artifact *const artifact = acceptance->artifacts[index];

    if (artifact->kind == PB__ARTIFACT_KIND__ARTIFACT_KIND_UNSPECIFIED ||
        *pb_enum_name(&pb__artifact_kind__descriptor, (int)artifact->kind) == '?')
        tell(check,
             at(check, "artifacts", index, ".kind"),
             arena_printf(
                 check->arena, "one of: %s", words_listed(check->arena, artifact_words)),
             "is missing");
    if (*artifact->name == '\0')
        tell(check, at(check, "artifacts", index, ".name"), "", "is missing");
    if (*artifact->version == '\0')
        tell(check, at(check, "artifacts", index, ".version"), "", "is missing");
    check_name(check, at(check, "artifacts", index, ".target"), artifact->target);
    if (artifact->digest == NULL)
        tell(check,
             at(check, "artifacts", index, ".digest"),
             "sha256: and 64 hexadecimal digits, or auto",
             "is missing");
    check_digest(check, at(check, "artifacts", index, ".digest"), artifact->digest);
    if (!is_inside(artifact->source))
        tell(check,
             at(check, "artifacts", index, ".source"),
             "a path below the target's artifact root, without ..",
             "is %.80s",
             *artifact->source != '\0' ? artifact->source : "missing");
    check_rollback(check, artifact, index);
    for (size_t i = 0; i < index; i++) {
        const Pb__Artifact *const other = acceptance->artifacts[i];

        if (other->kind == artifact->kind && pb_same(other->name, artifact->name) &&
            pb_same(other->target, artifact->target))
            tell(check,
                 at(check, "artifacts", index, ".name"),
                 "each artifact once for a target",
                 "is %.80s, as in artifacts[%zu]",
                 artifact->name,
                 i);
    }
}

static void check_flag(const struct check *check,
                       const Pb__AcceptanceSignedOff *acceptance,
                       size_t index)
{
    const Pb__FlagSpec *const flag = acceptance->flags[index];

    check_name(check, at(check, "flags", index, ".key"), flag->key);
    for (size_t i = 0; i < index; i++)
        if (pb_same(acceptance->flags[i]->key, flag->key))
            tell(check,
                 at(check, "flags", index, ".key"),
                 "each flag once",
                 "is %.80s, as in flags[%zu]",
                 flag->key,
                 i);
}

static void check_percent(const struct check *check,
                          const Pb__AcceptanceSignedOff *acceptance,
                          size_t index)
{
    const uint32_t percent = acceptance->rollout[index]->percent;
    const uint32_t before = index > 0 ? acceptance->rollout[index - 1]->percent : 0;
    const char *const field = at(check, "rollout", index, ".percent");
    const char *const expected =
        before < FULL_PERCENT ? arena_printf(check->arena, "more than %u, at most 100", before)
                              : "no stage after the one with 100";

    if (percent == 0 || percent > FULL_PERCENT)
        tell(check, field, expected, "is %u", percent);
    else if (percent < before)
        tell(check, field, expected, "is %u, below stage %zu (%u)", percent, index, before);
    else if (percent == before)
        tell(check, field, expected, "is %u, as in stage %zu", percent, index);
}

static void check_criterion(const struct check *check,
                            const char *path,
                            const Pb__MetricCriterion *criterion)
{
    check_name(check, arena_printf(check->arena, "%s.source", path), criterion->source);
    if (*criterion->name == '\0')
        tell(check, arena_printf(check->arena, "%s.name", path), "", "is missing");
    if (*criterion->query == '\0')
        tell(check, arena_printf(check->arena, "%s.query", path), "", "is missing");
    if (criterion->comparison != PB__COMPARISON__AT_MOST &&
        criterion->comparison != PB__COMPARISON__AT_LEAST)
        tell(check, path, "at_most or at_least", "has no limit");
}

static void check_stage(const struct check *check,
                        const Pb__AcceptanceSignedOff *acceptance,
                        size_t index)
{
    const Pb__RolloutStage *const stage = acceptance->rollout[index];
    const char *const equals = strchr(stage->audience, '=');

    if (*stage->name == '\0')
        tell(check, at(check, "rollout", index, ".name"), "", "is missing");
    check_percent(check, acceptance, index);
    if (*stage->audience != '\0' &&
        (equals == NULL || equals == stage->audience || equals[1] == '\0'))
        tell(check,
             at(check, "rollout", index, ".audience"),
             "key=value, such as group=staff",
             "is %.80s",
             stage->audience);
    if (stage->min_ms < 0 || stage->min_ms > STAGE_MS_MAX)
        tell(check,
             at(check, "rollout", index, ".min_ms"),
             "at most 14 days",
             "is %lld ms",
             (long long)stage->min_ms);
    for (size_t i = 0; i < stage->n_criteria; i++)
        check_criterion(check,
                        at(check, at(check, "rollout", index, ".criteria"), i, ""),
                        stage->criteria[i]);
}

static void check_binding(const struct check *check,
                          const Pb__CheckBinding *binding,
                          size_t index)
{
    const unsigned answers = (*binding->probe != '\0' ? 1U : 0U) +
                             (*binding->attest_role != '\0' ? 1U : 0U) +
                             (*binding->not_applicable != '\0' ? 1U : 0U);

    if (*binding->check == '\0')
        tell(check, at(check, "checks", index, ".check"), "", "is missing");
    if (answers != 1)
        tell(check,
             at(check, "checks", index, ""),
             "one of: probe, attest, not_applicable",
             "has %s",
             answers == 0 ? "no answer" : "more than one answer");
}

static void check_report(const struct check *check, const Pb__AcceptanceReport *report)
{
    if (report == NULL)
        return;
    check_link(check, "report.link", report->link);
    check_digest(check, "report.digest", report->digest);
    for (size_t i = 0; i < report->n_signoffs; i++) {
        if (*report->signoffs[i]->subject == '\0')
            tell(check, at(check, "report.signoffs", i, ".subject"), "", "is missing");
        if (*report->signoffs[i]->role == '\0')
            tell(check, at(check, "report.signoffs", i, ".role"), "", "is missing");
    }
}

static void check_links(const struct check *check, const Pb__AcceptanceSignedOff *acceptance)
{
    static const char *const kinds[] = { "deployment_steps", "configuration", "rollback",
                                         "runbook",          "requirements",  "observability" };

    for (size_t i = 0; i < acceptance->n_documents; i++) {
        const Pb__Document *const document = acceptance->documents[i];
        bool known = false;

        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            known = known || strcmp(document->kind, kinds[k]) == 0;
        if (!known)
            tell(check,
                 at(check, "documents", i, ".kind"),
                 "one of: deployment_steps, configuration, rollback, runbook, requirements, "
                 "observability",
                 "is %.60s",
                 *document->kind != '\0' ? document->kind : "missing");
        if (*document->link == '\0')
            tell(check, at(check, "documents", i, ".link"), "", "is missing");
        check_link(check, at(check, "documents", i, ".link"), document->link);
        check_digest(check, at(check, "documents", i, ".digest"), document->digest);
    }
    for (size_t i = 0; i < acceptance->n_test_results; i++)
        check_link(
            check, at(check, "test_results", i, ".link"), acceptance->test_results[i]->link);
    for (size_t i = 0; i < acceptance->n_dashboards; i++)
        check_link(check, at(check, "dashboards", i, ".url"), acceptance->dashboards[i]->url);
}

static void check_heading(const struct check *check, const Pb__AcceptanceSignedOff *acceptance)
{
    const char *const approach = acceptance->approach;
    bool known = false;

    check_name(check, "feature", acceptance->feature);
    if (strchr(acceptance->feature, '.') != NULL)
        tell(check,
             "feature",
             "no dot: attempts are named feature.n",
             "is %.63s",
             acceptance->feature);
    if (strlen(acceptance->title) > TITLE_MAX)
        tell(check, "title", "at most 200 bytes", "is too long");
    check_name(check, "environment", acceptance->environment);
    if (acceptance->n_services == 0)
        tell(check, "services", "the services it changes", "is missing");
    for (size_t i = 0; i < acceptance->n_services; i++)
        check_name(check, at(check, "services", i, ""), acceptance->services[i]);
    for (size_t i = 0; approach_words[i].text != NULL; i++)
        known = known || strcmp(approach_words[i].text, approach) == 0;
    if (!known)
        tell(check, "approach", "one of: blue-green, canary, rolling", "is %.60s", approach);
}

void acceptance_problems(struct arena *arena,
                         const Pb__AcceptanceSignedOff *acceptance,
                         acceptance_problem_fn *tell_fn,
                         void *self)
{
    const struct check check = { arena, tell_fn, self };

    if (!check_counts(&check, acceptance))
        return;
    check_texts(&check, acceptance);
    check_heading(&check, acceptance);
    check_report(&check, acceptance->report);
    for (size_t i = 0; i < acceptance->n_artifacts; i++)
        check_artifact(&check, acceptance, i);
    for (size_t i = 0; i < acceptance->n_flags; i++)
        check_flag(&check, acceptance, i);
    for (size_t i = 0; i < acceptance->n_rollout; i++)
        check_stage(&check, acceptance, i);
    for (size_t i = 0; i < acceptance->n_metrics; i++)
        check_criterion(&check, at(&check, "metrics", i, ""), acceptance->metrics[i]);
    for (size_t i = 0; i < acceptance->n_checks; i++)
        check_binding(&check, acceptance->checks[i], i);
    check_links(&check, acceptance);
}

/* The first problem, for those who can name only one. */
struct first {
    struct acceptance_problem problem;
    bool told;
};

static void keep_first(void *self, const struct acceptance_problem *problem)
{
    struct first *const first = self;

    if (!first->told)
        first->problem = *problem;
    first->told = true;
}

enum err acceptance_check(struct arena *arena,
                          const Pb__AcceptanceSignedOff *acceptance,
                          const char **ret_field,
                          struct error *error)
{
    struct first first = { .told = false };

    acceptance_problems(arena, acceptance, keep_first, &first);
    if (!first.told)
        return ERR_OK;
    *ret_field = first.problem.field;
    return error_set(error,
                     ERR_INVALID,
                     "%s %s%s%s",
                     first.problem.field,
                     first.problem.what,
                     *first.problem.expected != '\0' ? "; expected " : "",
                     first.problem.expected);
}

const char *acceptance_hash(struct arena *arena, const Pb__AcceptanceSignedOff *acceptance)
{
    Pb__AcceptanceSignedOff content = *acceptance;
    char *const hex = arena_alloc(arena, DIGEST_HEX_SIZE);
    struct pb_bytes packed;

    content.submitted_by = NULL;
    packed = pb_pack(arena, &content);
    digest_sha256(packed.bytes, packed.length, hex);
    return hex;
}
