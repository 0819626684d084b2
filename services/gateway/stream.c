/* Coming and going of those who watch. */
#include "services/gateway/stream_internal.h"

#include "common/base/json.h"
#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>

enum { RETRY_S = 10 };

struct gateway_streams *streams_new(void)
{
    struct gateway_streams *const streams = calloc(1, sizeof *streams);

    if (streams == NULL)
        abort();
    return streams;
}

void streams_free(struct gateway_streams *streams)
{
    free(streams);
}

/* --- coming and going --- */

static size_t streams_of(const struct gateway_streams *streams, const char *subject)
{
    size_t count = 0;

    for (size_t i = 0; i < STREAMS_MAX; i++)
        count += streams->item[i].id != 0 && strcmp(streams->item[i].subject, subject) == 0;
    return count;
}

static struct stream *free_stream(struct gateway_streams *streams)
{
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (streams->item[i].id == 0)
            return &streams->item[i];
    }
    return NULL;
}

/* "deployment:express-pay.3", or one of the words. */
static bool is_topic(const char *topic, size_t length)
{
    static const char *const words[] = { "deployments", "flags",  "freezes",
                                         "inbox",       "health", "dead-letters" };
    static const char one[] = "deployment:";

    if (length > sizeof one - 1 && strncmp(topic, one, sizeof one - 1) == 0)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == length && strncmp(words[i], topic, length) == 0)
            return true;
    }
    return false;
}

static bool check_topics(struct gateway_call *call, const char *topics)
{
    const char *rest = topics;

    while (rest != NULL && *rest != '\0') {
        const size_t length = strcspn(rest, ",");

        if (!is_topic(rest, length))
            break;
        rest += length + (rest[length] == ',');
    }
    if (rest == NULL || (*rest == '\0' && strlen(topics) + 3 < STREAM_TOPICS_MAX))
        return true;
    call_problem(call,
                 &(struct problem){ .code = "malformed",
                                    .field = "topics",
                                    .detail =
                                        "topics are deployments, deployment:ID, inbox, flags, "
                                        "freezes, dead-letters, health, at most 500 bytes" });
    return false;
}

void get_stream(struct gateway_call *call)
{
    const char *const last = call_header(call, "last-event-id");
    struct json json;

    if (!check_topics(call, call_query(call, "topics")))
        return;
    call->status = 200;
    call->content_type = "text/event-stream";
    call->stream = true;
    text_add(&call->out, "event: hello\ndata: ");
    json = json_into(&call->out);
    json_put_object(&json, NULL);
    json_put_int(&json, "as_of_ms", call->gateway->as_of_ms);
    json_put_text(&json, "version", SLIPWAY_VERSION);
    json_put_text(&json, "me", call->actor->subject);
    json_end_object(&json);
    text_add(&call->out, "\n\n");
    /* Nothing is kept for those who were away: they read the resources again. */
    if (last != NULL)
        text_add(&call->out, "event: reset\ndata: {\"why\":\"the connection was lost\"}\n\n");
}

/* A place among the streams, if there is one and the subject has not too many. */
static bool take_place(struct gateway_call *call, uint64_t id)
{
    struct gateway *const gateway = call->gateway;
    const char *const topics = call_query(call, "topics");
    const char *const subject = call->actor->subject;
    struct stream *stream = NULL;

    if (streams_of(gateway->streams, subject) <
        gateway->ports->settings->gateway.streams_per_token)
        stream = free_stream(gateway->streams);
    if (stream != NULL) {
        struct text list = text_over(stream->topics, sizeof stream->topics);

        text_add(&list, ",%s,", topics != NULL ? topics : "deployments");
        memcpy(stream->subject, subject, strlen(subject) + 1);
        stream->id = id;
        gateway->streams->count++;
    }
    return stream != NULL;
}

bool stream_register(struct gateway_call *call, uint64_t id)
{
    struct gateway *const gateway = call->gateway;
    bool taken = false;

    if (strlen(call->actor->subject) < STREAM_SUBJECT_MAX) {
        (void)pthread_mutex_lock(&gateway->lock);
        taken = take_place(call, id);
        (void)pthread_mutex_unlock(&gateway->lock);
    }
    if (taken)
        return true;
    call->stream = false;
    call->retry_after_s = RETRY_S;
    call_problem(call,
                 &(struct problem){ .code = "too-many",
                                    .detail = "too many live updates are open",
                                    .remedy = "Close one of them." });
    return false;
}

void stream_forget(struct gateway *gateway, uint64_t id)
{
    (void)pthread_mutex_lock(&gateway->lock);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (gateway->streams->item[i].id == id && id != 0) {
            gateway->streams->item[i].id = 0;
            gateway->streams->count--;
        }
    }
    (void)pthread_mutex_unlock(&gateway->lock);
}

void streams_flags_changed(struct gateway *gateway)
{
    gateway->streams->flags_changed = true;
}

void streams_letter_came(struct gateway *gateway)
{
    gateway->streams->letters++;
}
