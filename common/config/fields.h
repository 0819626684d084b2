/* Reading the pieces that slipway.yaml and feature.yaml have in common. */
#ifndef COMMON_CONFIG_FIELDS_H
#define COMMON_CONFIG_FIELDS_H

#include "common/config/option.h"
#include "common/wire/pb.h"

/* A word of a file and what it means. */
struct word {
    const char *text;
    int value;
};

/* The list under that key: NULL when it is absent or, after a complaint, when it is no list or
 * longer than max. */
const struct yaml_node *field_list(const struct yaml_node *mapping,
                                   const char *key,
                                   size_t max,
                                   struct yaml_problems *problems);

/* The meaning of the word under that key; words ends with a NULL text. Absent: the first
 * word's. Unknown: a complaint that names all of them, and the first word's. */
int field_word(const struct yaml_node *mapping,
               const char *key,
               const struct word *words,
               struct yaml_problems *problems);

/* "a, b, c" of all words but those with an empty text. */
const char *words_listed(struct arena *arena, const struct word *words);

/* [a-z0-9][a-z0-9.-]{0,62} */
bool is_name(const char *text);

/* "sha256:<64 hex>" as a message; NULL for anything else. */
Pb__Digest *digest_read(struct arena *arena, const char *text);

/* A measured number and its limit; NULL after a complaint. */
Pb__MetricCriterion *criterion_read(const struct yaml_node *node,
                                    struct yaml_problems *problems);

/* What answers a check; NULL after a complaint. */
Pb__CheckBinding *binding_read(const struct yaml_node *node, struct yaml_problems *problems);

extern const struct word approach_words[]; /* "", blue-green, canary, rolling */
extern const struct word artifact_words[];
extern const struct word on_rollback_words[];

#endif
