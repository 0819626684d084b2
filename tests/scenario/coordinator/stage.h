/* A deployment of the example feature under the example configuration, with the real core and
 * the real planner: one coordinator or several, hands for all workers, and people who do what
 * they are waited for. What goes out into the world is written down as a story, a line each. */
#ifndef TESTS_SCENARIO_COORDINATOR_STAGE_H
#define TESTS_SCENARIO_COORDINATOR_STAGE_H

#include "common/base/text.h"
#include "common/config/settings.h"
#include "services/coordinator/service.h"
#include "services/coordinator/shell.h"
#include "tests/support/hands.h"
#include "tests/support/test.h"

#define STAGE_FEATURE    "express-pay"
#define STAGE_DEPLOYMENT "express-pay.1"

struct stage {
    struct cluster cluster;
    struct hands hands;
    struct cluster_instance *coordinator;
    struct arena arena; /* Settings and feature; lives as long as the stage. */
    const struct settings *settings;
    Pb__AcceptanceSignedOff *acceptance;
    struct text story;
    uint64_t acted_at; /* Version of the deployment when people acted last. */
    unsigned requests;
    int64_t signals_seen[8];
    int64_t control_seen;

    /* A command that this text is part of ("validate", "bake 2.1") gets no answer. NULL: all
     * do. */
    const char *silent_at;
    bool people_away;
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/* As closed and opened, without reading the example again. */
void stage_again(struct stage *stage);

/* Start a coordinator; nothing settles. */
void stage_start(struct stage *stage);

/* The acceptance, as CI sends it. */
void stage_accept(struct stage *stage);

/* Settle; fails the test if a coordinator dies. */
void stage_settle(struct stage *stage);
void stage_pass(struct stage *stage, int64_t ms);

/* The monitor says that something is wrong, as an alert or a metric says it. */
void stage_incident(struct stage *stage, const char *cause, Pb__Severity severity);

/* A request by the release engineer; the caller has set its body. */
void stage_request(struct stage *stage, Pb__OperatorRequest *request);
Pb__OperatorRequest *stage_request_new(struct stage *stage);

/* The deployment as Redis has it; NULL if there is none. */
Pb__DeploymentState *stage_state(struct stage *stage);
struct store_value stage_bytes(struct stage *stage);

/* A line of the story. */
void stage_note(struct stage *stage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For cluster.beside: people, and what signals.v1 and control.v1 say. */
void stage_people(struct stage *stage);
void stage_listen(struct stage *stage);

#endif
