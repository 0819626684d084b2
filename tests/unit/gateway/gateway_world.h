/* A gateway on memory adapters, asked by hand: the service's own open and turn, without its
 * threads and without a web server. */
#ifndef TESTS_UNIT_GATEWAY_GATEWAY_WORLD_H
#define TESTS_UNIT_GATEWAY_GATEWAY_WORLD_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/adapters/memory/log.h"
#include "common/adapters/memory/metrics.h"
#include "common/adapters/memory/store.h"
#include "services/gateway/gateway.h"

#include <jansson.h>

enum {
    WORLD_NOW_S = 1795442850, /* When the clock starts. */
    WORLD_PARTITIONS = 4,
};

struct gateway_world {
    struct arena arena;
    struct arena look_arena; /* For paths into the newest answer. */
    struct bench bench;
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_log *log;
    struct memory_metrics *metrics;
    struct memory_http *http; /* Other gateways. */
    struct settings settings; /* deploy/example/slipway.yaml, with the tokens below. */
    struct envelope_keys keys;
    struct service_ports ports;
    struct gateway *gateway;
    char tokens[64]; /* The token file. */

    /* What the next clients of bus and store do; see memory_faults. */
    struct memory_faults bus_faults;
    struct memory_faults store_faults;
    void (*at_store)(void); /* Ahead of each operation of the gateway's stores; may be NULL. */

    /* The newest answer. */
    struct gateway_call call;
    struct web_request web;
    json_t *json; /* NULL if it is none. */
    json_t *openapi;
};

extern struct gateway_world w;

/* For what is read: the contents of a file, and where its problems go; in w.arena. */
char *world_example(const char *path);
struct yaml_problems *world_problems(void);

/* cmocka's set-up and tear-down of each test. Subjects and roles as in the quickstart: tess
 * technical-lead, dev devops-lead, olga operations-lead, rel release-engineer, ci submitter,
 * monitoring alerting, rita reader; each one's token is "token-of-<subject>". */
int world_open(void **state);
int world_close(void **state);

/* One request. target: path and query, "/v1/deployments?state=BLOCKED"; token: a subject, NULL
 * for none; headers: "name: value" lines, ended by NULL. Answers the status. */
struct asked {
    const char *method; /* NULL: GET */
    const char *target;
    const char *token;
    const char *body;
    size_t body_length; /* 0: strlen(body) */
    const char *headers[8];
};
int world_ask(const struct asked *asked); /* Fails when the answer is not as described. */

/* GET as rel. */
int world_get(const char *target);

/* POST of JSON as that subject. */
int world_post(const char *subject, const char *target, const char *body);

/* Of the newest answer, by dotted path with numbers for places: "items.0.id". */
json_t *world_at(const char *path);
const char *world_text(const char *path); /* "" if there is none. */
int64_t world_int(const char *path);      /* -1 if there is none. */
size_t world_count(const char *path);     /* Of a list. */
const char *world_body(void);

/* A record of control.v1, signed by that writer; the gateway reads it in world_turn. */
void world_control(const char *writer, const char *key, const Pb__Control *control);
void world_grant(const char *flag, const char *deployment, unsigned percent, unsigned sequence);
void world_turn(void);
bool world_ready(void); /* As /readyz asks. */

/* The projections that the coordinator keeps. */
struct world_deployment {
    Pb__DeploymentState *state;
    Pb__Plan *plan;
};

/* Whether the coordinator has caught up with the log, as it has when a world is opened. */
void world_caught_up(bool has);

/* "feature.attempt" in that phase, updated at that many seconds after the start, with the plan
 * that deploy/example/feature.yaml compiles to; stored by world_store. */
struct world_deployment world_deployment(const char *id, Pb__Phase phase);
/* express-pay.3 in stage 2 of 10 %, its first batch in; stored. */
struct world_deployment world_rolling_out(void);
void world_store(const struct world_deployment *deployment);
void world_entry(const struct world_deployment *deployment,
                 uint64_t version,
                 const char *type,
                 const char *text,
                 Pb__Finding *finding);
void world_put(const char *key, const void *bytes, size_t length);
void world_put_message(const char *key, const void *message); /* Packed. */
void world_put_field(const char *hash, const char *field, const void *message);
/* A sign of life of one instance, that many milliseconds old. */
void world_instance(const char *service, const char *instance, int64_t age_ms);
void world_member(const char *set, const char *member);

/* The newest record of a topic, unpacked, in w.arena; fails the test if there is none. */
const struct bus_record *world_record(const char *topic);
void *world_sent(const char *topic, const ProtobufCMessageDescriptor *type);
size_t world_sent_count(const char *topic);

#endif
