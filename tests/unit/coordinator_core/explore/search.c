#include "tests/unit/coordinator_core/explore/explore.h"

#include "common/base/text.h"

#include <stdlib.h>

enum { KEPT_MAX = 1 << 30, SCRATCH_MAX = 64 * 1024 * 1024, BACK_MAX = 8 * 1000 * 1000 };

static Pb__DeploymentState *unpacked(struct search *search, size_t node)
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

static void report(struct search *search, size_t node, const char *label, const char *what)
{
    struct text out = text_over(search->breach, sizeof search->breach);

    text_add(&out, "%s\n    ", what);
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

        if (search->keys[known][0] == key[0] && search->keys[known][1] == key[1])
            return known;
    }
    if (search->count == search->scenario->nodes_max)
        fail_msg("%s has more states than expected", search->scenario->name);
    node = &search->nodes[search->count];
    node->state = pb_pack(&search->kept, state);
    node->world = *world;
    node->parent = parent;
    node->label = label;
    search->keys[search->count][0] = key[0];
    search->keys[search->count][1] = key[1];
    search->table[slot] = ++search->count;
    return search->count - 1;
}

/* A request that is waited for must move it. */
static bool helps(const Pb__DeploymentState *state, const char *label)
{
    static const char *const words[][2] = {
        { "approve", "approve" }, { "supply", "replan" },    { "retry", "retry" },
        { "attest", "attest" },   { "signoff", "sign-off" }, { "resume", "resume" },
    };

    for (size_t i = 0; i < state->waiting_for->n_actions; i++) {
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
            if (strcmp(state->waiting_for->actions[i], words[k][0]) == 0 &&
                strncmp(label, words[k][1], strlen(words[k][1])) == 0)
                return true;
        }
    }
    return strcmp(label, "granted") == 0 || strcmp(label, "plan") == 0 ||
           strcmp(label, "freeze ends") == 0;
}

/* Failures and force are no way to an end. */
static void go(struct search *search, size_t from, size_t to, const struct attempt *attempt)
{
    if (to == from ||
        (attempt->why != WHY_WELL && attempt->why != WHY_ASKED && attempt->why != WHY_AUTO))
        return;
    if (search->back_count == search->back_max)
        fail_msg("%s has more events than expected", search->scenario->name);
    search->back[search->back_count++] = (struct edge){ (uint32_t)from, (uint32_t)to };
}

static void try_one(struct search *search,
                    size_t from,
                    const Pb__DeploymentState *before,
                    const struct attempt *attempt,
                    bool *helped)
{
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = {
        .before = before,
        .plan = before->plan_hash[0] != '\0' ? search->plan : NULL,
        .event = attempt->event,
        .event_id = arena_printf(&search->scratch, "e%zu", search->events),
        .at_ms = before->now_ms,
    };
    enum procedure_answer answer;
    struct world world = attempt->world;
    const char *breach;
    size_t to;

    search->events++;
    if (attempt->event == NULL) {
        go(search, from, node_of(search, before, &world, from, attempt->label), attempt);
        return;
    }
    answer = procedure_step(&search->scratch, &input, output);
    if (answer == PROCEDURE_IMPOSSIBLE) {
        report(search, from, attempt->label, output->why);
        return;
    }
    if (attempt->why == WHY_STALE && answer != PROCEDURE_STALE) {
        report(search, from, attempt->label, "a late word is not stale");
        return;
    }
    if (answer != PROCEDURE_APPLIED) {
        /* The freeze comes and goes whether it concerns the deployment or not. */
        if (attempt->world.frozen == search->nodes[from].world.frozen)
            return;
        (void)node_of(search, before, &world, from, attempt->label);
        return;
    }
    if (output->after->flags->killed)
        world.latched = true;
    breach = judge_move(search, before, attempt, output);
    if (breach == NULL)
        breach = judge_again(search, attempt, &input, output);
    if (breach != NULL) {
        report(search, from, attempt->label, breach);
        return;
    }
    *helped = *helped || helps(before, attempt->label);
    to = node_of(search, output->after, &world, from, attempt->label);
    go(search, from, to, attempt);
}

static bool must_stop_at_once(const Pb__DeploymentState *state)
{
    return state->step >= 2 &&
           (state->phase == PB__PHASE__BLOCKED ||
            (state->phase >= PB__PHASE__EXECUTING && state->phase <= PB__PHASE__FINALISING));
}

/* From steps 2 to 7 and BLOCKED(2..7) a critical incident stops in one event. */
static bool stops_at_once(struct search *search, const Pb__DeploymentState *state)
{
    struct attempt attempts[ATTEMPTS_MAX];
    const size_t count = attempts_list(search, state, &search->nodes[0].world, attempts);

    for (size_t i = 0; i < count; i++) {
        struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
        const struct procedure_input input = {
            state, search->plan, attempts[i].event, "e", state->now_ms
        };

        if (strcmp(attempts[i].label, "rollback") == 0)
            return procedure_step(&search->scratch, &input, output) == PROCEDURE_APPLIED &&
                   output->after->stop != NULL;
    }
    return false;
}

static void expand(struct search *search, size_t from)
{
    struct attempt attempts[ATTEMPTS_MAX];
    const Pb__DeploymentState *state;
    const struct world world = search->nodes[from].world;
    const char *breach;
    bool helped = false;
    size_t count;

    arena_reset(&search->scratch);
    state = unpacked(search, from);
    breach = judge_state(search, state, &world);
    if (breach == NULL && must_stop_at_once(state) && !stops_at_once(search, state))
        breach = "rollback does not stop it";
    if (breach != NULL) {
        report(search, from, "", breach);
        return;
    }
    count = attempts_list(search, state, &world, attempts);
    for (size_t i = 0; i < count && search->breach[0] == '\0'; i++)
        try_one(search, from, state, &attempts[i], &helped);
    if (search->breach[0] == '\0' && main_task(state) == NULL && !helped &&
        !procedure_is_terminal(state->phase))
        report(search, from, state->waiting_for->kind, "what it waits for does not move it");
}

/* Backwards from the ends over events that are no failure and no force. */
static void check_ends(struct search *search)
{
    bool grows = true;

    for (size_t i = 0; i < search->count; i++) {
        arena_reset(&search->scratch);
        search->nodes[i].ends_well = procedure_is_terminal(unpacked(search, i)->phase);
    }
    while (grows) {
        grows = false;
        for (size_t i = search->back_count; i-- > 0;) {
            const struct edge *const edge = &search->back[i];

            if (search->nodes[edge->from].ends_well || !search->nodes[edge->to].ends_well)
                continue;
            search->nodes[edge->from].ends_well = true;
            grows = true;
        }
    }
    for (size_t i = 0; i < search->count && search->breach[0] == '\0'; i++) {
        if (!search->nodes[i].ends_well)
            report(search, i, "", "no end without a failure, an abort or a skipped change");
    }
}

static void born(struct search *search)
{
    Pb__Event *const event = pb_new(&search->scratch, &pb__event__descriptor);
    struct procedure_output *const output = arena_alloc(&search->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", 1000 };
    const struct world world = { 0 };

    event->deployment = "pay.1";
    event->feature = "pay";
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(&search->scratch, &pb__attempt_created__descriptor);
    event->attempt_created->attempt = 1;
    event->attempt_created->content_hash = "content";
    event->attempt_created->acceptance =
        pb_new(&search->scratch, &pb__acceptance_signed_off__descriptor);
    event->attempt_created->acceptance->environment = "production";
    assert_int_equal(procedure_step(&search->scratch, &input, output), PROCEDURE_APPLIED);
    (void)node_of(search, output->after, &world, 0, NULL);
}

static void open_search(struct search *search, const struct scenario *scenario)
{
    *search = (struct search){ .scenario = scenario,
                               .kept = arena_with_limit(KEPT_MAX),
                               .scratch = arena_with_limit(SCRATCH_MAX) };
    search->plan = scenario->plan(&search->kept);
    search->table_size = scenario->nodes_max * 2 + 1;
    search->nodes = calloc(scenario->nodes_max, sizeof *search->nodes);
    search->keys = calloc(scenario->nodes_max, sizeof *search->keys);
    search->table = calloc(search->table_size, sizeof *search->table);
    search->back_max = BACK_MAX;
    search->back = calloc(search->back_max, sizeof *search->back);
    assert_non_null(search->nodes);
    assert_non_null(search->keys);
    assert_non_null(search->table);
    assert_non_null(search->back);
}

static void close_search(struct search *search)
{
    free(search->back);
    free(search->table);
    free(search->keys);
    free(search->nodes);
    arena_release(&search->scratch);
    arena_release(&search->kept);
}

static void explore(const struct scenario *scenario)
{
    static struct search search;

    open_search(&search, scenario);
    born(&search);
    for (size_t i = 0; i < search.count && search.breach[0] == '\0'; i++)
        expand(&search, i);
    if (search.breach[0] == '\0')
        check_ends(&search);
    print_message(
        "%-16s %7zu states %8zu events\n", scenario->name, search.count, search.events);
    if (search.breach[0] != '\0')
        fail_msg("%s: %s", scenario->name, search.breach);
    close_search(&search);
}

static void nothing_that_must_not_be_can_be_reached(void **state)
{
    const char *const wanted = getenv("EXPLORE"); /* A name, or "all". */

    (void)state;
    for (size_t i = 0; i < scenario_count; i++) {
        const bool named = wanted != NULL && (strcmp(wanted, "all") == 0 ||
                                              strcmp(wanted, scenarios[i].name) == 0);

        if (named || (wanted == NULL && !scenarios[i].deep))
            explore(&scenarios[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_must_not_be_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
