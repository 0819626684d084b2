/* The list of deployments, the inbox and lanes. */
#include "common/state/keys.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

#include <stdlib.h>

/* Each updated a second after the last, so that d-<n> is the newest. */
static void store_many(size_t count, Pb__Phase phase)
{
    const struct world_deployment model = world_deployment("d-0.1", phase);

    for (size_t i = 0; i < count; i++) {
        const struct world_deployment deployment = { pb_clone(&w.arena, model.state),
                                                     model.plan };

        w.clock.now_ms += 1000;
        deployment.state->id = arena_printf(&w.arena, "d-%zu.1", i);
        deployment.state->feature = arena_printf(&w.arena, "d-%zu", i);
        deployment.state->now_ms = w.clock.now_ms;
        world_store(&deployment);
    }
}

static void the_newest_come_first_and_live_before_ended(void **state)
{
    (void)state;
    store_many(3, PB__PHASE__COMPLETED);
    assert_int_equal(world_get("/v1/deployments"), 200);
    assert_int_equal(world_count("items"), 3);
    assert_string_equal(world_text("items.0.id"), "d-2.1");
    assert_string_equal(world_text("items.0.exit"), "COMPLETED");
    assert_int_equal(w.call.as_of_ms, w.clock.now_ms);
    assert_int_equal(world_get("/v1/deployments?live=true"), 200);
    assert_int_equal(world_count("items"), 0);
    assert_int_equal(world_get("/v1/deployments?live=false"), 200);
    assert_int_equal(world_count("items"), 3);
}

static void pages_show_each_deployment_once(void **state)
{
    bool seen[120] = { 0 };
    const char *target = "/v1/deployments?limit=50&live=all";
    size_t total = 0;
    int pages = 0;

    (void)state;
    store_many(120, PB__PHASE__EXECUTING);
    do {
        assert_int_equal(world_get(target), 200);
        for (size_t i = 0; i < world_count("items"); i++) {
            const char *const id = world_text(arena_printf(&w.arena, "items.%zu.id", i));
            const size_t number = strtoul(id + 2, NULL, 10);

            assert_false(seen[number]);
            seen[number] = true;
            total++;
        }
        pages++;
        target = arena_printf(
            &w.arena, "/v1/deployments?limit=50&live=all&cursor=%s", world_text("next"));
    } while (world_text("next")[0] != '\0');
    assert_int_equal(total, 120);
    assert_int_equal(pages, 3);
}

static void a_page_of_live_ones_goes_on_with_ended_ones(void **state)
{
    struct world_deployment live = world_deployment("live.1", PB__PHASE__EXECUTING);

    (void)state;
    store_many(2, PB__PHASE__ABORTED);
    world_store(&live);
    assert_int_equal(world_get("/v1/deployments?limit=1"), 200);
    assert_string_equal(world_text("items.0.id"), "live.1");
    assert_non_null(strstr(w.call.link, "rel=\"next\""));
    assert_int_equal(world_get(arena_printf(
                         &w.arena, "/v1/deployments?limit=2&cursor=%s", world_text("next"))),
                     200);
    assert_int_equal(world_count("items"), 2);
    assert_string_equal(world_text("items.0.id"), "d-1.1");
    assert_string_equal(world_text("next"), "");
    assert_null(w.call.link);
}

static void a_cursor_belongs_to_its_filters(void **state)
{
    const char *cursor;

    (void)state;
    store_many(3, PB__PHASE__EXECUTING);
    assert_int_equal(world_get("/v1/deployments?limit=1&service=shop"), 200);
    cursor = arena_text(&w.arena, world_text("next"));
    assert_int_equal(world_get(arena_printf(
                         &w.arena, "/v1/deployments?limit=2&service=shop&cursor=%s", cursor)),
                     200);
    assert_int_equal(
        world_get(arena_printf(&w.arena, "/v1/deployments?limit=1&cursor=%s", cursor)), 400);
    assert_string_equal(world_text("field"), "cursor");
    assert_int_equal(world_get("/v1/deployments?cursor=rubbish"), 400);
    assert_int_equal(world_get("/v1/deployments?cursor="), 400);
}

static void filters_are_exact_and_repeated_ones_are_alternatives(void **state)
{
    struct world_deployment a = world_deployment("a.1", PB__PHASE__EXECUTING);
    struct world_deployment b = world_deployment("b.1", PB__PHASE__BLOCKED);
    struct world_deployment c = world_deployment("c.1", PB__PHASE__IN_REVIEW);
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        { "state=BLOCKED", 1 },
        { "state=BLOCKED&state=IN_REVIEW", 2 },
        { "phase=EXECUTING&state=EXECUTING", 1 },
        { "phase=EXECUTING&state=BLOCKED", 0 },
        { "step=2", 1 },
        { "step=0", 1 },
        { "service=shop", 3 },
        { "service=web", 0 },
        { "environment=production", 3 },
        { "environment=staging", 0 },
        { "feature=a", 1 },
        { "q=b.", 1 },
        { "q=button", 3 },
        { "waiting_for=technical-lead", 3 },
        { "waiting_for=me", 0 },
        { "exit=COMPLETED", 0 },
    };

    (void)state;
    world_store(&a);
    world_store(&b);
    world_store(&c);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            world_get(arena_printf(&w.arena, "/v1/deployments?%s", cases[i].query)), 200);
        if (world_count("items") != cases[i].count)
            fail_msg("%s: %zu items", cases[i].query, world_count("items"));
    }
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/deployments?waiting_for=me",
                                                .token = "tess" }),
                     200);
    assert_int_equal(world_count("items"), 3);
}

static void what_is_no_filter_or_no_value_is_refused(void **state)
{
    static const struct {
        const char *query;
        const char *code;
    } cases[] = {
        { "colour=red", "unknown-filter" }, { "state=RUNNING", "malformed" },
        { "state=", "malformed" },          { "phase=blocked", "malformed" },
        { "step=8", "malformed" },          { "step=2x", "malformed" },
        { "step=-1", "malformed" },         { "step=", "malformed" },
        { "limit=0", "malformed" },         { "limit=201", "malformed" },
        { "limit=many", "malformed" },      { "limit=99999999999999999999", "malformed" },
        { "live=yes", "malformed" },        { "exit=BLOCKED", "malformed" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int status =
            world_get(arena_printf(&w.arena, "/v1/deployments?%s", cases[i].query));

        if (status != 400 || strcmp(world_text("code"), cases[i].code) != 0)
            fail_msg("%s: %d %s", cases[i].query, status, world_body());
        assert_true(world_text("field")[0] != '\0');
    }
}

static void two_hundred_of_the_largest_fit_into_memory(void **state)
{
    struct world_deployment big = world_deployment("big.1", PB__PHASE__EXECUTING);

    (void)state;
    for (int i = 0; i < 64; i++) {
        Pb__CheckResult *const result = pb_new(&w.arena, &pb__check_result__descriptor);

        result->check = "verify.something";
        result->verdict = PB__VERDICT__PASS;
        result->observed = arena_printf(&w.arena, "%0120d", i);
        result->remedy = result->observed;
        PB_APPEND(&w.arena, big.state->steps[2], results, result);
    }
    for (size_t i = 0; i < 400; i++) {
        w.clock.now_ms++;
        big.state->now_ms = w.clock.now_ms;
        big.state->id = arena_printf(&w.arena, "big-%zu.1", i);
        big.state->feature = arena_printf(&w.arena, "big-%zu", i);
        world_store(&big);
    }
    assert_int_equal(world_get("/v1/deployments?limit=200"), 200);
    assert_int_equal(world_count("items"), 200);
    assert_true(w.bench.arena.used < 8u << 20);
    assert_true(w.bench.item.used < 2u << 20);
}

static enum memory_fault no_redis(void *self, const char *operation, const char *object)
{
    (void)self;
    (void)object;
    return strcmp(operation, "get") == 0 ? FAULT_BEFORE : FAULT_NONE;
}

static void a_list_that_is_not_whole_is_not_shown(void **state)
{
    (void)state;
    store_many(3, PB__PHASE__EXECUTING);
    w.store_faults.ask = no_redis;
    assert_int_equal(world_get("/v1/deployments"), 503);
    assert_int_equal(world_get("/v1/inbox?for=all"), 503);
    assert_int_equal(w.call.retry_after_s, 1);
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    const char *etag;
    const char *header;

    (void)state;
    store_many(1, PB__PHASE__EXECUTING);
    assert_int_equal(world_get("/v1/deployments"), 200);
    etag = arena_text(&w.arena, w.call.etag);
    header = arena_printf(&w.arena, "If-None-Match: \"other\", W/%s", etag);
    assert_int_equal(world_ask(&(struct asked){
                         .target = "/v1/deployments", .token = "rel", .headers = { header } }),
                     304);
    assert_int_equal(w.call.out.length, 0);
    assert_string_equal(w.call.etag, etag);
    store_many(2, PB__PHASE__EXECUTING);
    assert_int_equal(world_ask(&(struct asked){
                         .target = "/v1/deployments", .token = "rel", .headers = { header } }),
                     200);
}

static void the_inbox_holds_what_waits_for_my_roles(void **state)
{
    struct world_deployment mine = world_deployment("mine.1", PB__PHASE__IN_REVIEW);
    struct world_deployment runs = world_deployment("runs.1", PB__PHASE__EXECUTING);

    (void)state;
    mine.plan->changes[0]->on_rollback = PB__ON_ROLLBACK__MANUAL;
    runs.state->waiting_for->kind = "TASK";
    world_store(&mine);
    world_store(&runs);
    assert_int_equal(world_get("/v1/inbox"), 200);
    assert_int_equal(world_count("items"), 0);
    assert_int_equal(world_get("/v1/inbox?for=all"), 200);
    assert_int_equal(world_count("items"), 1);
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/inbox", .token = "tess" }), 200);
    assert_string_equal(world_text("items.0.deployment"), "mine.1");
    assert_string_equal(world_text("items.0.kind"), "APPROVE");
    assert_string_equal(world_text("items.0.weight"), "irreversible");
    assert_int_equal(world_get("/v1/inbox?for=them"), 400);
}

static void a_sign_off_that_became_void_is_closed(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__ROLLING_BACK);

    (void)state;
    deployment.state->step = 4;
    deployment.state->stop = pb_new(&w.arena, &pb__stop_cause__descriptor);
    deployment.state->stop->cause = "critical incident";
    world_store(&deployment);
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/inbox", .token = "dev" }), 200);
    assert_int_equal(world_count("items"), 1);
    assert_string_equal(world_text("items.0.kind"), "SIGNOFF");
    assert_string_equal(world_text("items.0.closed"),
                        "void, it is being taken back: critical incident");
    assert_int_equal(world_count("items.0.actions"), 0);
}

static void who_i_am_and_what_i_may(void **state)
{
    (void)state;
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/me", .token = "ci" }), 200);
    assert_string_equal(world_text("subject"), "ci");
    assert_string_equal(world_text("name"), "The ci");
    assert_string_equal(world_text("can.1"), "submit");
    assert_int_equal(world_ask(&(struct asked){ .target = "/v1/me", .token = "rita" }), 200);
    assert_int_equal(world_count("can"), 1);
}

static void lanes_say_who_holds_and_who_waits(void **state)
{
    struct world_deployment holder = world_deployment("a.1", PB__PHASE__EXECUTING);
    Pb__LaneState *const lane = pb_new(&w.arena, &pb__lane_state__descriptor);
    Pb__LaneRequest *const next = pb_new(&w.arena, &pb__lane_request__descriptor);
    const char *const key = keys_lane_record(&w.arena, "production/shop");
    const int32_t p = bus_partition(key, WORLD_PARTITIONS);

    (void)state;
    lane->lane = "production/shop";
    lane->holder = "a.1";
    lane->grant = 4;
    lane->top = "z.1";
    next->deployment = "b.1";
    next->undo_of = "y.1";
    next->undo = true;
    PB_APPEND(&w.arena, lane, queue, next);
    world_put_message(KEY_LANE(&w.arena, p, "slipway:", "production/shop"), lane);
    world_member(KEY_LANES(&w.arena, p, "slipway:"), "production/shop");
    world_store(&holder);
    assert_int_equal(world_get("/v1/lanes"), 200);
    assert_string_equal(world_text("items.0.holder.deployment"), "a.1");
    assert_string_equal(world_text("items.0.queue.0.undo_of"), "y.1");
    assert_string_equal(world_text("items.0.queue.0.note"),
                        "takes back the changes of y.1; undo goes first");
    assert_string_equal(world_text("items.0.holder.note"), "holds it until step 5 ends");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_come_first_and_live_before_ended),
        TEST(pages_show_each_deployment_once),
        TEST(a_page_of_live_ones_goes_on_with_ended_ones),
        TEST(a_cursor_belongs_to_its_filters),
        TEST(filters_are_exact_and_repeated_ones_are_alternatives),
        TEST(what_is_no_filter_or_no_value_is_refused),
        TEST(two_hundred_of_the_largest_fit_into_memory),
        TEST(a_list_that_is_not_whole_is_not_shown),
        TEST(what_the_client_has_is_not_sent_again),
        TEST(the_inbox_holds_what_waits_for_my_roles),
        TEST(who_i_am_and_what_i_may),
        TEST(a_sign_off_that_became_void_is_closed),
        TEST(lanes_say_who_holds_and_who_waits),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
