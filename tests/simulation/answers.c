/* What people are answered: each request once, and what was answered stays so. */
#include "common/state/keys.h"
#include "tests/simulation/world.h"

#include <string.h>

void answers_expect(struct world *world, const char *request, const char *feature)
{
    if (world->asked_count == ASKED_MAX)
        return;
    world->asked[world->asked_count++] = (struct asked){
        .request = arena_text(&world->arena, request),
        .key = KEY_REQUEST(
            &world->arena,
            bus_partition(feature, (int32_t)world->set->settings[0]->kafka.partitions),
            world->set->settings[0]->redis.prefix,
            request),
    };
}

static const char *answer_to(struct world *world, const struct asked *asked)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    if (world->store.get(world->store.self, &world->scratch, asked->key, &value, &error) !=
        ERR_OK)
        return NULL;
    return value.bytes;
}

void answers_look(struct world *world)
{
    for (size_t i = 0; i < world->asked_count; i++) {
        struct asked *const asked = &world->asked[i];
        const char *const answer = asked->answer == NULL ? answer_to(world, asked) : NULL;

        if (answer != NULL)
            asked->answer = arena_text(&world->arena, answer);
    }
}

bool answers_are_given(struct world *world, const char **ret_request, const char **ret_why)
{
    for (size_t i = 0; i < world->asked_count; i++) {
        const struct asked *const asked = &world->asked[i];
        const char *const answer = answer_to(world, asked);

        *ret_request = asked->request;
        *ret_why = answer == NULL ? "is not answered" : "is answered differently";
        if (answer == NULL || (asked->answer != NULL && strcmp(answer, asked->answer) != 0))
            return false;
    }
    return true;
}
