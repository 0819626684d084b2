#include "common/drivers/finding.h"
#include "common/drivers/probes/look.h"

#include <string.h>

static Pb__Finding *look_once(const struct driver_env *env,
                              const struct probe_driver *driver,
                              const struct probe_order *order)
{
    Pb__Finding *const answer = finding_new(env, order->check, "probe");

    driver->look(env, order, answer);
    return answer;
}

static bool is_named(const char *const *only, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(only[i], name) == 0)
            return true;
    }
    return false;
}

/* How many of the target's instances are named; none means that the target is another one than
 * those names belong to, and then all of it is looked at. */
static size_t count_named(const struct setting_target *target,
                          const char *const *only,
                          size_t count)
{
    size_t named = 0;

    for (size_t i = 0; i < target->instance_count; i++)
        named += is_named(only, count, target->instances[i].name);
    return named;
}

static void look_at_all(struct finding_fold *fold,
                        const struct probe_driver *driver,
                        struct probe_order *order,
                        const char *const *only,
                        size_t only_count)
{
    const bool all = count_named(order->target, only, only_count) == 0;

    for (size_t i = 0; i < order->target->instance_count; i++) {
        const struct setting_instance *const instance = &order->target->instances[i];
        Pb__Finding *answer;

        if (!all && !is_named(only, only_count, instance->name))
            continue;
        if (driver_stopped(fold->env)) {
            answer = finding_new(fold->env, order->check, "probe");
            finding_says(fold->env, answer, PB__VERDICT__INCONCLUSIVE, "stopped before it");
        } else {
            order->instance = instance;
            answer = look_once(fold->env, driver, order);
        }
        finding_fold_add(fold, instance->name, answer);
    }
}

static Pb__Finding *look(const struct driver_env *env,
                         const struct probe_driver *driver,
                         struct probe_order *order,
                         const char *const *only,
                         size_t only_count)
{
    struct finding_fold fold = { .env = env, .what = "instances" };
    Pb__Finding *answer;

    if (!driver->per_instance || order->target == NULL)
        return look_once(env, driver, order);
    look_at_all(&fold, driver, order, only, only_count);
    answer = finding_fold_end(&fold);
    if (answer != NULL)
        return answer;
    answer = finding_new(env, order->check, "probe");
    finding_says(env, answer, PB__VERDICT__NO_DATA, "%s has no instances", order->target->name);
    return answer;
}

static Pb__Finding *cannot_run(const struct driver_env *env,
                               const Pb__CheckSpec *check,
                               const char *why)
{
    Pb__Finding *const finding = finding_new(env, check, "probe");

    finding_says(env, finding, PB__VERDICT__ERROR, "probe '%.80s' %s", check->probe, why);
    return finding;
}

Pb__Finding *probe_answer(const struct driver_env *env,
                          const Pb__CheckSpec *check,
                          const char *const *only,
                          size_t only_count)
{
    const struct setting_driver *const setting = settings_probe(env->settings, check->probe);
    const struct probe_driver *const driver =
        setting != NULL ? probe_find(setting->driver) : NULL;
    struct yaml_problems *const problems = arena_alloc(env->arena, sizeof *problems);
    struct probe_order order = { .check = check };
    Pb__Finding *finding;

    problems->arena = env->arena;
    if (driver == NULL)
        return cannot_run(env, check, "is not configured here");
    order.config = driver_config(
        env->arena, driver->options, driver->config_size, setting->options, problems);
    if (order.config == NULL)
        return cannot_run(env, check, "has wrong options: see --check-config");
    order.target = settings_target(env->settings, setting->target);
    if (setting->target[0] != '\0' && order.target == NULL)
        return cannot_run(env, check, "names a target that is not configured here");
    finding = look(env, driver, &order, only, only_count);
    finding->kind = driver->name;
    return finding;
}

int64_t probe_settle_ms(const struct settings *settings, const char *probe)
{
    const struct setting_driver *const setting = settings_probe(settings, probe);
    int64_t settle_ms = 0;

    if (setting != NULL)
        (void)option_duration_ms(yaml_text(yaml_find(setting->options, "settle")), &settle_ms);
    return settle_ms;
}
