#include "services/monitor/core/watch.h"

#include <string.h>

enum { MICRO = 1000000, BASIS = 10000 };

static enum watch_kind kind_of(const char *name)
{
    if (strcmp(name, "bake") == 0)
        return WATCH_BAKE;
    return strcmp(name, "stage") == 0 ? WATCH_STAGE : WATCH_OBSERVE;
}

static enum watched_by watched_by(const Pb__CheckSpec *spec)
{
    if (strcmp(spec->kind, "metric") == 0)
        return WATCHED_METRIC;
    if (strcmp(spec->kind, "builtin") == 0 &&
        (strcmp(spec->id, "stage.criteria") == 0 || strcmp(spec->id, "stage.min_time") == 0 ||
         strcmp(spec->id, "stage.min_samples") == 0))
        return WATCHED_DERIVED;
    return WATCHED_PROBE;
}

static bool counts_samples(const struct watched *check)
{
    return check->by == WATCHED_METRIC && check->spec->metric != NULL &&
           check->spec->metric->samples;
}

static void restore(struct watch *watch, const Pb__WatchMemory *memory)
{
    watch->began_ms = memory->began_ms;
    watch->covered_ms = memory->covered_ms;
    watch->complete_ms = memory->seen_ms;
    watch->complete = memory->complete;
    watch->seen_micro = (int64_t)(memory->samples * MICRO);
    watch->active = memory->active;
    for (size_t i = 0; i < memory->n_checks; i++) {
        const Pb__WatchTally *const tally = memory->checks[i];

        for (size_t c = 0; c < watch->count; c++) {
            if (strcmp(watch->checks[c].spec->id, tally->check) != 0)
                continue;
            watch->checks[c].taken = tally->taken;
            watch->checks[c].good = tally->good;
            watch->checks[c].errors = tally->errors;
            watch->checks[c].open = tally->open;
            watch->checks[c].raised = tally->raised;
        }
    }
}

struct watch *watch_begin(struct arena *arena,
                          const Pb__Watch *spec,
                          const Pb__WatchMemory *memory,
                          int64_t now_ms)
{
    struct watch *const watch = arena_alloc(arena, sizeof *watch);

    watch->kind = kind_of(spec->kind);
    watch->spec = spec;
    watch->checks = arena_alloc(arena, (spec->n_checks + 1) * sizeof *watch->checks);
    for (size_t i = 0; i < spec->n_checks; i++) {
        if (strcmp(spec->checks[i]->kind, "attest") == 0 ||
            spec->checks[i]->not_applicable[0] != '\0')
            continue;
        watch->checks[watch->count].spec = spec->checks[i];
        watch->checks[watch->count].by = watched_by(spec->checks[i]);
        watch->counts_samples |= counts_samples(&watch->checks[watch->count]);
        watch->count++;
    }
    watch->began_ms = now_ms;
    watch->complete_ms = now_ms;
    if (memory != NULL && memory->began_ms > 0 && memory->began_ms <= now_ms)
        restore(watch, memory);
    watch->next_ms = now_ms;
    return watch;
}

static int64_t every_ms(const struct watch *watch)
{
    return watch->spec->sample_every_ms > 0 ? watch->spec->sample_every_ms : 1000;
}

/* How long it must last. Promoted: until there are two rounds, of which the second can say what
 * has risen since the first. */
static int64_t clock_ms(const struct watch *watch)
{
    const int64_t every = every_ms(watch);

    return watch->spec->clock_ended && watch->spec->min_ms > every ? every
                                                                   : watch->spec->min_ms;
}

static bool time_is_over(const struct watch *watch, int64_t now_ms)
{
    return now_ms - watch->began_ms >= clock_ms(watch);
}

bool watch_wants(const struct watch *watch, size_t check, int64_t now_ms)
{
    switch (watch->checks[check].by) {
    case WATCHED_METRIC: return true;
    case WATCHED_DERIVED: return false;
    case WATCHED_PROBE: break;
    }
    return watch->rounds % WATCH_PROBE_ROUNDS == 0 || watch->confirm ||
           time_is_over(watch, now_ms);
}

static void copy_text(char to[WATCH_TEXT_MAX], const char *from)
{
    size_t length = strlen(from);

    if (length >= WATCH_TEXT_MAX) {
        length = WATCH_TEXT_MAX - 1;
        while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

/* A counter that fell was restarted, and has counted from 0 since. */
static void count_samples(struct watch *watch, struct watched *check, int64_t value_micro)
{
    if (check->has_value)
        watch->seen_micro +=
            value_micro < check->last_micro ? value_micro : value_micro - check->last_micro;
    check->has_value = true;
    check->last_micro = value_micro;
}

static void note_look(struct watch *watch,
                      struct watched *check,
                      const Pb__Finding *finding,
                      const int64_t *value_micro)
{
    const Pb__Verdict verdict = finding->verdict;

    check->looked = true;
    check->last.verdict = verdict;
    check->last.at_ms = finding->at_ms;
    copy_text(check->last.observed, finding->observed);
    copy_text(check->last.wanted, finding->wanted);
    copy_text(check->last.evidence, finding->evidence);
    check->breaches = verdict == PB__VERDICT__FAIL ? check->breaches + 1 : 0;
    if (value_micro != NULL && counts_samples(check))
        count_samples(watch, check, *value_micro);
    if (check->taken == 0 && verdict == PB__VERDICT__NO_DATA)
        return;
    check->taken++;
    check->good += verdict == PB__VERDICT__PASS || verdict == PB__VERDICT__WARN;
    check->errors += verdict == PB__VERDICT__ERROR || verdict == PB__VERDICT__INCONCLUSIVE;
}

void watch_note(struct watch *watch,
                size_t check,
                const Pb__Finding *finding,
                const int64_t *value_micro)
{
    note_look(watch, &watch->checks[check], finding, value_micro);
}

static bool is_definite(Pb__Verdict verdict)
{
    return verdict == PB__VERDICT__PASS || verdict == PB__VERDICT__WARN ||
           verdict == PB__VERDICT__FAIL;
}

/* Every check that was looked at gave an answer, and something was looked at. */
static bool round_is_complete(const struct watch *watch)
{
    bool any = false;

    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *const check = &watch->checks[i];

        if (!check->looked || !check->spec->required)
            continue;
        if (!is_definite(check->last.verdict))
            return false;
        any = true;
    }
    return any;
}

static void cover(struct watch *watch, int64_t now_ms)
{
    const int64_t gap_ms = now_ms - watch->complete_ms;
    const int64_t longest_ms = WATCH_GAP_ROUNDS * every_ms(watch);

    watch->covered_ms += gap_ms <= longest_ms ? gap_ms : every_ms(watch);
    watch->complete_ms = now_ms;
    watch->complete++;
    watch->active = true;
}

static bool required_fails(const struct watch *watch, unsigned times)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->checks[i].spec->required && watch->checks[i].breaches >= times)
            return true;
    }
    return false;
}

/* A FAIL that was seen once, and not yet again. */
static bool has_doubt(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->checks[i].breaches == 1)
            return true;
    }
    return false;
}

static bool all_is_well(const struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        const struct watched *const check = &watch->checks[i];

        if (check->by != WATCHED_DERIVED && check->spec->required &&
            check->last.verdict != PB__VERDICT__PASS &&
            !(check->last.verdict == PB__VERDICT__WARN && check->spec->warn_ok))
            return false;
    }
    return watch->kind != WATCH_STAGE || watch_samples(watch) >= watch->spec->min_samples;
}

static bool is_over(const struct watch *watch, int64_t now_ms)
{
    const bool at_limit = now_ms - watch->began_ms >= watch->spec->max_ms;

    if (watch->kind != WATCH_OBSERVE && required_fails(watch, 2))
        return true;
    if (!time_is_over(watch, now_ms))
        return false;
    if (at_limit)
        return true;
    if (watch->confirm)
        return false;
    return watch->kind == WATCH_OBSERVE || all_is_well(watch);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next round by the timetable; rounds that were missed are not made up for. */
static int64_t next_wake(struct watch *watch, int64_t now_ms)
{
    const int64_t every = every_ms(watch);
    const int64_t end_ms = watch->began_ms + clock_ms(watch);
    const int64_t limit_ms = watch->began_ms + watch->spec->max_ms;
    const int64_t confirm_ms = earlier(every / 4 + 1, WATCH_CONFIRM_MAX_MS);
    int64_t wake_ms;

    if (watch->next_ms <= now_ms)
        watch->next_ms += ((now_ms - watch->next_ms) / every + 1) * every;
    wake_ms = watch->confirm ? earlier(watch->next_ms, now_ms + confirm_ms) : watch->next_ms;
    if (end_ms > now_ms)
        wake_ms = earlier(wake_ms, end_ms);
    return limit_ms > now_ms ? earlier(wake_ms, limit_ms) : wake_ms;
}

struct watch_decision watch_round_over(struct watch *watch, int64_t now_ms)
{
    struct watch_decision decision = { 0 };

    if (round_is_complete(watch))
        cover(watch, now_ms);
    watch->rounds++;
    watch->confirm = has_doubt(watch);
    for (size_t i = 0; i < watch->count; i++)
        watch->checks[i].looked = false;
    decision.over = is_over(watch, now_ms);
    if (!decision.over)
        decision.wake_ms = next_wake(watch, now_ms);
    return decision;
}

static bool is_critical(const struct watched *check)
{
    return check->spec->metric != NULL && check->spec->metric->critical;
}

/* While the others watch a batch or a stage, their answer itself stops it; a critical metric
 * and everything in step 6 must not wait for an answer. An open alert has raised its own. */
static bool raises(const struct watch *watch, const struct watched *check)
{
    if (strcmp(check->spec->id, "watch.alerts") == 0)
        return false;
    return check->spec->required && (is_critical(check) || watch->kind == WATCH_OBSERVE);
}

size_t watch_incidents(struct watch *watch, struct watch_incident *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < watch->count; i++) {
        struct watched *const check = &watch->checks[i];
        const bool begins = !check->open && check->breaches >= 2 && raises(watch, check);
        const bool ends = check->open && check->last.verdict == PB__VERDICT__PASS;

        if (!begins && !ends)
            continue;
        check->open = begins;
        check->raised += begins;
        ret[count++] = (struct watch_incident){
            .check = check,
            .cause = check->spec->metric != NULL ? check->spec->metric->name : check->spec->id,
            .severity = is_critical(check) ? PB__SEVERITY__CRITICAL : PB__SEVERITY__WARNING,
            .open = begins,
            .number = check->raised,
        };
    }
    return count;
}

uint64_t watch_samples(const struct watch *watch)
{
    return watch->counts_samples ? (uint64_t)(watch->seen_micro / MICRO) : watch->complete;
}

uint32_t watch_coverage_bp(const struct watch *watch, int64_t now_ms)
{
    const int64_t elapsed_ms = now_ms - watch->began_ms;

    if (elapsed_ms <= 0)
        return watch->active ? BASIS : 0;
    if (watch->covered_ms >= elapsed_ms)
        return BASIS;
    return (uint32_t)(watch->covered_ms * BASIS / elapsed_ms);
}

Pb__WatchMemory *watch_remember(const struct watch *watch,
                                struct arena *arena,
                                const char *task)
{
    Pb__WatchMemory *const memory = pb_new(arena, &pb__watch_memory__descriptor);

    memory->task = task;
    memory->began_ms = watch->began_ms;
    memory->covered_ms = watch->covered_ms;
    memory->seen_ms = watch->complete_ms;
    memory->complete = watch->complete;
    memory->samples = (uint64_t)(watch->seen_micro / MICRO);
    memory->active = watch->active;
    for (size_t i = 0; i < watch->count; i++) {
        Pb__WatchTally *const tally = pb_new(arena, &pb__watch_tally__descriptor);

        tally->check = watch->checks[i].spec->id;
        tally->taken = watch->checks[i].taken;
        tally->good = watch->checks[i].good;
        tally->errors = watch->checks[i].errors;
        tally->open = watch->checks[i].open;
        tally->raised = watch->checks[i].raised;
        PB_APPEND(arena, memory, checks, tally);
    }
    return memory;
}
