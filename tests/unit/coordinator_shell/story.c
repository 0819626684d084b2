#include "tests/unit/coordinator_shell/story.h"

#include "common/state/keys.h"
#include "common/state/projection.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP_MS = 250, PARTITIONS = 2 };

static bool do_task(void *self, const Pb__Command *command, Pb__TaskFinished *ret)
{
    const struct story *const story = self;
    const char *const step = strchr(command->task, '/') + 1;

    if (story->silent_from != 0 && strtoul(step, NULL, 10) >= story->silent_from)
        return false;
    ret->outcome = PB__OUTCOME__OUTCOME_OK;
    return true;
}

void story_open(struct story *story)
{
    memset(story, 0, sizeof *story);
    story->settings.kafka.partitions = PARTITIONS;
    story->settings.kafka.manage_topics = true;
    story->settings.redis.prefix = "slipway:";
    story->settings.gateway.public_url = "https://slipway.example/";
    cluster_open(&story->cluster, &story->settings);
    story->hands =
        (struct hands){ .cluster = &story->cluster, .answer = do_task, .self = story };
    story->cluster.beside = hands_turn;
    story->cluster.beside_self = &story->hands;
}

void story_close(struct story *story)
{
    cluster_close(&story->cluster);
}

void story_start(struct story *story)
{
    story->coordinator = cluster_start(&story->cluster, coordinator_service(), "coordinator-1");
    assert_true(cluster_settle(&story->cluster));
}

void story_pass(struct story *story, int64_t ms)
{
    while (ms > 0) {
        const int64_t step_ms = ms < STEP_MS ? ms : STEP_MS;

        memory_clock_advance(&story->cluster.clock, step_ms);
        assert_true(cluster_settle(&story->cluster));
        ms -= step_ms;
    }
}

void story_accept(struct story *story, const char *feature, const char *title)
{
    struct arena *const arena = &story->cluster.arena;
    Pb__AcceptanceSignedOff *const acceptance =
        pb_new(arena, &pb__acceptance_signed_off__descriptor);

    acceptance->feature = feature;
    acceptance->title = title;
    acceptance->environment = "production";
    PB_APPEND(arena, acceptance, services, "shop");
    cluster_publish(&story->cluster,
                    &(struct cluster_record){
                        .topic = "acceptance.v1",
                        .key = feature,
                        .id = arena_printf(arena, "ci-%s-%s", feature, title),
                        .message = &acceptance->base,
                    });
}

Pb__Event *story_event(struct story *story, const char *feature, const char *deployment)
{
    Pb__Event *const event = pb_new(&story->cluster.arena, &pb__event__descriptor);

    event->feature = feature;
    event->deployment = deployment;
    return event;
}

void story_tell(struct story *story, const char *writer, const char *id, Pb__Event *event)
{
    cluster_publish(&story->cluster,
                    &(struct cluster_record){
                        .topic = "events.v1",
                        .key = event->feature,
                        .writer = writer,
                        .id = id,
                        .message = &event->base,
                    });
}

void story_request(struct story *story, const char *deployment, bool abort_it)
{
    struct arena *const arena = &story->cluster.arena;
    Pb__Event *const event =
        story_event(story, projection_feature_of(arena, deployment), deployment);
    Pb__OperatorRequest *const request = pb_new(arena, &pb__operator_request__descriptor);

    request->request = arena_printf(arena, "r%u", ++story->requests);
    if (abort_it) {
        request->body_case = PB__OPERATOR_REQUEST__BODY_ABORT;
        request->abort = pb_new(arena, &pb__abort__descriptor);
    } else {
        request->body_case = PB__OPERATOR_REQUEST__BODY_PAUSE;
        request->pause = pb_new(arena, &pb__pause__descriptor);
    }
    event->body_case = PB__EVENT__BODY_REQUEST;
    event->request = request;
    story_tell(story, "gateway", request->request, event);
}

int32_t story_partition(const struct story *story, const char *feature)
{
    (void)story;
    return bus_partition(feature, PARTITIONS);
}

struct store_value story_state(struct story *story, const char *deployment)
{
    struct arena *const arena = &story->cluster.arena;
    const char *const feature = projection_feature_of(arena, deployment);
    const char *const key = KEY_DEPLOYMENT(
        arena, story_partition(story, feature), story->settings.redis.prefix, deployment);
    struct store_value value = { 0 };
    struct error error = { 0 };

    assert_int_equal(
        story->cluster.store.get(story->cluster.store.self, arena, key, &value, &error),
        ERR_OK);
    return value;
}

Pb__DeploymentState *story_unpack(struct story *story, const char *deployment)
{
    const struct store_value value = story_state(story, deployment);
    struct error error = { 0 };
    void *state = NULL;

    assert_non_null(value.bytes);
    assert_int_equal(pb_unpack(&story->cluster.arena,
                               &pb__deployment_state__descriptor,
                               (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                               &state,
                               &error),
                     ERR_OK);
    return state;
}

static const Pb__Event *event_of(struct story *story, const struct bus_record *record)
{
    struct error error = { 0 };
    void *event = NULL;

    if (pb_unpack(&story->cluster.arena,
                  &pb__event__descriptor,
                  (struct pb_bytes){ record->bytes, record->length },
                  &event,
                  &error) != ERR_OK)
        return NULL;
    return event;
}

/* The name of the body: the oneof's field. */
static const char *said(struct story *story, const struct bus_record *record)
{
    const Pb__Event *event;

    if (strcmp(record->topic, "events.v1") != 0)
        return bus_header(record, "ce_type");
    event = event_of(story, record);
    for (unsigned i = 0; event != NULL && i < event->base.descriptor->n_fields; i++) {
        if (event->base.descriptor->fields[i].id == (uint32_t)event->body_case)
            return event->base.descriptor->fields[i].name;
    }
    return "(unreadable)";
}

const char *story_topic(struct story *story, const char *topic)
{
    const char *lines = "";

    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct bus_record *record;

        for (int64_t o = 0;
             (record = memory_broker_record(story->cluster.broker, topic, p, o)) != NULL;
             o++) {
            const char *const id = bus_header(record, "ce_id");
            const bool genesis = strcmp(said(story, record), "genesis") == 0;

            lines = arena_printf(&story->cluster.arena,
                                 "%s%s %s\n",
                                 lines,
                                 said(story, record),
                                 genesis ? "-" : id);
        }
    }
    return lines;
}

unsigned story_count(struct story *story, Pb__Event__BodyCase body)
{
    unsigned count = 0;

    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct bus_record *record;

        for (int64_t o = 0;
             (record = memory_broker_record(story->cluster.broker, "events.v1", p, o)) != NULL;
             o++) {
            const Pb__Event *const event = event_of(story, record);

            count += event != NULL && event->body_case == body;
        }
    }
    return count;
}

static bool id_is_new(struct story *story, const char *topic, int32_t partition, int64_t offset)
{
    const char *const id = bus_header(
        memory_broker_record(story->cluster.broker, topic, partition, offset), "ce_id");

    for (int64_t o = 0; o < offset; o++) {
        const char *const other = bus_header(
            memory_broker_record(story->cluster.broker, topic, partition, o), "ce_id");

        if (strcmp(id, other) == 0)
            return false;
    }
    return true;
}

void story_ids(struct story *story, const char *topic, unsigned *ret_records, unsigned *ret_ids)
{
    *ret_records = *ret_ids = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        for (int64_t o = 0; memory_broker_record(story->cluster.broker, topic, p, o) != NULL;
             o++) {
            ++*ret_records;
            *ret_ids += id_is_new(story, topic, p, o);
        }
    }
}

const char *story_not_ready(struct story *story, struct cluster_instance *instance)
{
    struct error why = { 0 };

    if (instance->spec->ready(instance->state, &why))
        return "";
    return arena_text(&story->cluster.arena, why.text);
}
