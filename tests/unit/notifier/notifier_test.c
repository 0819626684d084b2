#include "tests/unit/notifier/notifier_world.h"

#include "tests/support/test.h"

static const char *const step_7[] = {
    "docs.execution",    "docs.validation",       "docs.flags",         "docs.post_validation",
    "docs.monitoring",   "jira.status",           "jira.date_time",     "jira.version",
    "jira.flag_status",  "jira.monitoring_links", "handoff.operations", "handoff.dashboards",
    "handoff.runbooks",  "handoff.escalation",    "notify.deployment",  "notify.rollout",
    "notify.monitoring",
};

enum { STEP_7 = sizeof step_7 / sizeof step_7[0] };

static void ask_all(void)
{
    for (size_t i = 0; i < STEP_7; i++) {
        ask(step_7[i]);
        if (strncmp(step_7[i], "jira.", 5) == 0)
            use("jira", step_7[i], true);
        else if (strncmp(step_7[i], "docs.", 5) != 0)
            use("hook", step_7[i], true);
    }
}

static void every_check_of_step_7_passes_with_its_receipt(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    ask_all();
    result = run(FINALISE);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->n_findings, STEP_7);
    for (size_t i = 0; i < STEP_7; i++)
        assert_int_equal(verdict_of(step_7[i]), PB__VERDICT__PASS);
    assert_int_equal(result->n_receipts, STEP_7);
    assert_int_equal(json_array_size(n.out.jira.comments), 1);
    assert_int_equal(n.out.jira.transitions_made, 1);
}

static bool has_link(const Pb__TaskFinished *result, const char *kind, const char *url)
{
    for (size_t i = 0; i < result->n_links; i++) {
        if (pb_same(result->links[i]->kind, kind) && strstr(result->links[i]->url, url) != NULL)
            return true;
    }
    return false;
}

static void the_links_of_the_audit_trail_are_handed_back(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    ask_all();
    result = run(FINALISE);
    assert_true(has_link(result, "ticket", "http://jira.example/browse/SHOP-4182"));
    assert_true(has_link(result, "documentation", "documents/express-pay.1/execution.md"));
    assert_true(
        has_link(result, "logs", "slipway.example/v1/deployments/express-pay.1/timeline"));
    assert_true(has_link(result, "flags", "slipway.example/v1/flags"));
}

static void a_channel_that_refuses_fails_its_check_and_no_other(void **state)
{
    (void)state;
    ask("notify.deployment");
    ask("docs.flags");
    use("hook", "notify.deployment", true);
    fake_channels_answer(&n.out, &(struct memory_http_answer){ .url = "*", .status = 403 });
    assert_int_equal(run(FINALISE)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__FAIL);
    assert_int_equal(verdict_of("docs.flags"), PB__VERDICT__PASS);
    assert_int_equal(memory_http_call_count(n.out.http), 1);
}

static void an_overloaded_channel_is_asked_again_when_it_said(void **state)
{
    const int64_t began_ms = n.out.clock.now_ms;
    const struct memory_http_answer busy = {
        .url = "*",
        .times = 1,
        .status = 429,
        .headers = { { "retry-after", "7" } },
        .header_count = 1,
    };

    (void)state;
    ask("notify.deployment");
    use("hook", "notify.deployment", true);
    fake_channels_answer(&n.out, &busy);
    memory_http_answer(n.out.http, &(struct memory_http_answer){ .url = "*", .status = 200 });
    assert_int_equal(run(FINALISE)->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__PASS);
    assert_int_equal(n.out.clock.now_ms, began_ms + 7000);
}

static void a_channel_that_stays_away_is_an_error_after_three_tries(void **state)
{
    (void)state;
    ask("notify.deployment");
    use("hook", "notify.deployment", true);
    fake_channels_answer(&n.out, &(struct memory_http_answer){ .url = "*", .status = 503 });
    (void)run(FINALISE);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__ERROR);
    assert_int_equal(memory_http_call_count(n.out.http), 3);
}

static void what_is_open_at_the_deadline_has_failed(void **state)
{
    const struct memory_http_answer busy = {
        .url = "*",
        .status = 429,
        .headers = { { "retry-after", "3600" } },
        .header_count = 1,
    };

    (void)state;
    ask("notify.deployment");
    use("hook", "notify.deployment", true);
    fake_channels_answer(&n.out, &busy);
    (void)run(FINALISE);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__ERROR);
    assert_true(n.out.clock.now_ms < n.command.deadline_ms);
}

static void a_best_effort_channel_that_fails_is_listed_and_blocks_nothing(void **state)
{
    const Pb__Finding *outstanding;

    (void)state;
    ask("notify.deployment");
    use("hook", "notify.deployment", true);
    use("mail", "notify.deployment", false);
    memory_http_forget(n.out.http);
    memory_http_answer(
        n.out.http,
        &(struct memory_http_answer){ .method = "POST", .url = "*", .status = 200 });
    (void)run(FINALISE);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__PASS);
    outstanding = fake_task_finding(&n.task, "notify.deployment.mail");
    assert_non_null(outstanding);
    assert_int_equal(outstanding->verdict, PB__VERDICT__WARN);
    assert_false(outstanding->required);
}

static void a_check_that_reached_nobody_does_not_pass(void **state)
{
    (void)state;
    ask("notify.deployment");
    ask("notify.rollout");
    use("mail", "notify.deployment", false);
    memory_http_forget(n.out.http);
    (void)run(FINALISE);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__ERROR);
    assert_int_equal(verdict_of("notify.rollout"), PB__VERDICT__NO_DATA);
}

static void what_has_its_receipt_is_not_told_again_but_the_ticket_is_read_again(void **state)
{
    struct arena *const arena = &n.out.arena;
    static const char *const checks[] = { "notify.deployment", "jira.version" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        Pb__Receipt *const receipt = pb_new(arena, &pb__receipt__descriptor);

        receipt->check = checks[i];
        receipt->channel = i == 0 ? "hook" : "jira";
        receipt->id = "earlier";
        PB_APPEND(arena, n.deployment, receipts, receipt);
        ask(checks[i]);
        use(receipt->channel, checks[i], true);
    }
    write_record();
    (void)run(FINALISE);
    assert_int_equal(verdict_of("notify.deployment"), PB__VERDICT__PASS);
    assert_int_equal(verdict_of("jira.version"), PB__VERDICT__PASS);
    for (size_t i = 0; i < memory_http_call_count(n.out.http); i++)
        assert_null(strstr(memory_http_call(n.out.http, i)->url, "hook.example"));
    assert_int_equal(json_array_size(n.out.jira.comments), 1);
}

static void the_same_notice_has_the_same_id_in_every_try(void **state)
{
    const char *first;

    (void)state;
    ask("notify.deployment");
    use("hook", "notify.deployment", true);
    (void)run(FINALISE);
    first = memory_http_call(n.out.http, 0)->headers[1].value;
    n.command.task = "express-pay.1/7/2/0";
    n.command.drive = 3;
    (void)run(FINALISE);
    assert_string_equal(memory_http_call(n.out.http, 1)->headers[1].value, first);
}

static void a_later_date_fact_makes_no_second_comment(void **state)
{
    (void)state;
    ask("jira.date_time");
    use("jira", "jira.date_time", true);
    (void)run(FINALISE);
    n.out.facts[1]->value = "another drive, another time";
    (void)run(FINALISE);
    assert_int_equal(verdict_of("jira.date_time"), PB__VERDICT__PASS);
    assert_int_equal(json_array_size(n.out.jira.comments), 1);
}

static const char *observed_of(const char *check)
{
    return fake_task_finding(&n.task, check)->observed;
}

static void a_hand_over_says_who_has_accepted_it_or_that_nobody_has(void **state)
{
    Pb__SignOffGiven *const given = pb_new(&n.out.arena, &pb__sign_off_given__descriptor);
    Pb__StepState *const step = pb_new(&n.out.arena, &pb__step_state__descriptor);

    (void)state;
    ask("handoff.operations");
    use("hook", "handoff.operations", true);
    (void)run(FINALISE);
    assert_int_equal(verdict_of("handoff.operations"), PB__VERDICT__PASS);
    assert_non_null(strstr(observed_of("handoff.operations"), "to be accepted by"));
    assert_non_null(strstr(memory_http_call(n.out.http, 0)->body, "slipway signoff "));
    step->step = 6;
    step->try_number = 2;
    PB_APPEND(&n.out.arena, n.deployment, steps, step);
    given->step = 6;
    given->try_number = 1; /* Of an earlier try: does not count. */
    given->subject = "olga";
    given->role = "operations-lead";
    given->accept = true;
    PB_APPEND(&n.out.arena, n.deployment, signoffs, given);
    write_record();
    (void)run(FINALISE);
    assert_non_null(strstr(observed_of("handoff.operations"), "to be accepted by"));
    given->try_number = 2;
    write_record();
    (void)run(FINALISE);
    assert_non_null(strstr(observed_of("handoff.operations"), "accepted by olga"));
}

static void a_hand_over_with_nothing_to_hand_over_fails(void **state)
{
    (void)state;
    n.plan->n_dashboards = 0;
    n.plan->n_documents = 0;
    write_record();
    ask("handoff.dashboards");
    ask("handoff.runbooks");
    use("hook", "handoff.dashboards", true);
    use("hook", "handoff.runbooks", true);
    (void)run(FINALISE);
    assert_int_equal(verdict_of("handoff.dashboards"), PB__VERDICT__FAIL);
    assert_int_equal(verdict_of("handoff.runbooks"), PB__VERDICT__FAIL);
    assert_int_equal(memory_http_call_count(n.out.http), 0);
}

static void without_the_record_step_7_is_an_error(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    memory_space_clear(n.space);
    ask("notify.deployment");
    result = run(FINALISE);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_non_null(strstr(result->error, "read the record of express-pay.1"));
}

static void an_announcement_needs_no_record(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    memory_space_clear(n.space);
    use("hook", "page", true);
    use("jira", "jira.status", false);
    result = run(ANNOUNCE);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(verdict_of("page"), PB__VERDICT__PASS);
    assert_string_equal(result->receipts[0]->check, "blocked:page");
    assert_non_null(strstr(memory_http_call(n.out.http, 0)->body, "smoke.api failed"));
}

static void a_second_block_is_a_new_notice_and_a_repeat_is_not(void **state)
{
    const char *first;

    (void)state;
    use("hook", "page", true);
    (void)run(ANNOUNCE);
    n.command.drive = 2;
    (void)run(ANNOUNCE);
    n.command.task = "express-pay.1/3/1/9";
    (void)run(ANNOUNCE);
    first = memory_http_call(n.out.http, 0)->headers[1].value;
    assert_string_equal(memory_http_call(n.out.http, 1)->headers[1].value, first);
    assert_string_not_equal(memory_http_call(n.out.http, 2)->headers[1].value, first);
}

static void an_announcement_that_reached_nobody_is_not_ok(void **state)
{
    (void)state;
    assert_int_equal(run(ANNOUNCE)->outcome, PB__OUTCOME__OUTCOME_FAILED);
    use("hook", "page", false);
    memory_http_forget(n.out.http);
    assert_int_equal(run(ANNOUNCE)->outcome, PB__OUTCOME__OUTCOME_ERROR);
    assert_non_null(strstr(n.task.task.result->error, "hook"));
}

static void a_required_channel_that_refuses_makes_the_announcement_fail(void **state)
{
    (void)state;
    use("hook", "page", true);
    use("mail", "page", false);
    memory_http_forget(n.out.http);
    memory_http_answer(n.out.http,
                       &(struct memory_http_answer){ .method = "MAIL", .url = "*" });
    memory_http_answer(n.out.http, &(struct memory_http_answer){ .url = "*", .status = 401 });
    assert_int_equal(run(ANNOUNCE)->outcome, PB__OUTCOME__OUTCOME_FAILED);
}

static void wrong_channel_options_stop_the_service_at_its_start(void **state)
{
    struct arena arena = arena_with_limit(1024 * 1024);
    struct yaml_problems problems = { .arena = &arena };

    (void)state;
    notifier_worker.check(&arena, n.service.settings, &problems);
    assert_int_equal(problems.errors, 0);
    fake_channel_add(&n.out, "hook", "webhook", "{secret_file: x}");
    notifier_worker.check(&arena, n.service.settings, &problems);
    assert_true(problems.errors > 0);
    assert_string_equal(problems.item[0].file, "slipway.yaml");
    arena_release(&arena);
}

#define NOTIFIER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NOTIFIER_TEST(every_check_of_step_7_passes_with_its_receipt),
        NOTIFIER_TEST(the_links_of_the_audit_trail_are_handed_back),
        NOTIFIER_TEST(a_channel_that_refuses_fails_its_check_and_no_other),
        NOTIFIER_TEST(an_overloaded_channel_is_asked_again_when_it_said),
        NOTIFIER_TEST(a_channel_that_stays_away_is_an_error_after_three_tries),
        NOTIFIER_TEST(what_is_open_at_the_deadline_has_failed),
        NOTIFIER_TEST(a_best_effort_channel_that_fails_is_listed_and_blocks_nothing),
        NOTIFIER_TEST(a_check_that_reached_nobody_does_not_pass),
        NOTIFIER_TEST(what_has_its_receipt_is_not_told_again_but_the_ticket_is_read_again),
        NOTIFIER_TEST(the_same_notice_has_the_same_id_in_every_try),
        NOTIFIER_TEST(a_later_date_fact_makes_no_second_comment),
        NOTIFIER_TEST(a_hand_over_says_who_has_accepted_it_or_that_nobody_has),
        NOTIFIER_TEST(a_hand_over_with_nothing_to_hand_over_fails),
        NOTIFIER_TEST(without_the_record_step_7_is_an_error),
        NOTIFIER_TEST(an_announcement_needs_no_record),
        NOTIFIER_TEST(a_second_block_is_a_new_notice_and_a_repeat_is_not),
        NOTIFIER_TEST(an_announcement_that_reached_nobody_is_not_ok),
        NOTIFIER_TEST(a_required_channel_that_refuses_makes_the_announcement_fail),
        NOTIFIER_TEST(wrong_channel_options_stop_the_service_at_its_start),
    };

    return cmocka_run_group_tests_name("notifier", tests, NULL, NULL);
}
