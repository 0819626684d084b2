#include "services/notifier/channels/mail_text.h"

#include "common/base/base64.h"
#include "common/wire/digest.h"
#include "common/wire/envelope.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 256 * 1024, LINE_MAX_BYTES = 76, WORD_BYTES = 42, MS_A_DAY = 86400000 };

const char *mail_message_id(struct arena *arena,
                            const struct notice *notice,
                            const char *from,
                            const char *to)
{
    const char *const at = strrchr(from, '@');
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(to, strlen(to), hex);
    return arena_printf(arena,
                        "%s.%.12s@%s",
                        notice->id,
                        hex,
                        at != NULL && at[1] != '\0' ? at + 1 : "slipway.invalid");
}

/* "Mon, 23 Nov 2026 08:24:00 +0000" */
static const char *date_of(struct arena *arena, int64_t ms)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday. */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *const rfc = envelope_time(arena, ms);
    const long month = strtol(rfc + 5, NULL, 10);

    return arena_printf(arena,
                        "%.3s, %.2s %.3s %.4s %.8s +0000",
                        days + 3 * (ms / MS_A_DAY % 7),
                        rfc + 8,
                        months + 3 * (month - 1),
                        rfc,
                        rfc + 11);
}

static bool is_plain(const char *value)
{
    for (; *value != '\0'; value++) {
        if ((unsigned char)*value < 0x20 || (unsigned char)*value >= 0x7f)
            return false;
    }
    return true;
}

/* How many bytes, at most max, end between two characters of UTF-8. */
static size_t whole_characters(const char *value, size_t length, size_t max)
{
    if (length <= max)
        return length;
    while (max > 0 && ((unsigned char)value[max] & 0xc0) == 0x80)
        max--;
    return max;
}

/* Plain text as it is, short enough for one line; anything else as encoded words (RFC 2047),
 * each of which holds whole characters. Line ends become spaces before. */
static void add_subject(struct text *out, struct arena *arena, const char *value)
{
    char *const line = arena_copy(arena, value, strlen(value));
    size_t left = strlen(line);
    const char *at = line;

    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
    text_add(out, "Subject: ");
    if (is_plain(line) && left <= LINE_MAX_BYTES - 10) {
        text_add(out, "%s\r\n", line);
        return;
    }
    while (left > 0) {
        const size_t word = whole_characters(at, left, WORD_BYTES);

        text_add(out, "%s=?utf-8?B?", at == line ? "" : "\r\n ");
        base64_write(out, at, word);
        text_add(out, "?=");
        at += word;
        left -= word;
    }
    text_add(out, "\r\n");
}

/* Quoted-printable: readable as it stands, and safe on any road. */
static void add_body(struct text *out, const char *body)
{
    size_t column = 0;

    for (; *body != '\0'; body++) {
        const unsigned char c = (unsigned char)*body;
        const bool at_end = body[1] == '\n' || body[1] == '\0';
        const bool plain = c >= 0x20 && c < 0x7f && c != '=' && !(c == ' ' && at_end);

        if (c == '\r')
            continue;
        if (c == '\n') {
            text_add(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + (plain ? 1 : 3) > LINE_MAX_BYTES - 1) {
            text_add(out, "=\r\n");
            column = 0;
        }
        if (plain)
            text_add_char(out, (char)c);
        else
            text_add(out, "=%02X", c);
        column += plain ? 1 : 3;
    }
}

const char *mail_message(struct arena *arena,
                         const struct notice *notice,
                         const char *from,
                         const char *to,
                         int64_t now_ms)
{
    struct text text = text_new(MESSAGE_MAX);
    const char *copy = NULL;

    text_add(&text, "Date: %s\r\n", date_of(arena, now_ms));
    text_add(&text, "From: <%s>\r\nTo: <%s>\r\n", from, to);
    text_add(&text, "Message-ID: <%s>\r\n", mail_message_id(arena, notice, from, to));
    add_subject(&text, arena, arena_printf(arena, "[slipway] %s", notice->title));
    text_add(&text,
             "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
             "Content-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    add_body(&text, notice_text(arena, notice));
    if (text_ok(&text))
        copy = arena_text(arena, text.bytes);
    text_release(&text);
    return copy;
}
