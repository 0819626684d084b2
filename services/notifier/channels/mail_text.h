/* A notice as an RFC 5322 message. Nothing a stranger wrote can add a header or a line. */
#ifndef SERVICES_NOTIFIER_CHANNELS_MAIL_TEXT_H
#define SERVICES_NOTIFIER_CHANNELS_MAIL_TEXT_H

#include "services/notifier/channels/channel.h"

/* Its Message-ID without brackets: the same for a repeat. from is "name@domain". */
const char *mail_message_id(struct arena *arena,
                            const struct notice *notice,
                            const char *from,
                            const char *to);

/* The whole message with CRLF lines, none longer than 76 bytes where it can be helped. NULL
 * when it would be over 256 KiB. */
const char *mail_message(struct arena *arena,
                         const struct notice *notice,
                         const char *from,
                         const char *to,
                         int64_t now_ms);

#endif
