/* One turn of the machine: an event being applied to a copy of a deployment's state.
 *
 * Everything inside the core works on a struct turn. A handler changes turn->state and adds
 * effects; if it answers anything but APPLIED both are thrown away. */
#ifndef SERVICES_COORDINATOR_CORE_TURN_H
#define SERVICES_COORDINATOR_CORE_TURN_H

#include "services/coordinator/core/procedure.h"

enum {
    TASKS_MAX = 4,  /* That the procedure waits for; announcements beside. */
    BESIDE_MAX = 4, /* Announcements and the latch's own assertion. */
    TIMERS_MAX = 8,
    INCIDENTS_MAX = 8, /* Further causes are merged into the newest. */
    HOLDS_MAX = 8,
    RECEIPTS_MAX = 48,
    BASELINE_MAX = 96, /* Instances: about 14 KiB of the state's 32. */
    LINKS_MAX = 12,
    STEP_LAST = 7,
};

struct turn {
    struct arena *arena;
    const Pb__Plan *plan; /* NULL until one was compiled. */
    const Pb__Event *event;
    const char *event_id;
    const char *by; /* Who is behind the event: a subject or a service. */
    int64_t now_ms;
    Pb__DeploymentState *state; /* A copy, ours to change. */
    struct procedure_output *out;
    uint32_t entries;
    bool immaterial; /* Nothing changed that an operator's request depends on. */
    bool overflowed; /* An effect found no room. */
};

/* --- answers (procedure.c) --- */

/* The event is a late or repeated word. Returns PROCEDURE_STALE. */
enum procedure_answer turn_stale(struct turn *turn, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The request may not be. Returns PROCEDURE_REFUSED; texts in the arena or static. */
enum procedure_answer turn_refuse(struct turn *turn,
                                  const char *code,
                                  const char *detail,
                                  const char *remedy);

/* --- effects (effects.c) --- */

/* A new event for another aggregate under that key of events.v1, added as an effect. The caller
 * fills the body. */
Pb__Event *effect_event(struct turn *turn, const char *key, const char *deployment);

/* A new control record under that key, added as an effect. */
Pb__Control *effect_control(struct turn *turn, const char *key);

void effect_command(struct turn *turn, const char *worker, Pb__Command *command);
void effect_cancel(struct turn *turn, const Pb__TaskState *task);
void effect_forget(struct turn *turn, const char *task);
void effect_compile(struct turn *turn, const char *approach);
void effect_archive(struct turn *turn);
void effect_answer(struct turn *turn, const struct effect_answer *answer);
void effect_signal(struct turn *turn, Pb__Signal *signal);
void effect_entry(struct turn *turn, Pb__TimelineEntry *entry);

/* Latches before everything else. */
void effects_order(struct effects *effects);

/* --- timeline (timeline.c) --- */

/* Add a line to the audit trail: type as in "StepGo", text for people. Returns it, so that a
 * link or an actor can be set. */
Pb__TimelineEntry *entry_add(struct turn *turn, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One entry a finding: what is not PASS first, and no more than leaves room for what follows.
 */
void entry_findings(struct turn *turn, Pb__Finding *const *findings, size_t count);

/* --- words (words.c) --- */

/* text, at most max bytes long, cut at a character. */
const char *words_cut(struct turn *turn, const char *text, size_t max);

/* "14:18", UTC; "26 Nov 14:18" when that is a day or more after now. */
const char *words_time(struct turn *turn, int64_t at_ms);

/* "48 min", "1 h 23 min", "11 ms". */
const char *words_duration(struct turn *turn, int64_t ms);

/* "1,312" */
const char *words_count(struct turn *turn, uint64_t count);

/* "Pre-deployment checks", for steps 0 to 7. */
const char *words_step(uint32_t step);

/* "2026-11-20T14:18:00Z" */
const char *words_date(struct turn *turn, int64_t at_ms);

/* What code the plan brings: "shop 1.1, web 9.2.1". */
const char *words_version(struct turn *turn);

/* --- reading the state (state.c) --- */

Pb__StepState *state_step(const struct turn *turn, uint32_t step);
const Pb__StepPlan *plan_step(const struct turn *turn, uint32_t step);
const Pb__Change *plan_change(const struct turn *turn, uint32_t change);
const Pb__Stage *plan_stage(const struct turn *turn, uint32_t stage);
uint32_t plan_batches(const struct turn *turn);

/* The roles that sign off and approve, each once. */
const char **plan_leads(const struct turn *turn, size_t *ret_count);

/* The one that signs off that step; the first lead if none does; "" without a plan. */
const char *plan_lead_of(const struct turn *turn, uint32_t step);

bool phase_runs(Pb__Phase phase);    /* CHECKING to FINALISING */
bool phase_intakes(Pb__Phase phase); /* AWAITING_INPUTS to QUEUED */
bool phase_stops(Pb__Phase phase);   /* STOPPING, ROLLING_BACK, BLOCKED_ROLLBACK */

/* The phase in which that step runs. */
Pb__Phase phase_of_step(uint32_t step);

bool state_held_by(const Pb__DeploymentState *state, Pb__HoldKind kind);

/* An open incident of at least that severity. */
const Pb__Incident *state_incident(const Pb__DeploymentState *state, Pb__Severity least);

/* Change to another phase or sub-cursor; their clocks begin. due_ms 0: no deadline. */
void phase_enter(struct turn *turn, Pb__Phase phase, Pb__Sub sub, int64_t limit_ms);
void cursor_move(struct turn *turn, Pb__Sub sub);

/* value, or fallback where the plan leaves it out. */
int64_t or_default(int64_t value, int64_t fallback);

#endif
