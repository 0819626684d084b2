#include "tests/unit/coordinator_core/explore/explore.h"

enum { EVERY = 97 };

/* Compared later, when the known one's events have been looked at too. */
void audit_note(struct search *search, const Pb__DeploymentState *state, struct audit audit)
{
    if (search->events % EVERY != 0 || search->audit_count == AUDITS_MAX)
        return;
    audit.state = pb_pack(&search->kept, state);
    search->audit[search->audit_count++] = audit;
}

/* Where each event leads, all in one number: two states with the same one have the same future
 * as far as one event shows. */
static uint64_t outlook(struct search *search,
                        struct pb_bytes packed,
                        const struct world *world)
{
    struct attempt attempts[ATTEMPTS_MAX];
    struct error error = { "" };
    void *state = NULL;
    uint64_t sum = 0;
    size_t count;

    arena_reset(&search->scratch);
    assert_int_equal(
        pb_unpack(&search->scratch, &pb__deployment_state__descriptor, packed, &state, &error),
        ERR_OK);
    count = attempts_list(search, state, world, attempts);
    for (size_t i = 0; i < count; i++) {
        struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
        const struct procedure_input input = {
            .before = state,
            .plan = search->plan,
            .event = attempts[i].event,
            .event_id = "audit",
            .at_ms = ((const Pb__DeploymentState *)state)->now_ms,
        };
        uint64_t key[2] = { 1, 1 };

        if (attempts[i].event != NULL &&
            procedure_step(&search->scratch, &input, output) == PROCEDURE_APPLIED)
            key_of(output->after, &attempts[i].world, key);
        sum += (key[0] ^ (key[1] * (2 * i + 3))) * 0x9E3779B97F4A7C15ULL;
    }
    return sum;
}

/* The world is part of the key, so both have the same. */
void audit_compare(struct search *search, size_t index)
{
    const struct audit *const audit = &search->audit[index];
    const struct node *const known = &search->nodes[audit->node];

    search->audits++;
    if (outlook(search, audit->state, &known->world) !=
        outlook(search, known->state, &known->world))
        search_report(
            search, audit->parent, audit->label, "two states are taken for one, and are not");
}
