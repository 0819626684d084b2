#include "common/adapters/curl/curl.h"
#include "tests/support/test.h"
#include "tests/unit/curl/peer.h"

#include <signal.h>
#include <stdio.h>

static struct error error;
static struct http_client client;
static struct peer peer;
static char server[64];

/* What the mail server answers; NULL: as a good one does. */
static const char *ehlo_reply, *recipient_reply, *data_reply, *quit_reply;

static void say(int fd, const char *given, const char *otherwise)
{
    const char *const line = given != NULL ? given : otherwise;

    peer_say(fd, line, strlen(line));
}

/* Reads what came since `at` up to and with that end. */
static const char *hear_until(struct peer *self, int fd, size_t *at, const char *end)
{
    const size_t start = *at;

    for (;;) {
        const char *const found = strstr(self->heard + start, end);

        if (found != NULL) {
            *at = (size_t)(found - self->heard) + strlen(end);
            return self->heard + start;
        }
        if (!peer_hear(self, fd))
            return NULL;
    }
}

static void talk_smtp(struct peer *self, int fd)
{
    size_t at = self->heard_length;
    const char *line;

    peer_say(fd, "220 here\r\n", 10);
    while ((line = hear_until(self, fd, &at, "\r\n")) != NULL) {
        if (strncmp(line, "EHLO", 4) == 0) {
            say(fd, ehlo_reply, "250 here\r\n");
        } else if (strncmp(line, "RCPT", 4) == 0) {
            say(fd, recipient_reply, "250 ok\r\n");
        } else if (strncmp(line, "DATA", 4) == 0) {
            say(fd, NULL, "354 go\r\n");
            (void)hear_until(self, fd, &at, "\r\n.\r\n");
            say(fd, data_reply, "250 taken\r\n");
        } else if (strncmp(line, "QUIT", 4) == 0) {
            say(fd, quit_reply, "221 Bye\r\n");
            return;
        } else {
            say(fd, NULL, "250 ok\r\n");
        }
    }
}

static int setup(void **state)
{
    (void)state;
    ehlo_reply = recipient_reply = data_reply = quit_reply = NULL;
    peer = (struct peer){ .talk = talk_smtp };
    peer_start(&peer);
    (void)snprintf(server, sizeof server, "smtp://127.0.0.1:%d", peer.port);
    return curl_open(&client, &error) == ERR_OK ? 0 : -1;
}

static enum err send_with(const struct mail *mail)
{
    const enum err err = client.send_mail(client.self, mail, &error);

    client.close(client.self);
    peer_stop(&peer);
    return err;
}

static struct mail mail_to(const char *to)
{
    return (struct mail){ .server = server,
                          .from = "slipway@example",
                          .to = to,
                          .message = "Subject: x\r\n\r\nDone.\r\n.dotted\r\n",
                          .timeout_ms = 20000 };
}

static void a_mail_arrives(void **state)
{
    const struct mail mail = mail_to("olga@example");

    (void)state;
    assert_int_equal(send_with(&mail), ERR_OK);
    assert_true(peer_heard(&peer, "MAIL FROM:<slipway@example>"));
    assert_true(peer_heard(&peer, "RCPT TO:<olga@example>"));
    assert_true(peer_heard(&peer, "Subject: x\r\n\r\nDone.\r\n..dotted\r\n.\r\n"));
}

static void a_5xx_is_final(void **state)
{
    const struct mail mail = mail_to("nobody@example");

    (void)state;
    recipient_reply = "550 no such user\r\n";
    assert_int_equal(send_with(&mail), ERR_DENIED);
    assert_string_equal(error.text, "mail to nobody@example: 550 no such user");
}

static void a_4xx_may_be_tried_again(void **state)
{
    const struct mail mail = mail_to("olga@example");

    (void)state;
    data_reply = "451 greylisted\r\n";
    assert_int_equal(send_with(&mail), ERR_UNAVAILABLE);
    assert_string_equal(error.text, "mail to olga@example: 451 greylisted");
}

static void a_server_without_ehlo_still_says_why(void **state)
{
    const struct mail mail = mail_to("olga@example");

    (void)state;
    ehlo_reply = "502 what?\r\n";
    recipient_reply = "450 mailbox busy\r\n";
    assert_int_equal(send_with(&mail), ERR_UNAVAILABLE);
    assert_string_equal(error.text, "mail to olga@example: 450 mailbox busy");
}

static void a_password_is_never_sent_in_the_clear(void **state)
{
    struct mail mail = mail_to("olga@example");

    (void)state;
    mail.user = "slipway";
    mail.password = "secret";
    ehlo_reply = "250-here\r\n250 AUTH PLAIN LOGIN\r\n";
    assert_int_equal(send_with(&mail), ERR_UNAVAILABLE);
    assert_false(peer_heard(&peer, "AUTH"));
    assert_null(strstr(error.text, "secret"));
}

static void an_address_cannot_bring_commands(void **state)
{
    const struct mail mail = mail_to("olga@example>\r\nRCPT TO:<mallory@example");

    (void)state;
    assert_int_equal(send_with(&mail), ERR_INVALID);
    assert_int_equal(peer.connections, 0);
}

static void only_mail_servers_get_mail(void **state)
{
    struct mail mail = mail_to("olga@example");

    (void)state;
    mail.server = "file:///tmp/x";
    assert_int_equal(send_with(&mail), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mail_arrives, setup),
        cmocka_unit_test_setup(a_5xx_is_final, setup),
        cmocka_unit_test_setup(a_4xx_may_be_tried_again, setup),
        cmocka_unit_test_setup(a_server_without_ehlo_still_says_why, setup),
        cmocka_unit_test_setup(a_password_is_never_sent_in_the_clear, setup),
        cmocka_unit_test_setup(an_address_cannot_bring_commands, setup),
        cmocka_unit_test_setup(only_mail_servers_get_mail, setup),
    };
    int failed;

    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_start(&error) != ERR_OK)
        return 1;
    failed = cmocka_run_group_tests_name("curl mail", tests, NULL, NULL);
    curl_stop();
    return failed;
}
