/* Slipway's own health. */
#include "services/gateway/resources.h"

#include "common/base/json.h"
#include "common/state/keys.h"

#include <stdlib.h>
#include <string.h>

/* An instance says every 5 s that it is there. Two words missed: it is not counted on; people
 * are shown it a while longer. */
enum { ALIVE_MS = 12000, SHOWN_MS = 30000 };

/* An instance says every few seconds that it is there; one that stopped saying so is not. */
static bool is_alive(const struct store_value *value, int64_t now_ms, int64_t limit_ms)
{
    const char *const seen = strstr(value->bytes, "\"seen_ms\":");

    return value->bytes[0] == '{' && seen != NULL &&
           now_ms - strtoll(seen + strlen("\"seen_ms\":"), NULL, 10) < limit_ms;
}

enum err load_instances(struct gateway_call *call,
                        struct store_field **ret,
                        size_t *ret_count,
                        struct error *error)
{
    struct projection *const projection = call->projection;

    return projection->store.hash_all(
        projection->store.self,
        call->arena,
        keys_global(call->arena, projection->prefix, "instances", ""),
        ret,
        ret_count,
        error);
}

bool instance_is_shown(const struct store_value *instance, int64_t now_ms)
{
    return is_alive(instance, now_ms, SHOWN_MS);
}

bool service_is_there(struct gateway_call *call, const char *service)
{
    const char *const name = arena_printf(call->arena, "\"service\":\"%s\"", service);
    struct store_field *instances = NULL;
    struct error error = { 0 };
    size_t count = 0;

    if (load_instances(call, &instances, &count, &error) != ERR_OK)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (is_alive(&instances[i].value, call->now_ms, ALIVE_MS) &&
            strstr(instances[i].value.bytes, name) != NULL)
            return true;
    }
    return false;
}

void get_health(struct gateway_call *call)
{
    struct store_field *instances = NULL;
    struct error error = { 0 };
    size_t count = 0;
    struct json json;

    if (load_instances(call, &instances, &count, &error) != ERR_OK) {
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
        if (instance_is_shown(&instances[i].value, call->now_ms))
            json_put_raw(&json, NULL, instances[i].value.bytes);
    }
    json_end_array(&json);
    json_end_object(&json);
}
