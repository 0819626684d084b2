/* Where the command line finds its server and token. */
#ifndef SERVICES_CLI_PROFILE_H
#define SERVICES_CLI_PROFILE_H

#include "services/cli/cli.h"

/* Fills server, token_file and token of cli. The first that has a value wins: flag (already
 * set), SLIPWAY_SERVER and SLIPWAY_TOKEN_FILE, .slipway in this folder or above (up to the
 * repository's root), $XDG_CONFIG_HOME/slipway/config.yaml, /etc/slipway/cli.yaml, the token
 * stored by login. ERR_DENIED when others may read the token file. */
enum err profile_load(struct cli *cli, struct error *error) MUST_CHECK;

/* $XDG_STATE_HOME/slipway/tokens/PROFILE */
const char *profile_token_path(struct cli *cli);

#endif
