/* The hash of slipway.yaml: what plans are compiled from, so that services agree on it. */
#include "common/base/text.h"
#include "common/config/settings_read.h"

#include <string.h>

enum { CANONICAL_MAX = 4 * YAML_SIZE_MAX + 64 * YAML_NODES_MAX };

/* As whom a service speaks to Kafka and Redis is its own affair, and in no plan. */
static bool is_own_affair(const struct yaml_node *node)
{
    static const char *const paths[] = { "kafka.properties",
                                         "redis.user",
                                         "redis.password_file" };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (strcmp(node->path, paths[i]) == 0)
            return true;
    }
    return false;
}

static void add_scalar(struct text *canonical, const struct yaml_node *node)
{
    text_add(canonical, "%c%zu:", node->quoted ? 'q' : 's', strlen(node->text));
    text_add_bytes(canonical, node->text, strlen(node->text));
}

/* Values with their lengths: no two files that say different things look the same. No deeper
 * than YAML_DEPTH_MAX. */
static void add_node(struct text *canonical, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        add_scalar(canonical, node);
        return;
    }
    text_add(canonical, node->kind == YAML_MAPPING ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        if (is_own_affair(node->items[i]))
            continue;
        if (node->kind == YAML_MAPPING)
            add_scalar(canonical, node->keys[i]);
        add_node(canonical, node->items[i]);
    }
    text_add(canonical, node->kind == YAML_MAPPING ? "}" : "]");
}

void settings_hash(const struct yaml_node *root, char ret[DIGEST_HEX_SIZE])
{
    struct text canonical = text_new(CANONICAL_MAX);

    add_node(&canonical, root);
    digest_sha256(canonical.bytes, canonical.length, ret);
    text_release(&canonical);
}
