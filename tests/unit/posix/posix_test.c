#include "common/adapters/posix/posix.h"
#include "tests/support/test.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct arena arena;
static struct error error;

static int setup(void **state)
{
    (void)state;
    arena = arena_with_limit(1024 * 1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* A shell here is the program under test, run by argv as any other. */
static struct process_call shell(const char *script, const char *const **argv)
{
    const char **const words = arena_alloc(&arena, 4 * sizeof *words);

    words[0] = "/bin/sh";
    words[1] = "-c";
    words[2] = script;
    *argv = words;
    return (struct process_call){ .argv = words, .timeout_ms = 20000 };
}

static enum err run(const struct process_call *call, struct process_result *ret)
{
    const struct process_runner runner = posix_process_runner();

    return runner.run(runner.self, &arena, call, ret, &error);
}

static enum err run_script(const char *script, struct process_result *ret)
{
    const char *const *argv;
    const struct process_call call = shell(script, &argv);

    return run(&call, ret);
}

static void both_outputs_and_the_status_come_back(void **state)
{
    struct process_result result;

    (void)state;
    assert_int_equal(run_script("echo out; echo err >&2; exit 3", &result), ERR_OK);
    assert_int_equal(result.exit_status, 3);
    assert_string_equal(result.output, "out\nerr\n");
    assert_int_equal(result.output_length, 8);
}

static void a_program_ended_by_a_signal_has_no_status(void **state)
{
    struct process_result result;

    (void)state;
    assert_int_equal(run_script("kill -9 $$", &result), ERR_OK);
    assert_int_equal(result.exit_status, -1);
}

static void words_are_never_read_by_a_shell(void **state)
{
    static const char *const argv[] = { "/bin/echo", "$HOME; `id`", NULL };
    const struct process_call call = { .argv = argv, .timeout_ms = 20000 };
    struct process_result result;

    (void)state;
    assert_int_equal(run(&call, &result), ERR_OK);
    assert_string_equal(result.output, "$HOME; `id`\n");
}

static void only_path_is_inherited(void **state)
{
    static const char *const environment[] = { "FENCE=1.2", NULL };
    const char *const *argv;
    struct process_call call = shell("/usr/bin/env | /usr/bin/cut -d= -f1 | sort", &argv);
    struct process_result result;

    (void)state;
    (void)setenv("SECRET_OF_THE_SERVICE", "x", 1);
    call.environment = environment;
    assert_int_equal(run(&call, &result), ERR_OK);
    assert_null(strstr(result.output, "SECRET"));
    assert_non_null(strstr(result.output, "FENCE\n"));
    assert_non_null(strstr(result.output, "PATH\n"));
}

static void input_and_directory_are_as_asked(void **state)
{
    const char *const *argv;
    struct process_call call = shell("pwd; cat", &argv);
    struct process_result result;

    (void)state;
    call.input = "from us";
    call.directory = "/usr";
    assert_int_equal(run(&call, &result), ERR_OK);
    assert_string_equal(result.output, "/usr\nfrom us");
    call.input = NULL;
    call.directory = NULL;
    assert_int_equal(run(&call, &result), ERR_OK);
    assert_string_equal(result.output, "/\n");
}

static void our_files_and_signal_settings_stay_ours(void **state)
{
    struct process_result result;
    sigset_t blocked;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(
        run_script("ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status; kill -PIPE $$",
                   &result),
        ERR_OK);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    (void)close(fds[0]);
    (void)close(fds[1]);
    assert_string_equal(result.output, "4\nSigBlk:\t0000000000000000\n");
    assert_int_equal(result.exit_status, -1);
}

static void long_output_is_cut_and_never_blocks(void **state)
{
    struct process_result result;

    (void)state;
    assert_int_equal(run_script("head -c 1000000 /dev/zero | tr '\\0' a", &result), ERR_OK);
    assert_int_equal(result.exit_status, 0);
    assert_int_equal(result.output_length, PROCESS_OUTPUT_MAX);
}

static void a_program_that_is_not_there_is_not_found(void **state)
{
    static const char *const argv[] = { "/nonexistent/program", NULL };
    const struct process_call call = { .argv = argv, .timeout_ms = 1000 };
    struct process_result result;

    (void)state;
    assert_int_equal(run(&call, &result), ERR_NOT_FOUND);
}

/* The process is gone, or a zombie that its new parent has not collected yet. */
static bool is_gone(const char *pid)
{
    const char *const path = arena_printf(&arena, "/proc/%ld/stat", strtol(pid, NULL, 10));
    FILE *const file = fopen(path, "r");
    char state = 'Z';

    if (file == NULL)
        return true;
    (void)fscanf(file, "%*d %*s %c", &state);
    (void)fclose(file);
    return state == 'Z';
}

static void a_late_program_is_ended_with_its_children(void **state)
{
    char path[] = "/tmp/posix-test-XXXXXX";
    const int fd = mkstemp(path);
    const char *const *argv;
    struct process_call call = shell(
        arena_printf(&arena, "trap '' TERM; sleep 600 & echo $! > %s; wait; sleep 600", path),
        &argv);
    struct process_result result;
    char pid[16] = { 0 };

    (void)state;
    call.timeout_ms = 300;
    assert_int_equal(run(&call, &result), ERR_TIMED_OUT);
    assert_true(read(fd, pid, sizeof pid - 1) > 0);
    for (int i = 0; i < 500 && !is_gone(pid); i++)
        (void)poll(NULL, 0, 10);
    assert_true(is_gone(pid));
    (void)close(fd);
    (void)unlink(path);
}

static bool at_the_third_time(void *self)
{
    int *const asked = self;

    return ++*asked == 3;
}

static void a_cancelled_program_is_ended(void **state)
{
    const char *const *argv;
    struct process_call call = shell("sleep 600", &argv);
    struct process_result result;
    int asked = 0;

    (void)state;
    call.cancelled = at_the_third_time;
    call.cancelled_self = &asked;
    assert_int_equal(run(&call, &result), ERR_CONFLICT);
    assert_int_equal(asked, 3);
}

static void a_daemon_it_started_is_left_alone(void **state)
{
    struct process_result result;

    (void)state;
    assert_int_equal(run_script("sleep 600 & echo $!", &result), ERR_OK);
    assert_false(is_gone(result.output));
    (void)kill((pid_t)strtol(result.output, NULL, 10), SIGKILL);
}

static void the_monotonic_clock_never_falls(void **state)
{
    const struct clock_port clock = posix_clock();
    const int64_t before = clock_monotonic_ms(clock);

    (void)state;
    assert_true(clock_monotonic_ms(clock) >= before);
    assert_true(clock_now_ms(clock) > 1700000000000);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(both_outputs_and_the_status_come_back),
        EACH(a_program_ended_by_a_signal_has_no_status),
        EACH(words_are_never_read_by_a_shell),
        EACH(only_path_is_inherited),
        EACH(input_and_directory_are_as_asked),
        EACH(our_files_and_signal_settings_stay_ours),
        EACH(long_output_is_cut_and_never_blocks),
        EACH(a_program_that_is_not_there_is_not_found),
        EACH(a_late_program_is_ended_with_its_children),
        EACH(a_cancelled_program_is_ended),
        EACH(a_daemon_it_started_is_left_alone),
        EACH(the_monotonic_clock_never_falls),
    };

    return cmocka_run_group_tests_name("posix", tests, NULL, NULL);
}
