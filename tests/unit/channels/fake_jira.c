#include "tests/unit/channels/fake_jira.h"

#include <stdlib.h>
#include <string.h>

void fake_jira_open(struct fake_jira *fake)
{
    *fake = (struct fake_jira){
        .fields = json_pack("{s:{s:s}}", "status", "name", "To Do"),
        .comments = json_array(),
        .links = json_object(),
        .properties = json_object(),
    };
}

void fake_jira_close(struct fake_jira *fake)
{
    json_decref(fake->fields);
    json_decref(fake->comments);
    json_decref(fake->links);
    json_decref(fake->properties);
}

static const char *status_name(const struct fake_jira *fake)
{
    return json_string_value(json_object_get(json_object_get(fake->fields, "status"), "name"));
}

static json_t *list_of(json_t *object)
{
    json_t *const list = json_array();
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        (void)json_array_append(list, value);
    }
    return list;
}

static json_t *transitions(const struct fake_jira *fake)
{
    if (fake->workflow_hides && strcmp(status_name(fake), "Closed") == 0)
        return json_pack("{s:[]}", "transitions");
    return json_pack("{s:[{s:s, s:s, s:{s:s}}, {s:s, s:s, s:{s:s}}]}",
                     "transitions",
                     "id",
                     "11",
                     "name",
                     "Start",
                     "to",
                     "name",
                     "In Progress",
                     "id",
                     "31",
                     "name",
                     "Done",
                     "to",
                     "name",
                     "Closed");
}

static json_t *comment_of(const struct fake_jira *fake, const char *id)
{
    for (size_t i = 0; i < json_array_size(fake->comments); i++) {
        json_t *const comment = json_array_get(fake->comments, i);

        if (strcmp(json_string_value(json_object_get(comment, "id")), id) == 0)
            return json_incref(comment);
    }
    return NULL;
}

/* A page, newest first. */
static json_t *comments_from(struct fake_jira *fake, const char *path)
{
    const char *const start = strstr(path, "startAt=");
    const char *const most = strstr(path, "maxResults=");
    const size_t all = json_array_size(fake->comments);
    const size_t from = start != NULL ? strtoul(start + 8, NULL, 10) : 0;
    const size_t count = most != NULL ? strtoul(most + 11, NULL, 10) : 50;
    json_t *const page = json_array();

    fake->comment_searches++;
    for (size_t i = from; i < all && i < from + count; i++)
        (void)json_array_append(page, json_array_get(fake->comments, all - 1 - i));
    return json_pack("{s:o}", "comments", page);
}

/* The answer to a read; NULL: there is no such thing. A new reference. */
static json_t *read_of(struct fake_jira *fake, const char *path)
{
    if (strncmp(path, "?fields=", 8) == 0) {
        fake->status_reads++;
        return json_pack("{s:O}", "fields", fake->fields);
    }
    if (strncmp(path, "/comment/", 9) == 0)
        return comment_of(fake, path + 9);
    if (strncmp(path, "/comment?", 9) == 0)
        return comments_from(fake, path);
    if (strcmp(path, "/transitions") == 0)
        return transitions(fake);
    if (strcmp(path, "/remotelink") == 0)
        return list_of(fake->links);
    if (strncmp(path, "/properties/", 12) == 0 &&
        json_object_get(fake->properties, path + 12) != NULL)
        return json_pack("{s:s, s:O}",
                         "key",
                         path + 12,
                         "value",
                         json_object_get(fake->properties, path + 12));
    return NULL;
}

static int write_comment(struct fake_jira *fake, json_t *body)
{
    char id[16];

    (void)snprintf(id, sizeof id, "%zu", json_array_size(fake->comments) + 1);
    (void)json_array_append_new(
        fake->comments,
        json_pack("{s:s, s:O}", "id", id, "body", json_object_get(body, "body")));
    return 201;
}

static int write_transition(struct fake_jira *fake, json_t *body)
{
    const char *const id =
        json_string_value(json_object_get(json_object_get(body, "transition"), "id"));

    if (id == NULL || (strcmp(id, "31") != 0 && strcmp(id, "11") != 0))
        return 400;
    fake->transitions_made++;
    (void)json_object_set_new(
        fake->fields,
        "status",
        json_pack("{s:s}", "name", strcmp(id, "31") == 0 ? "Closed" : "In Progress"));
    return 204;
}

/* The status that a write is answered with. */
static int write_to(struct fake_jira *fake, const char *path, json_t *body)
{
    if (path[0] == '\0') {
        if (!fake->forgets_fields)
            (void)json_object_update(fake->fields, json_object_get(body, "fields"));
        return 204;
    }
    if (strcmp(path, "/comment") == 0)
        return write_comment(fake, body);
    if (strcmp(path, "/transitions") == 0)
        return write_transition(fake, body);
    if (strcmp(path, "/remotelink") == 0)
        return json_object_set(
                   fake->links, json_string_value(json_object_get(body, "globalId")), body) == 0
                   ? 201
                   : 400;
    if (strncmp(path, "/properties/", 12) == 0)
        return json_object_set(fake->properties, path + 12, body) == 0 ? 200 : 400;
    return 404;
}

static void answer(struct arena *arena, struct http_response *ret, int status, json_t *tree)
{
    char *const text = tree != NULL ? json_dumps(tree, JSON_COMPACT) : NULL;

    ret->status = status;
    ret->body = arena_text(arena, text);
    ret->body_length = strlen(ret->body);
    free(text);
    json_decref(tree);
}

enum err fake_jira_respond(void *self,
                           struct arena *arena,
                           const struct http_request *request,
                           struct http_response *ret,
                           struct error *error)
{
    struct fake_jira *const fake = self;
    const char *const ticket = strstr(request->url, "/SHOP-4182");
    const char *const path = ticket != NULL ? ticket + strlen("/SHOP-4182") : "/none";
    json_t *body;
    json_t *tree;
    int status;

    if (strcmp(request->method, "GET") == 0) {
        tree = read_of(fake, path);
        answer(arena, ret, tree != NULL ? 200 : 404, tree);
        return ERR_OK;
    }
    body = json_loadb(request->body, request->body_length, 0, NULL);
    status = body != NULL ? write_to(fake, path, body) : 400;
    tree =
        status == 201 && strcmp(path, "/comment") == 0
            ? json_incref(json_array_get(fake->comments, json_array_size(fake->comments) - 1))
            : NULL;
    answer(arena, ret, status, tree);
    json_decref(body);
    if (fake->lose_answers > 0) {
        fake->lose_answers--;
        return error_set(error, ERR_TIMED_OUT, "the answer was lost");
    }
    return ERR_OK;
}
