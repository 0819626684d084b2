/* show, open: one deployment; why it waits, for whom, since when, what unblocks it, and what
 * happens otherwise. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { UNDONE_STEPS_SHOWN = 6 };

/* --- why it is not moving --- */

static void print_waiting(struct cli *cli, const json_t *deployment)
{
    const int64_t since_ms = field_int(deployment, "waiting_for.since_ms");
    const int64_t deadline_ms = field_int(deployment, "waiting_for.deadline_ms");
    const int64_t now_ms = clock_now_ms(cli->clock);
    const bool ended = field_text(deployment, "exit")[0] != '\0';
    const char *const unblock = say_sentence(cli, deployment, "unblock");
    const char *const otherwise = say_sentence(cli, deployment, "otherwise");

    (void)printf("%s\n  waits for     %s\n  since         %s (%s)\n",
                 say_sentence(cli, deployment, "sentence"),
                 say_who(cli, deployment),
                 say_time(cli, since_ms),
                 say_duration(cli, now_ms - since_ms));
    if (ended) {
        (void)putchar('\n');
        return;
    }
    (void)printf("  goes on when  %s\n",
                 unblock[0] != '\0' ? unblock : "what runs has reported");
    (void)printf("  otherwise     %s",
                 otherwise[0] != '\0' ? otherwise : "nothing; it has no deadline");
    if (deadline_ms > 0)
        (void)printf(" (%s left)", say_duration(cli, deadline_ms - now_ms));
    (void)printf("\n\n");
}

/* --- steps --- */

/* What is worth a word: the rule that decided; while it runs, what was found so far. */
static const char *step_words(struct cli *cli, const json_t *step)
{
    const char *const rule = field_text(step, "rule");

    return rule[0] != '\0' ? rule : say_counts(cli, field(step, "counts"));
}

static void print_steps(struct cli *cli, const json_t *deployment)
{
    static const char *const head[] = { "", "", "", "", "", "*", NULL };
    struct table *const table = table_new(cli, head);
    size_t i;
    json_t *step;

    table->rows = 0; /* No heading. */
    json_array_foreach(field(deployment, "steps"), i, step)
    {
        const int64_t began_ms = field_int(step, "began_ms");
        const int64_t ended_ms = field_int(step, "ended_ms");
        const bool ended = field_text(deployment, "exit")[0] != '\0';
        const int64_t until_ms = ended_ms > 0 ? ended_ms : clock_now_ms(cli->clock);
        const char *const decision = field_text(step, "decision");
        const char *const cells[] = {
            arena_printf(&cli->arena,
                         " %s %lld",
                         say_glyph(cli, field_text(step, "state")),
                         (long long)field_int(step, "step")),
            field_text(step, "name"),
            began_ms > 0 ? say_time(cli, began_ms) : "",
            began_ms > 0 && (ended_ms > 0 || !ended) ? say_duration(cli, until_ms - began_ms)
                                                     : "",
            strcmp(decision, "GO") == 0      ? "Go"
            : strcmp(decision, "NO_GO") == 0 ? "No-Go"
                                             : "",
            step_words(cli, step),
        };

        table_row(table, cells);
    }
    table_print(table);
    (void)putchar('\n');
}

static bool is_open_finding(const json_t *finding)
{
    const char *const verdict = field_text(finding, "verdict");

    return strcmp(verdict, "PASS") != 0 && strcmp(verdict, "NOT_APPLICABLE") != 0;
}

static void print_open(struct cli *cli, const json_t *deployment)
{
    const int64_t step = field_int(deployment, "step");
    size_t i;
    json_t *finding;

    json_array_foreach(field(deployment, "findings"), i, finding)
    {
        if (field_int(finding, "step") != step || !is_open_finding(finding))
            continue;
        (void)printf("OPEN  %s %s%s  %s\n",
                     say_glyph(cli, field_text(finding, "verdict")),
                     field_text(finding, "check"),
                     field_true(finding, "required") ? "" : " (not required)",
                     field_text(finding, "observed"));
        if (field_text(finding, "wanted")[0] != '\0')
            (void)printf("        wanted    %s\n", field_text(finding, "wanted"));
        if (field_text(finding, "remedy")[0] != '\0')
            (void)printf("        remedy    %s\n", field_text(finding, "remedy"));
    }
}

static void print_taken_back(struct cli *cli, const json_t *deployment)
{
    const json_t *const steps = field(deployment, "undo.steps");
    size_t i;
    json_t *step;

    if (field_text(deployment, "exit")[0] != '\0' || json_array_size(steps) == 0)
        return;
    (void)printf("TAKEN BACK NOW  at most %s\n",
                 say_duration(cli, field_int(deployment, "undo.estimate_ms")));
    json_array_foreach(steps, i, step)
    {
        if (i < UNDONE_STEPS_SHOWN)
            (void)printf("  %zu  %s\n", i + 1, field_text(step, "what"));
    }
    if (json_array_size(steps) > UNDONE_STEPS_SHOWN)
        (void)printf("     and %zu more: slipway rollback %s --dry-run\n",
                     json_array_size(steps) - UNDONE_STEPS_SHOWN,
                     field_text(deployment, "id"));
}

/* "✓ devops-lead jon.bauer 12:50   ? technical-lead open": and how to, where it is open. */
static void print_signoffs(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *signoff;

    if (json_array_size(field(deployment, "signoffs")) == 0)
        return;
    (void)printf("SIGN-OFFS ");
    json_array_foreach(field(deployment, "signoffs"), i, signoff)
    {
        const char *const state = field_text(signoff, "state");
        const char *const actor = field_text(signoff, "actor");

        (void)printf("%s%s %s%s%s%s%s",
                     i > 0 ? "   " : "",
                     say_glyph(cli, state),
                     field_text(signoff, "role"),
                     actor[0] != '\0' ? " " : "",
                     actor,
                     actor[0] != '\0' ? " " : "",
                     actor[0] != '\0'             ? say_time(cli, field_int(signoff, "at_ms"))
                     : strcmp(state, "OPEN") == 0 ? " open"
                                                  : "");
    }
    (void)putchar('\n');
}

static void print_incidents(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *incident;

    json_array_foreach(field(deployment, "incidents"), i, incident)
    {
        (void)printf("INCIDENT  %s %s %s at %s, %lld alert%s: %s\n",
                     say_glyph(cli, field_true(incident, "open") ? "FAIL" : "PASS"),
                     strcmp(field_text(incident, "severity"), "CRITICAL") == 0 ? "critical"
                                                                               : "warning",
                     field_text(incident, "cause"),
                     say_clock(cli, field_int(incident, "first_ms")),
                     (long long)field_int(incident, "count"),
                     field_int(incident, "count") == 1 ? "" : "s",
                     field_text(incident, "summary"));
    }
}

static void print_holds(struct cli *cli, const json_t *deployment)
{
    size_t i;
    json_t *hold;

    json_array_foreach(field(deployment, "holds"), i, hold)
    {
        (void)printf("HELD  %s %s %s since %s: %s\n",
                     say_glyph(cli, "HELD"),
                     field_text(hold, "kind"),
                     field_text(hold, "id"),
                     say_time(cli, field_int(hold, "since_ms")),
                     field_text(hold, "reason"));
    }
}

static void print_missing(const json_t *deployment)
{
    size_t i;
    json_t *input;

    json_array_foreach(field(deployment, "missing"), i, input)
    {
        (void)printf("MISSING  %s\n           %s\n",
                     field_text(input, "input"),
                     field_text(input, "remedy"));
    }
}

/* The next thing that the reader may do himself. */
static void print_next(const json_t *deployment)
{
    const json_t *const actions = field(deployment, "waiting_for.actions");
    const json_t *const allowed = field(deployment, "allowed");
    bool any = false;
    size_t i;
    size_t k;
    json_t *action;
    json_t *may;

    json_array_foreach(actions, i, action)
    {
        json_array_foreach(allowed, k, may)
        {
            if (!json_equal(action, may))
                continue;
            (void)printf("%s%s", any ? ", " : "YOU MAY  ", json_string_value(may));
            any = true;
        }
    }
    if (any)
        (void)printf("   (slipway VERB %s)\n", field_text(deployment, "id"));
}

static void print_deployment(struct cli *cli, const json_t *deployment)
{
    const char *const phase = field_text(deployment, "phase");

    (void)printf("%s  %s    %s %s   version %lld\n\n",
                 field_text(deployment, "id"),
                 field_text(deployment, "title"),
                 say_glyph(cli, phase),
                 say_state(cli, deployment),
                 (long long)field_int(deployment, "version"));
    print_waiting(cli, deployment);
    print_steps(cli, deployment);
    print_missing(deployment);
    print_holds(cli, deployment);
    print_incidents(cli, deployment);
    if (field_text(deployment, "stop.cause")[0] != '\0')
        (void)printf("STOPPED  by %s at %s: %s\n",
                     field_text(deployment, "stop.by"),
                     say_clock(cli, field_int(deployment, "stop.at_ms")),
                     field_text(deployment, "stop.cause"));
    print_open(cli, deployment);
    print_taken_back(cli, deployment);
    print_signoffs(cli, deployment);
    print_next(deployment);
    say_address(cli, field_text(deployment, "id"));
}

enum cli_exit verb_show(struct cli *cli)
{
    const char *const name = cli_deployment(cli);

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    return cli_tell(cli,
                    &(struct cli_request){ .method = "GET",
                                           .path = cli_path(cli, "/v1/deployments/%s", name) },
                    print_deployment);
}

enum cli_exit verb_open(struct cli *cli)
{
    const char *const name = cli_deployment(cli);

    if (name == NULL || !cli_finished(cli))
        return EXIT_USAGE;
    say_address(cli, name);
    return EXIT_DONE;
}
