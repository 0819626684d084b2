/* Reading a page of metrics, sample by sample: Prometheus' text format 0.0.4 and OpenMetrics
 * 1.0, strictly. A page that breaks the format anywhere is refused as a whole, because a number
 * from the readable half would be a guess.
 *
 * Limits: 16 KiB a line, 32 labels a sample; the page itself is bounded by the HTTP client. */
#ifndef COMMON_DRIVERS_METRIC_SOURCES_EXPOSITION_H
#define COMMON_DRIVERS_METRIC_SOURCES_EXPOSITION_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPOSITION_LINE_MAX = 16 * 1024, EXPOSITION_LABELS_MAX = 32 };

struct exposition_label {
    const char *name;
    const char *value; /* Unescaped. */
};

/* One line with a value. Borrowed for the length of the visit. */
struct exposition_sample {
    const char *name;
    struct exposition_label labels[EXPOSITION_LABELS_MAX];
    size_t label_count;
    double value;  /* NaN and infinities as they stand on the page. */
    int64_t at_ms; /* 0: the line carries no time. */
};

/* Called for each sample in order. Anything but ERR_OK ends the reading with that answer. */
typedef enum err exposition_visit(void *self,
                                  const struct exposition_sample *sample,
                                  struct error *error);

struct exposition_page {
    const char *bytes;
    size_t length;
    bool openmetrics; /* By its Content-Type: times in seconds, ends with "# EOF". */
};

/* ERR_INVALID with the line number when the page is not what it says it is. */
enum err exposition_read(const struct exposition_page *page,
                         exposition_visit *visit,
                         void *self,
                         struct error *error) MUST_CHECK;

/* A float as both formats write it: decimal, "NaN", "+Inf", "-Inf". False for anything else,
 * hexadecimal floats included. The whole text must be the number. */
bool exposition_number(const char *text, double *ret);

#endif
