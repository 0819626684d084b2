#include "tests/unit/coordinator_core/explore/explore.h"

#include <string.h>

Pb__Event *attempt_add(struct listing *list,
                       const char *label,
                       enum why why,
                       Pb__Event__BodyCase body)
{
    struct attempt *const attempt = &list->items[list->count++];

    assert_true(list->count < ATTEMPTS_MAX);
    attempt->label = label;
    attempt->why = why;
    attempt->world = *list->world;
    attempt->state = NULL;
    attempt->event = pb_new(&list->search->scratch, &pb__event__descriptor);
    attempt->event->deployment = list->state->id;
    attempt->event->feature = "pay";
    attempt->event->body_case = body;
    return attempt->event;
}

struct world *attempt_add_world(struct listing *list, const char *label, enum why why)
{
    struct attempt *const attempt = &list->items[list->count++];

    assert_true(list->count < ATTEMPTS_MAX);
    *attempt = (struct attempt){ .label = label, .why = why, .world = *list->world };
    return &attempt->world;
}

struct world *attempt_world(struct listing *list)
{
    return &list->items[list->count - 1].world;
}

bool attempt_weather(const struct listing *list, enum weather weather)
{
    return (list->search->scenario->weather & weather) != 0;
}

/* --- what a worker may report --- */

/* Named as the plan of a scenario names them: one check for each kind of work. */
static Pb__Finding *finding_of(struct listing *list, const char *kind, Pb__Verdict verdict)
{
    Pb__Finding *const finding = pb_new(&list->search->scratch, &pb__finding__descriptor);

    finding->check = kind;
    finding->required = true;
    finding->verdict = verdict;
    return finding;
}

static bool waived(const Pb__DeploymentState *state, const char *check)
{
    const Pb__StepState *const step = state->steps[state->step];

    for (size_t i = 0; i < step->n_results; i++) {
        if (strcmp(step->results[i]->check, check) == 0)
            return step->results[i]->waived;
    }
    return false;
}

/* A WARN that its check permits is good; in step 6 none is. */
static bool warn_permitted(const struct listing *list, const char *kind)
{
    const Pb__StepPlan *const step =
        list->state->step > 0 ? list->search->plan->steps[list->state->step - 1] : NULL;

    for (size_t i = 0; step != NULL && step->step != 6 && i < step->n_checks; i++) {
        if (strcmp(step->checks[i]->id, kind) == 0)
            return step->checks[i]->warn_ok;
    }
    return false;
}

/* What the answer says of that part of the plan. */
struct answer {
    const char *word;
    Pb__Outcome outcome;
    Pb__Verdict verdict; /* UNSPECIFIED: it says nothing. */
};

/* In step 7 what was done before stays done. */
static bool is_done(const struct listing *list, const char *kind)
{
    const int at = course_at(list->search->plan, kind, list->state->cursor);

    return strcmp(kind, "finalise") == 0 && (list->world->passed & 1U << at) != 0;
}

static bool is_good(const struct listing *list, const char *kind, const struct answer *answer)
{
    if (answer->outcome != PB__OUTCOME__OUTCOME_OK)
        return false;
    if (answer->verdict == PB__VERDICT__VERDICT_UNSPECIFIED && is_done(list, kind))
        return true;
    return answer->verdict == PB__VERDICT__PASS || waived(list->state, kind) ||
           (answer->verdict == PB__VERDICT__WARN && warn_permitted(list, kind));
}

static void add_answer(struct listing *list,
                       const struct answer *answer,
                       const struct world *world)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct arena *const arena = &list->search->scratch;
    const int at = course_at(list->search->plan, task->kind, list->state->cursor);
    const bool good = is_good(list, task->kind, answer);
    const char *const label =
        arena_printf(arena, "%s %s", task->kind, task->cancelling ? "ends" : answer->word);
    Pb__Event *const event = attempt_add(list,
                                         label,
                                         good || task->cancelling ? WHY_WELL : WHY_FAIL,
                                         PB__EVENT__BODY_TASK_FINISHED);

    event->task_finished = pb_new(arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome = answer->outcome;
    if (answer->outcome != PB__OUTCOME__OUTCOME_ERROR &&
        answer->verdict != PB__VERDICT__VERDICT_UNSPECIFIED)
        PB_APPEND(arena,
                  event->task_finished,
                  findings,
                  finding_of(list, task->kind, answer->verdict));
    *attempt_world(list) = *world;
    if (task->cancelling || at == COURSE_NONE)
        return;
    if (good)
        attempt_world(list)->passed |= 1U << at;
    else if (event->task_finished->n_findings > 0)
        attempt_world(list)->passed &= ~(1U << at);
}

static void add_verdict(struct listing *list,
                        const char *word,
                        Pb__Verdict verdict,
                        const struct world *world)
{
    const struct answer answer = { word,
                                   verdict == PB__VERDICT__ERROR ? PB__OUTCOME__OUTCOME_ERROR
                                                                 : PB__OUTCOME__OUTCOME_OK,
                                   verdict };

    add_answer(list, &answer, world);
}

/* Kept as planned, or left as it is by a person. */
static uint32_t to_be_restored(const struct listing *list)
{
    const Pb__Plan *const plan = list->search->plan;
    uint32_t left = list->world->changed & ~list->world->skipped;

    for (uint32_t c = 0; c < plan->n_changes; c++) {
        for (uint32_t b = 0; b < plan->changes[c]->n_batches; b++) {
            if (plan->changes[c]->on_rollback == PB__ON_ROLLBACK__KEEP)
                left &= ~batch_bit(plan, c, b);
        }
    }
    return left;
}

/* The world after the work was done. False if it cannot have been done well. */
static bool done_well(const struct listing *list, const char *kind, struct world *world)
{
    const Pb__Plan *const plan = list->search->plan;
    const Pb__Cursor *const cursor = list->state->cursor;

    if (strcmp(kind, "apply") == 0)
        world->changed |= batch_bit(plan, cursor->change, cursor->batch);
    if (strcmp(kind, "revert") == 0)
        world->changed &= ~batch_bit(plan, cursor->change, cursor->batch);
    if (strcmp(kind, "activate") == 0) {
        if (world->latched)
            return false;
        world->percent = world->granted;
    }
    if (strcmp(kind, "disable") == 0)
        world->percent = world->granted;
    if (strcmp(kind, "flags-off") == 0)
        world->percent = 0;
    /* The final read-back waits until no write can be under way any more. */
    if (strcmp(kind, "flags-off") == 0 && world->late != LATE_NOBODY)
        return false;
    if (strcmp(kind, "read-back") == 0)
        return to_be_restored(list) == 0;
    return strcmp(kind, "checks") != 0 || world->percent == 0;
}

static bool measures(const char *kind)
{
    return strcmp(kind, "apply") != 0 && strcmp(kind, "activate") != 0 &&
           strcmp(kind, "finalise") != 0 && strcmp(kind, "inputs") != 0;
}

/* The core believes the worker gone, and it is not. */
static void add_given_up(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct world after = *list->world;

    if (!attempt_weather(list, LATE) || strcmp(task->kind, "activate") != 0 || after.latched ||
        after.late != LATE_NOBODY)
        return;
    after.late = LATE_WRITES;
    after.late_percent = after.granted;
    add_verdict(list, "ERROR (still writes)", PB__VERDICT__ERROR, &after);
}

/* Words that come too late: of a drive that was given up. */
static void add_stale(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    Pb__Event *event;

    if (task == NULL || task->drive < 2)
        return;
    event = attempt_add(
        list, "a word of an earlier drive", WHY_STALE, PB__EVENT__BODY_TASK_FINISHED);
    event->task_finished = pb_new(&list->search->scratch, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive - 1;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome = PB__OUTCOME__OUTCOME_OK;
    PB_APPEND(&list->search->scratch,
              event->task_finished,
              findings,
              finding_of(list, task->kind, PB__VERDICT__PASS));
}

static void add_lost(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    Pb__Event *const event =
        attempt_add(list,
                    arena_printf(&list->search->scratch, "%s lost", task->kind),
                    task->cancelling ? WHY_WELL : WHY_FAIL,
                    PB__EVENT__BODY_TASK_LOST);

    event->task_lost = pb_new(&list->search->scratch, &pb__task_lost__descriptor);
    event->task_lost->task = task->task;
    event->task_lost->drive = task->drive;
}

/* What a watch tells while it runs: it sees something, and that looks well. It has not come to
 * its end by that. */
static void add_progress(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct arena *const arena = &list->search->scratch;
    Pb__Event *event;

    if (strcmp(task->kind, "bake") != 0 && strcmp(task->kind, "watch") != 0 &&
        strcmp(task->kind, "observe") != 0)
        return;
    event = attempt_add(list,
                        arena_printf(arena, "%s so far PASS", task->kind),
                        WHY_FAIL,
                        PB__EVENT__BODY_TASK_PROGRESS);
    event->task_progress = pb_new(arena, &pb__task_progress__descriptor);
    event->task_progress->task = task->task;
    event->task_progress->drive = task->drive;
    event->task_progress->active = true;
    PB_APPEND(
        arena, event->task_progress, findings, finding_of(list, task->kind, PB__VERDICT__PASS));
}

static void add_unsure(struct listing *list, const char *kind)
{
    const struct answer failed = { "PASS, and says it failed",
                                   PB__OUTCOME__OUTCOME_FAILED,
                                   PB__VERDICT__PASS };

    add_progress(list);
    add_answer(list, &failed, list->world);
    if (!measures(kind))
        return;
    add_verdict(list, "UNSURE", PB__VERDICT__INCONCLUSIVE, list->world);
    add_verdict(list, "WARN", PB__VERDICT__WARN, list->world);
}

static void add_work(struct listing *list, const char *kind)
{
    struct world after = *list->world;
    const bool well = done_well(list, kind, &after);

    if (well)
        add_verdict(list, "PASS", PB__VERDICT__PASS, &after);
    add_verdict(list, "FAIL", PB__VERDICT__FAIL, list->world);
    add_verdict(list, "ERROR", PB__VERDICT__ERROR, list->world);
    add_verdict(list, "says nothing", PB__VERDICT__VERDICT_UNSPECIFIED, list->world);
    if (memcmp(&after, list->world, sizeof after) != 0) {
        add_verdict(list, "FAIL (done)", PB__VERDICT__FAIL, &after);
        add_verdict(list, "ERROR (done)", PB__VERDICT__ERROR, &after);
    }
    if (attempt_weather(list, UNSURE))
        add_unsure(list, kind);
}

static void add_outcomes(struct listing *list)
{
    const Pb__TaskState *const task = main_task(list->state);
    struct world after = *list->world;

    if (task == NULL || task->retry_at_ms != 0)
        return;
    add_given_up(list);
    add_lost(list);
    if (!task->cancelling) {
        add_work(list, task->kind);
        return;
    }
    add_verdict(list, "", PB__VERDICT__PASS, list->world);
    if (done_well(list, task->kind, &after) && memcmp(&after, list->world, sizeof after) != 0)
        add_verdict(list, "", PB__VERDICT__PASS, &after);
}

bool attempts_spent(const struct search *search, const struct world *world)
{
    const uint8_t bound = search->scenario->troubles;

    return bound != 0 && world->troubles == bound;
}

/* What is no part of a deployment's smooth course, nor of its way back to it. */
static bool is_trouble(const struct listing *list, const struct attempt *attempt)
{
    static const char *const labels[] = { "pause", "promote", "replan", "superseded" };

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(attempt->label, labels[i]) == 0)
            return true;
    }
    if (strcmp(attempt->label, "kill seen") == 0)
        return !list->world->unseen;
    return attempt->why == WHY_FAIL || attempt->why == WHY_TIME || attempt->why == WHY_WORLD ||
           attempt->why == WHY_FORCE;
}

static void bound_troubles(struct listing *list)
{
    const bool spent = attempts_spent(list->search, list->world);
    size_t kept = 0;

    if (list->search->scenario->troubles == 0)
        return;
    for (size_t i = 0; i < list->count; i++) {
        struct attempt *const attempt = &list->items[i];
        const bool trouble = is_trouble(list, attempt);

        if (trouble && spent)
            continue;
        attempt->world.troubles += trouble;
        list->items[kept++] = *attempt;
    }
    list->count = kept;
}

size_t attempts_list(struct search *search,
                     const Pb__DeploymentState *state,
                     const struct world *world,
                     struct attempt ret[ATTEMPTS_MAX])
{
    struct listing list = { search, state, world, ret, 0 };

    add_outcomes(&list);
    add_stale(&list);
    attempts_of_world(&list);
    attempts_of_people(&list);
    bound_troubles(&list);
    return list.count;
}
