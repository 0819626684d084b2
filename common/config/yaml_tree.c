/* Looking things up in a tree, and noticing what nobody has looked up. */
#include "common/config/nearest.h"
#include "common/config/yaml.h"

#include <string.h>

static void remember_asked(const struct yaml_node *mapping, const char *key)
{
    struct yaml_asked *const asked = mapping->asked;

    for (size_t i = 0; i < asked->count; i++)
        if (strcmp(asked->names[i], key) == 0)
            return;
    if (asked->count < YAML_ASKED_MAX)
        asked->names[asked->count++] = key;
}

struct yaml_node *yaml_find(const struct yaml_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != YAML_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++)
        if (strcmp(mapping->keys[i]->text, key) == 0)
            return mapping->items[i];
    return NULL;
}

struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
    struct yaml_node *const value = yaml_find(mapping, key);

    if (mapping == NULL || mapping->kind != YAML_MAPPING)
        return NULL;
    remember_asked(mapping, key);
    /* Asking again for what was asked before writes nothing, so that threads may. */
    if (value != NULL && !value->used)
        value->used = true;
    return value;
}

struct yaml_node *yaml_defer(const struct yaml_node *node)
{
    struct yaml_node *const mine = node != NULL ? node->self : NULL;

    if (mine != NULL)
        mine->deferred = true;
    return mine;
}

const char *yaml_text(const struct yaml_node *node)
{
    return node != NULL && node->kind == YAML_SCALAR ? node->text : "";
}

static void complain_unknown(struct yaml_problems *problems,
                             const struct yaml_node *mapping,
                             const struct yaml_node *key)
{
    const struct yaml_asked *const asked = mapping->asked;
    const char *const nearest = nearest_name(key->text, asked->names, asked->count);

    (void)yaml_complain(
        problems,
        key,
        nearest != NULL ? arena_printf(problems->arena, "did you mean %s?", nearest) : "",
        "%.120s is not known here",
        key->path);
}

void yaml_complain_unused(struct yaml_problems *problems, const struct yaml_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *const item = node->items[i];

        if (node->kind == YAML_MAPPING && !item->used)
            complain_unknown(problems, node, node->keys[i]);
        else if (!item->deferred)
            yaml_complain_unused(problems, item);
    }
}
