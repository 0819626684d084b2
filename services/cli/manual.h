/* The manual: help, the pages for man(1) and the shells' completion are made from the same
 * rows, so that none can say what another does not. */
#ifndef SERVICES_CLI_MANUAL_H
#define SERVICES_CLI_MANUAL_H

#include "services/cli/cli.h"

enum { PAGE_EXAMPLES_MAX = 6 };

/* What is said of a verb beside its row and its flags (pages.c). */
struct page {
    const char *verb;
    const char *exits; /* Codes that it can end with, space-separated. */
    const char *about;
    const char *examples[PAGE_EXAMPLES_MAX]; /* NULL-terminated. */
};
const struct page *page_of(const char *verb); /* NULL: there is none. */

struct page_exit {
    const char *code;
    const char *meaning;
};
const struct page_exit *page_exits(size_t *ret_count);
bool page_may_exit(const struct page *page, const struct page_exit *how);

/* slipway(1), and slipway-VERB(1), as troff. */
void manual_write(struct text *out);
void manual_write_verb(struct text *out, const struct verb *verb);

/* help --man FOLDER: all of them into that folder. */
enum cli_exit manual_write_all(struct cli *cli, const char *folder);

#endif
