#include "common/config/yaml.h"

#include <string.h>
#include <yaml.h>

enum { PATH_MAX_LENGTH = 200, FIRST_CHILDREN = 8 };

/* One run over one file. */
struct reader {
    struct arena *arena;
    const char *file;
    yaml_parser_t parser;
    struct yaml_problems *problems;
    size_t nodes;
};

static struct yaml_node *read_value(struct reader *reader,
                                    const yaml_event_t *event,
                                    const char *path,
                                    unsigned depth);

static struct yaml_node at_mark(const struct reader *reader, const yaml_mark_t *mark)
{
    return (struct yaml_node){ .file = reader->file,
                               .line = (int)mark->line + 1,
                               .column = (int)mark->column + 1,
                               .path = "" };
}

/* Where the byte at that offset stands. libyaml gives no mark for what it cannot decode. */
static yaml_mark_t mark_of_offset(const char *bytes, size_t offset)
{
    yaml_mark_t mark = { 0 };

    for (size_t i = 0; i < offset; i++) {
        mark.column++;
        if (bytes[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static void complain_of_syntax(struct reader *reader, const char *bytes, size_t length)
{
    const yaml_parser_t *const parser = &reader->parser;
    const char *const problem = parser->problem != NULL ? parser->problem : "cannot be read";
    yaml_mark_t mark = parser->problem_mark;
    struct yaml_node node;

    if (parser->error == YAML_READER_ERROR)
        mark = mark_of_offset(
            bytes, parser->problem_offset < length ? parser->problem_offset : length);
    node = at_mark(reader, &mark);
    if (parser->error == YAML_READER_ERROR)
        (void)yaml_complain(reader->problems, &node, "UTF-8 text", "%s", problem);
    else if (parser->context != NULL)
        (void)yaml_complain(reader->problems, &node, "", "%s, %s", parser->context, problem);
    else
        (void)yaml_complain(reader->problems, &node, "", "%s", problem);
}

static struct yaml_node *new_node(struct reader *reader,
                                  const yaml_event_t *event,
                                  const char *path,
                                  enum yaml_kind kind)
{
    struct yaml_node *const node = arena_alloc(reader->arena, sizeof *node);

    *node = at_mark(reader, &event->start_mark);
    node->kind = kind;
    node->path = path;
    node->text = "";
    node->self = node;
    if (kind == YAML_MAPPING)
        node->asked = arena_alloc(reader->arena, sizeof *node->asked);
    return node;
}

/* What a file of ours never holds, though YAML knows it. */
static bool is_permitted(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    const struct yaml_node here = at_mark(reader, &event->start_mark);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    bool alias = false;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default: alias = event->type == YAML_ALIAS_EVENT; break;
    }
    if (alias || anchor != NULL)
        (void)yaml_complain(reader->problems,
                            &here,
                            "the value written out",
                            "anchors and aliases are not permitted");
    else if (tag != NULL)
        (void)yaml_complain(
            reader->problems, &here, "the value alone", "tags are not permitted");
    else if (depth > YAML_DEPTH_MAX)
        (void)yaml_complain(
            reader->problems, &here, "", "nested deeper than %d levels", YAML_DEPTH_MAX);
    else if (++reader->nodes > YAML_NODES_MAX)
        (void)yaml_complain(
            reader->problems, &here, "", "more than %d values in one file", YAML_NODES_MAX);
    else
        return true;
    return false;
}

static struct yaml_node *read_scalar(struct reader *reader,
                                     const yaml_event_t *event,
                                     const char *path)
{
    struct yaml_node *const node = new_node(reader, event, path, YAML_SCALAR);
    const char *const value = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;

    if (memchr(value, '\0', length) != NULL) {
        (void)yaml_complain(reader->problems, node, "", "text with a NUL character");
        return NULL;
    }
    node->text = arena_copy(reader->arena, value, length);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node;
}

/* Room for one more child, in arrays that double. */
static void grow(struct reader *reader, struct yaml_node *node)
{
    const size_t count = node->count;
    const size_t size = count > 0 ? 2 * count : FIRST_CHILDREN;
    struct yaml_node **items, **keys;

    if (count != 0 && (count < FIRST_CHILDREN || (count & (count - 1)) != 0))
        return;
    items = arena_alloc(reader->arena, size * sizeof *items);
    keys = arena_alloc(reader->arena, size * sizeof *keys);
    if (count > 0) {
        memcpy(items, node->items, count * sizeof *items);
        memcpy(keys, node->keys, count * sizeof *keys);
    }
    node->items = items;
    node->keys = keys;
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) != 0;
}

static struct yaml_node *read_sequence(struct reader *reader,
                                       const yaml_event_t *start,
                                       const char *path,
                                       unsigned depth)
{
    struct yaml_node *const node = new_node(reader, start, path, YAML_SEQUENCE);

    for (;;) {
        yaml_event_t event;
        struct yaml_node *item;

        if (!next_event(reader, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return node;
        }
        item = read_value(
            reader,
            &event,
            arena_printf(reader->arena, "%.*s[%zu]", PATH_MAX_LENGTH, path, node->count),
            depth + 1);
        yaml_event_delete(&event);
        if (item == NULL)
            return NULL;
        grow(reader, node);
        node->items[node->count++] = item;
    }
}

static struct yaml_node *find_key(const struct yaml_node *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (strcmp(mapping->keys[i]->text, key) == 0)
            return mapping->keys[i];
    return NULL;
}

/* The key of an entry, checked against those before it; NULL after a complaint. */
static struct yaml_node *read_key(struct reader *reader,
                                  const yaml_event_t *event,
                                  const struct yaml_node *mapping)
{
    const struct yaml_node here = at_mark(reader, &event->start_mark);
    const struct yaml_node *first;
    struct yaml_node *key;

    if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT) {
        (void)yaml_complain(reader->problems, &here, "a name", "a key must be plain text");
        return NULL;
    }
    key = read_value(reader, event, mapping->path, 0);
    if (key == NULL)
        return NULL;
    first = find_key(mapping, key->text);
    if (first != NULL)
        (void)yaml_complain(reader->problems,
                            key,
                            "each key once",
                            "%.60s stands here twice, first in line %d",
                            key->text,
                            first->line);
    else if (mapping->count >= YAML_KEYS_MAX)
        (void)yaml_complain(
            reader->problems, key, "", "more than %d keys in one place", YAML_KEYS_MAX);
    else
        return key;
    return NULL;
}

static struct yaml_node *read_mapping(struct reader *reader,
                                      const yaml_event_t *start,
                                      const char *path,
                                      unsigned depth)
{
    struct yaml_node *const node = new_node(reader, start, path, YAML_MAPPING);

    for (;;) {
        yaml_event_t event;
        struct yaml_node *key, *value;

        if (!next_event(reader, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return node;
        }
        key = read_key(reader, &event, node);
        yaml_event_delete(&event);
        if (key == NULL || !next_event(reader, &event))
            return NULL;
        key->path = arena_printf(reader->arena,
                                 "%.*s%s%.60s",
                                 PATH_MAX_LENGTH,
                                 path,
                                 *path == '\0' ? "" : ".",
                                 key->text);
        value = read_value(reader, &event, key->path, depth + 1);
        yaml_event_delete(&event);
        if (value == NULL)
            return NULL;
        grow(reader, node);
        node->keys[node->count] = key;
        node->items[node->count++] = value;
    }
}

/* The tree that begins with that event; NULL after a complaint, or when libyaml has failed. */
static struct yaml_node *read_value(struct reader *reader,
                                    const yaml_event_t *event,
                                    const char *path,
                                    unsigned depth)
{
    if (!is_permitted(reader, event, depth))
        return NULL;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return read_sequence(reader, event, path, depth);
    if (event->type == YAML_MAPPING_START_EVENT)
        return read_mapping(reader, event, path, depth);
    return read_scalar(reader, event, path);
}

/* Only the end may follow the first document. */
static bool is_only_document(struct reader *reader)
{
    yaml_event_t event;
    bool only;

    if (!next_event(reader, &event))
        return false;
    yaml_event_delete(&event); /* The end of the document. */
    if (!next_event(reader, &event))
        return false;
    only = event.type == YAML_STREAM_END_EVENT;
    if (!only) {
        const struct yaml_node here = at_mark(reader, &event.start_mark);

        (void)yaml_complain(
            reader->problems, &here, "one document in a file", "a second document begins");
    }
    yaml_event_delete(&event);
    return only;
}

static struct yaml_node *read_document(struct reader *reader)
{
    struct yaml_node *root = NULL;
    yaml_event_t event;

    for (;;) {
        yaml_event_type_t type;

        if (!next_event(reader, &event))
            return NULL;
        type = event.type;
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT)
            break;
        yaml_event_delete(&event);
    }
    if (event.type == YAML_STREAM_END_EVENT)
        (void)yaml_complain_file(reader->problems, reader->file, "the file is empty");
    else
        root = read_value(reader, &event, "", 1);
    yaml_event_delete(&event);
    return root != NULL && is_only_document(reader) ? root : NULL;
}

struct yaml_node *yaml_parse(struct arena *arena,
                             const char *name,
                             const char *bytes,
                             size_t length,
                             struct yaml_problems *problems)
{
    struct reader reader = { .arena = arena,
                             .file = arena_text(arena, name),
                             .problems = problems };
    const size_t errors = problems->errors;
    struct yaml_node *root;

    if (length > YAML_SIZE_MAX) {
        (void)yaml_complain_file(
            problems, reader.file, "larger than %d KiB", YAML_SIZE_MAX / 1024);
        return NULL;
    }
    if (yaml_parser_initialize(&reader.parser) == 0) {
        (void)yaml_complain_file(problems, reader.file, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, length);
    root = read_document(&reader);
    if (root == NULL && problems->errors == errors)
        complain_of_syntax(&reader, bytes, length);
    yaml_parser_delete(&reader.parser);
    return root;
}
