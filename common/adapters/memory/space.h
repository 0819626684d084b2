/* The inside of the memory store: keys in the order of their names, and below each key its
 * fields, likewise. */
#ifndef COMMON_ADAPTERS_MEMORY_SPACE_H
#define COMMON_ADAPTERS_MEMORY_SPACE_H

#include "common/adapters/memory/store.h"

enum { RUN_SIZE = 16 };

enum space_kind { SPACE_VALUE, SPACE_HASH, SPACE_SORTED, SPACE_SET };

struct space_field {
    char *name;  /* "" of a plain value */
    char *bytes; /* NUL-terminated; NULL in sorted sets and sets */
    size_t length;
    int64_t score;
};

struct space_entry {
    char *key;
    enum space_kind kind;
    int64_t expires_ms; /* INT64_MAX: never */
    struct space_field *fields;
    size_t count;
    size_t capacity;
};

struct memory_space {
    struct clock_port clock;
    struct space_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t commits;
    unsigned runs; /* How often it came back as it was. */
    char run[RUN_SIZE];
};

/* NULL if there is no such key, or it has expired. */
struct space_entry *space_find(const struct memory_space *space, const char *key);
struct space_entry *space_make(struct memory_space *space,
                               const char *key,
                               enum space_kind kind);
void space_drop(struct memory_space *space, const char *key);

struct space_field *entry_find(const struct space_entry *entry, const char *name);
void entry_put(struct space_entry *entry, const struct space_field *field);
void entry_drop(struct space_entry *entry, const char *name);

#endif
