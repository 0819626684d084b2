/* A connection to Redis, for the files beside this one: commands go out with link_command,
 * their answers come back in order with link_answer. After any failure it is gone, with all
 * that was under way, and link_ready makes another. */
#ifndef COMMON_ADAPTERS_REDIS_LINK_H
#define COMMON_ADAPTERS_REDIS_LINK_H

#include "common/adapters/redis/redis.h"

#include <hiredis/hiredis.h>

/* One word of a command. */
struct link_word {
    const char *bytes;
    size_t length;
};

enum { LINK_WORDS_MAX = 16, LINK_RUN_SIZE = 48 };

struct link {
    char *host;
    char *socket;
    char *user;
    char *password;
    int port;
    int timeout_ms;
    redisContext *context;   /* NULL: not connected. */
    unsigned connections;    /* So far: what an earlier one had watched is forgotten. */
    char run[LINK_RUN_SIZE]; /* run_id of the server at the other end; "": it may not be asked.
                              */
};

struct link_word link_text(const char *text);

/* Connected and logged in, and as far as can be seen alive. */
enum err link_ready(struct link *link, struct error *error);
void link_drop(struct link *link);

/* Queue a command; false when the link is gone. Sent with the next answer asked for. */
bool link_command(struct link *link, const struct link_word *words, size_t count);

/* The next answer, to be freed with freeReplyObject; an error of Redis is an answer too.
 * ERR_UNAVAILABLE: the link is gone; whether Redis has carried out the command is unknown. */
enum err link_answer(struct link *link, redisReply **ret, struct error *error);

/* What an answer that is an error means; ERR_OK for all others. */
enum err link_judge(const redisReply *answer, struct error *error);

/* For commands that only read: asks again over a new link if the old one broke. An error
 * answered by Redis is returned as one. */
enum err link_ask(struct link *link,
                  const struct link_word *words,
                  size_t count,
                  redisReply **ret,
                  struct error *error);

#endif
