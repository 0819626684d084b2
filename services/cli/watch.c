/* watch: one deployment live, until its exit. */
#include "services/cli/watch_frame.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_MS = 250, SIGN_OF_LIFE_MS = 60000 };

/* How a watch ends and what it has shown so far. */
struct watch {
    const char *name;
    bool until_exit;
    bool when_blocked;
    bool redraws; /* On a terminal: one frame, drawn over the last. */
    bool left;    /* The reader asked to. */
    int64_t version;
    int64_t told_ms; /* When something was last said, monotonic. */
    struct frame frame;
};

static enum cli_exit exit_of(const json_t *deployment)
{
    const char *const exit = field_text(deployment, "exit");

    if (strcmp(exit, "ABORTED") == 0)
        return EXIT_IS_ABORTED;
    return strcmp(exit, "ROLLED_BACK") == 0 ? EXIT_IS_ROLLED_BACK : EXIT_DONE;
}

/* --- a line a change --- */

static void show_entry(struct cli *cli, struct watch *watch, const json_t *entry)
{
    if (cli->json) {
        say_json_line(entry);
        return;
    }
    if (json_is_object(field(entry, "finding")))
        return;
    if (!watch->redraws) {
        timeline_entry(cli, entry);
        return;
    }
    frame_news(&watch->frame,
               arena_printf(&cli->arena,
                            "%s  %-18s %s",
                            say_clock(cli, field_int(entry, "at_ms")),
                            field_text(entry, "type"),
                            field_text(entry, "text")));
}

/* What has happened since the version that was shown: what a CI log wants. */
static void show_news(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    struct cli_answer answer;
    size_t i;
    json_t *entry;

    if (cli_get(cli,
                arena_printf(&cli->arena,
                             "%s?after_version=%lld",
                             cli_path(cli, "/v1/deployments/%s/timeline", watch->name),
                             (long long)watch->version),
                &answer) != EXIT_DONE)
        return;
    json_array_foreach(field(answer.body, "items"), i, entry)
    {
        show_entry(cli, watch, entry);
    }
    (void)fflush(stdout);
    cli_release(&answer);
    watch->version = field_int(deployment, "version");
}

/* A log that says nothing for long looks like one that has ended. */
static void show_life(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    const int64_t now_ms = clock_monotonic_ms(cli->clock);

    if (cli->quiet || now_ms - watch->told_ms < SIGN_OF_LIFE_MS)
        return;
    watch->told_ms = now_ms;
    (void)fprintf(stderr,
                  "%s v%lld %s: %s\n",
                  field_text(deployment, "id"),
                  (long long)field_int(deployment, "version"),
                  say_state(cli, deployment),
                  say_sentence(cli, deployment, "sentence"));
}

static void show(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    const bool moved = field_int(deployment, "version") != watch->version;

    if (moved) {
        watch->told_ms = clock_monotonic_ms(cli->clock);
        show_news(cli, watch, deployment);
    }
    if (watch->redraws && field_text(deployment, "exit")[0] != '\0')
        frame_end(cli, &watch->frame, deployment);
    else if (watch->redraws)
        frame_draw(cli, &watch->frame, deployment);
    else if (!moved)
        show_life(cli, watch, deployment);
}

/* True when there is nothing more to wait for. */
static bool is_over(const struct watch *watch, const json_t *deployment, enum cli_exit *ret)
{
    const char *const phase = field_text(deployment, "phase");

    *ret = EXIT_DONE;
    if (field_text(deployment, "exit")[0] != '\0') {
        *ret = watch->until_exit ? exit_of(deployment) : EXIT_DONE;
        return true;
    }
    if (watch->when_blocked && strncmp(phase, "BLOCKED", strlen("BLOCKED")) == 0) {
        *ret = EXIT_IS_BLOCKED;
        return true;
    }
    return false;
}

/* --- keys --- */

/* What the reader may do himself, as the server says. */
static const char *allowed_of(struct cli *cli, const json_t *deployment)
{
    const json_t *const allowed = field(deployment, "allowed");
    struct text text = text_new(FRAME_NEWS_SIZE);
    size_t i;
    json_t *request;

    json_array_foreach(allowed, i, request)
    {
        text_add(&text, "%s%s", i > 0 ? ", " : "you may: ", json_string_value(request));
    }
    if (text.length == 0)
        text_add(&text, "there is nothing that you may do now");
    return say_taken(cli, &text);
}

/* Asks for the reason and sends it, below the frame; the next frame begins anew. */
static void pause_it(struct cli *cli, struct watch *watch)
{
    struct cli asking = *cli;

    asking.verb = "pause";
    asking.arguments[0] = watch->name;
    asking.argument_count = 1;
    (void)verb_request(&asking);
    cli->arena = asking.arena;
    watch->frame.lines = 0;
}

static void take_key(struct cli *cli, struct watch *watch, int key, const json_t *deployment)
{
    const char *note = NULL;

    if (key == 'o')
        note = arena_printf(&cli->arena,
                            "%s/#/deployments/%s",
                            cli->server.value,
                            field_text(deployment, "id"));
    else if (key == 'a')
        note = allowed_of(cli, deployment);
    else if (key == 'p')
        pause_it(cli, watch);
    if (note != NULL)
        (void)snprintf(watch->frame.note, sizeof watch->frame.note, "%s", note);
}

/* Waits for the next look; false when the reader leaves. */
static bool wait_for_more(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    const struct cli_terminal *const terminal = &cli->terminal;
    int key;

    if (!watch->redraws || !terminal->asks || terminal->key == NULL)
        return terminal->wait(terminal->self, LOOK_MS);
    key = terminal->key(terminal->self, LOOK_MS);
    take_key(cli, watch, key, deployment);
    watch->left = key == 'q';
    return key >= 0 && !watch->left;
}

/* One look; true when it was the last. */
static bool look(struct cli *cli, struct watch *watch, enum cli_exit *ret)
{
    struct cli_answer answer;
    bool over;

    *ret = cli_get(cli, cli_path(cli, "/v1/deployments/%s", watch->name), &answer);
    if (*ret != EXIT_DONE)
        return true;
    show(cli, watch, answer.body);
    over = is_over(watch, answer.body, ret);
    if (!over && !wait_for_more(cli, watch, answer.body)) {
        (void)fprintf(stderr, "%s runs on without this terminal\n", watch->name);
        *ret = watch->left && !watch->until_exit ? EXIT_DONE : EXIT_INTERRUPTED;
        over = true;
    }
    cli_release(&answer);
    return over;
}

enum cli_exit verb_watch(struct cli *cli)
{
    struct watch watch = { .until_exit = cli_flag(cli, "--until-exit"),
                           .when_blocked = cli_flag(cli, "--stop-when-blocked"),
                           .redraws = cli->terminal.redraws && !cli->json };
    const int64_t began_ms = clock_monotonic_ms(cli->clock);
    enum cli_exit result = EXIT_DONE;
    bool over = false;

    watch.name = cli_deployment(cli);
    if (watch.name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    watch.name = arena_text(&cli->arena, watch.name);
    while (!over) {
        /* A watch may last for days: each look gives back what it took. */
        const struct arena kept = cli->arena;

        cli->arena = arena_with_limit(CLI_MEMORY);
        over = look(cli, &watch, &result);
        arena_release(&cli->arena);
        cli->arena = kept;
        if (!over && cli->timeout_ms > 0 &&
            clock_monotonic_ms(cli->clock) - began_ms > cli->timeout_ms)
            return EXIT_TIMED_OUT;
    }
    return result;
}
