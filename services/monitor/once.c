#include "services/monitor/once.h"

#include <stdbool.h>
#include <string.h>

static bool is_plain(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 && request->body == NULL;
}

static bool has_room(const struct once *once)
{
    return once->count < ONCE_ANSWERS_MAX && once->bytes < ONCE_BYTES_MAX;
}

/* The question: the address, and what was sent along. */
static const char *question_of(struct arena *arena, const struct http_request *request)
{
    const char *question = arena_text(arena, request->url);

    for (size_t i = 0; i < request->header_count; i++)
        question = arena_printf(
            arena, "%s\n%s: %s", question, request->headers[i].name, request->headers[i].value);
    return question;
}

static const struct once_answer *find(const struct once *once, const char *question)
{
    for (size_t i = 0; i < once->count; i++) {
        if (strcmp(once->answers[i]->question, question) == 0)
            return once->answers[i];
    }
    return NULL;
}

static const struct once_answer *ask(struct once *once,
                                     const struct http_request *request,
                                     const char *question)
{
    struct once_answer *const answer = arena_alloc(once->arena, sizeof *answer);

    answer->question = question;
    answer->err = once->inner.perform(
        once->inner.self, once->arena, request, &answer->response, &answer->error);
    once->answers[once->count++] = answer;
    once->bytes += answer->response.body_length;
    return answer;
}

static enum err perform(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    struct once *const once = self;
    const struct once_answer *answer = NULL;
    const char *question = "";

    if (is_plain(request)) {
        question = question_of(once->arena, request);
        answer = find(once, question);
    }
    if (answer == NULL && (!is_plain(request) || !has_room(once)))
        return once->inner.perform(once->inner.self, arena, request, ret, error);
    if (answer == NULL)
        answer = ask(once, request, question);
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
