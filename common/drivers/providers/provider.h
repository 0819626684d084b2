/* Where flags live: `builtin` (control.v1, evaluated by the gateways), and others later. One
 * file and one row in common/config/drivers.def each; every driver passes
 * tests/contract/provider.
 */
#ifndef COMMON_DRIVERS_PROVIDERS_PROVIDER_H
#define COMMON_DRIVERS_PROVIDERS_PROVIDER_H

#include "common/drivers/driver.h"

/* What a flag should be, or is. As wanted: sequence 0 means any, latched means that an instance
 * counts as off only if it knows the latch, or holds a value of `sequence` or later. */
struct flag_value {
    uint32_t percent;
    const char *audience;
    uint64_t sequence; /* 0 if the provider keeps none. */
    bool latched;
    const char *deployment;
};

/* What reading a flag back found. */
struct flag_reading {
    struct flag_value value;
    unsigned agree;       /* Instances of the provider that hold the value just read. */
    unsigned of;          /* Instances asked; a silent one counts as disagreeing. */
    unsigned silent;      /* Of those, the ones that did not answer. */
    int64_t slowest_ms;   /* The longest an answer took. */
    const char *evidence; /* How one can see the same. */
    const char *disagree; /* "gateway-2: 10 %, gateway-3 silent"; "" if none */
};

struct provider_driver {
    const char *name;
    const struct option *options;
    size_t config_size;

    /* Make the provider hold wanted. Repeating it is harmless. */
    enum err (*set)(const struct driver_env *env,
                    const void *config,
                    const Pb__FlagSpec *flag,
                    const char *environment,
                    const struct flag_value *wanted,
                    struct error *error);

    /* What the provider answers users with now, read past every cache. */
    enum err (*read)(const struct driver_env *env,
                     const void *config,
                     const Pb__FlagSpec *flag,
                     const char *environment,
                     struct flag_reading *ret,
                     struct error *error);

    /* ERR_OK when the provider can be reached. Changes nothing. */
    enum err (*available)(const struct driver_env *env,
                          const void *config,
                          struct error *error);
};

const struct provider_driver *provider_find(const char *name);
const struct provider_driver *const *provider_all(void);

/* Reads the options of every configured provider; what is wrong with them goes to problems. */
void providers_check(struct arena *arena,
                     const struct settings *settings,
                     struct yaml_problems *problems);

/* The provider of a flag in an environment with its options read, and calls of it. ERR_INVALID:
 * nothing of that name is configured, or its options are wrong. */
enum err provider_set(const struct driver_env *env,
                      const Pb__FlagSpec *flag,
                      const char *environment,
                      const struct flag_value *wanted,
                      struct error *error) MUST_CHECK;
enum err provider_read(const struct driver_env *env,
                       const Pb__FlagSpec *flag,
                       const char *environment,
                       struct flag_reading *ret,
                       struct error *error) MUST_CHECK;
enum err provider_available(const struct driver_env *env,
                            const Pb__FlagSpec *flag,
                            const char *environment,
                            struct error *error) MUST_CHECK;

/* Read the flag from its configured provider and compare with wanted: PASS only when every
 * instance agrees; INCONCLUSIVE when some are silent; ERROR when none answers. */
Pb__Finding *provider_read_back(const struct driver_env *env,
                                const Pb__CheckSpec *check,
                                const Pb__FlagSpec *flag,
                                const char *environment,
                                const struct flag_value *wanted);

/* The same with the reading as well (zeroed when the provider could not be read). */
Pb__Finding *provider_compare(const struct driver_env *env,
                              const Pb__CheckSpec *check,
                              const Pb__FlagSpec *flag,
                              const char *environment,
                              const struct flag_value *wanted,
                              struct flag_reading *ret_reading);

#endif
