/* Latches that others wrote on control.v1: a person at the gateway while the coordinator was
 * down, the monitor by a direct rule. The deployment is told, and stops. */
#ifndef SERVICES_COORDINATOR_KILLS_H
#define SERVICES_COORDINATOR_KILLS_H

#include "services/coordinator/shell.h"

/* A latch of that deployment has come: look at it in the next turn. */
void kills_remember(struct coordinator *shell, const char *deployment);

/* A partition went live: look at all latches of its deployments. */
void kills_look_again(struct partition *partition);

/* Tell the deployments of live partitions what they do not know yet. */
enum err kills_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

#endif
