/* Any sequence of events for a deployment: never a crash, never a state or an effect that does
 * not fit, and what has ended stays ended. The input is packed Events, each after its length in
 * four bytes; the plan is the one that the events bring. */
#include "services/coordinator/core/procedure.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 256 * 1024 * 1024, EVENTS_MAX = 64, LENGTH_BYTES = 4 };

struct fold {
    struct arena arena;
    const Pb__Plan *plan;
    const Pb__DeploymentState *state;
    int64_t now_ms;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(struct fold *fold, const struct procedure_output *output)
{
    const Pb__DeploymentState *const after = output->after;
    const struct pb_bytes packed = pb_pack(&fold->arena, after);
    struct error error = { 0 };
    void *again = NULL;

    must(packed.length <= PB_STATE_MAX);
    must(output->effects.count <= EFFECTS_MAX);
    must(pb_unpack(&fold->arena, &pb__deployment_state__descriptor, packed, &again, &error) ==
         ERR_OK);
    must(after->waiting_for != NULL && after->waiting_for->sentence[0] != '\0');
    if (fold->state == NULL)
        return;
    must(after->version == fold->state->version + 1);
    must(!procedure_is_terminal(fold->state->phase) || after->phase == fold->state->phase);
}

static void hear(struct fold *fold, const Pb__Event *event)
{
    struct procedure_output *const output = arena_alloc(&fold->arena, sizeof *output);
    const struct procedure_input input = { fold->state, fold->plan, event, "e", fold->now_ms };
    Pb__Actor *const actor = pb_new(&fold->arena, &pb__actor__descriptor);
    struct allowed_request *allowed;
    struct undo_step *undo;

    fold->now_ms += 1000;
    if (procedure_step(&fold->arena, &input, output) != PROCEDURE_APPLIED)
        return;
    check(fold, output);
    if (event->body_case == PB__EVENT__BODY_PLAN_COMPILED &&
        event->plan_compiled->plan != NULL &&
        pb_same(output->after->plan_hash, event->plan_compiled->plan_hash))
        fold->plan = event->plan_compiled->plan;
    fold->state = output->after;
    (void)procedure_undo_preview(&fold->arena, fold->state, fold->plan, &undo);
    (void)procedure_allowed(&fold->arena, fold->state, fold->plan, actor, &allowed);
}

/* The next event of the input, or NULL when there is none that can be read. */
static const Pb__Event *next_event(struct fold *fold, const uint8_t **data, size_t *size)
{
    struct error error = { 0 };
    void *event = NULL;
    size_t length = 0;

    if (*size < LENGTH_BYTES)
        return NULL;
    for (int i = 0; i < LENGTH_BYTES; i++)
        length = length << 8 | (*data)[i];
    *data += LENGTH_BYTES;
    *size -= LENGTH_BYTES;
    if (length > *size)
        length = *size;
    if (pb_unpack(&fold->arena,
                  &pb__event__descriptor,
                  (struct pb_bytes){ *data, length },
                  &event,
                  &error) != ERR_OK)
        event = NULL;
    *data += length;
    *size -= length;
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fold fold = { .arena = arena_with_limit(ARENA_MAX), .now_ms = 1000 };

    for (int i = 0; i < EVENTS_MAX && size > 0; i++) {
        const Pb__Event *const event = next_event(&fold, &data, &size);

        if (event != NULL)
            hear(&fold, event);
    }
    arena_release(&fold.arena);
    return 0;
}
