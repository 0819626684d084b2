#include "common/adapters/curl/curl.h"
#include "tests/support/test.h"
#include "tests/unit/curl/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ARENA_SIZE = 4 * 1024 * 1024 };

static struct arena arena;
static struct error error;
static struct http_client client;
static struct peer peer;

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(ARENA_SIZE);
    peer = (struct peer){ 0 };
    return curl_open(&client, &error) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    client.close(client.self);
    arena_release(&arena);
    return 0;
}

/* Answers every request on the connection (none here is longer than its head and 'body'). */
static void answer_all(struct peer *self, int fd)
{
    size_t seen = 0;

    while (peer_hear(self, fd)) {
        const char *const end = strstr(self->heard + seen, "\r\n\r\n");

        if (end == NULL)
            continue;
        if (strncmp(self->heard + seen, "POST", 4) == 0 && strstr(end, "body") == NULL)
            continue;
        seen = self->heard_length;
        peer_say(fd, self->answer, self->answer_length);
    }
}

static void answer_and_leave(struct peer *self, int fd)
{
    while (peer_hear(self, fd)) {
        if (peer_heard(self, "\r\n\r\n"))
            break;
    }
    peer_say(fd, self->answer, self->answer_length);
    (void)shutdown(fd, SHUT_WR);
    while (peer_hear(self, fd))
        continue;
}

static void say_nothing(struct peer *self, int fd)
{
    while (peer_hear(self, fd))
        continue;
}

static void start(void (*talk)(struct peer *, int), const char *answer)
{
    peer.talk = talk;
    peer.answer = answer;
    peer.answer_length = strlen(answer);
    peer_start(&peer);
}

static struct http_request get(const char *path)
{
    return (struct http_request){
        .method = "GET",
        .url = arena_printf(&arena, "http://127.0.0.1:%d%s", peer.port, path),
        .timeout_ms = 20000,
    };
}

static enum err perform(const struct http_request *request, struct http_response *ret)
{
    return client.perform(client.self, &arena, request, ret, &error);
}

/* Closing the client first ends the kept-alive connection, so that the peer can be joined. */
static void stop_peer(void)
{
    client.close(client.self);
    assert_int_equal(curl_open(&client, &error), ERR_OK);
    peer_stop(&peer);
}

static void any_status_is_an_answer(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(answer_all,
          "HTTP/1.1 503 Later\r\nContent-Length: 4\r\nX-One:  two  \r\n"
          "Retry-After: 7\r\n\r\nbusy");
    request = get("/healthz");
    assert_int_equal(perform(&request, &response), ERR_OK);
    assert_int_equal(response.status, 503);
    assert_string_equal(response.body, "busy");
    assert_int_equal(response.body_length, 4);
    assert_string_equal(http_header(&response, "x-one"), "two");
    assert_string_equal(http_header(&response, "retry-after"), "7");
    stop_peer();
    assert_true(peer_heard(&peer, "GET /healthz HTTP/1.1\r\n"));
    assert_true(peer_heard(&peer, "User-Agent: slipway/"));
}

static void method_headers_and_body_are_sent_as_given(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(answer_all, "HTTP/1.1 204 No\r\n\r\n");
    request = get("/hook");
    request.method = "POST";
    request.headers[0] = (struct http_header){ "X-Signature", "abc" };
    request.headers[1] = (struct http_header){ "X-Empty", "" };
    request.header_count = 2;
    request.body = "a body";
    request.body_length = 6;
    assert_int_equal(perform(&request, &response), ERR_OK);
    assert_int_equal(response.status, 204);
    stop_peer();
    assert_true(peer_heard(&peer, "POST /hook HTTP/1.1\r\n"));
    assert_true(peer_heard(&peer, "X-Signature: abc\r\n"));
    assert_true(peer_heard(&peer, "X-Empty:\r\n"));
    assert_true(peer_heard(&peer, "\r\n\r\na body"));
    assert_false(peer_heard(&peer, "Expect"));
    assert_false(peer_heard(&peer, "Content-Type"));
}

static void a_connection_is_used_again(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(answer_all, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    request = get("/");
    for (int i = 0; i < 3; i++)
        assert_int_equal(perform(&request, &response), ERR_OK);
    stop_peer();
    assert_int_equal(peer.connections, 1);
}

static void a_redirect_is_never_followed(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(
        answer_all,
        "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
    request = get("/");
    assert_int_equal(perform(&request, &response), ERR_OK);
    assert_int_equal(response.status, 302);
    stop_peer();
}

static void a_proxy_of_the_environment_is_not_asked(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(answer_all, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    request = get("/");
    assert_int_equal(perform(&request, &response), ERR_OK);
    (void)unsetenv("http_proxy");
    stop_peer();
}

static void silence_times_out(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(say_nothing, "");
    request = get("/secret-path");
    request.timeout_ms = 100;
    assert_int_equal(perform(&request, &response), ERR_TIMED_OUT);
    assert_null(strstr(error.text, "secret-path"));
    assert_non_null(strstr(error.text, "127.0.0.1:"));
    stop_peer();
}

/* At the second time it is asked. */
static bool give_up(void *self)
{
    unsigned *const asked = self;

    return ++*asked > 1;
}

static void waiting_can_be_given_up(void **state)
{
    struct http_response response;
    struct http_request request;
    unsigned asked = 0;

    (void)state;
    start(say_nothing, "");
    request = get("/");
    request.timeout_ms = 60 * 1000;
    request.cancelled = give_up;
    request.cancelled_self = &asked;
    assert_int_equal(perform(&request, &response), ERR_CONFLICT);
    stop_peer();
}

static void a_request_that_nobody_gives_up_is_answered(void **state)
{
    struct http_response response;
    struct http_request request;
    unsigned asked = 0;

    (void)state;
    start(answer_all, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    request = get("/");
    request.cancelled = give_up;
    request.cancelled_self = &asked;
    asked = 1;
    assert_int_equal(perform(&request, &response), ERR_CONFLICT);
    request.cancelled = NULL;
    assert_int_equal(perform(&request, &response), ERR_OK);
    stop_peer();
}

static void nobody_there_is_unavailable(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(say_nothing, "");
    request = get("/");
    stop_peer();
    assert_int_equal(perform(&request, &response), ERR_UNAVAILABLE);
}

static void half_an_answer_is_no_answer(void **state)
{
    struct http_response response;
    struct http_request request;

    (void)state;
    start(answer_and_leave, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    request = get("/");
    assert_int_equal(perform(&request, &response), ERR_UNAVAILABLE);
    stop_peer();
}

static void an_answer_has_at_most_1_mib(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    const size_t length = sizeof head - 1 + HTTP_BODY_MAX;
    char *const answer = malloc(length + 1);
    struct http_response response;
    struct http_request request;

    (void)state;
    memset(answer, 'a', length + 1);
    memcpy(answer, head, sizeof head - 1);
    peer.talk = answer_and_leave;
    peer.answer = answer;
    peer.answer_length = length;
    peer_start(&peer);
    request = get("/");
    assert_int_equal(perform(&request, &response), ERR_OK);
    assert_int_equal(response.body_length, HTTP_BODY_MAX);
    stop_peer();
    peer.answer_length = length + 1;
    peer_start(&peer);
    request = get("/");
    assert_int_equal(perform(&request, &response), ERR_TOO_LARGE);
    stop_peer();
    free(answer);
}

static void an_answer_the_arena_cannot_hold_is_too_large(void **state)
{
    struct arena small = arena_with_limit(2048);
    char answer[4096] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    struct http_response response;
    struct http_request request;

    (void)state;
    memset(answer + strlen(answer), 'a', 3000);
    start(answer_and_leave, answer);
    request = get("/");
    assert_int_equal(client.perform(client.self, &small, &request, &response, &error),
                     ERR_TOO_LARGE);
    stop_peer();
    arena_release(&small);
}

static void what_cannot_be_sent_is_refused(void **state)
{
    static const char *const urls[] = { "file:///etc/passwd",
                                        "ftp://127.0.0.1/",
                                        "gopher://127.0.0.1/",
                                        "127.0.0.1",
                                        "http://127.0.0.1/\r\nX:",
                                        "http://127.0.0.1/a b",
                                        "http://",
                                        "" };
    static const struct http_header headers[] = {
        { "X", "a\r\nY: b" }, { "X\r\nY", "b" }, { "", "b" }, { "X:", "b" }
    };
    struct http_response response;

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct http_request request = { .method = "GET",
                                              .url = urls[i],
                                              .timeout_ms = 1000 };

        assert_int_equal(perform(&request, &response), ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const struct http_request request = { .method = "GET",
                                              .url = "http://127.0.0.1:1/",
                                              .headers = { headers[i] },
                                              .header_count = 1,
                                              .timeout_ms = 1000 };

        assert_int_equal(perform(&request, &response), ERR_INVALID);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(any_status_is_an_answer),
        EACH(method_headers_and_body_are_sent_as_given),
        EACH(a_connection_is_used_again),
        EACH(a_redirect_is_never_followed),
        EACH(a_proxy_of_the_environment_is_not_asked),
        EACH(silence_times_out),
        EACH(waiting_can_be_given_up),
        EACH(a_request_that_nobody_gives_up_is_answered),
        EACH(nobody_there_is_unavailable),
        EACH(half_an_answer_is_no_answer),
        EACH(an_answer_has_at_most_1_mib),
        EACH(an_answer_the_arena_cannot_hold_is_too_large),
        EACH(what_cannot_be_sent_is_refused),
    };
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_start(&error) != ERR_OK)
        return 1;
    failed = cmocka_run_group_tests_name("curl http", tests, NULL, NULL);
    curl_stop();
    return failed;
}
