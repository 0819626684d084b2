/* Several answers folded into one finding: the worst verdict, and what was not as it should be.
 */
#ifndef SERVICES_PRECHECKS_TALLY_H
#define SERVICES_PRECHECKS_TALLY_H

#include "common/base/text.h"
#include "common/wire/pb.h"

struct tally {
    Pb__Verdict worst;
    size_t count; /* Answers. */
    struct text problems;
};

/* Release it with tally_end. */
struct tally tally_begin(void);

/* One more answer. What is not PASS is remembered, as printf says. */
void tally_add(struct tally *tally, Pb__Verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Verdict and observed of the finding: the problems, or `well` (printf with the count) when
 * there are none. Without any answer: NO_DATA and `nothing`. */
void tally_end(struct tally *tally,
               struct arena *arena,
               Pb__Finding *ret,
               const char *well,
               const char *nothing);

#endif
