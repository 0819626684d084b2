/* A run kept for tests/replay: the records that the coordinator believes, and the SHA-256 of
 * every state they left in Redis. */
#include "common/adapters/memory/space.h"
#include "common/wire/digest.h"
#include "common/wire/topics.h"
#include "services/coordinator/record.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 512, BYTE_BITS = 8, RECORDS_MAX = 64 * 1024 };

static const char magic[] = "slipway log 1\n";

/* Little-endian. */
static void put_number(FILE *file, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        (void)fputc((int)(number >> i * BYTE_BITS & 255), file);
}

static void put_text(FILE *file, const char *text)
{
    put_number(file, strlen(text), 2);
    (void)fputs(text, file);
}

static void put_record(FILE *file, const struct bus_record *record)
{
    put_number(file, (uint64_t)record->partition, 4);
    put_number(file, (uint64_t)record->offset, 8);
    put_number(file, (uint64_t)record->at_ms, 8);
    put_text(file, record->key);
    put_text(file, bus_header(record, "ce_id"));
    put_number(file, record->length, 4);
    (void)fwrite(record->bytes, 1, record->length, file);
}

/* Forged and broken ones are dead letters, and for nobody. */
static bool is_believed(struct world *world, const struct bus_record *record)
{
    const struct service_ports ports = { .keys = &world->set->keys };
    struct coordinator *const shell = arena_alloc(&world->scratch, sizeof *shell);
    struct heard heard;
    struct error why = { 0 };

    shell->ports = &ports;
    return record_hear(shell, &world->scratch, record, &heard, &why) == ERR_OK &&
           heard.target != AGGREGATE_NONE;
}

static size_t believed(struct world *world, const struct bus_record **ret)
{
    const int32_t partitions = (int32_t)world->set->settings[0]->kafka.partitions;
    const struct bus_record *record;
    size_t count = 0;

    for (int32_t p = 0; p < partitions; p++) {
        for (int64_t o = 0;
             (record = memory_broker_record(world->broker, TOPIC_EVENTS, p, o)) != NULL &&
             count < RECORDS_MAX;
             o++) {
            arena_reset(&world->scratch);
            if (is_believed(world, record))
                ret[count++] = record;
        }
    }
    return count;
}

/* By time; a partition's clock does not go back here. */
static int by_time(const void *a, const void *b)
{
    const struct bus_record *const left = *(const struct bus_record *const *)a;
    const struct bus_record *const right = *(const struct bus_record *const *)b;

    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

static FILE *create(const char *path, const char *end)
{
    char name[PATH_SIZE];
    FILE *file;

    (void)snprintf(name, sizeof name, "%s%s", path, end);
    file = fopen(name, "wb");
    if (file == NULL) {
        perror(name);
        exit(2);
    }
    return file;
}

static void write_log(struct world *world, const char *path)
{
    const struct bus_record **const records =
        arena_alloc(&world->arena, RECORDS_MAX * sizeof *records);
    const size_t count = believed(world, records);
    FILE *const file = create(path, ".log");

    qsort(records, count, sizeof *records, by_time);
    (void)fputs(magic, file);
    put_number(file, count, 4);
    for (size_t i = 0; i < count; i++)
        put_record(file, records[i]);
    (void)fclose(file);
}

/* "dep:pay.1" of "slipway:{0}:dep:pay.1"; NULL for what is no state. */
static const char *state_name(const char *key)
{
    static const char *const kinds[] = { "}:dep:", "}:lane:", "}:feature:" };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *const place = strstr(key, kinds[i]);

        if (place != NULL)
            return place + strlen("}:");
    }
    return NULL;
}

static void write_digests(struct world *world, const char *path)
{
    FILE *const file = create(path, ".digests");

    for (size_t i = 0; i < world->space->count; i++) {
        const struct space_entry *const entry = &world->space->entries[i];
        const char *const name = state_name(entry->key);
        char digest[DIGEST_HEX_SIZE];

        if (name == NULL || entry->count == 0)
            continue;
        digest_sha256(entry->fields[0].bytes, entry->fields[0].length, digest);
        (void)fprintf(file, "%s %s\n", name, digest);
    }
    (void)fclose(file);
}

void world_keep(struct world *world, const char *path)
{
    write_log(world, path);
    write_digests(world, path);
}
