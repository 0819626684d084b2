/* All workers as one pair of hands: takes every command, claims its task as the workers'
 * runtime does, and answers what a script says. */
#ifndef TESTS_SUPPORT_HANDS_H
#define TESTS_SUPPORT_HANDS_H

#include "tests/support/cluster.h"

enum { HANDS_WORKERS = 6, HANDS_PARTITIONS_MAX = 8 };

struct hands {
    struct cluster *cluster;
    int64_t next[HANDS_WORKERS][HANDS_PARTITIONS_MAX];
    unsigned claimed;
    unsigned dropped; /* Commands whose task could not be claimed. */

    /* Fills the answer. False: the task stays claimed and silent. */
    bool (*answer)(void *self, const Pb__Command *command, Pb__TaskFinished *ret);
    void *self;
};

/* For cluster.beside. */
void hands_turn(void *hands);

/* Publish an answer by hand, as the worker of that name. */
void hands_finish(struct hands *hands,
                  const char *worker,
                  const char *feature,
                  const Pb__TaskFinished *result);

#endif
