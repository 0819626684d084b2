#include "services/cli/manual.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_BYTES_MAX = 64 * 1024 };

/* --- troff --- */

/* Text as it is to be read: "-" is a minus, a quote is no accent, and nothing is a request. */
static void put_text(struct text *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '-')
            text_add(out, "\\-");
        else if (*c == '\'')
            text_add(out, "\\(aq");
        else if (*c == '\\')
            text_add(out, "\\e");
        else if (*c == '.' && c == text)
            text_add(out, "\\&.");
        else if (*c == '~')
            text_add(out, "\\(ti");
        else
            text_add_char(out, *c);
    }
}

static void put_line(struct text *out, const char *text)
{
    put_text(out, text);
    text_add_char(out, '\n');
}

static void put_entry(struct text *out, const char *head, const char *what)
{
    text_add(out, ".TP\n\\fB");
    put_text(out, head);
    text_add(out, "\\fR\n");
    put_line(out, what);
}

static void put_section(struct text *out, const char *name)
{
    text_add(out, ".SH %s\n", name);
}

/* --- parts --- */

/* Its own; verb NULL: those of every verb. */
static void put_flags(struct text *out, const char *section, const struct verb *verb)
{
    size_t count = 0;
    const struct verb_flag *const flags = verbs_flags(&count);
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (!verbs_flag_fits(&flags[i], verb) || (flags[i].verb == NULL) != (verb == NULL))
            continue;
        if (!any)
            put_section(out, section);
        any = true;
        put_entry(out, flags[i].flag, flags[i].what);
    }
}

/* page NULL: all of them. */
static void put_exits(struct text *out, const struct page *page)
{
    size_t count = 0;
    const struct page_exit *const exits = page_exits(&count);

    put_section(out, "EXIT STATUS");
    for (size_t i = 0; i < count; i++) {
        if (page == NULL || page_may_exit(page, &exits[i]))
            put_entry(out, exits[i].code, exits[i].meaning);
    }
}

static void put_examples(struct text *out, const struct page *page)
{
    put_section(out, "EXAMPLES");
    text_add(out, ".nf\n");
    for (size_t i = 0; page->examples[i] != NULL; i++)
        put_line(out, page->examples[i]);
    text_add(out, ".fi\n");
}

static void put_names(struct text *out)
{
    text_add(out, ".PP\n");
    put_line(
        out,
        "A deployment is named express-pay.3 (feature, attempt); express-pay means its newest "
        "attempt; - reads names from standard input, one a line, and the greatest exit "
        "status of all is the answer.");
}

/* --- pages --- */

void manual_write_verb(struct text *out, const struct verb *verb)
{
    const struct page *const page = page_of(verb->name);
    char upper[64] = "SLIPWAY-";
    size_t length = strlen(upper);

    for (const char *c = verb->name; *c != '\0' && length < sizeof upper - 1; c++)
        upper[length++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    text_add(out, ".TH \"");
    put_text(out, upper);
    text_add(out, "\" 1 \"\" \"Slipway\" \"User commands\"\n");
    put_section(out, "NAME");
    text_add(out, "slipway\\-");
    put_text(out, verb->name);
    text_add(out, " \\- ");
    put_line(out, verb->summary);
    put_section(out, "SYNOPSIS");
    text_add(out, "\\fBslipway\\fR ");
    put_text(out, verb->usage);
    text_add(out, " [flags]\n");
    put_section(out, "DESCRIPTION");
    put_line(out, page->about);
    if ((verb->kind & VERB_NAMED) != 0)
        put_names(out);
    put_flags(out, "FLAGS", verb);
    put_flags(out, "FLAGS OF EVERY VERB", NULL);
    put_examples(out, page);
    put_exits(out, page);
    put_section(out, "SEE ALSO");
    text_add(out, "\\fBslipway\\fR(1)\n");
}

static void put_verbs(struct text *out)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);

    put_section(out, "VERBS");
    text_add(out,
             "Each has a page of its own, with its flags and examples: slipway\\-VERB(1).\n");
    for (size_t i = 0; i < count; i++)
        put_entry(out, verbs[i].usage, verbs[i].summary);
}

void manual_write(struct text *out)
{
    text_add(out,
             ".TH SLIPWAY 1 \"\" \"Slipway\" \"User commands\"\n"
             ".SH NAME\n"
             "slipway \\- take a feature to production, watch it, take it back\n"
             ".SH SYNOPSIS\n"
             "\\fBslipway\\fR VERB [DEPLOYMENT] [flags]\n"
             ".SH DESCRIPTION\n");
    put_line(
        out,
        "One program over the gateway's HTTP API. The answer goes to standard output and "
        "nothing else does; progress, questions and errors go to standard error. Colours are "
        "shown on a terminal, without NO_COLOR and TERM=dumb; what they say, the glyph says "
        "too.");
    put_names(out);
    put_verbs(out);
    put_flags(out, "FLAGS OF EVERY VERB", NULL);
    put_section(out, "EXAMPLES");
    text_add(out, ".nf\n");
    put_line(out, "slipway submit feature.yaml");
    put_line(out, "slipway show express-pay");
    put_line(out, "slipway rollback express-pay --reason \"EU payments fail\"");
    text_add(out, ".fi\n");
    put_exits(out, NULL);
    put_section(out, "FILES");
    put_line(
        out,
        "The first that has a value wins: flag; SLIPWAY_SERVER, SLIPWAY_PROFILE, "
        "SLIPWAY_TOKEN_FILE; .slipway in this folder or above, up to the repository's root; "
        "$XDG_CONFIG_HOME/slipway/config.yaml; /etc/slipway/cli.yaml. slipway doctor says "
        "which value came from where.");
    text_add(out, ".PP\n");
    put_line(out,
             "slipway login stores a token in $XDG_STATE_HOME/slipway/tokens/PROFILE with mode "
             "0600; a looser mode is refused.");
    put_section(out, "SEE ALSO");
    text_add(
        out,
        "\\fBfeature.yaml\\fR(5), \\fBslipway.yaml\\fR(5), \\fBslipway\\-gateway\\fR(8)\n");
}

/* --- files --- */

static bool write_page(struct cli *cli,
                       const char *folder,
                       const char *name,
                       const struct text *page)
{
    const char *const path = arena_printf(&cli->arena, "%s/%s.1", folder, name);
    FILE *const file = fopen(path, "wb");
    bool good = file != NULL && fwrite(page->bytes, 1, page->length, file) == page->length;

    good = (file == NULL || fclose(file) == 0) && good;
    if (!good)
        cli_complain(cli, arena_printf(&cli->arena, "%s cannot be written", path), NULL);
    return good;
}

enum cli_exit manual_write_all(struct cli *cli, const char *folder)
{
    size_t count = 0;
    const struct verb *const verbs = verbs_all(&count);
    struct text page = text_new(PAGE_BYTES_MAX);
    bool good;

    manual_write(&page);
    good = write_page(cli, folder, "slipway", &page);
    for (size_t i = 0; i < count && good; i++) {
        text_reset(&page);
        manual_write_verb(&page, &verbs[i]);
        good = write_page(
            cli, folder, arena_printf(&cli->arena, "slipway-%s", verbs[i].name), &page);
    }
    text_release(&page);
    return good ? EXIT_DONE : EXIT_NO;
}
