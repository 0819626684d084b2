#include "services/monitor/once.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(const struct once *once, const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 && request->body == NULL &&
           once->count < ONCE_ANSWERS_MAX;
}

static const struct once_answer *find(const struct once *once, const char *url)
{
    for (size_t i = 0; i < once->count; i++) {
        if (strcmp(once->answers[i]->url, url) == 0)
            return once->answers[i];
    }
    return NULL;
}

static const struct once_answer *ask(struct once *once, const struct http_request *request)
{
    struct once_answer *const answer = arena_alloc(once->arena, sizeof *answer);

    answer->url = arena_text(once->arena, request->url);
    answer->err = once->inner.perform(
        once->inner.self, once->arena, request, &answer->response, &answer->error);
    once->answers[once->count++] = answer;
    return answer;
}

static enum err perform(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    struct once *const once = self;
    const struct once_answer *answer;

    if (!is_plain(once, request))
        return once->inner.perform(once->inner.self, arena, request, ret, error);
    answer = find(once, request->url);
    if (answer == NULL)
        answer = ask(once, request);
    *ret = answer->response;
    *error = answer->error;
    return answer->err;
}

static enum err send_mail(void *self, const struct mail *mail, struct error *error)
{
    struct once *const once = self;

    return once->inner.send_mail(once->inner.self, mail, error);
}

static void leave_open(void *self)
{
    (void)self;
}

struct http_client once_client(struct once *once)
{
    return (struct http_client){ once, perform, send_mail, leave_open };
}
