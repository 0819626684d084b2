/* What the configuration says of deployers is what they say of themselves. */
#include "common/config/capabilities.h"
#include "common/drivers/deployers/deployer.h"
#include "tests/support/test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deployer_can_what_the_configuration_says_it_can),
        cmocka_unit_test(every_deployer_of_the_configuration_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
