/* Streams, for stream.c (loop thread: coming and going) and stream_push.c (herald: news). */
#ifndef SERVICES_GATEWAY_STREAM_INTERNAL_H
#define SERVICES_GATEWAY_STREAM_INTERNAL_H

#include "services/gateway/stream.h"

enum {
    STREAMS_MAX = 1000,
    STREAM_TOPICS_MAX = 512,
    STREAM_SUBJECT_MAX = 128,
    STREAM_SEEN_MAX = 1024,
};

/* Who watches what. topics as asked for, with commas around: ",deployments,deployment:a.1,". */
struct stream {
    uint64_t id; /* 0: free. */
    char topics[STREAM_TOPICS_MAX];
    char subject[STREAM_SUBJECT_MAX];
};

/* What was pushed last of a deployment, and when. */
struct seen {
    char id[STREAM_SUBJECT_MAX];
    uint64_t version;
    int64_t at_ms;
};

struct gateway_streams {
    /* Under the gateway's lock. */
    struct stream item[STREAMS_MAX];
    size_t count;
    bool flags_changed;
    size_t letters; /* Dead letters that have come in and were not told yet. */

    /* Of the herald. */
    struct seen seen[STREAM_SEEN_MAX];
    size_t next_seen;
    int64_t since_ms; /* Nothing older has to be looked at again. */
    int64_t next_ms;
    int64_t ping_ms;
};

#endif
