#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    HASH_SHOWN = 8
};

const char *say_duration(struct cli *cli, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms < SECOND)
        return arena_printf(&cli->arena, "%lld ms", (long long)ms);
    if (ms < 10 * SECOND)
        return arena_printf(
            &cli->arena, "%lld.%lld s", (long long)ms / SECOND, (long long)ms % SECOND / 100);
    if (ms < 2 * MINUTE)
        return arena_printf(&cli->arena, "%lld s", (long long)ms / SECOND);
    if (ms < HOUR)
        return arena_printf(&cli->arena, "%lld min", (long long)ms / MINUTE);
    if (ms < 3 * (int64_t)DAY)
        return arena_printf(&cli->arena,
                            "%lld h %lld min",
                            (long long)ms / HOUR,
                            (long long)ms % HOUR / MINUTE);
    return arena_printf(&cli->arena, "%lld days", (long long)ms / DAY);
}

static struct tm broken_down(const struct cli *cli, int64_t ms)
{
    const time_t seconds = (time_t)(ms / SECOND);
    struct tm parts = { 0 };

    if (cli->utc)
        (void)gmtime_r(&seconds, &parts);
    else
        (void)localtime_r(&seconds, &parts);
    return parts;
}

enum clock_style { CLOCK_MINUTES, CLOCK_SECONDS, CLOCK_DAY };

static const char *formatted(struct cli *cli, int64_t ms, enum clock_style style)
{
    const struct tm parts = broken_down(cli, ms);
    char text[64];
    size_t length = 0;

    switch (style) {
    case CLOCK_MINUTES: length = strftime(text, sizeof text, "%H:%M", &parts); break;
    case CLOCK_SECONDS: length = strftime(text, sizeof text, "%H:%M:%S", &parts); break;
    case CLOCK_DAY: length = strftime(text, sizeof text, "%a %d %b %H:%M", &parts); break;
    }
    return length > 0 ? arena_text(&cli->arena, text) : "?";
}

const char *say_time(struct cli *cli, int64_t ms)
{
    const struct tm today = broken_down(cli, clock_now_ms(cli->clock));
    const struct tm then = broken_down(cli, ms);

    if (ms == 0)
        return "-";
    if (today.tm_yday == then.tm_yday && today.tm_year == then.tm_year)
        return formatted(cli, ms, CLOCK_MINUTES);
    return formatted(cli, ms, CLOCK_DAY);
}

const char *say_clock(struct cli *cli, int64_t ms)
{
    return ms == 0 ? "-" : formatted(cli, ms, CLOCK_SECONDS);
}

/* clang-format off */
static const struct {
    const char *state;
    const char *glyph;
    const char *plain;
} glyphs[] = {
    { "DONE",          "✓", "+" }, { "PASS",           "✓", "+" }, { "GO",        "✓", "+" },
    { "COMPLETED",     "✓", "+" }, { "GIVEN",          "✓", "+" }, { "NEW",       "✓", "+" },
    { "FAIL",          "✗", "x" }, { "NO_GO",          "✗", "x" }, { "BLOCKED",   "✗", "x" },
    { "ERROR",         "✗", "x" }, { "REFUSED",        "✗", "x" }, { "ABORTED",   "✗", "x" },
    { "STOPPED",       "✗", "x" }, { "BLOCKED_ROLLBACK", "✗", "x" },
    { "RUNNING",       "▶", ">" }, { "UPDATING",       "▶", ">" },
    { "WAITING",       "◦", "o" }, { "OPEN",           "?", "?" },
    { "HELD",          "=", "=" }, { "PENDING",        "·", "." }, { "NOT_OPEN",  "·", "." },
    { "OLD",           "·", "." }, { "OFF",            "·", "." },
    { "UNDOING",       "↩", "<" }, { "ROLLED_BACK",    "↩", "<" }, { "REVERTED",  "↩", "<" },
    { "WARN",          "!", "!" }, { "INCONCLUSIVE",   "?", "?" }, { "NO_DATA",   "?", "?" },
    { "NOT_APPLICABLE", "-", "-" },
};
/* clang-format on */

const char *say_glyph(const struct cli *cli, const char *state)
{
    for (size_t i = 0; i < sizeof glyphs / sizeof glyphs[0]; i++) {
        if (strcmp(glyphs[i].state, state) == 0)
            return cli->ascii ? glyphs[i].plain : glyphs[i].glyph;
    }
    return cli->ascii ? ">" : "▶";
}

const char *say_phase(const char *phase)
{
    /* clang-format off */
    static const char *const words[][2] = {
        { "AWAITING_INPUTS", "awaiting inputs" }, { "PLANNING",     "planning" },
        { "IN_REVIEW",       "in review" },       { "QUEUED",       "queued" },
        { "CHECKING",        "checking" },        { "EXECUTING",    "executing" },
        { "VALIDATING",      "validating" },      { "ROLLING_OUT",  "rolling out" },
        { "CONFIRMING",      "confirming" },      { "OBSERVING",    "monitoring" },
        { "FINALISING",      "finalising" },      { "STOPPING",     "stopping" },
        { "ROLLING_BACK",    "rolling back" },    { "BLOCKED",      "blocked" },
        { "BLOCKED_ROLLBACK", "rollback blocked" },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], phase) == 0)
            return words[i][1];
    }
    return phase;
}

const char *say_hash(struct cli *cli, const char *hash)
{
    const size_t length = strlen(hash);

    return arena_copy(&cli->arena, hash, length < HASH_SHOWN ? length : HASH_SHOWN);
}

void say_address(const struct cli *cli, const char *deployment)
{
    (void)printf("%s/#/deployments/%s\n", cli->server.value, deployment);
}

enum cli_exit say_json(const struct cli_answer *answer)
{
    (void)puts(answer->text);
    return EXIT_DONE;
}
