/* Files that people hand in. */
#ifndef SERVICES_CLI_FILES_H
#define SERVICES_CLI_FILES_H

#include "services/cli/cli.h"

#include "common/config/yaml.h"

/* The whole file, or stdin for "-"; NULL if it cannot be read or is over 256 KiB. */
const char *file_read(struct cli *cli, const char *path);

/* The folder it is in. */
const char *file_folder(struct cli *cli, const char *path);

/* Says that file_read answered NULL. */
void file_unreadable(struct cli *cli, const char *path);

/* What is wrong with it, to stdout; EXIT_NO where something is an error. */
enum cli_exit file_problems(const struct yaml_problems *problems,
                            const char *source,
                            const char *format,
                            const char *reference);

#endif
