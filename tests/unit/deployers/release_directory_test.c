/* What only release-directory promises: a kill at any point is repaired by the next drive, and
 * what others did to the directory is seen. */
#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/release_directory.h"
#include "tests/contract/deployer/deployer_site.h"
#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIED = 42 };

static int set_up(void **state)
{
    static const struct site_kind kind = { "release-directory", true };

    *state = site_new(&kind);
    return 0;
}

static int tear_down(void **state)
{
    site_free(*state);
    return 0;
}

static const char *path_of(struct deployer_site *site, const char *path)
{
    return arena_printf(&site->arena, "%s/%s", site->root, path);
}

static enum err apply(struct deployer_site *site, const char *version, uint64_t fence)
{
    const struct deployer_order order = site_order(site, version, fence);
    struct error error = { 0 };
    Pb__Observed observed;

    pb__observed__init(&observed);
    return deployer_release_directory.apply(&site->env, &order, &observed, &error);
}

static enum err revert(struct deployer_site *site, const Pb__Observed *baseline, uint64_t fence)
{
    struct deployer_order order = site_order(site, "1.1", fence);
    struct error error = { 0 };
    Pb__Observed observed;

    order.baseline = baseline;
    pb__observed__init(&observed);
    return deployer_release_directory.revert(&site->env, &order, &observed, &error);
}

static enum err shift(struct deployer_site *site, const char *side, uint64_t fence)
{
    struct deployer_order order = site_order(site, "1.1", fence);
    struct error error = { 0 };
    Pb__Observed observed;

    order.instance = NULL;
    order.side = side;
    pb__observed__init(&observed);
    return deployer_release_directory.shift(&site->env, &order, &observed, &error);
}

static void die_there(void *point, const char *reached)
{
    if (strcmp(point, reached) == 0)
        _exit(DIED);
}

/* What a process does before it is killed. */
enum doing { APPLY_1_1, REVERT_TO_1_0, REVERT_TO_NOTHING, SHIFT_TO_GREEN };

static const char *const points[] = { "staged", "marked", "linked", "restarted" };

static void do_it(struct deployer_site *site, enum doing doing, const Pb__Observed *baseline)
{
    switch (doing) {
    case APPLY_1_1: assert_int_equal(apply(site, "1.1", 2), ERR_OK); break;
    case REVERT_TO_1_0:
    case REVERT_TO_NOTHING: assert_int_equal(revert(site, baseline, 3), ERR_OK); break;
    case SHIFT_TO_GREEN: assert_int_equal(shift(site, "green", 4), ERR_OK); break;
    }
}

/* As fork(), with a child whose driver, so configured, calls reached at every point. */
static pid_t fork_reaching(struct deployer_site *site,
                           struct release_directory_config config,
                           void (*reached)(void *point, const char *reached),
                           const char *point)
{
    struct release_directory_config *const own = arena_alloc(&site->arena, sizeof *own);
    struct deployer_entry *const entry = arena_alloc(&site->arena, sizeof *entry);
    pid_t child;

    config.reached = reached;
    config.reached_self = arena_copy(&site->arena, point, strlen(point));
    *own = config;
    *entry = site->book.entries[0];
    entry->config = own;
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        site->book.entries = entry;
    return child;
}

/* The same in a child that dies when the point is reached; true if it was. */
static bool die_doing(struct deployer_site *site,
                      enum doing doing,
                      const Pb__Observed *baseline,
                      const char *point)
{
    const struct release_directory_config *const config = site->book.entries[0].config;
    const pid_t child = fork_reaching(site, *config, die_there, point);
    int status;

    if (child == 0) {
        do_it(site, doing, baseline);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == DIED;
}

/* --- a process that hangs, and wakes up later --- */

static void hang_there(void *point, const char *reached)
{
    if (strcmp(point, reached) == 0)
        (void)raise(SIGSTOP);
}

/* As the book says, with little patience. */
static struct release_directory_config impatient(const struct deployer_site *site)
{
    struct release_directory_config config =
        *(const struct release_directory_config *)site->book.entries[0].config;

    config.take_over_ms = 100;
    return config;
}

/* A child that brings 1.1 under fence 2 and hangs when the point is reached. */
static pid_t hang_applying(struct deployer_site *site, const char *point)
{
    const pid_t child = fork_reaching(site, impatient(site), hang_there, point);
    int status;

    if (child == 0)
        _exit((int)apply(site, "1.1", 2));
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

/* What the child's apply answered. */
static enum err wake(pid_t child)
{
    int status;

    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (enum err)WEXITSTATUS(status);
}

static enum err apply_impatiently(struct deployer_site *site,
                                  const char *version,
                                  uint64_t fence,
                                  struct error *error)
{
    const struct release_directory_config config = impatient(site);
    struct deployer_order order = site_order(site, version, fence);
    Pb__Observed observed;

    order.config = &config;
    pb__observed__init(&observed);
    return deployer_release_directory.apply(&site->env, &order, &observed, error);
}

static void one_that_hangs_is_passed_by_and_changes_nothing_when_it_wakes(void **state)
{
    static const char *const at[] = { "staged", "marked", "linked", "restarted" };
    struct deployer_site *const site = *state;

    for (size_t i = 0; i < 4; i++) {
        struct error error = { 0 };
        unsigned changes;
        pid_t child;

        assert_int_equal(apply(site, "1.0", 2), ERR_OK);
        child = hang_applying(site, at[i]);
        assert_int_equal(apply_impatiently(site, "1.0", 2, &error), ERR_OK);
        assert_string_equal(site_observe(site).version, "1.0");
        changes = site_changes(site);
        assert_int_equal(wake(child), ERR_CONFLICT);
        assert_string_equal(site_observe(site).version, "1.0");
        assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
        assert_int_equal(site_changes(site), changes);
    }
}

static void one_that_hangs_is_not_passed_by_under_an_older_fence(void **state)
{
    struct deployer_site *const site = *state;
    struct error error = { 0 };
    pid_t child;

    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    child = hang_applying(site, "marked");
    assert_int_equal(apply_impatiently(site, "1.0", 1, &error), ERR_CONFLICT);
    assert_non_null(strstr(error.text, "/one/lock is held by process "));
    assert_non_null(strstr(error.text, "that is newer than this task"));
    assert_int_equal(wake(child), ERR_OK);
    assert_string_equal(site_observe(site).version, "1.1");
}

static void one_that_does_not_say_who_it_is_is_not_passed_by(void **state)
{
    struct deployer_site *const site = *state;
    struct error error = { 0 };
    pid_t child;

    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    child = hang_applying(site, "marked");
    site_put(site, "one/lock", "");
    assert_int_equal(apply_impatiently(site, "1.0", 3, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "end it, then this goes on"));
    assert_int_equal(wake(child), ERR_OK);
}

/* --- a process that dies --- */

static void an_apply_killed_at_any_point_is_finished_by_the_next(void **state)
{
    struct deployer_site *const site = *state;
    const Pb__Observed nothing = PB__OBSERVED__INIT;

    for (size_t i = 0; i < 4; i++) {
        unsigned before;

        assert_int_equal(apply(site, "1.0", 2), ERR_OK);
        before = site_changes(site);
        assert_true(die_doing(site, APPLY_1_1, &nothing, points[i]));
        assert_int_equal(apply(site, "1.1", 2), ERR_OK);
        assert_string_equal(site_observe(site).version, "1.1");
        assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
        assert_true(site_changes(site) > before);
    }
}

static void an_apply_killed_at_any_point_is_taken_back(void **state)
{
    struct deployer_site *const site = *state;
    Pb__Observed baseline;

    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    baseline = site_observe(site);
    for (size_t i = 0; i < 4; i++) {
        assert_true(die_doing(site, APPLY_1_1, &baseline, points[i]));
        assert_int_equal(revert(site, &baseline, 2), ERR_OK);
        assert_string_equal(site_observe(site).version, "1.0");
        assert_string_equal(site_observe(site).digest, baseline.digest);
        assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
    }
}

static void a_revert_killed_at_any_point_is_finished_by_the_next(void **state)
{
    struct deployer_site *const site = *state;
    Pb__Observed baseline;

    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    baseline = site_observe(site);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(apply(site, "1.1", 3), ERR_OK);
        assert_true(die_doing(site, REVERT_TO_1_0, &baseline, points[i]));
        assert_int_equal(revert(site, &baseline, 3), ERR_OK);
        assert_string_equal(site_observe(site).version, "1.0");
        assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
    }
}

static void a_revert_to_nothing_killed_at_any_point_is_finished_by_the_next(void **state)
{
    struct deployer_site *const site = *state;
    const Pb__Observed nothing = site_observe(site);

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(apply(site, "1.1", 3), ERR_OK);
        assert_true(die_doing(site, REVERT_TO_NOTHING, &nothing, points[i]));
        assert_int_equal(revert(site, &nothing, 3), ERR_OK);
        assert_string_equal(site_observe(site).state, DEPLOYED_NONE);
        assert_false(site_has(site, "one/current"));
    }
}

static void a_shift_killed_at_any_point_is_finished_by_the_next(void **state)
{
    struct deployer_site *const site = *state;
    const Pb__Observed nothing = PB__OBSERVED__INIT;
    static const char *const places[] = { "marked", "linked", "reloaded" };

    for (size_t i = 0; i < 3; i++) {
        unsigned before;

        assert_int_equal(shift(site, "blue", 4), ERR_OK);
        assert_true(die_doing(site, SHIFT_TO_GREEN, &nothing, places[i]));
        before = site_changes(site);
        assert_int_equal(shift(site, "green", 4), ERR_OK);
        assert_int_equal(site_changes(site), before + 1);
    }
}

static void a_killed_apply_has_left_its_fence(void **state)
{
    struct deployer_site *const site = *state;
    const Pb__Observed nothing = PB__OBSERVED__INIT;

    assert_true(die_doing(site, APPLY_1_1, &nothing, "linked"));
    assert_int_equal(apply(site, "1.0", 1), ERR_CONFLICT);
    assert_int_equal(apply(site, "1.0", 2), ERR_OK);
}

static void a_release_that_was_tampered_with_is_seen_and_replaced(void **state)
{
    struct deployer_site *const site = *state;
    const char *wanted;

    assert_int_equal(apply(site, "1.1", 1), ERR_OK);
    wanted = site_observe(site).digest;
    site_put(site, "one/current/lib/shop.py", "evil");
    assert_string_not_equal(site_observe(site).digest, wanted);
    assert_non_null(strstr(site_observe(site).state, "modified"));
    assert_int_equal(apply(site, "1.1", 2), ERR_OK);
    assert_string_equal(site_observe(site).digest, wanted);
    assert_string_equal(site_observe(site).state, DEPLOYED_ACTIVE);
}

static void what_others_deployed_is_a_baseline_to_go_back_to(void **state)
{
    struct deployer_site *const site = *state;
    struct error error = { 0 };
    Pb__Observed baseline;

    assert_int_equal(disk_make_folder(path_of(site, "one"), &error), ERR_OK);
    assert_int_equal(disk_make_folder(path_of(site, "one/releases"), &error), ERR_OK);
    assert_int_equal(
        disk_copy(path_of(site, "artifacts/1.0"), path_of(site, "one/releases/v9-old"), &error),
        ERR_OK);
    assert_int_equal(disk_link(NULL, path_of(site, "one/current"), "releases/v9-old", &error),
                     ERR_OK);
    baseline = site_observe(site);
    assert_string_equal(baseline.state, DEPLOYED_UNMANAGED);
    assert_string_equal(baseline.version, "v9");
    assert_int_equal(apply(site, "1.1", 2), ERR_OK);
    assert_int_equal(revert(site, &baseline, 3), ERR_OK);
    assert_string_equal(site_observe(site).version, "v9");
    assert_string_equal(site_observe(site).digest, baseline.digest);
}

static void a_current_that_leads_elsewhere_has_no_version(void **state)
{
    struct deployer_site *const site = *state;
    struct error error = { 0 };

    assert_int_equal(disk_make_folder(path_of(site, "one"), &error), ERR_OK);
    assert_int_equal(disk_link(NULL, path_of(site, "one/current"), "/opt/shop", &error),
                     ERR_OK);
    assert_string_equal(site_observe(site).version, "");
    assert_non_null(strstr(site_observe(site).state, "foreign"));
}

static void a_damaged_marker_stops_everything(void **state)
{
    struct deployer_site *const site = *state;

    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    site_put(site, "one/marker", "state=active\nver");
    assert_int_equal(apply(site, "1.1", 2), ERR_INVALID);
    assert_int_equal(site_changes(site), 1);
}

static void old_releases_go_but_the_previous_one_stays(void **state)
{
    struct deployer_site *const site = *state;
    const Pb__Observed nothing = site_observe(site);
    struct error error = { 0 };
    Pb__Observed baseline;

    assert_int_equal(disk_make_folder(path_of(site, "artifacts/1.2"), &error), ERR_OK);
    site_put(site, "artifacts/1.2/shop.py", "1.2");
    assert_int_equal(apply(site, "1.0", 1), ERR_OK);
    assert_int_equal(apply(site, "1.1", 2), ERR_OK);
    baseline = site_observe(site);
    assert_true(die_doing(site, REVERT_TO_NOTHING, &nothing, "linked"));
    assert_int_equal(apply(site, "1.2", 4), ERR_OK);
    assert_int_equal(apply(site, "1.1", 5), ERR_OK);
    assert_int_equal(apply(site, "1.2", 6), ERR_OK);
    assert_int_equal(revert(site, &baseline, 7), ERR_OK);
    baseline.version = "1.0";
    assert_int_equal(revert(site, &baseline, 8), ERR_NOT_FOUND);
}

static enum err apply_keeping(struct deployer_site *site, const char *version, uint32_t keep)
{
    struct deployer_order order = site_order(site, version, 1);
    struct release_directory_config config =
        *(const struct release_directory_config *)order.config;
    struct error error = { 0 };
    Pb__Observed observed;

    config.keep = keep;
    order.config = &config;
    pb__observed__init(&observed);
    return deployer_release_directory.apply(&site->env, &order, &observed, &error);
}

/* An older deployment may have to be undone after a newer one was: its baseline is not yet old.
 */
static void what_is_kept_stands_beside_the_running_and_the_previous_one(void **state)
{
    struct deployer_site *const site = *state;
    Pb__Observed baseline;
    struct error error = { 0 };

    assert_int_equal(disk_make_folder(path_of(site, "artifacts/1.2"), &error), ERR_OK);
    site_put(site, "artifacts/1.2/shop.py", "1.2");
    assert_int_equal(apply_keeping(site, "1.0", 1), ERR_OK);
    baseline = site_observe(site);
    assert_int_equal(apply_keeping(site, "1.1", 1), ERR_OK);
    assert_int_equal(apply_keeping(site, "1.2", 1), ERR_OK);
    assert_int_equal(apply_keeping(site, "1.1", 1), ERR_OK);
    assert_int_equal(revert(site, &baseline, 7), ERR_OK);
}

#define PROVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVES(one_that_hangs_is_passed_by_and_changes_nothing_when_it_wakes),
        PROVES(one_that_hangs_is_not_passed_by_under_an_older_fence),
        PROVES(one_that_does_not_say_who_it_is_is_not_passed_by),
        PROVES(an_apply_killed_at_any_point_is_finished_by_the_next),
        PROVES(an_apply_killed_at_any_point_is_taken_back),
        PROVES(a_revert_killed_at_any_point_is_finished_by_the_next),
        PROVES(a_revert_to_nothing_killed_at_any_point_is_finished_by_the_next),
        PROVES(a_shift_killed_at_any_point_is_finished_by_the_next),
        PROVES(a_killed_apply_has_left_its_fence),
        PROVES(a_release_that_was_tampered_with_is_seen_and_replaced),
        PROVES(what_others_deployed_is_a_baseline_to_go_back_to),
        PROVES(a_current_that_leads_elsewhere_has_no_version),
        PROVES(a_damaged_marker_stops_everything),
        PROVES(old_releases_go_but_the_previous_one_stays),
        PROVES(what_is_kept_stands_beside_the_running_and_the_previous_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
