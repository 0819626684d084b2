/* Which incidents were told, so that a storm of alerts becomes a few facts: the first of each
 * cause at once, what only repeats it at most every ten seconds.
 *
 * What cannot wait never does: an incident that opens, opens again or grows critical. */
#ifndef SERVICES_MONITOR_CORE_INCIDENT_BOOK_H
#define SERVICES_MONITOR_CORE_INCIDENT_BOOK_H

#include "common/wire/pb.h"

enum {
    INCIDENT_EVERY_MS = 10 * 1000,
    INCIDENT_CAUSES_MAX = 64,  /* Of one deployment; the rest share one cause. */
    INCIDENT_PAGES_MAX = 1024, /* Deployments; the one unheard of longest makes room. */
    INCIDENT_NAME_MAX = 128,
};

/* The cause of what is beyond INCIDENT_CAUSES_MAX. */
#define INCIDENT_FURTHER "further-alerts"

/* What is told. */
struct incident_word {
    const char *deployment;
    const char *cause;
    Pb__Severity severity;
    bool open;
    uint32_t count; /* Alerts it stands for. */
    bool all_clear; /* Not open: nor is any other alert of that service. */
};

struct incident_book;

struct incident_book *incident_book_new(void);
void incident_book_free(struct incident_book *book); /* Accepts NULL. */
void incident_book_clear(struct incident_book *book);

/* One alert of that cause came for that deployment (or, open false, the last one of it went).
 * True when ret must be told now; borrowed until the next call. */
bool incident_book_note(struct incident_book *book,
                        const struct incident_word *word,
                        int64_t now_ms,
                        struct incident_word *ret);

/* The next word that has waited long enough; false when there is none. Call until false. */
bool incident_book_due(struct incident_book *book, int64_t now_ms, struct incident_word *ret);

/* True while the end of an incident waits to be told: nobody else knows of it yet. */
bool incident_book_owes(const struct incident_book *book);

/* When incident_book_due will next have something; INT64_MAX if nothing waits. */
int64_t incident_book_next_ms(const struct incident_book *book);

#endif
