/* The world of one run: broker, Redis, time, the processes on them, the targets they change,
 * the gateways that answer users, and the people. One thread; all chance comes from the dice.
 */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include "common/adapters/memory/bus.h"
#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/store.h"
#include "common/base/text.h"
#include "common/domain/flags.h"
#include "common/runtime/worker.h"
#include "common/state/projection.h"
#include "common/wire/digest.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/history.h"
#include "tests/simulation/weather.h"

enum {
    PROCESSES_MAX = 14,
    GATEWAYS = 2,
    FEATURES_MAX = 3,
    SITES_MAX = 16,
    ROUTERS_MAX = 4,
    LATE_MAX = 64,
    COPIES = 4, /* Of Redis, a second apart or more. */
    POLICIES = 3,
    GLANCES_MAX = 48,
    STORES_MAX = 4, /* Of one process. */
    ALARMS_MAX = 64,
    ASKED_MAX = 512,
    SESSION_MS = 6000,
};

struct world;

/* What is the same in every run of this program. */
struct stage_set {
    struct arena arena;
    const struct settings *settings[2]; /* Before and after an edit that changes nothing. */
    const Pb__AcceptanceSignedOff *acceptance;
    struct envelope_keys keys;
    struct fiber *fibers[PROCESSES_MAX];
};

/* One running copy of a service, and what comes after its death. */
struct process {
    struct world *world;
    const struct worker_spec *worker; /* NULL: a coordinator. */
    char name[32];                    /* "executor-2" */
    struct service_ports ports;
    struct fiber *fiber;
    struct crash_plan crash;         /* Where it dies, if it is doomed. */
    void *state;                     /* NULL: it is down. */
    struct store stores[STORES_MAX]; /* Its clients of Redis. */
    size_t store_count;
    bool edited;       /* It runs under the edited configuration. */
    bool turning;      /* Inside a turn: its calls may fail. */
    bool busy;         /* It stands still in the middle of a turn. */
    bool dying;        /* Nothing that it does has an effect any more. */
    bool evicted;      /* Since it stands still. */
    int64_t up_at_ms;  /* When it is down. */
    int64_t since_ms;  /* Since when it stands still; */
    int64_t until_ms;  /* and until when. */
    int64_t skew_ms;   /* Of its wall clock. */
    int64_t turned_ms; /* Its last turn. */
    uint64_t seen;     /* world_activity at its end. */
    bool idle;         /* That turn changed nothing. */
};

/* One instance of a target. Refuses a lower fence; the same twice changes nothing. */
struct site {
    const char *target;
    const char *service;
    const char *name;
    char version[64];
    char digest[DIGEST_HEX_SIZE];
    Pb__Fence fence;
    int64_t sick_until_ms;
    unsigned errors; /* That users got. */
};

/* Where the traffic of a target goes whose instances stand on two sides. */
struct router {
    const char *target;
    const char *service;
    const char *name; /* For the history: "the traffic of shop" */
    const char *side;
    Pb__Fence fence;
};

/* A program that does what it was told after its caller gave up on it. */
struct late_call {
    int64_t at_ms;
    const char **argv;
};

/* A gateway as far as users see it: its own fold of control.v1. */
struct gateway {
    struct flag_table *table;
    int64_t next;
    int64_t deaf_until_ms;
};

/* A feature and the people around it. */
struct feature {
    char name[16];
    Pb__AcceptanceSignedOff *acceptance;
    int64_t submit_ms; /* When it is sent next; INT64_MAX: never again. */
    unsigned sent;
    int64_t act_ms; /* When its people look again. */
    unsigned retries;
};

/* The end of a partition of events.v1 that was lost. */
struct log_loss {
    int32_t partition;
    int64_t high;       /* The offset after the last one lost; 0: nothing was. */
    int64_t applied;    /* The last one Redis held the result of then. */
    int64_t told_ms;    /* When the operator read of it; 0: not yet. */
    int64_t decides_ms; /* When the operator acts. */
    bool folds_anew;    /* Else the state is kept. */
    bool deciding;      /* One coordinator is up alone, with what was decided. */
    bool decided;
    bool relapsed;    /* Redis came back since as it was before. */
    bool forgotten;   /* Redis forgot since, too: what was lost cannot be missed by it. */
    bool passed_over; /* Somebody went on before that. */
};

/* An alert of monitoring. */
struct alarm {
    const char *service;
    const char *name;
    const char *fingerprint;
    int64_t since_ms;
    bool critical;
    bool open;
};

/* What people saw under a key when they looked last. */
struct glance {
    const char *key;
    const char *bytes;
    size_t length;
    void *message;
};

/* What a person asked for. */
struct asked {
    const char *request;
    const char *key;    /* Where its answer is. */
    const char *answer; /* As it was seen first; NULL: not yet. */
};

struct world {
    struct stage_set *set;
    uint64_t seed;
    struct dice dice;
    struct weather weather;
    bool quiet; /* Nothing fails any more. */
    struct memory_clock clock;
    struct memory_broker *broker;
    struct memory_space *space;
    struct memory_space *former; /* The master before the last promotion; NULL: it is gone. */
    int64_t former_until_ms;
    uint64_t former_commits;             /* Of those that are gone. */
    struct memory_space *copies[COPIES]; /* Of Redis, oldest first. */
    size_t copy_count;
    int64_t copied_ms;
    uint64_t copied_commits; /* When it was copied last. */
    size_t rolling;          /* Who is restarted next, from 1; 0: nobody. */
    int64_t store_back_ms;   /* Redis is away until then. */
    int64_t bus_back_ms;
    struct log_loss loss;
    struct alarm alarms[ALARMS_MAX];
    size_t alarm_count;
    int64_t last_alarm_ms;  /* When the last one fires, after all has healed; 0: no more. */
    int64_t alarms_over_ms; /* When all are over; 0: they are. */
    struct bus bus;
    struct store store;
    struct arena arena;   /* Of the whole run. */
    struct arena scratch; /* Of one glance of people or checks. */
    struct process processes[PROCESSES_MAX];
    size_t process_count;
    struct site sites[SITES_MAX];
    size_t site_count;
    struct router routers[ROUTERS_MAX];
    size_t router_count;
    struct late_call late[LATE_MAX];
    size_t late_count;
    struct gateway gateways[GATEWAYS];
    struct feature features[FEATURES_MAX];
    size_t feature_count;
    struct glance glances[GLANCES_MAX];
    size_t glance_count;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    unsigned said; /* Records and requests made by people and by mischief. */
    struct history history;
    struct faults faults;
    bool tracing;
    bool every_rule;    /* Not only the first that is broken is told. */
    int64_t traced[64]; /* How far, by topic and partition. */
};

/* Reads configuration and feature from the folder of this program's sources. */
void stage_set_open(struct stage_set *set);
void stage_set_close(struct stage_set *set);

void world_open(struct world *world, struct stage_set *set, uint64_t seed);
void world_close(struct world *world);

/* One round: everybody who has something to do does it, and time goes on. */
void world_round(struct world *world);

static inline int64_t world_now_ms(const struct world *world)
{
    return world->clock.now_ms;
}

/* That went wrong now. */
static inline void world_counts(struct world *world, enum fault fault)
{
    world->faults.count[fault]++;
}

/* Equal twice: nothing was written and nothing was said. */
uint64_t world_activity(const struct world *world);

/* A line of the trace, if there is one. */
void world_tell(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Publish as that writer, NULL: unsigned. */
struct saying {
    const char *topic;
    const char *key;
    const char *writer;
    const char *id;
    const ProtobufCMessage *message;
};
void world_say(struct world *world, const struct saying *saying);

/* An id that was never used in this run: "abort.17". */
const char *world_id(struct world *world, const char *what);

/* --- process.c --- */
struct process *process_add(struct world *world,
                            const struct worker_spec *worker,
                            const char *name);
void process_turn(struct process *process);
void process_kill(struct process *process);
void process_stop(struct process *process); /* Cleanly; a busy one dies. */
bool process_has_work(const struct process *process);
/* When it wants to be called next though nothing happens. */
int64_t process_wake_ms(const struct process *process);
/* What becomes of a call to the outside. May take its time, and the process may be dying after.
 */
enum memory_fault process_asks(struct process *process, const char *how, const char *what);
/* False if it does not come about. */
bool process_reaches_out(struct process *process, const char *what);
/* It stands still so long, in the middle of a turn. */
void process_waits(struct process *process, int64_t ms);

/* --- sites.c --- */
void sites_open(struct world *world);
struct site *site_find(struct world *world, const char *target, const char *instance);
/* What an instance is told. */
struct order {
    const char *deployment;
    const char *version;
    const char *digest;
    Pb__Fence fence;
    bool back;
};
/* The program that deployers run: /site observe|apply|revert target instance ... Its exit
 * status. */
int sites_run(struct world *world, const char *const *argv, struct text *output);
/* By hand: whatever it runs and whoever wants something else. */
void site_restore(struct world *world, const Pb__Observed *before);

/* --- outer_world.c --- */
/* Does what is late, until then. */
void outer_world_turn(struct world *world, int64_t until_ms);
int64_t outer_world_wake_ms(const struct world *world);
struct process_runner outer_world_runner(struct process *process);

/* --- outer_http.c --- */
struct http_client outer_http_client(struct process *process);

/* --- gateways.c --- */
void gateways_open(struct world *world);
void gateways_close(struct world *world);
void gateways_turn(struct world *world);
enum err gateways_ask(struct process *process,
                      struct arena *arena,
                      const struct http_request *request,
                      struct http_response *ret,
                      struct error *error);

/* --- mailroom.c --- */
/* The status of the answer. */
int mailroom_ask(struct world *world,
                 const struct http_request *request,
                 const char **ret_body);

/* --- acceptances.c --- */
Pb__AcceptanceSignedOff *acceptance_make(struct world *world, const char *name);
/* Versions that nobody else brings. */
void acceptance_renew(struct world *world, Pb__AcceptanceSignedOff *acceptance);

/* --- answers.c --- */
void answers_expect(struct world *world, const char *request, const char *feature);
/* People look whether they have been answered. */
void answers_look(struct world *world);
/* False, and about which request, if one has no answer, or another than it had. */
bool answers_are_given(struct world *world, const char **ret_request, const char **ret_why);

/* --- eyes.c --- */
/* What stands in Redis of that; NULL if there is none. Not to be changed. */
Pb__DeploymentState *people_see(struct world *world, const char *deployment);
Pb__FeatureState *people_see_feature(struct world *world, const char *feature);
Pb__Plan *people_see_plan(struct world *world, const Pb__DeploymentState *state);

/* --- people.c --- */
void people_open(struct world *world);
void people_turn(struct world *world);
int64_t people_wake_ms(const struct world *world);
/* All of what was accepted has ended. */
bool people_are_done(struct world *world);

/* --- digest_run.c --- */
uint64_t world_digest(struct world *world);

/* --- rebuild.c --- */
/* Redis stands at the end of the log, and nothing is left to be said. */
bool world_is_read(struct world *world);

/* Empty Redis and let the log be folded anew. NULL if every deployment's state is the same
 * bytes again; else the id of one that is not. */
const char *world_rebuild(struct world *world);

/* --- keep.c --- */
/* What the coordinator believes of events.v1 to path.log, and the SHA-256 of every state that
 * it left in Redis to path.digests, as tests/replay reads them. The run has ended well. */
void world_keep(struct world *world, const char *path);

/* --- trace.c --- */
void trace_turn(struct world *world);

/* --- replica.c --- */
/* There is a copy of Redis. */
void replica_promote(struct world *world);
void replica_turn(struct world *world);

/* --- log_loss.c --- */
void log_loss_happen(struct world *world);
/* The operator looks, decides and acts. */
void log_loss_turn(struct world *world);
/* Redis forgets something. */
void log_loss_forget(struct world *world);
/* A coordinator that is not to be started now. */
bool log_loss_keeps_down(const struct process *process);
/* What it is started with; NULL: nothing. */
const char *log_loss_flag(const struct process *process);

/* --- alarms.c --- */
void alarms_happen(struct world *world);
/* From now on nothing else goes wrong. */
void alarms_heal(struct world *world);
void alarms_turn(struct world *world);
int64_t alarms_wake_ms(const struct world *world);
bool alarms_are_over(const struct world *world);

/* --- mischief.c --- */
void mischief_turn(struct world *world);

#endif
