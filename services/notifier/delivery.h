/* A list of things to bring somewhere, one a step, each tried again while that makes sense. */
#ifndef SERVICES_NOTIFIER_DELIVERY_H
#define SERVICES_NOTIFIER_DELIVERY_H

#include "common/runtime/worker.h"
#include "services/notifier/channels/channel.h"

enum {
    TRIES_MAX = 3,
    BACKOFF_MS = 1000, /* Doubled after each try; a Retry-After wins if it is longer. */
    MARGIN_MS = 1000,  /* Before the task's deadline: what is open then has failed. */
    SCRATCH_MAX = 64 * 1024 * 1024, /* Of one try: state, plan and timeline, unpacked. */
};

enum delivery_state { DELIVERY_OPEN, DELIVERY_DONE, DELIVERY_FAILED };

struct delivery {
    const char *check;         /* "notify.deployment" */
    const Pb__ChannelUse *use; /* NULL: not by a channel (documents). */
    enum delivery_state state;
    enum err err; /* Of the last try. */
    unsigned tries;
    int64_t not_before_ms;
    int64_t retry_after_ms; /* What the channel asked for at the last try, or 0. */
    const char *observed;   /* Text in the task's arena: what was seen, or why it failed. */
    const char *evidence;
    Pb__Receipt *receipt; /* NULL until delivered. */
};

/* One try. On ERR_OK delivery->receipt, observed and evidence are set, in task->arena; else
 * error says why and the delivery's retry_after_ms may be set. scratch is given back
 * afterwards. */
typedef enum err (*delivery_try)(const struct worker_ports *ports,
                                 struct worker_task *task,
                                 struct arena *scratch,
                                 struct delivery *delivery,
                                 struct error *error);

struct deliveries {
    struct delivery *item;
    size_t count;
    delivery_try try_one;
};

/* Append an open delivery; its texts are borrowed for the task's life. */
struct delivery *deliveries_add(struct arena *arena,
                                struct deliveries *deliveries,
                                const char *check,
                                const Pb__ChannelUse *use);

/* One try of one delivery that is due. WORKER_DONE when none is open any more. */
enum worker_step deliveries_step(struct deliveries *deliveries,
                                 const struct worker_ports *ports,
                                 struct worker_task *task);

/* Send a notice by the delivery's channel and fill in its receipt. */
enum err delivery_send(const struct driver_env *env,
                       struct worker_task *task,
                       const struct notice *notice,
                       const char *receipt_check,
                       struct delivery *delivery,
                       struct error *error);

/* Judge all deliveries of a check: PASS needs every required channel and at least one in all.
 * Adds the finding, its receipts, and for each best-effort channel that failed a finding of its
 * own (WARN, not required). Returns the verdict. */
Pb__Verdict deliveries_find(const struct deliveries *deliveries,
                            struct worker_task *task,
                            const Pb__CheckSpec *check);

enum worker_step announce_step(const struct worker_ports *ports,
                               struct worker_task *task,
                               struct error *error);
enum worker_step finalise_step(const struct worker_ports *ports,
                               struct worker_task *task,
                               struct error *error);

#endif
