#include "tests/unit/coordinator_core/explore/explore.h"

static Pb__Event *created(struct search *search, const char *id, uint32_t attempt)
{
    Pb__Event *const event = pb_new(&search->scratch, &pb__event__descriptor);

    event->deployment = id;
    event->feature = "pay";
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(&search->scratch, &pb__attempt_created__descriptor);
    event->attempt_created->attempt = attempt;
    return event;
}

static Pb__DeploymentState *step(struct search *search, const Pb__Event *event)
{
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", 1000 };

    assert_int_equal(procedure_step(&search->scratch, &input, output), PROCEDURE_APPLIED);
    return output->after;
}

Pb__DeploymentState *birth_of(struct search *search, struct world *world)
{
    Pb__Event *const event = created(search, "pay.1", 1);

    *world = (struct world){ 0 };
    event->attempt_created->content_hash = "content";
    event->attempt_created->acceptance =
        pb_new(&search->scratch, &pb__acceptance_signed_off__descriptor);
    event->attempt_created->acceptance->environment = "production";
    return step(search, event);
}
