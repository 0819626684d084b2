/* Any bytes on acceptance.v1, events.v1 and control.v1, also well signed: a coordinator with a
 * deployment under way goes on, and hears the next request. Run from the repository's root. */
#include "common/state/projection.h"
#include "tests/scenario/coordinator/stage.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first byte says: where to, and who signs. */
static const struct {
    const char *topic;
    const char *writer;
    const char *type;
} ways[] = {
    { "events.v1", "coordinator", "slipway.v1.Event" },
    { "events.v1", "gateway", "slipway.v1.Event" },
    { "events.v1", "monitor", "slipway.v1.Event" },
    { "events.v1", "executor", "slipway.v1.Event" },
    { "events.v1", NULL, "slipway.v1.Event" },
    { "control.v1", "coordinator", "slipway.v1.Control" },
    { "control.v1", "gateway", "slipway.v1.Control" },
    { "acceptance.v1", NULL, "slipway.v1.AcceptanceSignedOff" },
    { "acceptance.v1", NULL, "slipway.v1.AcceptanceWithdrawn" },
    { "acceptance.v1", NULL, "slipway.v1.Acceptance" },
};

/* The key that makes the record reach somebody. */
static const char *key_of(struct arena *arena,
                          const char *topic,
                          const uint8_t *data,
                          size_t size)
{
    struct error error = { 0 };
    void *unpacked = NULL;
    const Pb__Event *event;

    if (strcmp(topic, "events.v1") != 0 || pb_unpack(arena,
                                                     &pb__event__descriptor,
                                                     (struct pb_bytes){ data, size },
                                                     &unpacked,
                                                     &error) != ERR_OK)
        return STAGE_FEATURE;
    event = unpacked;
    if (!pb_same(event->deployment, ""))
        return projection_feature_of(arena, event->deployment);
    if (event->body_case == PB__EVENT__BODY_LANE_REQUESTED)
        return arena_printf(arena, "lane/%s", event->lane_requested->lane);
    if (event->body_case == PB__EVENT__BODY_LANE_RELEASED)
        return arena_printf(arena, "lane/%s", event->lane_released->lane);
    return event->feature;
}

static const uint8_t *mac_key(const struct stage *stage, const char *writer)
{
    for (size_t i = 0; i < stage->cluster.keys.count; i++) {
        if (strcmp(stage->cluster.keys.item[i].writer, writer) == 0)
            return stage->cluster.keys.item[i].key;
    }
    abort();
}

/* As envelope_seal would, but over bytes that need not be a message. */
static void publish(struct stage *stage, size_t way, const uint8_t *data, size_t size)
{
    struct bus_record record = {
        .topic = ways[way].topic,
        .partition = BUS_PARTITION_BY_KEY,
        .key = key_of(&stage->cluster.arena, ways[way].topic, data, size),
        .bytes = data,
        .length = size,
        .headers = { { "ce_specversion", "1.0" },
                     { "ce_id", "fuzz" },
                     { "ce_type", ways[way].type },
                     { "ce_source", "/fuzz" } },
        .header_count = 4,
    };
    const char *const writer = ways[way].writer;
    char mac[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    if (writer != NULL) {
        const struct digest_piece pieces[] = {
            { record.topic, strlen(record.topic) },
            { record.key, strlen(record.key) },
            { "fuzz", strlen("fuzz") },
            { ways[way].type, strlen(ways[way].type) },
            { writer, strlen(writer) },
            { data, size },
        };

        digest_hmac(mac_key(stage, writer), 32, pieces, 6, mac);
        record.headers[record.header_count++] = (struct bus_header){ "ce_writer", writer };
        record.headers[record.header_count++] = (struct bus_header){ "ce_mac", mac };
    }
    if (stage->cluster.bus.publish(stage->cluster.bus.self, &record, &error) != ERR_OK)
        abort();
}

static void must_be_well(struct stage *stage)
{
    struct error why = { 0 };

    if (!cluster_settle(&stage->cluster) ||
        !coordinator_service()->ready(stage->coordinator->state, &why)) {
        print_error("%s\n%s", why.text, memory_log_text(stage->cluster.log));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage stage;
    Pb__OperatorRequest *request;
    uint64_t heard;

    if (size < 1)
        return 0;
    if (stage.settings == NULL)
        stage_open(&stage);
    else
        stage_again(&stage);
    stage.silent_at = "apply 1.0";
    stage_start(&stage);
    stage_accept(&stage);
    must_be_well(&stage);
    stage.cluster.beside = NULL; /* Who listens there may believe what is signed. */
    publish(&stage, data[0] % (sizeof ways / sizeof ways[0]), data + 1, size - 1);
    must_be_well(&stage);
    heard = cluster_activity(&stage.cluster);
    request = stage_request_new(&stage);
    request->body_case = PB__OPERATOR_REQUEST__BODY_PAUSE;
    request->pause = pb_new(&stage.cluster.arena, &pb__pause__descriptor);
    stage_request(&stage, request);
    must_be_well(&stage);
    /* The request itself, and what came of it. */
    if (cluster_activity(&stage.cluster) < heard + 2)
        abort();
    return 0;
}
