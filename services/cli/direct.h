/* The kill switch without a gateway: the latch goes straight to control.v1. */
#ifndef SERVICES_CLI_DIRECT_H
#define SERVICES_CLI_DIRECT_H

#include "common/config/settings.h"
#include "common/ports/bus.h"
#include "common/wire/envelope.h"
#include "services/cli/cli.h"

/* What is to be off, and by whom. All borrowed. */
struct direct_kill {
    const struct settings *settings;
    const struct bus *bus;
    const struct envelope_keys *keys; /* With the gateway's, in whose name it is signed. */
    const char *flag;
    const char *environment; /* NULL: where the flag is. */
    const char *reason;
};

/* Reads control.v1 to its end, latches the deployment that has the flag, and asks the gateways
 * of the settings whether they have heard. With dry_run nothing is written. */
enum cli_exit direct_kill(struct cli *cli, const struct direct_kill *kill);

/* flags kill --direct; settings_path NULL: /etc/slipway/slipway.yaml. */
enum cli_exit direct_run(struct cli *cli, const char *settings_path, struct direct_kill kill);

#endif
