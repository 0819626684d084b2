/* Streams, in parts: stream.c (loop thread: coming and going), stream_history.c (what those who
 * were away get), stream_push.c and stream_items.c (herald: news). */
#ifndef SERVICES_GATEWAY_STREAM_INTERNAL_H
#define SERVICES_GATEWAY_STREAM_INTERNAL_H

#include "common/base/json.h"
#include "services/gateway/stream.h"

enum {
    STREAMS_MAX = 1000,
    STREAM_TOPICS_MAX = 512,
    STREAM_SUBJECT_MAX = 128,
    STREAM_SEEN_MAX = 4096,
    STREAM_ROLES_MAX = 256,
    STREAM_KEYS_MAX = 64,
    STREAM_KEY_MAX = 300,
    STREAM_INSTANCES_MAX = 128,
    STREAM_SAMPLED_MAX = 64,
    NEWS_MAX = 4096,
    NEWS_BYTES_MAX = 16 << 20,     /* Together. */
    NEWS_KEPT_MS = 10 * 60 * 1000, /* For those who were away. */
};

/* Who watches what. topics as asked for, with commas around: ",deployments,deployment:a.1,".
 * A place whose stream is over is kept for a while, so that the news it would have had can be
 * had by whoever comes back. */
struct stream {
    uint64_t id;     /* 0: over, or never there. */
    bool kept;       /* It is over, and its place is kept. */
    int64_t left_ms; /* Monotonic: since when. */
    const Pb__Actor *actor;
    char topics[STREAM_TOPICS_MAX];
    char subject[STREAM_SUBJECT_MAX];
};

/* For whom a piece of news is: everybody who watches topic, or other (NULL: none), and has the
 * role (NULL: any), and is that one (NULL: anybody). */
struct audience {
    const char *topic;
    const char *other;
    const char *role;
    const Pb__Actor *actor;
    const char *whole; /* The news says everything about that: what was said before may be
                          forgotten. NULL: it does not. */
};

/* A piece of news as it was sent. Everything owned. */
struct news {
    int64_t at_ms;
    uint64_t whole; /* Of what it says everything; 0: it says only what is new. */
    char *topic;
    char *other;            /* NULL: none. */
    char *role;             /* NULL: any. */
    const Pb__Actor *actor; /* NULL: anybody; borrowed from auth. */
    char *bytes;
    size_t length;
};

/* News number n stands at item[n % NEWS_MAX]; first <= n < next. */
struct history {
    char origin[17]; /* Tells our numbers from another gateway's, or those before a restart. */
    struct news item[NEWS_MAX];
    uint64_t first;
    uint64_t next;
    uint64_t complete; /* From this number on, nobody who may come back has missed any. */
    size_t bytes;
};

/* What was pushed last of a deployment, and when; and who was asked then. */
struct seen {
    char id[STREAM_SUBJECT_MAX];
    uint64_t version;
    int64_t at_ms;
    int64_t listed_at;            /* Its place in its list then. */
    char asked[STREAM_ROLES_MAX]; /* ",technical-lead," */
};

/* An instance as it was told last. */
struct told_instance {
    char name[STREAM_SUBJECT_MAX]; /* "": free. */
    char digest[DIGEST_HEX_SIZE];
    bool here;
};

/* Of which deployment samples were told, and up to when. */
struct sampled {
    char id[STREAM_SUBJECT_MAX];
    int64_t at_ms;
};

struct gateway_streams {
    /* Under the gateway's lock. */
    int64_t began_ms; /* Since when there have been some. */
    struct stream item[STREAMS_MAX];
    size_t count;                               /* Places in use: those here, and those kept. */
    char keys[STREAM_KEYS_MAX][STREAM_KEY_MAX]; /* Of control.v1: changed and not told yet. */
    size_t key_count;                           /* More than STREAM_KEYS_MAX: too many. */
    size_t letters; /* Dead letters that have come in and were not told yet. */
    struct history history;

    /* Of the herald. */
    struct text event;
    struct seen seen[STREAM_SEEN_MAX];
    struct told_instance instances[STREAM_INSTANCES_MAX];
    bool health_told; /* Once: from then on differences. */
    struct sampled sampled[STREAM_SAMPLED_MAX];
    size_t next_sampled;
    int64_t since_ms; /* The newest update there was. */
    int64_t next_ms;
    int64_t slow_ms; /* When instances and samples are looked at next. */
    int64_t ping_ms;
};

/* With the lock: whether that news is for this place, here or kept. */
bool stream_wants(const struct stream *stream, const struct audience *audience);

/* With the lock: places whose time is up are given free. */
void streams_expire(struct gateway_streams *streams, int64_t now_ms);

/* stream_history.c, all with the lock. An empty one with an origin of its own. */
void history_open(struct history *history);
void history_close(struct history *history);

/* "<origin>-<number>": the id of that piece of news. history_add takes number `next`. */
void history_name(const struct history *history, uint64_t number, struct text *ret);
void history_add(struct history *history,
                 const struct audience *audience,
                 const struct text *event,
                 int64_t now_ms);

/* Appends what that place has missed since the id it had last. NULL; or, with nothing appended,
 * why that cannot be said. */
const char *history_catch_up(const struct history *history,
                             const struct stream *stream,
                             const char *last_id,
                             struct text *out);

/* stream_push.c. Herald: a call that keeps what the bench's arenas hold; its answer goes into
 * the bench's text. */
struct gateway_call call_beside(struct gateway *gateway, struct bench *bench);

/* A writer of text, which is emptied. */
struct json json_afresh(struct text *text);

/* Herald: to all whom it is for, and into the history. data is one JSON object.
 */
void stream_tell(struct gateway *gateway,
                 const struct audience *audience,
                 const char *name,
                 const struct text *data);

/* {"id", "gone": true} */
void stream_tell_gone(struct gateway *gateway,
                      struct bench *bench,
                      const struct audience *audience,
                      const char *name,
                      const char *id);

/* Tells them to read again. */
void stream_tell_reset(struct gateway *gateway,
                       struct bench *bench,
                       const struct audience *audience,
                       const char *why);

/* stream_items.c. Herald: what came in since the last round, one event for each. */
void tell_control(struct gateway *gateway, struct bench *bench);
void tell_letters(struct gateway *gateway, struct bench *bench);
void tell_health(struct gateway *gateway, struct bench *bench);
void tell_samples(struct gateway *gateway, struct bench *bench);

#endif
