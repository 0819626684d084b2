#include "tests/unit/httpd/caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, KEPT = 64 * 1024 };

void caller_connect(struct caller *caller, const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10));
    caller->fd = socket(AF_INET, SOCK_STREAM, 0);
    caller->closed = false;
    caller_forget(caller);
    if (connect(caller->fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
}

void caller_say(struct caller *caller, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(caller->fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

void caller_say_text(struct caller *caller, const char *text)
{
    caller_say(caller, text, strlen(text));
}

static bool hear_once(struct caller *caller)
{
    struct pollfd poll_fd = { .fd = caller->fd, .events = POLLIN };
    ssize_t got;

    if (caller->closed || poll(&poll_fd, 1, PATIENCE_MS) != 1)
        return false;
    if (caller->length > CALLER_HEARD_MAX / 2) {
        memmove(caller->heard, caller->heard + caller->length - KEPT, KEPT);
        caller->length = KEPT;
    }
    got = recv(
        caller->fd, caller->heard + caller->length, CALLER_HEARD_MAX - 1 - caller->length, 0);
    caller->closed = got <= 0;
    if (got > 0)
        caller->length += (size_t)got;
    caller->heard[caller->length] = '\0';
    return !caller->closed;
}

bool caller_hears(struct caller *caller, const char *text)
{
    while (strstr(caller->heard, text) == NULL) {
        if (!hear_once(caller))
            return false;
    }
    return true;
}

bool caller_hears_the_end(struct caller *caller)
{
    while (hear_once(caller))
        continue;
    return caller->closed;
}

void caller_forget(struct caller *caller)
{
    caller->length = 0;
    caller->heard[0] = '\0';
}

void caller_close(struct caller *caller)
{
    (void)close(caller->fd);
}

void caller_ask(struct caller *caller, const char *address, const char *text)
{
    caller_connect(caller, address);
    caller_say_text(caller, text);
    (void)caller_hears_the_end(caller);
    caller_close(caller);
}
