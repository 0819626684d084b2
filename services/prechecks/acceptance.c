/* The acceptance report and the documents: there, complete, and what was signed or reviewed. */
#include "services/prechecks/links.h"
#include "services/prechecks/tally.h"

#include "common/wire/signature.h"

#include <string.h>

static const char *report_link(const struct look *look)
{
    return look->asked->report != NULL ? look->asked->report->link : "";
}

static const char *how_to_see(const struct look *look, const char *url)
{
    return arena_printf(look->env.arena, "GET %.500s", url);
}

static void add_missing(struct tally *tally, bool there, const char *what)
{
    tally_add(tally, there ? PB__VERDICT__PASS : PB__VERDICT__FAIL, "%s is missing", what);
}

void look_at_report_complete(const struct look *look, Pb__Finding *ret)
{
    const Pb__AcceptanceReport *const report = look->asked->report;
    struct tally tally = tally_begin();
    struct link_answer answer;

    if (report != NULL) {
        answer = link_reach(look, report->link);
        add_missing(
            &tally, report->digest != NULL && report->digest->value[0] != '\0', "its digest");
        add_missing(&tally, report->n_signoffs > 0, "a sign-off");
        add_missing(&tally, report->n_criteria > 0, "the list of acceptance criteria");
        add_missing(&tally, report->accepted, "the decision \"feature accepted\"");
        tally_add(&tally, answer.verdict, "the report %s", answer.said);
        ret->evidence = how_to_see(look, report->link);
        ret->link = report->link;
    }
    ret->wanted = "link, digest, sign-offs, criteria and decision; readable";
    tally_end(&tally, look->env.arena, ret, "parts are there", "there is no acceptance report");
    if (report == NULL)
        ret->verdict = PB__VERDICT__FAIL;
}

static Pb__Verdict judge_signoff(const struct look *look,
                                 const Pb__AcceptanceSignature *signoff)
{
    const bool whole = signoff->subject[0] != '\0' && signoff->role[0] != '\0' &&
                       signoff->at_ms > 0 && signoff->at_ms <= clock_now_ms(look->env.clock);

    return whole ? PB__VERDICT__PASS : PB__VERDICT__FAIL;
}

/* The policy wants that role to have signed. */
static void add_role(const Pb__AcceptanceReport *report, const char *role, struct tally *tally)
{
    bool signed_off = false;

    for (size_t i = 0; report != NULL && i < report->n_signoffs; i++)
        signed_off = signed_off || pb_same(report->signoffs[i]->role, role);
    tally_add(tally,
              signed_off ? PB__VERDICT__PASS : PB__VERDICT__FAIL,
              "no %.60s has signed off",
              role);
}

void look_at_signoffs(const struct look *look, Pb__Finding *ret)
{
    const Pb__AcceptanceReport *const report = look->asked->report;
    struct tally tally = tally_begin();

    for (size_t i = 0; report != NULL && i < report->n_signoffs; i++)
        tally_add(&tally,
                  judge_signoff(look, report->signoffs[i]),
                  "sign-off %zu (%.60s as %.60s) has no subject, role or past date",
                  i + 1,
                  report->signoffs[i]->subject,
                  report->signoffs[i]->role);
    for (size_t i = 0; i < look->check->n_params; i++)
        if (pb_same(look->check->params[i]->key, "role"))
            add_role(report, look->check->params[i]->value, &tally);
    ret->wanted = "a sign-off of every role that the policy names, each with subject and date";
    tally_end(&tally, look->env.arena, ret, "answers well", "nobody has signed off");
    if (report == NULL || report->n_signoffs == 0) {
        ret->verdict = PB__VERDICT__FAIL;
        ret->observed = "nobody has signed off";
    }
}

void look_at_criteria(const struct look *look, Pb__Finding *ret)
{
    const Pb__AcceptanceReport *const report = look->asked->report;
    const bool met =
        report != NULL && report->n_criteria > 0 && report->criteria_met && report->accepted;

    ret->verdict = met ? PB__VERDICT__PASS : PB__VERDICT__FAIL;
    ret->wanted = "criteria met and feature accepted";
    if (report == NULL)
        ret->observed = "there is no acceptance report";
    else
        ret->observed = arena_printf(look->env.arena,
                                     "%zu criteria, %s; feature %s",
                                     report->n_criteria,
                                     report->criteria_met ? "met" : "not met",
                                     report->accepted ? "accepted" : "not accepted");
}

/* By the key that the operator names, at the report's address with ".sig". */
static void look_at_signature(const struct look *look, Pb__Finding *ret)
{
    struct arena *const arena = look->env.arena;
    const char *const url = arena_printf(arena, "%s.sig", report_link(look));
    const char *const key = look->env.settings->security.acceptance_key;
    struct http_response response = { 0 };
    const struct link_answer answer = link_read(look, url, &response);
    struct error error = { 0 };
    enum err err;

    ret->wanted = arena_printf(arena, "%s, signed by %s", ret->wanted, key);
    if (answer.verdict != PB__VERDICT__PASS) {
        ret->verdict = answer.verdict;
        ret->observed = arena_printf(arena, "the signature %.200s %s", url, answer.said);
        return;
    }
    err = signature_check(driver_path(&look->env, key),
                          look->asked->report->digest->value,
                          response.body,
                          response.body_length,
                          &error);
    if (err == ERR_OK) {
        ret->observed = arena_printf(arena, "%s, signed", ret->observed);
        return;
    }
    ret->verdict = err == ERR_UNAVAILABLE ? PB__VERDICT__ERROR : PB__VERDICT__FAIL;
    ret->observed = arena_text(arena, error.text);
}

void look_at_report_digest(const struct look *look, Pb__Finding *ret)
{
    const Pb__AcceptanceReport *const report = look->asked->report;
    const Pb__Digest *const digest = report != NULL ? report->digest : NULL;
    struct link_answer answer;

    ret->evidence = how_to_see(look, report_link(look));
    ret->link = report_link(look);
    if (digest == NULL || digest->value[0] == '\0') {
        ret->verdict = PB__VERDICT__FAIL;
        ret->observed = "the acceptance names no digest of its report";
        return;
    }
    answer = link_compare(look, report->link, digest);
    ret->verdict = answer.verdict;
    ret->wanted = arena_printf(look->env.arena, "sha256:%.12s", digest->value);
    ret->observed = arena_printf(look->env.arena, "the report %s", answer.said);
    if (answer.verdict == PB__VERDICT__PASS && look->env.settings->security.acceptance_key[0])
        look_at_signature(look, ret);
}

/* All documents of a kind. */
static void look_at_kind(const struct look *look, const char *kind, struct tally *tally)
{
    bool found = false;

    for (size_t i = 0; i < look->asked->n_documents; i++) {
        const Pb__Document *const document = look->asked->documents[i];
        struct link_answer answer;

        if (!pb_same(document->kind, kind))
            continue;
        found = true;
        answer = link_compare(look, document->link, document->digest);
        tally_add(tally, answer.verdict, "%.200s %s", document->link, answer.said);
    }
    if (!found)
        tally_add(tally, PB__VERDICT__FAIL, "no document of kind %s", kind);
}

static void end_documents(const struct look *look, struct tally *tally, Pb__Finding *ret)
{
    ret->wanted = "reachable, and with the digest of the plan where it names one";
    ret->evidence = "GET each document's link";
    tally_end(tally, look->env.arena, ret, "documents as reviewed", "no document");
}

void look_at_doc_steps(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    look_at_kind(look, "deployment_steps", &tally);
    look_at_kind(look, "configuration", &tally);
    end_documents(look, &tally, ret);
}

void look_at_doc_rollback(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    look_at_kind(look, "rollback", &tally);
    end_documents(look, &tally, ret);
}

void look_at_doc_runbooks(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    look_at_kind(look, "runbook", &tally);
    end_documents(look, &tally, ret);
}
