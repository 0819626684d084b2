/* What only the driver `command` promises: it believes what it observes, not what programs say.
 */
#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/release_directory.h"
#include "tests/contract/deployer/deployer_site.h"
#include "tests/support/test.h"

static int set_up(void **state)
{
    static const struct site_kind kind = { "command", false };

    *state = site_new(&kind);
    return 0;
}

static int tear_down(void **state)
{
    site_free(*state);
    return 0;
}

static enum err apply(struct deployer_site *site,
                      const struct deployer_order *order,
                      struct error *error)
{
    Pb__Observed observed;

    pb__observed__init(&observed);
    return deployer_command.apply(&site->env, order, &observed, error);
}

static enum err observe(struct deployer_site *site, Pb__Observed *ret, struct error *error)
{
    const struct deployer_order order = site_order(site, "1.0", 1);

    pb__observed__init(ret);
    return deployer_command.observe(&site->env, &order, ret, error);
}

static void a_program_that_says_done_and_is_not_is_not_believed(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.0", 1);
    struct error error = { 0 };

    site_put(site, "tool", "exit 0\n");
    assert_int_equal(apply(site, &order, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "afterwards"));
}

static void status_65_means_never(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.0", 1);
    struct error error = { 0 };

    site_put(site, "tool", "[ \"$1\" = observe ] || { echo too old; exit 65; }\n");
    assert_int_equal(apply(site, &order, &error), ERR_DENIED);
    assert_non_null(strstr(error.text, "too old"));
}

static void a_failing_observe_is_no_empty_target(void **state)
{
    Pb__Observed observed;
    struct error error = { 0 };

    site_put(*state, "tool", "exit 3\n");
    assert_int_equal(observe(*state, &observed, &error), ERR_UNAVAILABLE);
}

static void an_observe_that_says_something_else_is_refused(void **state)
{
    Pb__Observed observed;
    struct error error = { 0 };

    site_put(*state, "tool", "echo all is well\n");
    assert_int_equal(observe(*state, &observed, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "all is well"));
}

static void nothing_of_a_version_is_ever_run(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.0", 1);
    Pb__Change change = *order.change;
    struct error error = { 0 };

    change.version = "$(touch$IFS.hacked);touch hacked";
    order.change = &change;
    (void)apply(site, &order, &error);
    assert_false(site_has(site, "hacked"));
    assert_false(site_has(site, ".hacked"));
    assert_int_equal(site_changes(site), 1);
}

static void what_a_program_prints_can_be_carried_in_any_message(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.0", 1);
    const char *evidence = "";
    struct error error = { 0 };

    order.ret_evidence = &evidence;
    site_put(site, "tool", "[ \"$1\" = observe ] || { printf 'a\\377\\001b'; exit 1; }\n");
    assert_int_equal(apply(site, &order, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(evidence, "a??b"));
}

static void a_dry_run_that_fails_fails_the_check(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.0", 1);
    struct error error = { 0 };

    assert_int_equal(deployer_command.check_artifact(&site->env, &order, &error), ERR_OK);
    site_put(site, "check", "cat \"$1\"; echo \" does not parse\"; exit 65\n");
    assert_int_equal(deployer_command.check_artifact(&site->env, &order, &error), ERR_DENIED);
    assert_non_null(strstr(error.text, "1.0 does not parse"));
    assert_int_equal(site_changes(site), 0);
    assert_false(site_has(site, "fences"));
}

/* Somebody that was given up on may still say the old: it must find the new fence there. */
static void a_target_that_keeps_its_fence_is_told_also_where_nothing_changes(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order first = site_order(site, "1.0", 1);
    struct deployer_order undo = site_order(site, "1.1", 3);
    struct error error = { 0 };
    Pb__Observed before, after;

    assert_int_equal(apply(site, &first, &error), ERR_OK);
    assert_int_equal(apply(site, &first, &error), ERR_OK);
    assert_int_equal(site_changes(site), 1);
    before = site_observe(site);
    pb__observed__init(&after);
    undo.baseline = &before;
    assert_int_equal(deployer_command.revert(&site->env, &undo, &after, &error), ERR_OK);
    assert_int_equal(site_changes(site), 2);
    assert_int_equal(disk_drop(arena_printf(&site->arena, "%s/fences", site->root), &error),
                     ERR_OK);
    assert_string_equal(site_observe(site).fence, "7.3");
}

static void a_target_that_forgets_the_fence_it_was_told_is_not_believed(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order first = site_order(site, "1.0", 1);
    const struct deployer_order again = site_order(site, "1.0", 2);
    struct error error = { 0 };

    assert_int_equal(apply(site, &first, &error), ERR_OK);
    site_put(
        site, "tool", "[ \"$1\" = observe ] && cat \"$(dirname \"$0\")/state.$2\"; exit 0\n");
    assert_int_equal(apply(site, &again, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "fence 7.1 afterwards, it was told 7.2"));
}

#define PROVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVES(a_program_that_says_done_and_is_not_is_not_believed),
        PROVES(a_target_that_keeps_its_fence_is_told_also_where_nothing_changes),
        PROVES(a_target_that_forgets_the_fence_it_was_told_is_not_believed),
        PROVES(status_65_means_never),
        PROVES(a_failing_observe_is_no_empty_target),
        PROVES(an_observe_that_says_something_else_is_refused),
        PROVES(nothing_of_a_version_is_ever_run),
        PROVES(what_a_program_prints_can_be_carried_in_any_message),
        PROVES(a_dry_run_that_fails_fails_the_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
