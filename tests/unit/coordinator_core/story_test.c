/* Whole deployments, event by event. */
#include "tests/unit/coordinator_core/play.h"

static void a_healthy_deployment_climbs_all_seven_steps_and_is_completed(void **state)
{
    struct play *const play = *state;

    play_until(play, PB__PHASE__COMPLETED, 7);
    CHECK_STORY(play,
                "[   1] acceptance -> PLANNING run: compile\n"
                "[   2] plan -> AWAITING_INPUTS run: check flag.system_available by prechecks\n"
                "[   3] inputs PASS -> IN_REVIEW run\n"
                "[   4] approve -> IN_REVIEW run\n"
                "[   5] approve -> QUEUED lanes: ask production/shop\n"
                "[   6] lane granted -> CHECKING run: tell feature started, check env.ready "
                "by prechecks\n"
                "[   7] checks PASS -> EXECUTING apply: apply config.0\n"
                "[   8] apply PASS -> EXECUTING health: check health.backend by validator\n"
                "[   9] health PASS -> EXECUTING apply: apply shop.0\n"
                "[  10] apply PASS -> EXECUTING health: check health.backend by validator\n"
                "[  11] health PASS -> EXECUTING bake: watch bake\n"
                "[  12] bake PASS -> EXECUTING apply: apply shop.1\n"
                "[  13] apply PASS -> EXECUTING health: check health.backend by validator\n"
                "[  14] health PASS -> EXECUTING bake: watch bake\n"
                "[  15] bake PASS -> VALIDATING run: check smoke.api by validator\n"
                "[  16] validate PASS -> ROLLING_OUT activate: flag/production/pay = 5%, "
                "signal deployed, set flags 5%\n"
                "[  17] activate PASS -> ROLLING_OUT watch: watch stage\n"
                "[  18] watch PASS -> ROLLING_OUT activate: flag/production/pay = 100%, "
                "signal available 5%, set flags 100%\n"
                "[  19] activate PASS -> ROLLING_OUT watch: watch stage\n"
                "[  20] watch PASS -> CONFIRMING run: signal available 100%, check "
                "functional.feature by validator\n"
                "[  21] confirm PASS -> OBSERVING run: give back production/shop top pay.1, "
                "watch observe\n"
                "[  22] observe PASS -> FINALISING send: signal monitoring, finalise\n"
                "[  23] finalise PASS -> FINALISING sign-offs\n"
                "[  24] signoff -> FINALISING sign-offs\n"
                "[  25] signoff -> FINALISING sign-offs\n"
                "[  26] signoff -> COMPLETED: signal finished, tell feature COMPLETED, "
                "announce completed, archive\n");
}

static void a_critical_alert_latches_undoes_in_reverse_and_reads_back(void **state)
{
    struct play *const play = *state;

    play_until_sub(play, PB__PHASE__ROLLING_OUT, PB__SUB__SUB_WATCH);
    play_quiet(play);
    play_incident(play, "ShopErrors", PB__SEVERITY__CRITICAL, true);
    play_out(play);
    CHECK_STORY(play,
                "[  17] ShopErrors fires -> STOPPING cancel: LATCH kill/pay.1, cancel, "
                "assert off after 0 ms, announce stopped\n"
                "[  18] watch ends -> ROLLING_BACK undo: revert shop.1\n"
                "[  19] revert PASS -> ROLLING_BACK undo: revert shop.0\n"
                "[  20] revert PASS -> ROLLING_BACK undo: revert config.0\n"
                "[  21] revert PASS -> ROLLING_BACK verify: read back versions\n"
                "[  22] read-back PASS -> ROLLING_BACK verify: assert off after 2000 ms\n"
                "[  23] flags-off PASS -> ROLLED_BACK: give back production/shop, signal "
                "rolled back, signal finished, tell feature ROLLED_BACK, announce rolled_back, "
                "archive\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(a_healthy_deployment_climbs_all_seven_steps_and_is_completed),
        PLAY(a_critical_alert_latches_undoes_in_reverse_and_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
