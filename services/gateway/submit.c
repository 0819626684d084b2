/* "Acceptance signed off" over HTTP: feature.yaml, JSON, or a CloudEvent of any mode. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/config/feature.h"
#include "common/planning/compile.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"

#include <string.h>

enum { ACCEPTED = 202 };

static const char *const submitters[] = { "submitter", "release-engineer", NULL };

static bool is_type(const struct gateway_call *call, const char *media_type)
{
    const char *const type = call_header(call, "content-type");

    return type != NULL && strncmp(type, media_type, strlen(media_type)) == 0;
}

/* --- reading --- */

static void write_problems(struct json *json, const struct yaml_problems *problems)
{
    json_put_array(json, "errors");
    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];

        json_put_object(json, NULL);
        json_put_int(json, "line", problem->line);
        json_put_int(json, "column", problem->column);
        json_put_text(json, "field", problem->field);
        json_put_text(json, "found", problem->message);
        json_put_text(json, "expected", problem->expected);
        json_put_bool(json, "warning", problem->warning);
        json_end_object(json);
    }
    json_end_array(json);
}

static void answer_problems(struct gateway_call *call, const struct yaml_problems *problems)
{
    struct text more = text_new(256 * 1024);
    struct json json = json_into(&more);
    struct problem problem = { .code = "malformed" };

    write_problems(&json, problems);
    problem.detail = arena_printf(call->arena, "%zu errors", problems->errors);
    problem.more = arena_text(call->arena, more.bytes);
    text_release(&more);
    call_problem(call, &problem);
}

static Pb__AcceptanceSignedOff *read_yaml(struct gateway_call *call)
{
    struct yaml_problems *const problems = arena_alloc(call->arena, sizeof *problems);
    Pb__AcceptanceSignedOff *acceptance;

    problems->arena = call->arena;
    acceptance = feature_read(call->arena,
                              "feature.yaml",
                              (const char *)call->body.bytes,
                              call->body.length,
                              NULL,
                              problems);
    if (acceptance == NULL)
        answer_problems(call, problems);
    return acceptance;
}

static Pb__AcceptanceSignedOff *read_json(struct gateway_call *call, struct pb_bytes body)
{
    struct error error = { 0 };
    void *message = NULL;

    if (pbjson_parse(call->arena,
                     &pb__acceptance_signed_off__descriptor,
                     (const char *)body.bytes,
                     body.length,
                     &message,
                     &error) == ERR_OK)
        return message;
    call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
    return NULL;
}

static Pb__AcceptanceSignedOff *read_protobuf(struct gateway_call *call, struct pb_bytes body)
{
    struct error error = { 0 };
    void *message = NULL;

    if (pb_unpack(
            call->arena, &pb__acceptance_signed_off__descriptor, body, &message, &error) ==
        ERR_OK)
        return message;
    call_problem(call, &(struct problem){ .code = "malformed", .detail = error.text });
    return NULL;
}

/* --- checking and sending --- */

static bool check_acceptance(struct gateway_call *call,
                             const Pb__AcceptanceSignedOff *acceptance)
{
    struct error error = { 0 };
    const char *field = "";

    if (acceptance_check(call->arena, acceptance, &field, &error) == ERR_OK)
        return true;
    call_problem(call,
                 &(struct problem){ .code = "invalid", .field = field, .detail = error.text });
    return false;
}

/* What would become of it: the plan, or what is missing. */
static void answer_dry_run(struct gateway_call *call, const Pb__AcceptanceSignedOff *acceptance)
{
    const struct plan_request request = {
        .settings = call->gateway->ports->settings,
        .acceptance = acceptance,
        .approach = "",
    };
    const Pb__PlanCompiled *const compiled = plan_compile(call->arena, &request);
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_text(&json, "feature", acceptance->feature);
    json_put_bool(&json, "complete", compiled->plan != NULL);
    json_put_text(&json, "plan_hash", compiled->plan_hash);
    json_put_array(&json, "missing");
    for (size_t i = 0; i < compiled->n_missing; i++)
        pbjson_put(&json, NULL, compiled->missing[i], PBJSON_FULL);
    json_end_array(&json);
    json_end_object(&json);
}

static bool send_acceptance(struct gateway_call *call,
                            Pb__AcceptanceSignedOff *acceptance,
                            const char *id)
{
    Pb__Acceptance *const record = pb_new(call->arena, &pb__acceptance__descriptor);
    Pb__Actor *const actor = pb_clone(call->arena, call->actor);

    actor->via = "gateway";
    acceptance->submitted_by = actor;
    record->body_case = PB__ACCEPTANCE__BODY_SIGNED_OFF;
    record->signed_off = acceptance;
    return call_publish(call,
                        &(struct gateway_record){ .topic = TOPIC_ACCEPTANCE,
                                                  .key = acceptance->feature,
                                                  .id = id,
                                                  .type = "slipway.v1.Acceptance",
                                                  .subject = acceptance->feature,
                                                  .message = record });
}

static void answer_accepted(struct gateway_call *call,
                            const Pb__AcceptanceSignedOff *acceptance,
                            const char *id)
{
    struct json json = call_json(call);

    call->status = ACCEPTED;
    call->location = arena_printf(call->arena, "/v1/deployments/%s", acceptance->feature);
    json_put_object(&json, NULL);
    json_put_text(&json, "id", id);
    json_put_text(&json, "feature", acceptance->feature);
    json_put_text(&json, "content_hash", acceptance_hash(call->arena, acceptance));
    json_put_text(&json, "deployment", call->location);
    json_end_object(&json);
}

void post_deployment(struct gateway_call *call)
{
    const char *const id = call_new_id(call);
    Pb__AcceptanceSignedOff *acceptance;
    bool dry = false;

    if (!call_boolean(call, "dry_run", &dry) || !call_has_role(call, submitters))
        return;
    if (is_type(call, "application/yaml") || is_type(call, "application/x-yaml")) {
        acceptance = read_yaml(call);
    } else if (is_type(call, "application/json")) {
        acceptance = read_json(call, call->body);
    } else if (is_type(call, "application/protobuf")) {
        acceptance = read_protobuf(call, call->body);
    } else {
        call_problem(call,
                     &(struct problem){ .code = "wrong-type",
                                        .detail = "send application/yaml, application/json "
                                                  "or application/protobuf" });
        return;
    }
    if (acceptance == NULL || !check_acceptance(call, acceptance))
        return;
    if (dry)
        answer_dry_run(call, acceptance);
    else if (send_acceptance(call, acceptance, id))
        answer_accepted(call, acceptance, id);
}
