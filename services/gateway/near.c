/* "Did you mean": names close to one that is not there. */
#include "services/gateway/resources.h"

#include <string.h>

enum { LIST_MAX = 500, NEAR_MAX = 3, NAME_MAX_LENGTH = 80, FAR = 3 };

/* Edit distance, at most FAR + 1. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_LENGTH + 1];
    const size_t width = strlen(b);

    if (width > NAME_MAX_LENGTH || strlen(a) > NAME_MAX_LENGTH)
        return FAR + 1;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            const unsigned above = row[j];
            const unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned best = above < row[j - 1] ? above + 1 : row[j - 1] + 1;

            if (change < best)
                best = change;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[width];
}

/* Near the whole id, or its feature. */
static bool is_near(struct arena *arena, const char *asked, const char *id)
{
    return distance(asked, id) <= FAR ||
           distance(asked, projection_feature_of(arena, id)) <= FAR;
}

static size_t add_near(
    struct gateway_call *call, const char *asked, bool live, struct text *more, size_t found)
{
    struct store_member *members = NULL;
    struct error error = { 0 };
    size_t count = 0;

    if (projection_list(
            call->projection, call->arena, live, LIST_MAX, &members, &count, &error) != ERR_OK)
        return found;
    for (size_t i = 0; i < count && found < NEAR_MAX; i++) {
        if (!is_near(call->arena, asked, members[i].name))
            continue;
        text_add(more, "%s\"", found == 0 ? "" : ",");
        text_add_json(more, members[i].name);
        text_add_char(more, '"');
        found++;
    }
    return found;
}

/* False (and answered) while the coordinator folds what Redis has lost: not to know it is not
 * the same as that there is none. */
static bool would_be_known(struct gateway_call *call, const char *name)
{
    const char *const feature = projection_feature_of(call->arena, name);
    struct error error = { 0 };
    bool whole = false;
    const enum err err =
        projection_whole_of(call->projection, call->arena, feature, &whole, &error);

    if (err == ERR_OK && whole)
        return true;
    if (err == ERR_OK)
        (void)error_set(
            &error,
            ERR_UNAVAILABLE,
            "the coordinator is catching up with the log, and may not have come to %s",
            name);
    call_unavailable(call, &error);
    return false;
}

void deployment_not_found(struct gateway_call *call, const char *name)
{
    char bytes[1024];
    struct text more = text_over(bytes, sizeof bytes);
    struct problem problem = { .code = "no-such" };
    size_t found;

    if (!would_be_known(call, name))
        return;
    text_add(&more, "\"near\":[");
    found = add_near(call, name, true, &more, 0);
    (void)add_near(call, name, false, &more, found);
    text_add_char(&more, ']');
    problem.detail = arena_printf(call->arena, "no deployment %s", name);
    problem.more = text_ok(&more) ? arena_text(call->arena, more.bytes) : NULL;
    call_problem(call, &problem);
}
