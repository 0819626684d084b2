/* Step 1, and the inputs asked for before a review: is everything there, unchanged, and in a
 * state from which one can start?
 *
 * Every check has looked at something before it says PASS. What could not be looked at is
 * ERROR, half an answer is INCONCLUSIVE, nothing to look at is NO_DATA. */
#ifndef SERVICES_PRECHECKS_PRECHECKS_H
#define SERVICES_PRECHECKS_PRECHECKS_H

#include "common/drivers/deployers/deployer.h"
#include "common/runtime/worker.h"

/* What all tasks share; never changes after open. */
struct prechecks {
    struct arena arena; /* Owns the book. */
    const struct settings *settings;
    struct deployer_book book;
};

extern const struct worker_spec prechecks_spec;

/* What was seen on one instance, or of a target's router, before the first check. */
struct sighting {
    const struct deployer_entry *entry;      /* NULL: the target is not configured. */
    const struct setting_instance *instance; /* NULL: the router, or the target as a whole. */
    const char *target;
    Pb__Observed *observed; /* NULL: it could not be seen, and why says why. */
    const char *why;
    bool proven; /* Left between two releases, and the instance says that it runs what lies
                    there. */
};

/* One look of a check. Texts of the finding live in env.arena until the look is over. */
struct look {
    struct driver_env env;
    const struct prechecks *prechecks;
    const struct worker_ports *ports;
    const Pb__Command *command;
    const Pb__RunChecks *asked;
    const Pb__CheckSpec *check;
    const struct sighting *sightings;
    size_t sighting_count;
};

/* --- the six groups: each function fills verdict, observed, wanted, evidence and link --- */
typedef void (*check_look)(const struct look *look, Pb__Finding *ret);

void look_at_report_complete(const struct look *look, Pb__Finding *ret);
void look_at_signoffs(const struct look *look, Pb__Finding *ret);
void look_at_criteria(const struct look *look, Pb__Finding *ret);
void look_at_report_digest(const struct look *look, Pb__Finding *ret);

void look_at_code(const struct look *look, Pb__Finding *ret);
void look_at_configuration(const struct look *look, Pb__Finding *ret);
void look_at_infrastructure(const struct look *look, Pb__Finding *ret);
void look_at_migrations(const struct look *look, Pb__Finding *ret);

void look_at_flag_configured(const struct look *look, Pb__Finding *ret);
void look_at_flag_off(const struct look *look, Pb__Finding *ret);
void look_at_rollout_plan(const struct look *look, Pb__Finding *ret);
void look_at_flag_system(const struct look *look, Pb__Finding *ret);

void look_at_doc_steps(const struct look *look, Pb__Finding *ret);
void look_at_doc_rollback(const struct look *look, Pb__Finding *ret);
void look_at_doc_runbooks(const struct look *look, Pb__Finding *ret);

void look_at_metric_sources(const struct look *look, Pb__Finding *ret);
void look_at_metrics(const struct look *look, Pb__Finding *ret);
void look_at_dashboards(const struct look *look, Pb__Finding *ret);
void look_at_alert_rules(const struct look *look, Pb__Finding *ret);
void look_at_open_alerts(const struct look *look, Pb__Finding *ret);

void look_at_window(const struct look *look, Pb__Finding *ret);
void look_at_baseline(const struct look *look, Pb__Finding *ret);
void look_at_drift(const struct look *look, Pb__Finding *ret);

/* --- sightings.c --- */

/* Everything whose state a deployment of these changes must know, each thing once. Nothing is
 * looked at yet. */
size_t sightings_list(const struct prechecks *prechecks,
                      struct arena *arena,
                      const Pb__RunChecks *asked,
                      struct sighting **ret);

/* Look at one; what is kept is allocated in keep. */
void sighting_look(const struct driver_env *env,
                   const Pb__Command *command,
                   struct arena *keep,
                   struct sighting *sighting);

/* "shop-1"; "shop traffic" for a router. */
const char *sighting_name(struct arena *arena, const struct sighting *sighting);

/* True when it can be gone back to: nothing is half done, foreign or modified; or half done
 * with a whole release, which the instance says it runs. */
bool sighting_is_settled(const struct sighting *sighting);

/* What to do by hand about one that was left between two releases; "" for all others. */
const char *sighting_remedy(struct arena *arena, const struct sighting *sighting);

/* What the instance itself answers when asked whether it runs what was seen, for that check;
 * NULL without a version probe. evidence names the probe. In env->arena. */
const Pb__Finding *sighting_running(const struct driver_env *env,
                                    const struct sighting *sighting,
                                    const char *check_id);

#endif
