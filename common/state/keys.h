/* Names of the keys in Redis, in one place. {p} is the partition of events.v1 in braces, so
 * that all keys of a partition share a hash slot.
 *
 * D: derived from the log, may vanish at any time. C: cache or lease. Nothing here is truth but
 * dir:<subject>. */
#ifndef COMMON_STATE_KEYS_H
#define COMMON_STATE_KEYS_H

#include "common/base/arena.h"

#include <stdint.h>

/* clang-format off */
/* key                                                          type    holds */
#define KEY_LOG(a, p, prefix)        keys_at(a, prefix, p, "log", "")          /* hash D: genesis cluster offset ce_id before chain owner ready revision */
#define KEY_DEPLOYMENT(a, p, prefix, id) keys_at(a, prefix, p, "dep:", id)     /* D: packed DeploymentState */
#define KEY_LANE(a, p, prefix, lane) keys_at(a, prefix, p, "lane:", lane)      /* D: packed LaneState */
#define KEY_FEATURE(a, p, prefix, f) keys_at(a, prefix, p, "feature:", f)      /* D: packed FeatureState */
#define KEY_PLAN(a, p, prefix, hash) keys_at(a, prefix, p, "plan:", hash)      /* D: packed Plan */
#define KEY_ACCEPTANCE(a, p, prefix, id) keys_at(a, prefix, p, "acceptance:", id) /* D: packed AcceptanceSignedOff of a deployment */
#define KEY_TIMELINE(a, p, prefix, id) keys_at(a, prefix, p, "timeline:", id)  /* hash D: "<version, 10 digits>.<index, 4 digits>" -> packed TimelineEntry */
#define KEY_TIMERS(a, p, prefix)     keys_at(a, prefix, p, "timers", "")       /* zset D: "<deployment> <timer> <armed version>" -> due ms */
#define KEY_OUTBOX(a, p, prefix)     keys_at(a, prefix, p, "outbox", "")       /* zset D: effect id -> offset * 64 + index */
#define KEY_OUTBOX_BODY(a, p, prefix) keys_at(a, prefix, p, "outbox:body", "") /* hash D: effect id -> packed OutboxRecord */
#define KEY_CONTROL(a, p, prefix)    keys_at(a, prefix, p, "control", "")      /* hash D: key on control.v1 -> packed OutboxRecord, to assert it again */
#define KEY_TASK(a, p, prefix, task) keys_at(a, prefix, p, "task:", task)      /* hash D: state drive worker deadline deployment command cancel (packed OutboxRecord); C: owner lease_until */
#define KEY_LEASES(a, p, prefix)     keys_at(a, prefix, p, "leases", "")       /* zset C: task -> lease end ms */
#define KEY_LIVE(a, p, prefix)       keys_at(a, prefix, p, "live", "")         /* zset D: deployment -> keys_listed_at() */
#define KEY_DONE(a, p, prefix)       keys_at(a, prefix, p, "done", "")         /* zset D: deployment -> keys_listed_at() */
#define KEY_BUSY(a, p, prefix)       keys_at(a, prefix, p, "busy", "")         /* set D: ended deployments whose announcements are not out yet */
#define KEY_LANES(a, p, prefix)      keys_at(a, prefix, p, "lanes", "")        /* set D: lane names */
#define KEY_REQUEST(a, p, prefix, id) keys_at(a, prefix, p, "request:", id)    /* string C, 24 h: answer to an operator request, JSON {state, version, code, detail, deployment} */
#define KEY_TRIED(a, p, prefix)      keys_at(a, prefix, p, "tried", "")        /* hash C: run of a coordinator -> offset of the record it began last, while careful */
#define KEY_LAST_SEQUENCE(a, p, prefix, f) keys_at(a, prefix, p, "sequence:", f)
/* clang-format on */

enum { KEYS_NO_PARTITION = -1 };

/* `ready` is the owner's nonce, this, and the run of the server (ports/store.h) that it holds
 * for: another run, as of a replica that was promoted, may have lost what was written last. */
enum { READY_RUN = '.' };

/* How long a worker's claim of a task holds without renewal. The coordinator counts on it where
 * Redis has forgotten who holds what. */
enum { TASK_LEASE_MS = 15 * 1000 };

/* Who holds a task of which Redis has forgotten the lease: whoever held that drive says so with
 * its next renewal; if nobody does within a lease, it is lost. */
#define TASK_OWNER_UNKNOWN "(unknown)"

/* Where a deployment stands in the lists: by its time of update, and at another place after
 * every update, also while that time stands still because a coordinator's clock was ahead. */
int64_t keys_listed_at(int64_t updated_ms, uint64_t version);

/* The time of update, ms, of who stands there. */
int64_t keys_listed_ms(int64_t place);

/* "<prefix>{<partition>}:<name><rest>" */
const char *keys_at(struct arena *arena,
                    const char *prefix,
                    int32_t partition,
                    const char *name,
                    const char *rest);

/* "<prefix><name><rest>", all of them C:
 *
 *     instance:<service>:<instance>  string, 30 s: JSON
 *     readback:<env>/<flag>          flag read-back
 *     alerts:<service>               hash: "<fingerprint>@<starts_at_ms>" -> packed Alert, open
 *                                    ones only (monitor)
 *     heard:alerts.v1                hash: "<partition>" -> "<next offset> <cluster>", how far
 *                                    the open alerts hold what was said (monitor)
 *     samples:<deployment>           string, 30 days: packed DeploymentSeries (monitor)
 *     watch:<task>                   string, 1 h past its longest: packed WatchMemory (monitor)
 */
const char *keys_global(struct arena *arena,
                        const char *prefix,
                        const char *name,
                        const char *rest);

/* The key of a lane's records on events.v1: "lane/<environment>/<service>" for the lane
 * "<environment>/<service>". It also decides the partition its state is kept in. */
const char *keys_lane_record(struct arena *arena, const char *lane);

#endif
