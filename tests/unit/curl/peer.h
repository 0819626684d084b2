/* The other side of a connection, for tests: listens on a free loopback port and talks as the
 * test says, in a thread of its own. */
#ifndef TESTS_UNIT_CURL_PEER_H
#define TESTS_UNIT_CURL_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { PEER_HEARD_MAX = 64 * 1024 };

struct peer {
    /* Called with each connection; closes nothing. Return when done talking. */
    void (*talk)(struct peer *peer, int fd);
    const char *answer; /* For talk. */
    size_t answer_length;

    int listener;
    int port;
    pthread_t thread;
    int connections;
    char heard[PEER_HEARD_MAX]; /* All that came in, read after peer_stop. */
    size_t heard_length;
};

/* talk, answer and answer_length are set. */
void peer_start(struct peer *peer);
void peer_stop(struct peer *peer);

/* Read once and remember. False at the end. */
bool peer_hear(struct peer *peer, int fd);

/* True if what was heard holds that text. Only from talk, or after peer_stop. */
bool peer_heard(const struct peer *peer, const char *text);

void peer_say(int fd, const char *bytes, size_t length);

#endif
