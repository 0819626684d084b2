/* What every driver is handed, whatever its kind. A driver is one file and one row of its
 * kind's table: name, option table, functions. It holds no state of its own beside its config.
 */
#ifndef COMMON_DRIVERS_DRIVER_H
#define COMMON_DRIVERS_DRIVER_H

#include "common/config/option.h"
#include "common/config/settings.h"
#include "common/ports/clock.h"
#include "common/ports/crash.h"
#include "common/ports/http_client.h"
#include "common/ports/process.h"
#include "common/ports/store.h"
#include "common/wire/pb.h"

#include <stdbool.h>

/* Borrowed for the length of a call. Strings a driver returns live in arena. */
struct driver_env {
    struct arena *arena;
    struct clock_port clock;
    struct http_client http;
    struct process_runner process;
    const struct settings *settings;

    /* True when the work should stop; see worker.h. */
    bool (*stopped)(void *self);
    void *stopped_self;

    struct crash_plan *crash; /* NULL in production. */
    unsigned in_hand;         /* See crash.h. */
};

static inline void driver_crash_point(const struct driver_env *env, enum crash_place place)
{
    crash_point(env->crash, place, env->in_hand);
}

/* The driver's options of one configured entry, read and checked: memory of config_size bytes.
 * Problems go to problems. NULL if there was an error. */
void *driver_config(struct arena *arena,
                    const struct option *options,
                    size_t config_size,
                    struct yaml_node *node,
                    struct yaml_problems *problems);

/* path as the services see it: an absolute one as it is, a relative one below the folder of
 * slipway.yaml. "" stays "". */
const char *driver_path(const struct driver_env *env, const char *path);

/* A program's argv, NULL-terminated, with every {name} replaced and a relative program with a
 * slash in its name (bin/restart) found below the folder of slipway.yaml. */
const char *const *driver_argv(const struct driver_env *env,
                               const struct option_texts *words,
                               Pb__Pair *const *values,
                               size_t count);

/* At most max bytes of what somebody else said, fit for a finding: UTF-8 on one line, cut
 * between two characters. What is neither text nor a blank becomes '?'. */
const char *driver_excerpt(struct arena *arena, const char *bytes, size_t length, size_t max);

/* ERR_INVALID with the first error of a check of options, and how many more there are; ERR_OK
 * when there is none. For services that open with drivers. */
enum err driver_problems(const struct yaml_problems *problems, struct error *error) MUST_CHECK;

/* True when the work should stop; false without a question to ask. */
bool driver_stopped(const struct driver_env *env);

/* text with each {name} replaced by the value of that pair; unknown names stay as they are. */
const char *driver_expand(struct arena *arena,
                          const char *text,
                          Pb__Pair *const *values,
                          size_t count);

#endif
