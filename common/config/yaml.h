/* A YAML file as a tree that remembers where each piece stood.
 *
 * Read with libyaml. Refused with file, line and column: more than 256 KiB, deeper than 32,
 * more than 20000 nodes, aliases and anchors, duplicate keys, several documents, text that is
 * not UTF-8. Scalars stay text; option.h gives them types. */
#ifndef COMMON_CONFIG_YAML_H
#define COMMON_CONFIG_YAML_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    YAML_SIZE_MAX = 256 * 1024,
    YAML_DEPTH_MAX = 32,
    YAML_NODES_MAX = 20000,
    YAML_KEYS_MAX = 1000,               /* Of one mapping. */
    YAML_ARENA_SIZE = 64 * 1024 * 1024, /* No file within the limits needs more. */
};

/* The keys that readers have asked a mapping for: what is known there. */
enum { YAML_ASKED_MAX = 64 };
struct yaml_asked {
    const char *names[YAML_ASKED_MAX]; /* Borrowed: literals of the readers. */
    size_t count;
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    const char *file; /* As named by the caller. */
    int line;         /* From 1. */
    int column;
    const char *path;         /* "rollout[2].percent", for errors. */
    const char *text;         /* Scalar: its text. */
    bool quoted;              /* Scalar: written in quotes. */
    struct yaml_node **items; /* Sequence: elements; mapping: values. */
    struct yaml_node **keys;  /* Mapping: keys, same order. */
    size_t count;
    bool used; /* Set by whoever has read it; unread mapping keys are reported as unknown. */
    bool
        deferred; /* Somebody else reads it later: its keys are not reported as unknown here. */
    struct yaml_asked *asked; /* Mapping only. */
    struct yaml_node *self;   /* The node, for yaml_defer. */
};

/* One problem found in a file. */
struct yaml_problem {
    bool warning;
    const char *file;
    int line;
    int column;
    const char *field;    /* Path, or "". */
    const char *message;  /* "rollout[2].percent is 5, below stage 2 (10)" */
    const char *expected; /* "more than 10, at most 100"; "" if nothing to add. */
};

enum { YAML_PROBLEMS_MAX = 100 };

/* All problems of a run, in the order found; further ones than the maximum are only counted. */
struct yaml_problems {
    struct arena *arena;
    struct yaml_problem item[YAML_PROBLEMS_MAX];
    size_t count;
    size_t errors;
    size_t warnings;
};

/* Add a problem at a node. message as printf. Returns ERR_INVALID for errors. */
enum err yaml_complain(struct yaml_problems *problems,
                       const struct yaml_node *at,
                       const char *expected,
                       const char *format,
                       ...) __attribute__((format(printf, 4, 5)));
void yaml_warn(struct yaml_problems *problems,
               const struct yaml_node *at,
               const char *expected,
               const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* A problem of the file as a whole: it cannot be read, it is too large. */
enum err yaml_complain_file(struct yaml_problems *problems,
                            const char *file,
                            const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

/* Parse length bytes. Problems are added; NULL when there is no usable tree. */
struct yaml_node *yaml_parse(struct arena *arena,
                             const char *name,
                             const char *bytes,
                             size_t length,
                             struct yaml_problems *problems);

/* The value of that key of a mapping, marked as used; NULL if absent or node is no mapping. key
 * outlives the tree: it is remembered as a known name. Once the tree is shared between threads,
 * only keys that were asked for before may be. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* The same without marking anything. */
struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key);

/* The same node for a later reader: its unread keys are left to him, who calls
 * yaml_complain_unused on it when he has read his. NULL is passed on. */
struct yaml_node *yaml_defer(const struct yaml_node *node);

/* The text of a scalar; "" for NULL and other kinds. */
const char *yaml_text(const struct yaml_node *node);

/* Complain about every key of the tree that nobody has used, with the nearest known name.
 * Deferred nodes below it are passed over. */
void yaml_complain_unused(struct yaml_problems *problems, const struct yaml_node *node);

/* All problems as a compiler prints them, with the source line and a caret. source: the whole
 * file, or NULL for the headlines alone.
 *     feature.yaml:31:16: error: ...
 *        31 |       percent: 5
 *           |                ^ expected: more than 10, at most 100 */
struct text;
void yaml_print_problems(const struct yaml_problems *problems,
                         const char *source,
                         struct text *out);

#endif
