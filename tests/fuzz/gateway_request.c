/* Any request to any route: answered as its description says, and the next one as well. The
 * first line of the input is "METHOD target"; then "name: value" lines; an empty line; the
 * body. Run from the repository's root. */
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

#include <stdlib.h>

enum { HEADERS_MAX = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line, without its end; NULL when there is none. */
static const char *next_line(const char **rest)
{
    const char *const line = *rest;
    const size_t length = strcspn(line, "\n");

    if (*line == '\0')
        return NULL;
    *rest = line + length + (line[length] == '\n');
    return arena_copy(&w.arena, line, length);
}

static void read_first_line(const char *line, struct asked *asked)
{
    const char *const space = strchr(line, ' ');

    asked->target = "/";
    if (space == NULL)
        return;
    asked->method = arena_copy(&w.arena, line, (size_t)(space - line));
    if (space[1] == '/')
        asked->target = space + 1;
}

static void ask_bytes(const char *bytes, size_t size)
{
    static const char *const people[] = { "rel", "tess", "ci", "monitoring", "rita", NULL };
    struct asked asked = { .token = people[size % 6] };
    const char *rest = bytes;
    const char *line = next_line(&rest);
    size_t headers = 0;

    read_first_line(line != NULL ? line : "", &asked);
    while ((line = next_line(&rest)) != NULL && line[0] != '\0') {
        if (strstr(line, ": ") != NULL && headers < HEADERS_MAX)
            asked.headers[headers++] = line;
    }
    asked.body = rest;
    asked.body_length = size - (size_t)(rest - bytes);
    (void)world_ask(&asked);
    if (w.call.status < 200 || w.call.status > 599)
        abort();
}

/* Things to be found: a deployment that waits, a flag that is granted. */
static void set_up_things(void)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__IN_REVIEW);

    deployment.state->cursor->sub = PB__SUB__SUB_RUN;
    world_store(&deployment);
    world_entry(&deployment, 9, "PlanCompiled", "plan", NULL);
    world_grant("express-pay", "express-pay.3", 50, 1);
    world_turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *state = NULL;

    if (size > 256 * 1024)
        return 0;
    (void)world_open(&state);
    set_up_things();
    ask_bytes(arena_copy(&w.arena, data, size), size);
    if (world_get("/v1/deployments/express-pay") != 200)
        abort();
    (void)world_close(&state);
    return 0;
}
