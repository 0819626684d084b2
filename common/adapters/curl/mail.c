#include "common/adapters/curl/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS_MAX = 320, REPLY_MAX = 200 };

/* A mail on its way. */
struct letter {
    const char *message;
    size_t left;
    int refusal;           /* The last 4xx or 5xx reply; curl keeps only the final "221". */
    char reply[REPLY_MAX]; /* Its line. */
};

static size_t give_message(char *buffer, size_t size, size_t count, void *self)
{
    struct letter *const letter = self;
    const size_t room = size * count;
    const size_t length = letter->left < room ? letter->left : room;

    memcpy(buffer, letter->message, length);
    letter->message += length;
    letter->left -= length;
    return length;
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *self)
{
    struct letter *const letter = self;
    const size_t length = size * count;

    if (length >= 3 && (bytes[0] == '4' || bytes[0] == '5')) {
        letter->refusal = (bytes[0] - '0') * 100;
        (void)snprintf(letter->reply,
                       sizeof letter->reply,
                       "%.*s",
                       (int)(length < REPLY_MAX ? length : REPLY_MAX - 1),
                       bytes);
        letter->reply[strcspn(letter->reply, "\r\n")] = '\0';
    }
    return length;
}

/* "<someone@example>" */
static enum err address_of(const char *address, char ret[ADDRESS_MAX], struct error *error)
{
    if (!curl_is_plain(address) || strpbrk(address, "<> ") != NULL ||
        strlen(address) > ADDRESS_MAX - 3 || address[0] == '\0')
        return error_set(error, ERR_INVALID, "not a mail address: \"%.64s\"", address);
    (void)snprintf(ret, ADDRESS_MAX, "<%s>", address);
    return ERR_OK;
}

static enum err outcome_of(const struct curl_client *client,
                           const struct mail *mail,
                           const struct letter *letter,
                           CURLcode code,
                           struct error *error)
{
    if (code == CURLE_OK)
        return ERR_OK;
    if (letter->refusal == 0 || code == CURLE_OPERATION_TIMEDOUT)
        return curl_failure(client, code, mail->server, error);
    return error_set(error,
                     letter->refusal == 500 ? ERR_DENIED : ERR_UNAVAILABLE,
                     "mail to %s: %s",
                     mail->to,
                     letter->reply);
}

static CURLcode transfer(CURL *handle,
                         const struct mail *mail,
                         const char *from,
                         struct curl_slist *to)
{
    const bool tls_first = strncasecmp(mail->server, "smtps://", 8) == 0;

    (void)curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from);
    (void)curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, to);
    (void)curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    if (mail->user != NULL) {
        (void)curl_easy_setopt(handle, CURLOPT_USERNAME, mail->user);
        (void)curl_easy_setopt(
            handle, CURLOPT_PASSWORD, mail->password != NULL ? mail->password : "");
        if (!tls_first)
            (void)curl_easy_setopt(handle, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    }
    return curl_easy_perform(handle);
}

enum err curl_send_mail(void *self, const struct mail *mail, struct error *error)
{
    struct curl_client *const client = self;
    struct letter letter = { .message = mail->message, .left = strlen(mail->message) };
    struct curl_slist *recipients;
    char from[ADDRESS_MAX], to[ADDRESS_MAX];
    CURLcode code;
    enum err err = address_of(mail->from, from, error);

    if (err == ERR_OK)
        err = address_of(mail->to, to, error);
    if (err != ERR_OK)
        return err;
    recipients = curl_slist_append(NULL, to);
    curl_prepare(client, "smtp,smtps", mail->server, mail->timeout_ms);
    (void)curl_easy_setopt(client->handle, CURLOPT_READFUNCTION, give_message);
    (void)curl_easy_setopt(client->handle, CURLOPT_READDATA, &letter);
    (void)curl_easy_setopt(client->handle, CURLOPT_HEADERFUNCTION, take_reply);
    (void)curl_easy_setopt(client->handle, CURLOPT_HEADERDATA, &letter);
    code = transfer(client->handle, mail, from, recipients);
    curl_slist_free_all(recipients);
    return outcome_of(client, mail, &letter, code, error);
}
