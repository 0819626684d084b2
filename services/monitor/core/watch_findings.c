/* What a watch says: one finding a check. */
#include "services/monitor/core/watch.h"

#include <inttypes.h>
#include <string.h>

enum { BASIS = 10000 };

/* A verdict with its sentence. */
struct answer {
    Pb__Verdict verdict;
    const char *observed;
};

static struct answer say(Pb__Verdict verdict, const char *observed)
{
    return (struct answer){ verdict, observed };
}

static bool no_data_fails(const struct watched *check)
{
    return check->spec->metric != NULL &&
           check->spec->metric->no_data == PB__NO_DATA_RULE__NO_DATA_FAILS;
}

/* PASS at the end is not enough: most looks must have said so. */
static bool was_steady(const struct watch *watch, const struct watched *check)
{
    if (watch->kind == WATCH_OBSERVE)
        return check->good * BASIS >= check->taken * watch->spec->coverage_bp;
    return check->errors * 2 <= check->taken;
}

static struct answer answer_watched(const struct watch *watch,
                                    const struct watched *check,
                                    struct arena *arena)
{
    const char *const last = check->last.observed;

    switch (check->last.verdict) {
    case PB__VERDICT__VERDICT_UNSPECIFIED:
        return say(PB__VERDICT__NO_DATA, "it was not looked at");
    case PB__VERDICT__NO_DATA:
        return say(no_data_fails(check) ? PB__VERDICT__FAIL : PB__VERDICT__NO_DATA, last);
    case PB__VERDICT__PASS: break;
    default: return say(check->last.verdict, last);
    }
    if (was_steady(watch, check) && check->good == check->taken)
        return say(PB__VERDICT__PASS, last);
    return say(was_steady(watch, check) ? PB__VERDICT__PASS : PB__VERDICT__INCONCLUSIVE,
               arena_printf(arena,
                            "%s; %" PRIu64 " of %" PRIu64 " looks were well",
                            last,
                            check->good,
                            check->taken));
}

static struct answer answer_samples(const struct watch *watch, struct arena *arena)
{
    const uint64_t samples = watch_samples(watch);
    const bool enough = samples >= watch->spec->min_samples;

    return say(
        enough ? PB__VERDICT__PASS : PB__VERDICT__INCONCLUSIVE,
        arena_printf(
            arena, "%" PRIu64 " samples of %" PRIu64, samples, watch->spec->min_samples));
}

static struct answer answer_time(const struct watch *watch, struct arena *arena, int64_t now_ms)
{
    const int64_t elapsed_ms = now_ms - watch->began_ms;
    const bool promoted = watch->spec->clock_ended;

    if (promoted && elapsed_ms < watch->spec->min_ms)
        return say(PB__VERDICT__PASS,
                   arena_printf(arena, "promoted after %" PRId64 " ms", elapsed_ms));
    return say(
        elapsed_ms >= watch->spec->min_ms ? PB__VERDICT__PASS : PB__VERDICT__INCONCLUSIVE,
        arena_printf(arena, "%" PRId64 " ms of %" PRId64, elapsed_ms, watch->spec->min_ms));
}

static struct answer answer_of(const struct watch *watch,
                               const struct watched *check,
                               struct arena *arena,
                               int64_t now_ms);

/* Every measured criterion of the stage. */
static struct answer answer_criteria(const struct watch *watch,
                                     struct arena *arena,
                                     int64_t now_ms)
{
    size_t asked = 0;
    size_t met = 0;
    bool failed = false;

    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *const check = &watch->checks[i];
        Pb__Verdict verdict;

        if (strcmp(check->spec->id, "stage.criteria") == 0 || !check->spec->required)
            continue;
        verdict = answer_of(watch, check, arena, now_ms).verdict;
        asked++;
        met += verdict == PB__VERDICT__PASS ||
               (verdict == PB__VERDICT__WARN && check->spec->warn_ok);
        failed |= verdict == PB__VERDICT__FAIL;
    }
    return say(failed         ? PB__VERDICT__FAIL
               : met == asked ? PB__VERDICT__PASS
                              : PB__VERDICT__INCONCLUSIVE,
               arena_printf(arena, "%zu of %zu criteria are met", met, asked));
}

/* The criterion that counts samples answers for their number; its limit still holds. */
static struct answer answer_counted(const struct watch *watch,
                                    const struct watched *check,
                                    struct arena *arena)
{
    const struct answer value = answer_watched(watch, check, arena);

    return value.verdict == PB__VERDICT__PASS ? answer_samples(watch, arena) : value;
}

static struct answer answer_of(const struct watch *watch,
                               const struct watched *check,
                               struct arena *arena,
                               int64_t now_ms)
{
    const bool counts = check->spec->metric != NULL && check->spec->metric->samples;

    if (check->by != WATCHED_DERIVED)
        return counts && watch->kind == WATCH_STAGE ? answer_counted(watch, check, arena)
                                                    : answer_watched(watch, check, arena);
    if (strcmp(check->spec->id, "stage.min_time") == 0)
        return answer_time(watch, arena, now_ms);
    if (strcmp(check->spec->id, "stage.min_samples") == 0)
        return answer_samples(watch, arena);
    return answer_criteria(watch, arena, now_ms);
}

size_t watch_findings(const struct watch *watch,
                      struct arena *arena,
                      int64_t now_ms,
                      Pb__Finding ***ret)
{
    Pb__Finding **const all = arena_alloc(arena, (watch->count + 1) * sizeof(Pb__Finding *));

    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *const check = &watch->checks[i];
        const struct answer answer = answer_of(watch, check, arena, now_ms);
        Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

        finding->check = check->spec->id;
        finding->kind = check->by == WATCHED_DERIVED ? "watch" : check->spec->kind;
        finding->required = check->spec->required;
        finding->verdict = answer.verdict;
        finding->observed = arena_text(arena, answer.observed);
        finding->wanted = arena_text(arena, check->last.wanted);
        finding->evidence = arena_text(arena, check->last.evidence);
        finding->remedy = check->spec->remedy;
        finding->at_ms = check->last.at_ms != 0 ? check->last.at_ms : now_ms;
        all[i] = finding;
    }
    *ret = all;
    return watch->count;
}
