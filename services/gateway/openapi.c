/* The description of this API, from the table of routes and the table of schemas. */
#include "services/gateway/resources.h"
#include "services/gateway/schemas.h"

#include "common/base/json.h"

#include <string.h>

/* The next word of a space-separated list, or NULL; *list moves behind it. */
static const char *next_word(struct arena *arena, const char **list)
{
    const char *const word = *list + strspn(*list, " ");
    const size_t length = strcspn(word, " ");

    *list = word + length;
    return length > 0 ? arena_copy(arena, word, length) : NULL;
}

static void write_parameter(struct json *json, const char *name, const char *in)
{
    json_put_object(json, NULL);
    json_put_text(json, "name", name);
    json_put_text(json, "in", in);
    if (strcmp(in, "path") == 0)
        json_put_bool(json, "required", true);
    json_put_raw(json, "schema", "{\"type\":\"string\"}");
    json_end_object(json);
}

static void write_parameters(struct gateway_call *call,
                             struct json *json,
                             const struct gateway_route *route)
{
    const char *cursor = route->pattern;
    const char *names = route->query;
    const char *name;

    json_put_array(json, "parameters");
    while ((cursor = strchr(cursor, '{')) != NULL) {
        const size_t length = strcspn(++cursor, "}");

        write_parameter(json, arena_copy(call->arena, cursor, length), "path");
    }
    while ((name = next_word(call->arena, &names)) != NULL)
        write_parameter(json, name, "query");
    json_end_array(json);
}

static void write_type(struct json *json, const char *type, const char *schema)
{
    json_put_object(json, type);
    if (schema[0] != '\0')
        schema_reference(json, "schema", schema);
    json_end_object(json);
}

/* All forms in which what was asked for comes. */
static void write_forms(struct gateway_call *call,
                        struct json *json,
                        const struct gateway_route *route)
{
    const char *also = route->also;
    const char *type;

    json_put_object(json, "content");
    if (route->schema[0] != '\0')
        write_type(json, "application/json", route->schema);
    while ((type = next_word(call->arena, &also)) != NULL)
        write_type(json, type, "");
    json_end_object(json);
}

static void write_answer(struct gateway_call *call,
                         struct json *json,
                         const struct gateway_route *route,
                         const char *status)
{
    const bool good = status[0] == '2';

    json_put_object(json, status);
    json_put_text(json,
                  "description",
                  good               ? "as asked"
                  : status[0] == '3' ? "not changed"
                                     : "problem details");
    if (good && (route->schema[0] != '\0' || route->also[0] != '\0'))
        write_forms(call, json, route);
    if (status[0] >= '4' && strncmp(route->pattern, "/ofrep/", 7) != 0) {
        json_put_object(json, "content");
        write_type(json, "application/problem+json", "Problem");
        json_end_object(json);
    }
    json_end_object(json);
}

/* What is answered before a handler is asked: a parameter that is not there, no token, too
 * often; a body over 256 KiB. */
static void write_answers(struct gateway_call *call,
                          struct json *json,
                          const struct gateway_route *route)
{
    const char *statuses = route->answers;
    const char *status;

    json_put_object(json, "responses");
    while ((status = next_word(call->arena, &statuses)) != NULL)
        write_answer(call, json, route, status);
    if (strstr(route->answers, "400") == NULL)
        write_answer(call, json, route, "400");
    if (route->body[0] != '\0' && strstr(route->answers, "413") == NULL)
        write_answer(call, json, route, "413");
    if ((route->flags & ROUTE_OPEN) == 0) {
        write_answer(call, json, route, "401");
        if (route->lane != LANE_ALERTS)
            write_answer(call, json, route, "429");
    }
    json_end_object(json);
}

static void write_body(struct gateway_call *call,
                       struct json *json,
                       const struct gateway_route *route)
{
    const char *types = route->body;
    const char *type;

    if (route->body[0] == '\0')
        return;
    json_put_object(json, "requestBody");
    json_put_bool(json, "required", true);
    json_put_object(json, "content");
    while ((type = next_word(call->arena, &types)) != NULL)
        json_put_raw(json, type, "{}");
    json_end_object(json);
    json_end_object(json);
}

static void write_operation(struct gateway_call *call,
                            struct json *json,
                            const struct gateway_route *route)
{
    char method[8] = { 0 };

    for (size_t i = 0; i < sizeof method - 1 && route->method[i] != '\0'; i++)
        method[i] = (char)(route->method[i] | 0x20);
    json_put_object(json, method);
    json_put_text(json, "summary", route->summary);
    write_parameters(call, json, route);
    write_body(call, json, route);
    if ((route->flags & ROUTE_OPEN) != 0)
        json_put_raw(json, "security", "[]");
    write_answers(call, json, route);
    json_end_object(json);
}

/* Rows of one path stand together only in the description, so each path looks for its rows. */
static bool is_first_of_path(const struct gateway_route *routes, size_t row)
{
    for (size_t i = 0; i < row; i++) {
        if (strcmp(routes[i].pattern, routes[row].pattern) == 0)
            return false;
    }
    return true;
}

static void write_paths(struct gateway_call *call, struct json *json)
{
    size_t count = 0;
    const struct gateway_route *const routes = gateway_routes(&count);

    json_put_object(json, "paths");
    for (size_t i = 0; i < count; i++) {
        if (!is_first_of_path(routes, i))
            continue;
        json_put_object(json, routes[i].pattern);
        for (size_t k = i; k < count; k++) {
            if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
                write_operation(call, json, &routes[k]);
        }
        json_end_object(json);
    }
    json_end_object(json);
}

void get_openapi(struct gateway_call *call)
{
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_text(&json, "openapi", "3.1.0");
    json_put_raw(&json, "info", "{\"title\":\"Slipway\",\"version\":\"" SLIPWAY_VERSION "\"}");
    json_put_raw(&json, "security", "[{\"token\":[]},{\"session\":[]}]");
    json_put_object(&json, "components");
    json_put_raw(
        &json,
        "securitySchemes",
        "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
        "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-slipway\"}}");
    schemas_write(&json, "schemas");
    json_end_object(&json);
    write_paths(call, &json);
    json_end_object(&json);
}
