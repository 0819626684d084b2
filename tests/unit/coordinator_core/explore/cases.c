#include "tests/unit/coordinator_core/explore/cases.h"

#define STAGE         "activate PASS > watch PASS > "
#define BATCH         "apply PASS > bake PASS > "
#define INPUTS        "plan > inputs PASS > "
#define CHECKED       INPUTS "approve > granted > checks PASS > "
#define VALIDATED     CHECKED "validate PASS > "
#define CONFIRMED     VALIDATED STAGE STAGE "confirm PASS > "
#define CONFIRMED_TWO CHECKED BATCH BATCH "validate PASS > " STAGE "confirm PASS > "
#define AT_GATE       CHECKED BATCH "validate PASS > " STAGE

/* All seventeen rules of the model, in its order. */
const struct trace_case cases[] = {
    /* A batch counts as changed when its apply is commanded. */
    { "intent",
      plan_two_batches_stop,
      CHECKED "apply FAIL (done)",
      "ROLLING_BACK(2) revert, stage 1, flag 0 latched, 1 to undo, lanes 0 asked 1 held" },
    { "intent",
      plan_two_batches_stop,
      CHECKED "apply ERROR (done) > abort > revert PASS > read-back PASS > flags-off PASS",
      "ABORTED(2) rests, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    /* Every stop ends in the final read-back, also with nothing changed. */
    { "read-back",
      plan_flags_only,
      VALIDATED "activate FAIL (done) > disable FAIL",
      "ROLLING_BACK(4) read-back, stage 1, flag 10 latched, 0 to undo, lanes 0 asked 1 held" },
    { "read-back",
      plan_flags_only,
      VALIDATED "activate FAIL (done) > disable FAIL > read-back PASS > flags-off PASS",
      "ROLLED_BACK(4) rests, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    { "read-back",
      plan_flags_only,
      VALIDATED "activate PASS > watch WARN > timer phase > read-back PASS > flags-off PASS",
      "ABORTED(4) rests, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    /* Cancelled work that is lost is quiet, and never driven again. */
    { "quiet",
      plan_flags_only,
      VALIDATED "timer phase > activate lost",
      "ROLLING_BACK(4) read-back, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 1 held" },
    { "quiet",
      plan_flags_only,
      VALIDATED "critical > activate ends",
      "ROLLING_BACK(4) read-back, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 1 held" },
    /* After flags were set to 0, retry and waive begin at step 4, stage 1. */
    { "from-stage-1",
      plan_flags_only,
      VALIDATED "activate FAIL > disable PASS > waive",
      "ROLLING_OUT(4) activate, stage 1, flag 0, 0 to undo, lanes 0 asked 1 held" },
    { "from-stage-1",
      plan_flags_only,
      VALIDATED "activate FAIL > pause > disable PASS > waive > resume",
      "ROLLING_OUT(4) activate, stage 1, flag 0, 0 to undo, lanes 0 asked 1 held" },
    { "from-stage-1",
      plan_flags_only,
      VALIDATED STAGE STAGE "confirm FAIL > disable PASS > retry",
      "ROLLING_OUT(4) activate, stage 1, flag 0, 0 to undo, lanes 0 asked 1 held" },
    /* Flags that cannot be read back as 0 after a failed stage: stop. */
    { "disable",
      plan_flags_only,
      VALIDATED "activate FAIL > disable FAIL",
      "ROLLING_BACK(4) read-back, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 1 held" },
    { "disable",
      plan_flags_only,
      VALIDATED STAGE STAGE "confirm FAIL > disable FAIL",
      "ROLLING_BACK(5) read-back, stage 1, flag 100 latched, 0 to undo, lanes 0 asked 1 held" },
    /* A stage gate is a check that is attested; approvals are for plans. */
    { "gate",
      plan_gate_and_block,
      AT_GATE "!approve",
      "ROLLING_OUT(4) rests, stage 1, flag 10, 1 to undo, lanes 0 asked 1 held" },
    { "gate",
      plan_gate_and_block,
      AT_GATE "attest",
      "ROLLING_OUT(4) activate, stage 2, flag 10, 1 to undo, lanes 0 asked 1 held" },
    /* A sign-off has step 7 judged again. */
    { "sign-off",
      plan_flags_only,
      CONFIRMED "observe PASS > finalise PASS > sign-off 6",
      "COMPLETED(7) rests, stage 1, flag 100, 0 to undo, lanes 0 asked 0 held" },
    /* Promote ends a clock, never a check. */
    { "promote",
      plan_flags_only,
      INPUTS "approve > granted > warning > checks PASS > validate PASS > activate PASS > "
             "watch PASS > activate PASS > watch PASS > confirm PASS > !promote",
      "OBSERVING(6) observe, stage 1, flag 100, 0 to undo, lanes 0 asked 0 held" },
    /* That no critical incident is open is not waived. */
    { "critical",
      plan_flags_only,
      INPUTS "approve > granted > critical > waive > granted > checks PASS",
      "BLOCKED(1) rests, stage 1, flag 0, 0 to undo, lanes 0 asked 0 held" },
    /* A latch written by others is an event for the core. */
    { "kill-seen",
      plan_flags_only,
      INPUTS "kill by others > kill seen",
      "ABORTED(0) rests, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    { "kill-seen",
      plan_flags_only,
      CONFIRMED "observe PASS > finalise PASS > kill by others > kill seen > !sign-off 6",
      "ROLLING_BACK(7) read-back, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    /* An undo holds the lane: it asks for it again when it was released. */
    { "undo-lane",
      plan_two_batches_stop,
      CONFIRMED_TWO "rollback > observe ends",
      "STOPPING(6) rests, stage 1, flag 100 latched, 2 to undo, lanes 1 asked 0 held" },
    { "undo-lane",
      plan_two_batches_stop,
      CONFIRMED_TWO "rollback > observe ends > granted",
      "ROLLING_BACK(6) revert, stage 1, flag 100 latched, 2 to undo, lanes 0 asked 1 held" },
    /* An undo below a newer deployment rests, and goes on when it is the top. */
    { "top",
      plan_two_batches_stop,
      CONFIRMED_TWO "rollback > observe ends > superseded",
      "BLOCKED_ROLLBACK(6) rests, stage 1, flag 100 latched, 2 to undo, lanes 1 asked 0 held" },
    { "top",
      plan_two_batches_stop,
      CONFIRMED_TWO "rollback > observe ends > superseded > granted",
      "ROLLING_BACK(6) revert, stage 1, flag 100 latched, 2 to undo, lanes 0 asked 1 held" },
    /* Lanes are asked for only while nothing holds it. */
    { "queue",
      plan_two_batches_stop,
      INPUTS "approve > freeze",
      "QUEUED(0) rests held, stage 1, flag 0, 0 to undo, lanes 0 asked 0 held" },
    { "queue",
      plan_two_batches_stop,
      INPUTS "approve > freeze > freeze ends",
      "QUEUED(0) rests, stage 1, flag 0, 0 to undo, lanes 1 asked 0 held" },
    /* Before anything is changed a resting deployment holds no lane. */
    { "give-back",
      plan_two_batches_stop,
      INPUTS "approve > granted > checks FAIL",
      "BLOCKED(1) rests, stage 1, flag 0, 0 to undo, lanes 0 asked 0 held" },
    /* Once the undo rests, nothing gives the stop another cause. */
    { "first-cause",
      plan_two_batches_stop,
      CHECKED "apply FAIL > revert UNSURE > !abort > !rollback",
      "BLOCKED_ROLLBACK(2) rests, stage 1, flag 0 latched, 1 to undo, lanes 0 asked 1 held" },
    { "first-cause",
      plan_two_batches_stop,
      CHECKED "apply FAIL > revert UNSURE > !abort > !rollback > retry > revert PASS > "
              "read-back PASS > flags-off PASS",
      "ROLLED_BACK(2) rests, stage 1, flag 0 latched, 0 to undo, lanes 0 asked 0 held" },
    /* A Go that a hold kept waiting is measured again. */
    { "re-measure",
      plan_flags_only,
      CONFIRMED "pause > observe PASS > warning > resume",
      "OBSERVING(6) observe, stage 1, flag 100, 0 to undo, lanes 0 asked 0 held" },
    { "re-measure",
      plan_flags_only,
      CONFIRMED "pause > observe PASS > resume",
      "OBSERVING(6) observe, stage 1, flag 100, 0 to undo, lanes 0 asked 0 held" },
    /* A pause also keeps the step from ending. */
    { "hold-step",
      plan_flags_only,
      CHECKED "pause > validate PASS",
      "VALIDATING(3) rests held, stage 1, flag 0, 0 to undo, lanes 0 asked 1 held" },
    { "hold-step",
      plan_flags_only,
      CHECKED "pause > validate PASS > resume",
      "VALIDATING(3) validate, stage 1, flag 0, 0 to undo, lanes 0 asked 1 held" },
};

const size_t case_count = sizeof cases / sizeof cases[0];
