/* Which side of a blue-green target has the traffic: a link that the router follows, and a
 * command that makes it look again. Interrupted shifts are repaired as releases are. */
#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/invoke.h"
#include "common/drivers/deployers/marker.h"
#include "common/drivers/deployers/release_directory.h"
#include "common/drivers/deployers/turn.h"

#include <string.h>

/* The router of one order. */
struct router {
    const struct release_directory_config *config;
    const char *link;
    const char *marker_path;
    struct marker marker;
    const char *side; /* Where the link points; "" for nowhere. */
};

static const char *link_text(struct arena *arena, const char *pattern, const char *side)
{
    Pb__Pair *pair = pb_pair_new(arena, "side", side);

    return driver_expand(arena, pattern, &pair, 1);
}

static enum err read_side(const struct driver_env *env,
                          const struct deployer_order *order,
                          struct router *router,
                          struct error *error)
{
    const char *to;
    const enum err err = disk_read_link(env->arena, router->link, &to, error);

    router->side = "";
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < order->target->instance_count; i++) {
        const char *const side = order->target->instances[i].side;

        if (side[0] != '\0' &&
            pb_same(to, link_text(env->arena, router->config->router_to, side))) {
            router->side = side;
            return ERR_OK;
        }
    }
    return error_set(error, ERR_INVALID, "%s points to %s, which is no side", router->link, to);
}

static enum err router_open(const struct driver_env *env,
                            const struct deployer_order *order,
                            struct router *ret,
                            struct error *error)
{
    const struct release_directory_config *const config = order->config;
    const char *const link = driver_path(env, config->router_link);
    enum err err;

    if (link[0] == '\0')
        return error_set(
            error, ERR_INVALID, "target %s has no router_link", order->target->name);
    *ret = (struct router){
        .config = config,
        .link = link,
        .marker_path = arena_printf(env->arena, "%s.marker", link),
    };
    err = marker_read(env->arena, ret->marker_path, &ret->marker, error);
    return err == ERR_OK ? read_side(env, order, ret, error) : err;
}

static void report(const struct driver_env *env,
                   const struct deployer_order *order,
                   const struct router *router,
                   Pb__Observed *ret)
{
    const bool whole =
        !router->marker.present || !pb_same(router->marker.state, MARKER_SWITCHING);

    ret->target = order->target->name;
    ret->state =
        whole ? arena_printf(env->arena, DEPLOYED_SIDE "%s", router->side) : MARKER_SWITCHING;
    ret->fence = router->marker.present ? pb_fence_text(env->arena, &router->marker.fence) : "";
}

enum err router_observe(const struct driver_env *env,
                        const struct deployer_order *order,
                        Pb__Observed *ret,
                        struct error *error)
{
    struct router router;
    const enum err err = router_open(env, order, &router, error);

    if (err != ERR_OK)
        return err;
    report(env, order, &router, ret);
    return ERR_OK;
}

static enum err mark(const struct driver_env *env,
                     const struct deployer_order *order,
                     struct router *router,
                     const char *state,
                     struct error *error)
{
    const struct marker marker = {
        .state = state,
        .release = order->side,
        .version = "",
        .digest = "",
        .previous = router->side,
    };

    return marker_write(env, router->marker_path, order, &marker, error);
}

static enum err point(const struct driver_env *env,
                      const struct deployer_order *order,
                      const struct router *router,
                      struct error *error)
{
    if (order->side[0] == '\0')
        return disk_remove(order->stage, router->link, error);
    return disk_link(order->stage,
                     router->link,
                     link_text(env->arena, router->config->router_to, order->side),
                     error);
}

static enum err reload(const struct driver_env *env,
                       const struct deployer_order *order,
                       const struct router *router,
                       struct error *error)
{
    const struct invocation invocation = {
        .argv = &router->config->router_reload,
        .timeout_ms = router->config->router_timeout_ms,
    };

    const enum err err = turn_check(order, error);

    if (err != ERR_OK || router->config->router_reload.count == 0)
        return err;
    return invoke(env, order, &invocation, NULL, error);
}

static enum err move(const struct driver_env *env,
                     const struct deployer_order *order,
                     struct router *router,
                     struct error *error)
{
    enum err err = mark(env, order, router, MARKER_SWITCHING, error);

    release_directory_reached(order, "marked");
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_MARK);
    if (err == ERR_OK)
        err = point(env, order, router, error);
    release_directory_reached(order, "linked");
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_LINK);
    if (err == ERR_OK)
        err = reload(env, order, router, error);
    release_directory_reached(order, "reloaded");
    driver_crash_point(env, CRASH_DEPLOYER_AFTER_ACT);
    if (err == ERR_OK)
        err = mark(env, order, router, DEPLOYED_ACTIVE, error);
    return err;
}

static enum err shift_in_turn(const struct driver_env *env,
                              const struct deployer_order *order,
                              struct error *error)
{
    struct router router;
    enum err err = router_open(env, order, &router, error);

    if (err == ERR_OK)
        err = marker_admits(&router.marker, order, error);
    if (err != ERR_OK)
        return err;
    if (driver_stopped(env))
        return error_set(error, ERR_STALE, "stopped before the traffic was shifted");
    if (pb_same(router.side, order->side) && !pb_same(router.marker.state, MARKER_SWITCHING))
        return mark(env, order, &router, DEPLOYED_ACTIVE, error);
    return move(env, order, &router, error);
}

enum err router_shift(const struct driver_env *env,
                      const struct deployer_order *order,
                      Pb__Observed *ret,
                      struct error *error)
{
    const struct release_directory_config *const config = order->config;
    const char *const link = driver_path(env, config->router_link);
    struct deployer_order ours = *order;
    struct router router;
    struct turn turn;
    enum err err = router_open(env, order, &router, error);

    if (err == ERR_OK)
        err = turn_begin(env,
                         order,
                         arena_printf(env->arena, "%s.lock", link),
                         config->take_over_ms,
                         &turn,
                         error);
    if (err != ERR_OK)
        return err;
    ours.stage = turn.stage;
    err = turn_judge(&turn, shift_in_turn(env, &ours, error), error);
    turn_end(&turn);
    return err == ERR_OK ? router_observe(env, order, ret, error) : err;
}
