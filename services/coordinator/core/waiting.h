/* Building blocks of waiting_for: one sentence each for what, who, until when and what then. */
#ifndef SERVICES_COORDINATOR_CORE_WAITING_H
#define SERVICES_COORDINATOR_CORE_WAITING_H

#include "services/coordinator/core/flow.h"

/* Start over with these words; "" where there is nothing to say. */
void wait_say(struct turn *turn, const char *kind, const char *sentence, const char *unblock);
void wait_since(struct turn *turn, int64_t since_ms, int64_t deadline_ms);
void wait_who(struct turn *turn, const char *role);
void wait_action(struct turn *turn, const char *request);
void wait_fact(struct turn *turn, const char *key, int64_t value);
void wait_fact_text(struct turn *turn, const char *key, const char *value);

/* "At 17:21 <then>"; nothing without a deadline. */
void wait_otherwise(struct turn *turn, const char *then);

/* waiting_work.c: a task is running, or waits for its next drive. */
void wait_for_task(struct turn *turn, const Pb__TaskState *task);

/* waiting_rest.c: something holds it, people must speak, it rests, it has ended. */
void wait_for_hold(struct turn *turn);
void wait_for_people(struct turn *turn);
void wait_in_blocked(struct turn *turn);
void wait_in_blocked_rollback(struct turn *turn);
void wait_no_more(struct turn *turn);

#endif
