#include "services/coordinator/core/flow.h"
#include "services/coordinator/core/work.h"

#include <string.h>

enum { RESULTS_MAX = 128, OBSERVED_MAX = 120, OBSERVED_PASS_MAX = 40, REMEDY_MAX = 120 };

static const char NO_OPEN_CRITICAL[] = "monitoring.no_open_critical";

Pb__CheckResult *result_find(const Pb__StepState *step, const char *check)
{
    for (size_t i = 0; step != NULL && i < step->n_results; i++) {
        if (strcmp(step->results[i]->check, check) == 0)
            return step->results[i];
    }
    return NULL;
}

Pb__CheckResult *result_put(struct turn *turn, Pb__StepState *step, const char *check)
{
    Pb__CheckResult *result = result_find(step, check);

    if (result != NULL)
        return result;
    result = pb_new(turn->arena, &pb__check_result__descriptor);
    result->check = check;
    if (step->n_results < RESULTS_MAX)
        PB_APPEND(turn->arena, step, results, result);
    return result;
}

bool result_waived(const struct turn *turn, const Pb__CheckResult *result)
{
    return result != NULL && result->waived &&
           (result->until_ms == 0 || turn->now_ms < result->until_ms);
}

static bool verdict_unsure(Pb__Verdict verdict)
{
    return verdict == PB__VERDICT__INCONCLUSIVE || verdict == PB__VERDICT__NO_DATA ||
           verdict == PB__VERDICT__VERDICT_UNSPECIFIED;
}

void results_merge(struct turn *turn, Pb__Finding *const *findings, size_t count)
{
    Pb__StepState *const step = state_step(turn, turn->state->step);

    for (size_t i = 0; i < count; i++) {
        const Pb__Finding *const finding = findings[i];
        Pb__CheckResult *const result = result_put(turn, step, finding->check);
        const bool good = finding->verdict == PB__VERDICT__PASS;

        /* What a person attested in place of missing data stands until there is data. */
        if (result->by[0] != '\0' && !result->waived && verdict_unsure(finding->verdict))
            continue;
        result->verdict = finding->verdict;
        result->observed =
            words_cut(turn, finding->observed, good ? OBSERVED_PASS_MAX : OBSERVED_MAX);
        result->remedy = good ? "" : words_cut(turn, finding->remedy, REMEDY_MAX);
        if (!result->waived)
            result->by = "";
    }
}

static void results_measured(struct turn *turn, Pb__Finding *const *findings, size_t count)
{
    results_merge(turn, findings, count);
    state_step(turn, turn->state->step)->measured_ms = turn->now_ms;
}

static void forget(struct turn *turn, struct expectation expected, bool keep_done)
{
    Pb__StepState *const step = state_step(turn, turn->state->step);

    step->measured_ms = 0;
    for (size_t i = step->n_results; i-- > 0;) {
        const Pb__CheckResult *const result = step->results[i];
        bool listed = false;

        for (size_t k = 0; k < expected.count; k++)
            listed = listed || pb_same(expected.item[k]->id, result->check);
        if (listed && result->by[0] == '\0' &&
            !(keep_done && result->verdict == PB__VERDICT__PASS))
            PB_REMOVE(step, results, i);
    }
}

void results_forget(struct turn *turn, struct expectation expected)
{
    forget(turn, expected, turn->state->step == STEP_LAST);
}

/* --- the core's own checks --- */

static Pb__Verdict stage_gate(const struct turn *turn, const char **ret_observed)
{
    const Pb__Stage *const stage = plan_stage(turn, turn->state->cursor->stage);
    const Pb__CheckResult *const result =
        result_find(state_step(turn, turn->state->step), "stage.gate");

    *ret_observed = "";
    if (stage == NULL || stage->gate_role[0] == '\0')
        return PB__VERDICT__PASS;
    return result != NULL && result->by[0] != '\0' ? result->verdict
                                                   : PB__VERDICT__VERDICT_UNSPECIFIED;
}

/* The stages that run are those of the plan that was approved: its hash is all that can be
 * approved, and all that is ever loaded. */
static Pb__Verdict rollout_reviewed(const struct turn *turn, const char **ret_observed)
{
    *ret_observed = turn->state->plan_hash;
    return review_quorum(turn) ? PB__VERDICT__PASS : PB__VERDICT__FAIL;
}

/* A period of observation that saw too little is no answer, whatever it saw. */
static Pb__Verdict coverage(const struct turn *turn, const char **ret_observed)
{
    const Pb__CheckResult *const result = result_find(state_step(turn, 6), "coverage");

    *ret_observed = result != NULL ? result->observed : "";
    return result != NULL ? result->verdict : PB__VERDICT__NO_DATA;
}

static Pb__Verdict verdict_own(const struct turn *turn,
                               const char *check,
                               const char **observed)
{
    *observed = "";
    if (strcmp(check, "stage.gate") == 0)
        return stage_gate(turn, observed);
    if (strcmp(check, "rollout.reviewed") == 0)
        return rollout_reviewed(turn, observed);
    if (strcmp(check, "monitoring.active") == 0)
        return turn->state->monitoring_active ? PB__VERDICT__PASS : PB__VERDICT__NO_DATA;
    if (strcmp(check, "coverage") == 0)
        return coverage(turn, observed);
    if (strncmp(check, "signoff.", 8) == 0)
        return PB__VERDICT__PASS; /* Counted by itself, with its try. */
    return PB__VERDICT__VERDICT_UNSPECIFIED;
}

static void results_own(struct turn *turn, struct expectation expected)
{
    Pb__StepState *const step = state_step(turn, turn->state->step);

    for (size_t i = 0; i < expected.count; i++) {
        const Pb__CheckSpec *const spec = expected.item[i];
        const char *observed = "";
        Pb__CheckResult *result;

        if (spec->not_applicable[0] == '\0' &&
            (!check_is_own(turn, spec->id) || strncmp(spec->id, "signoff.", 8) == 0 ||
             strcmp(spec->id, "stage.gate") == 0))
            continue;
        result = result_put(turn, step, spec->id);
        if (spec->not_applicable[0] != '\0') {
            result->verdict = PB__VERDICT__NOT_APPLICABLE;
            continue;
        }
        result->verdict = verdict_own(turn, spec->id, &observed);
        result->observed = words_cut(turn, observed, OBSERVED_MAX);
        result->remedy = result->verdict == PB__VERDICT__PASS ? "" : spec->remedy;
    }
}

/* What the core found out itself is told like what a worker found. */
void entry_own_findings(struct turn *turn, struct expectation expected)
{
    const Pb__StepState *const step = state_step(turn, turn->state->step);

    for (size_t i = 0; i < expected.count; i++) {
        const Pb__CheckSpec *const spec = expected.item[i];
        const Pb__CheckResult *const result = result_find(step, spec->id);
        Pb__Finding *finding;

        if (!check_is_own(turn, spec->id) || result == NULL || result->by[0] != '\0' ||
            spec->not_applicable[0] != '\0')
            continue;
        finding = pb_new(turn->arena, &pb__finding__descriptor);
        finding->check = spec->id;
        finding->kind = "coordinator";
        finding->required = spec->required;
        finding->verdict = result->verdict;
        finding->observed = result->observed;
        finding->remedy = result->remedy;
        finding->at_ms = turn->now_ms;
        entry_findings(turn, &finding, 1);
    }
}

void result_of_critical(struct turn *turn, const Pb__Incident *incident)
{
    Pb__CheckResult *const result = result_put(turn, state_step(turn, 1), NO_OPEN_CRITICAL);
    Pb__Finding *const finding = pb_new(turn->arena, &pb__finding__descriptor);

    finding->check = NO_OPEN_CRITICAL;
    finding->kind = "coordinator";
    finding->required = true;
    finding->verdict = PB__VERDICT__FAIL;
    finding->observed = arena_printf(turn->arena, "%s: %s", incident->cause, incident->summary);
    finding->wanted = "no open critical incident";
    finding->link = incident->link;
    finding->remedy = "resolve the critical alert first";
    finding->at_ms = turn->now_ms;
    result->verdict = PB__VERDICT__FAIL;
    result->observed = words_cut(turn, finding->observed, OBSERVED_MAX);
    result->remedy = finding->remedy;
    entry_findings(turn, &finding, 1);
}

/* --- judging --- */

static enum found found_of(Pb__Verdict verdict, bool warn_ok)
{
    switch (verdict) {
    case PB__VERDICT__PASS: return FOUND_GO;
    case PB__VERDICT__WARN: return warn_ok ? FOUND_GO : FOUND_WARN;
    case PB__VERDICT__FAIL: return FOUND_FAIL;
    case PB__VERDICT__ERROR: return FOUND_ERROR;
    default: return FOUND_UNSURE;
    }
}

/* prechecks looks at the alerts that are remembered; an incident that was told to this
 * deployment counts as well, and nobody waives it. */
static bool forbids_step_1(const struct turn *turn, const Pb__CheckSpec *spec)
{
    return strcmp(spec->id, NO_OPEN_CRITICAL) == 0 &&
           state_incident(turn->state, PB__SEVERITY__CRITICAL) != NULL;
}

static enum found found_of_spec(struct turn *turn, const Pb__CheckSpec *spec)
{
    const Pb__StepState *const step = state_step(turn, turn->state->step);
    const Pb__CheckResult *const result = result_find(step, spec->id);
    const bool person =
        strcmp(spec->kind, "attest") == 0 || strcmp(spec->id, "stage.gate") == 0;
    const char *observed;
    Pb__Verdict verdict;

    if (forbids_step_1(turn, spec))
        return FOUND_FAIL;
    if (spec->not_applicable[0] != '\0' || result_waived(turn, result))
        return FOUND_GO;
    if (check_is_own(turn, spec->id))
        verdict = verdict_own(turn, spec->id, &observed);
    else
        verdict = result != NULL ? result->verdict : PB__VERDICT__VERDICT_UNSPECIFIED;
    if (person && verdict == PB__VERDICT__VERDICT_UNSPECIFIED)
        return FOUND_WAIT;
    return found_of(verdict, spec->warn_ok && turn->state->step != 6);
}

static const char *rule_text(struct turn *turn,
                             const struct judgement *worst,
                             size_t required,
                             size_t passed)
{
    const Pb__CheckResult *const result =
        result_find(state_step(turn, turn->state->step), worst->check);
    const char *const verdict =
        result == NULL || result->verdict == PB__VERDICT__VERDICT_UNSPECIFIED
            ? (worst->found == FOUND_WAIT ? "waits for a person" : "NO_DATA: no answer")
            : pb_verdict_name(result->verdict);

    if (worst->found == FOUND_GO)
        return arena_printf(turn->arena, "all %zu required checks PASS", required);
    return arena_printf(turn->arena,
                        "%zu of %zu required checks PASS; %s %s%s%s",
                        passed,
                        required,
                        worst->check,
                        verdict,
                        result != NULL && result->observed[0] != '\0' ? ": " : "",
                        result != NULL ? result->observed : "");
}

struct judgement judge_results(struct turn *turn, struct expectation expected)
{
    struct judgement worst = { FOUND_GO, "", "", "" };
    size_t required = 0;
    size_t passed = 0;

    results_own(turn, expected);
    for (size_t i = 0; i < expected.count; i++) {
        const Pb__CheckSpec *const spec = expected.item[i];
        const enum found found = found_of_spec(turn, spec);

        if (!spec->required || spec->not_applicable[0] != '\0')
            continue;
        required++;
        passed += found == FOUND_GO;
        if (found > worst.found)
            worst = (struct judgement){ found, "", spec->remedy, spec->id };
    }
    worst.rule = rule_text(turn, &worst, required, passed);
    return worst;
}

/* Without expected checks the findings speak for themselves; saying nothing is not success. */
static struct judgement judge_findings(struct turn *turn, const Pb__TaskFinished *finished)
{
    struct judgement worst = { FOUND_GO, "", "", "" };

    if (finished->n_findings == 0)
        worst = (struct judgement){ FOUND_UNSURE, "it reported nothing", "", "" };
    for (size_t i = 0; i < finished->n_findings; i++) {
        const Pb__Finding *const finding = finished->findings[i];
        const enum found found = finding->verdict == PB__VERDICT__NOT_APPLICABLE
                                     ? FOUND_GO
                                     : found_of(finding->verdict, false);

        if (found <= worst.found)
            continue;
        worst.found = found;
        worst.check = finding->check;
        worst.remedy = finding->remedy;
        worst.rule = arena_printf(turn->arena,
                                  "%s %s: %s",
                                  finding->check,
                                  pb_verdict_name(finding->verdict),
                                  words_cut(turn, finding->observed, OBSERVED_MAX));
    }
    return worst;
}

/* A FAIL that the worker found required counts, whether the plan listed it or not. */
static void judge_unlisted(struct turn *turn,
                           const Pb__TaskFinished *finished,
                           struct judgement *judgement)
{
    const Pb__StepState *const step = state_step(turn, turn->state->step);

    for (size_t i = 0; i < finished->n_findings; i++) {
        const Pb__Finding *const finding = finished->findings[i];

        if (!finding->required || finding->verdict != PB__VERDICT__FAIL ||
            judgement->found == FOUND_FAIL ||
            result_waived(turn, result_find(step, finding->check)))
            continue;
        judgement->found = FOUND_FAIL;
        judgement->check = finding->check;
        judgement->remedy = finding->remedy;
        judgement->rule =
            arena_printf(turn->arena, "%s FAIL: %s", finding->check, finding->observed);
    }
}

/* Of these the ones that the answer says nothing about. */
static struct expectation unanswered(struct turn *turn,
                                     struct expectation expected,
                                     const Pb__TaskFinished *finished)
{
    struct expectation found = { NULL, 0 };

    for (size_t i = 0; i < expected.count; i++) {
        bool answered = false;

        for (size_t k = 0; k < finished->n_findings && !answered; k++)
            answered = pb_same(finished->findings[k]->check, expected.item[i]->id);
        if (answered)
            continue;
        found.item = pb_grow(turn->arena, found.item, found.count, sizeof *found.item);
        found.item[found.count++] = expected.item[i];
    }
    return found;
}

struct judgement judge_finished(struct turn *turn,
                                const Pb__TaskState *task,
                                const Pb__TaskFinished *finished)
{
    const struct task_kind *const kind = task_kind_find(task->kind);
    const struct expectation expected =
        kind->expected != NULL ? kind->expected(turn) : (struct expectation){ NULL, 0 };
    const bool forward = (kind->flags & (TASK_UNDO | TASK_BESIDE)) == 0;
    struct judgement judgement;

    if (finished->outcome != PB__OUTCOME__OUTCOME_OK &&
        finished->outcome != PB__OUTCOME__OUTCOME_FAILED)
        return (struct judgement){ FOUND_ERROR,
                                   arena_printf(turn->arena,
                                                "%s could not do it: %s",
                                                task->worker,
                                                finished->error[0] != '\0'
                                                    ? words_cut(turn, finished->error, 200)
                                                    : "no reason given"),
                                   "",
                                   "" };
    /* The answer is complete in itself: what was told on the way, or by an earlier drive, fills
     * no gap in it. */
    if (forward) {
        results_forget(turn, unanswered(turn, expect_of_worker(turn, expected), finished));
        results_measured(turn, finished->findings, finished->n_findings);
    }
    if (expected.count > 0) {
        judgement = judge_results(turn, expected);
        judge_unlisted(turn, finished, &judgement);
    } else {
        judgement = judge_findings(turn, finished);
    }
    if (finished->outcome == PB__OUTCOME__OUTCOME_FAILED && judgement.found < FOUND_FAIL) {
        judgement = (struct judgement){
            FOUND_FAIL,
            arena_printf(turn->arena, "%s says it failed; %s", task->worker, judgement.rule),
            judgement.remedy,
            judgement.check
        };
        /* Its good findings must not count when a person's word has them judged again. */
        if (forward)
            forget(turn, expect_of_worker(turn, expected), false);
    }
    return judgement;
}
