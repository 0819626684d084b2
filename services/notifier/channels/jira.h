/* Jira over REST, versions 2 and 3: what the files jira*.c share. */
#ifndef SERVICES_NOTIFIER_CHANNELS_JIRA_H
#define SERVICES_NOTIFIER_CHANNELS_JIRA_H

#include "services/notifier/channels/channel.h"

#include <jansson.h>

struct jira_config {
    const char *url;
    uint32_t api;
    const char *user;
    const char *token_file;
    const char *transition;
    const char *transition_failed;
    const char *field_date;
    const char *field_version;
    const char *field_flags;
    int64_t timeout_ms;
};

/* One conversation about one ticket. */
struct jira {
    const struct driver_env *env;
    const struct jira_config *config;
    const struct notice *notice;
    const char *authorization;
    int64_t retry_after_ms;
};

/* Ask about the ticket: path is appended to its address ("" or "/comment"). body may be NULL.
 * ret_tree (may be NULL) is the answer, NULL if it had none; release it with json_decref.
 * Errors as channel_status, with what Jira says. */
enum err jira_call(struct jira *jira,
                   const char *method,
                   const char *path,
                   const json_t *body,
                   json_t **ret_tree,
                   struct error *error);

/* The same of what may be gone: ERR_OK without a tree then. */
enum err jira_look(struct jira *jira, const char *path, json_t **ret_tree, struct error *error);

/* Text as a body of that API version: a string, or an Atlassian document. A new reference. */
json_t *jira_body(const struct jira *jira, const char *text);

/* The words of such a body, in the arena. */
const char *jira_body_text(struct arena *arena, const json_t *body);

/* The comment of the notice's group is there, once; ret_text is what it says. */
enum err jira_comment(struct jira *jira, const char **ret_text, struct error *error);

/* The ticket stands where that transition leads. Skipped when it does so already. */
enum err jira_transition(struct jira *jira,
                         const char *name,
                         const char **ret_status,
                         struct error *error);

/* A property of the ticket: a note that only programs see. ret_value is NULL if there is none;
 * else a new reference. */
enum err jira_property(struct jira *jira,
                       const char *name,
                       json_t **ret_value,
                       struct error *error);
enum err jira_property_put(struct jira *jira,
                           const char *name,
                           const json_t *value,
                           struct error *error);

#endif
