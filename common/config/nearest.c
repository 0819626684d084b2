#include "common/config/nearest.h"

#include <string.h>

enum { WORD_MAX = 64, ABBREVIATION_MIN = 4 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits from a to b, where swapping two neighbours is one edit; both at most WORD_MAX long. */
static unsigned edits(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b_length; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        const unsigned *const above = row[(i + 2) % 3];
        const unsigned *const two_above = row[(i + 1) % 3];
        unsigned *const here = row[i % 3];

        here[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            const unsigned change = a[i - 1] == b[j - 1] ? 0 : 1;

            here[j] = least(above[j - 1] + change, least(above[j], here[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                here[j] = least(here[j], two_above[j - 2] + 1);
        }
    }
    return row[a_length % 3][b_length];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
    const size_t length = strlen(word);
    unsigned best = (unsigned)(length / 3 > 1 ? length / 3 : 1) + 1;
    const char *nearest = NULL;

    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t other = strlen(names[i]);
        unsigned distance;

        if (other == 0 || other > WORD_MAX)
            continue;
        distance = length >= ABBREVIATION_MIN && strncmp(word, names[i], length) == 0
                       ? 1
                       : edits(word, length, names[i], other);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
