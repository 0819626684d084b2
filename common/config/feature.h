/* What a team writes: feature.yaml, read into the message that a CI system would send. */
#ifndef COMMON_CONFIG_FEATURE_H
#define COMMON_CONFIG_FEATURE_H

#include "common/config/yaml.h"
#include "common/wire/pb.h"

/* Reads and checks what can be checked without the operator's settings. Digests written as
 * `digest: auto` are computed from the local file (`file:` beside it), relative to base_folder
 * (NULL: not permitted). NULL if there was an error. */
Pb__AcceptanceSignedOff *feature_read(struct arena *arena,
                                      const char *name,
                                      const char *bytes,
                                      size_t length,
                                      const char *base_folder,
                                      struct yaml_problems *problems);

/* What every acceptance must satisfy, however it arrived: names, lengths, digests, rising
 * stages, at most 32 artifacts, 16 flags, 12 stages, 64 checks. ERR_INVALID with the field in
 * ret_field (in the arena) and a sentence in error. Missing inputs are no error: planning says
 * what is missing. */
enum err acceptance_check(struct arena *arena,
                          const Pb__AcceptanceSignedOff *acceptance,
                          const char **ret_field,
                          struct error *error) MUST_CHECK;

/* SHA-256 over what an acceptance says, leaving out who submitted it: equal content has an
 * equal hash, so a redelivery is recognised. */
const char *acceptance_hash(struct arena *arena, const Pb__AcceptanceSignedOff *acceptance);

#endif
