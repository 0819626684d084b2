#include "common/drivers/deployers/invoke.h"

#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

enum {
    EVIDENCE_MAX = 2048,
    STATUS_NEVER = 65, /* EX_DATAERR of sysexits.h. */
    PAIRS_MAX = 16,
};

/* The placeholders of an order. */
struct pairs {
    struct arena *arena;
    Pb__Pair *items[PAIRS_MAX];
    size_t count;
};

static void add(struct pairs *pairs, const char *name, const char *value)
{
    pairs->items[pairs->count++] = pb_pair_new(pairs->arena, name, value != NULL ? value : "");
}

static void add_wanted(struct pairs *pairs,
                       const Pb__Change *change,
                       const struct invocation *what)
{
    const char *const digest =
        change != NULL && change->digest != NULL ? change->digest->value : "";
    const char *const version = change != NULL ? change->version : "";

    add(pairs, "version", what->version != NULL ? what->version : version);
    add(pairs, "digest", what->digest != NULL ? what->digest : digest);
}

static struct pairs order_pairs(struct arena *arena,
                                const struct deployer_order *order,
                                const struct invocation *what)
{
    const struct setting_instance *const instance = order->instance;
    const Pb__Observed *const baseline = order->baseline;
    struct pairs pairs = { .arena = arena };

    add_wanted(&pairs, order->change, what);
    add(&pairs, "target", order->target->name);
    add(&pairs, "instance", instance != NULL ? instance->name : "");
    add(&pairs, "url", instance != NULL ? instance->url : "");
    add(&pairs, "directory", what->directory);
    add(&pairs, "file", what->file);
    add(&pairs, "fence", order->fence != NULL ? pb_fence_text(arena, order->fence) : "");
    add(&pairs, "side", order->side);
    add(&pairs, "deployment", order->deployment);
    add(&pairs, "baseline_version", baseline != NULL ? baseline->version : "");
    add(&pairs, "baseline_digest", baseline != NULL ? baseline->digest : "");
    return pairs;
}

static const char *in_capitals(struct arena *arena, const char *name)
{
    char *const capitals = arena_copy(arena, name, strlen(name));

    for (char *c = capitals; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return capitals;
}

/* SLIPWAY_BASELINE_VERSION=1.0 for {baseline_version}. */
static const char *const *environment_of(const struct pairs *pairs)
{
    struct arena *const arena = pairs->arena;
    const char **const environment =
        arena_alloc(arena, (pairs->count + 2) * sizeof *environment);

    for (size_t i = 0; i < pairs->count; i++) {
        const Pb__Pair *const pair = pairs->items[i];

        environment[i] =
            arena_printf(arena, "SLIPWAY_%s=%s", in_capitals(arena, pair->key), pair->value);
    }
    environment[pairs->count] = "PATH=/usr/local/bin:/usr/bin:/bin";
    return environment;
}

/* The end of what was printed, in characters that any message can carry. */
static const char *end_of(struct arena *arena, const struct process_result *result)
{
    const size_t length =
        result->output_length < EVIDENCE_MAX ? result->output_length : EVIDENCE_MAX;
    char *const text =
        arena_copy(arena, result->output + result->output_length - length, length);

    for (size_t i = 0; i < length; i++)
        if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
            text[i] = text[i] == '\t' ? ' ' : '?';
    return text;
}

static void leave_evidence(const struct driver_env *env,
                           const struct deployer_order *order,
                           const char *const *argv,
                           const struct process_result *result)
{
    struct text line;

    if (order->ret_evidence == NULL)
        return;
    line = text_new(EVIDENCE_MAX);
    for (size_t i = 0; argv[i] != NULL; i++)
        text_add(&line, "%s%s", i > 0 ? " " : "", argv[i]);
    *order->ret_evidence = arena_printf(env->arena,
                                        "%s: exit status %d\n%s",
                                        line.bytes,
                                        result->exit_status,
                                        end_of(env->arena, result));
    text_release(&line);
}

static enum err judge(struct arena *arena,
                      const char *program,
                      const struct process_result *result,
                      struct error *error)
{
    if (result->exit_status == 0)
        return ERR_OK;
    return error_set(error,
                     result->exit_status == STATUS_NEVER ? ERR_DENIED : ERR_UNAVAILABLE,
                     "%s ended with status %d: %.300s",
                     program,
                     result->exit_status,
                     end_of(arena, result));
}

enum err invoke(const struct driver_env *env,
                const struct deployer_order *order,
                const struct invocation *invocation,
                const char **ret_output,
                struct error *error)
{
    const struct pairs pairs = order_pairs(env->arena, order, invocation);
    const char *const *const argv =
        driver_argv(env, invocation->argv, pairs.items, pairs.count);
    const struct process_call call = {
        .argv = argv,
        .environment = environment_of(&pairs),
        .directory = invocation->folder != NULL ? invocation->folder : driver_path(env, "."),
        .timeout_ms = (int)invocation->timeout_ms,
        .cancelled = env->stopped,
        .cancelled_self = env->stopped_self,
    };
    struct process_result result = { .output = "" };
    enum err err;

    if (argv[0] == NULL)
        return error_set(error, ERR_INVALID, "%s: nothing to run", order->target->name);
    err = env->process.run(env->process.self, env->arena, &call, &result, error);
    if (err != ERR_OK && driver_stopped(env))
        return error_set(error, ERR_STALE, "stopped while %s ran", argv[0]);
    if (err != ERR_OK)
        return error_wrap(error, err == ERR_NOT_FOUND ? ERR_INVALID : err, "%s", argv[0]);
    leave_evidence(env, order, argv, &result);
    if (ret_output != NULL)
        *ret_output = result.output;
    return judge(env->arena, argv[0], &result, error);
}
