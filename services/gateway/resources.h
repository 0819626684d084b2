/* The handlers of the routes, one file a family. */
#ifndef SERVICES_GATEWAY_RESOURCES_H
#define SERVICES_GATEWAY_RESOURCES_H

#include "services/gateway/gateway.h"
#include "services/gateway/view.h"

/* list.c */
void get_deployments(struct gateway_call *call);

/* history.c */
void get_findings(struct gateway_call *call);
void get_timeline(struct gateway_call *call);
void get_report(struct gateway_call *call);

/* True if that filter is absent, or one of its values is this. */
bool text_filter(const struct gateway_call *call, const char *name, const char *value);

/* deployments.c */
void get_deployment(struct gateway_call *call);
void get_plan(struct gateway_call *call);

/* metrics.c, explain.c */
void get_metrics(struct gateway_call *call);
bool deployment_load_series(struct gateway_call *call, struct view_source *source);
void get_explain(struct gateway_call *call);

/* The deployment that {id} names, with its plan; false (and answered) if it cannot be had. The
 * timeline is not loaded. */
bool deployment_load(struct gateway_call *call, struct view_source *ret);

/* 404 with near names. */
void deployment_not_found(struct gateway_call *call, const char *name);

/* submit.c */
void post_deployment(struct gateway_call *call);
void post_cloudevent(struct gateway_call *call);

/* The timeline too; false (and answered) if it cannot be had. */
bool deployment_load_timeline(struct gateway_call *call, struct view_source *source);

/* requests.c */
void post_request(struct gateway_call *call);

/* Loop thread: the call asks a deployment to stop: pause, abort, rollback. */
bool request_stops(const struct gateway_call *call);

/* request_answers.c */
void get_request(struct gateway_call *call);

/* Answers a call that waits (wait_request): with the coordinator's answer, or, false, with 202
 * as long as there is none. */
bool request_answer(struct gateway_call *call);

/* Answers a refusal of the coordinator's core, with what its code asks for beside it. source is
 * where the deployment stands now; NULL if it cannot be had. */
struct view_source;
void request_refused(struct gateway_call *call,
                     const struct problem *problem,
                     const struct view_source *source);

/* Answers a call that has waited in vain: 202 as it is, or, with no coordinator there, that. */
void request_given_up(struct gateway_call *call);

/* request_preview.c: what that request would do, by the core on a copy of the state. */
void request_preview(struct gateway_call *call,
                     const struct view_source *source,
                     const Pb__Event *event);

/* session.c */
void post_login(struct gateway_call *call);
void delete_login(struct gateway_call *call);

/* inbox.c */
void get_me(struct gateway_call *call);
void get_inbox(struct gateway_call *call);

/* flags_api.c */
void get_flags(struct gateway_call *call);
void get_flag(struct gateway_call *call);
void get_internal_flag(struct gateway_call *call);
void post_flag_kill(struct gateway_call *call);
void post_ofrep_flag(struct gateway_call *call);
void post_ofrep_all(struct gateway_call *call);

/* freezes.c */
void get_freezes(struct gateway_call *call);
void post_freeze(struct gateway_call *call);
void delete_freeze(struct gateway_call *call);
void get_windows(struct gateway_call *call);

/* lanes.c */
void get_lanes(struct gateway_call *call);

/* alerts.c */
void get_alerts(struct gateway_call *call);
void post_alert(struct gateway_call *call);
void post_alertmanager(struct gateway_call *call);

/* feed.c */
void get_signals(struct gateway_call *call);
void get_dead_letters(struct gateway_call *call);

/* health.c */
void get_health(struct gateway_call *call);

/* False only if it is known that no instance of that service is there. */
bool service_is_there(struct gateway_call *call, const char *service);
void get_openapi(struct gateway_call *call);

/* stream.c */
void get_stream(struct gateway_call *call);

#endif
