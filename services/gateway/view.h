/* What the API shows, as JSON: the shapes of the OpenAPI description, made from the
 * coordinator's projections and from nothing else. Every function appends one value to the
 * writer under key (NULL inside arrays and at the top). */
#ifndef SERVICES_GATEWAY_VIEW_H
#define SERVICES_GATEWAY_VIEW_H

#include "common/base/json.h"
#include "common/wire/pb.h"
#include "services/coordinator/core/procedure.h"

/* Everything one deployment is shown from. plan may be NULL (none compiled yet). */
struct view_source {
    struct arena *arena;
    const Pb__DeploymentState *state;
    const Pb__Plan *plan;
    Pb__TimelineEntry **timeline; /* Oldest first. */
    size_t timeline_count;
    const Pb__DeploymentSeries *series; /* What was measured; NULL: nothing. */
    Pb__DeploymentState **attempts;     /* Of the feature, oldest first. */
    size_t attempt_count;
    const Pb__Actor *viewer; /* For allowed[]; NULL leaves it out. */
};

/* DeploymentSummary. */
void view_summary(struct json *json, const char *key, const Pb__DeploymentState *state);

/* The members of a summary, for an object that is already open. */
void view_summary_members(struct json *json, const Pb__DeploymentState *state);

/* Deployment: the summary plus everything else that is known. */
void view_deployment(struct json *json, const char *key, const struct view_source *source);

/* "kind" and "exit" of a summary. */
void view_kind(struct json *json, const Pb__DeploymentState *state);
void view_exit(struct json *json, const Pb__DeploymentState *state);

/* waiting_for, alone. */
void view_waiting(struct json *json, const char *key, const Pb__DeploymentState *state);

/* NOT_OPEN OPEN GIVEN REFUSED */
const char *view_signoff_state(const Pb__DeploymentState *state, const Pb__SignOffSpec *spec);

/* What was measured, from that time on. series may be NULL. metrics.c */
void view_metrics(struct json *json,
                  const char *key,
                  const Pb__DeploymentSeries *series,
                  int64_t since_ms);

/* One finding, with the step and try it belongs to. */
void view_finding(struct json *json, const char *key, const Pb__TimelineEntry *entry);

/* One line of the timeline. */
void view_entry(struct json *json, const char *key, const Pb__TimelineEntry *entry);

void view_actor(struct json *json, const char *key, const Pb__Actor *actor);
void view_links(struct json *json, const char *key, Pb__Link *const *links, size_t count);

/* The plan as JSON with its hash; parts of Deployment that come from it. */
void view_plan(struct json *json, const char *key, const struct view_source *source);
void view_changes(struct json *json, const char *key, const struct view_source *source);
void view_stages(struct json *json, const char *key, const struct view_source *source);

/* Incidents, with what each set in motion, from the timeline. view_incidents.c */
void view_incidents(struct json *json, const char *key, const struct view_source *source);

/* What taking it back would do, from what was applied; once it is being taken back, also what
 * was done of it, from the timeline. */
void view_undo(struct json *json, const char *key, const struct view_source *source);

/* The steps of undo, as what a request would do. */
void view_effects(struct json *json, const char *key, const struct view_source *source);
int64_t view_undo_estimate_ms(const struct view_source *source);

/* confirm[]: the points of no return that this approval (NULL: the request is none) does not
 * name yet. */
void view_confirm(struct json *json,
                  const struct view_source *source,
                  const Pb__Approve *approve);

/* A list of texts. */
void view_texts(struct json *json, const char *key, const char *const *texts, size_t count);

/* 0 is written as null: a time that has not come. */
void view_time(struct json *json, const char *key, int64_t ms);

/* "Roll out flags"; step 0 to 7. */
const char *view_step_name(unsigned step);

#endif
