/* The handlers of the routes, one file a family. */
#ifndef SERVICES_GATEWAY_RESOURCES_H
#define SERVICES_GATEWAY_RESOURCES_H

#include "services/gateway/gateway.h"
#include "services/gateway/view.h"

/* problem_docs.c */
void get_problem_docs(struct gateway_call *call);
void get_problem_doc(struct gateway_call *call);

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

/* The newest attempts of the feature, this one among them; one that cannot be read is left out.
 */
void deployment_load_attempts(struct gateway_call *call, struct view_source *source);

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

/* What is asked of that role by this deployment; "<deployment>/<role>". */
const char *inbox_item_id(struct arena *arena,
                          const Pb__DeploymentState *state,
                          const char *role);
void write_inbox_item(struct gateway_call *call,
                      struct json *json,
                      const Pb__DeploymentState *state,
                      const char *role);

/* How many roles are asked: the first of waiting_for.who. */
size_t inbox_roles(const Pb__DeploymentState *state);

/* flags_api.c */
void get_flags(struct gateway_call *call);

/* Names of flags: "<environment>" and "<flag>", one after the other, in the call's arena. All
 * of a deployment. */
size_t flags_of(struct gateway_call *call, const char *deployment, const char ***ret);
void get_flag(struct gateway_call *call);
void get_internal_flag(struct gateway_call *call);
void post_flag_kill(struct gateway_call *call);
void post_ofrep_flag(struct gateway_call *call);
void post_ofrep_all(struct gateway_call *call);

/* freezes.c */
void get_freezes(struct gateway_call *call);
void show_freeze(struct gateway_call *call); /* {id}, alone. */
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
void show_dead_letter(struct gateway_call *call, size_t back); /* 0: the newest. */

/* health.c */
void get_health(struct gateway_call *call);

/* All instances that are shown, as they describe themselves. */
enum err load_instances(struct gateway_call *call,
                        struct store_field **ret,
                        size_t *ret_count,
                        struct error *error);
bool instance_is_shown(const struct store_value *instance, int64_t now_ms);

/* False only if it is known that no instance of that service is there. */
bool service_is_there(struct gateway_call *call, const char *service);
void get_openapi(struct gateway_call *call);

/* stream.c */
void get_stream(struct gateway_call *call);

#endif
