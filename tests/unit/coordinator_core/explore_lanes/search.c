#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEPT_MAX = 2000 * 1024 * 1024, SCRATCH_MAX = 64 * 1024 * 1024 };

const char *lanes_dep_name(size_t dep)
{
    static const char *const names[] = { "a.1", "b.1", "c.1" };

    return names[dep];
}

void *lanes_unpacked(struct atlas *atlas,
                     const ProtobufCMessageDescriptor *type,
                     struct pb_bytes packed)
{
    struct error error = { "" };
    void *message = NULL;

    if (pb_unpack(&atlas->scratch, type, packed, &message, &error) != ERR_OK)
        fail_msg("%s", error.text);
    return message;
}

void lanes_scene(struct atlas *atlas, const struct place *place, struct scene *ret)
{
    for (size_t i = 0; i < atlas->dep_count; i++)
        ret->deps[i] = lanes_unpacked(atlas, &pb__deployment_state__descriptor, place->deps[i]);
    for (size_t i = 0; i < atlas->lane_count; i++)
        ret->lanes[i] =
            place->lanes[i].bytes == NULL
                ? NULL
                : lanes_unpacked(atlas, &pb__lane_state__descriptor, place->lanes[i]);
}

static void trace(struct atlas *atlas, size_t node, struct text *out)
{
    if (atlas->places[node].label == NULL)
        return;
    trace(atlas, atlas->places[node].parent, out);
    text_add(out, "%s > ", atlas->places[node].label);
}

void lanes_report(struct atlas *atlas, size_t node, const char *label, const char *what)
{
    struct text out = text_over(atlas->breach, sizeof atlas->breach);

    text_add(&out,
             "%s, after %u events\n    ",
             what,
             atlas->places[node].depth + (label[0] != '\0' ? 1 : 0));
    trace(atlas, node, &out);
    text_add(&out, "%s", label);
}

static struct pb_bytes kept(struct atlas *atlas, struct pb_bytes bytes)
{
    return (struct pb_bytes){
        (const uint8_t *)arena_copy(&atlas->kept, bytes.bytes, bytes.length), bytes.length
    };
}

/* What the place before had already is not kept twice. */
static void keep(struct atlas *atlas, struct place *place, const struct place *before)
{
    for (size_t i = 0; i < atlas->dep_count; i++) {
        if (before == NULL || place->deps[i].bytes != before->deps[i].bytes)
            place->deps[i] = kept(atlas, place->deps[i]);
    }
    for (size_t i = 0; i < atlas->lane_count; i++) {
        if (place->lanes[i].bytes != NULL &&
            (before == NULL || place->lanes[i].bytes != before->lanes[i].bytes))
            place->lanes[i] = kept(atlas, place->lanes[i]);
    }
    for (size_t i = 0; i < place->mail_count; i++)
        place->mail[i].event = kept(atlas, place->mail[i].event);
    if (place->label != NULL)
        place->label = arena_text(&atlas->kept, place->label);
}

static size_t node_of(struct atlas *atlas, struct place *place, size_t parent)
{
    struct scene scene;
    uint64_t key[2];
    size_t slot;

    lanes_scene(atlas, place, &scene);
    lanes_key(atlas, &scene, place, key);
    for (slot = key[0] % atlas->table_size; atlas->table[slot] != 0;
         slot = (slot + 1) % atlas->table_size) {
        const size_t known = atlas->table[slot] - 1;

        if (atlas->keys[known][0] == key[0] && atlas->keys[known][1] == key[1])
            return known;
    }
    if (atlas->count == atlas->crossing->nodes_max)
        fail_msg("%s has more states than expected", atlas->crossing->name);
    place->parent = parent;
    place->depth = atlas->count > 0 ? atlas->places[parent].depth + 1 : 0;
    atlas->depth = place->depth; /* Breadth first: it never falls. */
    keep(atlas, place, atlas->count > 0 ? &atlas->places[parent] : NULL);
    atlas->places[atlas->count] = *place;
    memcpy(atlas->keys[atlas->count], key, sizeof key);
    atlas->table[slot] = ++atlas->count;
    return atlas->count - 1;
}

static void arrive(struct atlas *atlas, struct place *place, size_t from, bool force)
{
    size_t to;

    atlas->events++;
    if (atlas->breach[0] != '\0')
        return;
    to = node_of(atlas, place, from);
    if (to == from || force)
        return;
    ways_add(&atlas->ways, from, to);
}

static void try_own(struct atlas *atlas, size_t node, const struct scene *scene, size_t dep)
{
    struct tried tried[TRIES_MAX];
    const size_t count = lanes_events(atlas, scene, &atlas->places[node], dep, tried);

    for (size_t i = 0; i < count && atlas->breach[0] == '\0'; i++) {
        struct place place = atlas->places[node];

        place.road = tried[i].road;
        place.label = tried[i].label;
        if (lanes_step_deployment(atlas, &place, node, dep, tried[i].event))
            arrive(atlas, &place, node, tried[i].force);
    }
}

static bool is_next(const struct place *place, size_t index)
{
    for (size_t i = 0; i < index && !place->mail[index].stray; i++) {
        if (!place->mail[i].stray && place->mail[i].from == place->mail[index].from &&
            place->mail[i].to == place->mail[index].to)
            return false;
    }
    return true;
}

static const char *letter_label(struct atlas *atlas,
                                const struct letter *letter,
                                const Pb__Event *event,
                                bool copied)
{
    static const char *const words[] = { "request", "grant", "release", "superseded" };
    const size_t word = (size_t)event->body_case - (size_t)PB__EVENT__BODY_LANE_REQUESTED;

    return arena_printf(&atlas->scratch,
                        "%s%s of %c heard by %c%s",
                        letter->stray ? "late copy: " : "",
                        word < 4 ? words[word] : "message",
                        "ABCab"[letter->from],
                        "ABCab"[letter->to],
                        copied ? ", to come again" : "");
}

static void deliver(struct atlas *atlas, size_t node, size_t index, bool copied)
{
    struct place place = atlas->places[node];
    const struct letter letter = place.mail[index];
    const Pb__Event *const event = lanes_unpacked(atlas, &pb__event__descriptor, letter.event);
    bool moved;

    place.label = letter_label(atlas, &letter, event, copied);
    if (copied) {
        place.mail[index].stray = true;
        place.road.copies--;
    } else {
        for (size_t i = index; i + 1 < place.mail_count; i++)
            place.mail[i] = place.mail[i + 1];
        place.mail_count--;
    }
    moved = letter.to < DEPS_MAX
                ? lanes_step_deployment(atlas, &place, node, letter.to, event)
                : lanes_step_lane(atlas, &place, node, (size_t)letter.to - DEPS_MAX, event);
    (void)moved; /* What is stale is gone all the same. */
    arrive(atlas, &place, node, false);
}

static void expand(struct atlas *atlas, size_t node)
{
    struct scene scene;
    const char *breach;

    arena_reset(&atlas->scratch);
    lanes_scene(atlas, &atlas->places[node], &scene);
    breach = lanes_judge(atlas, &scene, &atlas->places[node]);
    if (breach != NULL) {
        lanes_report(atlas, node, "", breach);
        return;
    }
    for (size_t i = 0; i < atlas->dep_count && atlas->breach[0] == '\0'; i++)
        try_own(atlas, node, &scene, i);
    for (size_t i = 0; i < atlas->places[node].mail_count && atlas->breach[0] == '\0'; i++) {
        if (!is_next(&atlas->places[node], i))
            continue;
        deliver(atlas, node, i, false);
        if (atlas->places[node].road.copies > 0 && atlas->breach[0] == '\0')
            deliver(atlas, node, i, true);
    }
}

static bool all_ended(struct atlas *atlas, const struct place *place)
{
    for (size_t i = 0; i < atlas->dep_count; i++) {
        const Pb__DeploymentState *const state =
            lanes_unpacked(atlas, &pb__deployment_state__descriptor, place->deps[i]);

        if (!procedure_is_terminal(state->phase))
            return false;
    }
    return true;
}

/* Backwards from the ends, over everything but aborts and rollbacks. */
static void check_ends(struct atlas *atlas)
{
    size_t stuck;

    atlas->ways.count = atlas->count;
    atlas->ways.ends = calloc(atlas->count, sizeof *atlas->ways.ends);
    assert_non_null(atlas->ways.ends);
    for (size_t i = 0; i < atlas->count; i++) {
        arena_reset(&atlas->scratch);
        atlas->ways.ends[i] = all_ended(atlas, &atlas->places[i]);
    }
    stuck = ends_check(&atlas->ways, &atlas->way_out);
    if (stuck < atlas->count)
        lanes_report(atlas,
                     stuck,
                     "",
                     "invariant 3: not all come to an end without an abort or a rollback");
}

static void open_atlas(struct atlas *atlas, const struct crossing *crossing)
{
    *atlas = (struct atlas){ .crossing = crossing,
                             .kept = arena_with_limit(KEPT_MAX),
                             .scratch = arena_with_limit(SCRATCH_MAX) };
    for (size_t i = 0; i < DEPS_MAX && crossing->wants[i] != NULL; i++) {
        const size_t lanes = strlen(crossing->wants[i]);

        atlas->plans[atlas->dep_count++] = lanes_plan(&atlas->kept, crossing->wants[i]);
        atlas->lane_count = lanes > atlas->lane_count ? lanes : atlas->lane_count;
    }
    atlas->table_size = crossing->nodes_max * 2 + 1;
    atlas->places = calloc(crossing->nodes_max, sizeof *atlas->places);
    atlas->keys = calloc(crossing->nodes_max, sizeof *atlas->keys);
    atlas->table = calloc(atlas->table_size, sizeof *atlas->table);
    assert_non_null(atlas->places);
    assert_non_null(atlas->keys);
    assert_non_null(atlas->table);
}

static void close_atlas(struct atlas *atlas)
{
    ways_release(&atlas->ways);
    free(atlas->table);
    free(atlas->keys);
    free(atlas->places);
    arena_release(&atlas->scratch);
    arena_release(&atlas->kept);
}

static void explore(const struct crossing *crossing)
{
    static struct atlas atlas;
    const clock_t began = clock();
    struct place first = { 0 };

    open_atlas(&atlas, crossing);
    lanes_begin(&atlas, &first);
    first.label = NULL;
    (void)node_of(&atlas, &first, 0);
    for (size_t i = 0; i < atlas.count && atlas.breach[0] == '\0'; i++)
        expand(&atlas, i);
    if (atlas.breach[0] == '\0')
        check_ends(&atlas);
    print_message(
        "%-32s %8zu states %9zu events; longest shortest way in %2u, out %2u; %.0f s\n",
        crossing->name,
        atlas.count,
        atlas.events,
        atlas.depth,
        atlas.way_out,
        (double)(clock() - began) / CLOCKS_PER_SEC);
    if (atlas.breach[0] != '\0')
        fail_msg("%s: %s", crossing->name, atlas.breach);
    close_atlas(&atlas);
}

static void deployments_that_share_lanes_come_to_their_ends_one_at_a_time(void **state)
{
    const char *const wanted = getenv("EXPLORE");
    const bool all = wanted != NULL && strcmp(wanted, "all") == 0;

    (void)state;
    for (size_t i = 0; i < crossing_count; i++) {
        if (!(crossings[i].open && all) && key_wanted(crossings[i].name, crossings[i].deep))
            explore(&crossings[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deployments_that_share_lanes_come_to_their_ends_one_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
