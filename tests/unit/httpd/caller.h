/* A client that sends exactly the bytes it is told to, and waits with a bound. */
#ifndef TESTS_UNIT_HTTPD_CALLER_H
#define TESTS_UNIT_HTTPD_CALLER_H

#include <stdbool.h>
#include <stddef.h>

enum { CALLER_HEARD_MAX = 1024 * 1024 };

struct caller {
    int fd;
    bool closed; /* By the server. */
    size_t length;
    char heard[CALLER_HEARD_MAX]; /* Of much, only the end is kept. */
};

/* Connects to "127.0.0.1:port". */
void caller_connect(struct caller *caller, const char *address);
void caller_say(struct caller *caller, const char *bytes, size_t length);
void caller_say_text(struct caller *caller, const char *text);

/* Reads until text was heard since caller_forget. False when the server closed first, or after
 * 20 s. */
bool caller_hears(struct caller *caller, const char *text);

/* Reads until the server closes. False after 20 s. */
bool caller_hears_the_end(struct caller *caller);
void caller_forget(struct caller *caller);
void caller_close(struct caller *caller);

/* Connects, says that, hears the end; heard is in caller. */
void caller_ask(struct caller *caller, const char *address, const char *text);

#endif
