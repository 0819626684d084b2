/* A watch as a pure thing: looks go in, a decision and findings come out. No I/O, no clock;
 * time comes with each call.
 *
 * A watch takes rounds. In each round every metric is sampled, and every few rounds (and
 * whenever it matters: at the first, when something looks wrong, at the end) the probes are
 * asked too. A FAIL counts once the next look, taken soon, says the same. It ends
 *
 *   bake     when its time is over with everything well; early on a confirmed FAIL
 *   stage    the same, and only with enough samples; what is missing at max_ms is INCONCLUSIVE
 *   observe  when its time is over, whatever it saw: a FAIL on the way is an incident at once
 */
#ifndef SERVICES_MONITOR_CORE_WATCH_H
#define SERVICES_MONITOR_CORE_WATCH_H

#include "common/base/arena.h"
#include "common/wire/pb.h"

enum {
    WATCH_TEXT_MAX = 320,
    WATCH_PROBE_ROUNDS = 5,      /* Probes are asked in every fifth round. */
    WATCH_CONFIRM_MAX_MS = 1000, /* A FAIL is looked at again after this at most. */
    WATCH_GAP_ROUNDS = 3, /* So many missed rounds still count as watched, for late samples. */
};

enum watch_kind { WATCH_BAKE, WATCH_STAGE, WATCH_OBSERVE };

/* What somebody is asked for a check of a watch. */
enum watched_by {
    WATCHED_METRIC,
    WATCHED_PROBE,   /* A probe, or a builtin that looks outside. */
    WATCHED_DERIVED, /* The watch itself knows: "stage.min_time". */
};

/* The newest look at one check. Texts are copies: a watch lives for days in a bounded arena. */
struct watch_look {
    Pb__Verdict verdict;
    int64_t at_ms;
    char observed[WATCH_TEXT_MAX];
    char wanted[WATCH_TEXT_MAX];
    char evidence[WATCH_TEXT_MAX];
};

struct watched {
    const Pb__CheckSpec *spec;
    enum watched_by by;
    struct watch_look last;
    uint64_t taken; /* Looks from the first that found data on. */
    uint64_t good;
    uint64_t errors;   /* ERROR or INCONCLUSIVE among them. */
    unsigned breaches; /* FAILs in a row. */
    bool looked;       /* In the present round. */
    bool open;         /* An incident was raised and is not over. */
    unsigned raised;   /* How many were. */

    /* Of the criterion that counts samples: how far its value has risen. */
    bool has_value;
    int64_t last_micro;
};

struct watch {
    enum watch_kind kind;
    const Pb__Watch *spec; /* Borrowed. */
    struct watched *checks;
    size_t count;
    int64_t began_ms;
    int64_t next_ms;     /* Of the next round by the timetable. */
    int64_t complete_ms; /* Of the last complete round. */
    int64_t covered_ms;
    uint64_t rounds;
    uint64_t complete;
    int64_t seen_micro; /* What the criterion `samples` counted, in millionths. */
    bool counts_samples;
    bool active;  /* There was a complete round. */
    bool confirm; /* The next round looks at something again. */
};

/* What to do after a round. */
struct watch_decision {
    bool over;
    int64_t wake_ms; /* If not over. */
};

/* An incident to report, or one that is over. Borrowed from the watch. */
struct watch_incident {
    const struct watched *check;
    const char *cause; /* The metric's name, or the check's id. */
    Pb__Severity severity;
    bool open;
    unsigned number; /* Of this cause. */
};

/* A watch that begins now. Its arrays live in arena. memory: where an earlier drive of the same
 * task was, or NULL. */
struct watch *watch_begin(struct arena *arena,
                          const Pb__Watch *spec,
                          const Pb__WatchMemory *memory,
                          int64_t now_ms);

/* Whether the check is to be looked at in the round that begins now. */
bool watch_wants(const struct watch *watch, size_t check, int64_t now_ms);

/* One look. value_micro: the sample, NULL if it found none. */
void watch_note(struct watch *watch,
                size_t check,
                const Pb__Finding *finding,
                const int64_t *value_micro);

/* After the last look of a round: what now. */
struct watch_decision watch_round_over(struct watch *watch, int64_t now_ms);

/* Incidents that this round opened or closed, marked as reported. ret holds watch->count. */
size_t watch_incidents(struct watch *watch, struct watch_incident *ret);

/* Whole samples of users counted, or complete rounds where nothing counts them. */
uint64_t watch_samples(const struct watch *watch);

/* The part of the time that complete rounds cover, in basis points. */
uint32_t watch_coverage_bp(const struct watch *watch, int64_t now_ms);

/* One finding for each check, in arena; the same while it runs and at its end. */
size_t watch_findings(const struct watch *watch,
                      struct arena *arena,
                      int64_t now_ms,
                      Pb__Finding ***ret);

/* For the next drive. */
Pb__WatchMemory *watch_remember(const struct watch *watch,
                                struct arena *arena,
                                const char *task);

#endif
