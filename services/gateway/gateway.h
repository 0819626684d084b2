/* The gateway: the one door for people and for HTTP. It decides nothing: what people ask for
 * becomes an event, and the coordinator's core answers.
 *
 * Its threads, and what each of them may touch:
 *
 *     loop      the web server's. Finds the route, knows the token, counts the rate; answers
 *               flag evaluation from memory, so that neither Redis nor Kafka can hold it up.
 *     service   folds control.v1 into the flags, signals and dead letters into the feed.
 *     desks     carry all other calls; reads, people's stops, and alerts each have their own,
 *               so that none waits for the others (desk.h).
 *     herald    answers those who wait for the coordinator, and feeds live streams (herald.h).
 *
 * Flags and their rates, feed, waits and streams are shared and guarded by one lock, which
 * nobody holds while asking Redis, Kafka or another gateway. */
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
    GATEWAY_QUERY_MAX = WEB_QUERY_MAX,
    GATEWAY_CALL_MEMORY = 64 << 20, /* Of one request: a long timeline, unpacked. */
    GATEWAY_ITEM_MEMORY = 16 << 20, /* Of one item of a list: a state, unpacked. */
    GATEWAY_ANSWER_MAX = 8 << 20,
};

/* What one thread needs to carry calls, and nobody else touches. */
struct bench {
    struct projection projection; /* Without a store where Redis is never asked. */
    struct arena arena;           /* Of the call. */
    struct arena item;            /* Of one item of a list. */
    struct text text;             /* Of the answer. */
    struct http_client http;      /* Without perform where nobody is asked. */
};

struct gateway {
    const struct service_ports *ports;
    struct auth *auth;
    pthread_mutex_t lock; /* Of these five. */
    struct flag_table *flags;
    struct rates *rates;
    struct gateway_feed *feed;
    struct gateway_waits *waits;
    struct gateway_streams *streams;
    struct web_server server; /* Set before the first request. */
    struct desks *desks;
    struct herald *herald;
    _Atomic bool control_complete; /* control.v1 has been read to its end once. */
    _Atomic int64_t as_of_ms;      /* Time of the newest event seen in any view. */

    /* Of the loop thread. */
    struct bench loop;
    struct budgets *budgets;

    /* Of the service's thread. */
    struct arena fold_arena;
    struct bus_consumer control;
    struct bus_consumer feeds;
    int64_t control_next; /* Offset after the last record of control.v1 that was read. */
};

/* Where a call is carried out; see above. */
enum lane { LANE_LOOP, LANE_READS, LANE_STOPS, LANE_ALERTS };

enum { ROUTE_OPEN = 1 /* Needs no token. */ };

/* The routes, one row each; the OpenAPI description is made from the same table. */
struct gateway_call;
struct gateway_route {
    const char *method;
    const char *pattern; /* "/v1/deployments/{id}/plan" */
    void (*handle)(struct gateway_call *call);
    enum lane lane;
    unsigned flags;
    const char *summary; /* For the OpenAPI description. */
    const char *query;   /* Space-separated names of query parameters; others are refused. */
    const char *body;    /* Media types of the request's body, space-separated; "" for none. */
    const char *answers; /* Space-separated: "200 404" */
    const char *schema;  /* Of the 200, 201 or 202 answer; "" if it is not JSON of ours. */
    const char *also;    /* Media types beside JSON of that answer, space-separated. */
};
const struct gateway_route *gateway_routes(size_t *ret_count);

/* One request, and the answer under construction. */
struct gateway_call {
    struct gateway *gateway;
    struct projection *projection; /* Of the thread that carries the call. */
    struct http_client *http;      /* Likewise; NULL: none. */
    struct arena *arena;
    struct arena *item; /* For one item of a list at a time: call_item(). */
    const char *method;
    const char *path; /* Decoded, without the query. */
    Pb__Pair *query[GATEWAY_QUERY_MAX];
    size_t query_count;
    const struct web_request *web; /* Where the headers are; NULL in tests without any. */
    struct pb_bytes body;
    const struct gateway_route *route;
    enum lane lane;                                /* The route's, or LANE_STOPS. */
    const char *parameter[GATEWAY_PARAMETERS_MAX]; /* {id} and the like, in order. */
    const Pb__Actor *actor;                        /* NULL where a route needs no token. */
    bool by_cookie;                                /* It came by cookie; see session.h. */
    const char *traceparent;                       /* See call_traceparent. */
    int64_t now_ms;

    /* The answer. */
    int status;
    const char *content_type;
    const char *etag;
    const char *location;
    const char *link;
    const char *allow;  /* Of a 405. */
    const char *cookie; /* "Set-Cookie" */
    const char *vary;
    const char *digest; /* "Repr-Digest" */
    int64_t as_of_ms;
    int retry_after_s;
    struct text out;

    /* Set by a handler whose answer depends on the coordinator: answer when request
     * `wait_request` of that deployment has been answered, or at the latest at wait_until_ms.
     */
    const char *wait_request;
    const char *wait_deployment;
    uint64_t wait_version; /* That the request expects. */
    int64_t wait_until_ms;
    bool stream; /* The answer is a live stream; see stream.h. */
};

/* Memory, and a store of its own. */
enum err bench_open(struct gateway *gateway, struct bench *ret, struct error *error) MUST_CHECK;
void bench_close(struct bench *bench); /* Accepts one that was never opened. */

/* Any thread: an event of that time has been seen. */
void gateway_saw(struct gateway *gateway, int64_t at_ms);

/* A call that the bench's thread is to carry out; the bench's memory is emptied. */
struct gateway_call call_on(struct gateway *gateway, struct bench *bench);

/* Gives the answer's text back to the bench. */
void call_done(const struct gateway_call *call, struct bench *bench);

/* The arena for the next item, emptied: nothing of the last one may be used any more. */
struct arena *call_item(struct gateway_call *call);

/* The value of a header in any case, or NULL. */
const char *call_header(const struct gateway_call *call, const char *name);

/* The value of a query parameter, or NULL. */
const char *call_query(const struct gateway_call *call, const char *name);

/* True if the client says that it has what this tag stands for. */
bool call_has(const struct gateway_call *call, const char *etag);

/* Answer with a problem. Only code is required. Every handler ends with one of these or with
 * out filled and status set. */
void call_problem(struct gateway_call *call, const struct problem *problem);

/* The usual cases. */
void call_no_such(struct gateway_call *call, const char *what, const char *name);
void call_unavailable(struct gateway_call *call, const struct error *error);

/* While control.v1 is being read, a latch may stand further on: neither "on" nor "off" is
 * known, and a flag that is not there yet may be there. False (and answered) then. */
bool call_flags_are_read(struct gateway_call *call);

/* Content type JSON, status 200, an empty writer over call->out. */
struct json;
struct json call_json(struct gateway_call *call);

/* The number in that query parameter; otherwise if it is not there. False (and answered) when
 * it is no number from min to max. */
struct query_number {
    const char *name;
    uint64_t min;
    uint64_t max;
    uint64_t otherwise;
};
bool call_number(struct gateway_call *call, const struct query_number *number, uint64_t *ret);

/* False (and answered) when a value of that parameter is none of the NULL-terminated ones. */
bool call_one_of(struct gateway_call *call, const char *name, const char *const *values);

/* "true" or, also by absence, "false". False (and answered) when it is neither. */
bool call_boolean(struct gateway_call *call, const char *name, bool *ret);

/* Which of the NULL-terminated media types the client likes best; the first without a word of
 * its own. */
size_t call_accepts(struct gateway_call *call, const char *const *types);

/* False (and answered) unless the actor has one of the NULL-terminated roles. */
bool call_has_role(struct gateway_call *call, const char *const *roles);

/* Publish one record now and wait until the bus has it; false (and answered) if it has not.
 * Signed as writer gateway. */
struct gateway_record {
    const char *topic;
    const char *key;
    const char *id;
    const char *type; /* "slipway.v1.Event" */
    const char *subject;
    const void *message;
};
bool call_publish(struct gateway_call *call, const struct gateway_record *record);

/* A text member of the JSON body; NULL if the body has none. */
const char *call_body_text(struct gateway_call *call, const char *member);

/* A random id in the form of a UUID. */
const char *call_new_id(struct gateway_call *call);

/* The client's traceparent, or a new one; the same for everything the call causes. */
const char *call_traceparent(struct gateway_call *call);

/* Find the route, check token, query and rate. False (and answered) if the call ends here.
 * Loop thread. */
bool gateway_admit(struct gateway_call *call);

/* Fill as_of_ms, unless the handler knew better. */
void gateway_date(struct gateway_call *call);

/* Call the handler of call->route. Always leaves an answer. */
void gateway_carry_out(struct gateway_call *call);

/* Both. */
void gateway_handle(struct gateway_call *call);

#endif
