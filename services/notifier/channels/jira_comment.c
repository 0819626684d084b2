/* A comment that is written once. Jira knows no key for comments, so a property of the ticket
 * remembers: "sending" before the comment is written, its id afterwards. Whoever finds
 * "sending" looks through the comments for the marker before writing. */
#include "services/notifier/channels/jira.h"

#include <string.h>

static const char *marker_of(struct jira *jira)
{
    return arena_printf(jira->env->arena, "slipway.%s", jira->notice->group);
}

/* The notice, and on the last line the marker by which it is found again. */
static const char *comment_text(struct jira *jira)
{
    return arena_printf(jira->env->arena,
                        "%s\n(%s)",
                        notice_text(jira->env->arena, jira->notice),
                        marker_of(jira));
}

/* The newest comment that holds the marker; ret_text NULL if there is none. */
static enum err find_comment(struct jira *jira,
                             const char **ret_text,
                             const char **ret_id,
                             struct error *error)
{
    struct arena *const arena = jira->env->arena;
    const char *const marker = arena_printf(arena, "(%s)", marker_of(jira));
    json_t *tree = NULL;
    const json_t *comments;
    const enum err err =
        jira_call(jira, "GET", "/comment?orderBy=-created&maxResults=100", NULL, &tree, error);

    *ret_text = NULL;
    if (err != ERR_OK)
        return err;
    comments = json_object_get(tree, "comments");
    for (size_t i = 0; i < json_array_size(comments) && *ret_text == NULL; i++) {
        const json_t *const comment = json_array_get(comments, i);
        const char *const text = jira_body_text(arena, json_object_get(comment, "body"));

        if (strstr(text, marker) != NULL) {
            *ret_text = text;
            *ret_id = arena_text(arena, json_string_value(json_object_get(comment, "id")));
        }
    }
    json_decref(tree);
    return ERR_OK;
}

static enum err remember(struct jira *jira,
                         const char *state,
                         const char *comment,
                         struct error *error)
{
    json_t *const value = json_pack("{s:s, s:s, s:s}",
                                    "state",
                                    state,
                                    "comment",
                                    comment,
                                    "deployment",
                                    jira->notice->deployment);
    const enum err err = jira_property_put(jira, marker_of(jira), value, error);

    json_decref(value);
    return err;
}

static enum err write_comment(struct jira *jira, struct error *error)
{
    json_t *const body = json_pack("{s:o}", "body", jira_body(jira, comment_text(jira)));
    const enum err err = jira_call(jira, "POST", "/comment", body, NULL, error);

    json_decref(body);
    return err;
}

enum err jira_comment(struct jira *jira, const char **ret_text, struct error *error)
{
    json_t *known = NULL;
    const char *id = "";
    enum err err = jira_property(jira, marker_of(jira), &known, error);
    const bool begun = known != NULL;

    json_decref(known);
    if (err == ERR_OK && begun)
        err = find_comment(jira, ret_text, &id, error);
    else if (err == ERR_OK)
        err = remember(jira, "sending", "", error);
    if (err != ERR_OK)
        return err;
    if (begun && *ret_text != NULL)
        return ERR_OK;
    err = write_comment(jira, error);
    if (err == ERR_OK)
        err = find_comment(jira, ret_text, &id, error);
    if (err == ERR_OK && *ret_text == NULL)
        return error_set(
            error, ERR_CONFLICT, "the comment was taken and is not there: %s", marker_of(jira));
    return err == ERR_OK ? remember(jira, "sent", id, error) : err;
}
