#include "common/base/text.h"
#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"

#include <string.h>

enum {
    EXIT_TRY_AGAIN = 75, /* EX_TEMPFAIL of sysexits.h */
    COMMAND_LINE_MAX = 1024,
};

struct command_probe {
    const char *target;
    struct option_texts argv;
    struct option_texts environment;
    int64_t timeout_ms;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option command_options[] = {
    TEXT_OPTION(struct command_probe, target, "target", "", "run once for each of its instances; absent: once"),
    LIST_OPTION(struct command_probe, argv, "argv", NULL, "program and arguments; {instance}, {url}, {target} and the check's params are replaced"),
    LIST_OPTION(struct command_probe, environment, "environment", "", "each NAME=value; nothing else is inherited but PATH"),
    DURATION_OPTION(struct command_probe, timeout_ms, "timeout", "30s", "then it is ended and tells nothing"),
    DURATION_OPTION(struct command_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

static const char *command_line(struct arena *arena, const char *const *argv)
{
    char bytes[COMMAND_LINE_MAX];
    struct text line = text_over(bytes, sizeof bytes);

    for (size_t i = 0; argv[i] != NULL; i++)
        text_add(&line, strchr(argv[i], ' ') ? "%s'%s'" : "%s%s", i > 0 ? " " : "", argv[i]);
    return driver_excerpt(arena, bytes, line.length, LOOK_TEXT_MAX);
}

/* Not by driver_argv, which takes the first word for a program. */
static const char *const *expand_all(const struct driver_env *env,
                                     const struct option_texts *words,
                                     Pb__Pair *const *values,
                                     size_t count)
{
    const char **const all = arena_alloc(env->arena, (words->count + 1) * sizeof *all);

    for (size_t i = 0; i < words->count; i++)
        all[i] = driver_expand(env->arena, words->items[i], values, count);
    return all;
}

static Pb__Verdict verdict_of_status(int status)
{
    if (status == 0)
        return PB__VERDICT__PASS;
    return status == EXIT_TRY_AGAIN ? PB__VERDICT__INCONCLUSIVE : PB__VERDICT__FAIL;
}

static Pb__Verdict verdict_of_failure(enum err err)
{
    return err == ERR_TIMED_OUT || err == ERR_CONFLICT ? PB__VERDICT__INCONCLUSIVE
                                                       : PB__VERDICT__ERROR;
}

static void command_look(const struct driver_env *env,
                         const struct probe_order *order,
                         Pb__Finding *ret)
{
    const struct command_probe *const probe = order->config;
    size_t count;
    Pb__Pair **const values = look_values(env, order, &count);
    const struct process_call call = {
        .argv = driver_argv(env, &probe->argv, values, count),
        .environment = expand_all(env, &probe->environment, values, count),
        .timeout_ms = (int)probe->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    struct process_result result = { 0 };
    struct error error = { 0 };
    enum err err;

    ret->wanted = "exit status 0";
    if (probe->argv.count == 0) {
        finding_says(env, ret, PB__VERDICT__ERROR, "argv is empty");
        return;
    }
    ret->evidence = command_line(env->arena, call.argv);
    err = env->process.run(env->process.self, env->arena, &call, &result, &error);
    if (err != ERR_OK) {
        finding_says(
            env, ret, verdict_of_failure(err), "did not end by itself: %s", error.text);
        return;
    }
    finding_says(
        env,
        ret,
        verdict_of_status(result.exit_status),
        "exit status %d: %s",
        result.exit_status,
        driver_excerpt(env->arena, result.output, result.output_length, LOOK_EXCERPT_MAX));
}

const struct probe_driver probe_command = {
    .name = "command",
    .options = command_options,
    .config_size = sizeof(struct command_probe),
    .per_instance = true,
    .look = command_look,
};
