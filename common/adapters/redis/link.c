#include "common/adapters/redis/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

struct link_word link_text(const char *text)
{
    return (struct link_word){ text, strlen(text) };
}

void link_drop(struct link *link)
{
    if (link->context != NULL)
        redisFree(link->context);
    link->context = NULL;
}

static const char *link_name(const struct link *link)
{
    return link->socket != NULL ? link->socket : link->host;
}

/* Gives up the link. */
static enum err link_fail(struct link *link, struct error *error)
{
    const char *why = link->context != NULL ? link->context->errstr : "no memory";

    /* The only thing a blocking socket can be "temporarily" out of is patience. */
    if (link->context != NULL && link->context->err == REDIS_ERR_IO && errno == EAGAIN)
        why = "no answer in time";
    error_set(error, ERR_UNAVAILABLE, "redis at %s: %s", link_name(link), why);
    link_drop(link);
    return ERR_UNAVAILABLE;
}

/* A server that went away has closed its side; then a command would be lost with no way to know
 * whether it arrived. Nothing is ever waiting to be read between two commands. */
static bool link_alive(const struct link *link)
{
    char byte;
    ssize_t got = recv(link->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Wrong passwords and missing rights are put right by somebody some day: until then the store
 * is unwell, and nothing that waits for it may be thrown away. */
enum err link_judge(const redisReply *answer, struct error *error)
{
    if (answer->type != REDIS_REPLY_ERROR)
        return ERR_OK;
    bool kind = strncmp(answer->str, "WRONGTYPE", 9) == 0;

    return error_set(error, kind ? ERR_INTERNAL : ERR_UNAVAILABLE, "redis: %s", answer->str);
}

bool link_command(struct link *link, const struct link_word *words, size_t count)
{
    const char *bytes[LINK_WORDS_MAX];
    size_t lengths[LINK_WORDS_MAX];

    if (link->context == NULL || count > LINK_WORDS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = words[i].bytes != NULL ? words[i].bytes : "";
        lengths[i] = words[i].length;
    }
    return redisAppendCommandArgv(link->context, (int)count, bytes, lengths) == REDIS_OK;
}

enum err link_answer(struct link *link, redisReply **ret, struct error *error)
{
    void *answer = NULL;

    if (link->context == NULL)
        return error_set(error, ERR_UNAVAILABLE, "redis at %s: gone", link_name(link));
    errno = 0;
    if (redisGetReply(link->context, &answer) != REDIS_OK || answer == NULL)
        return link_fail(link, error);
    *ret = answer;
    return ERR_OK;
}

static enum err link_log_in(struct link *link, struct error *error)
{
    struct link_word words[3] = { link_text("AUTH") };
    redisReply *answer = NULL;
    size_t count = 1;

    if (link->password == NULL)
        return ERR_OK;
    if (link->user != NULL)
        words[count++] = link_text(link->user);
    words[count++] = link_text(link->password);
    if (!link_command(link, words, count))
        return link_fail(link, error);
    enum err err = link_answer(link, &answer, error);

    if (err != ERR_OK)
        return err;
    err = link_judge(answer, error);
    freeReplyObject(answer);
    if (err != ERR_OK)
        link_drop(link);
    return err;
}

static void run_read(const char *info, char ret[LINK_RUN_SIZE])
{
    static const char label[] = "run_id:";
    const char *const found = strstr(info, label);
    const char *const text = found != NULL ? found + strlen(label) : "";
    const size_t length = strcspn(text, "\r\n");

    ret[0] = '\0';
    if (length < LINK_RUN_SIZE) {
        memcpy(ret, text, length);
        ret[length] = '\0';
    }
}

/* Who has no right to ask goes on without knowing. */
static enum err link_ask_run(struct link *link, struct error *error)
{
    const struct link_word words[] = { link_text("INFO"), link_text("server") };
    redisReply *answer = NULL;

    if (!link_command(link, words, 2))
        return link_fail(link, error);
    const enum err err = link_answer(link, &answer, error);

    if (err != ERR_OK)
        return err;
    run_read(answer->type == REDIS_REPLY_STRING ? answer->str : "", link->run);
    freeReplyObject(answer);
    return ERR_OK;
}

static enum err link_connect(struct link *link, struct error *error)
{
    const struct timeval timeout = { link->timeout_ms / 1000,
                                     (suseconds_t)(link->timeout_ms % 1000) * 1000 };

    if (link->socket != NULL)
        link->context = redisConnectUnixWithTimeout(link->socket, timeout);
    else
        link->context = redisConnectWithTimeout(link->host, link->port, timeout);
    link->connections++;
    if (link->context == NULL || link->context->err != 0 ||
        redisSetTimeout(link->context, timeout) != REDIS_OK)
        return link_fail(link, error);
    if (link->socket == NULL)
        redisEnableKeepAlive(link->context);
    const enum err err = link_log_in(link, error);

    return err == ERR_OK ? link_ask_run(link, error) : err;
}

enum err link_ready(struct link *link, struct error *error)
{
    if (link->context != NULL && !link_alive(link))
        link_drop(link);
    return link->context != NULL ? ERR_OK : link_connect(link, error);
}

static enum err link_ask_once(struct link *link,
                              const struct link_word *words,
                              size_t count,
                              redisReply **ret,
                              struct error *error)
{
    enum err err = link_ready(link, error);

    if (err != ERR_OK)
        return err;
    if (!link_command(link, words, count))
        return link_fail(link, error);
    return link_answer(link, ret, error);
}

enum err link_ask(struct link *link,
                  const struct link_word *words,
                  size_t count,
                  redisReply **ret,
                  struct error *error)
{
    unsigned before = link->connections;
    redisReply *answer = NULL;
    enum err err = link_ask_once(link, words, count, &answer, error);

    if (err != ERR_OK && link->connections == before)
        err = link_ask_once(link, words, count, &answer, error);
    if (err != ERR_OK)
        return err;
    err = link_judge(answer, error);
    if (err != ERR_OK)
        freeReplyObject(answer);
    else
        *ret = answer;
    return err;
}
