/* Making the world fail where a test wants it.
 *
 * A client of the memory bus or store asks before each operation what shall become of it. With
 * ask == NULL nothing ever fails. */
#ifndef COMMON_ADAPTERS_MEMORY_FAULTS_H
#define COMMON_ADAPTERS_MEMORY_FAULTS_H

#include <stddef.h>

enum memory_fault {
    FAULT_NONE,
    FAULT_BEFORE, /* Nothing was done: ERR_UNAVAILABLE. */
    FAULT_AFTER,  /* It was done, but the answer was lost: ERR_TIMED_OUT. Of a publish: it
                   * succeeds, and the next flush is ERR_TIMED_OUT. */
    FAULT_LOST, /* Of a publish only: it succeeds, the record is dropped, and the next flush is
                 * ERR_UNAVAILABLE. Elsewhere as FAULT_BEFORE. */
};

struct memory_faults {
    void *self;

    /* operation: the name of the port's function, "publish", "commit", "hash_get"; object: the
     * topic or key it is about, "" where there is none. */
    enum memory_fault (*ask)(void *self, const char *operation, const char *object);
};

static inline enum memory_fault memory_fault_of(const struct memory_faults *faults,
                                                const char *operation,
                                                const char *object)
{
    return faults->ask != NULL ? faults->ask(faults->self, operation, object) : FAULT_NONE;
}

#endif
