#include "common/drivers/deployers/observation.h"

#include "common/wire/digest.h"

#include <string.h>

enum { WORD_MAX = 200 };

const char *observation_word(struct arena *arena, const char **line)
{
    const char *word;
    size_t length;

    *line += strspn(*line, " \t");
    word = *line;
    length = strcspn(word, " \t\r\n");
    *line += length;
    return length <= WORD_MAX ? arena_copy(arena, word, length) : "";
}

static bool is_digest(const char *text)
{
    return strlen(text) == DIGEST_HEX_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text > '~')
            return false;
    return true;
}

enum err observation_parse(struct arena *arena,
                           const char *output,
                           struct observation *ret,
                           struct error *error)
{
    const char *line = output;
    struct observation seen = { .version = observation_word(arena, &line) };
    const char *fence;

    seen.digest = observation_word(arena, &line);
    if (strncmp(seen.digest, "sha256:", 7) == 0)
        seen.digest += 7;
    fence = observation_word(arena, &line);
    seen.fenced = fence_parse(fence, &seen.fence);
    if (seen.version[0] == '\0' && output[strspn(output, " \t\r\n")] == '\0') {
        *ret = seen;
        return ERR_OK;
    }
    if (!is_printable(seen.version) || !is_digest(seen.digest) ||
        (fence[0] != '\0' && !seen.fenced))
        return error_set(error,
                         ERR_INVALID,
                         "observe printed \"%.100s\", not \"version digest\"",
                         is_printable(output) ? output : "?");
    seen.keeps = seen.fenced;
    seen.kept = seen.fence;
    *ret = seen;
    return ERR_OK;
}

bool observation_is(const struct observation *seen, const char *version, const char *digest)
{
    return pb_same(seen->version, version) && pb_same(seen->digest, digest);
}

bool observation_settles(const struct observation *seen,
                         const Pb__Observed *wanted,
                         const Pb__Fence *fence)
{
    return observation_is(seen, wanted->version, wanted->digest) &&
           !(seen->keeps && pb_fence_before(&seen->kept, fence));
}
