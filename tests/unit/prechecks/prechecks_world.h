/* A world in which all is well for step 1: artifacts on disk, documents and metrics prepared,
 * two instances of shop with nothing on them. A test breaks one thing and looks. */
#ifndef TESTS_UNIT_PRECHECKS_PRECHECKS_WORLD_H
#define TESTS_UNIT_PRECHECKS_PRECHECKS_WORLD_H

#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/adapters/memory/store.h"
#include "services/prechecks/prechecks.h"
#include "tests/support/signing.h"
#include "tests/support/test.h"

struct world {
    char root[64];
    struct arena arena;
    struct memory_clock clock;
    struct memory_http *http;
    struct memory_space *space;
    struct service_ports service;
    struct worker_ports ports;
    Pb__RunChecks *asked; /* Changes: migrations 2 and 3, configuration r2, shop 1.1. */
    const char *config_hash;
    bool stop;               /* What the task's stopped answers. */
    struct signing *signing; /* NULL until world_sign. */
};

/* For cmocka. */
int world_open(void **state);
int world_close(void **state);

/* Files below root. */
const char *world_path(struct world *world, const char *path);
void world_put(struct world *world, const char *path, const char *content);
void world_folder(struct world *world, const char *path);

/* A request to url is answered so, before what is prepared for a world where all is well. */
void world_answer(struct world *world, const char *url, int status, const char *body);

/* From here on artifacts must be signed by a key made for this; what it signs lies beside each
 * of them, and at "http://wiki/report.sig". */
void world_sign(struct world *world);

/* SHA-256 of a text. */
Pb__Digest *world_digest(struct world *world, const char *text);

/* One more change, with the digest of what lies at artifacts/<source>. */
Pb__Change *world_change(struct world *world,
                         Pb__ArtifactKind kind,
                         const char *target,
                         const char *version,
                         const char *source);

/* One more check to ask. */
Pb__CheckSpec *world_check(struct world *world, const char *id, const char *kind);

/* "At most 0" of that query, on shop-metrics. */
void world_metric(struct world *world, Pb__CheckSpec *check, const char *query);

/* A release that somebody else put on that instance (its folder): it is current there. */
void world_deploy(struct world *world, const char *instance, const char *version);

/* Run all checks as one task. */
const Pb__TaskFinished *world_run(struct world *world);

/* Add this built-in check, run, and give back its finding. */
const Pb__Finding *world_look(struct world *world, const char *id);

/* The finding has that verdict, and its observed contains said. */
void world_expect(const Pb__Finding *finding, Pb__Verdict verdict, const char *said);

#define PROVES(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

#endif
