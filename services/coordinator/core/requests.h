/* Requests of people, one function each. */
#ifndef SERVICES_COORDINATOR_CORE_REQUESTS_H
#define SERVICES_COORDINATOR_CORE_REQUESTS_H

#include "services/coordinator/core/flow.h"

/* Where a deployment is, as far as requests are concerned. */
enum place {
    PLACE_INTAKE,   /* 0 */
    PLACE_CHECKING, /* 1 */
    PLACE_RUNNING,  /* 2 to 6 */
    PLACE_FINALISING,
    PLACE_BLOCKED_1,
    PLACE_BLOCKED,  /* n >= 2 */
    PLACE_STOPPING, /* and ROLLING_BACK */
    PLACE_BLOCKED_ROLLBACK,
    PLACE_ENDED,
};

enum place place_of(const Pb__DeploymentState *state);

/* The role in which the actor asks: the request's own, or one of the actor's that operates.
 * NULL if there is none. */
const char *request_role(const struct turn *turn, const Pb__OperatorRequest *request);

bool actor_holds(const Pb__Actor *actor, const char *role);

/* Applied: the answer says so with one sentence. Returns PROCEDURE_APPLIED. */
enum procedure_answer request_applied(struct turn *turn, const char *detail);

typedef enum procedure_answer request_function(struct turn *turn,
                                               const Pb__OperatorRequest *request);

/* --- requests_review.c --- */
request_function request_approve;
request_function request_reject;
request_function request_signoff;

/* --- requests_checks.c --- */
request_function request_attest;
request_function request_waive;

/* --- requests_flow.c --- */
request_function request_pause;
request_function request_resume;
request_function request_retry;
request_function request_replan;
request_function request_supply;
request_function request_abort;
request_function request_rollback;
request_function request_mark_restored;
request_function request_skip_change;
request_function request_promote;

/* Go on from BLOCKED(n) as a retry of step n does. */
void retry_step(struct turn *turn);

/* The name in the API: "mark_restored"; NULL for what is none. */
const char *request_name(Pb__OperatorRequest__BodyCase body);

#endif
