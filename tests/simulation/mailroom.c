/* Who is told: a hook that takes notices, and a place that keeps documents. */
#include "common/adapters/memory/heap.h"
#include "common/ports/http_client.h"
#include "tests/simulation/world.h"

#include <string.h>

/* What stands after "name":" in a body; "" if it has no such text. */
static const char *text_in(struct arena *arena, const char *body, const char *name)
{
    const char *at = strstr(body, arena_printf(arena, "\"%s\":\"", name));

    if (at == NULL)
        return "";
    at += strlen(name) + 4;
    return arena_copy(arena, at, strcspn(at, "\""));
}

static struct word *word_new(struct world *world)
{
    struct history *const history = &world->history;
    struct word *word;

    history->words = heap_room(
        history->words, history->word_count, &history->word_capacity, sizeof *history->words);
    word = &history->words[history->word_count++];
    *word = (struct word){ .order = memory_broker_published(world->broker) };
    return word;
}

static void take_notice(struct world *world, const struct http_request *request)
{
    struct word *const word = word_new(world);

    word->id = "";
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, "webhook-id") == 0)
            word->id = arena_text(&world->arena, request->headers[i].value);
    }
    word->deployment = text_in(&world->arena, request->body, "deployment");
    word->purpose = text_in(&world->arena, request->body, "purpose");
    word->what = arena_printf(&world->arena,
                              "%s, %s",
                              text_in(&world->arena, request->body, "what"),
                              text_in(&world->arena, request->body, "title"));
    world_tell(world, "hook takes %s of %s: %s", word->purpose, word->deployment, word->what);
}

/* The whole text is kept: who comes back for it is to find it as it was put. */
static void take_document(struct world *world, const struct http_request *request)
{
    struct word *const word = word_new(world);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(request->body, request->body_length, hex);
    word->url = arena_text(&world->arena, request->url);
    word->text = arena_copy(&world->arena, request->body, request->body_length);
    word->id = arena_printf(&world->arena, "sha256:%s", hex);
    world_tell(world, "%s is put there", request->url);
}

static const char *document_at(const struct world *world, const char *url)
{
    for (size_t i = world->history.word_count; i-- > 0;) {
        const struct word *const word = &world->history.words[i];

        if (word->url != NULL && strcmp(word->url, url) == 0)
            return word->text;
    }
    return NULL;
}

int mailroom_ask(struct world *world, const struct http_request *request, const char **ret_body)
{
    const char *text;

    *ret_body = "";
    if (strcmp(request->method, "POST") == 0) {
        take_notice(world, request);
        return 202;
    }
    if (strcmp(request->method, "PUT") == 0) {
        take_document(world, request);
        return 201;
    }
    text = document_at(world, request->url);
    *ret_body = text != NULL ? text : "";
    return text != NULL ? 200 : 404;
}
