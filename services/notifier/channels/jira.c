/* The ticket: a comment for every notice, and for the purposes "jira.*" what people and
 * programs look for in it. Whatever is written is read back before it counts. */
#include "services/notifier/channels/jira.h"

#include "common/wire/digest.h"

#include <string.h>

static const struct option jira_options[] = {
    TEXT_OPTION(struct jira_config, url, "url", NULL, "base address of the site"),
    COUNT_OPTION(struct jira_config, api, "api", "2", "REST version, 2 or 3"),
    TEXT_OPTION(struct jira_config,
                user,
                "user",
                "",
                "user of the token (Basic); empty: a personal access token (Bearer)"),
    SECRET_OPTION(struct jira_config, token_file, "token_file", NULL, "API token"),
    TEXT_OPTION(struct jira_config,
                transition,
                "transition",
                "",
                "made when deployed, by its name; empty: none"),
    TEXT_OPTION(struct jira_config,
                transition_failed,
                "transition_failed",
                "",
                "made when aborted or rolled back; empty: none"),
    TEXT_OPTION(struct jira_config,
                field_date,
                "field_date",
                "",
                "id of a text field for date and time; empty: in the comment"),
    TEXT_OPTION(struct jira_config,
                field_version,
                "field_version",
                "",
                "id of a text field for the version; empty: in the comment"),
    TEXT_OPTION(struct jira_config,
                field_flags,
                "field_flags",
                "",
                "id of a text field for the state of the flags; empty: in the comment"),
    DURATION_OPTION(
        struct jira_config, timeout_ms, "timeout", "5s", "longest wait for one answer"),
    OPTIONS_END,
};

static const char *browse_url(const struct jira *jira)
{
    const char *const base = jira->config->url;
    const size_t length = strlen(base);

    return arena_printf(jira->env->arena,
                        "%.*s/browse/%s",
                        (int)(length > 0 && base[length - 1] == '/' ? length - 1 : length),
                        base,
                        jira->notice->ticket);
}

static enum err write_comment(struct jira *jira, struct delivery_note *ret, struct error *error)
{
    const char *text = "";
    const enum err err = jira_comment(jira, &text, error);
    const char *const status = notice_fact(jira->notice, "status");
    const char *const line =
        arena_printf(jira->env->arena, "%s: %s", notice_fact_label("status"), status);

    if (err == ERR_OK && status[0] != '\0' && strstr(text, line) == NULL)
        return error_set(error,
                         ERR_CONFLICT,
                         "%s: the comment does not read '%.200s'",
                         jira->notice->ticket,
                         line);
    if (err == ERR_OK)
        ret->observed =
            arena_printf(jira->env->arena, "%s: comment is there", jira->notice->ticket);
    return err;
}

static enum err write_status(struct jira *jira, struct delivery_note *ret, struct error *error)
{
    const char *const what = jira->notice->what;
    const bool failed = strcmp(what, "aborted") == 0 || strcmp(what, "rolled_back") == 0;
    const char *name = "";
    const char *status = "";
    enum err err = write_comment(jira, ret, error);

    if (strcmp(what, "completed") == 0)
        name = jira->config->transition;
    else if (failed)
        name = jira->config->transition_failed;
    if (err != ERR_OK || name[0] == '\0')
        return err;
    err = jira_transition(jira, name, &status, error);
    if (err == ERR_OK)
        ret->observed = arena_printf(
            jira->env->arena, "%s: status reads '%s'", jira->notice->ticket, status);
    return err;
}

static enum err read_field(struct jira *jira,
                           const char *field,
                           const char **ret,
                           struct error *error)
{
    json_t *tree = NULL;
    const enum err err = jira_call(
        jira, "GET", arena_printf(jira->env->arena, "?fields=%s", field), NULL, &tree, error);

    if (err != ERR_OK)
        return err;
    *ret = jira_body_text(jira->env->arena,
                          json_object_get(json_object_get(tree, "fields"), field));
    json_decref(tree);
    return ERR_OK;
}

static enum err write_field(struct jira *jira,
                            const char *field,
                            const char *value,
                            struct delivery_note *ret,
                            struct error *error)
{
    json_t *const body = json_pack("{s:{s:s}}", "fields", field, value);
    const char *found = "";
    enum err err = jira_call(jira, "PUT", "", body, NULL, error);

    json_decref(body);
    if (err == ERR_OK)
        err = read_field(jira, field, &found, error);
    if (err == ERR_OK && strcmp(found, value) != 0)
        return error_set(error,
                         ERR_CONFLICT,
                         "%s: field %.60s reads '%.100s', wanted '%.100s'",
                         jira->notice->ticket,
                         field,
                         found,
                         value);
    if (err == ERR_OK)
        ret->observed = arena_printf(
            jira->env->arena, "%s: %s reads '%s'", jira->notice->ticket, field, value);
    return err;
}

/* In its field where there is one, else as a line of the comment. */
static enum err write_fact(struct jira *jira,
                           const char *field,
                           const char *fact,
                           struct delivery_note *ret,
                           struct error *error)
{
    const char *const value = notice_fact(jira->notice, fact);
    const char *line;
    const char *text = "";
    enum err err;

    if (value[0] == '\0')
        return error_set(error, ERR_INVALID, "there is no %s to write", fact);
    if (field[0] != '\0')
        return write_field(jira, field, value, ret, error);
    line = arena_printf(jira->env->arena, "%s: %s", notice_fact_label(fact), value);
    err = jira_comment(jira, &text, error);
    if (err == ERR_OK && strstr(text, line) == NULL)
        return error_set(error,
                         ERR_CONFLICT,
                         "%s: the comment does not read '%.200s'",
                         jira->notice->ticket,
                         line);
    if (err == ERR_OK)
        ret->observed = arena_printf(
            jira->env->arena, "%s: comment reads '%s'", jira->notice->ticket, line);
    return err;
}

/* The same link of the same deployment is the same entry: Jira replaces it. */
static const char *link_key(struct jira *jira, const Pb__Link *link)
{
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(link->url, strlen(link->url), hex);
    return arena_printf(
        jira->env->arena, "slipway=%s&link=%.16s", jira->notice->deployment, hex);
}

static enum err put_link(struct jira *jira, const Pb__Link *link, struct error *error)
{
    json_t *const body = json_pack("{s:s, s:s, s:{s:s, s:s}}",
                                   "globalId",
                                   link_key(jira, link),
                                   "relationship",
                                   "monitored by",
                                   "object",
                                   "url",
                                   link->url,
                                   "title",
                                   link->title[0] != '\0' ? link->title : link->url);
    const enum err err = jira_call(jira, "POST", "/remotelink", body, NULL, error);

    json_decref(body);
    return err;
}

static bool has_link(const json_t *links, const char *key, const char *url)
{
    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_t *const link = json_array_get(links, i);
        const char *const its = json_string_value(json_object_get(link, "globalId"));
        const char *const to =
            json_string_value(json_object_get(json_object_get(link, "object"), "url"));

        if (pb_same(its, key) && pb_same(to, url))
            return true;
    }
    return false;
}

static enum err write_links(struct jira *jira, struct delivery_note *ret, struct error *error)
{
    const struct notice *const notice = jira->notice;
    json_t *links = NULL;
    enum err err = ERR_OK;

    if (notice->link_count == 0)
        return error_set(error, ERR_INVALID, "there is no link to monitoring to write");
    for (size_t i = 0; err == ERR_OK && i < notice->link_count; i++)
        err = put_link(jira, notice->links[i], error);
    if (err == ERR_OK)
        err = jira_call(jira, "GET", "/remotelink", NULL, &links, error);
    for (size_t i = 0; err == ERR_OK && i < notice->link_count; i++) {
        const Pb__Link *const link = notice->links[i];

        if (!has_link(links, link_key(jira, link), link->url))
            err = error_set(error,
                            ERR_CONFLICT,
                            "%s: the link to %.200s is not there",
                            notice->ticket,
                            link->url);
    }
    json_decref(links);
    if (err == ERR_OK)
        ret->observed = arena_printf(
            jira->env->arena, "%s: %zu links are there", notice->ticket, notice->link_count);
    return err;
}

static enum err write_purpose(struct jira *jira, struct delivery_note *ret, struct error *error)
{
    const struct jira_config *const config = jira->config;
    const char *const purpose = jira->notice->purpose;

    if (strcmp(purpose, "jira.status") == 0)
        return write_status(jira, ret, error);
    if (strcmp(purpose, "jira.date_time") == 0)
        return write_fact(jira, config->field_date, "date", ret, error);
    if (strcmp(purpose, "jira.version") == 0)
        return write_fact(jira, config->field_version, "version", ret, error);
    if (strcmp(purpose, "jira.flag_status") == 0)
        return write_fact(jira, config->field_flags, "flag_status", ret, error);
    if (strcmp(purpose, "jira.monitoring_links") == 0)
        return write_links(jira, ret, error);
    return write_comment(jira, ret, error);
}

static enum err jira_send(const struct driver_env *env,
                          const void *config,
                          const struct notice *notice,
                          struct delivery_note *ret,
                          struct error *error)
{
    struct jira jira = { .env = env, .config = config, .notice = notice };
    enum err err;

    if (jira.config->api != 2 && jira.config->api != 3)
        return error_set(error, ERR_INVALID, "api is %u; 2 or 3", jira.config->api);
    err = write_purpose(&jira, ret, error);
    ret->retry_after_ms = jira.retry_after_ms;
    if (err != ERR_OK)
        return err;
    ret->id = notice->ticket;
    ret->link = browse_url(&jira);
    ret->evidence = arena_printf(env->arena, "%s, as read back", ret->link);
    return ERR_OK;
}

const struct channel_driver channel_jira = {
    .name = "jira",
    .options = jira_options,
    .config_size = sizeof(struct jira_config),
    .capabilities = CHANNEL_HAS_KEY | CHANNEL_READS_BACK | CHANNEL_IS_TICKET,
    .send = jira_send,
};
