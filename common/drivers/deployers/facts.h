/* A small file of facts, one "name=value" a line, replaced as a whole: what a driver leaves on
 * a target to find its way back. People and scripts may read it. */
#ifndef COMMON_DRIVERS_DEPLOYERS_FACTS_H
#define COMMON_DRIVERS_DEPLOYERS_FACTS_H

#include "common/wire/pb.h"

/* Pairs in the order written; values are one line each. */
struct facts {
    Pb__Pair **items;
    size_t count;
};

/* Add a fact. value NULL counts as "". */
void facts_add(struct arena *arena, struct facts *facts, const char *name, const char *value);

/* The value, or "". */
const char *facts_get(const struct facts *facts, const char *name);

/* "<grant>.<version>" as a fence; zeros if it is none. */
Pb__Fence facts_fence(const struct facts *facts, const char *name);

/* What the text of such a file says, from its first line on; path: for the error. ERR_INVALID:
 * it is damaged. */
enum err facts_parse(struct arena *arena,
                     const char *path,
                     const char *line,
                     struct facts *ret,
                     struct error *error) MUST_CHECK;

/* ERR_NOT_FOUND: no such file; ERR_TOO_LARGE. ERR_INVALID: it is damaged; a person must look.
 */
enum err facts_read(struct arena *arena,
                    const char *path,
                    struct facts *ret,
                    struct error *error) MUST_CHECK;

/* The file as text. ERR_INVALID: a value with a control character. path: for the error. */
enum err facts_text(struct arena *arena,
                    const char *path,
                    const struct facts *facts,
                    const char **ret,
                    struct error *error) MUST_CHECK;

/* Durable when it returns. stage: as disk_write. Errors as facts_text. */
enum err facts_write(struct arena *arena,
                     const char *stage,
                     const char *path,
                     const struct facts *facts,
                     struct error *error) MUST_CHECK;

/* "7.42" into ret; false if text is no fence. */
bool fence_parse(const char *text, Pb__Fence *ret);

#endif
