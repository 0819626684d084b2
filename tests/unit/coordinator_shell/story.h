/* One coordinator or two around the toy procedure, with hands that do its tasks. */
#ifndef TESTS_UNIT_COORDINATOR_SHELL_STORY_H
#define TESTS_UNIT_COORDINATOR_SHELL_STORY_H

#include "services/coordinator/service.h"
#include "services/coordinator/shell.h"
#include "tests/support/hands.h"
#include "tests/support/test.h"
#include "tests/unit/coordinator_shell/toy.h"

struct story {
    struct cluster cluster;
    struct hands hands;
    struct settings settings;
    struct cluster_instance *coordinator;
    unsigned
        silent_from; /* The hands claim this task and later ones, and say nothing; 0: never. */
    unsigned requests;
};

void story_open(struct story *story);
void story_close(struct story *story);

/* Start a coordinator and let everything settle. */
void story_start(struct story *story);

/* Let time pass in steps, with everything settling after each. */
void story_pass(struct story *story, int64_t ms);

/* The acceptance of that feature and title, as CI sends it; then everything settles. */
void story_accept(struct story *story, const char *feature, const char *title);

/* An event by that writer for deployment (may be ""); nothing settles. id is the ce_id. */
void story_tell(struct story *story, const char *writer, const char *id, Pb__Event *event);
Pb__Event *story_event(struct story *story, const char *feature, const char *deployment);

/* An abort by an operator: the toy applies it. Another request: the toy refuses it. */
void story_request(struct story *story, const char *deployment, bool abort);

/* The packed state of a deployment, "" if there is none; in the cluster's arena. */
struct store_value story_state(struct story *story, const char *deployment);
Pb__DeploymentState *story_unpack(struct story *story, const char *deployment);

/* All records of a topic, one a line: partition, what it says, id. */
const char *story_topic(struct story *story, const char *topic);

/* How many records of events.v1 have that body. */
unsigned story_count(struct story *story, Pb__Event__BodyCase body);

/* How many records of a topic there are, and how many different ids they have. */
void story_ids(struct story *story,
               const char *topic,
               unsigned *ret_records,
               unsigned *ret_ids);

/* What /readyz says; "" when ready. */
const char *story_not_ready(struct story *story, struct cluster_instance *instance);

int32_t story_partition(const struct story *story, const char *feature);

#endif
