/* Answers that come later, and streams. The handler parks ids where the test finds them. */
#include "common/adapters/httpd/httpd.h"
#include "tests/support/test.h"
#include "tests/unit/httpd/caller.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STREAM_REQUEST "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
#define LATER_REQUEST  "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static struct httpd *httpd;
static struct web_server server;
static struct error error;
static struct caller caller;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t asked; /* The newest id. */
static uint64_t over;  /* The newest stream that is gone. */
static int wait_ms;
static int ping_ms;

static void note(uint64_t *where, uint64_t id)
{
    (void)pthread_mutex_lock(&lock);
    *where = id;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

/* The id that appears there within 20 s. */
static uint64_t await(const uint64_t *where)
{
    struct timespec until;
    uint64_t id;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    (void)pthread_mutex_lock(&lock);
    while (*where == 0 && pthread_cond_timedwait(&changed, &lock, &until) == 0)
        continue;
    id = *where;
    (void)pthread_mutex_unlock(&lock);
    return id;
}

static void say(struct web_response *response, const char *text)
{
    response->body = text;
    response->body_length = strlen(text);
}

static enum web_answer park(void *self,
                            const struct web_request *request,
                            struct web_response *response)
{
    (void)self;
    if (strcmp(request->path, "/at-once") == 0) {
        struct web_response answer = { .status = 200 };

        say(&answer, "answered before the handler returned");
        assert_int_equal(server.answer(server.self, request->id, &answer), ERR_OK);
        say(response, "too late");
        return WEB_LATER;
    }
    if (strncmp(request->path, "/stream", 7) == 0) {
        web_set_header(response, "Content-Type", "text/event-stream");
        say(response, "event: hello\n\n");
        response->ping_ms = ping_ms;
        response->farewell = "event: reset\n\n";
        if (strcmp(request->path, "/stream/early") == 0) {
            (void)server.push(server.self, request->id, "data: early\n\n", 13);
            server.end(server.self, request->id);
        }
        note(&asked, request->id);
        return WEB_STREAM;
    }
    response->status = 202;
    say(response, "nobody answered in time");
    response->wait_ms = wait_ms;
    note(&asked, request->id);
    return WEB_LATER;
}

static void gone(void *self, uint64_t stream)
{
    (void)self;
    note(&over, stream);
}

static int setup(void **state)
{
    const struct httpd_options options = { .listen = "127.0.0.1:0",
                                           .handler = { .handle = park, .gone = gone } };

    (void)state;
    asked = over = 0;
    wait_ms = 20000;
    ping_ms = 0;
    if (httpd_open(&options, &httpd, &error) != ERR_OK)
        return -1;
    server = httpd_server(httpd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    httpd_close(httpd);
    return 0;
}

static uint64_t begin(const char *request)
{
    caller_connect(&caller, httpd_address(httpd));
    caller_say_text(&caller, request);
    return await(&asked);
}

static void another_thread_answers(void **state)
{
    const uint64_t id = begin(LATER_REQUEST);
    struct web_response answer = { .status = 201 };

    (void)state;
    say(&answer, "done");
    web_set_header(&answer, "Location", "/v1/requests/1");
    assert_int_equal(server.answer(server.self, id, &answer), ERR_OK);
    assert_true(caller_hears_the_end(&caller));
    assert_non_null(strstr(caller.heard, "HTTP/1.1 201 "));
    assert_non_null(strstr(caller.heard, "Location: /v1/requests/1\r\n"));
    assert_non_null(strstr(caller.heard, "\r\n\r\ndone"));
    caller_close(&caller);
}

static void only_the_first_answer_counts(void **state)
{
    const uint64_t id = begin(LATER_REQUEST);
    struct web_response answer = { .status = 200 };

    (void)state;
    say(&answer, "first");
    assert_int_equal(server.answer(server.self, id, &answer), ERR_OK);
    say(&answer, "second");
    assert_int_equal(server.answer(server.self, id, &answer), ERR_STALE);
    assert_true(caller_hears_the_end(&caller));
    assert_non_null(strstr(caller.heard, "first"));
    caller_close(&caller);
}

static void an_answer_may_come_before_the_handler_returns(void **state)
{
    (void)state;
    caller_ask(&caller,
               httpd_address(httpd),
               "GET /at-once HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(caller.heard, "answered before"));
}

static void without_an_answer_the_fallback_is_sent(void **state)
{
    struct web_response answer = { .status = 200 };
    uint64_t id;

    (void)state;
    wait_ms = 50;
    id = begin(LATER_REQUEST);
    assert_true(caller_hears_the_end(&caller));
    assert_non_null(strstr(caller.heard, "HTTP/1.1 202 "));
    assert_non_null(strstr(caller.heard, "nobody answered in time"));
    assert_int_equal(server.answer(server.self, id, &answer), ERR_STALE);
    caller_close(&caller);
}

static void an_id_of_nobody_is_stale(void **state)
{
    const struct web_response answer = { .status = 200 };

    (void)state;
    assert_int_equal(server.answer(server.self, 0, &answer), ERR_STALE);
    assert_int_equal(server.answer(server.self, 77, &answer), ERR_STALE);
    assert_int_equal(server.push(server.self, UINT64_MAX, "x", 1), ERR_STALE);
    server.end(server.self, 1 << 20);
}

static void stopping_answers_everybody(void **state)
{
    const struct web_response answer = { .status = 200 };
    const uint64_t id = begin(LATER_REQUEST);

    (void)state;
    httpd_stop(httpd);
    assert_true(caller_hears_the_end(&caller));
    assert_non_null(strstr(caller.heard, "nobody answered in time"));
    assert_int_equal(server.answer(server.self, id, &answer), ERR_STALE);
    caller_close(&caller);
}

static void a_stream_carries_what_is_pushed(void **state)
{
    const uint64_t id = begin(STREAM_REQUEST);

    (void)state;
    assert_true(caller_hears(&caller, "event: hello\n\n"));
    assert_non_null(strstr(caller.heard, "Content-Type: text/event-stream"));
    assert_int_equal(server.push(server.self, id, "data: 1\n\n", 9), ERR_OK);
    assert_true(caller_hears(&caller, "data: 1\n\n"));
    assert_int_equal(server.push(server.self, id, "data: 2\n\n", 9), ERR_OK);
    assert_true(caller_hears(&caller, "data: 2\n\n"));
    server.end(server.self, id);
    assert_true(caller_hears(&caller, "\r\n0\r\n\r\n"));
    assert_int_equal(await(&over), id);
    assert_int_equal(server.push(server.self, id, "x", 1), ERR_STALE);
    caller_close(&caller);
}

static void a_push_does_not_wait_for_the_loops_next_round(void **state)
{
    const uint64_t id = begin(STREAM_REQUEST);
    const time_t began = time(NULL);

    (void)state;
    for (int i = 0; i < 100; i++) {
        caller_forget(&caller);
        assert_int_equal(server.push(server.self, id, "data: 1\n\n", 9), ERR_OK);
        assert_true(caller_hears(&caller, "data: 1\n\n"));
    }
    assert_true(time(NULL) - began < 10); /* A round is 200 ms: it would be 20 s. */
    caller_close(&caller);
}

static void a_silent_stream_is_pinged(void **state)
{
    (void)state;
    ping_ms = 50;
    (void)begin(STREAM_REQUEST);
    assert_true(caller_hears(&caller, ": ping\n\n"));
    caller_close(&caller);
}

static void a_reader_that_leaves_is_noticed(void **state)
{
    const uint64_t id = begin(STREAM_REQUEST);

    (void)state;
    assert_true(caller_hears(&caller, "event: hello"));
    caller_close(&caller);
    assert_int_equal(await(&over), id);
    assert_int_equal(server.push(server.self, id, "x", 1), ERR_STALE);
}

static void stopping_ends_streams(void **state)
{
    const uint64_t id = begin(STREAM_REQUEST);

    (void)state;
    assert_int_equal(server.push(server.self, id, "data: last\n\n", 12), ERR_OK);
    httpd_stop(httpd);
    assert_true(caller_hears_the_end(&caller));
    assert_non_null(strstr(caller.heard, "data: last\n\n"));
    assert_int_equal(over, id);
    caller_close(&caller);
}

static void a_push_before_the_handler_returns_comes_after_its_first_bytes(void **state)
{
    (void)state;
    (void)begin("GET /stream/early HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(caller_hears(&caller, "\r\n0\r\n\r\n"));
    assert_non_null(strstr(caller.heard, "event: hello\n\n"));
    assert_non_null(strstr(strstr(caller.heard, "event: hello\n\n"), "data: early\n\n"));
    caller_close(&caller);
}

static void a_slow_reader_gets_the_farewell(void **state)
{
    enum { EVENT_SIZE = 60 * 1024 };
    char *const event = malloc(EVENT_SIZE);
    uint64_t id;
    enum err err;
    size_t pushed = 0;
    const char *last;

    (void)state;
    memset(event, 'a', EVENT_SIZE);
    memcpy(event, "data: ", 6);
    memcpy(event + EVENT_SIZE - 2, "\n\n", 2);
    id = begin(STREAM_REQUEST);
    /* The reader reads nothing meanwhile; the pause lets the loop fill the sockets' buffers,
     * so that it is stopped in the middle of an event. */
    while ((err = server.push(server.self, id, event, EVENT_SIZE)) == ERR_OK &&
           pushed < 10000) {
        pushed++;
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(err, ERR_TOO_LARGE);
    assert_int_equal(server.push(server.self, id, event, EVENT_SIZE), ERR_STALE);
    assert_true(caller_hears(&caller, "event: reset\n\n"));
    /* What stands before it is the end of a whole event (and the size of a chunk). */
    last = strstr(caller.heard, "event: reset") - 16;
    assert_non_null(strstr(last, "\n\n\r\n"));
    assert_true(strstr(last, "\n\n\r\n") < last + 16);
    assert_true(caller_hears(&caller, "\r\n0\r\n\r\n"));
    assert_int_equal(await(&over), id);
    caller_close(&caller);
    free(event);
}

static void *push_many(void *self)
{
    const uint64_t id = *(const uint64_t *)self;

    for (int i = 0; i < 200; i++)
        (void)server.push(server.self, id, "data: x\n\n", 9);
    return NULL;
}

static void many_threads_push_at_once(void **state)
{
    pthread_t threads[4];
    uint64_t id = begin(STREAM_REQUEST);
    size_t events = 0;

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_many, &id), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    server.end(server.self, id);
    assert_true(caller_hears(&caller, "\r\n0\r\n\r\n"));
    for (const char *at = caller.heard; (at = strstr(at, "data: x")) != NULL; at++)
        events++;
    assert_int_equal(events, 800);
    caller_close(&caller);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(another_thread_answers),
        EACH(only_the_first_answer_counts),
        EACH(an_answer_may_come_before_the_handler_returns),
        EACH(without_an_answer_the_fallback_is_sent),
        EACH(an_id_of_nobody_is_stale),
        EACH(stopping_answers_everybody),
        EACH(a_stream_carries_what_is_pushed),
        EACH(a_push_does_not_wait_for_the_loops_next_round),
        EACH(a_silent_stream_is_pinged),
        EACH(a_reader_that_leaves_is_noticed),
        EACH(stopping_ends_streams),
        EACH(a_push_before_the_handler_returns_comes_after_its_first_bytes),
        EACH(a_slow_reader_gets_the_farewell),
        EACH(many_threads_push_at_once),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("httpd later", tests, NULL, NULL);
}
