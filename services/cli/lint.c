/* lint: what is wrong with a file, said as a compiler does; works without a server. */
#include "services/cli/files.h"

#include "common/planning/lint.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 * 1024 };

const char *file_read(struct cli *cli, const char *path)
{
    FILE *const file = strcmp(path, "-") == 0 ? cli->terminal.in : fopen(path, "rb");
    char *bytes;
    size_t length;

    if (file == NULL)
        return NULL;
    bytes = arena_alloc(&cli->arena, FILE_MAX_BYTES + 2);
    length = fread(bytes, 1, FILE_MAX_BYTES + 1, file);
    if (file != cli->terminal.in)
        (void)fclose(file);
    return length <= FILE_MAX_BYTES ? bytes : NULL;
}

const char *file_folder(struct cli *cli, const char *path)
{
    const char *const slash = strrchr(path, '/');

    return slash != NULL ? arena_copy(&cli->arena, path, (size_t)(slash - path)) : ".";
}

void file_unreadable(struct cli *cli, const char *path)
{
    cli_complain(
        cli,
        arena_printf(&cli->arena, "cannot read %s: not there, or over 256 KiB", path),
        arena_printf(&cli->arena, "slipway %s FILE; its form: man 5 feature.yaml", cli->verb));
}

static void print_github(const struct yaml_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];

        (void)printf("::%s file=%s,line=%d,col=%d::%s\n",
                     problem->warning ? "warning" : "error",
                     problem->file,
                     problem->line,
                     problem->column,
                     problem->message);
    }
}

static void print_json(const struct yaml_problems *problems)
{
    json_t *const items = json_array();

    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];

        (void)json_array_append_new(items,
                                    json_pack("{s:s, s:i, s:i, s:b, s:s, s:s}",
                                              "file",
                                              problem->file,
                                              "line",
                                              problem->line,
                                              "column",
                                              problem->column,
                                              "warning",
                                              problem->warning,
                                              "found",
                                              problem->message,
                                              "expected",
                                              problem->expected));
    }
    say_json_line(items);
    json_decref(items);
}

static void print_places(const struct yaml_problems *problems,
                         const char *source,
                         const char *reference)
{
    struct text text = text_new(1 << 20);

    yaml_print_problems(problems, source, &text);
    lint_summary(problems, reference, &text);
    if (text.length == 0)
        text_add(&text, "no errors; reference: man 5 %s\n", reference);
    (void)fputs(text.bytes, stdout);
    text_release(&text);
}

enum cli_exit file_problems(const struct yaml_problems *problems,
                            const char *source,
                            const char *format,
                            const char *reference)
{
    if (format != NULL && strcmp(format, "github") == 0)
        print_github(problems);
    else if (format != NULL && strcmp(format, "json") == 0)
        print_json(problems);
    else
        print_places(problems, source, reference);
    return problems->errors > 0 ? EXIT_NO : EXIT_DONE;
}

static enum cli_exit check_settings(struct cli *cli, const char *path, const char *format)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = file_read(cli, path);
    const struct settings *settings;

    problems->arena = &cli->arena;
    settings = settings_load(&cli->arena, path, problems);
    if (settings != NULL)
        lint_settings(settings, problems);
    return file_problems(problems, source != NULL ? source : "", format, "slipway.yaml");
}

static enum cli_exit check_feature(struct cli *cli,
                                   const char *path,
                                   const struct settings *settings,
                                   const char *format)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const source = file_read(cli, path);
    struct lint_request request = {
        .name = path,
        .bytes = source,
        .length = source != NULL ? strlen(source) : 0,
        .base_folder = file_folder(cli, path),
        .settings = settings,
    };

    if (source == NULL) {
        file_unreadable(cli, path);
        return EXIT_USAGE;
    }
    problems->arena = &cli->arena;
    (void)lint_feature(&cli->arena, &request, problems);
    return file_problems(problems, source, format, "feature.yaml");
}

enum cli_exit verb_lint(struct cli *cli)
{
    const char *const given = cli_option(cli, "--format");
    const char *const format = cli->json ? "json" : given;
    const char *const settings_path = cli_option(cli, "--settings");
    const char *const path = cli_next(cli);
    const struct settings *settings = NULL;
    struct yaml_problems *problems;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (given != NULL && strcmp(given, "github") != 0)
        return cli_usage(cli, "lint [FILE] [--settings FILE] [--format github]");
    if (path == NULL && settings_path != NULL)
        return check_settings(cli, settings_path, format);
    if (settings_path != NULL) {
        problems = arena_alloc(&cli->arena, sizeof *problems);
        problems->arena = &cli->arena;
        settings = settings_load(&cli->arena, settings_path, problems);
        if (settings == NULL)
            return check_settings(cli, settings_path, format);
    }
    return check_feature(cli, path != NULL ? path : "feature.yaml", settings, format);
}
