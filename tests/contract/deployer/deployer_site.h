/* A folder with artifacts, two instances and the programs that a deployer needs, for the driver
 * under test. Made fresh for each test and removed after it. */
#ifndef TESTS_CONTRACT_DEPLOYER_DEPLOYER_SITE_H
#define TESTS_CONTRACT_DEPLOYER_DEPLOYER_SITE_H

#include "common/drivers/deployers/deployer.h"

struct site_kind {
    const char *driver; /* "release-directory" */
    bool folder;        /* Artifacts are folders, not files. */
};

struct deployer_site {
    const struct site_kind *kind;
    char root[64];
    struct arena arena;
    struct settings settings;
    struct setting_target target;
    struct setting_instance instances[2];
    struct deployer_book book;
    struct driver_env env;
    bool stop; /* What env.stopped answers. */
};

struct deployer_site *site_new(const struct site_kind *kind);
void site_free(struct deployer_site *site);

/* An order for the first instance: bring that version of the artifact, under that fence. The
 * digest is the artifact's. */
struct deployer_order site_order(struct deployer_site *site,
                                 const char *version,
                                 uint64_t fence_version);

/* What the driver sees on the first instance now. */
Pb__Observed site_observe(struct deployer_site *site);

/* Files below root. */
void site_put(struct deployer_site *site, const char *path, const char *text);
bool site_has(struct deployer_site *site, const char *path);

/* How often the driver has changed or restarted something so far. */
unsigned site_changes(struct deployer_site *site);

/* The next change of the driver fails (status 1) until site_mend. */
void site_break(struct deployer_site *site);
void site_mend(struct deployer_site *site);

#endif
