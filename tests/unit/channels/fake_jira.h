/* A ticket of Jira, as far as the driver can tell: status, fields, comments, links, properties.
 * It keeps what it is sent and answers as versions 2 and 3 do. */
#ifndef TESTS_UNIT_CHANNELS_FAKE_JIRA_H
#define TESTS_UNIT_CHANNELS_FAKE_JIRA_H

#include "common/ports/http_client.h"

#include <jansson.h>
#include <stdbool.h>

struct fake_jira {
    json_t *fields;     /* {"status":{"name"},...} */
    json_t *comments;   /* list */
    json_t *links;      /* by globalId */
    json_t *properties; /* by name */
    unsigned status_reads;
    unsigned comment_searches;
    unsigned transitions_made;
    unsigned lose_answers; /* So many answers to writes are lost after the write was done. */
    bool forgets_fields;   /* Takes a field and keeps the old value. */
    bool workflow_hides;   /* Offers no transition once it is Done. */
};

void fake_jira_open(struct fake_jira *fake);
void fake_jira_close(struct fake_jira *fake);

/* For a table of prepared answers; self is a struct fake_jira. */
enum err fake_jira_respond(void *self,
                           struct arena *arena,
                           const struct http_request *request,
                           struct http_response *ret,
                           struct error *error);

#endif
