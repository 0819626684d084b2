#include "common/drivers/providers/provider.h"

#include <inttypes.h>

/* What users get: a latch is as good as 0 %. */
static uint32_t effective_percent(const struct flag_value *value)
{
    return value->latched ? 0 : value->percent;
}

static bool is_wanted(const struct flag_value *value, const struct flag_value *wanted)
{
    const bool new_enough = wanted->sequence == 0 || value->sequence >= wanted->sequence;

    if (effective_percent(value) != effective_percent(wanted))
        return false;
    if (wanted->latched)
        return value->latched || new_enough;
    if (wanted->percent > 0 && !pb_same(value->audience, wanted->audience))
        return false;
    return new_enough || (wanted->percent == 0 && value->latched);
}

static const char *value_text(struct arena *arena, const struct flag_value *value)
{
    const char *const audience = value->audience != NULL ? value->audience : "";

    if (value->latched)
        return "latched off";
    if (value->percent == 0)
        return "off";
    return arena_printf(arena,
                        "%u %%%s%s",
                        value->percent,
                        audience[0] != '\0' ? " and all with " : "",
                        audience);
}

static const char *wanted_text(struct arena *arena, const struct flag_value *wanted)
{
    const char *const value = wanted->latched ? "off" : value_text(arena, wanted);

    if (wanted->sequence == 0)
        return arena_printf(arena, "%s on every instance", value);
    return arena_printf(
        arena, "%s of sequence %" PRIu64 " on every instance", value, wanted->sequence);
}

static const char *observed_text(struct arena *arena,
                                 const Pb__FlagSpec *flag,
                                 const struct flag_reading *reading)
{
    return arena_printf(arena,
                        "%s: %s (sequence %" PRIu64 ") on %u of %u%s%s",
                        flag->key,
                        value_text(arena, &reading->value),
                        reading->value.sequence,
                        reading->agree,
                        reading->of,
                        reading->disagree[0] != '\0' ? "; " : "",
                        reading->disagree);
}

/* Somebody who answers something else is wrong; somebody who is silent may be. */
static Pb__Verdict verdict_of(const struct flag_reading *reading,
                              const struct flag_value *wanted)
{
    if (reading->of == 0 || reading->silent == reading->of)
        return PB__VERDICT__ERROR;
    if (!is_wanted(&reading->value, wanted) || reading->agree + reading->silent < reading->of)
        return PB__VERDICT__FAIL;
    return reading->silent > 0 ? PB__VERDICT__INCONCLUSIVE : PB__VERDICT__PASS;
}

Pb__Finding *provider_compare(const struct driver_env *env,
                              const Pb__CheckSpec *check,
                              const Pb__FlagSpec *flag,
                              const char *environment,
                              const struct flag_value *wanted,
                              struct flag_reading *ret_reading)
{
    Pb__Finding *const finding = pb_new(env->arena, &pb__finding__descriptor);
    struct flag_reading reading = { .disagree = "", .evidence = "" };
    struct error error = { 0 };

    finding->check = check->id;
    finding->kind = "flag";
    finding->required = check->required;
    finding->remedy = check->remedy;
    finding->wanted =
        arena_printf(env->arena, "%s: %s", flag->key, wanted_text(env->arena, wanted));
    if (provider_read(env, flag, environment, &reading, &error) == ERR_OK) {
        finding->verdict = verdict_of(&reading, wanted);
        finding->observed = observed_text(env->arena, flag, &reading);
        finding->evidence = reading.evidence;
    } else {
        finding->verdict = PB__VERDICT__ERROR;
        finding->observed = arena_printf(env->arena, "%s: %s", flag->key, error.text);
    }
    finding->at_ms = clock_now_ms(env->clock);
    *ret_reading = reading;
    return finding;
}

Pb__Finding *provider_read_back(const struct driver_env *env,
                                const Pb__CheckSpec *check,
                                const Pb__FlagSpec *flag,
                                const char *environment,
                                const struct flag_value *wanted)
{
    struct flag_reading reading;

    return provider_compare(env, check, flag, environment, wanted, &reading);
}
