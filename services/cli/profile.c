#include "services/cli/profile.h"

#include "common/config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 * 1024, FOLDERS_MAX = 40, PATH_LENGTH_MAX = 4096 };

static void set_once(struct cli_setting *setting, const char *value, const char *from)
{
    if (setting->value == NULL && value != NULL && value[0] != '\0')
        *setting = (struct cli_setting){ .value = value, .from = from };
}

static const char *text_at(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *const node = mapping != NULL ? yaml_get(mapping, key) : NULL;

    return node != NULL && node->kind == YAML_SCALAR ? node->text : NULL;
}

/* `profiles: {NAME: {server, token_file}}`, or the two at the top. */
static void read_config(struct cli *cli, const char *path)
{
    FILE *const file = fopen(path, "rb");
    struct yaml_problems *problems;
    const struct yaml_node *root;
    const struct yaml_node *profiles;
    char *bytes;
    size_t length;

    if (file == NULL)
        return;
    bytes = arena_alloc(&cli->arena, FILE_MAX_BYTES + 1);
    length = fread(bytes, 1, FILE_MAX_BYTES, file);
    (void)fclose(file);
    problems = arena_alloc(&cli->arena, sizeof *problems);
    problems->arena = &cli->arena;
    root = yaml_parse(&cli->arena, path, bytes, length, problems);
    if (root == NULL)
        return;
    profiles = yaml_get(root, "profiles");
    if (cli->profile != NULL && profiles != NULL)
        root = yaml_get(profiles, cli->profile);
    path = arena_text(&cli->arena, path);
    set_once(&cli->server, text_at(root, "server"), path);
    set_once(&cli->token_file, text_at(root, "token_file"), path);
}

/* .slipway here or above, up to the folder that holds .git. */
static void read_folders(struct cli *cli)
{
    char folder[PATH_LENGTH_MAX];

    if (getcwd(folder, sizeof folder) == NULL)
        return;
    for (int i = 0; i < FOLDERS_MAX && folder[0] != '\0'; i++) {
        char *const slash = strrchr(folder, '/');

        read_config(cli, arena_printf(&cli->arena, "%s/.slipway", folder));
        if (access(arena_printf(&cli->arena, "%s/.git", folder), F_OK) == 0 || slash == NULL)
            return;
        *slash = '\0';
    }
}

static const char *home_folder(struct cli *cli, const char *variable, const char *otherwise)
{
    const char *const set = getenv(variable);
    const char *const home = getenv("HOME");

    if (set != NULL && set[0] == '/')
        return set;
    return arena_printf(&cli->arena, "%s/%s", home != NULL ? home : "", otherwise);
}

const char *profile_token_path(struct cli *cli)
{
    return arena_printf(&cli->arena,
                        "%s/slipway/tokens/%s",
                        home_folder(cli, "XDG_STATE_HOME", ".local/state"),
                        cli->profile != NULL ? cli->profile : "default");
}

static enum err read_token(struct cli *cli, struct error *error)
{
    if (cli->token_file.value == NULL) {
        const char *const stored = profile_token_path(cli);

        if (access(stored, F_OK) != 0)
            return ERR_OK;
        cli->token_file = (struct cli_setting){ .value = stored, .from = "slipway login" };
    }
    return settings_secret(&cli->arena, cli->token_file.value, &cli->token, error);
}

enum err profile_load(struct cli *cli, struct error *error)
{
    set_once(&cli->server, getenv("SLIPWAY_SERVER"), "SLIPWAY_SERVER");
    set_once(&cli->token_file, getenv("SLIPWAY_TOKEN_FILE"), "SLIPWAY_TOKEN_FILE");
    if (cli->profile == NULL)
        cli->profile = getenv("SLIPWAY_PROFILE");
    read_folders(cli);
    read_config(cli,
                arena_printf(&cli->arena,
                             "%s/slipway/config.yaml",
                             home_folder(cli, "XDG_CONFIG_HOME", ".config")));
    read_config(cli, "/etc/slipway/cli.yaml");
    set_once(&cli->server, "http://127.0.0.1:8080", "the default");
    return read_token(cli, error);
}
