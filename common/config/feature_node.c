/* From a field of the message to its place in the file. */
#include "common/config/feature.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_MAX = 64 };

/* Where the file says it in other words. */
static const struct {
    const char *field;
    const char *key;
} synonyms[] = {
    { "min_ms", "min_time" },
    { "gate_role", "gate" },
    { "attest_role", "attest" },
};

static const struct yaml_node *step_into(const struct yaml_node *node, const char *segment)
{
    const struct yaml_node *child = yaml_find(node, segment);

    for (size_t i = 0; child == NULL && i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcmp(synonyms[i].field, segment) == 0)
            child = yaml_find(node, synonyms[i].key);
    return child;
}

/* The element that "[n]" names, if text begins so. */
static const struct yaml_node *step_index(const struct yaml_node *node, const char **text)
{
    char *end;
    unsigned long index;

    if (**text != '[' || node->kind != YAML_SEQUENCE)
        return NULL;
    index = strtoul(*text + 1, &end, 10);
    if (*end != ']' || index >= node->count)
        return NULL;
    *text = end + 1;
    return node->items[index];
}

static const struct yaml_node *descend(const struct yaml_node *node, const char *field)
{
    while (*field != '\0') {
        const size_t length = strcspn(field, ".[");
        const struct yaml_node *next;
        char segment[SEGMENT_MAX];

        if (length > 0 && length < sizeof segment) {
            memcpy(segment, field, length);
            segment[length] = '\0';
            next = step_into(node, segment);
            field += length;
        } else {
            next = step_index(node, &field);
        }
        if (next == NULL)
            return node;
        node = next;
        field += *field == '.' ? 1 : 0;
    }
    return node;
}

const struct yaml_node *feature_node(const struct yaml_node *root, const char *field)
{
    static const char report[] = "report.";
    const struct yaml_node *const acceptance = yaml_find(root, "acceptance");

    if (strncmp(field, report, sizeof report - 1) != 0 || acceptance == NULL)
        return descend(root, field);
    /* The file keeps link and digest of the report apart from who signed it. */
    if (strcmp(field, "report.link") == 0 || strcmp(field, "report.digest") == 0)
        return descend(acceptance, field);
    return descend(acceptance, field + sizeof report - 1);
}
