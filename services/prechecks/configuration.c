#include "services/prechecks/configuration.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

enum { DEPTH_MAX = 32 };

static bool ends_with(const char *path, const char *suffix)
{
    const size_t length = strlen(path), end = strlen(suffix);

    return length >= end && strcmp(path + length - end, suffix) == 0;
}

static enum err check_json(const char *path, struct error *error)
{
    json_error_t problem;
    json_t *const json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);

    if (json == NULL)
        return error_set(error, ERR_INVALID, "%s:%d: %s", path, problem.line, problem.text);
    json_decref(json);
    return ERR_OK;
}

static enum err check_yaml_stream(const char *path, yaml_parser_t *parser, struct error *error)
{
    yaml_event_t event;
    bool ended = false;

    while (!ended) {
        if (!yaml_parser_parse(parser, &event))
            return error_set(error,
                             ERR_INVALID,
                             "%s:%zu: %s",
                             path,
                             parser->problem_mark.line + 1,
                             parser->problem != NULL ? parser->problem : "cannot be parsed");
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return ERR_OK;
}

static enum err check_yaml(const char *path, struct error *error)
{
    FILE *const file = fopen(path, "rb");
    yaml_parser_t parser;
    enum err err;

    if (file == NULL)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (!yaml_parser_initialize(&parser)) {
        (void)fclose(file);
        return error_set(error, ERR_UNAVAILABLE, "%s: no memory to parse it", path);
    }
    yaml_parser_set_input_file(&parser, file);
    err = check_yaml_stream(path, &parser, error);
    yaml_parser_delete(&parser);
    (void)fclose(file);
    return err;
}

static enum err check_at(struct arena *arena, const char *path, int depth, struct error *error);

static enum err check_folder(struct arena *arena,
                             const char *path,
                             int depth,
                             struct error *error)
{
    DIR *const folder = depth <= DEPTH_MAX ? opendir(path) : NULL;
    struct dirent *entry;
    enum err err = ERR_OK;

    if (folder == NULL)
        return error_set(error, ERR_UNAVAILABLE, "%s cannot be read", path);
    while (err == ERR_OK && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            err = check_at(
                arena, arena_printf(arena, "%s/%s", path, entry->d_name), depth + 1, error);
    (void)closedir(folder);
    return err;
}

static enum err check_at(struct arena *arena, const char *path, int depth, struct error *error)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return check_folder(arena, path, depth, error);
    if (ends_with(path, ".json"))
        return check_json(path, error);
    if (ends_with(path, ".yaml") || ends_with(path, ".yml"))
        return check_yaml(path, error);
    return ERR_OK;
}

enum err configuration_check(struct arena *arena, const char *path, struct error *error)
{
    return check_at(arena, path, 0, error);
}
