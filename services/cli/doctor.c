/* doctor: is everything there, and where do settings come from. */
#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

static void print_check(const struct cli *cli, bool ok, const char *what, const char *text)
{
    (void)printf("%s %-14s %s\n", say_glyph(cli, ok ? "PASS" : "FAIL"), what, text);
}

static size_t print_instances(struct cli *cli, const json_t *health)
{
    static const char *const wanted[] = { "coordinator",  "prechecks", "executor", "validator",
                                          "flag-rollout", "monitor",   "notifier", "gateway" };
    const char *const hash = field_text(health, "config_hash");
    size_t faults = 0;

    for (size_t s = 0; s < sizeof wanted / sizeof wanted[0]; s++) {
        size_t count = 0;
        size_t other = 0;
        size_t i;
        json_t *instance;

        json_array_foreach(field(health, "instances"), i, instance)
        {
            if (strcmp(field_text(instance, "service"), wanted[s]) != 0)
                continue;
            count++;
            other += strcmp(field_text(instance, "config_hash"), hash) != 0;
        }
        faults += count == 0 || other > 0;
        print_check(cli,
                    count > 0 && other == 0,
                    wanted[s],
                    other > 0 ? arena_printf(&cli->arena,
                                             "%zu running, %zu with another configuration",
                                             count,
                                             other)
                              : arena_printf(&cli->arena, "%zu running", count));
    }
    return faults;
}

enum cli_exit verb_doctor(struct cli *cli)
{
    struct cli_answer health;
    struct cli_answer me;
    size_t faults = 0;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    print_check(cli,
                true,
                "server",
                arena_printf(&cli->arena, "%s, from %s", cli->server.value, cli->server.from));
    print_check(cli,
                cli->token != NULL,
                "token",
                cli->token == NULL ? "none; slipway login"
                                   : arena_printf(&cli->arena,
                                                  "from %s (%s)",
                                                  cli->token_file.value,
                                                  cli->token_file.from));
    faults += cli->token == NULL;
    if (cli_get(cli, "/v1/me", &me) == EXIT_DONE) {
        print_check(cli, true, "signed in", field_text(me.body, "subject"));
        cli_release(&me);
    } else {
        faults++;
    }
    if (cli_get(cli, "/v1/health", &health) == EXIT_DONE) {
        faults += print_instances(cli, health.body);
        cli_release(&health);
    } else {
        faults++;
    }
    (void)printf("%zu fault%s\n", faults, faults == 1 ? "" : "s");
    return faults == 0 ? EXIT_DONE : EXIT_NO;
}
