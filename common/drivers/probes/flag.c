#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"
#include "common/drivers/providers/provider.h"

#include <stdlib.h>

struct flag_probe {
    const char *flag;
    const char *environment;
    const char *provider;
    uint32_t percent;
    const char *audience;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option flag_options[] = {
    TEXT_OPTION(struct flag_probe, flag, "flag", "", "key; absent: the check's param \"flag\""),
    TEXT_OPTION(struct flag_probe, environment, "environment", "", "absent: the check's param, or the only one there is"),
    TEXT_OPTION(struct flag_probe, provider, "provider", "", "absent: the environment's"),
    PERCENT_OPTION(struct flag_probe, percent, "percent", "0", "wanted; the check's param \"percent\" wins"),
    TEXT_OPTION(struct flag_probe, audience, "audience", "", "wanted; the check's param \"audience\" wins"),
    DURATION_OPTION(struct flag_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

static const char *either(const char *first, const char *second)
{
    return first[0] != '\0' ? first : second;
}

static const char *environment_of(const struct driver_env *env,
                                  const struct flag_probe *probe,
                                  const struct probe_order *order)
{
    const char *const named = either(probe->environment, look_param(order, "environment"));

    if (named[0] == '\0' && env->settings->environment_count == 1)
        return env->settings->environments[0].name;
    return named;
}

static void flag_look(const struct driver_env *env,
                      const struct probe_order *order,
                      Pb__Finding *ret)
{
    const struct flag_probe *const probe = order->config;
    const char *const percent = look_param(order, "percent");
    const char *const environment = environment_of(env, probe, order);
    const struct flag_value wanted = {
        .percent = percent[0] != '\0' ? (uint32_t)strtoul(percent, NULL, 10) : probe->percent,
        .audience = either(look_param(order, "audience"), probe->audience),
    };
    Pb__FlagSpec flag = PB__FLAG_SPEC__INIT;
    const Pb__Finding *answer;

    flag.key = either(look_param(order, "flag"), probe->flag);
    flag.provider = probe->provider;
    if (flag.key[0] == '\0' || environment[0] == '\0') {
        finding_says(env,
                     ret,
                     PB__VERDICT__ERROR,
                     "neither probe nor plan say which %s",
                     flag.key[0] == '\0' ? "flag" : "environment");
        return;
    }
    answer = provider_read_back(env, order->check, &flag, environment, &wanted);
    ret->verdict = answer->verdict;
    ret->observed = answer->observed;
    ret->wanted = answer->wanted;
    ret->evidence = answer->evidence;
    ret->link = answer->link;
}

const struct probe_driver probe_flag = {
    .name = "flag",
    .options = flag_options,
    .config_size = sizeof(struct flag_probe),
    .look = flag_look,
};
