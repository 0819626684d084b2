#include "services/gateway/session.h"

#include "common/wire/digest.h"
#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SESSION_MS = 8 * 60 * 60 * 1000, SESSION_S = 8 * 60 * 60, NO_CONTENT = 204 };

/* A browser sends it back only over TLS or to itself, only to this host, and never from another
 * site's page. */
#define COOKIE      "__Host-slipway"
#define COOKIE_ENDS "; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age="

/* --- the cookie --- */

static bool find_key(const struct envelope_keys *keys, size_t *ret)
{
    for (*ret = 0; *ret < keys->count; ++*ret) {
        if (strcmp(keys->item[*ret].writer, "gateway") == 0)
            return true;
    }
    return false;
}

/* False without a key. */
static bool sign(const struct gateway_call *call,
                 const char *hash,
                 const char *expires,
                 char ret_hex[DIGEST_HEX_SIZE])
{
    static const char purpose[] = "slipway session";
    const struct envelope_keys *const keys = call->gateway->ports->keys;
    const struct digest_piece pieces[] = { { purpose, sizeof purpose - 1 },
                                           { hash, strlen(hash) },
                                           { expires, strlen(expires) } };
    size_t i = 0;

    if (!find_key(keys, &i))
        return false;
    digest_hmac(keys->item[i].key, keys->item[i].length, pieces, 3, ret_hex);
    return true;
}

/* The value of our cookie, or NULL. */
static char *cookie_of(const struct gateway_call *call)
{
    const char *rest = call_header(call, "cookie");
    const size_t name = strlen(COOKIE);

    while (rest != NULL && *rest != '\0') {
        const size_t length = strcspn(rest, ";");

        if (length > name && strncmp(rest, COOKIE, name) == 0 && rest[name] == '=')
            return arena_copy(call->arena, rest + name + 1, length - name - 1);
        rest += length;
        rest += strspn(rest, "; ");
    }
    return NULL;
}

/* Cut off at the next dot; NULL if there is none. */
static char *cut(char *text)
{
    char *const dot = strchr(text, '.');

    if (dot == NULL)
        return NULL;
    *dot = '\0';
    return dot + 1;
}

const Pb__Actor *session_actor(const struct gateway_call *call)
{
    char *const mark = cookie_of(call);
    char *const expires = mark != NULL ? cut(mark) : NULL;
    char *const mac = expires != NULL ? cut(expires) : NULL;
    const Pb__Actor *actor;
    char wanted[DIGEST_HEX_SIZE];

    if (mac == NULL || strtoll(expires, NULL, 10) <= call->now_ms)
        return NULL;
    actor = auth_marked(call->gateway->auth, mark, call->now_ms);
    if (actor == NULL || !sign(call, auth_hash(call->gateway->auth, actor), expires, wanted) ||
        strlen(mac) != DIGEST_HEX_SIZE - 1 || !digest_equal(mac, wanted))
        return NULL;
    return actor;
}

/* --- other sites --- */

static bool is_prefix_of(const char *prefix, size_t length, const char *text)
{
    return strlen(text) >= length && strncasecmp(prefix, text, length) == 0;
}

static bool is_own_origin(const struct gateway_call *call, const char *origin)
{
    const char *const own = call->gateway->ports->settings->gateway.public_url;
    size_t length = strlen(own);

    while (length > 0 && own[length - 1] == '/')
        length--;
    return is_prefix_of(own, length, origin) && origin[length] == '\0';
}

static bool wrong_origin(struct gateway_call *call, const char *detail)
{
    call_problem(call,
                 &(struct problem){ .code = "wrong-origin",
                                    .detail = detail,
                                    .remedy = arena_printf(
                                        call->arena,
                                        "Open %s, or send a token instead of the cookie.",
                                        call->gateway->ports->settings->gateway.public_url) });
    return false;
}

static bool is_json(const struct gateway_call *call)
{
    static const char json[] = "application/json";
    const char *const type = call_header(call, "content-type");

    return type != NULL && is_prefix_of(json, sizeof json - 1, type) &&
           strchr("; ", type[sizeof json - 1]) != NULL;
}

bool session_may_change(struct gateway_call *call)
{
    const char *const origin = call_header(call, "origin");

    if (strcmp(call->route->method, "GET") == 0)
        return true;
    if (origin == NULL || !is_own_origin(call, origin))
        return wrong_origin(call, "a change with a cookie must come from our own page");
    if (call->route->body[0] != '\0' && !is_json(call))
        return wrong_origin(call, "a change with a cookie must be application/json");
    return true;
}

/* --- in and out --- */

/* Nobody else's page signs anybody in: then what they do would be done in another's name. */
void post_login(struct gateway_call *call)
{
    const char *const origin = call_header(call, "origin");
    const char *token;
    const char *expires;
    char mac[DIGEST_HEX_SIZE];

    if (origin != NULL && !is_own_origin(call, origin)) {
        (void)wrong_origin(call, "only our own page signs people in");
        return;
    }
    if (!is_json(call)) {
        call_problem(
            call,
            &(struct problem){ .code = "wrong-type", .detail = "this takes application/json" });
        return;
    }
    token = call_body_text(call, "token");
    if (token == NULL) {
        call_problem(call,
                     &(struct problem){ .code = "malformed",
                                        .field = "token",
                                        .detail = "{\"token\": \"...\"}" });
        return;
    }
    call->actor = auth_actor(
        call->gateway->auth, arena_printf(call->arena, "Bearer %s", token), call->now_ms);
    expires = arena_printf(call->arena, "%lld", (long long)call->now_ms + SESSION_MS);
    if (call->actor == NULL ||
        !sign(call, auth_hash(call->gateway->auth, call->actor), expires, mac)) {
        call_problem(call,
                     &(struct problem){ .code = "not-signed-in",
                                        .detail = "this token is none of ours" });
        return;
    }
    get_me(call);
    call->cookie = arena_printf(call->arena,
                                COOKIE "=%.*s.%s.%s" COOKIE_ENDS "%d",
                                AUTH_MARK,
                                auth_hash(call->gateway->auth, call->actor),
                                expires,
                                mac,
                                SESSION_S);
}

void delete_login(struct gateway_call *call)
{
    call->status = NO_CONTENT;
    call->cookie = COOKIE "=" COOKIE_ENDS "0";
}
