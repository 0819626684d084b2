#include "tests/unit/coordinator_core/explore/explore.h"

enum { EVERY_FIRST = 7 };

/* So many are kept at most, spread over the whole search: from now on only every second one. */
static void thin_out(struct search *search)
{
    for (size_t i = 0; i < search->audit_max / 2; i++)
        search->audit[i] = search->audit[2 * i];
    search->audit_count = search->audit_max / 2;
    search->audit_every *= 2;
}

/* Compared later, when the known one's events have been looked at too. */
void audit_note(struct search *search, const Pb__DeploymentState *state, struct audit audit)
{
    if (search->audit_every == 0)
        search->audit_every = EVERY_FIRST;
    if (search->audit_count == search->audit_max)
        thin_out(search);
    if (search->events % search->audit_every != 0)
        return;
    audit.state = pb_pack(&search->kept, state);
    audit.label = arena_text(&search->kept, audit.label);
    search->audit[search->audit_count++] = audit;
}

/* Where each event leads: two states with the same one have the same future as far as one event
 * shows. */
struct outlook {
    const char *labels[ATTEMPTS_MAX];
    const char *keys[ATTEMPTS_MAX]; /* "": it leads nowhere. */
    size_t count;
};

static void look_out(struct search *search,
                     struct pb_bytes packed,
                     const struct world *world,
                     struct outlook *ret)
{
    struct attempt attempts[ATTEMPTS_MAX];
    struct error error = { "" };
    void *unpacked = NULL;
    Pb__DeploymentState *state;

    assert_int_equal(
        pb_unpack(
            &search->scratch, &pb__deployment_state__descriptor, packed, &unpacked, &error),
        ERR_OK);
    state = unpacked;
    clocks_open(state);
    ret->count = attempts_list(search, state, world, attempts);
    for (size_t i = 0; i < ret->count; i++) {
        struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
        const struct procedure_input input = {
            .before = attempts[i].state != NULL ? attempts[i].state : state,
            .plan = state->plan_hash[0] != '\0' ? search->plan : NULL,
            .event = attempts[i].event,
            .event_id = "audit",
            .at_ms = state->now_ms,
        };

        ret->labels[i] = attempts[i].label;
        ret->keys[i] = "";
        if (attempts[i].event != NULL &&
            procedure_step(&search->scratch, &input, output) == PROCEDURE_APPLIED)
            ret->keys[i] = key_text(&search->scratch, output->after, &attempts[i].world);
    }
}

static const char *parting(struct search *search, const char *one, const char *other)
{
    size_t same = 0;

    while (one[same] != '\0' && one[same] == other[same])
        same++;
    return arena_printf(
        &search->scratch, "%.60s, and for the known one %.60s", one + same, other + same);
}

static void differs(struct search *search,
                    const struct audit *audit,
                    const char *label,
                    const char *how)
{
    search_report(
        search,
        audit->parent,
        arena_printf(&search->scratch, "%s: then differs: %s: %s", audit->label, label, how),
        "two states are taken for one, and are not");
}

/* The world is part of the key, so both have the same. */
void audit_compare(struct search *search, size_t index)
{
    const struct audit *const audit = &search->audit[index];
    const struct node *const known = &search->nodes[audit->node];
    struct outlook one = { 0 };
    struct outlook other = { 0 };

    arena_reset(&search->scratch);
    search->audits++;
    look_out(search, audit->state, &known->world, &one);
    look_out(search, known->state, &known->world, &other);
    if (one.count != other.count) {
        differs(search, audit, "", "what may come");
        return;
    }
    for (size_t i = 0; i < one.count && search->breach[0] == '\0'; i++) {
        if (strcmp(one.labels[i], other.labels[i]) != 0)
            differs(search, audit, one.labels[i], other.labels[i]);
        else if (strcmp(one.keys[i], other.keys[i]) != 0)
            differs(search, audit, one.labels[i], parting(search, one.keys[i], other.keys[i]));
    }
}
