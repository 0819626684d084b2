#include "services/notifier/channels/jira.h"

#include "common/base/base64.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_TEXT_MAX = 64 * 1024 };

/* "SHOP-4182": what goes into an address may be nothing else. */
static bool is_ticket(const char *key)
{
    const size_t project = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    const char *const number = key + project + 1;

    return project > 0 && key[0] >= 'A' && key[0] <= 'Z' && key[project] == '-' &&
           *number != '\0' && number[strspn(number, "0123456789")] == '\0';
}

static const char *ticket_url(struct jira *jira, const char *path)
{
    const char *const base = jira->config->url;
    const size_t length = strlen(base);

    return arena_printf(jira->env->arena,
                        "%.*s/rest/api/%u/issue/%s%s",
                        (int)(length > 0 && base[length - 1] == '/' ? length - 1 : length),
                        base,
                        jira->config->api,
                        jira->notice->ticket,
                        path);
}

/* Basic for a user with a token (Cloud), Bearer for a token alone (Data Center). */
static enum err sign_in(struct jira *jira, struct error *error)
{
    struct arena *const arena = jira->env->arena;
    const char *const user = jira->config->user;
    const char *token;
    enum err err;

    if (jira->authorization != NULL)
        return ERR_OK;
    err =
        settings_secret(arena, driver_path(jira->env, jira->config->token_file), &token, error);
    if (err != ERR_OK)
        return err;
    if (user[0] != '\0') {
        const char *const both = arena_printf(arena, "%s:%s", user, token);
        struct text text = text_new(8192);

        base64_write(&text, both, strlen(both));
        jira->authorization = arena_printf(arena, "Basic %s", text.bytes);
        text_release(&text);
    } else {
        jira->authorization = arena_printf(arena, "Bearer %s", token);
    }
    return ERR_OK;
}

/* {"errorMessages":["..."],"errors":{"field":"..."}}: the first sentence, else the excerpt. */
static const char *complaint_of(struct arena *arena,
                                const struct http_response *response,
                                json_t *tree)
{
    const char *const message =
        json_string_value(json_array_get(json_object_get(tree, "errorMessages"), 0));
    json_t *const errors = json_object_get(tree, "errors");
    void *const first = json_object_iter(errors);

    if (message != NULL)
        return arena_text(arena, message);
    if (first != NULL && json_is_string(json_object_iter_value(first)))
        return arena_printf(arena,
                            "%s: %s",
                            json_object_iter_key(first),
                            json_string_value(json_object_iter_value(first)));
    return channel_excerpt(arena, response);
}

static enum err perform(struct jira *jira,
                        struct http_request *request,
                        struct http_response *response,
                        struct error *error)
{
    const struct driver_env *const env = jira->env;
    enum err err = sign_in(jira, error);

    if (err != ERR_OK)
        return err;
    request->timeout_ms = (int)jira->config->timeout_ms;
    request->headers[0] = (struct http_header){ "authorization", jira->authorization };
    request->headers[1] = (struct http_header){ "accept", "application/json" };
    request->header_count = 2;
    if (request->body != NULL)
        request->headers[request->header_count++] =
            (struct http_header){ "content-type", "application/json" };
    err = env->http.perform(env->http.self, env->arena, request, response, error);
    if (err == ERR_OK)
        jira->retry_after_ms = channel_retry_after_ms(response);
    return err;
}

enum err jira_call(struct jira *jira,
                   const char *method,
                   const char *path,
                   const json_t *body,
                   json_t **ret_tree,
                   struct error *error)
{
    char *const text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    struct http_request request = { .method = method, .body = text };
    struct http_response response = { 0 };
    json_t *tree = NULL;
    enum err err;

    if (!is_ticket(jira->notice->ticket)) {
        free(text);
        return error_set(
            error, ERR_INVALID, "'%.60s' is no ticket of Jira", jira->notice->ticket);
    }
    request.url = ticket_url(jira, path);
    request.body_length = text != NULL ? strlen(text) : 0;
    err = perform(jira, &request, &response, error);
    free(text);
    if (err != ERR_OK)
        return err;
    if (response.body_length > 0)
        tree = json_loadb(response.body, response.body_length, 0, NULL);
    err = channel_status(response.status);
    if (err != ERR_OK)
        (void)error_set(error,
                        err,
                        "%s %.200s: status %d: %.200s",
                        method,
                        request.url,
                        response.status,
                        complaint_of(jira->env->arena, &response, tree));
    if (err == ERR_OK && ret_tree != NULL)
        *ret_tree = json_incref(tree);
    json_decref(tree);
    return err;
}

json_t *jira_body(const struct jira *jira, const char *text)
{
    json_t *const lines = json_array();
    struct arena *const arena = jira->env->arena;

    if (jira->config->api < 3) {
        json_decref(lines);
        return json_string(text);
    }
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");

        if (length > 0)
            (void)json_array_append_new(lines,
                                        json_pack("{s:s, s:[{s:s, s:s}]}",
                                                  "type",
                                                  "paragraph",
                                                  "content",
                                                  "type",
                                                  "text",
                                                  "text",
                                                  arena_copy(arena, text, length)));
        text += length + (text[length] == '\n' ? 1 : 0);
    }
    return json_pack("{s:s, s:i, s:o}", "type", "doc", "version", 1, "content", lines);
}

/* Depth is the document's own and small; what is deeper is not ours. */
static void gather(const json_t *node, unsigned depth, struct text *out)
{
    json_t *const content = json_object_get(node, "content");
    const char *const words = json_string_value(json_object_get(node, "text"));

    if (words != NULL)
        text_add(out, "%s\n", words);
    for (size_t i = 0; depth < 8 && i < json_array_size(content); i++)
        gather(json_array_get(content, i), depth + 1, out);
}

const char *jira_body_text(struct arena *arena, const json_t *body)
{
    struct text text;
    const char *copy;

    if (json_is_string(body))
        return arena_text(arena, json_string_value(body));
    text = text_new(DOCUMENT_TEXT_MAX);
    gather(body, 0, &text);
    copy = arena_text(arena, text.bytes);
    text_release(&text);
    return copy;
}

enum err jira_look(struct jira *jira, const char *path, json_t **ret_tree, struct error *error)
{
    struct error why = { 0 };
    enum err err;

    *ret_tree = NULL;
    err = jira_call(jira, "GET", path, NULL, ret_tree, &why);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err == ERR_OK ? ERR_OK : error_set(error, err, "%s", why.text);
}

enum err jira_property(struct jira *jira,
                       const char *name,
                       json_t **ret_value,
                       struct error *error)
{
    json_t *tree = NULL;
    const enum err err =
        jira_look(jira, arena_printf(jira->env->arena, "/properties/%s", name), &tree, error);

    *ret_value = json_incref(json_object_get(tree, "value"));
    json_decref(tree);
    return err;
}

enum err jira_property_put(struct jira *jira,
                           const char *name,
                           const json_t *value,
                           struct error *error)
{
    return jira_call(jira,
                     "PUT",
                     arena_printf(jira->env->arena, "/properties/%s", name),
                     value,
                     NULL,
                     error);
}
