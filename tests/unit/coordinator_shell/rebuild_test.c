/* --rebuild at bad moments: beside another coordinator, and killed half way. */
#include "common/state/keys.h"
#include "tests/unit/coordinator_shell/story.h"

#include <stdlib.h>

void toy_poison(void)
{
    fail_msg("no poison in these tests");
}

static struct story story;

static int setup(void **state)
{
    *state = &story;
    story_open(&story);
    story_start(&story);
    return 0;
}

static int teardown(void **state)
{
    (void)unsetenv("SLIPWAY_ADOPT");
    (void)unsetenv("SLIPWAY_REBUILD");
    story_close(*state);
    return 0;
}

static const char *const features[] = { "pay", "search", "cart", "login" };
enum { FEATURES = sizeof features / sizeof features[0] };

struct kept {
    const char *bytes;
    size_t length;
};

static void keep_states(struct kept ret[FEATURES])
{
    for (size_t i = 0; i < FEATURES; i++) {
        struct arena *const arena = &story.cluster.arena;
        const struct store_value value =
            story_state(&story, arena_printf(arena, "%s.1", features[i]));

        assert_true(value.length > 0);
        ret[i] = (struct kept){ arena_copy(arena, value.bytes, value.length), value.length };
    }
}

static void check_states(const struct kept *kept)
{
    struct kept now[FEATURES];

    keep_states(now);
    for (size_t i = 0; i < FEATURES; i++) {
        assert_int_equal(now[i].length, kept[i].length);
        assert_memory_equal(now[i].bytes, kept[i].bytes, kept[i].length);
    }
}

static void accept_all(struct kept ret[FEATURES])
{
    for (size_t i = 0; i < FEATURES; i++)
        story_accept(&story, features[i], "one");
    story_pass(&story, 1000);
    keep_states(ret);
}

/* Somebody wrote into Redis what no record says. */
static void spoil_state(const char *feature)
{
    struct arena *const arena = &story.cluster.arena;
    const struct store_op op = {
        .kind = STORE_SET,
        .key = KEY_DEPLOYMENT(arena,
                              story_partition(&story, feature),
                              story.settings.redis.prefix,
                              arena_printf(arena, "%s.1", feature)),
        .value = { "?", 1 },
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { "" };

    assert_int_equal(story.cluster.store.commit(story.cluster.store.self, &batch, &error),
                     ERR_OK);
}

static void beside_another_coordinator_nothing_is_forgotten_until_it_is_gone(void **state)
{
    struct cluster_instance *other = story.coordinator;
    struct kept kept[FEATURES];

    (void)state;
    accept_all(kept);
    for (size_t i = 0; i < FEATURES; i++)
        spoil_state(features[i]);
    assert_int_equal(setenv("SLIPWAY_REBUILD", "1", 1), 0);
    story.coordinator = cluster_start(&story.cluster, coordinator_service(), "coordinator-2");
    story_pass(&story, 3000);
    assert_non_null(
        strstr(story_not_ready(&story, story.coordinator), "other coordinators have"));
    for (size_t i = 0; i < FEATURES; i++)
        assert_int_equal(
            story_state(&story, arena_printf(&story.cluster.arena, "%s.1", features[i])).length,
            1);
    cluster_stop(other);
    story_pass(&story, 3000);
    assert_string_equal(story_not_ready(&story, story.coordinator), "");
    check_states(kept);
}

static void killed_at_any_turn_and_started_again_it_ends_with_the_same_bytes(void **state)
{
    struct kept kept[FEATURES];

    (void)state;
    accept_all(kept);
    cluster_stop(story.coordinator);
    for (unsigned turns = 1; turns <= 12; turns++) {
        assert_int_equal(setenv("SLIPWAY_REBUILD", "1", 1), 0);
        story.coordinator =
            cluster_start(&story.cluster, coordinator_service(), "coordinator-1");
        for (unsigned t = 0; t < turns; t++)
            assert_true(cluster_turn(story.coordinator));
        cluster_kill(story.coordinator);
        /* The second start is an ordinary one, or says it again. */
        if (turns % 2 == 0)
            (void)unsetenv("SLIPWAY_REBUILD");
        story_start(&story);
        story_pass(&story, 3000);
        assert_string_equal(story_not_ready(&story, story.coordinator), "");
        check_states(kept);
        cluster_stop(story.coordinator);
    }
    (void)unsetenv("SLIPWAY_REBUILD");
    story_start(&story);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(beside_another_coordinator_nothing_is_forgotten_until_it_is_gone),
        STORY(killed_at_any_turn_and_started_again_it_ends_with_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
