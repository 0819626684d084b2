/* bind() and listen() stand in front of the C library's, so they must call the kernel. */
#define _DEFAULT_SOURCE
#include "deploy/devbroker/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BACKLOG = 512 };

/* The only state a process-wide bind() can have. */
static unsigned chosen_port;

void port_choose(unsigned port)
{
    chosen_port = port;
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in inet;

    if (chosen_port == 0 || address->sa_family != AF_INET || length < sizeof inet)
        return (int)syscall(SYS_bind, fd, address, length);
    memcpy(&inet, address, sizeof inet);
    if (inet.sin_port == 0) {
        int yes = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        inet.sin_port = htons((uint16_t)chosen_port);
    }
    return (int)syscall(SYS_bind, fd, &inet, sizeof inet);
}

/* The test cluster's own backlog of five loses connections when all services start at once. */
int listen(int fd, int backlog)
{
    return (int)syscall(SYS_listen, fd, backlog < BACKLOG ? BACKLOG : backlog);
}
