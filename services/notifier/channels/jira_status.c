/* Moving a ticket by the name of a transition. Ids differ between workflows, and a transition
 * that was made is often not offered again, so the status it led to is remembered with the
 * ticket. */
#include "services/notifier/channels/jira.h"

#include <string.h>
#include <strings.h>

static const char remembered[] = "slipway.transition";

static enum err status_of(struct jira *jira, const char **ret, struct error *error)
{
    json_t *tree = NULL;
    const enum err err = jira_call(jira, "GET", "?fields=status", NULL, &tree, error);

    if (err != ERR_OK)
        return err;
    *ret = arena_text(jira->env->arena,
                      json_string_value(json_object_get(
                          json_object_get(json_object_get(tree, "fields"), "status"), "name")));
    json_decref(tree);
    return ERR_OK;
}

/* Where that transition has led this ticket before; "" if it is not known. */
static enum err known_target(struct jira *jira,
                             const char *name,
                             const char **ret,
                             struct error *error)
{
    json_t *value = NULL;
    const enum err err = jira_property(jira, remembered, &value, error);
    const char *const was = json_string_value(json_object_get(value, "name"));

    *ret = "";
    if (err == ERR_OK && was != NULL && strcasecmp(was, name) == 0)
        *ret = arena_text(jira->env->arena, json_string_value(json_object_get(value, "to")));
    json_decref(value);
    return err;
}

struct transition {
    const char *id; /* NULL: not offered. */
    const char *to;
};

static enum err offered(struct jira *jira,
                        const char *name,
                        struct transition *ret,
                        struct error *error)
{
    json_t *tree = NULL;
    const json_t *all;
    const enum err err = jira_call(jira, "GET", "/transitions", NULL, &tree, error);

    *ret = (struct transition){ 0 };
    if (err != ERR_OK)
        return err;
    all = json_object_get(tree, "transitions");
    for (size_t i = 0; i < json_array_size(all) && ret->id == NULL; i++) {
        const json_t *const one = json_array_get(all, i);
        const char *const its = json_string_value(json_object_get(one, "name"));
        const char *const to =
            json_string_value(json_object_get(json_object_get(one, "to"), "name"));
        const char *const id = json_string_value(json_object_get(one, "id"));

        if (its == NULL || id == NULL || strcasecmp(its, name) != 0)
            continue;
        ret->id = arena_text(jira->env->arena, id);
        ret->to = arena_text(jira->env->arena, to != NULL ? to : name);
    }
    json_decref(tree);
    return ERR_OK;
}

static enum err make(struct jira *jira,
                     const char *name,
                     const struct transition *transition,
                     struct error *error)
{
    json_t *const note = json_pack("{s:s, s:s, s:s}",
                                   "name",
                                   name,
                                   "to",
                                   transition->to,
                                   "deployment",
                                   jira->notice->deployment);
    json_t *const body = json_pack("{s:{s:s}}", "transition", "id", transition->id);
    enum err err = jira_property_put(jira, remembered, note, error);

    if (err == ERR_OK)
        err = jira_call(jira, "POST", "/transitions", body, NULL, error);
    driver_crash_point(jira->env, CRASH_JIRA_AFTER_TRANSITION);
    json_decref(body);
    json_decref(note);
    return err;
}

enum err jira_transition(struct jira *jira,
                         const char *name,
                         const char **ret_status,
                         struct error *error)
{
    struct transition transition = { 0 };
    const char *before = "";
    const char *target = "";
    enum err err = status_of(jira, &before, error);

    *ret_status = before;
    if (err == ERR_OK)
        err = known_target(jira, name, &target, error);
    if (err == ERR_OK && target[0] != '\0' && strcasecmp(before, target) == 0)
        return ERR_OK;
    if (err == ERR_OK)
        err = offered(jira, name, &transition, error);
    if (err != ERR_OK)
        return err;
    if (strcasecmp(before, transition.id != NULL ? transition.to : name) == 0)
        return ERR_OK;
    if (transition.id == NULL)
        return error_set(error,
                         ERR_INVALID,
                         "%s in status '%.60s' offers no transition '%.60s'",
                         jira->notice->ticket,
                         before,
                         name);
    err = make(jira, name, &transition, error);
    if (err == ERR_OK)
        err = status_of(jira, ret_status, error);
    if (err == ERR_OK && strcasecmp(*ret_status, transition.to) != 0)
        return error_set(error,
                         ERR_CONFLICT,
                         "%s reads '%.60s' after the transition to '%.60s'",
                         jira->notice->ticket,
                         *ret_status,
                         transition.to);
    return err;
}
