/* A Redis of the test's own, on a unix socket, with nothing on disk. */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include "tests/support/child.h"

struct redis_server {
    pid_t child;
    struct test_folder folder;
    char socket[160];
};

/* Returns once it accepts connections. password may be NULL. False: it did not start. */
bool redis_server_start(struct redis_server *server, const char *password);

/* Gone at once, and back, empty, at the same socket. */
bool redis_server_crash_and_restart(struct redis_server *server);

void redis_server_stop(struct redis_server *server);

#endif
