/* "Did you mean": the known name that was probably meant. */
#ifndef COMMON_CONFIG_NEAREST_H
#define COMMON_CONFIG_NEAREST_H

#include <stddef.h>

/* The name with the fewest edits from word, if few enough to be a slip of the pen, or one that
 * word is the beginning of; NULL otherwise. Of equals the first. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
