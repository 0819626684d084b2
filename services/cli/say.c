#include "services/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
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
    if (ms < MINUTE)
        return arena_printf(&cli->arena, "%lld s", (long long)ms / SECOND);
    if (ms < 10 * MINUTE && ms % MINUTE >= SECOND)
        return arena_printf(&cli->arena,
                            "%lld min %lld s",
                            (long long)ms / MINUTE,
                            (long long)ms % MINUTE / SECOND);
    if (ms < HOUR)
        return arena_printf(&cli->arena, "%lld min", (long long)ms / MINUTE);
    if (ms < 3 * (int64_t)DAY)
        return arena_printf(&cli->arena,
                            ms % HOUR < MINUTE ? "%lld h" : "%lld h %lld min",
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

const char *say_zone(struct cli *cli)
{
    const char *const zone = getenv("TZ");
    const struct tm now = broken_down(cli, clock_now_ms(cli->clock));
    char text[32] = "";

    if (cli->utc)
        return "UTC";
    if (zone != NULL && strchr(zone, '/') != NULL && zone[0] != ':' && zone[0] != '/')
        return zone;
    return strftime(text, sizeof text, "%Z", &now) > 0 ? arena_text(&cli->arena, text) : "UTC";
}

const char *say_clock(struct cli *cli, int64_t ms)
{
    return ms == 0 ? "-" : formatted(cli, ms, CLOCK_SECONDS);
}

const char *say_clock_ms(struct cli *cli, int64_t ms)
{
    return arena_printf(&cli->arena, "%s.%03d", say_clock(cli, ms), (int)(ms % 1000));
}

/* Colour repeats what the glyph says; eight base colours, so the user's theme decides. */
#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"
#define PLAIN  ""
#define ROW(state, glyph, plain, colour)                                                       \
    {                                                                                          \
        state,                                                                                 \
        {                                                                                      \
            glyph, plain, colour glyph "\033[0m", colour plain "\033[0m"                       \
        }                                                                                      \
    }

/* clang-format off */
static const struct {
    const char *state;
    const char *shown[4]; /* Glyph, plain; both in colour. */
} glyphs[] = {
    ROW("DONE",             "✓", "+", GREEN),  ROW("PASS",           "✓", "+", GREEN),
    ROW("GO",               "✓", "+", GREEN),  ROW("COMPLETED",      "✓", "+", GREEN),
    ROW("GIVEN",            "✓", "+", GREEN),  ROW("NEW",            "✓", "+", GREEN),
    ROW("FAIL",             "✗", "x", RED),    ROW("NO_GO",          "✗", "x", RED),
    ROW("BLOCKED",          "✗", "x", RED),    ROW("ERROR",          "✗", "x", RED),
    ROW("REFUSED",          "✗", "x", RED),    ROW("ABORTED",        "✗", "x", RED),
    ROW("STOPPED",          "✗", "x", RED),    ROW("BLOCKED_ROLLBACK", "✗", "x", RED),
    ROW("FAILED",           "✗", "x", RED),
    ROW("RUNNING",          "▶", ">", CYAN),   ROW("UPDATING",       "▶", ">", CYAN),
    ROW("REVERTING",        "↩", "<", YELLOW), ROW("UNDOING",        "↩", "<", YELLOW),
    ROW("ROLLED_BACK",      "↩", "<", YELLOW), ROW("REVERTED",       "↩", "<", YELLOW),
    ROW("STOPPING",         "↩", "<", YELLOW), ROW("ROLLING_BACK",   "↩", "<", YELLOW),
    ROW("WAITING",          "◦", "o", PLAIN),  ROW("IN_REVIEW",      "◦", "o", PLAIN),
    ROW("QUEUED",           "◦", "o", PLAIN),  ROW("AWAITING_INPUTS", "◦", "o", PLAIN),
    ROW("OPEN",             "?", "?", YELLOW), ROW("HELD",           "=", "=", YELLOW),
    ROW("PENDING",          "·", ".", PLAIN),  ROW("NOT_OPEN",       "·", ".", PLAIN),
    ROW("OLD",              "·", ".", PLAIN),  ROW("OFF",            "·", ".", PLAIN),
    ROW("WARN",             "!", "!", YELLOW), ROW("INCONCLUSIVE",   "?", "?", YELLOW),
    ROW("NO_DATA",          "?", "?", YELLOW), ROW("NOT_APPLICABLE", "-", "-", PLAIN),
    ROW("",                 "▶", ">", CYAN), /* Everything else is at work. */
};
/* clang-format on */

const char *say_glyph(const struct cli *cli, const char *state)
{
    const size_t last = sizeof glyphs / sizeof glyphs[0] - 1;
    const size_t how = (cli->ascii ? 1U : 0U) + (cli->colour ? 2U : 0U);
    size_t i = 0;

    while (i < last && strcmp(glyphs[i].state, state) != 0)
        i++;
    return glyphs[i].shown[how];
}

const char *say_dot(const struct cli *cli)
{
    return cli->ascii ? "|" : "·";
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
        { "BLOCKED_ROLLBACK", "rollback blocked" }, { "COMPLETED",  "completed" },
        { "ABORTED",         "aborted" },         { "ROLLED_BACK",  "rolled back" },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], phase) == 0)
            return words[i][1];
    }
    return phase;
}

const char *say_number(struct cli *cli, int64_t number)
{
    const char *const digits = arena_printf(&cli->arena, "%lld", (long long)number);
    const size_t length = strlen(digits);
    struct text text = text_new(64);

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            text_add_char(&text, ',');
        text_add_char(&text, digits[i]);
    }
    return say_taken(cli, &text);
}

const char *say_hash(struct cli *cli, const char *hash)
{
    const size_t length = strlen(hash);

    return arena_copy(&cli->arena, hash, length < HASH_SHOWN ? length : HASH_SHOWN);
}

const char *say_taken(struct cli *cli, struct text *text)
{
    const char *const copy = arena_text(&cli->arena, text->bytes);

    text_release(text);
    return copy;
}

void say_address(const struct cli *cli, const char *deployment)
{
    (void)printf("%s/#/deployments/%s\n", cli->server.value, deployment);
}

void say_json(const struct cli_answer *answer)
{
    (void)puts(answer->text);
}

void say_json_line(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT);
    (void)putchar('\n');
    (void)fflush(stdout);
}
