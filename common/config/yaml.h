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

enum { YAML_SIZE_MAX = 256 * 1024, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 20000 };

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

/* Parse length bytes. Problems are added; NULL when there is no usable tree. */
struct yaml_node *yaml_parse(struct arena *arena,
                             const char *name,
                             const char *bytes,
                             size_t length,
                             struct yaml_problems *problems);

/* The value of that key of a mapping, marked as used; NULL if absent or node is no mapping. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* Complain about every key of the tree that nobody has used, with the nearest known name. */
void yaml_complain_unused(struct yaml_problems *problems, const struct yaml_node *node);

/* All problems as a compiler prints them, with the source line and a caret:
 *     feature.yaml:31:16: error: ...
 *        31 |       percent: 5
 *           |                ^ expected: more than 10, at most 100 */
struct text;
void yaml_print_problems(const struct yaml_problems *problems,
                         const char *source,
                         struct text *out);

#endif
