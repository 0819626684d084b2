#include "tests/unit/coordinator_core/explore/explore.h"

enum { STAGE_PARTS = 3 };

uint32_t batch_bit(const Pb__Plan *plan, uint32_t change, uint32_t batch)
{
    uint32_t before = 0;

    for (uint32_t i = 0; i < change; i++)
        before += (uint32_t)plan->changes[i]->n_batches;
    return 1U << (before + batch);
}

static int batch_index(const Pb__Plan *plan, const Pb__Cursor *cursor)
{
    int index = (int)cursor->batch;

    for (uint32_t i = 0; i < cursor->change && i < plan->n_changes; i++)
        index += (int)plan->changes[i]->n_batches;
    return index;
}

static int batch_count(const Pb__Plan *plan)
{
    int count = 0;

    for (size_t i = 0; i < plan->n_changes; i++)
        count += (int)plan->changes[i]->n_batches;
    return count;
}

int course_at(const Pb__Plan *plan, const char *kind, const Pb__Cursor *cursor)
{
    const int batch = 2 + 2 * batch_index(plan, cursor);
    const int validate = 2 + 2 * batch_count(plan);
    const int stage = validate + 1 + STAGE_PARTS * (int)cursor->stage;
    const int confirm = validate + 1 + STAGE_PARTS * (int)plan->n_stages;
    const struct {
        const char *kind;
        int at;
    } parts[] = {
        { "inputs", 0 },
        { "checks", 1 },
        { "apply", batch },
        { "bake", batch + 1 },
        { "validate", validate },
        { "activate", stage },
        { "watch", stage + 1 },
        { "stage.gate", stage + 2 },
        { "confirm", confirm },
        { "observe", confirm + 1 },
        { "finalise", confirm + 2 },
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].kind, kind) == 0)
            return parts[i].at;
    }
    return COURSE_NONE;
}

/* Gates that nobody planned need not be passed. */
static uint32_t unplanned_gates(const Pb__Plan *plan)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < plan->n_stages; i++) {
        const Pb__Cursor cursor = { .stage = i };

        if (plan->stages[i]->gate_role[0] == '\0')
            bits |= 1U << course_at(plan, "stage.gate", &cursor);
    }
    return bits;
}

uint32_t course_before(const Pb__Plan *plan, int at)
{
    return ((1U << at) - 1) & ~unplanned_gates(plan);
}

uint32_t course_all(const Pb__Plan *plan)
{
    const Pb__Cursor cursor = { .stage = 0 };

    return course_before(plan, course_at(plan, "finalise", &cursor) + 1);
}

/* What a person attested of a stage stands while the stage is only looked at once more, and in
 * step 7 what is done is done. */
uint32_t course_begun(const Pb__Plan *plan, uint32_t passed, int at)
{
    const Pb__Cursor last = { .stage = 0 };
    uint32_t kept = (1U << at) - 1;

    if (course_at(plan, "finalise", &last) == at)
        return passed;
    for (uint32_t i = 0; i < plan->n_stages; i++) {
        const Pb__Cursor cursor = { .stage = i };

        if (course_at(plan, "watch", &cursor) == at)
            kept |= 1U << (at + 1);
    }
    return passed & kept;
}

static bool is_waived(const Pb__StepState *step, const char *check)
{
    for (size_t i = 0; i < step->n_results; i++) {
        if (strcmp(step->results[i]->check, check) == 0)
            return step->results[i]->waived;
    }
    return false;
}

uint32_t course_waived(const Pb__Plan *plan, const Pb__DeploymentState *state)
{
    static const char *const checks[] = { "",      "checks",  "bake",    "validate",
                                          "watch", "confirm", "observe", "finalise" };
    Pb__Cursor cursor = { .stage = 0 };
    uint32_t bits = 0;

    for (size_t step = 1; step < sizeof checks / sizeof checks[0]; step++) {
        if (!is_waived(state->steps[step], checks[step]))
            continue;
        for (cursor.stage = 0; cursor.stage < plan->n_stages; cursor.stage++)
            bits |= 1U << course_at(plan, checks[step], &cursor);
        cursor.stage = 0;
        for (cursor.change = 0; cursor.change < plan->n_changes; cursor.change++) {
            for (cursor.batch = 0; cursor.batch < plan->changes[cursor.change]->n_batches;
                 cursor.batch++)
                bits |= 1U << course_at(plan, checks[step], &cursor);
        }
        cursor.change = cursor.batch = 0;
    }
    return bits;
}

uint32_t course_forgotten(const Pb__Plan *plan, uint32_t passed)
{
    const Pb__Cursor first = { .stage = 0 };
    const uint32_t needed = course_before(plan, course_at(plan, "activate", &first));

    return (passed & needed) == needed ? needed : 0;
}
