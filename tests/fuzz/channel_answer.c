/* Any bytes as what a ticket system or a webhook answers, request by request: never a crash,
 * and never a notice that is not delivered without a reason. */
#include "tests/unit/channels/fake_channels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left to answer with; each answer ends at a NUL. */
struct answers {
    const uint8_t *data;
    size_t size;
};

static enum err perform(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    static const int statuses[] = { 200, 200, 201, 204, 404, 409, 429, 500 };
    struct answers *const answers = self;
    const size_t length = strnlen((const char *)answers->data, answers->size);

    (void)request;
    if (answers->size == 0)
        return error_set(error, ERR_UNAVAILABLE, "nobody answers");
    *ret = (struct http_response){ .status = statuses[answers->data[0] % 8] };
    ret->headers[0] =
        (struct http_header){ "retry-after", arena_copy(arena, answers->data, length) };
    ret->header_count = 1;
    ret->body = length > 0 ? arena_copy(arena, answers->data + 1, length - 1) : "";
    ret->body_length = length > 0 ? length - 1 : 0;
    answers->data += length < answers->size ? length + 1 : length;
    answers->size -= length < answers->size ? length + 1 : length;
    return ERR_OK;
}

static void send_all(struct fake_channels *fake, const uint8_t *data, size_t size)
{
    static const char *const purposes[] = {
        "notify.deployment", "jira.status", "jira.version", "jira.documents"
    };

    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        for (size_t c = 0; c < fake->settings.channel_count; c++) {
            struct answers answers = { data, size };
            struct delivery_note note = { 0 };
            struct error error = { 0 };

            if (strcmp(fake->channel[c].driver, "mail") == 0)
                continue;
            fake->env.http = (struct http_client){ .self = &answers, .perform = perform };
            fake->notice.purpose = purposes[i];
            if (channel_send(
                    &fake->env, fake->channel[c].name, &fake->notice, NULL, &note, &error) !=
                    ERR_OK &&
                error.text[0] == '\0')
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_channels fake;

    if (size > 64 * 1024)
        return 0;
    fake_channels_open(&fake);
    send_all(&fake, data, size);
    fake_channels_close(&fake);
    return 0;
}
