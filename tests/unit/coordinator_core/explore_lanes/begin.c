#include "tests/unit/coordinator_core/explore_lanes/lanes.h"

#include <string.h>

static struct pb_bytes born(struct atlas *atlas, size_t dep)
{
    Pb__Event *const event = pb_new(&atlas->scratch, &pb__event__descriptor);
    struct procedure_output *const output = arena_alloc(&atlas->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", 1000 };
    Pb__AcceptanceSignedOff *const acceptance =
        pb_new(&atlas->scratch, &pb__acceptance_signed_off__descriptor);

    event->deployment = lanes_dep_name(dep);
    event->feature = arena_printf(&atlas->scratch, "%c", (char)('a' + (char)dep));
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = pb_new(&atlas->scratch, &pb__attempt_created__descriptor);
    event->attempt_created->attempt = 1;
    event->attempt_created->content_hash = "content";
    event->attempt_created->acceptance = acceptance;
    acceptance->environment = "production";
    acceptance->services = atlas->plans[dep]->services;
    acceptance->n_services = atlas->plans[dep]->n_services;
    assert_int_equal(procedure_step(&atlas->scratch, &input, output), PROCEDURE_APPLIED);
    return pb_pack(&atlas->scratch, output->after);
}

/* Up to the queue every deployment goes alone: what is explored begins there. */
static void queue_up(struct atlas *atlas, struct place *place, size_t dep)
{
    for (;;) {
        struct tried tried[TRIES_MAX];
        struct scene scene;

        lanes_scene(atlas, place, &scene);
        if (scene.deps[dep]->phase == PB__PHASE__QUEUED)
            return;
        assert_true(lanes_events(atlas, &scene, place, dep, tried) > 0);
        place->label = tried[0].label;
        assert_true(lanes_step_deployment(atlas, place, 0, dep, tried[0].event));
    }
}

static void hear(struct atlas *atlas, struct place *place)
{
    const struct letter letter = place->mail[0];
    const Pb__Event *const event = lanes_unpacked(atlas, &pb__event__descriptor, letter.event);

    place->mail_count--;
    memmove(place->mail, place->mail + 1, place->mail_count * sizeof *place->mail);
    if (letter.to < DEPS_MAX)
        (void)lanes_step_deployment(atlas, place, 0, letter.to, event);
    else
        (void)lanes_step_lane(atlas, place, 0, (size_t)letter.to - DEPS_MAX, event);
}

/* Alone, and smoothly; and all have heard of it. */
static const Pb__DeploymentState *completed(struct atlas *atlas,
                                            struct place *place,
                                            size_t dep)
{
    struct scene scene;

    queue_up(atlas, place, dep);
    for (;;) {
        struct tried tried[TRIES_MAX];

        while (place->mail_count > 0)
            hear(atlas, place);
        lanes_scene(atlas, place, &scene);
        if (procedure_is_terminal(scene.deps[dep]->phase))
            break;
        assert_true(lanes_events(atlas, &scene, place, dep, tried) > 0);
        place->label = tried[0].label;
        place->road = tried[0].road;
        assert_true(lanes_step_deployment(atlas, place, 0, dep, tried[0].event) ||
                    atlas->breach[0] == '\0');
    }
    assert_int_equal(scene.deps[dep]->phase, PB__PHASE__COMPLETED);
    return scene.deps[dep];
}

/* The rollback of what was completed has a name of its own, and undoes in the other's. */
static void take_back(struct atlas *atlas, struct place *place, size_t dep)
{
    const Pb__DeploymentState *const of = completed(atlas, place, dep);
    const struct pb_bytes packed = pb_pack(&atlas->scratch, of);
    Pb__Event *const event = pb_new(&atlas->scratch, &pb__event__descriptor);
    Pb__AttemptCreated *const created =
        pb_new(&atlas->scratch, &pb__attempt_created__descriptor);
    struct procedure_output *const output = arena_alloc(&atlas->scratch, sizeof *output);
    const struct procedure_input input = { NULL, NULL, event, "e", of->now_ms };

    event->deployment = arena_printf(&atlas->scratch, "%c.2", of->id[0]);
    event->feature = of->feature;
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = created;
    created->attempt = 2;
    created->attempt_of = of->id;
    created->rollback = true;
    created->rollback_of.len = packed.length;
    created->rollback_of.data = arena_alloc(&atlas->scratch, packed.length);
    memcpy(created->rollback_of.data, packed.bytes, packed.length);
    assert_int_equal(procedure_step(&atlas->scratch, &input, output), PROCEDURE_APPLIED);
    place->deps[dep] = pb_pack(&atlas->scratch, output->after);
}

void lanes_begin(struct atlas *atlas, struct place *place)
{
    const struct crossing *const crossing = atlas->crossing;

    for (size_t i = 0; i < atlas->dep_count; i++)
        place->deps[i] = born(atlas, i);
    if (crossing->back)
        take_back(atlas, place, 0);
    for (size_t i = crossing->back ? 1 : 0; i < atlas->dep_count; i++)
        queue_up(atlas, place, i);
    for (size_t i = 0; i < atlas->dep_count; i++) {
        place->road.freezes[i] = crossing->freezes;
        place->road.alerts[i] = (crossing->trouble & ALERT) != 0;
    }
    place->road.copies = crossing->copies;
}
