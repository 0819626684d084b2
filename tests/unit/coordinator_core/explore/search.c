#include "common/base/text.h"
#include "tests/unit/coordinator_core/explore/explore.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX = 64 * 1024 * 1024 };
static const size_t KEPT_MAX = 6ULL << 30;

Pb__DeploymentState *search_state(struct search *search, size_t node)
{
    struct error error = { "" };
    void *state = NULL;

    if (pb_unpack(&search->scratch,
                  &pb__deployment_state__descriptor,
                  search->nodes[node].state,
                  &state,
                  &error) != ERR_OK)
        fail_msg("%s", error.text);
    return state;
}

static void trace(struct search *search, size_t node, struct text *out)
{
    if (search->nodes[node].label == NULL)
        return;
    trace(search, search->nodes[node].parent, out);
    text_add(out, "%s > ", search->nodes[node].label);
}

void search_report(struct search *search, size_t node, const char *label, const char *what)
{
    struct text out = text_over(search->breach, sizeof search->breach);

    text_add(&out,
             "%s, after %u events\n    ",
             what,
             search->nodes[node].depth + (label[0] != '\0' ? 1 : 0));
    trace(search, node, &out);
    text_add(&out, "%s", label);
}

/* The node of that key; added when it is new. */
static size_t node_of(struct search *search,
                      const Pb__DeploymentState *state,
                      const struct world *world,
                      size_t parent,
                      const char *label)
{
    uint64_t key[2];
    size_t slot;
    struct node *node;

    key_of(state, world, key);
    for (slot = key[0] % search->table_size; search->table[slot] != 0;
         slot = (slot + 1) % search->table_size) {
        const size_t known = search->table[slot] - 1;

        if (search->keys[known][0] != key[0] || search->keys[known][1] != key[1])
            continue;
        if (label != NULL)
            audit_note(search,
                       state,
                       (struct audit){ .node = known, .parent = parent, .label = label });
        return known;
    }
    if (search->count == search->scenario->nodes_max)
        fail_msg("%s has more states than expected", search->scenario->name);
    node = &search->nodes[search->count];
    node->state = pb_pack(&search->kept, state);
    node->world = *world;
    node->parent = (uint32_t)parent;
    node->label = label != NULL ? arena_text(&search->kept, label) : NULL;
    node->depth = label != NULL ? search->nodes[parent].depth + 1 : 0;
    search->depth = node->depth; /* Breadth first: it never falls. */
    search->keys[search->count][0] = key[0];
    search->keys[search->count][1] = key[1];
    search->table[slot] = (uint32_t)++search->count;
    return search->count - 1;
}

/* A request that is waited for must move it. */
static bool helps(const Pb__DeploymentState *state, const char *label)
{
    static const char *const words[][2] = {
        { "approve", "approve" }, { "supply", "replan" },    { "retry", "retry" },
        { "attest", "attest" },   { "signoff", "sign-off" }, { "resume", "resume" },
    };
    static const char *const others[] = {
        "granted", "plan", "freeze ends", "window ends", "timer plan"
    };

    for (size_t i = 0; i < state->waiting_for->n_actions; i++) {
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            if (strcmp(state->waiting_for->actions[i], words[k][0]) == 0 &&
                strncmp(label, words[k][1], strlen(words[k][1])) == 0)
                return true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(label, others[i]) == 0)
            return true;
    }
    return false;
}

/* Failures and force are no way to an end. */
static void go(struct search *search, size_t from, size_t to, const char *label, enum why why)
{
    search->led[search->led_count++] = (struct led){ label, to };
    if (to == from || (why != WHY_WELL && why != WHY_ASKED && why != WHY_AUTO))
        return;
    ways_add(&search->ways, from, to);
}

/* What the core did not apply changes nothing, but freezes and windows come and go whether they
 * concern the deployment or not. */
static void not_applied(struct search *search,
                        size_t from,
                        const Pb__DeploymentState *before,
                        const struct attempt *attempt)
{
    struct world world = search->nodes[from].world;

    if (attempt->event->body_case != PB__EVENT__BODY_HOLD_SET &&
        attempt->event->body_case != PB__EVENT__BODY_HOLD_CLEARED)
        return;
    world.frozen = attempt->world.frozen;
    world.closed = attempt->world.closed;
    world.troubles = attempt->world.troubles;
    go(search,
       from,
       node_of(search, before, &world, from, attempt->label),
       attempt->label,
       WHY_STALE);
}

/* Where it leads to a known state, twice is looked at now and then only. */
static bool looks_again(const struct search *search, bool found)
{
    return found || search->events % 8 == 0;
}

static const char *judge(struct search *search,
                         const struct attempt *attempt,
                         const struct procedure_input *input,
                         const struct procedure_output *output,
                         struct world *world)
{
    const char *breach = judge_move(search, input->before, attempt, output);

    return breach != NULL ? breach
                          : judge_effects(search, input->before, attempt, output, world);
}

static void try_one(struct search *search,
                    size_t from,
                    const Pb__DeploymentState *before,
                    const struct attempt *attempt,
                    bool *helped)
{
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = {
        .before = attempt->state != NULL ? attempt->state : before,
        .plan = before->plan_hash[0] != '\0' ? search->plan : NULL,
        .event = attempt->event,
        .event_id = arena_printf(&search->scratch, "e%zu", search->events),
        .at_ms = before->now_ms,
    };
    const size_t known = search->count;
    enum procedure_answer answer;
    struct world world = attempt->world;
    const char *breach;
    size_t to;

    search->events++;
    if (attempt->event == NULL) {
        to = node_of(search, input.before, &world, from, attempt->label);
        go(search, from, to, attempt->label, attempt->why);
        return;
    }
    answer = procedure_step(&search->scratch, &input, output);
    if (answer == PROCEDURE_IMPOSSIBLE ||
        (attempt->why == WHY_STALE && answer != PROCEDURE_STALE)) {
        search_report(search,
                      from,
                      attempt->label,
                      answer == PROCEDURE_IMPOSSIBLE ? output->why
                                                     : "invariant 4: a late word is not stale");
        return;
    }
    if (answer != PROCEDURE_APPLIED) {
        not_applied(search, from, before, attempt);
        return;
    }
    breach = judge(search, attempt, &input, output, &world);
    *helped = *helped || helps(before, attempt->label);
    to = node_of(search, output->after, &world, from, attempt->label);
    if (breach == NULL && looks_again(search, to == known))
        breach = judge_again(search, attempt, &input, output);
    if (breach != NULL)
        search_report(search, from, attempt->label, breach);
    else
        go(search, from, to, attempt->label, attempt->why);
}

/* From steps 2 to 7 and BLOCKED(2..7) a rollback stops in one event. */
static bool must_stop_at_once(const Pb__DeploymentState *state)
{
    return state->step >= 2 &&
           (state->phase == PB__PHASE__BLOCKED ||
            (state->phase >= PB__PHASE__EXECUTING && state->phase <= PB__PHASE__FINALISING));
}

static bool stops_at_once(struct search *search,
                          const Pb__DeploymentState *state,
                          const struct attempt *attempts,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct procedure_output *output;
        const struct procedure_input input = {
            state, search->plan, attempts[i].event, "e", state->now_ms
        };

        if (strcmp(attempts[i].label, "rollback") != 0)
            continue;
        output = arena_alloc(&search->scratch, sizeof *output);
        return procedure_step(&search->scratch, &input, output) == PROCEDURE_APPLIED &&
               output->after->stop != NULL;
    }
    return false;
}

static bool unchanged(struct search *search,
                      struct pb_bytes was,
                      const Pb__DeploymentState *state)
{
    const struct pb_bytes packed = pb_pack(&search->scratch, state);

    return packed.length == was.length && memcmp(packed.bytes, was.bytes, was.length) == 0;
}

void search_expand(struct search *search, size_t from)
{
    struct attempt attempts[ATTEMPTS_MAX];
    Pb__DeploymentState *state;
    struct pb_bytes was;
    const struct world world = search->nodes[from].world;
    const char *breach;
    bool helped = false;
    size_t count;

    arena_reset(&search->scratch);
    search->led_count = 0;
    state = search_state(search, from);
    clocks_open(state);
    was = pb_pack(&search->scratch, state);
    breach = judge_state(search, state, &world);
    count = attempts_list(search, state, &world, attempts);
    if (breach == NULL && must_stop_at_once(state) && !attempts_spent(search, &world) &&
        !stops_at_once(search, state, attempts, count))
        breach = "invariant 2: rollback does not stop it";
    if (breach != NULL) {
        search_report(search, from, "", breach);
        return;
    }
    for (size_t i = 0; i < count && search->breach[0] == '\0'; i++)
        try_one(search, from, state, &attempts[i], &helped);
    if (search->breach[0] != '\0')
        return;
    if (!unchanged(search, was, state))
        search_report(search, from, "", "invariant 5: the state before an event was changed");
    else if (main_task(state) == NULL && !helped && !procedure_is_terminal(state->phase) &&
             !attempts_spent(search, &world))
        search_report(search,
                      from,
                      state->waiting_for->kind,
                      "invariant 3: what it waits for does not move it");
}

static void *array(size_t count, size_t size)
{
    void *const memory = calloc(count, size);

    assert_non_null(memory);
    return memory;
}

void search_open(struct search *search, const struct scenario *scenario)
{
    struct world world = { 0 };
    const Pb__DeploymentState *state;

    *search = (struct search){ .scenario = scenario,
                               .kept = arena_with_limit(KEPT_MAX),
                               .scratch = arena_with_limit(SCRATCH_MAX) };
    search->plan = scenario->plan(&search->kept);
    search->table_size = scenario->nodes_max * 2 + 1;
    search->nodes = array(scenario->nodes_max, sizeof *search->nodes);
    search->keys = array(scenario->nodes_max, sizeof *search->keys);
    search->table = array(search->table_size, sizeof *search->table);
    search->audit = array(AUDITS_MAX, sizeof *search->audit);
    search->audit_max = getenv("EXPLORE") != NULL ? AUDITS_MAX : AUDITS_QUICK;
    search->led = array(ATTEMPTS_MAX, sizeof *search->led);
    state = birth_of(search, &world);
    (void)node_of(search, state, &world, 0, NULL);
}

void search_close(struct search *search)
{
    ways_release(&search->ways);
    free(search->led);
    free(search->audit);
    free(search->table);
    free(search->keys);
    free(search->nodes);
    arena_release(&search->scratch);
    arena_release(&search->kept);
}
