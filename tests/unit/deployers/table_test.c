/* What the configuration says of deployers is what they say of themselves. */
#include "common/config/capabilities.h"
#include "common/drivers/deployers/deployer.h"
#include "tests/support/driver_world.h"
#include "tests/support/test.h"

#include <string.h>

static void every_deployer_can_what_the_configuration_says_it_can(void **state)
{
    const struct deployer_driver *const *all = deployer_all();

    (void)state;
    for (; *all != NULL; all++) {
        const struct capability *const known = capability_find(DRIVER_DEPLOYER, (*all)->name);

        assert_non_null(known);
        assert_int_equal(known->artifacts, (*all)->kinds);
        assert_int_equal(known->can_shift, (*all)->can_shift);
    }
}

static void every_deployer_of_the_configuration_is_there(void **state)
{
    size_t count;
    const struct capability *const table = capabilities(&count);

    (void)state;
    for (size_t i = 0; i < count; i++)
        if (table[i].kind == DRIVER_DEPLOYER)
            assert_non_null(deployer_find(table[i].name));
}

static const struct yaml_problem *problem_with(const struct yaml_problems *problems,
                                               const char *word)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strstr(problems->item[i].message, word) != NULL)
            return &problems->item[i];
    fail_msg("nobody complained of %s", word);
    return NULL;
}

static void what_no_deployer_knows_is_refused_where_it_stands(void **state)
{
    static struct driver_world world;

    (void)state;
    driver_world_open(
        &world,
        "  - name: web\n"
        "    service: web\n"
        "    environment: production\n"
        "    artifact_root: artifacts\n"
        "    deployer: {driver: release-directory, restart: [\"true\"], keeps: 3}\n"
        "    instances:\n"
        "      - {name: web-1, url: \"http://web\", directory: web, port: 3}\n");
    (void)deployer_book_read(&world.arena, world.env.settings, &world.problems);
    assert_int_equal(world.problems.errors, 2);
    assert_string_equal(problem_with(&world.problems, "keeps")->expected, "did you mean keep?");
    assert_string_equal(problem_with(&world.problems, "keeps")->file, "slipway.yaml");
    assert_int_equal(problem_with(&world.problems, "port")->line,
                     problem_with(&world.problems, "keeps")->line + 2);
    driver_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deployer_can_what_the_configuration_says_it_can),
        cmocka_unit_test(what_no_deployer_knows_is_refused_where_it_stands),
        cmocka_unit_test(every_deployer_of_the_configuration_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
