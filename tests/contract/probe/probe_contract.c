#include "tests/contract/probe/probe_contract.h"

#include "tests/support/test.h"

typedef void arrange(struct driver_world *world);

static Pb__Finding *answer_in(const struct probe_case *one,
                              arrange *state,
                              struct driver_world *world)
{
    Pb__CheckSpec *check;
    Pb__Finding *finding;

    driver_world_open(world, one->settings);
    check = driver_world_check(world, "smoke.api", "looked");
    if (one->ask != NULL)
        one->ask(world, check);
    state(world);
    finding = probe_answer(&world->env, check, NULL, 0);
    assert_non_null(finding);
    assert_string_equal(finding->check, "smoke.api");
    assert_string_equal(finding->kind, one->driver);
    assert_true(finding->required);
    assert_string_equal(finding->remedy, "look into it");
    assert_int_equal(finding->at_ms, world->clock.now_ms);
    assert_string_not_equal(finding->observed, "");
    return finding;
}

static void says(const struct probe_case *one, arrange *state, Pb__Verdict verdict)
{
    struct driver_world world;
    const Pb__Finding *const finding = answer_in(one, state, &world);

    if (finding->verdict != verdict)
        fail_msg("%s: %s instead of %s: %s",
                 one->driver,
                 pb_verdict_name(finding->verdict),
                 pb_verdict_name(verdict),
                 finding->observed);
    assert_string_not_equal(finding->wanted, "");
    assert_string_not_equal(finding->evidence, "");
    driver_world_close(&world);
}

static void silence_is_no_answer(const struct probe_case *one)
{
    struct driver_world world;
    const Pb__Finding *const finding = answer_in(one, one->silent, &world);

    if (finding->verdict != PB__VERDICT__INCONCLUSIVE &&
        finding->verdict != PB__VERDICT__NO_DATA && finding->verdict != PB__VERDICT__ERROR)
        fail_msg("%s: silence is %s", one->driver, pb_verdict_name(finding->verdict));
    driver_world_close(&world);
}

static void the_instance_that_differs_is_named(const struct probe_case *one)
{
    struct driver_world world;
    const Pb__Finding *const finding = answer_in(one, one->half, &world);

    assert_int_equal(finding->verdict, PB__VERDICT__FAIL);
    assert_non_null(strstr(finding->observed, "shop-2: "));
    assert_null(strstr(finding->observed, "shop-1: "));
    assert_non_null(strstr(finding->observed, "1 of 2 are well"));
    driver_world_close(&world);
}

static void named_instances_alone_are_looked_at(const struct probe_case *one)
{
    static const char *const only[] = { "shop-1" };
    struct driver_world world;
    Pb__CheckSpec *check;

    driver_world_open(&world, one->settings);
    check = driver_world_check(&world, "health.0.0", "looked");
    if (one->ask != NULL)
        one->ask(&world, check);
    one->half(&world);
    assert_int_equal(probe_answer(&world.env, check, only, 1)->verdict, PB__VERDICT__PASS);
    driver_world_close(&world);
}

static void nothing(struct driver_world *world)
{
    world->stop = true;
}

static void a_stopped_look_is_no_pass(const struct probe_case *one)
{
    struct driver_world world;

    assert_int_not_equal(answer_in(one, nothing, &world)->verdict, PB__VERDICT__PASS);
    driver_world_close(&world);
}

void probe_contract(const struct probe_case *one)
{
    says(one, one->well, PB__VERDICT__PASS);
    if (one->wrong != NULL)
        says(one, one->wrong, PB__VERDICT__FAIL);
    if (one->silent != NULL)
        silence_is_no_answer(one);
    if (one->half != NULL) {
        the_instance_that_differs_is_named(one);
        named_instances_alone_are_looked_at(one);
        a_stopped_look_is_no_pass(one);
    }
}
