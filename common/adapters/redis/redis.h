/* The store on Redis. */
#ifndef COMMON_ADAPTERS_REDIS_REDIS_H
#define COMMON_ADAPTERS_REDIS_REDIS_H

#include "common/ports/store.h"

/* Everything is copied. */
struct redis_options {
    const char *host;     /* NULL: 127.0.0.1 */
    int port;             /* 0: 6379 */
    const char *socket;   /* A unix socket; wins over host. May be NULL. */
    const char *user;     /* NULL: Redis's default user. */
    const char *password; /* NULL: none. Never shown. */
    int timeout_ms;       /* For connecting, and for each answer; 0: 2000. */
};

/* Does not connect: whether a server answers is seen by the first use, and a lost connection is
 * made anew by the next one. Makes the process ignore SIGPIPE if it does nothing with it.
 *
 * Beyond ports/store.h: a value too large for the arena is ERR_TOO_LARGE; a key that holds
 * another kind of value is ERR_INTERNAL, and a batch that met one may be half written. */
enum err redis_store_open(const struct redis_options *options,
                          struct store *ret,
                          struct error *error) MUST_CHECK;

#endif
