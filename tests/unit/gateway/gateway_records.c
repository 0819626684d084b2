#include "common/config/feature.h"
#include "common/planning/compile.h"
#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "services/gateway/service.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"
#include "tests/unit/gateway/shared_store.h"

#include <stdlib.h>

enum { FILE_MAX_BYTES = 64 * 1024 };

/* --- control.v1 --- */

void world_control(const char *writer, const char *key, const Pb__Control *control)
{
    const struct envelope envelope = {
        .id = arena_printf(&w.arena, "%s/%lld", key, (long long)w.clock.now_ms),
        .type = "slipway.v1.Control",
        .source = arena_printf(&w.arena, "/slipway/%s", writer),
        .writer = writer,
        .time_ms = w.clock.now_ms,
    };
    const struct envelope_out out = {
        .topic = TOPIC_CONTROL, .key = key, .message = &control->base, .sign = true
    };
    struct bus_record record;
    struct error error = { 0 };

    assert_int_equal(envelope_seal(&w.arena, &w.keys, &envelope, &out, &record, &error),
                     ERR_OK);
    assert_int_equal(w.ports.bus.publish(w.ports.bus.self, &record, &error), ERR_OK);
}

void world_grant(const char *flag, const char *deployment, unsigned percent, unsigned sequence)
{
    Pb__Control *const control = pb_new(&w.arena, &pb__control__descriptor);
    Pb__FlagValue *const value = pb_new(&w.arena, &pb__flag_value__descriptor);

    value->environment = "production";
    value->flag = arena_text(&w.arena, flag);
    value->deployment = arena_text(&w.arena, deployment);
    value->percent = percent;
    value->sequence = sequence;
    value->audience = "group=staff";
    value->at_ms = w.clock.now_ms;
    control->body_case = PB__CONTROL__BODY_FLAG;
    control->flag = value;
    world_control("coordinator", arena_printf(&w.arena, "flag/production/%s", flag), control);
}

void world_turn(void)
{
    struct error error = { 0 };

    assert_int_equal(gateway_service.turn(w.gateway, &error), ERR_OK);
}

bool world_ready(void)
{
    struct error why = { 0 };

    return gateway_service.ready(w.gateway, &why);
}

/* --- projections --- */

void world_put(const char *key, const void *bytes, size_t length)
{
    struct store store = shared_store(memory_store(w.space, (struct memory_faults){ 0 }), NULL);
    const struct store_op op = { .kind = STORE_SET, .key = key, .value = { bytes, length } };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    assert_int_equal(store.commit(store.self, &batch, &error), ERR_OK);
    store.close(store.self);
}

void world_put_message(const char *key, const void *message)
{
    const struct pb_bytes packed = pb_pack(&w.arena, message);

    world_put(key, packed.bytes, packed.length);
}

/* Digests that would be measured are made up: nothing is applied here. */
static Pb__AcceptanceSignedOff *read_acceptance(void)
{
    static const char zeros[] =
        "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    const char *rest = world_example("deploy/example/feature.yaml");
    struct text yaml = text_new(FILE_MAX_BYTES);
    Pb__AcceptanceSignedOff *acceptance;
    const char *found;

    while ((found = strstr(rest, "digest: auto")) != NULL) {
        text_add_bytes(&yaml, rest, (size_t)(found - rest));
        text_add(&yaml, "digest: %s", zeros);
        rest = found + strlen("digest: auto");
    }
    text_add(&yaml, "%s", rest);
    acceptance =
        feature_read(&w.arena, "feature.yaml", yaml.bytes, yaml.length, NULL, world_problems());
    text_release(&yaml);
    assert_non_null(acceptance);
    return acceptance;
}

static Pb__Plan *compile(const char *id)
{
    Pb__AcceptanceSignedOff *const acceptance = read_acceptance();
    const struct plan_request request = {
        .settings = &w.settings,
        .acceptance = acceptance,
        .approach = "",
    };
    Pb__PlanCompiled *compiled;

    acceptance->feature = projection_feature_of(&w.arena, id);
    compiled = plan_compile(&w.arena, &request);
    assert_non_null(compiled->plan);
    return compiled->plan;
}

static void add_steps(Pb__DeploymentState *state)
{
    for (uint32_t step = 0; step < 8; step++) {
        Pb__StepState *const item = pb_new(&w.arena, &pb__step_state__descriptor);

        item->step = step;
        item->try_number = 1;
        item->began_ms = step <= state->step ? w.clock.now_ms - 60000 : 0;
        item->ended_ms = step < state->step ? w.clock.now_ms - 30000 : 0;
        item->decision = step < state->step ? "GO" : "";
        PB_APPEND(&w.arena, state, steps, item);
    }
}

static uint32_t step_of(Pb__Phase phase)
{
    if (phase >= PB__PHASE__CHECKING && phase <= PB__PHASE__FINALISING)
        return (uint32_t)phase - PB__PHASE__CHECKING + 1;
    return phase < PB__PHASE__CHECKING ? 0 : 4;
}

struct world_deployment world_deployment(const char *id, Pb__Phase phase)
{
    Pb__DeploymentState *const state = pb_new(&w.arena, &pb__deployment_state__descriptor);
    Pb__Plan *const plan = compile(id);

    state->id = arena_text(&w.arena, id);
    state->feature = projection_feature_of(&w.arena, id);
    state->environment = "production";
    state->attempt = (uint32_t)strtoul(strrchr(id, '.') + 1, NULL, 10);
    state->kind = PB__DEPLOYMENT_KIND__FORWARD;
    state->revision = 1;
    state->version = 10;
    state->changed_version = 10;
    state->now_ms = w.clock.now_ms;
    state->created_ms = w.clock.now_ms - 3600000;
    state->phase = phase;
    state->step = step_of(phase);
    state->title = "A button";
    state->approach = "canary";
    state->plan_hash = plan_hash(&w.arena, plan);
    state->cursor = pb_new(&w.arena, &pb__cursor__descriptor);
    state->flags = pb_new(&w.arena, &pb__flags_state__descriptor);
    state->dates = pb_new(&w.arena, &pb__audit_dates__descriptor);
    state->submitted_by = pb_new(&w.arena, &pb__actor__descriptor);
    state->submitted_by->subject = "ci";
    state->waiting_for = pb_new(&w.arena, &pb__waiting_for__descriptor);
    state->waiting_for->kind = "APPROVAL";
    state->waiting_for->sentence = "It waits.";
    PB_APPEND(&w.arena, state->waiting_for, who, "technical-lead");
    PB_APPEND(&w.arena, state, services, "shop");
    add_steps(state);
    return (struct world_deployment){ state, plan };
}

static int32_t partition_of(const Pb__DeploymentState *state)
{
    return bus_partition(state->feature, WORLD_PARTITIONS);
}

static void put_field(const char *hash, const char *field, struct store_value value)
{
    struct store store = shared_store(memory_store(w.space, (struct memory_faults){ 0 }), NULL);
    const struct store_op op = {
        .kind = STORE_HASH_SET, .key = hash, .field = field, .value = value
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    assert_int_equal(store.commit(store.self, &batch, &error), ERR_OK);
    store.close(store.self);
}

void world_put_field(const char *hash, const char *field, const void *message)
{
    const struct pb_bytes packed = pb_pack(&w.arena, message);

    put_field(hash, field, (struct store_value){ (const char *)packed.bytes, packed.length });
}

void world_instance(const char *service, const char *instance, int64_t age_ms)
{
    const char *const said =
        arena_printf(&w.arena,
                     "{\"service\":\"%s\",\"instance\":\"%s\",\"seen_ms\":%lld}",
                     service,
                     instance,
                     (long long)(w.clock.now_ms - age_ms));

    put_field("slipway:instances", instance, (struct store_value){ said, strlen(said) });
}

void world_caught_up(bool has)
{
    const char *const owner = has ? "coordinator-1" : "";

    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        put_field(KEY_LOG(&w.arena, p, "slipway:"),
                  "ready",
                  (struct store_value){ owner, strlen(owner) });
}

void world_member(const char *set, const char *member)
{
    struct store store = shared_store(memory_store(w.space, (struct memory_faults){ 0 }), NULL);
    const struct store_op op = { .kind = STORE_MEMBER_ADD, .key = set, .field = member };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    assert_int_equal(store.commit(store.self, &batch, &error), ERR_OK);
    store.close(store.self);
}

static void put_member(const char *key, const char *member, int64_t score)
{
    struct store store = shared_store(memory_store(w.space, (struct memory_faults){ 0 }), NULL);
    const struct store_op op = {
        .kind = STORE_SORTED_ADD, .key = key, .field = member, .score = score
    };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    assert_int_equal(store.commit(store.self, &batch, &error), ERR_OK);
    store.close(store.self);
}

void world_store(const struct world_deployment *deployment)
{
    Pb__DeploymentState *const state = deployment->state;
    Pb__FeatureState *const feature = pb_new(&w.arena, &pb__feature_state__descriptor);
    const int32_t p = partition_of(state);

    feature->feature = state->feature;
    feature->last = state->id;
    feature->attempts = state->attempt;
    world_put_message(KEY_DEPLOYMENT(&w.arena, p, "slipway:", state->id), state);
    world_put_message(KEY_PLAN(&w.arena, p, "slipway:", state->plan_hash), deployment->plan);
    world_put_message(KEY_FEATURE(&w.arena, p, "slipway:", state->feature), feature);
    put_member(state->phase >= PB__PHASE__COMPLETED ? KEY_DONE(&w.arena, p, "slipway:")
                                                    : KEY_LIVE(&w.arena, p, "slipway:"),
               state->id,
               keys_listed_at(state->now_ms, state->version));
}

void world_entry(const struct world_deployment *deployment,
                 uint64_t version,
                 const char *type,
                 const char *text,
                 Pb__Finding *finding)
{
    const Pb__DeploymentState *const state = deployment->state;
    Pb__TimelineEntry entry = PB__TIMELINE_ENTRY__INIT;

    entry.deployment = state->id;
    entry.version = version;
    entry.at_ms = w.clock.now_ms;
    entry.type = type;
    entry.actor = "coordinator";
    entry.step = state->step;
    entry.try_number = 1;
    entry.text = text;
    entry.finding = finding;
    entry.event_id = arena_printf(&w.arena, "event-%llu", (unsigned long long)version);
    world_put_field(KEY_TIMELINE(&w.arena, partition_of(state), "slipway:", state->id),
                    arena_printf(&w.arena, "%010llu.0000", (unsigned long long)version),
                    &entry);
}

struct world_deployment world_rolling_out(void)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__ROLLING_OUT);
    Pb__Applied *const applied = pb_new(&w.arena, &pb__applied__descriptor);

    PB_APPEND(&w.arena, deployment.state, applied, applied);
    PB_APPEND(&w.arena, deployment.state->dates, activation_ms, w.clock.now_ms - 2000);
    PB_APPEND(&w.arena, deployment.state->dates, activation_ms, w.clock.now_ms - 1000);
    deployment.state->flags->percent = 10;
    deployment.state->cursor->stage = 1;
    deployment.state->cursor->sub = PB__SUB__SUB_WATCH;
    deployment.state->samples = 12;
    world_store(&deployment);
    return deployment;
}

/* --- what was sent --- */

size_t world_sent_count(const char *topic)
{
    size_t count = 0;

    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        for (int64_t i = 0; memory_broker_record(w.broker, topic, p, i) != NULL; i++)
            count++;
    }
    return count;
}

const struct bus_record *world_record(const char *topic)
{
    const struct bus_record *newest = NULL;

    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        const struct bus_record *record;

        for (int64_t i = 0; (record = memory_broker_record(w.broker, topic, p, i)) != NULL;
             i++) {
            if (newest == NULL || record->at_ms >= newest->at_ms)
                newest = record;
        }
    }
    assert_non_null(newest);
    return newest;
}

void *world_sent(const char *topic, const ProtobufCMessageDescriptor *type)
{
    const struct bus_record *const record = world_record(topic);
    struct error error = { 0 };
    void *message = NULL;

    assert_int_equal(pb_unpack(&w.arena,
                               type,
                               (struct pb_bytes){ record->bytes, record->length },
                               &message,
                               &error),
                     ERR_OK);
    return message;
}
