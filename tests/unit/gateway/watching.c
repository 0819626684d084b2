#include "tests/unit/gateway/watching.h"

#include "services/gateway/herald.h"
#include "services/gateway/stream.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

struct fake_web web;

int watching_open(void **state)
{
    fake_web_open(&web);
    (void)world_open(state);
    w.gateway->server = fake_web_server(&web);
    return 0;
}

int watching_close(void **state)
{
    (void)world_close(state);
    fake_web_close(&web);
    return 0;
}

int watch_again(const char *subject, const char *topics, uint64_t id, const char *last)
{
    struct asked asked = { .target = arena_printf(&w.arena,
                                                  "/v1/stream%s%s",
                                                  topics != NULL ? "?topics=" : "",
                                                  topics != NULL ? topics : ""),
                           .token = subject };
    int status;

    if (last != NULL)
        asked.headers[0] = arena_printf(&w.arena, "Last-Event-ID: %s", last);
    status = world_ask(&asked);
    if (w.call.stream && !stream_register(&w.call, id))
        status = w.call.status;
    call_done(&w.call, &w.bench);
    return status;
}

int watch(const char *subject, const char *topics, uint64_t id)
{
    return watch_again(subject, topics, id, NULL);
}

const char *last_id(const char *news)
{
    const char *found = NULL;

    for (const char *at = news; (at = strstr(at, "id: ")) != NULL; at++) {
        if (at == news || at[-1] == '\n' || at[-1] == ' ')
            found = at + strlen("id: ");
    }
    if (found == NULL)
        fail_msg("no id in: %s", news);
    return found != NULL ? arena_copy(&w.arena, found, strcspn(found, "\n")) : "";
}

const char *told(void)
{
    const char *copy;

    memory_clock_advance(&w.clock, 300);
    (void)herald_round(w.gateway->herald);
    assert_null(strstr(web.pushed.bytes, "\n\n\n"));
    copy = arena_text(&w.arena, web.pushed.bytes);
    text_reset(&web.pushed);
    return copy;
}
