/* One look at one check of a watch. */
#include "services/monitor/watch_run.h"

#include "common/drivers/finding.h"
#include "common/drivers/probes/probe.h"
#include "common/drivers/providers/provider.h"
#include "common/state/keys.h"

#include <string.h>

/* What a look needs beside the check. */
struct look {
    const struct driver_env *env;
    const struct worker_ports *ports;
    const Pb__Command *command;
    const Pb__CheckSpec *check;
};

/* No alert of the services is open that would be an incident. */
static enum err add_open_alerts(const struct look *look,
                                const char *service,
                                struct finding_fold *fold,
                                struct error *error)
{
    const struct store *const store = &look->ports->store;
    const char *const prefix = look->env->settings->redis.prefix;
    struct store_field *fields = NULL;
    size_t count = 0;
    enum err err = store->hash_all(store->self,
                                   look->env->arena,
                                   keys_global(look->env->arena, prefix, "alerts:", service),
                                   &fields,
                                   &count,
                                   error);

    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        const struct pb_bytes packed = { (const uint8_t *)fields[i].value.bytes,
                                         fields[i].value.length };
        Pb__Finding *const finding = finding_new(look->env, look->check, "builtin");
        void *message = NULL;
        const Pb__Alert *alert;

        err = pb_unpack(look->env->arena, &pb__alert__descriptor, packed, &message, error);
        alert = message;
        if (err != ERR_OK || alert->severity < PB__SEVERITY__WARNING ||
            !pb_same(alert->environment, look->command->environment))
            continue;
        finding_says(look->env, finding, PB__VERDICT__FAIL, "%s is open", alert->summary);
        finding_fold_add(fold, alert->name, finding);
    }
    return err;
}

static Pb__Finding *look_at_alerts(const struct look *look)
{
    const Pb__Watch *const watch = look->command->watch;
    struct finding_fold fold = { .env = look->env, .what = "alerts" };
    Pb__Finding *const none = finding_new(look->env, look->check, "builtin");
    struct error error = { 0 };
    enum err err = ERR_OK;

    for (size_t i = 0; i < watch->n_services && err == ERR_OK; i++)
        err = add_open_alerts(look, watch->services[i], &fold, &error);
    if (err != ERR_OK)
        finding_says(look->env, none, PB__VERDICT__ERROR, "%s", error.text);
    else
        finding_says(look->env,
                     none,
                     PB__VERDICT__PASS,
                     "no alert of %zu services is open",
                     watch->n_services);
    return err == ERR_OK && fold.worst != NULL ? finding_fold_end(&fold) : none;
}

/* The flags still read as the last stage set them. */
static Pb__Finding *look_at_flags(const struct look *look)
{
    const Pb__Watch *const watch = look->command->watch;
    const struct flag_value wanted = { .percent = watch->percent,
                                       .audience = watch->audience,
                                       .deployment = look->command->deployment };
    struct finding_fold fold = { .env = look->env, .what = "flags" };

    for (size_t i = 0; i < watch->n_flags; i++)
        finding_fold_add(
            &fold,
            watch->flags[i]->key,
            provider_read_back(
                look->env, look->check, watch->flags[i], look->command->environment, &wanted));
    return finding_fold_end(&fold);
}

static Pb__Finding *look_at_builtin(const struct look *look)
{
    Pb__Finding *finding = NULL;

    if (strcmp(look->check->id, "watch.alerts") == 0)
        finding = look_at_alerts(look);
    else if (strcmp(look->check->id, "watch.rollout") == 0)
        finding = look_at_flags(look);
    if (finding != NULL)
        return finding;
    finding = finding_new(look->env, look->check, "builtin");
    finding_says(look->env,
                 finding,
                 PB__VERDICT__ERROR,
                 "the monitor does not know how to answer '%.80s'",
                 look->check->id);
    return finding;
}

void watch_look_at(const struct driver_env *env,
                   const struct worker_ports *ports,
                   struct worker_task *task,
                   size_t check)
{
    struct watch_run *const run = task->memory;
    const struct watched *const watched = &run->watch->checks[check];
    const struct look look = { env, ports, task->command, watched->spec };
    struct metric_sample sample = { 0 };
    const int64_t *value_micro = NULL;
    const Pb__Finding *finding;

    if (watched->by == WATCHED_METRIC) {
        finding = metric_answer_since(env, watched->spec, run->memories[check], &sample);
        value_micro = sample.evidence != NULL ? &sample.value_micro : NULL;
    } else if (strcmp(watched->spec->kind, "probe") == 0) {
        finding = probe_answer(env, watched->spec, NULL, 0);
    } else {
        finding = look_at_builtin(&look);
    }
    watch_note(run->watch, check, finding, value_micro);
    if (watched->by == WATCHED_METRIC && watched->spec->metric != NULL)
        series_note(run->series, task->arena, watched->spec->metric, finding, value_micro);
}
