/* What happened outside of the log: what targets were brought to, and what gateways told
 * users. Written by the world, read by the checker. */
#ifndef TESTS_SIMULATION_HISTORY_H
#define TESTS_SIMULATION_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A target's instance was brought to a version. */
struct deed {
    int64_t order; /* Records published before it. */
    int64_t at_ms;
    const char *service;
    const char *target;
    const char *instance;
    const char *deployment;
    const char *version;
    uint64_t grant;
    uint64_t at_version;
    bool back;
    bool is_shift; /* Traffic was moved to the side that version says. */
};

/* A gateway's answer to users changed. */
struct glimpse {
    int64_t order;
    int64_t at_ms;
    size_t gateway;
    int64_t heard; /* Records of control.v1 it had folded. */
    const char *flag;
    const char *deployment; /* That the value is of. */
    bool on;                /* For at least one user. */
    uint32_t percent;
};

/* Somebody took what was said to them: a notice, or a document. */
struct word {
    int64_t order;
    const char *id; /* Of a document: "sha256:..." */
    const char *deployment;
    const char *purpose;
    const char *what;
    const char *url; /* Of a document; NULL: a notice. */
    const char *text;
};

/* A record that the log has lost. */
struct lost_record {
    int64_t order;
    int64_t at_ms;
    int32_t partition;
    int64_t offset;
    const char *key;
    const char *id;
    const char *writer;
    const void *bytes;
    size_t length;
};

enum { LOST_RECORDS_MAX = 4 };

/* What an operator made of a log that lost its end. */
enum log_fate { LOG_WHOLE, LOG_ADOPTED, LOG_REBUILT };

struct history {
    struct deed *deeds;
    size_t deed_count;
    size_t deed_capacity;
    struct glimpse *glimpses;
    size_t glimpse_count;
    size_t glimpse_capacity;
    struct word *words;
    size_t word_count;
    size_t word_capacity;
    bool hears_words;  /* All that was said is in words. */
    int64_t healed_ms; /* From then on nothing went wrong any more; 0: nobody knows. */
    struct lost_record lost[LOST_RECORDS_MAX];
    size_t lost_count;
    enum log_fate log_fate;
    bool store_lost; /* Redis once forgot something. */
};

#endif
