/* Who is asking: bearer tokens out of the operator's token file, which holds only their hashes.
 *
 *     tokens:
 *       - {subject: mira.okafor, name: Mira Okafor, roles: [technical-lead], sha256: <64 hex>}
 *       - {subject: ci/github, roles: [submitter], sha256: ..., expires:
 * "2027-01-01T00:00:00Z"}
 *
 * Roles are those of slipway.yaml and three of the gateway's own: `submitter` (may submit),
 * `alerting` (may send alerts), `reader` (may only read). Every token may read. */
#ifndef SERVICES_GATEWAY_AUTH_H
#define SERVICES_GATEWAY_AUTH_H

#include "common/config/yaml.h"
#include "common/wire/pb.h"

#include <stdint.h>

struct auth;

/* Reads the file. Problems name line and field; NULL if there was an error. The file must not
 * be writable by others. */
struct auth *auth_load(const char *path, struct yaml_problems *problems);
void auth_free(struct auth *auth); /* Accepts NULL. */

/* The actor of an Authorization header's value, borrowed from auth; NULL if it is none of ours.
 * Takes the same time for every wrong token of a length. */
const Pb__Actor *auth_actor(const struct auth *auth, const char *authorization, int64_t now_ms);

/* A session knows a token by the first AUTH_MARK digits of its hash: enough to find it again.
 */
enum { AUTH_MARK = 16 };
const Pb__Actor *auth_marked(const struct auth *auth, const char *mark, int64_t now_ms);

/* The hash of the token that gave us this actor. */
const char *auth_hash(const struct auth *auth, const Pb__Actor *actor);

/* The name to show for a subject; the subject itself if none is known. */
const char *auth_display_name(const struct auth *auth, const char *subject);

/* True if the actor has the role. */
bool auth_has_role(const Pb__Actor *actor, const char *role);

#endif
