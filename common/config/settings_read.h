/* The readers behind settings_read, one a section. Private to common/config. */
#ifndef COMMON_CONFIG_SETTINGS_READ_H
#define COMMON_CONFIG_SETTINGS_READ_H

#include "common/config/fields.h"
#include "common/config/settings.h"

enum { SETTINGS_ITEMS_MAX = 500, SETTINGS_CHECKS_MAX = 1000 };

/* One run over one file. */
struct settings_reader {
    struct arena *arena;
    struct yaml_problems *problems;
    struct settings *settings;
};

/* Things with names: an array of structs whose first member is the name. */
struct named {
    const char *kind; /* "probe", for complaints. */
    const void *items;
    size_t count;
    size_t size;
};
#define NAMED(kind, items, count) ((struct named){ (kind), (items), (count), sizeof *(items) })

/* The name of an element, and the element of that name or NULL. */
const char *named_at(struct named named, size_t index);
const void *named_find(struct named named, const char *name);

/* Complain unless value (NULL is fine) names one of named. True if it does. */
bool check_reference(struct settings_reader *reader,
                     const struct yaml_node *value,
                     struct named named);

/* Read one element of a list into zeroed memory. */
typedef void read_item_fn(struct settings_reader *reader,
                          const struct yaml_node *node,
                          void *item);

/* How a list becomes an array. */
struct list_spec {
    const char *key;
    size_t size; /* Of one element; its first member is its name. */
    read_item_fn *read;
};

/* The array read from that list of mapping; names are checked to be names and unique. */
void *read_items(struct settings_reader *reader,
                 const struct yaml_node *mapping,
                 const struct list_spec *spec,
                 size_t *ret_count);

/* Positive, or a complaint at the node of that key (or the mapping). */
void check_positive(struct settings_reader *reader,
                    const struct yaml_node *mapping,
                    const char *key,
                    int64_t value);

/* The hash of the whole file, see settings.h. */
void settings_hash(const struct yaml_node *root, char ret[DIGEST_HEX_SIZE]);

void read_services(struct settings_reader *reader, const struct yaml_node *root);
void read_calendar(struct settings_reader *reader, const struct yaml_node *root);
void read_targets(struct settings_reader *reader, const struct yaml_node *root);
void read_drivers(struct settings_reader *reader, const struct yaml_node *root);
void read_policies(struct settings_reader *reader, const struct yaml_node *root);
void read_policy_steps(struct settings_reader *reader,
                       const struct yaml_node *node,
                       struct setting_policy *policy);

#endif
