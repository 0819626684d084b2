/* Putting aside a record that can never succeed, with the reason, where operators look:
 * dead-letter.v1. */
#ifndef COMMON_RUNTIME_DEAD_LETTER_H
#define COMMON_RUNTIME_DEAD_LETTER_H

#include "common/runtime/service.h"

enum { DEAD_LETTER_BYTES_MAX = 64 * 1024 };

/* Why. All of it borrowed; NULL counts as "". */
struct dead_letter {
    const char *reason;
    const char *field;
    const char *fix;
    uint32_t attempts;
};

/* Publishes, waits until the bus has it, counts and logs it. Only then may the record's offset
 * be committed. Repeating it is harmless: its id is the place of the record. */
enum err dead_letter_publish(const struct service_ports *ports,
                             const struct bus_record *record,
                             const struct dead_letter *letter,
                             struct error *error) MUST_CHECK;

#endif
