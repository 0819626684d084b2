#include "tests/unit/providers/fake_gateways.h"

#include "common/base/json.h"
#include "common/config/yaml.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "/internal/v1/flags/";

/* The gateway whose address that is; FAKE_GATEWAYS if none. */
static unsigned gateway_of(const struct fake_gateways *fake, const char *url)
{
    unsigned i = 0;

    while (i < FAKE_GATEWAYS && strncmp(url, fake->peers[i], strlen(fake->peers[i])) != 0)
        i++;
    return i;
}

static void print_value(const Pb__FlagValue *value, bool latched, struct text *out)
{
    struct json json = json_into(out);

    json_put_object(&json, NULL);
    json_put_text(&json, "flag", value->flag);
    json_put_text(&json, "environment", value->environment);
    json_put_text(&json, "deployment", value->deployment);
    json_put_uint(&json, "percent", value->percent);
    json_put_text(&json, "audience", value->audience);
    json_put_uint(&json, "sequence", value->sequence);
    json_put_bool(&json, "latched", latched);
    json_end_object(&json);
}

static enum err respond(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    struct fake_gateways *const fake = self;
    const unsigned gateway = gateway_of(fake, request->url);
    const char *const found = strstr(request->url, prefix);
    const char *const path = found != NULL ? found + strlen(prefix) : "";
    const char *const slash = strchr(path, '/');
    const Pb__FlagValue *value;
    bool latched;
    struct text body = text_new(4096);

    if (gateway == FAKE_GATEWAYS || fake->silent[gateway] || slash == NULL) {
        text_release(&body);
        return error_set(error, ERR_UNAVAILABLE, "%s: no answer", request->url);
    }
    value = flag_table_find(fake->table[gateway],
                            arena_copy(arena, path, (size_t)(slash - path)),
                            slash + 1,
                            &latched);
    if (value != NULL)
        print_value(value, latched, &body);
    ret->status = value != NULL ? 200 : 404;
    ret->body_length = body.length;
    ret->body = arena_copy(arena, body.bytes, body.length);
    ret->took_ms = 2 + gateway;
    text_release(&body);
    return ERR_OK;
}

static void open_settings(struct fake_gateways *fake)
{
    static const char yaml[] = "{timeout: 2s}";
    struct yaml_problems *const problems = arena_alloc(&fake->arena, sizeof *problems);

    problems->arena = &fake->arena;
    fake->peers[0] = "http://gateway-1:8080";
    fake->peers[1] = "http://gateway-2:8080/";
    fake->peers[2] = "http://gateway-3:8080";
    fake->settings.gateway.peers = (struct option_texts){ fake->peers, FAKE_GATEWAYS };
    fake->provider.name = "builtin";
    fake->provider.driver = "builtin";
    fake->provider.options =
        yaml_parse(&fake->arena, "slipway.yaml", yaml, sizeof yaml - 1, problems);
    fake->settings.providers = &fake->provider;
    fake->settings.provider_count = 1;
    fake->environment.name = "production";
    fake->environment.provider = "builtin";
    fake->settings.environments = &fake->environment;
    fake->settings.environment_count = 1;
    fake->settings.file = "/etc/slipway.yaml";
}

void fake_gateways_open(struct fake_gateways *fake)
{
    memset(fake, 0, sizeof *fake);
    fake->arena = arena_with_limit(16 << 20);
    fake->http = memory_http_new();
    memory_http_answer(fake->http,
                       &(struct memory_http_answer){
                           .method = "GET",
                           .url = "http://gateway-*",
                           .respond = respond,
                           .respond_self = fake,
                       });
    for (unsigned i = 0; i < FAKE_GATEWAYS; i++)
        fake->table[i] = flag_table_new();
    open_settings(fake);
    fake->env.arena = &fake->arena;
    fake->env.clock = memory_clock_port(&fake->clock);
    fake->env.http = memory_http_client(fake->http);
    fake->env.settings = &fake->settings;
}

void fake_gateways_close(struct fake_gateways *fake)
{
    for (unsigned i = 0; i < FAKE_GATEWAYS; i++)
        flag_table_free(fake->table[i]);
    memory_http_free(fake->http);
    arena_release(&fake->arena);
}

void fake_grant_on(struct fake_gateways *fake, unsigned gateway, const Pb__FlagValue *value)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_FLAG;
    control.flag = pb_clone(&fake->arena, value);
    (void)flag_table_apply(fake->table[gateway], "", &control);
}

void fake_grant(struct fake_gateways *fake, const Pb__FlagValue *value)
{
    for (unsigned i = 0; i < FAKE_GATEWAYS; i++)
        fake_grant_on(fake, i, value);
}

void fake_latch_on(struct fake_gateways *fake, unsigned gateway, const char *deployment)
{
    Pb__Control control = PB__CONTROL__INIT;

    control.body_case = PB__CONTROL__BODY_KILL;
    control.kill = pb_new(&fake->arena, &pb__kill__descriptor);
    control.kill->deployment = deployment;
    (void)flag_table_apply(fake->table[gateway], "", &control);
}

void fake_latch(struct fake_gateways *fake, const char *deployment)
{
    for (unsigned i = 0; i < FAKE_GATEWAYS; i++)
        fake_latch_on(fake, i, deployment);
}

Pb__FlagValue *fake_value(struct fake_gateways *fake, uint64_t sequence, uint32_t percent)
{
    Pb__FlagValue *const value = pb_new(&fake->arena, &pb__flag_value__descriptor);

    value->environment = "production";
    value->flag = "express-pay";
    value->deployment = "express-pay.1";
    value->sequence = sequence;
    value->percent = percent;
    return value;
}
