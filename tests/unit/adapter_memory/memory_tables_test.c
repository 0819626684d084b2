/* The prepared answers, the log and the metrics. */
#include "common/adapters/memory/http_client.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/process.h"
#include "tests/support/test.h"

static int status_of(struct http_client *client, const char *method, const char *url)
{
    struct arena arena = arena_with_limit(4096);
    struct error error = { 0 };
    struct http_request request = { .method = method, .url = url, .timeout_ms = 1000 };
    struct http_response response = { 0 };
    enum err err = client->perform(client->self, &arena, &request, &response, &error);

    arena_release(&arena);
    return err == ERR_OK ? response.status : -(int)err;
}

static void the_first_row_that_fits_and_is_not_used_up_answers(void **state)
{
    struct memory_http *http = memory_http_new();
    struct http_client client = memory_http_client(http);

    (void)state;
    memory_http_answer(http,
                       &(struct memory_http_answer){
                           .url = "http://shop-?/health", .times = 2, .status = 503 });
    memory_http_answer(
        http,
        &(struct memory_http_answer){ .url = "http://*", .method = "GET", .status = 200 });
    assert_int_equal(status_of(&client, "GET", "http://shop-1/health"), 503);
    assert_int_equal(status_of(&client, "PUT", "http://shop-2/health"), 503);
    assert_int_equal(status_of(&client, "GET", "http://shop-1/health"), 200);
    assert_int_equal(status_of(&client, "PUT", "http://shop-1/health"), -ERR_UNAVAILABLE);
    assert_int_equal(memory_http_call_count(http), 4);
    assert_string_equal(memory_http_call(http, 1)->method, "PUT");
    memory_http_forget(http);
    assert_int_equal(status_of(&client, "GET", "http://shop-1/health"), -ERR_UNAVAILABLE);
    memory_http_free(http);
}

static void mail_is_recorded_and_may_be_refused(void **state)
{
    struct memory_http *http = memory_http_new();
    struct http_client client = memory_http_client(http);
    struct error error = { 0 };
    struct mail mail = {
        .server = "smtp://mail:25", .from = "a@b", .to = "c@d", .message = "hello"
    };

    (void)state;
    memory_http_answer(
        http, &(struct memory_http_answer){ .method = "MAIL", .url = "smtp:*", .times = 1 });
    memory_http_answer(http,
                       &(struct memory_http_answer){ .url = "smtp:*", .err = ERR_DENIED });
    assert_int_equal(client.send_mail(client.self, &mail, &error), ERR_OK);
    assert_int_equal(client.send_mail(client.self, &mail, &error), ERR_DENIED);
    assert_string_equal(memory_http_call(http, 0)->mail_to, "c@d");
    assert_string_equal(memory_http_call(http, 0)->body, "hello");
    memory_http_free(http);
}

static void a_command_answers_as_prepared(void **state)
{
    struct memory_process *process = memory_process_new();
    struct process_runner runner = memory_process_runner(process);
    struct arena arena = arena_with_limit(4096);
    struct error error = { 0 };
    const char *const argv[] = { "/bin/deploy", "--to", "7", NULL };
    struct process_call call = { .argv = argv, .input = "in", .timeout_ms = 1000 };
    struct process_result result;

    (void)state;
    assert_int_equal(runner.run(runner.self, &arena, &call, &result, &error), ERR_NOT_FOUND);
    memory_process_answer(process,
                          &(struct memory_process_answer){ .command = "/bin/deploy --to *",
                                                           .exit_status = 3,
                                                           .output = "no" });
    assert_int_equal(runner.run(runner.self, &arena, &call, &result, &error), ERR_OK);
    assert_int_equal(result.exit_status, 3);
    assert_string_equal(result.output, "no");
    assert_int_equal(memory_process_call_count(process), 2);
    assert_string_equal(memory_process_call(process, 1), "/bin/deploy --to 7");
    assert_string_equal(memory_process_input(process, 1), "in");
    memory_process_free(process);
    arena_release(&arena);
}

static void the_log_keeps_its_lines(void **state)
{
    struct memory_log *log = memory_log_new();
    struct log_port port = memory_log_port(log);

    (void)state;
    LOG(port, LOG_WARNING, "task lost", { "task", "d/2/1/0" }, { "owner", NULL });
    assert_string_equal(memory_log_text(log), "WARNING task lost task=d/2/1/0\n");
    assert_true(memory_log_has(log, "task lost"));
    memory_log_clear(log);
    assert_false(memory_log_has(log, "task lost"));
    memory_log_free(log);
}

static void metrics_can_be_looked_up(void **state)
{
    struct memory_metrics *metrics = memory_metrics_new();
    struct metrics_port port = memory_metrics_port(metrics);

    (void)state;
    port.add(port.self, "tasks_total", "outcome", "ok", 2);
    port.add(port.self, "tasks_total", "outcome", "ok", 1);
    port.set(port.self, "lag", "", "", 7);
    port.observe_ms(port.self, "took", "", "", 12);
    assert_int_equal(memory_metric(metrics, "tasks_total", "outcome", "ok"), 3);
    assert_int_equal(memory_metric(metrics, "tasks_total", "outcome", "error"), 0);
    assert_int_equal(memory_metric(metrics, "lag", "", ""), 7);
    assert_int_equal(memory_metric(metrics, "took", "", ""), 1);
    memory_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_that_fits_and_is_not_used_up_answers),
        cmocka_unit_test(mail_is_recorded_and_may_be_refused),
        cmocka_unit_test(a_command_answers_as_prepared),
        cmocka_unit_test(the_log_keeps_its_lines),
        cmocka_unit_test(metrics_can_be_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
