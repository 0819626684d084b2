/* Which of several forms a client likes best: RFC 9110, section 12.5.1. */
#include "services/gateway/gateway.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BEST = 1000 };

/* One of a header's ranges: "text/ *;q=0.5". */
struct range {
    const char *type;
    size_t length;
    int quality; /* Thousandths. */
};

static int read_quality(const char *parameters, size_t length)
{
    for (size_t i = 0; i + 3 < length; i++) {
        if (parameters[i] != ';')
            continue;
        i++;
        i += strspn(parameters + i, " \t");
        if (i + 2 < length && (parameters[i] | 0x20) == 'q' && parameters[i + 1] == '=') {
            /* "0.375": a digit, a point, at most three more. */
            int quality = parameters[i + 2] == '1' ? BEST : 0;
            int weight = BEST / 10;

            for (size_t k = i + 4;
                 quality < BEST && k < length && parameters[k] >= '0' && parameters[k] <= '9';
                 k++, weight /= 10)
                quality += (parameters[k] - '0') * weight;
            return quality;
        }
    }
    return BEST;
}

static struct range read_range(const char *text, size_t length)
{
    const size_t before = strspn(text, " \t");
    const size_t end = strcspn(text + before, " \t;,");

    return (struct range){ text + before, end, read_quality(text, length) };
}

/* How closely a range names the type: 3 exactly, 2 by its half, 1 as anything, 0 not at all. */
static int closeness(const struct range *range, const char *type)
{
    const size_t half = strcspn(type, "/") + 1;

    if (range->length == strlen(type) && strncasecmp(range->type, type, range->length) == 0)
        return 3;
    if (range->length == half + 1 && strncasecmp(range->type, type, half) == 0 &&
        range->type[half] == '*')
        return 2;
    return range->length == 3 && strncmp(range->type, "*/*", 3) == 0;
}

static int quality_of(const char *accept, const char *type)
{
    int closest = 0;
    int quality = 0;

    while (*accept != '\0') {
        const size_t length = strcspn(accept, ",");
        const struct range range = read_range(accept, length);
        const int close = closeness(&range, type);

        if (close > closest) {
            closest = close;
            quality = range.quality;
        }
        accept += length + (accept[length] == ',');
    }
    return quality;
}

size_t call_accepts(struct gateway_call *call, const char *const *types)
{
    const char *const accept = call_header(call, "accept");
    size_t best = 0;
    int most = 0;

    call->vary = "Accept";
    for (size_t i = 0; accept != NULL && types[i] != NULL; i++) {
        const int quality = quality_of(accept, types[i]);

        if (quality > most) {
            most = quality;
            best = i;
        }
    }
    return best;
}
