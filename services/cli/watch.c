/* watch: one deployment live, until its exit. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_MS = 250, SIGN_OF_LIFE_MS = 60000 };

/* How a watch ends and what it has shown so far. */
struct watch {
    const char *name;
    bool until_exit;
    bool when_blocked;
    bool redraw; /* On a terminal: one frame, drawn over the last. */
    int lines;   /* Of the last frame. */
    int64_t version;
    int64_t told_ms; /* When something was last said, monotonic. */
};

static enum cli_exit exit_of(const json_t *deployment)
{
    const char *const exit = field_text(deployment, "exit");

    if (strcmp(exit, "ABORTED") == 0)
        return EXIT_IS_ABORTED;
    return strcmp(exit, "ROLLED_BACK") == 0 ? EXIT_IS_ROLLED_BACK : EXIT_DONE;
}

/* One line for each new entry: what a CI log wants. */
static void print_news(struct cli *cli, struct watch *watch, const json_t *deployment)
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
        if (cli->json) {
            say_json_line(entry);
        } else if (!json_is_object(field(entry, "finding"))) {
            timeline_entry(cli, entry);
        }
    }
    (void)fflush(stdout);
    cli_release(&answer);
    watch->version = field_int(deployment, "version");
}

/* One step a line; the same for every frame, so drawing over the last leaves nothing behind. */
static int print_frame(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *step;
    int lines = 3;

    (void)printf("\033[K%s   %s %s   %lld %%   v%lld\n",
                 field_text(deployment, "id"),
                 say_glyph(cli, field_text(deployment, "phase")),
                 say_phase(field_text(deployment, "phase")),
                 (long long)field_int(deployment, "percent"),
                 (long long)field_int(deployment, "version"));
    (void)printf("\033[K%s\n\033[K\n", field_text(deployment, "waiting_for.sentence"));
    json_array_foreach(field(deployment, "steps"), i, step)
    {
        (void)printf("\033[K%s %lld %-28s %s\n",
                     say_glyph(cli, field_text(step, "state")),
                     (long long)field_int(step, "step"),
                     field_text(step, "name"),
                     field_text(step, "rule"));
        lines++;
    }
    (void)fflush(stdout);
    return lines;
}

/* A log that says nothing for long looks like one that has ended. */
static void show_life(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    const int64_t now_ms = clock_monotonic_ms(cli->clock);

    if (watch->redraw || cli->quiet || now_ms - watch->told_ms < SIGN_OF_LIFE_MS)
        return;
    watch->told_ms = now_ms;
    (void)fprintf(stderr,
                  "%s v%lld %s: %s\n",
                  field_text(deployment, "id"),
                  (long long)field_int(deployment, "version"),
                  say_phase(field_text(deployment, "phase")),
                  field_text(deployment, "waiting_for.sentence"));
}

static void show(struct cli *cli, struct watch *watch, const json_t *deployment)
{
    if (field_int(deployment, "version") == watch->version) {
        show_life(cli, watch, deployment);
        return;
    }
    watch->told_ms = clock_monotonic_ms(cli->clock);
    if (!watch->redraw) {
        print_news(cli, watch, deployment);
        return;
    }
    if (watch->lines > 0)
        (void)printf("\033[%dA", watch->lines);
    watch->lines = print_frame(cli, deployment);
    watch->version = field_int(deployment, "version");
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
    cli_release(&answer);
    return over;
}

enum cli_exit verb_watch(struct cli *cli)
{
    struct watch watch = { .until_exit = cli_flag(cli, "--until-exit"),
                           .when_blocked = cli_flag(cli, "--stop-when-blocked"),
                           .redraw = cli->terminal.redraws && !cli->json };
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
        if (!over && !cli->terminal.wait(cli->terminal.self, LOOK_MS)) {
            (void)fprintf(stderr, "%s runs on without this terminal\n", watch.name);
            return EXIT_INTERRUPTED;
        }
    }
    return result;
}
