/* Where notices go: a ticket, a signed webhook, mail.
 *
 * A channel driver is one file (or a few) and one row in
 * common/config/drivers.def: name, option table,
 * capabilities, and a function that delivers one notice and says how it went. The sending
 * itself is the HTTP client's, so no test needs a network. Every driver passes
 * tests/contract/channel. */
#ifndef SERVICES_NOTIFIER_CHANNELS_CHANNEL_H
#define SERVICES_NOTIFIER_CHANNELS_CHANNEL_H

#include "common/drivers/driver.h"

enum channel_capability {
    CHANNEL_HAS_KEY = 1 << 0,    /* The other side tells a repeat from a new notice. */
    CHANNEL_READS_BACK = 1 << 1, /* What was written is read again before it counts. */
    CHANNEL_IS_TICKET = 1 << 2,  /* Knows the purposes "jira.*". */
};

/* What is to be said. All text borrowed for the call. */
struct notice {
    const char *id;      /* Deterministic: a repeat has the same. Letters, digits, '_'. */
    const char *group;   /* Notices of one group are one comment of a ticket. */
    const char *what;    /* "blocked", "completed", ... */
    const char *purpose; /* "notify.deployment", "jira.version", ... */
    const char *deployment;
    const char *feature;
    const char *environment;
    const char *title;
    const char *text;
    const char *ticket; /* "SHOP-4182"; "" if none */
    Pb__Pair *const *facts;
    size_t fact_count;
    Pb__Link *const *links;
    size_t link_count;
    const char *const *roles; /* Who it is for. */
    size_t role_count;
    int64_t at_ms;
};

/* How it went; text in env->arena. */
struct delivery_note {
    const char *id;         /* What the other side calls it. */
    const char *link;       /* Where people see it; "" if nowhere. */
    const char *observed;   /* One sentence: what was written and read back. */
    const char *evidence;   /* How one can see the same. */
    int64_t retry_after_ms; /* On ERR_UNAVAILABLE: not before; 0 if not said. */
};

struct channel_driver {
    const char *name;
    const struct option *options;
    size_t config_size;
    unsigned capabilities;

    /* Deliver one notice. Repeating it is harmless where CHANNEL_HAS_KEY, else it may arrive
     * twice. ERR_UNAVAILABLE, ERR_TIMED_OUT: later; ERR_DENIED: not allowed; ERR_CONFLICT: read
     * back as something else; ERR_INVALID, ERR_NOT_FOUND: never. */
    enum err (*send)(const struct driver_env *env,
                     const void *config,
                     const struct notice *notice,
                     struct delivery_note *ret,
                     struct error *error);
};

/* The driver of that name, or NULL. */
const struct channel_driver *channel_find(const char *name);

/* Every row, NULL-terminated. */
const struct channel_driver *const *channel_all(void);

/* Reads the options of every configured channel; what is wrong with them goes to problems. */
void channels_check(struct arena *arena,
                    const struct settings *settings,
                    struct yaml_problems *problems);

/* Deliver by the configured channel of that name. ret_driver (may be NULL) is set as soon as
 * the driver is known. ERR_INVALID: no such channel, or its options are wrong. */
enum err channel_send(const struct driver_env *env,
                      const char *channel,
                      const struct notice *notice,
                      const struct channel_driver **ret_driver,
                      struct delivery_note *ret,
                      struct error *error) MUST_CHECK;

/* What an HTTP status means for a notice: 2xx delivered; 408, 425, 429 and 5xx later; 401 and
 * 403 denied; 404 not found; all else invalid. */
enum err channel_status(int status);

/* The wait that an answer asks for: Retry-After in seconds, at most an hour; 0 if it says
 * nothing we understand. */
int64_t channel_retry_after_ms(const struct http_response *response);

/* The first letters of an answer, on one line, for an error. */
const char *channel_excerpt(struct arena *arena, const struct http_response *response);

/* The notice for reading: title, text, facts and links, a line each. */
const char *notice_text(struct arena *arena, const struct notice *notice);

/* "Feature flags" for "flag_status"; the key itself where there is no better word. */
const char *notice_fact_label(const char *key);

/* The fact of that key, or "". */
const char *notice_fact(const struct notice *notice, const char *key);

#define CHANNEL(symbol, ...) extern const struct channel_driver channel_##symbol;
#include "common/config/drivers.def"

#endif
