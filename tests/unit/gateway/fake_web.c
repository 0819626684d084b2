#include "tests/unit/gateway/fake_web.h"

#include <string.h>
#include <time.h>

enum { PATIENCE_S = 20, PUSHED_MAX = 8 << 20 };

void fake_web_open(struct fake_web *web)
{
    memset(web, 0, sizeof *web);
    (void)pthread_mutex_init(&web->lock, NULL);
    (void)pthread_cond_init(&web->came, NULL);
    web->pushed = text_new(PUSHED_MAX);
}

void fake_web_close(struct fake_web *web)
{
    text_release(&web->pushed);
    (void)pthread_cond_destroy(&web->came);
    (void)pthread_mutex_destroy(&web->lock);
}

static enum err answer(void *self, uint64_t request, const struct web_response *response)
{
    struct fake_web *const web = self;
    struct fake_answer *place;
    size_t length = response->body_length;

    (void)pthread_mutex_lock(&web->lock);
    place = &web->answer[web->answer_count++ % FAKE_WEB_MAX];
    place->id = request;
    place->status = response->status;
    if (length > sizeof place->body - 1)
        length = sizeof place->body - 1;
    memcpy(place->body, response->body, length);
    place->body[length] = '\0';
    (void)pthread_cond_broadcast(&web->came);
    (void)pthread_mutex_unlock(&web->lock);
    return ERR_OK;
}

static enum err push(void *self, uint64_t stream, const char *bytes, size_t length)
{
    struct fake_web *const web = self;

    (void)pthread_mutex_lock(&web->lock);
    text_add(&web->pushed, "%llu ", (unsigned long long)stream);
    text_add_bytes(&web->pushed, bytes, length);
    (void)pthread_cond_broadcast(&web->came);
    (void)pthread_mutex_unlock(&web->lock);
    return ERR_OK;
}

static void end(void *self, uint64_t stream)
{
    (void)self;
    (void)stream;
}

struct web_server fake_web_server(struct fake_web *web)
{
    return (struct web_server){ .self = web, .answer = answer, .push = push, .end = end };
}

static const struct fake_answer *find(const struct fake_web *web, uint64_t id)
{
    for (size_t i = 0; i < web->answer_count && i < FAKE_WEB_MAX; i++) {
        if (web->answer[i].id == id)
            return &web->answer[i];
    }
    return NULL;
}

const struct fake_answer *fake_web_answer(struct fake_web *web, uint64_t id)
{
    const struct fake_answer *found;
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&web->lock);
    while ((found = find(web, id)) == NULL &&
           pthread_cond_timedwait(&web->came, &web->lock, &until) == 0)
        continue;
    (void)pthread_mutex_unlock(&web->lock);
    return found;
}

const struct fake_answer *fake_web_answer_now(struct fake_web *web, uint64_t id)
{
    const struct fake_answer *found;

    (void)pthread_mutex_lock(&web->lock);
    found = find(web, id);
    (void)pthread_mutex_unlock(&web->lock);
    return found;
}
