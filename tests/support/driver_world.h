/* What drivers are handed, all of it in memory: a clock that moves when told, prepared answers
 * over HTTP and of programs, and settings read from a text as an operator would write it. */
#ifndef TESTS_SUPPORT_DRIVER_WORLD_H
#define TESTS_SUPPORT_DRIVER_WORLD_H

#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/adapters/memory/process.h"
#include "common/drivers/driver.h"

struct driver_world {
    struct arena arena;
    struct memory_clock clock;
    struct memory_http *http;
    struct memory_process *process;
    struct driver_env env;
    struct yaml_problems problems;
    bool stop; /* What env.stopped answers. */
};

/* settings: sections of slipway.yaml beside one environment "production" and one target "shop"
 * with the instances shop-1 and shop-2 at http://shop-1 and http://shop-2; fails the test when
 * they cannot be read. Time is 2026-11-23T08:24:00Z. */
void driver_world_open(struct driver_world *world, const char *settings);
void driver_world_close(struct driver_world *world);

/* Every request to url (fnmatch) is answered so, after whatever answers stand before it. */
void driver_world_answer(struct driver_world *world,
                         const char *url,
                         int status,
                         const char *body);

/* Every request to url fails so. */
void driver_world_refuse(struct driver_world *world, const char *url, enum err err);

/* A new check of kind "probe" that asks that probe. */
Pb__CheckSpec *driver_world_check(struct driver_world *world,
                                  const char *id,
                                  const char *probe);

/* Adds a param to a check. */
void driver_world_param(struct driver_world *world,
                        Pb__CheckSpec *check,
                        const char *key,
                        const char *value);

#endif
