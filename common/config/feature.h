/* What a team writes: feature.yaml, read into the message that a CI system would send. */
#ifndef COMMON_CONFIG_FEATURE_H
#define COMMON_CONFIG_FEATURE_H

#include "common/config/settings.h"
#include "common/wire/pb.h"

/* Reads and checks what can be checked without the operator's settings. `digest: auto` is
 * worked out from the file or folder that `source` names below base_folder (NULL: not
 * permitted). NULL if there was an error. */
Pb__AcceptanceSignedOff *feature_read(struct arena *arena,
                                      const char *name,
                                      const char *bytes,
                                      size_t length,
                                      const char *base_folder,
                                      struct yaml_problems *problems);

/* The same, and the tree it was read from, so that later complaints find their place. ret_root
 * is NULL if there is no usable tree. */
struct feature_file {
    const char *name;
    const char *bytes;
    size_t length;
    const char *base_folder;
    const struct settings
        *settings;      /* Not NULL: look below the target's artifact root first. */
    bool may_be_absent; /* What cannot be measured is a warning, and its digest zeros. */
};
Pb__AcceptanceSignedOff *feature_read_tree(struct arena *arena,
                                           const struct feature_file *file,
                                           struct yaml_problems *problems,
                                           const struct yaml_node **ret_root);

/* Where a field of an acceptance ("rollout[2].percent", "report.link") stands in that tree, or
 * would stand: the nearest node above it. Never NULL. */
const struct yaml_node *feature_node(const struct yaml_node *root, const char *field);

/* At most that many of each in one acceptance. */
enum {
    ACCEPTANCE_SERVICES_MAX = 16,
    ACCEPTANCE_ARTIFACTS_MAX = 32,
    ACCEPTANCE_FLAGS_MAX = 16,
    ACCEPTANCE_STAGES_MAX = 12,
    ACCEPTANCE_CHECKS_MAX = 64,
    ACCEPTANCE_METRICS_MAX = 32,
    ACCEPTANCE_LIST_MAX = 64, /* Anything else. */
};

/* One thing wrong with an acceptance: "<field> <what>". */
struct acceptance_problem {
    const char *field;    /* "rollout[2].percent" */
    const char *what;     /* "is 5, below stage 2 (10)" */
    const char *expected; /* "more than 10, at most 100"; "" */
};
typedef void acceptance_problem_fn(void *self, const struct acceptance_problem *problem);

/* Tell every problem, in the order of the fields. */
void acceptance_problems(struct arena *arena,
                         const Pb__AcceptanceSignedOff *acceptance,
                         acceptance_problem_fn *tell,
                         void *self);

/* What every acceptance must satisfy, however it arrived: names, lengths, digests, links,
 * sources below their root, rising stages, numbers of things. ERR_INVALID with the first field
 * in ret_field (in the arena) and a sentence in error. Missing inputs are no error: planning
 * says what is missing. */
enum err acceptance_check(struct arena *arena,
                          const Pb__AcceptanceSignedOff *acceptance,
                          const char **ret_field,
                          struct error *error) MUST_CHECK;

/* SHA-256 over what an acceptance says, leaving out who submitted it: equal content has an
 * equal hash, so a redelivery is recognised. */
const char *acceptance_hash(struct arena *arena, const Pb__AcceptanceSignedOff *acceptance);

#endif
