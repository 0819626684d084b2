/* What a deployment, lane or feature said to the world, as one digest: commands, events,
 * signals, latches, answers and lines of the timeline, in their order and to the last byte. */
#ifndef TESTS_REPLAY_SAID_H
#define TESTS_REPLAY_SAID_H

#include "common/wire/digest.h"
#include "services/coordinator/core/procedure.h"

/* chain, "" at first, becomes the digest of all that was said before and of this. */
void said_chain(struct arena *arena,
                const struct effects *effects,
                char chain[DIGEST_HEX_SIZE]);

/* The same with what people would be told now: what each of them may ask for, and what taking
 * it back would do. plan may be NULL. */
void said_chain_outlook(struct arena *arena,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan,
                        char chain[DIGEST_HEX_SIZE]);

#endif
