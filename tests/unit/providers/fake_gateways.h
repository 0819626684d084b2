/* Gateways that answer the internal flag address as the real one does, each from a fold of its
 * own, and the settings that name them. */
#ifndef TESTS_UNIT_PROVIDERS_FAKE_GATEWAYS_H
#define TESTS_UNIT_PROVIDERS_FAKE_GATEWAYS_H

#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "common/domain/flags.h"
#include "common/drivers/providers/provider.h"

enum { FAKE_GATEWAYS = 3 };

struct fake_gateways {
    struct arena arena;
    struct memory_clock clock;
    struct memory_http *http;
    struct flag_table *table[FAKE_GATEWAYS];
    bool silent[FAKE_GATEWAYS];
    struct settings settings;
    struct setting_environment environment;
    struct setting_driver provider;
    const char *peers[FAKE_GATEWAYS];
    struct driver_env env; /* Ready for provider calls. */
};

void fake_gateways_open(struct fake_gateways *fake);
void fake_gateways_close(struct fake_gateways *fake);

/* Fold a value in on every gateway, or on one. deployment may be latched with fake_latch. */
void fake_grant(struct fake_gateways *fake, const Pb__FlagValue *value);
void fake_grant_on(struct fake_gateways *fake, unsigned gateway, const Pb__FlagValue *value);
void fake_latch(struct fake_gateways *fake, const char *deployment);
void fake_latch_on(struct fake_gateways *fake, unsigned gateway, const char *deployment);

/* A value of express-pay.1 for flag express-pay in production. */
Pb__FlagValue *fake_value(struct fake_gateways *fake, uint64_t sequence, uint32_t percent);

#endif
