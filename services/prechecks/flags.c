/* The feature flags: known to a provider that answers, off now, and with a plan to turn on. */
#include "services/prechecks/prechecks.h"
#include "services/prechecks/tally.h"

#include "common/drivers/providers/provider.h"

void look_at_flag_configured(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    for (size_t i = 0; i < look->asked->n_flags; i++) {
        const Pb__FlagSpec *const flag = look->asked->flags[i];
        struct flag_reading reading = { 0 };
        struct error error = { 0 };
        const enum err err =
            provider_read(&look->env, flag, look->command->environment, &reading, &error);

        tally_add(&tally,
                  err == ERR_OK                                ? PB__VERDICT__PASS
                  : err == ERR_INVALID || err == ERR_NOT_FOUND ? PB__VERDICT__FAIL
                                                               : PB__VERDICT__ERROR,
                  "%s: %s",
                  flag->key,
                  error.text);
    }
    ret->wanted = "every flag can be read from its provider";
    tally_end(&tally, look->env.arena, ret, "flags", "the plan brings no flag");
}

void look_at_flag_off(const struct look *look, Pb__Finding *ret)
{
    const struct flag_value off = { .audience = "", .deployment = "" };
    struct tally tally = tally_begin();

    for (size_t i = 0; i < look->asked->n_flags; i++) {
        const Pb__FlagSpec *const flag = look->asked->flags[i];
        const Pb__Finding *const finding =
            provider_read_back(&look->env, look->check, flag, look->command->environment, &off);

        tally_add(&tally, finding->verdict, "%s: %s", flag->key, finding->observed);
        ret->evidence = finding->evidence;
    }
    ret->wanted = "off for everybody";
    tally_end(&tally, look->env.arena, ret, "flags are off", "the plan brings no flag");
}

/* A required number with a limit: what a stage can fail by. */
static bool has_criterion(const Pb__Stage *stage)
{
    for (size_t i = 0; i < stage->n_checks; i++) {
        const Pb__CheckSpec *const check = stage->checks[i];

        if (check->metric != NULL && check->required && !check->metric->samples &&
            check->not_applicable[0] == '\0')
            return true;
    }
    return false;
}

void look_at_rollout_plan(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();
    uint32_t percent = 0;

    for (size_t i = 0; i < look->asked->n_stages; i++) {
        const Pb__Stage *const stage = look->asked->stages[i];
        const bool rises = stage->percent > percent && stage->percent <= 100;

        tally_add(&tally,
                  rises ? PB__VERDICT__PASS : PB__VERDICT__FAIL,
                  "stage %s is %u %%, after %u %%",
                  stage->name,
                  stage->percent,
                  percent);
        if (!has_criterion(stage))
            tally_add(&tally, PB__VERDICT__FAIL, "stage %s has no criterion", stage->name);
        percent = stage->percent;
    }
    ret->wanted = "stages that rise to at most 100 %, each with criteria";
    tally_end(&tally, look->env.arena, ret, "stages", "the plan has no stages");
}

void look_at_flag_system(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    for (size_t i = 0; i < look->asked->n_flags; i++) {
        const Pb__FlagSpec *const flag = look->asked->flags[i];
        struct error error = { 0 };
        const enum err err =
            provider_available(&look->env, flag, look->command->environment, &error);

        tally_add(&tally,
                  err == ERR_OK ? PB__VERDICT__PASS : PB__VERDICT__ERROR,
                  "%s: %s",
                  flag->key,
                  error.text);
    }
    ret->wanted = "the flag system answers";
    tally_end(&tally, look->env.arena, ret, "flags can be set", "the plan brings no flag");
}
