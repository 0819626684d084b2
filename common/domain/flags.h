/* Evaluating a flag: pure, from memory, the same answer on every gateway.
 *
 * A user is in the rollout when bucket(flag, targetingKey) < percent. The bucket is murmur3 of
 * "<flag>/<key>" over 10000 parts, so a user who is on at 5 % stays on at 50 %. Users of the
 * stage's audience ("key=value" of the context) are on at any percentage above 0. */
#ifndef COMMON_DOMAIN_FLAGS_H
#define COMMON_DOMAIN_FLAGS_H

#include "common/wire/pb.h"

#include <stdbool.h>

enum { FLAG_BUCKETS = 10000 };

/* What a table holds. A flag beyond is unknown, hence off; after a kill beyond, every flag is
 * latched; a freeze beyond takes the place of the one that ends first. */
enum {
    FLAG_TABLE_FLAGS_MAX = 16384,
    FLAG_TABLE_KILLS_MAX = 65536,
    FLAG_TABLE_FREEZES_MAX = 4096,
};

/* 0 to FLAG_BUCKETS - 1. */
uint32_t flag_bucket(const char *flag, const char *targeting_key);

enum flag_reason { FLAG_STATIC, FLAG_TARGETING_MATCH, FLAG_SPLIT, FLAG_DISABLED };

struct flag_evaluation {
    bool on;
    enum flag_reason reason;
    uint32_t bucket;
};

/* attributes: the evaluation context. latched wins over everything. */
struct flag_evaluation flag_evaluate(const Pb__FlagValue *value,
                                     bool latched,
                                     const char *targeting_key,
                                     Pb__Pair *const *attributes,
                                     size_t attribute_count);

/* "STATIC", ... as OFREP names them. */
const char *flag_reason_name(enum flag_reason reason);

/* The table of all flags, folded from control.v1 record by record. */
struct flag_table;
struct flag_table *flag_table_new(void);
void flag_table_free(struct flag_table *table); /* Accepts NULL. */

/* Fold one record in: key and message (NULL message: tombstone). A lower sequence of a flag, or
 * an earlier attempt of its feature, is ignored; a kill is never undone. True if something
 * changed. */
bool flag_table_apply(struct flag_table *table, const char *key, const Pb__Control *control);

/* The flag's value, and whether the deployment that owns it is latched; NULL if unknown. */
const Pb__FlagValue *flag_table_find(const struct flag_table *table,
                                     const char *environment,
                                     const char *flag,
                                     bool *ret_latched);
/* The kill of that deployment, or NULL. */
const Pb__Kill *flag_table_kill(const struct flag_table *table, const char *deployment);

/* Walk flags, kills and freezes. Borrowed until the next apply. */
size_t flag_table_flags(const struct flag_table *table, const Pb__FlagValue *const **ret);
size_t flag_table_freezes(const struct flag_table *table, const Pb__Freeze *const **ret);
size_t flag_table_kills(const struct flag_table *table, const Pb__Kill *const **ret);

/* Rises with every change: an ETag. */
uint64_t flag_table_version(const struct flag_table *table);

/* NULL, or a sentence about what did not fit: the service is not ready. */
const char *flag_table_trouble(const struct flag_table *table);

/* True when the freeze covers that environment and one of those services at that moment. */
bool freeze_covers(const Pb__Freeze *freeze,
                   const char *environment,
                   const char *const *services,
                   size_t service_count,
                   int64_t at_ms);

#endif
