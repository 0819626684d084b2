/* A development broker of the test's own. */
#ifndef TESTS_SUPPORT_DEVBROKER_H
#define TESTS_SUPPORT_DEVBROKER_H

#include "tests/support/child.h"

struct devbroker {
    pid_t child;
    struct test_folder folder;
    char address[64]; /* "127.0.0.1:40591" */
};

/* program: the path of slipway-devbroker. False: it did not start. */
bool devbroker_start(struct devbroker *broker, const char *program);

/* Its exit status. */
int devbroker_stop(struct devbroker *broker);

/* Off and on again, with its records. */
void devbroker_down(const struct devbroker *broker);
void devbroker_up(const struct devbroker *broker);

#endif
