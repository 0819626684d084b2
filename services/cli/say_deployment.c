/* What several verbs say of a deployment. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WORDS_MAX = 2048, DAY_MS = 24 * 60 * 60 * 1000, SECOND_MS = 1000 };

const char *say_state(struct cli *cli, const json_t *deployment)
{
    const char *const phase = field_text(deployment, "phase");
    const char *const held = json_array_size(field(deployment, "holds")) > 0 ? ", held" : "";

    if (strcmp(phase, "ROLLING_OUT") == 0)
        return arena_printf(&cli->arena,
                            "%s %lld %%%s",
                            say_phase(phase),
                            (long long)field_int(deployment, "percent"),
                            held);
    if (strcmp(phase, "BLOCKED") == 0)
        return arena_printf(
            &cli->arena, "blocked in %lld%s", (long long)field_int(deployment, "step"), held);
    return arena_printf(&cli->arena, "%s%s", say_phase(phase), held);
}

/* --- sentences --- */

/* As the core writes a time into a sentence: "14:18", or with the day, in UTC. */
static const char *as_core_says(struct cli *cli, int64_t ms, bool with_day)
{
    const time_t seconds = (time_t)(ms / SECOND_MS);
    struct tm parts = { 0 };
    char text[64];

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, with_day ? "%b %H:%M" : "%H:%M", &parts);
    return with_day ? arena_printf(&cli->arena, "%d %s", parts.tm_mday, text)
                    : arena_text(&cli->arena, text);
}

static const char *replaced(struct cli *cli, const char *text, const char *was, const char *now)
{
    const char *const place = strstr(text, was);

    if (place == NULL)
        return text;
    return arena_printf(
        &cli->arena, "%.*s%s%s", (int)(place - text), text, now, place + strlen(was));
}

static const char *with_local_time(struct cli *cli, const char *text, int64_t ms)
{
    const char *const long_form = as_core_says(cli, ms, true);

    if (strstr(text, long_form) != NULL)
        return replaced(cli, text, long_form, say_time(cli, ms));
    return replaced(cli, text, as_core_says(cli, ms, false), say_time(cli, ms));
}

const char *say_sentence(struct cli *cli, const json_t *deployment, const char *member)
{
    const json_t *const waiting = field(deployment, "waiting_for");
    const int64_t deadline_ms = field_int(waiting, "deadline_ms");
    const char *text = field_text(waiting, member);
    const char *name;
    json_t *fact;

    if (deadline_ms > 0)
        text = with_local_time(cli, text, deadline_ms);
    json_object_foreach(field(waiting, "facts"), name, fact)
    {
        const size_t length = strlen(name);

        if (length > 3 && strcmp(name + length - 3, "_ms") == 0 && json_is_integer(fact) &&
            json_integer_value(fact) != deadline_ms)
            text = with_local_time(cli, text, json_integer_value(fact));
    }
    return text;
}

const char *say_who(struct cli *cli, const json_t *deployment)
{
    const json_t *const who = field(deployment, "waiting_for.who");
    struct text text = text_new(WORDS_MAX);
    size_t i;
    json_t *one;

    if (field_text(deployment, "exit")[0] != '\0') {
        text_release(&text);
        return "nobody; it has ended";
    }
    if (json_array_size(who) == 0) {
        text_release(&text);
        return "nobody; it goes on by itself";
    }
    json_array_foreach(who, i, one)
    {
        text_add(&text,
                 "%s%s",
                 i == 0                          ? ""
                 : i + 1 == json_array_size(who) ? " and "
                                                 : ", ",
                 json_string_value(one));
    }
    return say_taken(cli, &text);
}

/* --- counts --- */

const char *say_counts(struct cli *cli, const json_t *counts)
{
    /* clang-format off */
    static const char *const words[][2] = {
        { "PASS",         "pass" },         { "WARN",    "warn" },    { "FAIL",  "fail" },
        { "INCONCLUSIVE", "inconclusive" }, { "NO_DATA", "no data" }, { "ERROR", "error" },
        { "NOT_APPLICABLE", "not applicable" },
    };
    /* clang-format on */
    struct text text = text_new(WORDS_MAX);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const int64_t count = field_int(counts, words[i][0]);

        if (count > 0)
            text_add(
                &text, "%s%lld %s", text.length > 0 ? ", " : "", (long long)count, words[i][1]);
    }
    return say_taken(cli, &text);
}
