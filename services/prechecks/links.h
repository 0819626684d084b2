/* Fetching what an acceptance links to: only by http or https, only below the addresses that
 * the operator allows, never following a redirect. */
#ifndef SERVICES_PRECHECKS_LINKS_H
#define SERVICES_PRECHECKS_LINKS_H

#include "services/prechecks/prechecks.h"

/* True when the operator's `links` cover that address. */
bool link_is_allowed(const struct option_texts *allowed, const char *url);

/* What became of a link. */
struct link_answer {
    Pb__Verdict verdict;
    const char *said; /* "200", "not below an allowed address", "timed out" */
};

/* Is it there? PASS: it is; WARN: it is, but wants a sign-in or leads elsewhere, so its content
 * was not seen; FAIL: it is not, or may not be asked; ERROR: no answer. */
struct link_answer link_reach(const struct look *look, const char *url);

/* As link_reach; on PASS ret holds what was read. */
struct link_answer link_read(const struct look *look,
                             const char *url,
                             struct http_response *ret);

/* Is it there, and what was signed? digest NULL or without value: as link_reach. PASS only when
 * the digest of what was read is equal. */
struct link_answer link_compare(const struct look *look,
                                const char *url,
                                const Pb__Digest *digest);

#endif
