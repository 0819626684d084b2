#include "tests/unit/coordinator_core/explore/explore.h"

#include <string.h>

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

static struct procedure_output *step(struct search *search,
                                     const Pb__DeploymentState *before,
                                     const Pb__Event *event)
{
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = {
        before, before->plan_hash[0] != '\0' ? search->plan : NULL, event, "e", before->now_ms
    };

    return procedure_step(&search->scratch, &input, output) == PROCEDURE_APPLIED ? output
                                                                                 : NULL;
}

static Pb__DeploymentState *birth_forward(struct search *search)
{
    Pb__Event *const event = created(search, "pay.1", 1);
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", 1000 };

    event->attempt_created->content_hash = "content";
    event->attempt_created->acceptance =
        pb_new(&search->scratch, &pb__acceptance_signed_off__descriptor);
    event->attempt_created->acceptance->environment = "production";
    assert_int_equal(procedure_step(&search->scratch, &input, output), PROCEDURE_APPLIED);
    return output->after;
}

static bool goes_well(const char *label)
{
    static const char *const labels[] = { "plan", "granted", "approve" };
    const size_t length = strlen(label);

    if (length > 5 && strcmp(label + length - 5, " PASS") == 0)
        return true;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(label, labels[i]) == 0)
            return true;
    }
    return strncmp(label, "sign-off ", 9) == 0 && strchr(label + 9, ' ') == NULL;
}

/* The first event that is part of a smooth course, and is applied. */
static Pb__DeploymentState *one_well(struct search *search,
                                     const Pb__DeploymentState *before,
                                     struct world *world)
{
    struct attempt attempts[ATTEMPTS_MAX];
    const size_t count = attempts_list(search, before, world, attempts);

    for (size_t i = 0; i < count; i++) {
        struct procedure_output *const output =
            goes_well(attempts[i].label) ? step(search, before, attempts[i].event) : NULL;

        if (output == NULL)
            continue;
        *world = attempts[i].world;
        assert_null(judge_effects(search, before, &attempts[i], output, world));
        return output->after;
    }
    fail_msg("nothing goes well in %s", pb_phase_name(before->phase));
    return NULL;
}

/* Its latches are those of both names, for the flags are still the other one's. */
static size_t latches(const struct effects *effects)
{
    size_t count = 0;

    for (size_t i = 0; i < effects->count; i++)
        count += effects->item[i].kind == EFFECT_CONTROL &&
                 effects->item[i].control->body_case == PB__CONTROL__BODY_KILL;
    return count;
}

/* The shell has not loaded the plan yet: it does that by the name in the state. */
static Pb__DeploymentState *birth_back(struct search *search,
                                       const Pb__DeploymentState *completed,
                                       struct world *world)
{
    Pb__Event *const event = created(search, "pay.2", 2);
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", completed->now_ms };
    const struct pb_bytes packed = pb_pack(&search->scratch, completed);

    event->attempt_created->attempt_of = completed->id;
    event->attempt_created->rollback = true;
    event->attempt_created->rollback_of.len = packed.length;
    event->attempt_created->rollback_of.data = arena_alloc(&search->scratch, packed.length);
    memcpy(event->attempt_created->rollback_of.data, packed.bytes, packed.length);
    assert_int_equal(procedure_step(&search->scratch, &input, output), PROCEDURE_APPLIED);
    assert_int_equal(latches(&output->effects), 2);
    world->latched = true;
    world->granted = 0;
    world->passed = course_forgotten(search->plan, world->passed);
    return output->after;
}

Pb__DeploymentState *birth_of(struct search *search, struct world *world)
{
    Pb__DeploymentState *state = birth_forward(search);

    *world = (struct world){ 0 };
    if (!search->scenario->back)
        return state;
    while (!procedure_is_terminal(state->phase))
        state = one_well(search, state, world);
    assert_int_equal(state->phase, PB__PHASE__COMPLETED);
    return birth_back(search, state, world);
}
