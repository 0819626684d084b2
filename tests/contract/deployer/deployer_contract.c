/* What every deployer must do, whatever is behind it. Each test runs against each kind. */
#include "tests/contract/deployer/deployer_site.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = site_new(*state);
    return 0;
}

static int tear_down(void **state)
{
    site_free(*state);
    return 0;
}

static const struct deployer_driver *driver_of(const struct deployer_site *site)
{
    return site->book.entries[0].driver;
}

static void expect(enum err err, enum err wanted, const struct error *error)
{
    if (err != wanted)
        fail_msg("%s instead of %s: %s", err_name(err), err_name(wanted), error->text);
}

static enum err apply(struct deployer_site *site, const struct deployer_order *order)
{
    struct error error = { 0 };
    Pb__Observed observed;
    enum err err;

    pb__observed__init(&observed);
    err = driver_of(site)->apply(&site->env, order, &observed, &error);
    if (err == ERR_OK) {
        assert_string_equal(observed.version, order->change->version);
        assert_string_equal(observed.digest, order->change->digest->value);
        assert_string_equal(observed.instance, "shop-1");
    } else {
        assert_string_not_equal(error.text, "");
    }
    return err;
}

static enum err revert(struct deployer_site *site, const struct deployer_order *order)
{
    struct error error = { 0 };
    Pb__Observed observed;

    pb__observed__init(&observed);
    return driver_of(site)->revert(&site->env, order, &observed, &error);
}

static void apply_version(struct deployer_site *site, const char *version, uint64_t fence)
{
    const struct deployer_order order = site_order(site, version, fence);

    assert_int_equal(apply(site, &order), ERR_OK);
}

static void nothing_is_deployed_at_first(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.0", 1);
    struct error error = { 0 };
    Pb__Observed observed;

    pb__observed__init(&observed);
    expect(
        driver_of(site)->observe(&site->env, &order, &observed, &error), ERR_NOT_FOUND, &error);
    assert_string_equal(observed.state, DEPLOYED_NONE);
    assert_string_equal(observed.version, "");
    assert_int_equal(site_changes(site), 0);
}

static void what_was_applied_is_observed(void **state)
{
    struct deployer_site *const site = *state;
    Pb__Observed observed;

    apply_version(site, "1.0", 1);
    apply_version(site, "1.1", 2);
    observed = site_observe(site);
    assert_string_equal(observed.version, "1.1");
    assert_string_equal(observed.state, DEPLOYED_ACTIVE);
    assert_string_equal(observed.fence, "7.2");
    assert_int_equal(site_changes(site), 2);
}

/* Programs whose target keeps the fence are run to tell it; nobody else does anything. */
static void applying_again_changes_nothing(void **state)
{
    struct deployer_site *const site = *state;
    const unsigned told = pb_same(site->kind->driver, "command") ? 1 : 0;

    apply_version(site, "1.0", 1);
    apply_version(site, "1.0", 1);
    assert_int_equal(site_changes(site), 1);
    apply_version(site, "1.0", 5);
    assert_int_equal(site_changes(site), 1 + told);
}

static void one_instance_does_not_touch_another(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.0", 1);
    struct deployer_order other;
    struct error error = { 0 };
    Pb__Observed observed;

    assert_int_equal(apply(site, &order), ERR_OK);
    other = deployer_order_for(&site->book.entries[0], &site->instances[1]);
    pb__observed__init(&observed);
    expect(
        driver_of(site)->observe(&site->env, &other, &observed, &error), ERR_NOT_FOUND, &error);
}

static void a_revert_brings_the_baseline_back(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 3);
    Pb__Observed baseline, observed;

    apply_version(site, "1.0", 1);
    baseline = site_observe(site);
    apply_version(site, "1.1", 2);
    order.baseline = &baseline;
    assert_int_equal(revert(site, &order), ERR_OK);
    observed = site_observe(site);
    assert_string_equal(observed.version, "1.0");
    assert_string_equal(observed.digest, baseline.digest);
    assert_int_equal(revert(site, &order), ERR_OK);
    assert_int_equal(site_changes(site), 3);
}

static void a_revert_to_nothing_leaves_nothing(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 3);
    Pb__Observed baseline = site_observe(site);

    apply_version(site, "1.1", 2);
    order.baseline = &baseline;
    assert_int_equal(revert(site, &order), ERR_OK);
    assert_string_equal(site_observe(site).state, DEPLOYED_NONE);
    assert_string_equal(site_observe(site).version, "");
}

static void a_revert_of_what_was_never_applied_only_leaves_its_fence(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order undo = site_order(site, "1.1", 3);
    const struct deployer_order late = site_order(site, "1.1", 2);
    Pb__Observed baseline = site_observe(site);

    undo.baseline = &baseline;
    assert_int_equal(revert(site, &undo), ERR_OK);
    assert_int_equal(apply(site, &late), ERR_CONFLICT);
    assert_int_equal(site_changes(site), 0);
    assert_string_equal(site_observe(site).state, DEPLOYED_NONE);
}

static void a_revert_works_after_the_artifact_is_gone(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 3);
    char path[128], aside[128];
    Pb__Observed baseline;

    apply_version(site, "1.0", 1);
    baseline = site_observe(site);
    apply_version(site, "1.1", 2);
    (void)snprintf(path, sizeof path, "%s/artifacts", site->root);
    (void)snprintf(aside, sizeof aside, "%s/elsewhere", site->root);
    assert_int_equal(rename(path, aside), 0);
    order.baseline = &baseline;
    assert_int_equal(revert(site, &order), ERR_OK);
    assert_int_equal(rename(aside, path), 0);
    assert_string_equal(site_observe(site).version, "1.0");
}

static void a_revert_without_baseline_is_refused(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.1", 3);

    apply_version(site, "1.0", 1);
    assert_int_equal(revert(site, &order), ERR_INVALID);
    assert_int_equal(site_changes(site), 1);
}

static void a_wrong_digest_is_refused_and_nothing_changes(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.1", 2);
    struct error error = { 0 };

    apply_version(site, "1.0", 1);
    site_put(site, site->kind->folder ? "artifacts/1.1/lib/shop.py" : "artifacts/1.1", "evil");
    expect(driver_of(site)->check_artifact(&site->env, &order, &error), ERR_DENIED, &error);
    assert_int_equal(apply(site, &order), ERR_DENIED);
    assert_int_equal(site_changes(site), 1);
    assert_string_equal(site_observe(site).version, "1.0");
    assert_string_equal(site_observe(site).fence, "7.1");
}

static void a_lower_fence_is_refused(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order late = site_order(site, "1.0", 4);

    apply_version(site, "1.1", 5);
    assert_int_equal(apply(site, &late), ERR_CONFLICT);
    assert_string_equal(site_observe(site).version, "1.1");
    assert_int_equal(site_changes(site), 1);
}

static void an_artifact_that_is_missing_is_not_found(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 1);
    Pb__Change change = *order.change;
    struct error error = { 0 };

    change.source = "1.7";
    order.change = &change;
    expect(driver_of(site)->check_artifact(&site->env, &order, &error), ERR_NOT_FOUND, &error);
    assert_int_equal(apply(site, &order), ERR_NOT_FOUND);
    assert_int_equal(site_changes(site), 0);
}

static void a_source_outside_of_the_artifact_root_is_refused(void **state)
{
    static const char *const sources[] = {
        "../tool", "/etc/passwd", "", "1.1/../../tool", "."
    };
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 1);
    Pb__Change change = *order.change;

    order.change = &change;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        change.source = sources[i];
        assert_int_equal(apply(site, &order), ERR_INVALID);
    }
    assert_int_equal(site_changes(site), 0);
}

static void a_link_in_the_way_to_the_artifact_is_refused(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 1);
    Pb__Change change = *order.change;
    char link[128];

    (void)snprintf(link, sizeof link, "%s/artifacts/link", site->root);
    assert_int_equal(symlink("1.1", link), 0);
    change.source = "link";
    order.change = &change;
    assert_int_equal(apply(site, &order), ERR_INVALID);
}

static void stopped_means_that_nothing_is_changed(void **state)
{
    struct deployer_site *const site = *state;
    const struct deployer_order order = site_order(site, "1.1", 1);

    site->stop = true;
    assert_int_equal(apply(site, &order), ERR_STALE);
    site->stop = false;
    assert_int_equal(site_changes(site), 0);
    assert_string_equal(site_observe(site).state, DEPLOYED_NONE);
}

static void a_failed_change_is_finished_by_the_next_one(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 2);
    const char *evidence = "";

    apply_version(site, "1.0", 1);
    order.ret_evidence = &evidence;
    site_break(site);
    assert_int_equal(apply(site, &order), ERR_UNAVAILABLE);
    assert_non_null(strstr(evidence, "no luck"));
    assert_non_null(strstr(evidence, "exit status 1"));
    site_mend(site);
    assert_int_equal(apply(site, &order), ERR_OK);
    assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
    assert_int_equal(site_changes(site), 3);
}

static void a_failed_change_is_taken_back_by_a_revert(void **state)
{
    struct deployer_site *const site = *state;
    struct deployer_order order = site_order(site, "1.1", 2);
    struct deployer_order undo = site_order(site, "1.1", 3);
    Pb__Observed baseline;

    apply_version(site, "1.0", 1);
    baseline = site_observe(site);
    site_break(site);
    assert_int_equal(apply(site, &order), ERR_UNAVAILABLE);
    site_mend(site);
    undo.baseline = &baseline;
    assert_int_equal(revert(site, &undo), ERR_OK);
    assert_string_equal(site_observe(site).version, "1.0");
    assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
}

static enum err shift(struct deployer_site *site, const char *side, uint64_t fence)
{
    struct deployer_order order = site_order(site, "1.1", fence);
    struct error error = { 0 };
    Pb__Observed observed;
    enum err err;

    order.instance = NULL;
    order.instance_config = NULL;
    order.side = side;
    pb__observed__init(&observed);
    err = driver_of(site)->shift(&site->env, &order, &observed, &error);
    if (err == ERR_OK)
        assert_string_equal(observed.state + strlen(DEPLOYED_SIDE), side);
    return err;
}

static void traffic_goes_to_the_side_it_was_shifted_to(void **state)
{
    struct deployer_site *const site = *state;

    assert_int_equal(shift(site, "blue", 1), ERR_OK);
    assert_int_equal(shift(site, "green", 2), ERR_OK);
    assert_int_equal(shift(site, "green", 2), ERR_OK);
    assert_int_equal(site_changes(site), 2);
    assert_int_equal(shift(site, "blue", 1), ERR_CONFLICT);
    assert_int_equal(site_changes(site), 2);
}

/* An earlier shift may still be under way: it must find this one's fence when it arrives. */
static void traffic_that_is_there_already_is_told_the_fence(void **state)
{
    struct deployer_site *const site = *state;
    const unsigned told = pb_same(site->kind->driver, "command") ? 1 : 0;

    assert_int_equal(shift(site, "blue", 1), ERR_OK);
    assert_int_equal(shift(site, "blue", 3), ERR_OK);
    assert_int_equal(site_changes(site), 1 + told);
    assert_int_equal(shift(site, "green", 2), ERR_CONFLICT);
    assert_int_equal(shift(site, "", 4), ERR_OK);
    assert_int_equal(shift(site, "", 4), ERR_OK);
    assert_int_equal(site_changes(site), 2 + told);
}

static void a_failed_shift_is_finished_by_the_next_one(void **state)
{
    struct deployer_site *const site = *state;

    assert_int_equal(shift(site, "blue", 1), ERR_OK);
    site_break(site);
    assert_int_equal(shift(site, "green", 2), ERR_UNAVAILABLE);
    site_mend(site);
    assert_int_equal(shift(site, "green", 2), ERR_OK);
    assert_int_equal(shift(site, "green", 2), ERR_OK);
    assert_int_equal(site_changes(site), 3);
}

#define PROVES(test)                                                                           \
    {                                                                                          \
#test, test, set_up, tear_down, NULL                                                   \
    }

int main(void)
{
    static const struct CMUnitTest proofs[] = {
        PROVES(nothing_is_deployed_at_first),
        PROVES(what_was_applied_is_observed),
        PROVES(applying_again_changes_nothing),
        PROVES(one_instance_does_not_touch_another),
        PROVES(a_revert_brings_the_baseline_back),
        PROVES(a_revert_to_nothing_leaves_nothing),
        PROVES(a_revert_of_what_was_never_applied_only_leaves_its_fence),
        PROVES(a_revert_works_after_the_artifact_is_gone),
        PROVES(a_revert_without_baseline_is_refused),
        PROVES(a_wrong_digest_is_refused_and_nothing_changes),
        PROVES(a_lower_fence_is_refused),
        PROVES(an_artifact_that_is_missing_is_not_found),
        PROVES(a_source_outside_of_the_artifact_root_is_refused),
        PROVES(a_link_in_the_way_to_the_artifact_is_refused),
        PROVES(stopped_means_that_nothing_is_changed),
        PROVES(a_failed_change_is_finished_by_the_next_one),
        PROVES(a_failed_change_is_taken_back_by_a_revert),
        PROVES(traffic_goes_to_the_side_it_was_shifted_to),
        PROVES(traffic_that_is_there_already_is_told_the_fence),
        PROVES(a_failed_shift_is_finished_by_the_next_one),
    };
    struct site_kind kinds[] = {
        { "release-directory", true },
        { "release-directory", false },
        { "command", true },
        { "command", false },
    };
    int failed = 0;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct CMUnitTest tests[sizeof proofs / sizeof proofs[0]];

        memcpy(tests, proofs, sizeof tests);
        for (size_t t = 0; t < sizeof tests / sizeof tests[0]; t++)
            tests[t].initial_state = &kinds[i];
        failed += cmocka_run_group_tests_name(kinds[i].driver, tests, NULL, NULL);
    }
    return failed;
}
