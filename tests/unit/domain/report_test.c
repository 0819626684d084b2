#include "common/domain/markdown.h"
#include "common/domain/report.h"
#include "common/wire/pbjson.h"
#include "tests/support/test.h"

enum { T0 = 1795434003 };
#define AT(seconds) ((int64_t)(T0 + (seconds)) * 1000)

struct fixture {
    struct arena arena;
    Pb__DeploymentState *state;
    Pb__Plan *plan;
    Pb__TimelineEntry *timeline[4];
    size_t timeline_count;
    struct text out;
};

static void add_step(struct fixture *f, unsigned number, const char *decision)
{
    Pb__StepState *const step = pb_new(&f->arena, &pb__step_state__descriptor);
    Pb__StepPlan *const plan = pb_new(&f->arena, &pb__step_plan__descriptor);

    step->step = number;
    step->decision = decision;
    step->try_number = 1;
    step->began_ms = AT(60 * (int)number);
    step->ended_ms = AT(60 * (int)number + 30);
    step->rule = "all required checks PASS";
    PB_APPEND(&f->arena, f->state, steps, step);
    if (number == 0)
        return;
    plan->step = number;
    PB_APPEND(&f->arena, f->plan, steps, plan);
}

static Pb__CheckResult *add_result(struct fixture *f,
                                   unsigned step,
                                   const char *check,
                                   Pb__Verdict verdict)
{
    Pb__CheckResult *const result = pb_new(&f->arena, &pb__check_result__descriptor);
    Pb__CheckSpec *const spec = pb_new(&f->arena, &pb__check_spec__descriptor);

    result->check = check;
    result->verdict = verdict;
    result->observed = "as seen";
    PB_APPEND(&f->arena, f->state->steps[step], results, result);
    spec->id = check;
    spec->required = true;
    PB_APPEND(&f->arena, f->plan->steps[step - 1], checks, spec);
    return result;
}

static void add_flags(struct fixture *f)
{
    Pb__FlagSpec *const flag = pb_new(&f->arena, &pb__flag_spec__descriptor);
    Pb__Stage *const stage = pb_new(&f->arena, &pb__stage__descriptor);

    flag->key = "express-pay";
    PB_APPEND(&f->arena, f->plan, flags, flag);
    stage->name = "full";
    stage->percent = 100;
    PB_APPEND(&f->arena, f->plan, stages, stage);
    f->state->flags = pb_new(&f->arena, &pb__flags_state__descriptor);
    f->state->flags->percent = 100;
    f->state->dates = pb_new(&f->arena, &pb__audit_dates__descriptor);
    PB_APPEND(&f->arena, f->state->dates, activation_ms, AT(245));
    f->state->dates->completion_ms = AT(450);
}

static void add_entry(struct fixture *f, const char *type, const char *text)
{
    Pb__TimelineEntry *const entry = pb_new(&f->arena, &pb__timeline_entry__descriptor);

    entry->type = type;
    entry->text = text;
    entry->actor = "coordinator";
    entry->step = 2;
    entry->at_ms = AT(130);
    f->timeline[f->timeline_count++] = entry;
}

/* A deployment that completed, with nothing left open. */
static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *const f = &fixture;

    memset(f, 0, sizeof *f);
    f->arena = arena_with_limit(4 << 20);
    f->out = text_new(1 << 20);
    f->state = pb_new(&f->arena, &pb__deployment_state__descriptor);
    f->plan = pb_new(&f->arena, &pb__plan__descriptor);
    f->state->id = "express-pay.3";
    f->state->feature = "express-pay";
    f->state->title = "Express pay";
    f->state->ticket = "SHOP-4182";
    f->state->phase = PB__PHASE__COMPLETED;
    f->state->created_ms = AT(0);
    f->state->now_ms = AT(450);
    f->plan->team = "checkout";
    for (unsigned step = 0; step <= 7; step++)
        add_step(f, step, step == 0 ? "" : "GO");
    add_flags(f);
    (void)add_result(f, 4, "flag.read_back", PB__VERDICT__PASS);
    (void)add_result(f, 7, "docs.execution", PB__VERDICT__PASS);
    (void)add_result(f, 7, "jira.status", PB__VERDICT__PASS);
    (void)add_result(f, 7, "notify.deployment", PB__VERDICT__PASS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const f = *state;

    text_release(&f->out);
    arena_release(&f->arena);
    return 0;
}

static Pb__DeploymentReport *make(struct fixture *f)
{
    return report_make(&f->arena, f->state, f->plan, f->timeline, f->timeline_count);
}

static unsigned done_count(const Pb__DeploymentReport *report)
{
    unsigned count = 0;

    assert_int_equal(report->n_definition_of_done, 10);
    for (size_t i = 0; i < report->n_definition_of_done; i++)
        count += report->definition_of_done[i]->done ? 1 : 0;
    return count;
}

static void a_completed_deployment_meets_all_ten_items(void **state)
{
    struct fixture *const f = *state;
    const Pb__DeploymentReport *const report = make(f);

    assert_int_equal(done_count(report), 10);
    assert_string_equal(report->exit, "COMPLETED");
    assert_int_equal(report->n_lessons, 0);
    assert_int_equal(report->made_ms, AT(450));
}

static void a_step_without_its_go_is_an_item_left_open(void **state)
{
    struct fixture *const f = *state;
    const Pb__DeploymentReport *report;

    f->state->steps[3]->decision = "NO_GO";
    report = make(f);
    assert_int_equal(done_count(report), 9);
    assert_false(report->definition_of_done[2]->done);
}

static void a_missing_finding_of_step_7_leaves_its_item_open_and_is_named(void **state)
{
    struct fixture *const f = *state;
    const Pb__DeploymentReport *report;

    f->state->steps[7]->results[1]->verdict = PB__VERDICT__ERROR;
    report = make(f);
    assert_int_equal(done_count(report), 9);
    assert_string_equal(report->definition_of_done[7]->evidence,
                        "0 of 1 checks; open: jira.status");
    f->state->steps[7]->results[1]->waived = true;
    assert_int_equal(done_count(make(f)), 10);
}

static void availability_needs_the_planned_percentage_read_back(void **state)
{
    struct fixture *const f = *state;

    f->state->flags->percent = 50;
    assert_false(make(f)->definition_of_done[9]->done);
    f->state->flags->percent = 100;
    f->state->flags->killed = true;
    assert_false(make(f)->definition_of_done[9]->done);
    f->state->flags->killed = false;
    f->state->steps[4]->results[0]->verdict = PB__VERDICT__INCONCLUSIVE;
    assert_false(make(f)->definition_of_done[9]->done);
}

static void a_rolled_back_deployment_teaches_and_says_what_is_next(void **state)
{
    struct fixture *const f = *state;
    Pb__Incident *const incident = pb_new(&f->arena, &pb__incident__descriptor);
    const Pb__DeploymentReport *report;

    f->state->phase = PB__PHASE__ROLLED_BACK;
    f->state->stop = pb_new(&f->arena, &pb__stop_cause__descriptor);
    f->state->stop->cause = "critical incident ShopDown";
    f->state->stop->step = 4;
    f->state->stop->at_ms = AT(300) + 3;
    f->state->flags->killed = true;
    f->state->flags->killed_ms = AT(300) + 11;
    incident->cause = "ShopDown";
    incident->severity = PB__SEVERITY__CRITICAL;
    incident->first_ms = AT(300);
    PB_APPEND(&f->arena, f->state, incidents, incident);
    PB_APPEND(&f->arena, f->state, skipped, 1u);
    report = make(f);
    assert_int_equal(report->n_lessons, 3);
    assert_string_equal(report->lessons[0]->assignee, "checkout");
    assert_non_null(strstr(report->lessons[0]->text, "critical incident ShopDown"));
    assert_non_null(strstr(report->next_steps[0], "Investigate"));
    report_markdown(report, &f->out);
    assert_non_null(strstr(f->out.bytes, "flags latched after 11 ms, stopped after 3 ms"));
    assert_non_null(
        strstr(f->out.bytes, "**ROLLED_BACK** because: critical incident ShopDown"));
    assert_non_null(strstr(f->out.bytes, "slipway retry express-pay.3"));
}

static void a_blocked_deployment_says_what_unblocks_it(void **state)
{
    struct fixture *const f = *state;
    const Pb__DeploymentReport *report;

    f->state->phase = PB__PHASE__BLOCKED;
    f->state->step = 3;
    f->state->waiting_for = pb_new(&f->arena, &pb__waiting_for__descriptor);
    f->state->waiting_for->sentence = "smoke.api failed";
    f->state->waiting_for->unblock = "retry";
    report = make(f);
    assert_string_equal(report->exit, "BLOCKED");
    assert_non_null(strstr(report->lessons[0]->text, "smoke.api failed"));
    assert_string_equal(report->next_steps[1], "retry");
}

static void markdown_holds_findings_events_and_the_six_dates(void **state)
{
    struct fixture *const f = *state;

    add_entry(f, "Finding", "");
    f->timeline[0]->finding = pb_new(&f->arena, &pb__finding__descriptor);
    f->timeline[0]->finding->check = "apply.0.1";
    f->timeline[0]->finding->verdict = PB__VERDICT__PASS;
    f->timeline[0]->finding->evidence = "slipway-agent observe shop-2";
    add_entry(f, "StepGo", "step 2 Go: 5 changes on 13 instances");
    report_markdown(make(f), &f->out);
    assert_true(text_ok(&f->out));
    assert_non_null(strstr(f->out.bytes, "# Deployment express-pay.3: Express pay"));
    assert_non_null(strstr(f->out.bytes, "- [x] Jira ticket updated"));
    assert_non_null(strstr(f->out.bytes, "| apply.0.1 | PASS |"));
    assert_non_null(strstr(f->out.bytes, "slipway-agent observe shop-2"));
    assert_non_null(strstr(f->out.bytes, "**StepGo** coordinator: step 2 Go: 5 changes"));
    assert_non_null(strstr(f->out.bytes, "| Deployment completion | 2026-11-23"));
    assert_non_null(strstr(f->out.bytes, "stage 1: 2026-11-23"));
}

static void a_part_tells_of_its_step_only(void **state)
{
    struct fixture *const f = *state;

    add_entry(f, "StepGo", "step 2 Go");
    assert_int_equal(report_part_markdown(make(f), "docs.flags", &f->out), ERR_OK);
    assert_non_null(strstr(f->out.bytes, "# Feature flag activation of express-pay.3"));
    assert_non_null(strstr(f->out.bytes, "## Step 4"));
    assert_null(strstr(f->out.bytes, "## Step 2"));
    assert_int_equal(report_part_markdown(make(f), "docs.nothing", &f->out), ERR_NOT_FOUND);
}

static void every_document_of_step_7_has_a_part(void **state)
{
    static const char *const checks[] = { "docs.execution",
                                          "docs.validation",
                                          "docs.flags",
                                          "docs.post_validation",
                                          "docs.monitoring" };
    struct fixture *const f = *state;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        assert_int_equal(report_part_markdown(make(f), checks[i], &f->out), ERR_OK);
}

static void json_is_the_whole_report(void **state)
{
    struct fixture *const f = *state;
    struct error error = { 0 };
    void *back = NULL;

    report_json(make(f), &f->out);
    assert_int_equal(pbjson_parse(&f->arena,
                                  &pb__deployment_report__descriptor,
                                  f->out.bytes,
                                  f->out.length,
                                  &back,
                                  &error),
                     ERR_OK);
    assert_int_equal(((Pb__DeploymentReport *)back)->n_definition_of_done, 10);
}

static void what_strangers_write_is_shown_and_never_obeyed(void **state)
{
    struct fixture *const f = *state;

    markdown_text(&f->out, "<img src=x>|a*b*\n[x](y)");
    assert_string_equal(f->out.bytes, "&lt;img src=x\\>\\|a\\*b\\* \\[x\\](y)");
    text_reset(&f->out);
    markdown_link(&f->out, "click", "javascript:alert(1)");
    assert_string_equal(f->out.bytes, "click: javascript:alert(1)");
    text_reset(&f->out);
    markdown_link(&f->out, "wiki", "https://wiki.example/a>b");
    assert_string_equal(f->out.bytes, "[wiki](<https://wiki.example/a%3Eb>)");
}

static void the_five_links_are_listed_once_each(void **state)
{
    struct fixture *const f = *state;
    Pb__Link *const board = pb_new(&f->arena, &pb__link__descriptor);
    const Pb__DeploymentReport *report;

    board->title = "shop";
    board->url = "https://grafana.example/d/shop";
    PB_APPEND(&f->arena, f->plan, dashboards, board);
    PB_APPEND(&f->arena, f->state, links, board);
    report = make(f);
    assert_int_equal(report->n_links, 2);
    assert_string_equal(report->links[1]->kind, "ticket");
    assert_string_equal(report->links[1]->title, "SHOP-4182");
}

#define REPORT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPORT_TEST(a_completed_deployment_meets_all_ten_items),
        REPORT_TEST(a_step_without_its_go_is_an_item_left_open),
        REPORT_TEST(a_missing_finding_of_step_7_leaves_its_item_open_and_is_named),
        REPORT_TEST(availability_needs_the_planned_percentage_read_back),
        REPORT_TEST(a_rolled_back_deployment_teaches_and_says_what_is_next),
        REPORT_TEST(a_blocked_deployment_says_what_unblocks_it),
        REPORT_TEST(markdown_holds_findings_events_and_the_six_dates),
        REPORT_TEST(a_part_tells_of_its_step_only),
        REPORT_TEST(every_document_of_step_7_has_a_part),
        REPORT_TEST(json_is_the_whole_report),
        REPORT_TEST(what_strangers_write_is_shown_and_never_obeyed),
        REPORT_TEST(the_five_links_are_listed_once_each),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
