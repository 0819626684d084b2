/* How a deployment moves: through its steps, to a rest, back, and out. */
#ifndef SERVICES_COORDINATOR_CORE_FLOW_H
#define SERVICES_COORDINATOR_CORE_FLOW_H

#include "services/coordinator/core/work.h"

/* --- settle.c --- */

/* Start what is wanted and permitted; called at the end of every event. */
void settle(struct turn *turn);

/* May forward work start: no stop, latch, critical incident, and no hold that forbids it. */
bool forward_allowed(const struct turn *turn);

/* An OPERATOR or WARNING hold: a step may not end. */
bool ending_held(const Pb__DeploymentState *state);

/* --- steps.c --- */

/* Begin a new try of that step, at its first sub-cursor. */
void step_enter(struct turn *turn, uint32_t number);

/* What the step looks at is Go. It ends at once, or when a hold clears. */
void step_go(struct turn *turn, const char *rule);

/* The hold that kept a Go waiting has cleared: look once more. */
void step_measure_again(struct turn *turn);

/* Leave a step that is Go for the next. */
void step_leave(struct turn *turn);

/* Rest in BLOCKED(step): signal, announcement, deadline. */
void step_block(struct turn *turn, const char *why, const char *remedy);

/* A FAIL, by the plan: BLOCKED, flags to 0 and BLOCKED, or STOP. */
void step_no_go(struct turn *turn, const struct judgement *judgement);

/* A breach of it while observing stops the deployment. */
bool step_metric_critical(struct turn *turn, const char *check);

/* Back from BLOCKED(n) into the running step, where it stood, without a new try. */
void step_resume(struct turn *turn);

/* --- intake.c, review.c, queue.c --- */

void intake_begin(struct turn *turn, const char *approach); /* Compile, again or at first. */
void intake_settle(struct turn *turn);
void intake_missing(struct turn *turn, const struct judgement *judgement);
void review_enter(struct turn *turn);
bool review_quorum(const struct turn *turn);
void intake_go(struct turn *turn);
void intake_again(struct turn *turn); /* Back in step 0: a new try of it. */
void queue_enter(struct turn *turn);
void queue_settle(struct turn *turn);

/* Ask for the next lane in name order that is not held. True when all are held. */
bool lanes_ask(struct turn *turn, bool undo);

/* Give back what is held, withdraw what is asked. */
void lanes_give_back(struct turn *turn);

/* The same at the end; lanes are also told what was restored by hand there. Not before: until
 * then the final read-back may say otherwise. */
void lanes_leave(struct turn *turn);

/* Only those asked for and not granted; they may then be asked for again. */
void lanes_withdraw(struct turn *turn);

/* --- execute.c, rollout.c, finalise.c --- */

void batch_first(struct turn *turn);
void batch_command(struct turn *turn); /* Before its apply: enters `applied`. */
void batch_next(struct turn *turn);    /* Healthy and baked: the next one, or the step is Go. */
void stage_grant(struct turn *turn);   /* Before its activation. */
void stage_set(struct turn *turn);     /* Its flags read back as granted. */
void stage_verified(struct turn *turn);
void flags_to_zero(struct turn *turn); /* Before disabling. */
void flags_disabled(struct turn *turn);
void observe_active(struct turn *turn, Pb__Link *const *links, size_t count);

/* Keep each address once, and not more than LINKS_MAX. */
void links_add(struct turn *turn, Pb__Link *const *links, size_t count);

/* Of the sign-offs of the plan: WAIT for the first that is open, FAIL for one refused. */
struct judgement judge_signoffs(struct turn *turn);

/* The newest word of that role on that step's present try, or NULL. */
const Pb__SignOffGiven *signoff_find(const struct turn *turn, uint32_t step, const char *role);

/* --- stop.c --- */

/* Latch, cancel, undo. The first cause stays. */
void stop(struct turn *turn, Pb__CauseKind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void stop_assert_off(struct turn *turn);
void undo_begin(struct turn *turn);
void undo_next(struct turn *turn);
void undo_judged(struct turn *turn, Pb__TaskState *task, const struct judgement *judgement);
void undo_block(struct turn *turn, const char *why, const char *remedy);

/* True when something applied has to be taken back. */
bool undo_wanted(const struct turn *turn);

/* --- exit.c --- */

void deployment_exit(struct turn *turn, Pb__Phase phase, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void feature_told(struct turn *turn, bool started, const char *exit);

/* Its flags were latched off after its end. */
void feature_told_withdrawn(struct turn *turn, const char *reason);

/* --- signals.c --- */

void signal_deployed(struct turn *turn);
void signal_available(struct turn *turn, const Pb__Stage *stage);
void signal_monitoring(struct turn *turn);
void signal_withdrawn(struct turn *turn, const char *reason);
void signal_withdrawn_of(struct turn *turn, const char *deployment, const char *reason);
void signal_rolled_back(struct turn *turn);
void signal_blocked(struct turn *turn, const char *reason, const char *remedy);
void signal_finished(struct turn *turn, const char *exit);

/* --- handlers of events, by file; each answers what became of it --- */

enum procedure_answer birth(struct turn *turn, const Pb__AttemptCreated *created);
enum procedure_answer plan_compiled(struct turn *turn, const Pb__PlanCompiled *compiled);
enum procedure_answer acceptance_received(struct turn *turn,
                                          const Pb__AcceptanceReceived *received);
enum procedure_answer acceptance_withdrawn(struct turn *turn,
                                           const Pb__AcceptanceWithdrawnReceived *withdrawn);
enum procedure_answer task_started(struct turn *turn, const Pb__TaskStarted *started);
enum procedure_answer task_finished(struct turn *turn, const Pb__TaskFinished *finished);
enum procedure_answer task_progress(struct turn *turn, const Pb__TaskProgress *progress);
enum procedure_answer task_lost(struct turn *turn, const Pb__TaskLost *lost);
enum procedure_answer lane_granted(struct turn *turn, const Pb__LaneGranted *granted);
/* BLOCKED(rollback): a newer deployment lies above what is to be undone. */
void undo_block_superseded(struct turn *turn);
enum procedure_answer superseded_by(struct turn *turn, const Pb__SupersededBy *superseded);
enum procedure_answer timer_fired(struct turn *turn, const Pb__TimerFired *fired);
enum procedure_answer hold_set(struct turn *turn, const Pb__HoldSet *set);
enum procedure_answer hold_cleared(struct turn *turn, const Pb__HoldCleared *cleared);
enum procedure_answer attempt_moved(struct turn *turn, const Pb__AttemptMoved *moved);
enum procedure_answer kill_seen(struct turn *turn, const Pb__KillSeen *seen);
enum procedure_answer incident_reported(struct turn *turn, const Pb__IncidentReported *report);
enum procedure_answer operator_request(struct turn *turn, const Pb__OperatorRequest *request);

/* --- holds.c, incidents.c, timers.c, waiting.c --- */

void hold_add(
    struct turn *turn, Pb__HoldKind kind, const char *id, const char *reason, int64_t until_ms);
bool hold_drop(struct turn *turn,
               Pb__HoldKind kind,
               const char *id); /* id NULL: all of the kind. */
const char *hold_name(Pb__HoldKind kind);

/* A warning found by a watch: an incident of that check. */
void incident_of_check(struct turn *turn, const char *check, const char *summary);

/* That check is well again. */
void incident_of_check_over(struct turn *turn, const char *check);

/* Clocks that stand still, and every timer from what the state now says. */
void timers_settle(struct turn *turn);

/* When the hold of a deployment at rest ends; 0: not held at rest. */
int64_t hold_due_ms(const struct turn *turn);

/* Why it is not moving: fills state->waiting_for. */
void waiting_fill(struct turn *turn);

#endif
