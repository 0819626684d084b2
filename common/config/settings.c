#include "common/config/settings.h"

#include "common/config/nearest.h"
#include "common/config/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SECRET_MAX = 4096, OTHERS_MAY_READ = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH };

const char *named_at(struct named named, size_t index)
{
    return *(const char *const *)(const void *)((const char *)named.items + index * named.size);
}

const void *named_find(struct named named, const char *name)
{
    for (size_t i = 0; name != NULL && i < named.count; i++)
        if (strcmp(named_at(named, i), name) == 0)
            return (const char *)named.items + i * named.size;
    return NULL;
}

static const char *nearest_of(struct settings_reader *reader,
                              struct named named,
                              const char *name)
{
    const char **const names = arena_alloc(reader->arena, (named.count + 1) * sizeof *names);

    for (size_t i = 0; i < named.count; i++)
        names[i] = named_at(named, i);
    return nearest_name(name, names, named.count);
}

bool check_reference(struct settings_reader *reader,
                     const struct yaml_node *value,
                     struct named named)
{
    const char *const name = yaml_text(value);
    const char *nearest;

    if (value == NULL || named_find(named, name) != NULL)
        return value != NULL;
    nearest = nearest_of(reader, named, name);
    (void)yaml_complain(
        reader->problems,
        value,
        nearest != NULL ? arena_printf(reader->arena, "did you mean %s?", nearest) : "",
        "%s is %.63s, but there is no such %s",
        value->path,
        *name != '\0' ? name : "empty",
        named.kind);
    return false;
}

void check_positive(struct settings_reader *reader,
                    const struct yaml_node *mapping,
                    const char *key,
                    int64_t value)
{
    const struct yaml_node *const node = yaml_find(mapping, key);

    if (value <= 0)
        (void)yaml_complain(reader->problems,
                            node != NULL ? node : mapping,
                            "more than 0",
                            "%s.%s is 0",
                            mapping->path,
                            key);
}

/* The first of an entry's keys that names it. */
static const struct yaml_node *name_node(const struct yaml_node *item)
{
    static const char *const keys[] = { "name", "id", "alert" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct yaml_node *const node = yaml_find(item, keys[i]);

        if (node != NULL)
            return node;
    }
    return item;
}

static void check_item_name(struct settings_reader *reader,
                            const struct yaml_node *item,
                            const char *name,
                            struct named earlier)
{
    const struct yaml_node *const node = name_node(item);

    if (*name == '\0')
        return; /* Missing, and complained about. */
    if (yaml_find(item, "alert") == NULL && !is_name(name))
        (void)yaml_complain(reader->problems,
                            node,
                            "lower-case letters, digits, - and ., at most 63",
                            "%s is %.80s",
                            node->path,
                            name);
    else if (named_find(earlier, name) != NULL)
        (void)yaml_complain(reader->problems,
                            node,
                            "each name once",
                            "%s is %s, which an earlier one has",
                            node->path,
                            name);
}

void *read_items(struct settings_reader *reader,
                 const struct yaml_node *mapping,
                 const struct list_spec *spec,
                 size_t *ret_count)
{
    const struct yaml_node *const list =
        field_list(mapping, spec->key, SETTINGS_ITEMS_MAX, reader->problems);
    char *array;

    *ret_count = 0;
    if (list == NULL)
        return NULL;
    array = arena_alloc(reader->arena, list->count * spec->size);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *const node = list->items[i];
        char *const item = array + *ret_count * spec->size;
        const char **const name = (const char **)(void *)item;

        spec->read(reader, node, item);
        if (*name == NULL)
            *name = "";
        check_item_name(
            reader, node, *name, (struct named){ spec->key, array, *ret_count, spec->size });
        (*ret_count)++;
    }
    return array;
}

static void read_role(struct settings_reader *reader, const struct yaml_node *node, void *item)
{
    /* clang-format off */
    static const struct option table[] = {
        TEXT_OPTION(struct setting_role, name, "name", NULL, "the role"),
        LIST_OPTION(struct setting_role, members, "members", NULL, "subjects that have it"),
        OPTIONS_END,
    };
    /* clang-format on */
    const struct setting_role *const role = item;

    if (options_read(table, node, item, reader->problems) == ERR_OK && role->members.count == 0)
        (void)yaml_complain(
            reader->problems, node, "at least one member", "%s has no members", node->path);
}

static void read_alert_rule(struct settings_reader *reader,
                            const struct yaml_node *node,
                            void *item)
{
    /* clang-format off */
    static const struct option table[] = {
        TEXT_OPTION(struct setting_alert_rule, alert, "alert", NULL, "name of the alert"),
        TEXT_OPTION(struct setting_alert_rule, source, "source", "", "metric source that must have that rule"),
        BOOL_OPTION(struct setting_alert_rule, direct, "direct", "false", "the monitor writes the latch itself"),
        OPTIONS_END,
    };
    /* clang-format on */

    (void)options_read(table, node, item, reader->problems);
}

static void check_alert_sources(struct settings_reader *reader, const struct yaml_node *root)
{
    const struct settings *const settings = reader->settings;

    for (size_t i = 0; i < settings->alert_rule_count; i++) {
        const char *const source = settings->alert_rules[i].source;

        if (source != NULL && source[0] != '\0' &&
            settings_metric_source(settings, source) == NULL)
            (void)yaml_complain(reader->problems,
                                yaml_get(root, "alerts"),
                                "a name of metric_sources",
                                "alerts[%zu].source: there is no metric source %s",
                                i,
                                source);
    }
}

static void read_all(struct settings_reader *reader, const struct yaml_node *root)
{
    static const struct list_spec roles = { "roles", sizeof(struct setting_role), read_role };
    static const struct list_spec alerts = { "alerts",
                                             sizeof(struct setting_alert_rule),
                                             read_alert_rule };
    struct settings *const settings = reader->settings;

    read_services(reader, root);
    settings->roles = read_items(reader, root, &roles, &settings->role_count);
    settings->alert_rules = read_items(reader, root, &alerts, &settings->alert_rule_count);
    read_targets(reader, root);
    read_drivers(reader, root);
    check_alert_sources(reader, root);
    read_calendar(reader, root);
    read_policies(reader, root);
    yaml_complain_unused(reader->problems, root);
}

const struct settings *settings_read(struct arena *arena,
                                     const char *name,
                                     const char *bytes,
                                     size_t length,
                                     struct yaml_problems *problems)
{
    const size_t errors = problems->errors;
    const struct yaml_node *const root = yaml_parse(arena, name, bytes, length, problems);
    struct settings *const settings = arena_alloc(arena, sizeof *settings);
    struct settings_reader reader = { arena, problems, settings };

    if (root == NULL)
        return NULL;
    if (root->kind != YAML_MAPPING) {
        (void)yaml_complain(problems, root, "kafka:, redis:, ...", "the file is no mapping");
        return NULL;
    }
    settings->file = arena_text(arena, name);
    settings->root = root;
    settings_hash(root, settings->hash);
    read_all(&reader, root);
    return problems->errors == errors ? settings : NULL;
}

static enum err read_file(struct arena *arena,
                          const char *path,
                          size_t max,
                          struct pb_bytes *ret,
                          struct error *error)
{
    FILE *const file = fopen(path, "rb");
    uint8_t *bytes;

    if (file == NULL)
        return error_set(error,
                         errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s: %s",
                         path,
                         strerror(errno));
    bytes = arena_alloc(arena, max + 1);
    ret->length = fread(bytes, 1, max + 1, file);
    ret->bytes = bytes;
    if (ferror(file)) {
        (void)fclose(file);
        return error_set(error, ERR_UNAVAILABLE, "%s: cannot be read", path);
    }
    (void)fclose(file);
    if (ret->length > max)
        return error_set(error, ERR_TOO_LARGE, "%s: larger than %zu bytes", path, max);
    return ERR_OK;
}

const struct settings *settings_load(struct arena *arena,
                                     const char *path,
                                     struct yaml_problems *problems)
{
    struct error error = { 0 };
    struct pb_bytes bytes = { NULL, 0 };

    if (read_file(arena, path, YAML_SIZE_MAX, &bytes, &error) != ERR_OK) {
        (void)yaml_complain_file(problems, path, "%s", error.text + strlen(path) + 2);
        return NULL;
    }
    return settings_read(arena, path, (const char *)bytes.bytes, bytes.length, problems);
}

const char *settings_path(const struct settings *settings,
                          struct arena *arena,
                          const char *path)
{
    const char *const slash = strrchr(settings->file, '/');

    if (*path == '/' || *path == '\0' || slash == NULL)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - settings->file), settings->file, path);
}

enum err settings_secret(struct arena *arena,
                         const char *path,
                         const char **ret,
                         struct error *error)
{
    struct pb_bytes bytes = { NULL, 0 };
    struct stat status;
    enum err err;
    char *secret;

    if (stat(path, &status) != 0)
        return error_set(error,
                         errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s: %s",
                         path,
                         strerror(errno));
    if ((status.st_mode & OTHERS_MAY_READ) != 0)
        return error_set(
            error, ERR_DENIED, "%s: others may read this secret; chmod 600 it", path);
    err = read_file(arena, path, SECRET_MAX, &bytes, error);
    if (err != ERR_OK)
        return err;
    while (bytes.length > 0 && strchr("\r\n", bytes.bytes[bytes.length - 1]) != NULL &&
           bytes.bytes[bytes.length - 1] != '\0')
        bytes.length--;
    if (bytes.length == 0 || memchr(bytes.bytes, '\0', bytes.length) != NULL)
        return error_set(error, ERR_INVALID, "%s: no secret in it", path);
    secret = arena_copy(arena, bytes.bytes, bytes.length);
    *ret = secret;
    return ERR_OK;
}
