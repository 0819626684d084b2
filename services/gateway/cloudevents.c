/* CloudEvents over HTTP: binary, structured and batch mode, each carrying an acceptance or its
 * withdrawal. All events of a batch are read before the first is sent. */
#include "services/gateway/resources.h"

#include "common/base/base64.h"
#include "common/base/json.h"
#include "common/config/feature.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <jansson.h>

#include <string.h>
#include <strings.h>

enum { ACCEPTED = 202, BATCH_MAX = 100, ID_MAX = 256 };

static const char *const submitters[] = { "submitter", "release-engineer", NULL };

/* The attributes that matter here. NULL: absent. */
struct cloudevent {
    const char *id;
    const char *source;
    const char *type;
    const char *specversion;
    const char *datacontenttype;
};

/* What will be sent for one event. */
struct outgoing {
    const char *id;
    const char *feature;
    Pb__Acceptance *record;
};

static bool refuse(struct gateway_call *call, const char *field, const char *detail)
{
    call_problem(call,
                 &(struct problem){ .code = "invalid", .field = field, .detail = detail });
    return false;
}

static bool is_media(const char *type, const char *wanted)
{
    const size_t length = strcspn(type, "; ");

    return length == strlen(wanted) && strncasecmp(type, wanted, length) == 0;
}

/* --- attributes --- */

/* NULL if it is none of ours, or there is none. */
static const ProtobufCMessageDescriptor *message_of(const char *type)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &pb__acceptance_signed_off__descriptor,
        &pb__acceptance_withdrawn__descriptor,
        &pb__acceptance__descriptor,
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (type != NULL && strcmp(types[i]->name, type) == 0)
            return types[i];
    }
    return NULL;
}

static bool check_attributes(struct gateway_call *call, const struct cloudevent *event)
{
    if (event->specversion == NULL || strcmp(event->specversion, "1.0") != 0)
        return refuse(call, "specversion", "specversion must be 1.0");
    if (event->id == NULL || event->id[0] == '\0' || strlen(event->id) > ID_MAX)
        return refuse(call, "id", "id must be a text of 1 to 256 bytes");
    if (event->source == NULL || event->source[0] == '\0' || strlen(event->source) > ID_MAX)
        return refuse(call, "source", "source must be a text of 1 to 256 bytes");
    if (message_of(event->type) == NULL)
        return refuse(call,
                      "type",
                      "type must be slipway.v1.AcceptanceSignedOff or "
                      "slipway.v1.AcceptanceWithdrawn");
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A header's value: out of its quotes, then one round of percent-decoding. NULL if what comes
 * out is no text. */
static const char *decoded(struct arena *arena, const char *value)
{
    const bool quoted = value[0] == '"';
    char *const text = arena_alloc(arena, strlen(value) + 1);
    size_t length = 0;

    for (const char *c = quoted ? value + 1 : value; *c != '\0' && !(quoted && *c == '"');
         c++) {
        if (quoted && *c == '\\' && c[1] != '\0')
            c++;
        if (*c == '%') {
            const int high = hex_digit(c[1]);
            const int low = high >= 0 ? hex_digit(c[2]) : -1;

            if (low < 0 || high + low == 0)
                return NULL;
            text[length++] = (char)(high * 16 + low);
            c += 2;
        } else {
            text[length++] = *c;
        }
    }
    return text_is_utf8(text) ? text : NULL;
}

/* "" if the header is not text, so that the attribute is refused by name. */
static const char *attribute(struct gateway_call *call, const char *name)
{
    const char *const value = call_header(call, name);
    const char *const text = value != NULL ? decoded(call->arena, value) : NULL;

    return value != NULL && text == NULL ? "" : text;
}

/* --- data --- */

/* The same source and id is the same event, however often it is sent. */
static const char *record_id(struct gateway_call *call, const struct cloudevent *event)
{
    return arena_printf(call->arena, "%s#%s", event->source, event->id);
}

static bool take_signed_off(struct gateway_call *call,
                            Pb__AcceptanceSignedOff *acceptance,
                            struct outgoing *ret)
{
    Pb__Actor *const actor = pb_clone(call->arena, call->actor);
    struct error error = { 0 };
    const char *field = "";

    if (acceptance_check(call->arena, acceptance, &field, &error) != ERR_OK)
        return refuse(call, field, error.text);
    actor->via = "gateway";
    acceptance->submitted_by = actor;
    ret->feature = acceptance->feature;
    ret->record->body_case = PB__ACCEPTANCE__BODY_SIGNED_OFF;
    ret->record->signed_off = acceptance;
    return true;
}

static bool take_withdrawn(struct gateway_call *call,
                           Pb__AcceptanceWithdrawn *withdrawn,
                           struct outgoing *ret)
{
    if (withdrawn->feature[0] == '\0')
        return refuse(call, "feature", "feature is missing");
    withdrawn->actor = pb_clone(call->arena, call->actor);
    withdrawn->actor->via = "gateway";
    ret->feature = withdrawn->feature;
    ret->record->body_case = PB__ACCEPTANCE__BODY_WITHDRAWN;
    ret->record->withdrawn = withdrawn;
    return true;
}

static bool take_data(struct gateway_call *call,
                      const struct cloudevent *event,
                      void *data,
                      struct outgoing *ret)
{
    const ProtobufCMessageDescriptor *const type = message_of(event->type);
    Pb__Acceptance *either;

    ret->id = record_id(call, event);
    ret->record = pb_new(call->arena, &pb__acceptance__descriptor);
    if (type == &pb__acceptance_signed_off__descriptor)
        return take_signed_off(call, data, ret);
    if (type == &pb__acceptance_withdrawn__descriptor)
        return take_withdrawn(call, data, ret);
    either = data;
    if (either->body_case == PB__ACCEPTANCE__BODY_SIGNED_OFF)
        return take_signed_off(call, either->signed_off, ret);
    if (either->body_case == PB__ACCEPTANCE__BODY_WITHDRAWN)
        return take_withdrawn(call, either->withdrawn, ret);
    return refuse(call, "data", "data must hold signed_off or withdrawn");
}

static bool read_bytes(struct gateway_call *call,
                       const struct cloudevent *event,
                       struct pb_bytes bytes,
                       struct outgoing *ret)
{
    const char *const type = event->datacontenttype;
    struct error error = { 0 };
    void *data = NULL;
    enum err err;

    if (is_media(type, "application/json"))
        err = pbjson_parse(call->arena,
                           message_of(event->type),
                           (const char *)bytes.bytes,
                           bytes.length,
                           &data,
                           &error);
    else if (is_media(type, "application/protobuf") || is_media(type, "application/x-protobuf"))
        err = pb_unpack(call->arena, message_of(event->type), bytes, &data, &error);
    else
        return refuse(
            call, "datacontenttype", "data must be application/json or application/protobuf");
    return err == ERR_OK ? take_data(call, event, data, ret) : refuse(call, "data", error.text);
}

/* --- the modes --- */

static bool binary_event(struct gateway_call *call, const char *type, struct outgoing *ret)
{
    const struct cloudevent event = {
        .id = attribute(call, "ce-id"),
        .source = attribute(call, "ce-source"),
        .type = attribute(call, "ce-type"),
        .specversion = attribute(call, "ce-specversion"),
        .datacontenttype = type,
    };

    return check_attributes(call, &event) && read_bytes(call, &event, call->body, ret);
}

static bool base64_data(struct gateway_call *call,
                        const struct cloudevent *event,
                        const json_t *text,
                        struct outgoing *ret)
{
    size_t length = 0;
    const uint8_t *const bytes =
        json_is_string(text)
            ? base64_read(
                  call->arena, json_string_value(text), json_string_length(text), &length)
            : NULL;

    if (bytes == NULL)
        return refuse(call, "data_base64", "data_base64 is no base64");
    return read_bytes(call, event, (struct pb_bytes){ bytes, length }, ret);
}

/* A null attribute is one that is not there. */
static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static bool structured_event(struct gateway_call *call, json_t *object, struct outgoing *ret)
{
    const char *const content_type = member(object, "datacontenttype");
    const struct cloudevent event = {
        .id = member(object, "id"),
        .source = member(object, "source"),
        .type = member(object, "type"),
        .specversion = member(object, "specversion"),
        .datacontenttype = content_type != NULL ? content_type : "application/json",
    };
    json_t *const content = json_object_get(object, "data");
    json_t *const base64 = json_object_get(object, "data_base64");
    struct error error = { 0 };
    void *data = NULL;

    if (!check_attributes(call, &event))
        return false;
    if (base64 != NULL && content != NULL)
        return refuse(call, "data_base64", "data and data_base64 exclude each other");
    if (base64 != NULL)
        return base64_data(call, &event, base64, ret);
    if (!is_media(event.datacontenttype, "application/json") || !json_is_object(content))
        return refuse(call, "data", "data must be a JSON object; other data is data_base64");
    if (pbjson_read(call->arena, message_of(event.type), content, "data", &data, &error) !=
        ERR_OK)
        return refuse(call, "data", error.text);
    return take_data(call, &event, data, ret);
}

static bool batch_events(struct gateway_call *call,
                         json_t *root,
                         struct outgoing *ret,
                         size_t *ret_count)
{
    if (!json_is_array(root) || json_array_size(root) > BATCH_MAX)
        return refuse(call, "", "a batch is a list of at most 100 events");
    for (size_t i = 0; i < json_array_size(root); i++) {
        if (!structured_event(call, json_array_get(root, i), &ret[i]))
            return false;
    }
    *ret_count = json_array_size(root);
    return true;
}

static bool json_events(struct gateway_call *call,
                        bool batch,
                        struct outgoing *ret,
                        size_t *ret_count)
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
    *ret_count = 1;
    ok = batch ? batch_events(call, root, ret, ret_count) : structured_event(call, root, ret);
    json_decref(root);
    return ok;
}

/* Which mode it is says the content type. */
static bool read_events(struct gateway_call *call, struct outgoing *ret, size_t *ret_count)
{
    const char *type = call_header(call, "content-type");

    if (type == NULL)
        type = "application/protobuf";
    if (is_media(type, "application/cloudevents-batch+json"))
        return json_events(call, true, ret, ret_count);
    if (is_media(type, "application/cloudevents+json"))
        return json_events(call, false, ret, ret_count);
    *ret_count = 1;
    if (is_media(type, "application/json") || is_media(type, "application/protobuf") ||
        is_media(type, "application/x-protobuf"))
        return binary_event(call, type, ret);
    call_problem(call,
                 &(struct problem){ .code = "wrong-type",
                                    .detail = "send a CloudEvent: JSON or protobuf data" });
    return false;
}

static bool send_events(struct gateway_call *call, const struct outgoing *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct gateway_record record = {
            .topic = TOPIC_ACCEPTANCE,
            .key = events[i].feature,
            .id = events[i].id,
            .type = "slipway.v1.Acceptance",
            .subject = events[i].feature,
            .message = events[i].record,
        };

        if (!call_publish(call, &record))
            return false;
    }
    return true;
}

void post_cloudevent(struct gateway_call *call)
{
    struct outgoing *const events =
        arena_alloc(call->arena, BATCH_MAX * sizeof(struct outgoing));
    size_t count = 0;
    struct json json;

    if (!call_has_role(call, submitters) || !read_events(call, events, &count) ||
        !send_events(call, events, count))
        return;
    json = call_json(call);
    call->status = ACCEPTED;
    json_put_object(&json, NULL);
    json_put_uint(&json, "events", count);
    json_put_array(&json, "ids");
    for (size_t i = 0; i < count; i++)
        json_put_text(&json, NULL, events[i].id);
    json_end_array(&json);
    json_end_object(&json);
}
