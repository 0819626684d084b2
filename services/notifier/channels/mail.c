/* Mail, one message a recipient. Mail servers know no key, so a crash between sending and
 * remembering may send it twice; the Message-ID is the same then, and the receipt says so. */
#include "services/notifier/channels/mail_text.h"

#include <string.h>

struct mail_config {
    const char *server;
    const char *from;
    struct option_texts to;
    const char *user;
    const char *password_file;
    int64_t timeout_ms;
};

static const struct option mail_options[] = {
    TEXT_OPTION(struct mail_config, server, "server", NULL, "smtp://host:port or smtps://"),
    TEXT_OPTION(struct mail_config, from, "from", NULL, "sender's address"),
    LIST_OPTION(struct mail_config, to, "to", NULL, "recipients' addresses"),
    TEXT_OPTION(struct mail_config, user, "user", "", "name to sign in with"),
    SECRET_OPTION(
        struct mail_config, password_file, "password_file", "", "password of that user"),
    DURATION_OPTION(
        struct mail_config, timeout_ms, "timeout", "10s", "longest time for one message"),
    OPTIONS_END,
};

/* An address goes into headers and envelope as it stands. */
static bool is_address(const char *address)
{
    const char *const at = strchr(address, '@');

    if (at == NULL || at == address || at[1] == '\0')
        return false;
    for (; *address != '\0'; address++) {
        if ((unsigned char)*address <= 0x20 || (unsigned char)*address >= 0x7f ||
            strchr("<>\",;:\\", *address) != NULL)
            return false;
    }
    return true;
}

static enum err check(const struct mail_config *config, struct error *error)
{
    if (!is_address(config->from))
        return error_set(error, ERR_INVALID, "from: '%.100s' is no address", config->from);
    if (config->to.count == 0)
        return error_set(error, ERR_INVALID, "to: names nobody");
    for (size_t i = 0; i < config->to.count; i++) {
        if (!is_address(config->to.items[i]))
            return error_set(
                error, ERR_INVALID, "to: '%.100s' is no address", config->to.items[i]);
    }
    return ERR_OK;
}

static bool is_passing(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMED_OUT;
}

static enum err send_one(const struct driver_env *env,
                         const struct mail *mail,
                         struct error *error)
{
    if (mail->message == NULL)
        return error_set(error, ERR_TOO_LARGE, "the notice is too long for a mail");
    return env->http.send_mail(env->http.self, mail, error);
}

/* Everybody is tried: one address that is refused keeps nobody else from hearing. The error is
 * the first; one that may pass comes before one that will not, so that it is tried again. */
static enum err send_all(const struct driver_env *env,
                         const struct mail_config *config,
                         const struct notice *notice,
                         struct mail *mail,
                         struct error *error)
{
    enum err worst = ERR_OK;

    for (size_t i = 0; i < config->to.count; i++) {
        struct error why = { 0 };
        enum err err;

        mail->to = config->to.items[i];
        mail->message =
            mail_message(env->arena, notice, config->from, mail->to, clock_now_ms(env->clock));
        err = send_one(env, mail, &why);
        if (err == ERR_OK || (worst != ERR_OK && (is_passing(worst) || !is_passing(err))))
            continue;
        worst = err;
        *error = why;
    }
    return worst;
}

static enum err mail_send(const struct driver_env *env,
                          const void *config,
                          const struct notice *notice,
                          struct delivery_note *ret,
                          struct error *error)
{
    const struct mail_config *const of = config;
    struct mail mail = {
        .server = of->server,
        .user = of->user[0] != '\0' ? of->user : NULL,
        .from = of->from,
        .timeout_ms = (int)of->timeout_ms,
    };
    enum err err = check(of, error);

    if (err == ERR_OK && of->password_file[0] != '\0')
        err = settings_secret(
            env->arena, driver_path(env, of->password_file), &mail.password, error);
    if (err == ERR_OK)
        err = send_all(env, of, notice, &mail, error);
    if (err != ERR_OK)
        return err;
    ret->id = mail_message_id(env->arena, notice, of->from, of->to.items[0]);
    ret->observed =
        arena_printf(env->arena, "taken by %s for %zu addresses", of->server, of->to.count);
    ret->evidence = arena_printf(env->arena, "Message-ID <%s>", ret->id);
    return ERR_OK;
}

const struct channel_driver channel_mail = {
    .name = "mail",
    .options = mail_options,
    .config_size = sizeof(struct mail_config),
    .capabilities = 0,
    .send = mail_send,
};
