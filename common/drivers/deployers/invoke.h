/* Running what the operator configured for a deployment: argv with placeholders, never a shell.
 *
 *     {target} {instance} {url} {version} {digest} {fence} {side} {deployment}
 *     {baseline_version} {baseline_digest} {directory} {file}
 *
 * The same as SLIPWAY_TARGET, ... in the environment, which holds nothing else but PATH. */
#ifndef COMMON_DRIVERS_DEPLOYERS_INVOKE_H
#define COMMON_DRIVERS_DEPLOYERS_INVOKE_H

#include "common/drivers/deployers/deployer.h"

/* What to run for an order. */
struct invocation {
    const struct option_texts *argv;
    const char *folder;    /* To run it in; NULL: that of slipway.yaml. */
    const char *directory; /* {directory}; NULL: "" */
    const char *file;      /* {file}; NULL: "" */
    const char *version;   /* {version}; NULL: of the change. */
    const char *digest;    /* {digest}; NULL: of the change. */
    int64_t timeout_ms;
};

/* Run it. ERR_OK: status 0, and what it printed in ret_output (may be NULL). ERR_DENIED: status
 * 65, "this will never work"; ERR_UNAVAILABLE: any other status, with the output's end in
 * error; ERR_STALE: stopped; else as process_runner. Leaves evidence. */
enum err invoke(const struct driver_env *env,
                const struct deployer_order *order,
                const struct invocation *invocation,
                const char **ret_output,
                struct error *error) MUST_CHECK;

#endif
