/* Files of the repository with one thing changed, for tests that want to see it noticed. */
#ifndef TESTS_SUPPORT_EDITED_H
#define TESTS_SUPPORT_EDITED_H

#include "common/base/arena.h"

/* The file's text, with the first `was` become `now`; fails the test if it is not there. Both
 * "": as it is. */
const char *edited_file(struct arena *arena,
                        const char *path,
                        const char *was,
                        const char *now);

/* text with every `was` become `now`. */
const char *edited_text(struct arena *arena,
                        const char *text,
                        const char *was,
                        const char *now);

#endif
