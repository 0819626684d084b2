/* Dead letters: records that could not be used, with the reason, where their senders look. */
#ifndef SERVICES_COORDINATOR_LETTERS_H
#define SERVICES_COORDINATOR_LETTERS_H

#include "services/coordinator/outbox.h"

struct letter {
    const struct bus_record *record;
    const char *reason;
    const char *field; /* "" if none is to blame. */
    const char *fix;   /* "" if none is known. */
};

/* The letter as something to publish, all of it in the arena. */
struct outgoing letter_make(struct arena *arena, const struct letter *letter);

/* Log and count it. */
void letter_note(struct coordinator *shell, const struct letter *letter);

#endif
