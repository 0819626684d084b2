#include "common/base/text.h"
#include "common/drivers/probes/look.h"

#include <string.h>

enum { NAMED_MAX = 8, OBSERVED_MAX = 1024 };

/* The answers of all instances of one probe, as they come in. */
struct fold {
    const struct driver_env *env;
    Pb__Finding *worst; /* NULL until the first. */
    struct text differ; /* "shop-3: HTTP status 500; shop-4: no answer" */
    size_t named;
    size_t well;
    size_t asked;
};

/* From good to bad. A FAIL is certain, so it outweighs whatever else could not be told. */
static int badness(Pb__Verdict verdict)
{
    static const Pb__Verdict order[] = {
        PB__VERDICT__PASS,         PB__VERDICT__WARN,  PB__VERDICT__NO_DATA,
        PB__VERDICT__INCONCLUSIVE, PB__VERDICT__ERROR, PB__VERDICT__FAIL,
    };

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == verdict)
            return (int)i;
    }
    return 4; /* A probe that gave no verdict has not run: as ERROR. */
}

static void fold_answer(struct fold *fold, const char *instance, Pb__Finding *answer)
{
    if (badness(answer->verdict) == 4)
        answer->verdict = PB__VERDICT__ERROR;
    fold->asked++;
    if (answer->verdict == PB__VERDICT__PASS)
        fold->well++;
    else if (fold->named++ < NAMED_MAX)
        text_add(&fold->differ,
                 "%s%s: %.120s",
                 fold->named > 1 ? "; " : "",
                 instance,
                 answer->observed);
    if (fold->worst == NULL || badness(answer->verdict) > badness(fold->worst->verdict))
        fold->worst = answer;
}

static const char *fold_observed(const struct fold *fold)
{
    const char *text;

    if (fold->well == fold->asked)
        text = fold->asked == 1 ? fold->worst->observed
                                : arena_printf(fold->env->arena,
                                               "all %zu instances: %s",
                                               fold->asked,
                                               fold->worst->observed);
    else
        text = arena_printf(fold->env->arena,
                            "%s%s (%zu of %zu are well)",
                            fold->differ.bytes,
                            fold->named > NAMED_MAX ? "; and more" : "",
                            fold->well,
                            fold->asked);
    return driver_excerpt(fold->env->arena, text, strlen(text), OBSERVED_MAX);
}

static Pb__Finding *new_finding(const struct driver_env *env, const Pb__CheckSpec *check)
{
    Pb__Finding *const finding = pb_new(env->arena, &pb__finding__descriptor);

    finding->check = check->id;
    finding->kind = "probe";
    finding->required = check->required;
    finding->remedy = check->remedy;
    finding->at_ms = clock_now_ms(env->clock);
    return finding;
}

static Pb__Finding *look_once(const struct driver_env *env,
                              const struct probe_driver *driver,
                              const struct probe_order *order)
{
    Pb__Finding *const answer = new_finding(env, order->check);

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

static void look_at_all(struct fold *fold,
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
            answer = new_finding(fold->env, order->check);
            look_answer(fold->env, answer, PB__VERDICT__INCONCLUSIVE, "stopped before it");
        } else {
            order->instance = instance;
            answer = look_once(fold->env, driver, order);
        }
        fold_answer(fold, instance->name, answer);
    }
}

static Pb__Finding *look(const struct driver_env *env,
                         const struct probe_driver *driver,
                         struct probe_order *order,
                         const char *const *only,
                         size_t only_count)
{
    char bytes[OBSERVED_MAX];
    struct fold fold = { .env = env, .differ = text_over(bytes, sizeof bytes) };

    if (!driver->per_instance || order->target == NULL)
        return look_once(env, driver, order);
    look_at_all(&fold, driver, order, only, only_count);
    if (fold.worst == NULL) {
        Pb__Finding *const none = new_finding(env, order->check);

        look_answer(
            env, none, PB__VERDICT__NO_DATA, "%s has no instances", order->target->name);
        return none;
    }
    fold.worst->observed = fold_observed(&fold);
    return fold.worst;
}

static Pb__Finding *cannot_run(const struct driver_env *env,
                               const Pb__CheckSpec *check,
                               const char *why)
{
    Pb__Finding *const finding = new_finding(env, check);

    look_answer(env, finding, PB__VERDICT__ERROR, "probe '%.80s' %s", check->probe, why);
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
