/* What came of an alert or a rollback at once, to the millisecond. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_MS = 100, WAIT_MAX_MS = 3000, SKEW_MS = 500 /* Of clocks, at most. */ };

/* How far it has come. */
struct progress {
    int64_t version;  /* Of the newest entry that was told. */
    int64_t began_ms; /* 0: with the first of them. */
    bool stopped;
    bool latched;
    bool over;
};

static bool is_one_of(const char *type, const char *const *types)
{
    while (*types != NULL && strcmp(*types, type) != 0)
        types++;
    return *types != NULL;
}

static void tell_entry(struct cli *cli, struct progress *progress, const json_t *entry)
{
    static const char *const told[] = {
        "IncidentDetected", "RollbackRequested", "Stop",  "Held", "Kill",
        "KillSeen",         "KillReadBack",      "Noted", "Exit", NULL
    };
    static const char *const last[] = {
        "KillReadBack", "RollbackRequested", "Noted", "Exit", NULL
    };
    const char *const type = field_text(entry, "type");
    const int64_t at_ms = field_int(entry, "at_ms");

    progress->version = field_int(entry, "version");
    if (at_ms < progress->began_ms - SKEW_MS)
        return;
    progress->stopped |= strcmp(type, "Stop") == 0;
    progress->latched |= strcmp(type, "Kill") == 0;
    progress->over |= is_one_of(type, last);
    if (!is_one_of(type, told))
        return;
    if (progress->began_ms == 0)
        progress->began_ms = at_ms;
    (void)printf("  %s  %s   +%lld ms\n",
                 say_clock_ms(cli, at_ms),
                 field_text(entry, "text"),
                 (long long)(at_ms > progress->began_ms ? at_ms - progress->began_ms : 0));
}

/* False when it cannot be asked. */
static bool look(struct cli *cli, const struct reaction *reaction, struct progress *progress)
{
    const char *const path = cli_path(cli, "/v1/deployments/%s/timeline", reaction->deployment);
    struct cli_answer answer;
    size_t i;
    json_t *entry;

    if (cli_get(cli,
                arena_printf(
                    &cli->arena, "%s?after_version=%lld", path, (long long)progress->version),
                &answer) != EXIT_DONE)
        return false;
    json_array_foreach(field(answer.body, "items"), i, entry)
    {
        tell_entry(cli, progress, entry);
    }
    cli_release(&answer);
    (void)fflush(stdout);
    return true;
}

/* What was never on is not latched: then the stop is all there is. */
static bool is_over(const struct progress *progress)
{
    return progress->over || (progress->stopped && !progress->latched);
}

bool reaction_tell(struct cli *cli, const struct reaction *reaction)
{
    const int64_t began_ms = clock_monotonic_ms(cli->clock);
    struct progress progress = { .version = reaction->version, .began_ms = reaction->since_ms };
    const bool silent = cli->silent;

    cli->silent = true; /* What was asked for is done; this only watches. */
    while (look(cli, reaction, &progress) && !is_over(&progress) &&
           clock_monotonic_ms(cli->clock) - began_ms < WAIT_MAX_MS &&
           cli->terminal.wait(cli->terminal.self, LOOK_MS))
        ;
    cli->silent = silent;
    return progress.stopped;
}
