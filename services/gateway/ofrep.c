#include "services/gateway/ofrep.h"

#include "common/base/json.h"

#include <jansson.h>

#include <string.h>

enum { OK = 200, BAD_REQUEST = 400, NOT_FOUND = 404 };

/* The evaluation context: targeting key and scalar attributes as text. */
struct context {
    const char *targeting_key;
    Pb__Pair *attributes[OFREP_ATTRIBUTES_MAX];
    size_t count;
};

static int refuse(struct text *out, const char *key, const char *code, const char *details)
{
    struct json json = json_into(out);

    json_put_object(&json, NULL);
    if (key != NULL)
        json_put_text(&json, "key", key);
    json_put_text(&json, "errorCode", code);
    json_put_text(&json, "errorDetails", details);
    json_end_object(&json);
    return strcmp(code, "FLAG_NOT_FOUND") == 0 ? NOT_FOUND : BAD_REQUEST;
}

/* Scalars only: objects and lists cannot be compared with an audience. */
static const char *scalar_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return arena_text(arena, json_string_value(value));
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    return NULL;
}

static void read_attributes(struct arena *arena, json_t *object, struct context *context)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        const char *const text = scalar_text(arena, value);

        if (strcmp(name, "targetingKey") == 0)
            context->targeting_key = json_is_string(value) ? text : NULL;
        if (text != NULL && context->count < OFREP_ATTRIBUTES_MAX)
            context->attributes[context->count++] = pb_pair_new(arena, name, text);
    }
}

/* NULL, or the error code with a sentence in ret_details. */
static const char *read_context(const struct ofrep_request *request,
                                struct context *ret,
                                const char **ret_details)
{
    json_error_t error;
    json_t *const root =
        json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, &error);
    json_t *const object = json_object_get(root, "context");
    const char *code = NULL;

    if (root == NULL) {
        *ret_details = arena_printf(request->arena, "line %d: %s", error.line, error.text);
        return "PARSE_ERROR";
    }
    if (!json_is_object(object)) {
        *ret_details = "context must be an object";
        code = "INVALID_CONTEXT";
    } else {
        read_attributes(request->arena, object, ret);
        *ret_details = "context.targetingKey must be a text";
        if (ret->targeting_key == NULL || ret->targeting_key[0] == '\0')
            code = "TARGETING_KEY_MISSING";
    }
    json_decref(root);
    return code;
}

static void write_evaluation(struct json *json,
                             const Pb__FlagValue *value,
                             bool latched,
                             const struct context *context)
{
    const struct flag_evaluation answer = flag_evaluate(
        value, latched, context->targeting_key, context->attributes, context->count);

    json_put_object(json, NULL);
    json_put_text(json, "key", value->flag);
    json_put_text(json, "reason", flag_reason_name(answer.reason));
    json_put_text(json, "variant", answer.on ? "on" : "off");
    json_put_bool(json, "value", answer.on);
    json_put_object(json, "metadata");
    json_put_text(json, "deployment", value->deployment);
    json_put_uint(json, "percent", latched ? 0 : value->percent);
    json_put_uint(json, "sequence", value->sequence);
    json_put_uint(json, "bucket", answer.bucket);
    json_put_bool(json, "latched", latched);
    json_end_object(json);
    json_end_object(json);
}

int ofrep_evaluate(const struct ofrep_request *request, const char *key, struct text *out)
{
    struct context context = { 0 };
    const char *details = "";
    const char *const code = read_context(request, &context, &details);
    bool latched = false;
    const Pb__FlagValue *const value =
        flag_table_find(request->flags, request->environment, key, &latched);
    struct json json = json_into(out);

    if (code != NULL)
        return refuse(out, key, code, details);
    if (value == NULL)
        return refuse(out, key, "FLAG_NOT_FOUND", "no deployment has granted this flag");
    write_evaluation(&json, value, latched, &context);
    return OK;
}

int ofrep_evaluate_all(const struct ofrep_request *request, struct text *out)
{
    struct context context = { 0 };
    const char *details = "";
    const char *const code = read_context(request, &context, &details);
    const Pb__FlagValue *const *values = NULL;
    const size_t count = flag_table_flags(request->flags, &values);
    struct json json = json_into(out);

    if (code != NULL)
        return refuse(out, NULL, code, details);
    json_put_object(&json, NULL);
    json_put_array(&json, "flags");
    for (size_t i = 0; i < count; i++) {
        bool latched = false;

        if (!pb_same(values[i]->environment, request->environment))
            continue;
        (void)flag_table_find(request->flags, request->environment, values[i]->flag, &latched);
        write_evaluation(&json, values[i], latched, &context);
    }
    json_end_array(&json);
    json_put_object(&json, "metadata");
    json_put_text(&json, "environment", request->environment);
    json_end_object(&json);
    json_end_object(&json);
    return OK;
}
