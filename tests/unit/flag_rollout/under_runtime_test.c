/* The worker as it runs: commands by the bus, claims in the store, the answer on events.v1. */
#include "services/flag-rollout/service.h"

#include "common/config/yaml.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"
#include "tests/unit/worker/command_world.h"

static struct {
    struct command_world world;
    struct setting_environment environment;
    struct setting_driver provider;
    const char *peer;
    struct worker_spec spec;
    void *worker;
} u;

static int set_up(void **state)
{
    static const char yaml[] = "{timeout: 2s}";
    struct settings *const settings = &u.world.settings;
    struct yaml_problems *problems;
    struct error error = { 0 };

    (void)state;
    memset(&u, 0, sizeof u);
    command_world_open(&u.world);
    problems = arena_alloc(&u.world.arena, sizeof *problems);
    problems->arena = &u.world.arena;
    u.provider.name = "builtin";
    u.provider.driver = "builtin";
    u.provider.options =
        yaml_parse(&u.world.arena, "slipway.yaml", yaml, sizeof yaml - 1, problems);
    u.environment.name = "production";
    u.environment.provider = "builtin";
    u.peer = "http://gateway-1";
    settings->environments = &u.environment;
    settings->environment_count = 1;
    settings->providers = &u.provider;
    settings->provider_count = 1;
    settings->gateway.peers = (struct option_texts){ &u.peer, 1 };
    u.spec = flag_rollout_worker;
    u.spec.name = "executor"; /* The world speaks to this one. */
    assert_int_equal(worker_open_inline(&u.spec, &u.world.ports, &u.worker, &error), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    worker_close_inline(u.worker);
    command_world_close(&u.world);
    return 0;
}

static void grant(uint64_t sequence, uint32_t percent)
{
    struct arena *const arena = &u.world.arena;
    Pb__Control *const control = pb_new(arena, &pb__control__descriptor);
    const struct envelope envelope = { .id = "grant",
                                       .source = "/slipway/coordinator/c-1",
                                       .writer = "coordinator" };
    const struct envelope_out out = {
        TOPIC_CONTROL, "flag/production/express-pay", &control->base, true
    };
    struct bus_record record;
    struct error error = { 0 };

    control->body_case = PB__CONTROL__BODY_FLAG;
    control->flag = pb_new(arena, &pb__flag_value__descriptor);
    control->flag->environment = "production";
    control->flag->flag = "express-pay";
    control->flag->deployment = "express-pay.3";
    control->flag->sequence = sequence;
    control->flag->percent = percent;
    assert_int_equal(envelope_seal(arena, &u.world.keys, &envelope, &out, &record, &error),
                     ERR_OK);
    assert_int_equal(u.world.bus.publish(u.world.bus.self, &record, &error), ERR_OK);
    memory_http_answer(
        u.world.http,
        &(struct memory_http_answer){
            .url = "http://gateway-1/internal/v1/flags/production/express-pay",
            .status = 200,
            .body = arena_printf(arena,
                                 "{\"percent\":%u,\"audience\":\"\",\"sequence\":%llu,"
                                 "\"latched\":false,\"deployment\":\"express-pay.3\"}",
                                 percent,
                                 (unsigned long long)sequence),
        });
}

static void order_set(uint64_t sequence, uint32_t percent)
{
    Pb__Command *const command =
        command_of(&u.world, PB__COMMAND__BODY_SET_FLAGS, "express-pay.3/4/1/0", 1);
    Pb__FlagSpec *const flag = pb_new(&u.world.arena, &pb__flag_spec__descriptor);

    flag->key = "express-pay";
    PB_APPEND(&u.world.arena, command->set_flags, flags, flag);
    command->set_flags->sequence = sequence;
    command->set_flags->percent = percent;
    command->deadline_ms = u.world.clock.now_ms + 60000;
    command_order(&u.world, command);
}

/* Turns until the task has its answer, with time going by. */
static const Pb__TaskFinished *answer(void)
{
    struct error error = { 0 };

    for (unsigned i = 0; i < 1000; i++) {
        const Pb__TaskFinished *result;

        assert_int_equal(worker_turn_inline(u.worker, &error), ERR_OK);
        result = events_result(&u.world);
        if (result != NULL)
            return result;
        memory_clock_advance(&u.world.clock, 20);
    }
    return NULL;
}

static void a_command_is_carried_out_and_answered(void **state)
{
    const Pb__TaskFinished *result;

    (void)state;
    grant(2, 25);
    order_set(2, 25);
    result = answer();
    assert_non_null(result);
    assert_int_equal(result->outcome, PB__OUTCOME__OUTCOME_OK);
    assert_int_equal(result->n_findings, 2);
    assert_string_equal(result->findings[1]->check, "flag.read_back");
    assert_int_equal(result->findings[1]->verdict, PB__VERDICT__PASS);
}

static void a_command_that_overtakes_its_grant_waits_for_it(void **state)
{
    struct error error = { 0 };

    (void)state;
    order_set(2, 25);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(worker_turn_inline(u.worker, &error), ERR_OK);
        memory_clock_advance(&u.world.clock, 20);
    }
    assert_null(events_result(&u.world));
    grant(2, 25);
    assert_int_equal(answer()->outcome, PB__OUTCOME__OUTCOME_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_command_is_carried_out_and_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_command_that_overtakes_its_grant_waits_for_it, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("flag-rollout under the runtime", tests, NULL, NULL);
}
