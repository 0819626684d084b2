/* The environment: its window is open, what runs is known, and everything runs what it should.
 */
#include "services/prechecks/prechecks.h"
#include "services/prechecks/tally.h"

#include "common/planning/compile.h"
#include "common/wire/envelope.h"

void look_at_window(const struct look *look, Pb__Finding *ret)
{
    const int64_t now_ms = clock_now_ms(look->env.clock);
    int64_t change_ms = 0;
    Pb__Plan plan;
    bool open;

    pb__plan__init(&plan);
    plan.windows = look->asked->windows;
    plan.n_windows = look->asked->n_windows;
    open = plan_window_open(&plan, now_ms, &change_ms);
    ret->verdict = open ? PB__VERDICT__PASS : PB__VERDICT__FAIL;
    ret->wanted = "a window of the plan is open";
    ret->observed =
        plan.n_windows == 0
            ? "the plan allows any time"
            : arena_printf(look->env.arena,
                           "%s at %s%s%s",
                           open ? "open" : "closed",
                           envelope_time(look->env.arena, now_ms),
                           change_ms > 0 ? ", until " : "",
                           change_ms > 0 ? envelope_time(look->env.arena, change_ms) : "");
}

void look_at_baseline(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();
    const char *remedy = "";

    for (size_t i = 0; i < look->sighting_count; i++) {
        const struct sighting *const sighting = &look->sightings[i];
        const char *const name = sighting_name(look->env.arena, sighting);

        if (sighting->observed == NULL)
            tally_add(&tally, PB__VERDICT__ERROR, "%s: %s", name, sighting->why);
        else
            tally_add(&tally,
                      sighting_is_settled(sighting) ? PB__VERDICT__PASS : PB__VERDICT__FAIL,
                      "%s: %s",
                      name,
                      sighting->observed->state);
        if (remedy[0] == '\0')
            remedy = sighting_remedy(look->env.arena, sighting);
    }
    ret->wanted = "what runs now is known everywhere, and can be gone back to";
    ret->evidence = "observe of each target's deployer";
    ret->remedy = remedy;
    tally_end(&tally, look->env.arena, ret, "instances known", "the plan changes no target");
}

/* Does the process run what lies on the disk? */
static void add_running(const struct look *look,
                        const struct sighting *sighting,
                        struct tally *tally)
{
    const Pb__Finding *const finding = sighting_running(&look->env, sighting, look->check->id);

    if (finding != NULL)
        tally_add(tally, finding->verdict, "%s: %s", finding->evidence, finding->observed);
}

/* The first instance of the same target and side that was seen. */
static const struct sighting *first_alike(const struct look *look,
                                          const struct sighting *sighting)
{
    for (size_t i = 0; i < look->sighting_count; i++) {
        const struct sighting *const other = &look->sightings[i];

        if (other->instance != NULL && other->observed != NULL &&
            pb_same(other->target, sighting->target) &&
            pb_same(other->instance->side, sighting->instance->side))
            return other;
    }
    return sighting;
}

static void add_drift(const struct look *look,
                      const struct sighting *sighting,
                      struct tally *tally)
{
    const struct sighting *const first = first_alike(look, sighting);
    const bool same = pb_same(first->observed->version, sighting->observed->version) &&
                      pb_same(first->observed->digest, sighting->observed->digest);

    if (!sighting_is_settled(sighting))
        tally_add(tally,
                  PB__VERDICT__FAIL,
                  "%s: %s",
                  sighting->instance->name,
                  sighting->observed->state);
    else
        tally_add(tally,
                  same ? PB__VERDICT__PASS : PB__VERDICT__FAIL,
                  "%s has %s, %s has %s",
                  sighting->instance->name,
                  sighting->observed->version,
                  first->instance->name,
                  first->observed->version);
    add_running(look, sighting, tally);
}

void look_at_drift(const struct look *look, Pb__Finding *ret)
{
    struct tally tally = tally_begin();

    for (size_t i = 0; i < look->sighting_count && !driver_stopped(&look->env); i++) {
        const struct sighting *const sighting = &look->sightings[i];

        if (sighting->observed == NULL)
            tally_add(&tally,
                      PB__VERDICT__ERROR,
                      "%s: %s",
                      sighting_name(look->env.arena, sighting),
                      sighting->why);
        else if (sighting->instance != NULL)
            add_drift(look, sighting, &tally);
    }
    ret->wanted = "all instances of a target run the same, and what lies there is what runs";
    ret->evidence = "observe of each target's deployer, and its version probe";
    tally_end(&tally, look->env.arena, ret, "comparisons agree", "the plan changes no target");
}
