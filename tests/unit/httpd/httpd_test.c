#include "common/adapters/httpd/httpd.h"
#include "common/base/text.h"
#include "tests/support/test.h"
#include "tests/unit/httpd/caller.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct httpd *httpd;
static struct error error;
static struct caller caller;

/* Says back what it understood. */
static enum web_answer echo(void *self,
                            const struct web_request *request,
                            struct web_response *response)
{
    const char *const kind = web_header(request, "X-Kind");
    const char *const name = web_query(request, "name");

    (void)self;
    if (strcmp(request->path, "/evil") == 0)
        web_set_header(response, "X-Evil", "a\r\nb: c");
    if (strcmp(request->path, "/teapot") == 0)
        response->status = 418;
    web_set_header(response, "Content-Type", "text/plain");
    response->body = arena_printf(request->arena,
                                  "<%s %s name=%s kind=%s peer=%s body=%zu:%.20s>",
                                  request->method,
                                  request->path,
                                  name != NULL ? name : "-",
                                  kind != NULL ? kind : "-",
                                  request->peer,
                                  request->body_length,
                                  request->body);
    response->body_length = strlen(response->body);
    return WEB_NOW;
}

static int open_with(const struct httpd_options *options)
{
    struct httpd_options all = *options;

    all.listen = "127.0.0.1:0";
    all.handler.handle = echo;
    return httpd_open(&all, &httpd, &error) == ERR_OK ? 0 : -1;
}

static int setup(void **state)
{
    (void)state;
    return open_with(&(struct httpd_options){ 0 });
}

static int setup_impatient(void **state)
{
    (void)state;
    return open_with(&(struct httpd_options){ .request_ms = 300, .per_address = 2 });
}

static int setup_restless(void **state)
{
    (void)state;
    return open_with(&(struct httpd_options){ .idle_ms = 300 });
}

static int teardown(void **state)
{
    (void)state;
    httpd_close(httpd);
    return 0;
}

static void ask(const char *text)
{
    caller_ask(&caller, httpd_address(httpd), text);
}

static bool heard(const char *text)
{
    return strstr(caller.heard, text) != NULL;
}

static void a_request_reaches_the_handler_decoded(void **state)
{
    (void)state;
    ask("GET /v1/fl%61gs?name=a%20b HTTP/1.1\r\nHost: x\r\nx-kInd: odd\r\n"
        "Connection: close\r\n\r\n");
    assert_true(heard("HTTP/1.1 200 OK\r\n"));
    assert_true(heard("Content-Type: text/plain\r\n"));
    assert_true(heard("<GET /v1/flags name=a b kind=odd peer=127.0.0.1 body=0:>"));
}

static void a_body_arrives_whole(void **state)
{
    (void)state;
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nfour");
    caller_say_text(&caller, "more");
    assert_true(caller_hears(&caller, "body=8:fourmore>"));
    caller_forget(&caller);
    caller_say_text(&caller,
                    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_true(caller_hears(&caller, "<PUT / name=- kind=- peer=127.0.0.1 body=5:abcde>"));
    caller_close(&caller);
}

static void a_status_of_the_handler_is_sent(void **state)
{
    (void)state;
    ask("GET /teapot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(heard("HTTP/1.1 418 "));
}

static void a_head_has_no_body(void **state)
{
    (void)state;
    ask("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(heard("HTTP/1.1 200 OK\r\n"));
    assert_false(heard("<HEAD"));
}

static void a_header_cannot_bring_another(void **state)
{
    (void)state;
    ask("GET /evil HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(heard("HTTP/1.1 500 "));
    assert_false(heard("b: c"));
}

static void a_length_that_can_be_read_in_two_ways_is_refused(void **state)
{
    static const char *const smuggled[] = {
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Host: y\r\n",
        "Content-Length : 37\r\n",
        "Content-Length\t: 37\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Content-Length: 37\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "X(y): 1\r\n",
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof smuggled / sizeof smuggled[0]; i++) {
        (void)snprintf(text,
                       sizeof text,
                       "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n0\r\n\r\nGET /inner HTTP/1.1\r\n"
                       "Host: x\r\n\r\n",
                       smuggled[i]);
        ask(text);
        assert_true(heard("HTTP/1.1 400 ") || heard("HTTP/1.1 413 ") || heard("HTTP/1.1 501 "));
        assert_false(heard("<POST") || heard("<GET")); /* what the handler says */
    }
}

static void a_path_that_is_not_plain_is_refused(void **state)
{
    (void)state;
    ask("GET /a/%2e%2e/b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(heard("HTTP/1.1 400 "));
    assert_true(heard("dotted segment"));
    ask("GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(heard("HTTP/1.1 400 "));
    ask("GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(heard("HTTP/1.1 400 "));
}

static void a_body_has_at_most_256_kib(void **state)
{
    char *const most = calloc(1, WEB_BODY_MAX + 1);
    char head[128];

    (void)state;
    memset(most, 'a', WEB_BODY_MAX + 1);
    (void)snprintf(head,
                   sizeof head,
                   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
                   WEB_BODY_MAX);
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, head);
    caller_say(&caller, most, WEB_BODY_MAX);
    assert_true(caller_hears(&caller, "body=262144:aaa"));
    caller_close(&caller);

    ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\n");
    assert_true(heard("HTTP/1.1 413 "));

    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(
        &caller, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40001\r\n");
    caller_say(&caller, most, WEB_BODY_MAX + 1);
    caller_say_text(&caller, "\r\n0\r\n\r\n");
    assert_true(caller_hears(&caller, "HTTP/1.1 413 "));
    caller_close(&caller);
    free(most);
}

static void a_head_has_at_most_16_kib(void **state)
{
    char *const text = calloc(1, 40000);

    (void)state;
    (void)snprintf(text, 40000, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    memset(text + strlen(text), 'a', 30000);
    (void)snprintf(text + strlen(text), 64, "\r\n\r\n");
    ask(text);
    assert_false(heard("<GET"));
    free(text);
}

static void a_client_that_drips_is_hung_up_on(void **state)
{
    (void)state;
    caller_connect(&caller, httpd_address(httpd));
    for (int i = 0; i < 1000 && !caller.closed; i++) {
        const struct timespec drip = { .tv_nsec = 20000000 };

        (void)nanosleep(&drip, NULL);
        caller_say_text(&caller, i == 0 ? "GET / HTTP/1.1\r\nX-" : "a");
        if (i > 25)
            (void)caller_hears_the_end(&caller);
    }
    assert_true(caller.closed);
    assert_false(heard("<GET"));
    caller_close(&caller);
}

static void a_body_that_drips_is_hung_up_on(void **state)
{
    (void)state;
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nfour");
    assert_true(caller_hears_the_end(&caller));
    caller_close(&caller);
}

static void a_connection_may_rest_longer_than_a_request(void **state)
{
    const struct timespec rest = { .tv_sec = 1, .tv_nsec = 500000000 };

    (void)state;
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(caller_hears(&caller, "/one"));
    (void)nanosleep(&rest, NULL);
    caller_forget(&caller);
    caller_say_text(&caller, "GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(caller_hears(&caller, "/two"));
    caller_close(&caller);
}

static void a_connection_does_not_rest_for_ever(void **state)
{
    (void)state;
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, "GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(caller_hears(&caller, "/one"));
    assert_true(caller_hears_the_end(&caller));
    caller_close(&caller);
}

static void one_address_has_so_many_connections(void **state)
{
    static struct caller others[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        caller_connect(&others[i], httpd_address(httpd));
    ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_false(heard("<GET"));
    for (int i = 0; i < 2; i++)
        caller_close(&others[i]);
}

static void an_address_that_is_taken_or_none_is_named(void **state)
{
    struct httpd_options options = { .listen = httpd_address(httpd),
                                     .handler = { .handle = echo } };
    struct httpd *other;

    (void)state;
    assert_int_equal(httpd_open(&options, &other, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "Address already in use"));
    options.listen = "8080";
    assert_int_equal(httpd_open(&options, &other, &error), ERR_INVALID);
    options.listen = "127.0.0.1:http";
    assert_int_equal(httpd_open(&options, &other, &error), ERR_INVALID);
    options.listen = "::1:80";
    assert_int_equal(httpd_open(&options, &other, &error), ERR_INVALID);
}

#define EACH(test)      cmocka_unit_test_setup_teardown(test, setup, teardown)
#define IMPATIENT(test) cmocka_unit_test_setup_teardown(test, setup_impatient, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_request_reaches_the_handler_decoded),
        EACH(a_body_arrives_whole),
        EACH(a_status_of_the_handler_is_sent),
        EACH(a_head_has_no_body),
        EACH(a_header_cannot_bring_another),
        EACH(a_length_that_can_be_read_in_two_ways_is_refused),
        EACH(a_path_that_is_not_plain_is_refused),
        EACH(a_body_has_at_most_256_kib),
        EACH(a_head_has_at_most_16_kib),
        IMPATIENT(a_client_that_drips_is_hung_up_on),
        IMPATIENT(a_body_that_drips_is_hung_up_on),
        IMPATIENT(a_connection_may_rest_longer_than_a_request),
        cmocka_unit_test_setup_teardown(
            a_connection_does_not_rest_for_ever, setup_restless, teardown),
        IMPATIENT(one_address_has_so_many_connections),
        EACH(an_address_that_is_taken_or_none_is_named),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("httpd", tests, NULL, NULL);
}
