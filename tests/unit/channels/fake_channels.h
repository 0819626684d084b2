/* The other ends of all channels, the settings that name them, and a notice to send. */
#ifndef TESTS_UNIT_CHANNELS_FAKE_CHANNELS_H
#define TESTS_UNIT_CHANNELS_FAKE_CHANNELS_H

#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "services/notifier/channels/channel.h"
#include "tests/unit/channels/fake_jira.h"

#define FAKE_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define FAKE_TOKEN  "s3cret-token"

enum { FAKE_CHANNELS_MAX = 8 };

struct fake_channels {
    struct arena arena;
    struct memory_clock clock;
    struct memory_http *http;
    struct fake_jira jira;
    struct settings settings;
    struct setting_driver channel[FAKE_CHANNELS_MAX];
    struct driver_env env;
    char folder[64]; /* Holds the secrets. */
    Pb__Pair *facts[5];
    Pb__Link *links[1];
    struct notice notice;
};

/* Channels "jira" (version 2, transition Done), "hook" and "mail" work. */
void fake_channels_open(struct fake_channels *fake);
void fake_channels_close(struct fake_channels *fake);

/* One more, or another under the same name, with options written as YAML. */
void fake_channel_add(struct fake_channels *fake,
                      const char *name,
                      const char *driver,
                      const char *yaml);

/* From now on every request is answered so. */
void fake_channels_answer(struct fake_channels *fake, const struct memory_http_answer *answer);

#endif
