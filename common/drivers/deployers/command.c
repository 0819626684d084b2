/* The driver `command`: the operator's own programs observe, apply, revert and shift. For
 * databases, infrastructure and third parties, whose tools know best.
 *
 *     observe   prints "<version> <sha256> [<fence>]" on its first line, or nothing
 *     check     tries {file} without changing anything; absent: nothing is tried
 *     apply     brings {file} there; {file} is a verified copy, gone afterwards
 *     revert    brings {baseline_version} back; {file} is "" when the artifact is gone
 *     shift     moves the traffic to {side}
 *     side      prints "<side> [<fence>]": the side that has the traffic, "-" if none has it
 *
 * Status 0 is done, 65 is "never", anything else may be tried again. The fence is kept by the
 * target (observe and side print it, 0.0 at first) or, with `state`, in a file of the driver. A
 * target that keeps it is told each order's fence, also where it runs the wanted version
 * already: what was told it earlier, timed out and arrives late must find a higher one. */
#include "common/drivers/deployers/artifact.h"
#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/facts.h"
#include "common/drivers/deployers/invoke.h"
#include "common/drivers/deployers/observation.h"
#include "common/drivers/deployers/release_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BRINGS(kind) (1U << PB__ARTIFACT_KIND__##kind)

struct command_config {
    struct option_texts observe;
    struct option_texts check;
    struct option_texts apply;
    struct option_texts revert;
    struct option_texts shift;
    struct option_texts side;
    int64_t timeout_ms;
    const char *directory;
    const char *state;
};

/* clang-format off */
static const struct option target_options[] = {
    LIST_OPTION(struct command_config, observe, "observe", NULL, "argv that prints \"version digest [fence]\", or nothing"),
    LIST_OPTION(struct command_config, check, "check", "", "argv that tries {file} without changing anything (dry run)"),
    LIST_OPTION(struct command_config, apply, "apply", NULL, "argv that brings {file} to the target"),
    LIST_OPTION(struct command_config, revert, "revert", NULL, "argv that brings {baseline_version} back"),
    LIST_OPTION(struct command_config, shift, "shift", "", "argv that moves the traffic to {side}"),
    LIST_OPTION(struct command_config, side, "side", "", "argv that prints the side that has the traffic"),
    DURATION_OPTION(struct command_config, timeout_ms, "timeout", "60s", "after which a command is killed"),
    TEXT_OPTION(struct command_config, directory, "directory", "", "working folder; absent: that of slipway.yaml"),
    TEXT_OPTION(struct command_config, state, "state", "", "folder for fences, when observe prints none"),
    OPTIONS_END,
};
/* clang-format on */

static const struct option instance_options[] = { OPTIONS_END };

static enum err run(const struct driver_env *env,
                    const struct deployer_order *order,
                    const struct option_texts *argv,
                    const char *file,
                    const char **ret_output,
                    struct error *error)
{
    const struct command_config *const config = order->config;
    const struct invocation invocation = {
        .argv = argv,
        .folder = config->directory[0] != '\0' ? driver_path(env, config->directory) : NULL,
        .file = file,
        .timeout_ms = config->timeout_ms,
    };

    return invoke(env, order, &invocation, ret_output, error);
}

static const char *fence_path(const struct driver_env *env, const struct deployer_order *order)
{
    const struct command_config *const config = order->config;

    if (config->state[0] == '\0')
        return NULL;
    return arena_printf(env->arena,
                        "%s/%s.%s.fence",
                        driver_path(env, config->state),
                        order->target->name,
                        order->instance != NULL ? order->instance->name : "router");
}

/* The higher one of what the target and our own file say. */
static enum err read_fence(const struct driver_env *env,
                           const struct deployer_order *order,
                           struct observation *seen,
                           struct error *error)
{
    const char *const path = fence_path(env, order);
    struct facts facts = { 0 };
    enum err err = path != NULL ? facts_read(env->arena, path, &facts, error) : ERR_NOT_FOUND;
    Pb__Fence fence;

    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err != ERR_OK)
        return err;
    fence = facts_fence(&facts, "fence");
    if (!seen->fenced || pb_fence_before(&seen->fence, &fence))
        seen->fence = fence;
    seen->fenced = true;
    return ERR_OK;
}

static enum err look(const struct driver_env *env,
                     const struct deployer_order *order,
                     struct observation *ret,
                     struct error *error)
{
    const struct command_config *const config = order->config;
    const char *output = "";
    enum err err = run(env, order, &config->observe, NULL, &output, error);

    if (err == ERR_OK)
        err = observation_parse(env->arena, output, ret, error);
    return err == ERR_OK ? read_fence(env, order, ret, error) : err;
}

static enum err look_for_side(const struct driver_env *env,
                              const struct deployer_order *order,
                              struct observation *ret,
                              struct error *error)
{
    const struct command_config *const config = order->config;
    const char *output = "";
    enum err err = config->side.count > 0
                       ? run(env, order, &config->side, NULL, &output, error)
                       : error_set(error, ERR_INVALID, "%s has no `side`", order->target->name);

    if (err == ERR_OK)
        err = observation_parse_side(env->arena, output, ret, error);
    return err == ERR_OK ? read_fence(env, order, ret, error) : err;
}

static void report_side(const struct driver_env *env,
                        const struct deployer_order *order,
                        const struct observation *seen,
                        Pb__Observed *ret)
{
    ret->target = order->target->name;
    ret->state = arena_printf(env->arena, DEPLOYED_SIDE "%s", seen->side);
    ret->fence = seen->fenced ? pb_fence_text(env->arena, &seen->fence) : "";
}

static enum err report(const struct driver_env *env,
                       const struct deployer_order *order,
                       const struct observation *seen,
                       Pb__Observed *ret,
                       struct error *error)
{
    const bool nothing = seen->version[0] == '\0';

    ret->target = order->target->name;
    ret->instance = order->instance->name;
    ret->version = seen->version;
    ret->digest = seen->digest;
    ret->fence = seen->fenced ? pb_fence_text(env->arena, &seen->fence) : "";
    ret->state = nothing ? DEPLOYED_NONE : DEPLOYED_ACTIVE;
    return nothing ? error_set(
                         error, ERR_NOT_FOUND, "%s: nothing is deployed", order->instance->name)
                   : ERR_OK;
}

static enum err observe(const struct driver_env *env,
                        const struct deployer_order *order,
                        Pb__Observed *ret,
                        struct error *error)
{
    struct observation seen;
    enum err err;

    if (order->instance == NULL) {
        err = look_for_side(env, order, &seen, error);
        if (err == ERR_OK)
            report_side(env, order, &seen, ret);
        return err;
    }
    err = look(env, order, &seen, error);
    return err == ERR_OK ? report(env, order, &seen, ret, error) : err;
}

static enum err check_fence(const struct deployer_order *order,
                            const struct observation *seen,
                            struct error *error)
{
    if (!seen->fenced || !pb_fence_before(order->fence, &seen->fence))
        return ERR_OK;
    return error_set(error, ERR_CONFLICT, "the target holds a higher fence than this order");
}

/* Our own file says the fence before anything is run under it. */
static enum err leave_fence(const struct driver_env *env,
                            const struct deployer_order *order,
                            struct error *error)
{
    const char *const path = fence_path(env, order);
    const struct command_config *const config = order->config;
    struct facts facts = { 0 };
    enum err err;

    if (path == NULL)
        return ERR_OK;
    facts_add(env->arena, &facts, "fence", pb_fence_text(env->arena, order->fence));
    facts_add(env->arena, &facts, "deployment", order->deployment);
    err = disk_make_folder(driver_path(env, config->state), error);
    return err == ERR_OK ? facts_write(env->arena, NULL, path, &facts, error) : err;
}

/* A copy in that folder which nobody else can change, verified after copying. */
static enum err take_copy(const struct driver_env *env,
                          const struct deployer_order *order,
                          const char *folder,
                          const char **ret_file,
                          struct error *error)
{
    struct artifact artifact;
    const char *copy;
    enum err err = artifact_find(env, order, &artifact, error);

    if (err != ERR_OK)
        return err;
    copy = arena_printf(env->arena, "%s/%s", folder, artifact.name);
    err = disk_copy_for_now(artifact.path, copy, error);
    if (err == ERR_OK)
        err = artifact_verify(copy, artifact.folder, order->change, error);
    if (err == ERR_OK)
        *ret_file = copy;
    return err;
}

/* What to run, and whether it can do without the artifact: the way back must not depend on a
 * file that somebody may have cleaned away. */
struct errand {
    const struct option_texts *argv;
    const Pb__Observed *wanted;
    bool needs_file;
    bool changes_nothing;
};

static enum err run_in_folder(const struct driver_env *env,
                              const struct deployer_order *order,
                              const struct errand *errand,
                              const char *folder,
                              struct error *error)
{
    const char *file = "";
    enum err err = take_copy(env, order, folder, &file, error);

    if (err != ERR_OK && errand->needs_file)
        return err;
    if (driver_stopped(env))
        return error_set(error, ERR_STALE, "stopped before %s changed", order->target->name);
    if (errand->changes_nothing)
        return run(env, order, errand->argv, file, NULL, error);
    err = leave_fence(env, order, error);
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_MARK);
    if (err == ERR_OK)
        err = run(env, order, errand->argv, file, NULL, error);
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_ACT);
    return err;
}

static enum err run_errand(const struct driver_env *env,
                           const struct deployer_order *order,
                           const struct errand *errand,
                           struct error *error)
{
    char folder[] = "/tmp/slipway-XXXXXX";
    struct error ignored = { 0 };
    enum err err;

    if (mkdtemp(folder) == NULL)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", folder, strerror(errno));
    err = run_in_folder(env, order, errand, folder, error);
    (void)!disk_drop(folder, &ignored);
    return err;
}

static enum err check(const struct driver_env *env,
                      const struct deployer_order *order,
                      struct error *error)
{
    const struct command_config *const config = order->config;
    const struct errand errand = {
        .argv = &config->check,
        .needs_file = true,
        .changes_nothing = true,
    };
    const enum err err = artifact_check(env, order, error);

    if (err != ERR_OK || config->check.count == 0)
        return err;
    return run_errand(env, order, &errand, error);
}

/* What ran must have worked: the command's word is not enough. */
static enum err confirm(const struct driver_env *env,
                        const struct deployer_order *order,
                        const Pb__Observed *wanted,
                        Pb__Observed *ret,
                        struct error *error)
{
    struct deployer_order quiet = *order; /* The evidence of the change itself stays. */
    struct observation seen;
    enum err err;

    quiet.ret_evidence = NULL;
    err = look(env, &quiet, &seen, error);
    if (err != ERR_OK)
        return err;
    (void)report(env, order, &seen, ret, error);
    if (observation_settles(&seen, wanted, order->fence))
        return ERR_OK;
    if (observation_is(&seen, wanted->version, wanted->digest))
        return error_set(error,
                         ERR_UNAVAILABLE,
                         "%s: observe says fence %s afterwards, it was told %s",
                         order->instance->name,
                         pb_fence_text(env->arena, &seen.kept),
                         pb_fence_text(env->arena, order->fence));
    return error_set(error,
                     ERR_UNAVAILABLE,
                     "%s: observe says \"%s %s\" afterwards, wanted \"%s %s\"",
                     order->instance->name,
                     seen.version,
                     seen.digest,
                     wanted->version,
                     wanted->digest);
}

/* From what is seen to what is wanted. */
static enum err bring(const struct driver_env *env,
                      const struct deployer_order *order,
                      const struct errand *errand,
                      Pb__Observed *ret,
                      struct error *error)
{
    struct observation seen;
    enum err err = look(env, order, &seen, error);

    if (err == ERR_OK)
        err = check_fence(order, &seen, error);
    if (err != ERR_OK)
        return err;
    if (observation_settles(&seen, errand->wanted, order->fence))
        err = leave_fence(env, order, error);
    else
        err = run_errand(env, order, errand, error);
    return err == ERR_OK ? confirm(env, order, errand->wanted, ret, error) : err;
}

static enum err apply(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error)
{
    const struct command_config *const config = order->config;
    Pb__Observed wanted;
    const struct errand errand = {
        .argv = &config->apply,
        .wanted = &wanted,
        .needs_file = true,
    };
    const enum err err = artifact_check(env, order, error);

    if (err != ERR_OK)
        return err;
    pb__observed__init(&wanted);
    wanted.version = order->change->version;
    wanted.digest = order->change->digest->value;
    return bring(env, order, &errand, ret, error);
}

static enum err revert(const struct driver_env *env,
                       const struct deployer_order *order,
                       Pb__Observed *ret,
                       struct error *error)
{
    const struct command_config *const config = order->config;
    const struct errand errand = { .argv = &config->revert, .wanted = order->baseline };

    if (order->baseline == NULL)
        return error_set(
            error, ERR_INVALID, "what ran on %s before is unknown", order->instance->name);
    return bring(env, order, &errand, ret, error);
}

static enum err confirm_side(const struct driver_env *env,
                             const struct deployer_order *order,
                             Pb__Observed *ret,
                             struct error *error)
{
    struct observation seen;
    const enum err err = look_for_side(env, order, &seen, error);

    if (err != ERR_OK)
        return err;
    report_side(env, order, &seen, ret);
    if (pb_same(seen.side, order->side) && observation_heard(&seen, order->fence))
        return ERR_OK;
    return error_set(error,
                     ERR_UNAVAILABLE,
                     "%s under fence %s afterwards, wanted %s%s under %s",
                     ret->state,
                     ret->fence,
                     DEPLOYED_SIDE,
                     order->side,
                     pb_fence_text(env->arena, order->fence));
}

static enum err shift(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error)
{
    const struct command_config *const config = order->config;
    struct observation seen;
    enum err err = look_for_side(env, order, &seen, error);

    if (err == ERR_OK)
        err = check_fence(order, &seen, error);
    if (err == ERR_OK && driver_stopped(env))
        err = error_set(error, ERR_STALE, "stopped before the traffic was shifted");
    if (err == ERR_OK)
        err = leave_fence(env, order, error);
    if (err != ERR_OK)
        return err;
    if (!pb_same(seen.side, order->side) || !observation_heard(&seen, order->fence))
        err = run(env, order, &config->shift, NULL, NULL, error);
    return err == ERR_OK ? confirm_side(env, order, ret, error) : err;
}

const struct deployer_driver deployer_command = {
    .name = "command",
    .target_options = target_options,
    .target_config_size = sizeof(struct command_config),
    .instance_options = instance_options,
    .instance_config_size = 0,
    .kinds = BRINGS(INFRASTRUCTURE) | BRINGS(THIRD_PARTY) | BRINGS(MIGRATION) |
             BRINGS(CONFIGURATION) | BRINGS(ENVIRONMENT) | BRINGS(FLAG_DEFINITION) |
             BRINGS(BACKEND) | BRINGS(MIDDLEWARE) | BRINGS(FRONTEND),
    .can_shift = true,
    .observe = observe,
    .check_artifact = check,
    .apply = apply,
    .revert = revert,
    .shift = shift,
};
