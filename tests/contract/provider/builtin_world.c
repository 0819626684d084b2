#include "tests/contract/provider/provider_contract.h"
#include "tests/unit/providers/fake_gateways.h"

static struct fake_gateways fake;

static void open_world(void)
{
    fake_gateways_open(&fake);
}

static void close_world(void)
{
    fake_gateways_close(&fake);
}

static const struct driver_env *world_env(void)
{
    return &fake.env;
}

static void publish(uint64_t sequence, uint32_t percent, const char *audience)
{
    Pb__FlagValue *const value = fake_value(&fake, sequence, percent);

    value->audience = audience;
    fake_grant(&fake, value);
}

static void latch(void)
{
    fake_latch(&fake, "express-pay.1");
}

static void silence(bool all)
{
    for (unsigned i = 0; i < (all ? FAKE_GATEWAYS : 1); i++)
        fake.silent[i] = true;
}

const struct provider_world builtin_world = {
    .driver = "builtin",
    .open = open_world,
    .close = close_world,
    .env = world_env,
    .publish = publish,
    .latch = latch,
    .silence = silence,
};
