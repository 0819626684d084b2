/* Freezes and windows: what holds a deployment because of the calendar. */
#ifndef SERVICES_COORDINATOR_HOLDS_H
#define SERVICES_COORDINATOR_HOLDS_H

#include "services/coordinator/shell.h"

/* In the arena of the piece of work. */
struct holds {
    Pb__HoldSet **items;
    size_t count;
    bool window_open;
    int64_t next_change_ms; /* When it may look different; 0: not by itself. */
};

/* The holds that a deployment of this plan should have at that moment. */
struct holds holds_wanted(struct coordinator *shell, const Pb__Plan *plan, int64_t now_ms);

/* Tell the deployments of live partitions which holds begin and end. */
enum err holds_turn(struct coordinator *shell, struct error *error) MUST_CHECK;

#endif
