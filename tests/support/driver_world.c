#include "tests/support/driver_world.h"

#include "common/base/text.h"
#include "tests/support/test.h"

/* clang-format off */
static const char common_settings[] =
    "kafka: {brokers: \"127.0.0.1:9\", partitions: 2}\n"
    "redis: {host: 127.0.0.1}\n"
    "security: {keys: keys, tokens: tokens.yaml}\n"
    "gateway: {listen: \"127.0.0.1:8080\", public_url: \"http://127.0.0.1:8080\", peers: [\"http://127.0.0.1:8080\"]}\n"
    "providers:\n"
    "  - {name: builtin, driver: builtin, timeout: 2s}\n"
    "environments:\n"
    "  - {name: production, policy: quick, provider: builtin}\n"
    "policies:\n"
    "  - name: quick\n"
    "    approach: rolling\n"
    "    signoffs:\n"
    "      - {role: lead, step: 2, what: execution}\n"
    "      - {role: lead, step: 3, what: validation}\n"
    "      - {role: lead, step: 6, what: monitoring}\n"
    "roles:\n"
    "  - {name: lead, members: [tess]}\n"
    "targets:\n"
    "  - name: shop\n"
    "    service: shop\n"
    "    environment: production\n"
    "    artifact_root: artifacts\n"
    "    deployer: {driver: release-directory, restart: [\"true\"]}\n"
    "    instances:\n"
    "      - {name: shop-1, url: \"http://shop-1\", directory: one}\n"
    "      - {name: shop-2, url: \"http://shop-2\", directory: two}\n";
/* clang-format on */

static bool world_stopped(void *self)
{
    return ((const struct driver_world *)self)->stop;
}

static void read_settings(struct driver_world *world, const char *more)
{
    const char *const text = arena_printf(&world->arena, "%s%s", common_settings, more);

    world->problems.arena = &world->arena;
    world->env.settings =
        settings_read(&world->arena, "slipway.yaml", text, strlen(text), &world->problems);
    for (size_t i = 0; i < world->problems.count; i++) {
        const struct yaml_problem *const problem = &world->problems.item[i];

        if (!problem->warning)
            fail_msg("%s:%d: %s", problem->file, problem->line, problem->message);
    }
    assert_non_null(world->env.settings);
}

void driver_world_open(struct driver_world *world, const char *settings)
{
    memset(world, 0, sizeof *world);
    world->arena = arena_with_limit(YAML_ARENA_SIZE);
    world->clock.now_ms = INT64_C(1795422240000);
    world->clock.monotonic_ms = 1000;
    world->http = memory_http_new();
    world->process = memory_process_new();
    world->env = (struct driver_env){
        .arena = &world->arena,
        .clock = memory_clock_port(&world->clock),
        .http = memory_http_client(world->http),
        .process = memory_process_runner(world->process),
        .stopped = world_stopped,
        .stopped_self = world,
    };
    read_settings(world, settings);
}

void driver_world_close(struct driver_world *world)
{
    world->env.http.close(world->env.http.self);
    memory_http_free(world->http);
    memory_process_free(world->process);
    arena_release(&world->arena);
}

void driver_world_answer(struct driver_world *world,
                         const char *url,
                         int status,
                         const char *body)
{
    const struct memory_http_answer answer = {
        .url = url, .status = status, .body = body, .took_ms = 3
    };

    memory_http_answer(world->http, &answer);
}

void driver_world_refuse(struct driver_world *world, const char *url, enum err err)
{
    const struct memory_http_answer answer = { .url = url, .err = err };

    memory_http_answer(world->http, &answer);
}

Pb__CheckSpec *driver_world_check(struct driver_world *world, const char *id, const char *probe)
{
    Pb__CheckSpec *const check = pb_new(&world->arena, &pb__check_spec__descriptor);

    check->id = id;
    check->kind = "probe";
    check->probe = probe;
    check->required = true;
    check->remedy = "look into it";
    return check;
}

void driver_world_param(struct driver_world *world,
                        Pb__CheckSpec *check,
                        const char *key,
                        const char *value)
{
    PB_APPEND(&world->arena, check, params, pb_pair_new(&world->arena, key, value));
}
