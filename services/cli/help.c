/* help: all verbs, or one with its flags; examples first. */
#include "services/cli/manual.h"

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
    (void)printf("\nOne verb: slipway help VERB, or man slipway-VERB.\n");
}

static void print_exits(const struct page *page)
{
    size_t count = 0;
    const struct page_exit *const exits = page_exits(&count);

    (void)printf("\nexit status:\n");
    for (size_t i = 0; i < count; i++) {
        if (page_may_exit(page, &exits[i]))
            (void)printf("  %-3s %s\n", exits[i].code, exits[i].meaning);
    }
}

static void print_verb(const struct verb *verb)
{
    const struct page *const page = page_of(verb->name);

    for (size_t i = 0; page->examples[i] != NULL; i++)
        (void)printf("%s\n", page->examples[i]);
    (void)printf("\n  %s\n\nusage: slipway %s\n", verb->summary, verb->usage);
    print_flags(verb);
    print_exits(page);
    if ((verb->kind & VERB_NAMED) != 0)
        (void)printf("\nDEPLOYMENT is express-pay.3; express-pay for its newest attempt; - for "
                     "names from stdin.\n");
    (void)printf("\nMore: man slipway-%s\n", verb->name);
}

enum cli_exit verb_help(struct cli *cli)
{
    const char *const folder = cli_option(cli, "--man");
    const char *const name = cli_next(cli);
    const struct verb *const verb = name != NULL ? verbs_find(name) : NULL;

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (folder != NULL)
        return manual_write_all(cli, folder);
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
