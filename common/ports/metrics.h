/* Numbers a service shows at /metrics. Declared once with a table, counted from any thread. */
#ifndef COMMON_PORTS_METRICS_H
#define COMMON_PORTS_METRICS_H

#include <stdint.h>

/* Names follow Prometheus: slipway_tasks_finished_total{worker="executor",outcome="ok"}. A
 * label pair is optional ("" for none) and must be one of few values. */
struct metrics_port {
    void *self;
    void (*add)(void *self, const char *name, const char *label, const char *value, int64_t by);
    void (*set)(void *self, const char *name, const char *label, const char *value, int64_t to);

    /* A duration into a histogram of seconds. */
    void (*observe_ms)(
        void *self, const char *name, const char *label, const char *value, int64_t ms);
};

#endif
