/* The desk where alerts come in: topic alerts.v1, group slipway.monitor.alerts.
 *
 * Every alert of a grouped record counts. Each is matched to the deployments that may be to
 * blame, and becomes an incident on events.v1 within milliseconds; open ones are remembered in
 * Redis for step 1, and heard again where Redis forgot them (heard.h). Offsets are committed
 * when everything that follows from a record is durable; a repeat writes the same ids. One desk
 * belongs to one thread. */
#ifndef SERVICES_MONITOR_ALERTS_H
#define SERVICES_MONITOR_ALERTS_H

#include "common/runtime/service.h"
#include "services/monitor/core/incident_book.h"
#include "services/monitor/core/tally.h"
#include "services/monitor/heard.h"
#include "services/monitor/suspects.h"

enum {
    ALERTS_AT_ONCE = 256,        /* Records handled before they are made durable. */
    ALERTS_OPEN_MAX = 50 * 1000, /* Remembered; more are matched, but told again by a repeat. */
    ALERTS_PARTITIONS_MAX = 1000, /* As slipway.yaml allows. */
    SUSPECTS_FRESH_MS = 50,   /* An alert is matched to suspects read at most so long ago. */
    SUSPECTS_WARM_MS = 1000,  /* While nothing comes they are read this often. */
    SUSPECTS_STALE_MS = 60000 /* With Redis away, older ones are not trusted. */
};

struct alert_desk {
    const struct service_ports *ports;
    struct projection projection; /* Its store is the desk's own. */
    struct bus_consumer consumer;
    struct suspects suspects;
    struct incident_book *book;
    struct tally *open;     /* "<service> <fingerprint>" -> start and severity */
    struct tally *causes;   /* "<environment>/<service> <name>" -> open alerts */
    struct tally *services; /* "<environment>/<service>" -> open alerts */
    struct tally *loaded;   /* Service -> 1: `open` holds what Redis remembers. */
    struct tally *latched;  /* Deployment -> 1 */

    /* What became of the records in hand, until it is durable. */
    struct arena arena;
    struct store_op *ops; /* In the arena. */
    size_t op_count;
    size_t op_room;
    struct alert_source sources[ALERTS_PARTITIONS_MAX];
    size_t source_count;
    size_t in_hand;
    unsigned accused;    /* crash.h: the steps of those who heard of them. */
    bool told;           /* Something was published since the last flush. */
    bool only_remember;  /* What the record at hand says was told before. */
    int64_t check_at_ms; /* When to compare the marks next. */
};

/* The store is taken over, and closed with the desk. */
enum err alert_desk_open(const struct service_ports *ports,
                         struct store store,
                         struct alert_desk **ret,
                         struct error *error) MUST_CHECK;

/* Handle what has come, waiting at most wait_ms for it. */
enum err alert_desk_turn(struct alert_desk *desk, int wait_ms, struct error *error) MUST_CHECK;

void alert_desk_close(struct alert_desk *desk); /* Accepts NULL. */

/* With what `accused` says. */
void alert_crash_point(const struct alert_desk *desk, enum crash_place place);

/* --- alert_note.c --- */

/* Room for one more write of the records in hand. */
struct store_op *alert_op(struct alert_desk *desk);

/* One alert of a record. ERR_INVALID: the sender must say more, as letter has it. */
struct dead_letter;
enum err alert_note(struct alert_desk *desk,
                    const Pb__Alert *alert,
                    int64_t at_ms,
                    struct dead_letter *ret_letter,
                    struct error *error) MUST_CHECK;

/* Tell an incident of a deployment. */
enum err alert_tell(struct alert_desk *desk,
                    const struct incident_word *word,
                    const Pb__Alert *alert,
                    struct error *error) MUST_CHECK;

#endif
