/* A comment that is written once. Jira knows no key for comments, so a property of the ticket
 * remembers: "sending" before the comment is written, its id afterwards. Whoever finds an id
 * reads that comment; whoever finds "sending" looks through the comments for the marker before
 * writing. */
#include "services/notifier/channels/jira.h"

#include <string.h>

/* A page stays far below the largest answer that is read; the comment looked for was written by
 * the drive before, so it is among the newest. */
enum { PAGE = 20, PAGES_MAX = 10 };

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

/* The text of a comment with its marker; NULL if it is another's. */
static const char *own_text(struct jira *jira, const json_t *comment)
{
    struct arena *const arena = jira->env->arena;
    const char *const text = jira_body_text(arena, json_object_get(comment, "body"));

    return strstr(text, arena_printf(arena, "(%s)", marker_of(jira))) != NULL ? text : NULL;
}

/* One page, newest first. ret_text stays NULL where the comment is not on it; ret_last: there
 * is no further page. */
static enum err find_on_page(struct jira *jira,
                             unsigned page,
                             const char **ret_text,
                             const char **ret_id,
                             bool *ret_last,
                             struct error *error)
{
    struct arena *const arena = jira->env->arena;
    json_t *tree = NULL;
    const json_t *comments;
    const enum err err = jira_call(jira,
                                   "GET",
                                   arena_printf(arena,
                                                "/comment?orderBy=-created&startAt=%u&"
                                                "maxResults=%d",
                                                page * PAGE,
                                                PAGE),
                                   NULL,
                                   &tree,
                                   error);

    if (err != ERR_OK)
        return err;
    comments = json_object_get(tree, "comments");
    *ret_last = json_array_size(comments) < PAGE;
    for (size_t i = 0; i < json_array_size(comments) && *ret_text == NULL; i++) {
        const json_t *const comment = json_array_get(comments, i);

        *ret_text = own_text(jira, comment);
        *ret_id = arena_text(arena, json_string_value(json_object_get(comment, "id")));
    }
    json_decref(tree);
    return ERR_OK;
}

/* The newest comment that holds the marker; ret_text NULL if there is none. */
static enum err find_comment(struct jira *jira,
                             const char **ret_text,
                             const char **ret_id,
                             struct error *error)
{
    enum err err = ERR_OK;
    bool last = false;

    *ret_text = NULL;
    for (unsigned page = 0; page < PAGES_MAX && err == ERR_OK && !last && *ret_text == NULL;
         page++)
        err = find_on_page(jira, page, ret_text, ret_id, &last, error);
    return err;
}

/* The comment of that id; ret_text NULL if it is gone. */
static enum err read_comment(struct jira *jira,
                             const char *id,
                             const char **ret_text,
                             struct error *error)
{
    json_t *tree;
    const enum err err =
        jira_look(jira, arena_printf(jira->env->arena, "/comment/%s", id), &tree, error);

    *ret_text = tree != NULL ? own_text(jira, tree) : NULL;
    json_decref(tree);
    return err;
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

/* Goes into an address. */
static bool is_id(const char *id)
{
    return id != NULL && id[0] != '\0' && id[strspn(id, "0123456789")] == '\0';
}

/* ret_id: what Jira calls it; "" if it does not say. */
static enum err write_comment(struct jira *jira, const char **ret_id, struct error *error)
{
    json_t *const body = json_pack("{s:o}", "body", jira_body(jira, comment_text(jira)));
    json_t *tree = NULL;
    const enum err err = jira_call(jira, "POST", "/comment", body, &tree, error);
    const char *const id = json_string_value(json_object_get(tree, "id"));

    *ret_id = is_id(id) ? arena_text(jira->env->arena, id) : "";
    json_decref(body);
    json_decref(tree);
    return err;
}

/* What an earlier drive has written: by its id, or after a look through the comments. ret_text
 * NULL if it is not there. */
static enum err find_earlier(struct jira *jira,
                             const json_t *known,
                             const char **ret_text,
                             struct error *error)
{
    const char *const id = json_string_value(json_object_get(known, "comment"));
    const char *found = "";
    enum err err;

    if (is_id(id))
        return read_comment(jira, id, ret_text, error);
    err = find_comment(jira, ret_text, &found, error);
    if (err == ERR_OK && *ret_text != NULL)
        err = remember(jira, "sent", found, error);
    return err;
}

/* begun: the ticket says "sending" already. */
static enum err write_and_read(struct jira *jira,
                               bool begun,
                               const char **ret_text,
                               struct error *error)
{
    const char *id = "";
    enum err err = begun ? ERR_OK : remember(jira, "sending", "", error);

    driver_crash_point(jira->env, CRASH_JIRA_AFTER_NOTE);
    if (err == ERR_OK)
        err = write_comment(jira, &id, error);
    driver_crash_point(jira->env, CRASH_JIRA_AFTER_COMMENT);
    if (err == ERR_OK)
        err = id[0] != '\0' ? read_comment(jira, id, ret_text, error)
                            : find_comment(jira, ret_text, &id, error);
    if (err == ERR_OK && *ret_text == NULL)
        return error_set(
            error, ERR_CONFLICT, "the comment was taken and is not there: %s", marker_of(jira));
    return err == ERR_OK ? remember(jira, "sent", id, error) : err;
}

enum err jira_comment(struct jira *jira, const char **ret_text, struct error *error)
{
    json_t *known = NULL;
    enum err err = jira_property(jira, marker_of(jira), &known, error);
    const bool begun =
        known != NULL && !is_id(json_string_value(json_object_get(known, "comment")));

    *ret_text = NULL;
    if (err == ERR_OK && known != NULL)
        err = find_earlier(jira, known, ret_text, error);
    json_decref(known);
    if (err != ERR_OK || *ret_text != NULL)
        return err;
    return write_and_read(jira, begun, ret_text, error);
}
