/* The news of the last minutes, for those whose connection broke. */
#include "services/gateway/stream_internal.h"

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

enum { ORIGIN_BYTES = 8, CATCH_UP_MAX = WEB_STREAM_MAX / 4 * 3 };

void history_open(struct history *history)
{
    unsigned char random[ORIGIN_BYTES];
    struct text text = text_over(history->origin, sizeof history->origin);

    if (RAND_bytes(random, sizeof random) != 1)
        abort();
    for (size_t i = 0; i < sizeof random; i++)
        text_add(&text, "%02x", random[i]);
    /* Number 1 stands for the time before the first. */
    history->first = history->next = history->complete = 2;
}

static void forget_first(struct history *history)
{
    struct news *const news = &history->item[history->first % NEWS_MAX];

    history->bytes -= news->length;
    free(news->topic);
    free(news->other);
    free(news->role);
    free(news->bytes);
    *news = (struct news){ 0 };
    history->first++;
}

void history_close(struct history *history)
{
    while (history->first < history->next)
        forget_first(history);
}

void history_name(const struct history *history, uint64_t number, struct text *ret)
{
    text_add(ret, "%s-%llu", history->origin, (unsigned long long)number);
}

static char *copy_of(const char *bytes, size_t length)
{
    char *const copy = malloc(length + 1);

    if (copy == NULL)
        abort();
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

/* FNV-1a; of the actor too, for what one is told of it is not what another is. Never 0. */
static uint64_t whole_of(const struct audience *audience)
{
    uint64_t hash = 14695981039346656037U ^ (uint64_t)(uintptr_t)audience->actor;

    if (audience->whole == NULL)
        return 0;
    for (const char *c = audience->whole; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211U;
    return hash != 0 ? hash : 1;
}

static char *copy_text(const char *text)
{
    return text != NULL ? copy_of(text, strlen(text)) : NULL;
}

void history_add(struct history *history,
                 const struct audience *audience,
                 const struct text *event,
                 int64_t now_ms)
{
    while (history->first < history->next &&
           (history->next - history->first == NEWS_MAX ||
            history->bytes + event->length > NEWS_BYTES_MAX ||
            now_ms - history->item[history->first % NEWS_MAX].at_ms > NEWS_KEPT_MS))
        forget_first(history);
    history->item[history->next % NEWS_MAX] = (struct news){
        .at_ms = now_ms,
        .whole = whole_of(audience),
        .topic = copy_text(audience->topic),
        .other = copy_text(audience->other),
        .role = copy_text(audience->role),
        .actor = audience->actor,
        .bytes = copy_of(event->bytes, event->length),
        .length = event->length,
    };
    history->bytes += event->length;
    history->next++;
}

/* The number of an id that we gave; 0: it is none of ours. */
static uint64_t number_of(const struct history *history, const char *id)
{
    const size_t origin = strlen(history->origin);
    char *end = NULL;
    unsigned long long number;

    if (strncmp(id, history->origin, origin) != 0 || id[origin] != '-' ||
        strspn(id + origin + 1, "0123456789") == 0)
        return 0;
    number = strtoull(id + origin + 1, &end, 10);
    return *end == '\0' && number < history->next ? number : 0;
}

/* A later one says it all. */
static bool is_superseded(const struct history *history, uint64_t number)
{
    const uint64_t whole = history->item[number % NEWS_MAX].whole;

    for (uint64_t n = number + 1; whole != 0 && n < history->next; n++) {
        if (history->item[n % NEWS_MAX].whole == whole)
            return true;
    }
    return false;
}

const char *history_catch_up(const struct history *history,
                             const struct stream *stream,
                             const char *last_id,
                             struct text *out)
{
    const uint64_t last = number_of(history, last_id);
    size_t length = 0;

    if (last == 0 || last + 1 < history->first || last + 1 < history->complete)
        return "what was missed is not known any more";
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t n = last + 1; n < history->next; n++) {
            const struct news *const news = &history->item[n % NEWS_MAX];
            const struct audience audience = { .topic = news->topic,
                                               .other = news->other,
                                               .role = news->role,
                                               .actor = news->actor };

            if (!stream_wants(stream, &audience) || is_superseded(history, n))
                continue;
            if (pass == 0)
                length += news->length;
            else
                text_add_bytes(out, news->bytes, news->length);
        }
        if (length > CATCH_UP_MAX)
            return "too much was missed";
    }
    return NULL;
}
