#define _GNU_SOURCE
#include "tests/support/redis_server.h"

#include "tests/support/patience.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ACCEPT_AWAIT_MS = 20000 };

static bool accepts(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool accepted =
        fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return accepted;
}

static bool server_run(struct redis_server *server, const char *password)
{
    struct patience patience = patience_for(ACCEPT_AWAIT_MS);
    const char *const argv[] = { "redis-server",
                                 "--port",
                                 "0",
                                 "--unixsocket",
                                 server->socket,
                                 "--save",
                                 "",
                                 "--dir",
                                 server->folder.path,
                                 "--logfile",
                                 "log",
                                 "--requirepass",
                                 password != NULL ? password : "",
                                 NULL };

    server->child = child_start(argv);
    while (server->child != 0 && !accepts(server->socket)) {
        if (!patience_left(&patience))
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000 }, NULL);
    }
    return server->child != 0;
}

bool redis_server_start(struct redis_server *server, const char *password)
{
    *server = (struct redis_server){ 0 };
    if (!folder_make(&server->folder))
        return false;
    snprintf(server->socket, sizeof server->socket, "%s/redis", server->folder.path);
    return server_run(server, password);
}

bool redis_server_crash_and_restart(struct redis_server *server)
{
    child_kill(server->child);
    unlink(server->socket);
    return server_run(server, NULL);
}

void redis_server_stop(struct redis_server *server)
{
    child_stop(server->child);
    server->child = 0;
    folder_remove(&server->folder);
}
