#include "common/drivers/deployers/observation.h"

#include "common/wire/digest.h"

#include <string.h>

enum { WORD_MAX = 200 };

static const char *next_word(struct arena *arena, const char **line)
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

/* What the target itself says is what it keeps. */
static void take_fence(struct observation *seen, const char *fence)
{
    seen->fenced = fence_parse(fence, &seen->fence);
    seen->keeps = seen->fenced;
    seen->kept = seen->fence;
}

enum err observation_parse(struct arena *arena,
                           const char *output,
                           struct observation *ret,
                           struct error *error)
{
    const char *line = output;
    struct observation seen = { .version = next_word(arena, &line) };
    const char *fence;

    seen.digest = next_word(arena, &line);
    if (strncmp(seen.digest, "sha256:", 7) == 0)
        seen.digest += 7;
    fence = next_word(arena, &line);
    take_fence(&seen, fence);
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
    *ret = seen;
    return ERR_OK;
}

enum err observation_parse_side(struct arena *arena,
                                const char *output,
                                struct observation *ret,
                                struct error *error)
{
    const char *line = output;
    struct observation seen = { .version = "", .digest = "" };
    const char *fence;

    seen.side = next_word(arena, &line);
    if (pb_same(seen.side, "-"))
        seen.side = "";
    fence = next_word(arena, &line);
    take_fence(&seen, fence);
    if (!is_printable(seen.side) || (fence[0] != '\0' && !seen.fenced))
        return error_set(error,
                         ERR_INVALID,
                         "side printed \"%.100s\", not \"side\" or \"side fence\"",
                         is_printable(output) ? output : "?");
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
           observation_heard(seen, fence);
}

bool observation_heard(const struct observation *seen, const Pb__Fence *fence)
{
    return !seen->keeps || !pb_fence_before(&seen->kept, fence);
}
