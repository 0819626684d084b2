#include "common/adapters/httpd/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256 };

/* "host:port" or "[host]:port" into its two parts. */
static bool split(const char *address, char host[ADDRESS_TEXT_MAX], const char **ret_port)
{
    const char *const colon = strrchr(address, ':');
    const bool bracketed = address[0] == '[';
    const char *start = address;
    size_t length;

    if (colon == NULL || colon[1] == '\0')
        return false;
    length = (size_t)(colon - address);
    if (bracketed) {
        if (length < 3 || address[length - 1] != ']')
            return false;
        start++;
        length -= 2;
    }
    if (length == 0 || length >= ADDRESS_TEXT_MAX ||
        (!bracketed && memchr(start, ':', length) != NULL))
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    *ret_port = colon + 1;
    return strspn(*ret_port, "0123456789") == strlen(*ret_port);
}

static void name_of(int fd, char ret[ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage bound = { 0 };
    socklen_t length = sizeof bound;
    char host[ADDRESS_TEXT_MAX / 2] = "?";
    char port[8] = "?";

    (void)getsockname(fd, (struct sockaddr *)&bound, &length);
    (void)getnameinfo((struct sockaddr *)&bound,
                      length,
                      host,
                      sizeof host,
                      port,
                      sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(
        ret, ADDRESS_TEXT_MAX, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* A listening socket on that address; -1 and errno on failure. */
static int bind_one(const struct addrinfo *info)
{
    const int fd = socket(info->ai_family, SOCK_STREAM, 0);
    const int on = 1;
    int fault;

    if (fd < 0)
        return -1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    fault = errno;
    (void)close(fd);
    errno = fault;
    return -1;
}

enum err listen_on(const char *address,
                   int *ret_fd,
                   char ret_address[ADDRESS_TEXT_MAX],
                   struct error *error)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *infos = NULL;
    char host[ADDRESS_TEXT_MAX];
    const char *port;
    int fault, fd;

    if (!split(address, host, &port))
        return error_set(error, ERR_INVALID, "\"%s\" is not HOST:PORT", address);
    fault = getaddrinfo(host, port, &hints, &infos);
    if (fault != 0)
        return error_set(error, ERR_INVALID, "%s: %s", address, gai_strerror(fault));
    fd = bind_one(infos);
    fault = errno;
    freeaddrinfo(infos);
    if (fd < 0)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", address, strerror(fault));
    name_of(fd, ret_address);
    *ret_fd = fd;
    return ERR_OK;
}
