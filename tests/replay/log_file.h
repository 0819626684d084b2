/* A recorded log: what tests/replay/record wrote, read back. */
#ifndef TESTS_REPLAY_LOG_FILE_H
#define TESTS_REPLAY_LOG_FILE_H

#include "common/wire/pb.h"

struct log_record {
    int64_t offset;
    int64_t at_ms;
    uint32_t partition;
    const char *key;
    const char *id; /* ce_id */
    struct pb_bytes payload;
};

struct log_file {
    struct log_record *records;
    size_t count;
};

/* Everything in the arena. Fails the test when the file is not whole. */
struct log_file log_file_read(struct arena *arena, const char *path);

#endif
