#include "tests/simulation/faults.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const words[FAULTS_COUNT] = {
#define X(name, words) words,
    FAULTS(X) CONSEQUENCES(X)
#undef X
};

void faults_add(struct faults_seen *seen, const struct faults *run)
{
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        seen->times[i] += run->count[i];
        seen->runs[i] += run->count[i] > 0;
    }
    seen->all_runs++;
}

unsigned faults_print(const struct faults_seen *seen)
{
    unsigned never = 0;

    (void)printf("%9s %5s of %" PRIu64 " runs\n", "times", "in", seen->all_runs);
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        (void)printf("%9" PRIu64 " %5" PRIu64 "  %s%s\n",
                     seen->times[i],
                     seen->runs[i],
                     words[i],
                     seen->times[i] == 0 ? ": NEVER" : "");
        never += seen->times[i] == 0;
    }
    return never;
}
