/* What every service promises as a process: its command line, its probes, its exit statuses.
 * Runs the executor with a broker and a Redis of the test's own. */
#include "common/adapters/curl/curl.h"
#include "common/adapters/redis/redis.h"
#include "tests/support/child.h"
#include "tests/support/devbroker.h"
#include "tests/support/patience.h"
#include "tests/support/redis_server.h"
#include "tests/support/test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, ARENA_SIZE = 4 * 1024 * 1024 };

static const char *broker_program, *service_program;
static struct devbroker broker;
static struct redis_server redis;
static struct test_folder folder;
static struct arena arena;
static struct http_client http;
static struct error error;

static const char *path_of(const char *name)
{
    return arena_printf(&arena, "%s/%s", folder.path, name);
}

static void write_file(const char *name, const char *text)
{
    FILE *const file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(name), 0600), 0);
}

/* The least that is a configuration. */
static void write_settings(const char *more)
{
    write_file("slipway.yaml",
               arena_printf(&arena,
                            "kafka: {brokers: \"%s\", partitions: 4, fetch_wait: 10ms}\n"
                            "redis: {socket: %s}\n"
                            "security: {keys: .}\n"
                            "%s",
                            broker.address,
                            redis.socket,
                            more));
}

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(ARENA_SIZE);
    if (!folder_make(&folder) || curl_open(&http, &error) != ERR_OK)
        return -1;
    write_settings("");
    write_file("executor.key",
               "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    http.close(http.self);
    folder_remove(&folder);
    arena_release(&arena);
    return 0;
}

static pid_t start(const char *option)
{
    const char *const argv[] = { service_program, "--config",    path_of("slipway.yaml"),
                                 "--listen",      "127.0.0.1:0", "--port-file",
                                 path_of("port"), "--instance",  "executor-1",
                                 option,          NULL };

    return child_start(argv);
}

/* Its exit status, without being asked to leave. */
static int run_to_its_end(const char *option)
{
    int status = 0;
    const pid_t child = start(option);

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int get(const char *address, const char *path, struct http_response *ret)
{
    const struct http_request request = {
        .method = "GET",
        .url = arena_printf(&arena, "http://%s%s", address, path),
        .timeout_ms = 5000,
    };

    if (http.perform(http.self, &arena, &request, ret, &error) != ERR_OK)
        return -1;
    return ret->status;
}

static bool becomes(const char *address, const char *path, int status)
{
    struct patience patience = patience_for(PATIENCE_MS);
    struct http_response response;

    while (get(address, path, &response) != status) {
        if (!patience_left(&patience))
            return false;
        (void)poll(NULL, 0, 50);
    }
    return true;
}

static void it_becomes_ready_shows_its_numbers_and_leaves_when_asked(void **state)
{
    const pid_t child = start(NULL);
    struct http_response response;
    char address[64];

    (void)state;
    assert_true(file_line_await(path_of("port"), address, sizeof address));
    assert_int_equal(get(address, "/healthz", &response), 200);
    assert_true(becomes(address, "/readyz", 200));
    assert_int_equal(get(address, "/readyz", &response), 200);
    assert_non_null(strstr(response.body, "\"instance\":\"executor-1\""));
    assert_int_equal(get(address, "/metrics", &response), 200);
    assert_non_null(strstr(response.body, "slipway_info{service=\"executor\""));
    assert_non_null(strstr(http_header(&response, "content-type"), "version=0.0.4"));
    assert_int_equal(get(address, "/elsewhere", &response), 404);
    assert_int_equal(child_stop(child), 0);
}

static void it_is_known_to_the_others_while_it_runs(void **state)
{
    const struct redis_options options = { .socket = redis.socket, .timeout_ms = 1000 };
    struct patience patience = patience_for(PATIENCE_MS);
    struct store_value value = { 0 };
    struct store store;
    const pid_t child = start(NULL);

    (void)state;
    assert_int_equal(redis_store_open(&options, &store, &error), ERR_OK);
    while (value.bytes == NULL && patience_left(&patience)) {
        (void)store.hash_get(
            store.self, &arena, "slipway:instances", "executor-1", &value, &error);
        (void)poll(NULL, 0, 50);
    }
    assert_non_null(value.bytes);
    assert_non_null(strstr(value.bytes, "\"service\":\"executor\""));
    assert_int_equal(child_stop(child), 0);
    assert_int_equal(
        store.hash_get(store.self, &arena, "slipway:instances", "executor-1", &value, &error),
        ERR_OK);
    assert_null(value.bytes);
    store.close(store.self);
}

static void it_waits_for_a_broker_that_is_away(void **state)
{
    struct http_response response;
    char address[64];
    pid_t child;

    (void)state;
    devbroker_down(&broker);
    child = start(NULL);
    assert_true(file_line_await(path_of("port"), address, sizeof address));
    assert_true(becomes(address, "/readyz", 503));
    assert_int_equal(get(address, "/healthz", &response), 200);
    devbroker_up(&broker);
    assert_true(becomes(address, "/readyz", 200));
    assert_int_equal(child_stop(child), 0);
}

static void it_leaves_when_asked_before_it_is_ready(void **state)
{
    char address[64];
    pid_t child;

    (void)state;
    devbroker_down(&broker);
    child = start(NULL);
    assert_true(file_line_await(path_of("port"), address, sizeof address));
    assert_int_equal(child_stop(child), 0);
    devbroker_up(&broker);
}

static void a_configuration_can_be_checked_without_anything_running(void **state)
{
    (void)state;
    assert_int_equal(run_to_its_end("--check-config"), 0);
    write_settings("gatewya: {}\n");
    assert_int_equal(run_to_its_end("--check-config"), 1);
}

static void without_its_key_it_does_not_start(void **state)
{
    (void)state;
    assert_int_equal(unlink(path_of("executor.key")), 0);
    assert_int_equal(run_to_its_end(NULL), 1);
}

static void what_it_does_not_understand_is_a_usage_error(void **state)
{
    (void)state;
    assert_int_equal(run_to_its_end("--lisetn"), 2);
    assert_int_equal(run_to_its_end("--version"), 0);
    assert_int_equal(run_to_its_end("--help"), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        EACH(it_becomes_ready_shows_its_numbers_and_leaves_when_asked),
        EACH(it_is_known_to_the_others_while_it_runs),
        EACH(it_waits_for_a_broker_that_is_away),
        EACH(it_leaves_when_asked_before_it_is_ready),
        EACH(a_configuration_can_be_checked_without_anything_running),
        EACH(without_its_key_it_does_not_start),
        EACH(what_it_does_not_understand_is_a_usage_error),
    };
    int failed;

    if (argc < 3)
        return 2;
    broker_program = argv[1];
    service_program = argv[2];
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_start(&error) != ERR_OK || !devbroker_start(&broker, broker_program) ||
        !redis_server_start(&redis, NULL))
        return 1;
    failed = cmocka_run_group_tests_name("service", tests, NULL, NULL);
    redis_server_stop(&redis);
    (void)devbroker_stop(&broker);
    curl_stop();
    return failed;
}
