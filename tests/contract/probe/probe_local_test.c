/* The probes that look at the machine itself: its sockets and files. */
#include "tests/contract/probe/probe_contract.h"
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* --- tcp --- */

/* A listening socket on a free port of loopback. */
static int listen_somewhere(char *ret_settings, size_t size)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(fd, 8), 0);
    (void)snprintf(
        ret_settings,
        size,
        "probes:\n  - {name: looked, driver: tcp, address: \"http://127.0.0.1:%d/x\"}\n",
        ntohs(address.sin_port));
    return fd;
}

static Pb__Verdict ask_tcp(const char *settings)
{
    struct driver_world world;
    Pb__Verdict verdict;

    driver_world_open(&world, settings);
    verdict =
        probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0)->verdict;
    driver_world_close(&world);
    return verdict;
}

static void tcp_passes_while_somebody_listens_and_fails_when_nobody_does(void **state)
{
    char settings[256];
    const int fd = listen_somewhere(settings, sizeof settings);

    (void)state;
    assert_int_equal(ask_tcp(settings), PB__VERDICT__PASS);
    (void)close(fd);
    assert_int_equal(ask_tcp(settings), PB__VERDICT__FAIL);
}

/* Its queue is full: whoever connects now waits. */
static void fill_queue(int fd, int callers[2])
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(listen(fd, 0), 0);
    for (int i = 0; i < 2; i++) {
        callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(callers[i] >= 0);
        (void)connect(callers[i], (struct sockaddr *)&address, sizeof address);
    }
}

static void tcp_waits_no_longer_than_it_may(void **state)
{
    struct driver_world world;
    char settings[256];
    int callers[2];
    const int fd = listen_somewhere(settings, sizeof settings);
    const Pb__Finding *finding;

    (void)state;
    fill_queue(fd, callers);
    driver_world_open(&world, settings);
    world.stop = true; /* The clock stands still: nothing else ends it. */
    finding = probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0);
    assert_int_equal(finding->verdict, PB__VERDICT__ERROR);
    assert_non_null(strstr(finding->observed, "canceled"));
    driver_world_close(&world);
    (void)close(callers[0]);
    (void)close(callers[1]);
    (void)close(fd);
}

static void tcp_needs_an_address_it_can_understand(void **state)
{
    (void)state;
    assert_int_equal(ask_tcp("probes:\n  - {name: looked, driver: tcp, address: somewhere}\n"),
                     PB__VERDICT__ERROR);
}

/* --- log --- */

static const char log_settings[] =
    "probes:\n  - {name: looked, driver: log, target: shop, file: "
    "\"/tmp/slipway-probe-log-{instance}\", fail: 'ERROR|FATAL', since: 5m, alive: 1m}\n";

static const char *log_path(int instance)
{
    return instance == 1 ? "/tmp/slipway-probe-log-shop-1" : "/tmp/slipway-probe-log-shop-2";
}

/* Writes the file and makes the world's time the file's. */
static void write_log(struct driver_world *world, const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    struct stat info;

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    assert_int_equal(stat(path, &info), 0);
    world->clock.now_ms = (int64_t)info.st_mtim.tv_sec * 1000 + 999;
}

static void logs_are_calm(struct driver_world *world)
{
    write_log(world, log_path(1), "2020-01-01T00:00:00Z ERROR long ago\nINFO\n");
    write_log(world, log_path(2), "all is well\n");
}

static void logs_show_errors(struct driver_world *world)
{
    write_log(world, log_path(1), "an ERROR just now\n");
    write_log(world, log_path(2), "a FATAL one\n");
}

static void logs_are_gone(struct driver_world *world)
{
    (void)world;
    (void)unlink(log_path(1));
    (void)unlink(log_path(2));
}

static void logs_are_quiet(struct driver_world *world)
{
    logs_are_calm(world);
    memory_clock_advance(&world->clock, 61000);
}

static void second_log_shows_errors(struct driver_world *world)
{
    logs_are_calm(world);
    write_log(world, log_path(2), "2099-01-01T00:00:00Z ERROR\n");
}

static void log_keeps_the_contract(void **state)
{
    struct probe_case log = {
        .driver = "log",
        .settings = log_settings,
        .well = logs_are_calm,
        .wrong = logs_show_errors,
        .silent = logs_are_gone,
        .half = second_log_shows_errors,
    };

    (void)state;
    probe_contract(&log);
    log.silent = logs_are_quiet;
    probe_contract(&log);
    logs_are_gone(NULL);
}

static void a_rotation_hides_no_line(void **state)
{
    static const char settings[] =
        "probes:\n  - {name: looked, driver: log, file: /tmp/slipway-probe-log-shop-1, fail: "
        "ERROR}\n";
    static const char rotated[] = "/tmp/slipway-probe-log-shop-1.1";
    struct driver_world world;
    Pb__CheckSpec *check;

    (void)state;
    driver_world_open(&world, settings);
    check = driver_world_check(&world, "a", "looked");
    write_log(&world, rotated, "an ERROR before the rotation\n");
    write_log(&world, log_path(1), "calm\n");
    assert_int_equal(probe_answer(&world.env, check, NULL, 0)->verdict, PB__VERDICT__FAIL);
    (void)unlink(log_path(1));
    assert_int_equal(probe_answer(&world.env, check, NULL, 0)->verdict, PB__VERDICT__FAIL);
    (void)unlink(rotated);
    assert_int_equal(probe_answer(&world.env, check, NULL, 0)->verdict, PB__VERDICT__NO_DATA);
    driver_world_close(&world);
}

static void too_much_log_to_read_is_not_a_pass(void **state)
{
    static const char settings[] =
        "probes:\n  - {name: looked, driver: log, file: /tmp/slipway-probe-log-shop-1, fail: "
        "ERROR}\n";
    struct driver_world world;
    FILE *const file = fopen(log_path(1), "w");

    (void)state;
    assert_non_null(file);
    for (int i = 0; i < 200000; i++)
        (void)fputs("calm line\n", file);
    (void)fclose(file);
    driver_world_open(&world, settings);
    world.clock.now_ms = INT64_C(4000000000000) / 2;
    assert_int_equal(
        probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0)->verdict,
        PB__VERDICT__PASS); /* The file is older than `since`: nothing counts. */
    world.clock.now_ms = 0;
    assert_int_equal(
        probe_answer(&world.env, driver_world_check(&world, "a", "looked"), NULL, 0)->verdict,
        PB__VERDICT__INCONCLUSIVE);
    (void)unlink(log_path(1));
    driver_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_passes_while_somebody_listens_and_fails_when_nobody_does),
        cmocka_unit_test(tcp_waits_no_longer_than_it_may),
        cmocka_unit_test(tcp_needs_an_address_it_can_understand),
        cmocka_unit_test(log_keeps_the_contract),
        cmocka_unit_test(a_rotation_hides_no_line),
        cmocka_unit_test(too_much_log_to_read_is_not_a_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
