#include "common/drivers/deployers/release_directory.h"

#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/invoke.h"
#include "common/drivers/deployers/marker.h"
#include "common/drivers/deployers/release_store.h"
#include "common/drivers/deployers/turn.h"

#include <string.h>

#define RELEASES     "releases/"
#define BRINGS(kind) (1U << PB__ARTIFACT_KIND__##kind)

/* clang-format off */
static const struct option target_options[] = {
    LIST_OPTION(struct release_directory_config, restart, "restart", NULL, "argv that restarts an instance after its release was switched"),
    LIST_OPTION(struct release_directory_config, stop, "stop", "", "argv that stops an instance when it goes back to nothing; absent: restart"),
    DURATION_OPTION(struct release_directory_config, restart_timeout_ms, "restart_timeout", "30s", "after which a restart is killed"),
    DURATION_OPTION(struct release_directory_config, take_over_ms, "take_over", "1m", "how long a hung executor may keep a later task from an instance"),
    COUNT_OPTION(struct release_directory_config, keep, "keep", "5", "releases kept beside the running and the previous one"),
    TEXT_OPTION(struct release_directory_config, router_link, "router_link", "", "blue-green: the link that says which side has the traffic"),
    TEXT_OPTION(struct release_directory_config, router_to, "router_to", "{side}", "what that link points to"),
    LIST_OPTION(struct release_directory_config, router_reload, "router_reload", "", "argv that makes the router look at its link again"),
    DURATION_OPTION(struct release_directory_config, router_timeout_ms, "router_timeout", "30s", "after which a reload is killed"),
    OPTIONS_END,
};

static const struct option instance_options[] = {
    TEXT_OPTION(struct release_directory_instance, directory, "directory", NULL, "where the instance keeps its releases and the link `current`"),
    OPTIONS_END,
};
/* clang-format on */

/* One instance at work. */
struct site {
    const struct driver_env *env;
    const struct deployer_order *order;
    const struct release_directory_config *config;
    const char *directory;
    const char *link;
    const char *marker_path;
    struct marker marker;
    bool linked;                  /* current is there. */
    struct release current;       /* Of the link; name "" if it leads elsewhere. */
    const char *leads_to;         /* Text of the link. */
    char digest[DIGEST_HEX_SIZE]; /* Of what lies there now; "" if it cannot be told. */
};

void release_directory_reached(const struct deployer_order *order, const char *point)
{
    const struct release_directory_config *const config = order->config;

    if (config->reached != NULL)
        config->reached(config->reached_self, point);
}

/* What `current` points to. Leading out of releases/ is no error here: it is reported. */
static enum err read_current(struct site *site, struct error *error)
{
    struct arena *const arena = site->env->arena;
    struct error ignored = { 0 };
    const char *name;
    enum err err = disk_read_link(arena, site->link, &site->leads_to, error);

    site->current = (struct release){ "", "", "", "" };
    site->linked = err == ERR_OK;
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    name = site->leads_to + strlen(RELEASES);
    if (strncmp(site->leads_to, RELEASES, strlen(RELEASES)) != 0 || strchr(name, '/') != NULL)
        return ERR_OK;
    err = release_read(arena, site->directory, name, &site->current, error);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK &&
        release_digest(arena, site->directory, &site->current, site->digest, &ignored) !=
            ERR_OK)
        site->digest[0] = '\0';
    return err;
}

static enum err site_open(const struct driver_env *env,
                          const struct deployer_order *order,
                          struct site *ret,
                          struct error *error)
{
    const struct release_directory_instance *const instance = order->instance_config;
    const char *const directory = driver_path(env, instance->directory);
    enum err err;

    *ret = (struct site){
        .env = env,
        .order = order,
        .config = order->config,
        .directory = directory,
        .link = arena_printf(env->arena, "%s/current", directory),
        .marker_path = arena_printf(env->arena, "%s/marker", directory),
        .leads_to = "",
    };
    err = marker_read(env->arena, ret->marker_path, &ret->marker, error);
    return err == ERR_OK ? read_current(ret, error) : err;
}

/* Between two releases: it can be finished from what is known to lie there. */
static const char *switching_state(const struct site *site)
{
    if (!site->linked)
        return "switching: current is gone";
    if (site->current.name[0] == '\0' || !pb_same(site->digest, site->current.digest))
        return "switching: what lies there is no whole release";
    return DEPLOYED_SWITCHING;
}

/* The state to report for what lies there. */
static const char *site_state(const struct site *site)
{
    if (site->marker.present && pb_same(site->marker.state, MARKER_SWITCHING))
        return switching_state(site);
    if (!site->linked)
        return site->marker.present && site->marker.release[0] != '\0'
                   ? "drifted: current is gone"
                   : DEPLOYED_NONE;
    if (site->current.name[0] == '\0')
        return arena_printf(site->env->arena, "foreign: current -> %s", site->leads_to);
    if (!pb_same(site->digest, site->current.digest))
        return arena_printf(
            site->env->arena, "modified: not sha256:%.12s", site->current.digest);
    if (!site->marker.present)
        return DEPLOYED_UNMANAGED;
    return pb_same(site->marker.release, site->current.name) ? DEPLOYED_ACTIVE
                                                             : "drifted: current was moved";
}

static enum err site_report(const struct site *site, Pb__Observed *ret, struct error *error)
{
    struct arena *const arena = site->env->arena;

    ret->target = site->order->target->name;
    ret->instance = site->order->instance->name;
    ret->version = site->current.version;
    ret->digest = arena_text(arena, site->digest);
    ret->fence = site->marker.present ? pb_fence_text(arena, &site->marker.fence) : "";
    ret->state = site_state(site);
    if (!site->linked)
        return error_set(error, ERR_NOT_FOUND, "nothing is deployed in %s", site->directory);
    return ERR_OK;
}

static enum err observe(const struct driver_env *env,
                        const struct deployer_order *order,
                        Pb__Observed *ret,
                        struct error *error)
{
    struct site site;
    enum err err;

    if (order->instance == NULL)
        return router_observe(env, order, ret, error);
    err = site_open(env, order, &site, error);
    return err == ERR_OK ? site_report(&site, ret, error) : err;
}

/* True when nothing is left to do but to leave our fence. */
static bool is_there(const struct site *site, const struct release *wanted)
{
    const char *const state = site_state(site);

    if (wanted->name[0] == '\0')
        return pb_same(state, DEPLOYED_NONE);
    return (pb_same(state, DEPLOYED_ACTIVE) || pb_same(state, DEPLOYED_UNMANAGED)) &&
           pb_same(site->current.version, wanted->version) &&
           pb_same(site->digest, wanted->digest);
}

/* What was current before the switch to that release: an interrupted one has noted it. */
static const char *previous_of(const struct site *site, const struct release *release)
{
    return pb_same(site->current.name, release->name) ? site->marker.previous
                                                      : site->current.name;
}

static enum err mark(const struct site *site,
                     const struct release *release,
                     const char *state,
                     struct error *error)
{
    const struct marker marker = {
        .state = state,
        .release = release->name,
        .version = release->version,
        .digest = release->digest,
        .previous = previous_of(site, release),
    };

    return marker_write(site->env, site->marker_path, site->order, &marker, error);
}

static const char *settled_state(const struct release *release)
{
    return release->name[0] != '\0' ? DEPLOYED_ACTIVE : DEPLOYED_NONE;
}

static enum err point(const struct site *site,
                      const struct release *release,
                      struct error *error)
{
    if (release->name[0] == '\0')
        return disk_remove(site->order->stage, site->link, error);
    return disk_link(site->order->stage,
                     site->link,
                     arena_printf(site->env->arena, RELEASES "%s", release->name),
                     error);
}

static enum err restart(const struct site *site,
                        const struct release *release,
                        struct error *error)
{
    const bool ends = release->name[0] == '\0' && site->config->stop.count > 0;
    const struct invocation invocation = {
        .argv = ends ? &site->config->stop : &site->config->restart,
        .directory = site->directory,
        .version = release->version,
        .digest = release->digest,
        .timeout_ms = site->config->restart_timeout_ms,
    };

    const enum err err = turn_check(site->order, error);

    return err == ERR_OK ? invoke(site->env, site->order, &invocation, NULL, error) : err;
}

/* What runs there is found again after it was left, whoever brought it. */
static enum err remember_current(const struct site *site, struct error *error)
{
    if (site->current.name[0] == '\0')
        return ERR_OK;
    return release_adopt(
        site->env->arena, site->order->stage, site->directory, &site->current, error);
}

/* From the first mark to the last the instance is between two releases. */
static enum err switch_to(const struct site *site,
                          const struct release *to,
                          struct error *error)
{
    const char *const spared[2] = { to->name, previous_of(site, to) };
    enum err err = remember_current(site, error);

    if (err == ERR_OK)
        err = mark(site, to, MARKER_SWITCHING, error);

    release_directory_reached(site->order, "marked");
    driver_crash_point(site->env, CRASH_DEPLOYER_AFTER_MARK);
    if (err == ERR_OK)
        err = point(site, to, error);
    release_directory_reached(site->order, "linked");
    driver_crash_point(site->env, CRASH_DEPLOYER_AFTER_LINK);
    if (err == ERR_OK)
        err = restart(site, to, error);
    release_directory_reached(site->order, "restarted");
    driver_crash_point(site->env, CRASH_DEPLOYER_AFTER_ACT);
    if (err == ERR_OK)
        err = mark(site, to, settled_state(to), error);
    if (err == ERR_OK)
        release_prune(
            site->env->arena, site->order->stage, site->directory, site->config->keep, spared);
    return err;
}

/* The release to go to: of the change's artifact, or of the baseline. */
typedef enum err (*release_choice)(const struct site *site,
                                   struct release *ret,
                                   struct error *error);

static enum err choose_artifact(const struct site *site,
                                struct release *ret,
                                struct error *error)
{
    return release_bring(site->env, site->order, site->directory, ret, error);
}

static enum err choose_baseline(const struct site *site,
                                struct release *ret,
                                struct error *error)
{
    const Pb__Observed *const baseline = site->order->baseline;

    if (baseline == NULL)
        return error_set(
            error, ERR_INVALID, "what ran in %s before is unknown", site->directory);
    if (baseline->version[0] == '\0' && baseline->digest[0] == '\0') {
        *ret = (struct release){ "", "", "", "" };
        return ERR_OK;
    }
    if (site->linked && pb_same(site->current.version, baseline->version) &&
        pb_same(site->digest, baseline->digest)) {
        *ret = site->current;
        return ERR_OK;
    }
    return release_find(site->env->arena, site->directory, baseline, ret, error);
}

/* Nothing to switch: only our fence must be on the target. */
static enum err leave_fence(const struct site *site,
                            const struct release *wanted,
                            struct error *error)
{
    const struct release *const there = site->linked ? &site->current : wanted;

    if (site->marker.present && !pb_fence_before(&site->marker.fence, site->order->fence))
        return ERR_OK;
    return mark(site, there, settled_state(there), error);
}

static enum err go_in_turn(const struct driver_env *env,
                           const struct deployer_order *order,
                           release_choice choose,
                           struct error *error)
{
    struct release wanted;
    struct site site;
    enum err err = site_open(env, order, &site, error);

    if (err == ERR_OK)
        err = marker_admits(&site.marker, order, error);
    if (err == ERR_OK)
        err = choose(&site, &wanted, error);
    if (err != ERR_OK)
        return err;
    release_directory_reached(order, "staged");
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_STAGE);
    if (driver_stopped(env))
        return error_set(error, ERR_STALE, "stopped before %s was switched", site.directory);
    if (is_there(&site, &wanted))
        return leave_fence(&site, &wanted, error);
    return switch_to(&site, &wanted, error);
}

static enum err go(const struct driver_env *env,
                   const struct deployer_order *order,
                   release_choice choose,
                   Pb__Observed *ret,
                   struct error *error)
{
    const struct release_directory_instance *const instance = order->instance_config;
    const struct release_directory_config *const config = order->config;
    const char *const directory = driver_path(env, instance->directory);
    struct deployer_order ours = *order;
    struct turn turn;
    enum err err = disk_make_folder(directory, error);

    if (err == ERR_OK)
        err = turn_begin(env,
                         order,
                         arena_printf(env->arena, "%s/lock", directory),
                         config->take_over_ms,
                         &turn,
                         error);
    if (err != ERR_OK)
        return err;
    ours.stage = turn.stage;
    err = turn_judge(&turn, go_in_turn(env, &ours, choose, error), error);
    turn_end(&turn);
    if (err != ERR_OK)
        return err;
    err = observe(env, order, ret, error);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err apply(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error)
{
    return go(env, order, choose_artifact, ret, error);
}

static enum err revert(const struct driver_env *env,
                       const struct deployer_order *order,
                       Pb__Observed *ret,
                       struct error *error)
{
    return go(env, order, choose_baseline, ret, error);
}

const struct deployer_driver deployer_release_directory = {
    .name = "release-directory",
    .target_options = target_options,
    .target_config_size = sizeof(struct release_directory_config),
    .instance_options = instance_options,
    .instance_config_size = sizeof(struct release_directory_instance),
    .kinds = BRINGS(CONFIGURATION) | BRINGS(ENVIRONMENT) | BRINGS(BACKEND) |
             BRINGS(MIDDLEWARE) | BRINGS(FRONTEND),
    .can_shift = true,
    .observe = observe,
    .check_artifact = artifact_check,
    .apply = apply,
    .revert = revert,
    .shift = router_shift,
};
