/* The gateway: the one door for people and for HTTP.
 *
 * One loop thread answers all requests from Redis projections and from flags folded in memory;
 * the service's own thread folds control.v1, completes requests that wait for the coordinator's
 * answer, and feeds live streams. The gateway decides nothing: what people ask for becomes an
 * event, and the coordinator's core answers. */
#ifndef SERVICES_GATEWAY_GATEWAY_H
#define SERVICES_GATEWAY_GATEWAY_H

#include "common/domain/flags.h"
#include "common/ports/web.h"
#include "common/runtime/service.h"
#include "common/state/projection.h"
#include "services/gateway/auth.h"
#include "services/gateway/problem.h"

#include <pthread.h>

enum {
    GATEWAY_PARAMETERS_MAX = 4,
    GATEWAY_QUERY_MAX = 32,
    GATEWAY_CALL_MEMORY = 16 << 20, /* Of one request: a long timeline, unpacked. */
    GATEWAY_ANSWER_MAX = 8 << 20,
};

/* What both threads share. Flags, feed, waits and streams are guarded by lock. */
struct gateway {
    const struct service_ports *ports;
    struct auth *auth;
    pthread_mutex_t lock;
    struct flag_table *flags;
    struct gateway_feed *feed;
    struct gateway_waits *waits;
    struct gateway_streams *streams;
    struct web_server server; /* Set before the first request. */

    /* Of the loop thread alone. */
    struct projection loop;
    struct arena loop_arena;
    struct text loop_text;

    /* Of the service's thread alone. */
    struct projection own;
    struct arena own_arena;
    struct bus_consumer control;
    struct bus_consumer feeds;
    int64_t control_next; /* Offset after the last record of control.v1 that was read. */
    _Atomic bool control_complete; /* control.v1 has been read to its end once. */
};

/* One request, and the answer under construction. */
struct gateway_call {
    struct gateway *gateway;
    struct projection *projection; /* Of the thread that carries the call. */
    struct arena *arena;
    const char *method;
    const char *path; /* Decoded, without the query. */
    Pb__Pair *query[GATEWAY_QUERY_MAX];
    size_t query_count;
    const struct web_request *web; /* Where the headers are; NULL in tests without any. */
    struct pb_bytes body;
    const char *parameter[GATEWAY_PARAMETERS_MAX]; /* {id} and the like, in order. */
    const Pb__Actor *actor;                        /* NULL where a route needs no token. */
    int64_t now_ms;

    /* The answer. */
    int status;
    const char *content_type;
    const char *etag;
    const char *location;
    const char *link;
    int64_t as_of_ms;
    int retry_after_s;
    struct text out;

    /* Set by a handler whose answer depends on the coordinator: answer when request
     * `wait_request` of that deployment has been answered, or at the latest at wait_until_ms.
     */
    const char *wait_request;
    const char *wait_deployment;
    int64_t wait_until_ms;
    bool stream; /* The answer is a live stream; see stream.h. */
};

/* The value of a header in any case, or NULL. */
const char *call_header(const struct gateway_call *call, const char *name);

/* The value of a query parameter, or NULL. */
const char *call_query(const struct gateway_call *call, const char *name);

/* Answer with a problem. Only code is required. Every handler ends with one of these or with
 * out filled and status set. */
void call_problem(struct gateway_call *call, const struct problem *problem);

/* The usual cases. */
void call_no_such(struct gateway_call *call, const char *what, const char *name);
void call_unavailable(struct gateway_call *call, const struct error *error);

/* Content type JSON, status 200, an empty writer over call->out. */
struct json;
struct json call_json(struct gateway_call *call);

/* False (and answered) when the query names something outside the NULL-terminated list. */
bool call_known_query(struct gateway_call *call, const char *const *known);

/* False (and answered) unless the actor has one of the NULL-terminated roles. */
bool call_has_role(struct gateway_call *call, const char *const *roles);

/* Publish one record now and wait until the bus has it; false (and answered) if it has not.
 * Signed as writer gateway when sign is set. */
struct gateway_record {
    const char *topic;
    const char *key;
    const char *id;
    const char *type; /* "slipway.v1.Event" */
    const char *subject;
    const void *message;
    bool sign;
};
bool call_publish(struct gateway_call *call, const struct gateway_record *record);

/* A text member of the JSON body; NULL if the body has none. */
const char *call_body_text(struct gateway_call *call, const char *member);

/* A random id in the form of a UUID. */
const char *call_new_id(struct gateway_call *call);

/* The routes, one row each; the OpenAPI description is made from the same table. */
struct gateway_route {
    const char *method;
    const char *pattern; /* "/v1/deployments/{id}/plan" */
    void (*handle)(struct gateway_call *call);
    bool open;           /* Needs no token. */
    const char *summary; /* For the OpenAPI description. */
    const char *query;   /* Space-separated names of query parameters; "" for none. */
    const char *body;    /* Media type of the request's body; "" for none. */
    const char *answers; /* Space-separated: "200 404" */
};
const struct gateway_route *gateway_routes(size_t *ret_count);

/* Find the route, check the token, call the handler. Always leaves an answer. */
void gateway_handle(struct gateway_call *call);

#endif
