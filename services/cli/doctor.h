/* What the doctor has found so far. */
#ifndef SERVICES_CLI_DOCTOR_H
#define SERVICES_CLI_DOCTOR_H

#include "services/cli/cli.h"

enum doctor_verdict { DOCTOR_WELL, DOCTOR_WARNING, DOCTOR_FAULT };

struct doctor {
    struct cli *cli;
    json_t *items; /* [{"check", "verdict", "found", "fix"}] */
    size_t faults;
    size_t warnings;
};

/* One finding; fix NULL or "" where there is nothing to do. */
struct doctor_finding {
    enum doctor_verdict verdict;
    const char *check;
    const char *found;
    const char *fix;
};
void doctor_say(struct doctor *doctor, const struct doctor_finding *finding);

/* Asks the brokers and Redis of that slipway.yaml themselves: topics and their settings,
 * rights, and whether Redis stands where the log does. server_hash: of the settings that the
 * gateway runs with; "" if unknown. */
void doctor_server(struct doctor *doctor, const char *settings_path, const char *server_hash);

#endif
