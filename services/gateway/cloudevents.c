/* CloudEvents over HTTP: binary, structured and batch mode, each carrying an acceptance. */
#include "services/gateway/resources.h"

#include "common/config/feature.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <jansson.h>

#include <string.h>

enum { ACCEPTED = 202, BATCH_MAX = 100, ID_MAX = 256 };

static const char *const submitters[] = { "submitter", "release-engineer", NULL };

/* The attributes that matter here. */
struct cloudevent {
    const char *id;
    const char *source;
    const char *type;
    const char *specversion;
};

static bool refuse(struct gateway_call *call, const char *field, const char *detail)
{
    call_problem(call,
                 &(struct problem){ .code = "invalid", .field = field, .detail = detail });
    return false;
}

static bool check_attributes(struct gateway_call *call, const struct cloudevent *event)
{
    if (event->specversion == NULL || strcmp(event->specversion, "1.0") != 0)
        return refuse(call, "specversion", "specversion must be 1.0");
    if (event->id == NULL || event->id[0] == '\0' || strlen(event->id) > ID_MAX)
        return refuse(call, "id", "id must be a text of 1 to 256 bytes");
    if (event->source == NULL || event->source[0] == '\0')
        return refuse(call, "source", "source is missing");
    if (event->type == NULL)
        return refuse(call, "type", "type is missing");
    if (strcmp(event->type, "slipway.v1.AcceptanceSignedOff") != 0 &&
        strcmp(event->type, "slipway.v1.AcceptanceWithdrawn") != 0)
        return refuse(call,
                      "type",
                      "type must be slipway.v1.AcceptanceSignedOff or "
                      "slipway.v1.AcceptanceWithdrawn");
    return true;
}

/* The same source and id is the same event, however often it is sent. */
static const char *record_id(struct gateway_call *call, const struct cloudevent *event)
{
    return arena_printf(call->arena, "%s#%s", event->source, event->id);
}

static bool send_record(struct gateway_call *call,
                        const struct cloudevent *event,
                        const char *feature,
                        const Pb__Acceptance *record)
{
    return call_publish(call,
                        &(struct gateway_record){ .topic = TOPIC_ACCEPTANCE,
                                                  .key = feature,
                                                  .id = record_id(call, event),
                                                  .type = "slipway.v1.Acceptance",
                                                  .subject = feature,
                                                  .message = record });
}

static bool send_signed_off(struct gateway_call *call,
                            const struct cloudevent *event,
                            Pb__AcceptanceSignedOff *acceptance)
{
    Pb__Acceptance *const record = pb_new(call->arena, &pb__acceptance__descriptor);
    Pb__Actor *const actor = pb_clone(call->arena, call->actor);
    struct error error = { 0 };
    const char *field = "";

    if (acceptance_check(call->arena, acceptance, &field, &error) != ERR_OK)
        return refuse(call, field, error.text);
    actor->via = "gateway";
    acceptance->submitted_by = actor;
    record->body_case = PB__ACCEPTANCE__BODY_SIGNED_OFF;
    record->signed_off = acceptance;
    return send_record(call, event, acceptance->feature, record);
}

static bool send_withdrawn(struct gateway_call *call,
                           const struct cloudevent *event,
                           Pb__AcceptanceWithdrawn *withdrawn)
{
    Pb__Acceptance *const record = pb_new(call->arena, &pb__acceptance__descriptor);

    if (withdrawn->feature[0] == '\0')
        return refuse(call, "feature", "feature is missing");
    withdrawn->actor = pb_clone(call->arena, call->actor);
    record->body_case = PB__ACCEPTANCE__BODY_WITHDRAWN;
    record->withdrawn = withdrawn;
    return send_record(call, event, withdrawn->feature, record);
}

static const ProtobufCMessageDescriptor *type_of(const struct cloudevent *event)
{
    return strstr(event->type, "Withdrawn") != NULL ? &pb__acceptance_withdrawn__descriptor
                                                    : &pb__acceptance_signed_off__descriptor;
}

static bool send_event(struct gateway_call *call, const struct cloudevent *event, void *data)
{
    return type_of(event) == &pb__acceptance_withdrawn__descriptor
               ? send_withdrawn(call, event, data)
               : send_signed_off(call, event, data);
}

/* --- the three modes --- */

static bool binary_event(struct gateway_call *call, const char *content_type)
{
    const struct cloudevent event = {
        .id = call_header(call, "ce-id"),
        .source = call_header(call, "ce-source"),
        .type = call_header(call, "ce-type"),
        .specversion = call_header(call, "ce-specversion"),
    };
    const bool json = strncmp(content_type, "application/json", 16) == 0;
    struct error error = { 0 };
    void *data = NULL;
    enum err err;

    if (!check_attributes(call, &event))
        return false;
    if (json)
        err = pbjson_parse(call->arena,
                           type_of(&event),
                           (const char *)call->body.bytes,
                           call->body.length,
                           &data,
                           &error);
    else
        err = pb_unpack(call->arena, type_of(&event), call->body, &data, &error);
    return err == ERR_OK ? send_event(call, &event, data) : refuse(call, "data", error.text);
}

static bool structured_event(struct gateway_call *call, json_t *object)
{
    const struct cloudevent event = {
        .id = json_string_value(json_object_get(object, "id")),
        .source = json_string_value(json_object_get(object, "source")),
        .type = json_string_value(json_object_get(object, "type")),
        .specversion = json_string_value(json_object_get(object, "specversion")),
    };
    json_t *const content = json_object_get(object, "data");
    struct error error = { 0 };
    void *data = NULL;

    if (!check_attributes(call, &event))
        return false;
    if (!json_is_object(content))
        return refuse(call, "data", "data must be an object");
    if (pbjson_read(call->arena, type_of(&event), content, "data", &data, &error) != ERR_OK)
        return refuse(call, "data", error.text);
    return send_event(call, &event, data);
}

static bool batch_events(struct gateway_call *call, json_t *root)
{
    size_t i;
    json_t *object;

    if (!json_is_array(root) || json_array_size(root) > BATCH_MAX)
        return refuse(call, "", "a batch is a list of at most 100 events");
    json_array_foreach(root, i, object)
    {
        if (!structured_event(call, object))
            return false;
    }
    return true;
}

static bool json_events(struct gateway_call *call, bool batch)
{
    json_error_t reason;
    json_t *const root = json_loadb(
        (const char *)call->body.bytes, call->body.length, JSON_REJECT_DUPLICATES, &reason);
    bool ok;

    if (root == NULL) {
        call_problem(
            call,
            &(struct problem){
                .code = "malformed",
                .detail = arena_printf(call->arena, "line %d: %s", reason.line, reason.text) });
        return false;
    }
    ok = batch ? batch_events(call, root) : structured_event(call, root);
    json_decref(root);
    return ok;
}

void post_cloudevent(struct gateway_call *call)
{
    const char *type = call_header(call, "content-type");
    bool ok;

    if (!call_has_role(call, submitters))
        return;
    if (type == NULL)
        type = "application/protobuf";
    /* The longer name first: it begins with the shorter one. */
    if (strncmp(type, "application/cloudevents-batch+json", 34) == 0) {
        ok = json_events(call, true);
    } else if (strncmp(type, "application/cloudevents+json", 28) == 0) {
        ok = json_events(call, false);
    } else if (strncmp(type, "application/json", 16) == 0 ||
               strncmp(type, "application/protobuf", 20) == 0) {
        ok = binary_event(call, type);
    } else {
        call_problem(call,
                     &(struct problem){ .code = "wrong-type",
                                        .detail = "send a CloudEvent: JSON or protobuf data" });
        return;
    }
    if (!ok)
        return;
    text_reset(&call->out);
    call->status = ACCEPTED;
    call->content_type = "application/json";
    text_add(&call->out, "{}");
}
