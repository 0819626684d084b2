/* Slipway's own health, and the description of this API. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"

#include <stdlib.h>
#include <string.h>

enum { ALIVE_MS = 30000 };

/* An instance says every few seconds that it is there; one that stopped saying so is not. */
static bool is_alive(const struct store_value *value, int64_t now_ms)
{
    const char *const seen = strstr(value->bytes, "\"seen_ms\":");

    return value->bytes[0] == '{' && seen != NULL &&
           now_ms - strtoll(seen + strlen("\"seen_ms\":"), NULL, 10) < ALIVE_MS;
}

void get_health(struct gateway_call *call)
{
    struct projection *const projection = call->projection;
    struct store_field *instances = NULL;
    struct error error = { 0 };
    size_t count = 0;
    struct json json;

    if (projection->store.hash_all(
            projection->store.self,
            call->arena,
            keys_global(call->arena, projection->prefix, "instances", ""),
            &instances,
            &count,
            &error) != ERR_OK) {
        call_unavailable(call, &error);
        return;
    }
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_text(&json, "version", SLIPWAY_VERSION);
    json_put_text(&json, "config_hash", call->gateway->ports->settings->hash);
    json_put_int(&json, "now_ms", call->now_ms);
    json_put_array(&json, "instances");
    for (size_t i = 0; i < count; i++) {
        if (is_alive(&instances[i].value, call->now_ms))
            json_put_raw(&json, NULL, instances[i].value.bytes);
    }
    json_end_array(&json);
    json_end_object(&json);
}

/* --- OpenAPI, from the table of routes --- */

static void write_parameters(struct gateway_call *call,
                             struct json *json,
                             const struct gateway_route *route)
{
    const char *cursor = route->pattern;
    const char *names = route->query;

    json_put_array(json, "parameters");
    while ((cursor = strchr(cursor, '{')) != NULL) {
        const size_t length = strcspn(++cursor, "}");

        json_put_object(json, NULL);
        json_put_text(json, "name", arena_copy(call->arena, cursor, length));
        json_put_text(json, "in", "path");
        json_put_bool(json, "required", true);
        json_put_raw(json, "schema", "{\"type\":\"string\"}");
        json_end_object(json);
    }
    while (*names != '\0') {
        const size_t length = strcspn(names, " ");

        json_put_object(json, NULL);
        json_put_text(json, "name", arena_copy(call->arena, names, length));
        json_put_text(json, "in", "query");
        json_put_raw(json, "schema", "{\"type\":\"string\"}");
        json_end_object(json);
        names += length + (names[length] == ' ');
    }
    json_end_array(json);
}

static void write_answers(struct json *json, const struct gateway_route *route)
{
    json_put_object(json, "responses");
    for (const char *status = route->answers; *status != '\0'; status += strcspn(status, " ")) {
        char code[4] = { 0 };

        status += strspn(status, " ");
        memcpy(code, status, 3);
        json_put_object(json, code);
        json_put_text(json, "description", code[0] < '4' ? "as asked" : "problem details");
        json_end_object(json);
    }
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
    if (route->body[0] != '\0') {
        json_put_object(json, "requestBody");
        json_put_object(json, "content");
        json_put_raw(json, route->body, "{}");
        json_end_object(json);
        json_end_object(json);
    }
    if (route->open)
        json_put_raw(json, "security", "[]");
    write_answers(json, route);
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

void get_openapi(struct gateway_call *call)
{
    size_t count = 0;
    const struct gateway_route *const routes = gateway_routes(&count);
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_text(&json, "openapi", "3.1.0");
    json_put_raw(&json, "info", "{\"title\":\"Slipway\",\"version\":\"" SLIPWAY_VERSION "\"}");
    json_put_raw(&json, "security", "[{\"token\":[]}]");
    json_put_raw(&json,
                 "components",
                 "{\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}");
    json_put_object(&json, "paths");
    for (size_t i = 0; i < count; i++) {
        if (!is_first_of_path(routes, i))
            continue;
        json_put_object(&json, routes[i].pattern);
        for (size_t k = i; k < count; k++) {
            if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
                write_operation(call, &json, &routes[k]);
        }
        json_end_object(&json);
    }
    json_end_object(&json);
    json_end_object(&json);
}
