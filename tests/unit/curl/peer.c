#include "tests/unit/curl/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *self)
{
    struct peer *const peer = self;

    for (;;) {
        const int fd = accept(peer->listener, NULL, NULL);

        if (fd < 0)
            return NULL;
        peer->connections++;
        peer->talk(peer, fd);
        (void)close(fd);
    }
}

void peer_start(struct peer *peer)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(peer->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(peer->listener, 8) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    peer->port = ntohs(address.sin_port);
    if (pthread_create(&peer->thread, NULL, serve, peer) != 0)
        abort();
}

void peer_stop(struct peer *peer)
{
    (void)shutdown(peer->listener, SHUT_RDWR);
    (void)pthread_join(peer->thread, NULL);
    (void)close(peer->listener);
}

bool peer_hear(struct peer *peer, int fd)
{
    const size_t room = PEER_HEARD_MAX - 1 - peer->heard_length;
    const ssize_t got = recv(fd, peer->heard + peer->heard_length, room, 0);

    if (got <= 0)
        return false;
    peer->heard_length += (size_t)got;
    peer->heard[peer->heard_length] = '\0';
    return true;
}

bool peer_heard(const struct peer *peer, const char *text)
{
    return strstr(peer->heard, text) != NULL;
}

void peer_say(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        length -= (size_t)sent;
    }
}
