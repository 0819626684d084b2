#include "services/gateway/feed.h"

#include "common/base/json.h"
#include "common/wire/pbjson.h"
#include "common/wire/topics.h"
#include "services/gateway/resources.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PREVIEW_MAX = 256, LETTER_MEMORY = 8 << 20 };

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

static void ring_add(struct ring *ring, struct pb_bytes packed)
{
    struct pb_bytes *const place = &ring->item[ring->added % FEED_KEEPS];
    uint8_t *const copy = malloc(packed.length > 0 ? packed.length : 1);

    if (copy == NULL)
        abort();
    if (packed.length > 0)
        memcpy(copy, packed.bytes, packed.length);
    drop(place);
    *place = (struct pb_bytes){ copy, packed.length };
    ring->added++;
}

/* Of a dead letter only as much as is shown. */
static void add_dead_letter(struct gateway_feed *feed, struct pb_bytes packed)
{
    struct arena arena = arena_with_limit(LETTER_MEMORY);
    struct error error = { 0 };
    void *message = NULL;
    Pb__DeadLetter *letter;

    if (pb_unpack(&arena, &pb__dead_letter__descriptor, packed, &message, &error) == ERR_OK) {
        letter = message;
        if (letter->bytes.len > PREVIEW_MAX)
            letter->bytes.len = PREVIEW_MAX;
        ring_add(&feed->dead_letters, pb_pack(&arena, letter));
    }
    arena_release(&arena);
}

void feed_add(struct gateway_feed *feed, const struct bus_record *record)
{
    const struct pb_bytes packed = { record->bytes, record->length };

    if (strcmp(record->topic, TOPIC_SIGNALS) == 0)
        ring_add(&feed->signals, packed);
    else if (strcmp(record->topic, TOPIC_DEAD_LETTER) == 0)
        add_dead_letter(feed, packed);
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

static void write_signal(struct gateway_call *call,
                         struct json *json,
                         struct pb_bytes packed,
                         uint64_t after)
{
    struct error error = { 0 };
    void *message = NULL;
    const Pb__Signal *signal;

    if (pb_unpack(call_item(call), &pb__signal__descriptor, packed, &message, &error) != ERR_OK)
        return;
    signal = message;
    if (text_filter(call, "feature", signal->feature) && signal->sequence > after)
        pbjson_put(json, NULL, signal, PBJSON_SET);
}

/* Copies, oldest first, so that nobody who evaluates a flag waits for the writing. */
static size_t copy_feed(struct gateway_call *call,
                        bool (*at)(const struct gateway_feed *feed,
                                   size_t place,
                                   struct pb_bytes *ret),
                        struct pb_bytes ret[FEED_KEEPS])
{
    struct pb_bytes packed;
    size_t count = 0;

    (void)pthread_mutex_lock(&call->gateway->lock);
    while (count < FEED_KEEPS && at(call->gateway->feed, count, &packed)) {
        ret[count].bytes =
            (const uint8_t *)arena_copy(call->arena, packed.bytes, packed.length);
        ret[count++].length = packed.length;
    }
    (void)pthread_mutex_unlock(&call->gateway->lock);
    return count;
}

void get_signals(struct gateway_call *call)
{
    struct pb_bytes *const signals =
        arena_alloc(call->arena, FEED_KEEPS * sizeof(struct pb_bytes));
    uint64_t after = 0;
    struct json json;
    size_t count;

    if (!call_number(call, &(struct query_number){ "after", 0, INT64_MAX, 0 }, &after))
        return;
    count = copy_feed(call, feed_signal, signals);
    json = call_json(call);
    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++)
        write_signal(call, &json, signals[i], after);
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}

/* --- dead letters --- */

/* The length of a word after which a secret stands; 0 if text does not begin with one. */
static size_t secret_word(const char *text)
{
    static const char *const words[] = { "password", "passwd", "token",  "secret",
                                         "bearer",   "apikey", "api_key" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncasecmp(text, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    }
    return 0;
}

/* "password": "hunter2" -> "password": "*******" */
static void mask_secrets(char *text)
{
    while (*text != '\0') {
        const size_t word = secret_word(text);

        if (word == 0) {
            text++;
            continue;
        }
        text += word;
        text += strspn(text, " \"':=.");
        while (*text != '\0' && strchr(" \"',;}&", *text) == NULL)
            *text++ = '*';
    }
}

/* What can be read of the bytes; the rest as dots. */
static const char *preview_of(struct arena *arena, const ProtobufCBinaryData *bytes)
{
    const size_t length = bytes->len < PREVIEW_MAX ? bytes->len : PREVIEW_MAX;
    char *const preview = arena_alloc(arena, length + 1);

    for (size_t i = 0; i < length; i++)
        preview[i] =
            bytes->data[i] >= 0x20 && bytes->data[i] < 0x7f ? (char)bytes->data[i] : '.';
    mask_secrets(preview);
    return preview;
}

static void write_dead_letter(struct gateway_call *call,
                              struct json *json,
                              struct pb_bytes packed)
{
    struct error error = { 0 };
    void *message = NULL;
    Pb__DeadLetter *letter;

    if (pb_unpack(call_item(call), &pb__dead_letter__descriptor, packed, &message, &error) !=
        ERR_OK)
        return;
    letter = message;
    json_put_object(json, NULL);
    json_put_text(json, "sender", letter->source);
    json_put_text(json, "preview", preview_of(call->item, &letter->bytes));
    letter->bytes.len = 0;
    pbjson_put_fields(json, letter, PBJSON_FULL);
    json_end_object(json);
}

void show_dead_letter(struct gateway_call *call, size_t back)
{
    struct pb_bytes *const letters =
        arena_alloc(call->arena, FEED_KEEPS * sizeof(struct pb_bytes));
    const size_t count = copy_feed(call, feed_dead_letter, letters);
    struct json json = call_json(call);

    if (back < count)
        write_dead_letter(call, &json, letters[count - 1 - back]);
}

void get_dead_letters(struct gateway_call *call)
{
    struct pb_bytes *const letters =
        arena_alloc(call->arena, FEED_KEEPS * sizeof(struct pb_bytes));
    const size_t count = copy_feed(call, feed_dead_letter, letters);
    struct json json = call_json(call);

    json_put_object(&json, NULL);
    json_put_array(&json, "items");
    for (size_t i = 0; i < count; i++)
        write_dead_letter(call, &json, letters[i]);
    json_end_array(&json);
    json_put_null(&json, "next");
    json_end_object(&json);
}
