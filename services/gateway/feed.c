#include "services/gateway/feed.h"

#include "common/base/json.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>

enum { PREVIEW_MAX = 256 };

/* A ring of packed messages; `added` counts all that ever came. */
struct ring {
    struct pb_bytes item[FEED_KEEPS];
    size_t added;
};

struct gateway_feed {
    struct ring signals;
    struct ring dead_letters;
};

struct gateway_feed *feed_new(void)
{
    struct gateway_feed *const feed = calloc(1, sizeof *feed);

    if (feed == NULL)
        abort();
    return feed;
}

static void drop(struct pb_bytes *item)
{
    union {
        const uint8_t *bytes;
        void *memory;
    } owned = { .bytes = item->bytes };

    free(owned.memory);
    *item = (struct pb_bytes){ 0 };
}

void feed_free(struct gateway_feed *feed)
{
    if (feed == NULL)
        return;
    for (size_t i = 0; i < FEED_KEEPS; i++) {
        drop(&feed->signals.item[i]);
        drop(&feed->dead_letters.item[i]);
    }
    free(feed);
}

static void ring_add(struct ring *ring, const struct bus_record *record)
{
    struct pb_bytes *const place = &ring->item[ring->added % FEED_KEEPS];
    uint8_t *const copy = malloc(record->length > 0 ? record->length : 1);

    if (copy == NULL)
        abort();
    if (record->length > 0)
        memcpy(copy, record->bytes, record->length);
    drop(place);
    *place = (struct pb_bytes){ copy, record->length };
    ring->added++;
}

void feed_add(struct gateway_feed *feed, const struct bus_record *record)
{
    if (strcmp(record->topic, TOPIC_SIGNALS) == 0)
        ring_add(&feed->signals, record);
    else if (strcmp(record->topic, TOPIC_DEAD_LETTER) == 0)
        ring_add(&feed->dead_letters, record);
}

static bool ring_at(const struct ring *ring, size_t place, struct pb_bytes *ret)
{
    const size_t kept = ring->added < FEED_KEEPS ? ring->added : FEED_KEEPS;

    if (place >= kept)
        return false;
    *ret = ring->item[(ring->added - kept + place) % FEED_KEEPS];
    return true;
}

bool feed_signal(const struct gateway_feed *feed, size_t place, struct pb_bytes *ret)
{
    return ring_at(&feed->signals, place, ret);
}

bool feed_dead_letter(const struct gateway_feed *feed, size_t place, struct pb_bytes *ret)
{
    return ring_at(&feed->dead_letters, place, ret);
}

/* --- the resources --- */

static void write_signal(struct gateway_call *call, struct json *json, struct pb_bytes packed)
{
    const char *const feature = call_query(call, "feature");
    const char *const after = call_query(call, "after");
    struct error error = { 0 };
    void *message = NULL;
    const Pb__Signal *signal;

    if (pb_unpack(call->arena, &pb__signal__descriptor, packed, &message, &error) != ERR_OK)
        return;
    signal = message;
    if (feature != NULL && !pb_same(feature, signal->feature))
        return;
    if (after != NULL && signal->sequence <= strtoull(after, NULL, 10))
        return;
    pbjson_put(json, NULL, signal, PBJSON_SET);
}

void get_signals(struct gateway_call *call)
{
    static const char *const known[] = { "feature", "after", NULL };
    struct json json;
    struct pb_bytes packed;

    if (!call_known_query(call, known))
        return;
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    (void)pthread_mutex_lock(&call->gateway->lock);
    for (size_t i = 0; feed_signal(call->gateway->feed, i, &packed); i++)
        write_signal(call, &json, packed);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    json_end_array(&json);
    json_end_object(&json);
}

/* What can be read of the bytes; the rest as dots. */
static const char *preview_of(struct arena *arena, const ProtobufCBinaryData *bytes)
{
    const size_t length = bytes->len < PREVIEW_MAX ? bytes->len : PREVIEW_MAX;
    char *const preview = arena_alloc(arena, length + 1);

    for (size_t i = 0; i < length; i++)
        preview[i] =
            bytes->data[i] >= 0x20 && bytes->data[i] < 0x7f ? (char)bytes->data[i] : '.';
    return preview;
}

static void write_dead_letter(struct gateway_call *call,
                              struct json *json,
                              struct pb_bytes packed)
{
    struct error error = { 0 };
    void *message = NULL;
    Pb__DeadLetter *letter;

    if (pb_unpack(call->arena, &pb__dead_letter__descriptor, packed, &message, &error) !=
        ERR_OK)
        return;
    letter = message;
    json_put_object(json, NULL);
    json_put_text(json, "sender", letter->source);
    json_put_text(json, "preview", preview_of(call->arena, &letter->bytes));
    letter->bytes.len = 0;
    pbjson_put_fields(json, letter, PBJSON_SET);
    json_end_object(json);
}

void get_dead_letters(struct gateway_call *call)
{
    struct json json = call_json(call);
    struct pb_bytes packed;

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    (void)pthread_mutex_lock(&call->gateway->lock);
    for (size_t i = 0; feed_dead_letter(call->gateway->feed, i, &packed); i++)
        write_dead_letter(call, &json, packed);
    (void)pthread_mutex_unlock(&call->gateway->lock);
    json_end_array(&json);
    json_end_object(&json);
}
