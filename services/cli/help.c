/* help: all verbs, or one with its flags; examples first. */
#include "services/cli/cli.h"

#include <stdio.h>

/* verb NULL: those of every verb. */
static void print_flags(const struct verb *verb)
{
    size_t count = 0;
    const struct verb_flag *const flags = verbs_flags(&count);

    for (size_t i = 0; i < count; i++) {
        if (verbs_flag_fits(&flags[i], verb))
            (void)printf("  %-22s %s\n", flags[i].flag, flags[i].what);
    }
}

static void print_all(void)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    (void)printf("slipway submit feature.yaml          hand it in\n"
                 "slipway show express-pay             why it waits, and for whom\n"
                 "slipway rollback express-pay --reason \"EU payments fail\"\n\n");
    for (size_t i = 0; i < count; i++)
        (void)printf("  %-14s %s\n", verbs[i].name, verbs[i].summary);
    (void)printf("\nFlags of every verb:\n");
    print_flags(NULL);
    (void)printf("\nOne verb: slipway help VERB. Everything: man slipway.\n");
}

static void print_verb(const struct verb *verb)
{
    (void)printf(
        "%s\n\n  %s\n\nusage: slipway %s\n", verb->example, verb->summary, verb->usage);
    print_flags(verb);
    if ((verb->kind & VERB_NAMED) != 0)
        (void)printf("\nDEPLOYMENT is express-pay.3; express-pay for its newest attempt; - for "
                     "names from stdin.\n");
}

enum cli_exit verb_help(struct cli *cli)
{
    const char *const name = cli_next(cli);
    const struct verb *const verb = name != NULL ? verbs_find(name) : NULL;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (name == NULL) {
        print_all();
        return EXIT_DONE;
    }
    if (verb == NULL) {
        cli_complain(
            cli, arena_printf(&cli->arena, "there is no verb %s", name), "slipway help");
        return EXIT_USAGE;
    }
    print_verb(verb);
    return EXIT_DONE;
}
