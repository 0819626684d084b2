/* The inside of the coordinator's shell, for the files beside this one.
 *
 * One thread does everything here. For each partition of events.v1 that the group has given to
 * this process there is one struct partition; what it knows it read from Redis or from the log,
 * and any failure makes it forget that and take the partition over again (takeover.h). */
#ifndef SERVICES_COORDINATOR_SHELL_H
#define SERVICES_COORDINATOR_SHELL_H

#include "common/base/arena.h"
#include "common/ports/crash.h"
#include "common/runtime/service.h"
#include "common/wire/digest.h"
#include "services/coordinator/cache.h"
#include "services/coordinator/live.h"

#include <pthread.h>

#define COORDINATOR       "coordinator"
#define GROUP_COORDINATOR "slipway.coordinator"
#define GROUP_INTAKE      "slipway.intake"

enum {
    BATCH_RECORDS_MAX = 256,
    BATCH_BYTES_MAX = 4 * 1024 * 1024, /* Of records; bounds what they unpack to. */
    ARENA_MAX = 512 * 1024 * 1024,     /* 64 times that, and room for the answers. */
    RECEIVE_WAIT_MS = 20,              /* How late a timer, a freeze or an acceptance is. */
    FLUSH_TIMEOUT_MS = 10 * 1000,      /* Below the group's patience with a silent member. */
    RETRY_PAUSE_MS = 500,              /* Between two take-overs of an unwell partition. */
    RECORD_PATIENCE_MS = 5 * 1000,     /* A record known to be there is asked for again. */
    GROUP_COMMIT_EVERY_MS = 200,       /* While records keep coming; at once when idle. */
    TIMERS_EVERY_MS = 25,
    CHORES_EVERY_MS = 1000,  /* Leases, holds, ownership. */
    NUMBERS_EVERY_MS = 5000, /* Metrics that must be asked for. */
    OWNER_SIZE = 33,
    READY_SIZE = OWNER_SIZE + 64, /* An owner and the run of Redis (common/state/keys.h). */
    QUARANTINE_DEATHS = 3,
};

enum partition_phase {
    PARTITION_NEW,     /* Ours by the group; nothing is known of it. */
    PARTITION_FIRST,   /* Waiting for the first record of the log. */
    PARTITION_LAST,    /* Waiting for the record applied last. */
    PARTITION_FOLDING, /* Applying without publishing, up to fold_until. */
    PARTITION_LIVE,
    PARTITION_STOPPED, /* Cannot be trusted; an operator must decide. */
};

/* Where in the log the state of a partition stands, as {p}:log says. */
struct log_mark {
    char genesis[DIGEST_HEX_SIZE + 16]; /* "" if Redis holds nothing. */
    char cluster[128];
    char owner[OWNER_SIZE];
    char ready[READY_SIZE];       /* Who has caught up last; "" while somebody does. */
    int64_t offset;               /* Applied last; -1: none. */
    char ce_id[256];              /* Of that record, shortened. */
    char before[DIGEST_HEX_SIZE]; /* Chain over all records before it. */
    char chain[DIGEST_HEX_SIZE];  /* The same, with it. */
};

struct partition {
    int32_t number;
    enum partition_phase phase;
    struct log_mark mark;
    int64_t committed;      /* The group's offset at take-over: all effects before are out. */
    int64_t group_offset;   /* What the group knows by now. */
    int64_t fold_until;     /* The log's end at take-over. */
    int64_t first_offset;   /* Of the log. */
    int64_t wanted_offset;  /* FIRST, LAST: of the record waited for. */
    int64_t asked_at_ms;    /* Monotonic: when it was last sought. */
    int64_t retry_at_ms;    /* Monotonic: NEW waits until then. */
    char ready[READY_SIZE]; /* What was last said of that: `ready` of {p}:log. */
    bool from_nothing;      /* Redis held nothing: this fold starts at the first record. */
    bool rebuild;           /* The operator said: fold it anew from the log. */
    bool adopting;          /* The operator said: go on at the end of this log. */
    bool careful;           /* The owner before died: one record at a time. */
    bool publish_failed;    /* The outbox holds what could not be sent. */
    bool look_at_kills;     /* A latch came, or the partition has just gone live. */
    bool look_at_cancelled; /* A task was cancelled since the last look. */
    struct cache cache;
    struct live_table live;
    char why[ERROR_TEXT_MAX]; /* Why it is not live; guarded by coordinator.lock. */
};

struct control;

struct coordinator {
    const struct service_ports *ports;
    struct store store;
    struct bus_consumer events;
    unsigned connections; /* Of that, when its records were last believed. */
    struct bus_consumer acceptance;
    struct control *control;
    struct partition **partitions; /* By number; NULL: not ours. */
    int32_t partition_count;
    struct arena arena; /* Of the piece of work being done. */
    bool adopt;
    bool rebuild;
    bool *settled;  /* By partition: adopt and rebuild were obeyed, once. */
    size_t share;   /* How many partitions the group has given to this process. */
    bool *outlived; /* By partition: a try of ours ended otherwise, and Redis does not know. */
    char run[OWNER_SIZE]; /* This process, as no other and none before it. */
    char source[128];     /* ce_source of what is written here. */
    int64_t timers_at_ms;
    int64_t chores_at_ms;
    int64_t numbers_at_ms;
    int64_t group_commit_at_ms;
    pthread_mutex_t lock; /* For ready(), which any thread may call. */
    char why[ERROR_TEXT_MAX];
    bool idle; /* Others have all partitions. */
};

static inline const char *shell_prefix(const struct coordinator *shell)
{
    return shell->ports->settings->redis.prefix;
}

static inline int64_t shell_now_ms(const struct coordinator *shell)
{
    return clock_now_ms(shell->ports->clock);
}

static inline int64_t shell_monotonic_ms(const struct coordinator *shell)
{
    return clock_monotonic_ms(shell->ports->clock);
}

#endif
