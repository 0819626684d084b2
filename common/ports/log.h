/* Where a service writes what happened: one JSON object a line. Only shells and the runtime
 * log; base, domain, cores and drivers return errors instead. */
#ifndef COMMON_PORTS_LOG_H
#define COMMON_PORTS_LOG_H

#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* "deployment", "express-pay.3". Values are never secrets. */
struct log_field {
    const char *name;
    const char *value; /* NULL: left out. */
};

struct log_port {
    void *self;
    void (*write)(void *self,
                  enum log_level level,
                  const char *message,
                  const struct log_field *fields,
                  size_t count);
};

/* LOG(log, LOG_INFO, "task claimed", {"task", task}, {"deployment", id}); */
#define LOG(log, level, message, ...)                                                          \
    do {                                                                                       \
        const struct log_field log_fields_[] = { __VA_ARGS__ };                                \
        (log).write((log).self,                                                                \
                    (level),                                                                   \
                    (message),                                                                 \
                    log_fields_,                                                               \
                    sizeof log_fields_ / sizeof log_fields_[0]);                               \
    } while (0)

#endif
