#define _GNU_SOURCE
#include "tests/support/devbroker.h"

#include <signal.h>
#include <stdio.h>

bool devbroker_start(struct devbroker *broker, const char *program)
{
    char file[160];

    *broker = (struct devbroker){ 0 };
    if (!folder_make(&broker->folder))
        return false;
    snprintf(file, sizeof file, "%s/address", broker->folder.path);
    const char *const argv[] = { program, "--port-file", file, NULL };

    broker->child = child_start(argv);
    return broker->child != 0 && file_line_await(file, broker->address, sizeof broker->address);
}

int devbroker_stop(struct devbroker *broker)
{
    int status = child_stop(broker->child);

    folder_remove(&broker->folder);
    broker->child = 0;
    return status;
}

void devbroker_down(const struct devbroker *broker)
{
    child_signal(broker->child, SIGUSR1);
}

void devbroker_up(const struct devbroker *broker)
{
    child_signal(broker->child, SIGUSR2);
}
