/* The deployments of a partition that the shell looks after: which tasks are out, and when to
 * look at freezes and windows again. An ended one stays until its announcements are out.
 * Rebuilt at every take-over. */
#ifndef SERVICES_COORDINATOR_LIVE_H
#define SERVICES_COORDINATOR_LIVE_H

#include "common/wire/pb.h"

enum {
    LIVE_TASKS_MAX = 16,        /* More than a state ever holds. */
    LIVE_RESEND_MS = 30 * 1000, /* An unclaimed command is sent again; then after twice that. */
    LIVE_RESENDS_SHIFT_MAX = 5,
    LIVE_FIRED_MAX = 16,            /* Twice the timers that a state may hold. */
    LIVE_FIRE_AGAIN_MS = 10 * 1000, /* The word may not have got out. */
    LIVE_FIRE_EARLY_MS = 1000,      /* It came, and the broker's clock said: not yet. */
};

/* A task that the deployment waits for. */
struct live_task {
    char name[160];
    int64_t sent_ms;
    int64_t lost_told_ms; /* When TaskLost was put on the log; 0: never. */
    uint32_t drive;
    unsigned resends;
    bool cancelling;
    bool waiting; /* Between two drives: there is no command. */
};

/* A timer whose TimerFired is on the log. */
struct live_fired {
    char timer[48];
    uint64_t armed_version;
    int64_t again_ms; /* Not before. */
};

struct live {
    char *id; /* Owned. */
    Pb__Phase phase;
    unsigned in_hand; /* crash.h */
    uint64_t version;
    struct live_task tasks[LIVE_TASKS_MAX];
    size_t task_count;
    struct live_fired fired[LIVE_FIRED_MAX];
    size_t fired_next;  /* Place of the next one: the oldest gives way. */
    int64_t look_at_ms; /* When holds are to be compared next; 0: at once. */
};

/* All zeroes is empty. */
struct live_table {
    struct live *items;
    size_t count;
    size_t capacity;
};

void live_clear(struct live_table *table);

/* True for a deployment that has not ended or still has tasks out. */
bool live_belongs(const Pb__DeploymentState *state);

/* Take over what this state says: added, changed, or removed if it belongs no longer. */
void live_update(struct live_table *table, const Pb__DeploymentState *state, int64_t now_ms);

/* NULL if there is none. Borrowed until the next update. */
struct live *live_find(const struct live_table *table, const char *id);

/* The task of that name, of whatever deployment; NULL if there is none. */
struct live_task *live_task_find(const struct live_table *table, const char *name);

/* True if that timer is to be fired now; from then on it counts as fired for a while. */
bool live_may_fire(struct live *live,
                   const char *timer,
                   uint64_t armed_version,
                   int64_t now_ms);

/* Its TimerFired was read from the log: if it is still due after that it may fire again soon.
 */
void live_has_fired(struct live *live,
                    const char *timer,
                    uint64_t armed_version,
                    int64_t now_ms);

/* Look at all freezes and windows again. */
void live_look_again(struct live_table *table);

#endif
