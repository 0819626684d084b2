/* What a deployment's record says, for telling it: read from the projections, and made into the
 * notices of step 7. */
#ifndef SERVICES_NOTIFIER_STORY_H
#define SERVICES_NOTIFIER_STORY_H

#include "common/runtime/worker.h"
#include "services/notifier/channels/channel.h"

/* State and plan of the command's deployment; with a timeline if asked for. */
struct story {
    const Pb__Command *command;
    Pb__DeploymentReport *report;
};
enum err story_read(const struct worker_ports *ports,
                    struct arena *arena,
                    const Pb__Command *command,
                    bool with_timeline,
                    struct story *ret,
                    struct error *error) MUST_CHECK;

/* The receipt that the record holds for that check and channel, or NULL. */
/* The sign-off by which operations took over: of step 6, as it ran last, accepted. NULL while
 * there is none. */
const Pb__SignOffGiven *story_taken_over(const struct story *story);

const Pb__Receipt *story_receipt(const struct story *story,
                                 const char *check,
                                 const char *channel);

/* The notice of a check of step 7 for that channel. ERR_NOT_FOUND when there is nothing to say:
 * no dashboard, no runbook, nobody to call. */
enum err story_notice(struct arena *arena,
                      const struct story *story,
                      const char *check,
                      const char *channel,
                      struct notice *ret,
                      struct error *error) MUST_CHECK;

/* The notice of an announcement for that channel and purpose. */
void announce_notice(struct arena *arena,
                     const Pb__Command *command,
                     const Pb__ChannelUse *use,
                     int64_t at_ms,
                     struct notice *ret);

/* "slw_<32 hex digits>" of the parts, which is the same whenever they are. NULL ends the list.
 */
const char *notice_id(struct arena *arena, const char *const *parts);

#endif
