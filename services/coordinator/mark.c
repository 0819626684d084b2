#include "services/coordinator/mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BASE = 10 };

struct mark_field {
    const char *name;
    char *place;
    size_t size;
};

static void field_read(const struct store_field *field, struct log_mark *mark)
{
    const struct mark_field places[] = {
        { "genesis", mark->genesis, sizeof mark->genesis },
        { "cluster", mark->cluster, sizeof mark->cluster },
        { "owner", mark->owner, sizeof mark->owner },
        { "ready", mark->ready, sizeof mark->ready },
        { "ce_id", mark->ce_id, sizeof mark->ce_id },
        { "before", mark->before, sizeof mark->before },
        { "chain", mark->chain, sizeof mark->chain },
    };

    if (strcmp(field->name, "offset") == 0)
        mark->offset = strtoll(field->value.bytes, NULL, NUMBER_BASE);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(field->name, places[i].name) == 0)
            (void)snprintf(places[i].place, places[i].size, "%s", field->value.bytes);
    }
}

enum err mark_read(struct coordinator *shell,
                   int32_t partition,
                   struct log_mark *ret,
                   struct error *error)
{
    const char *const key = KEY_LOG(&shell->arena, partition, shell_prefix(shell));
    struct log_mark mark = { .offset = -1 };
    struct store_field *fields = NULL;
    size_t count = 0;
    const enum err err =
        shell->store.hash_all(shell->store.self, &shell->arena, key, &fields, &count, error);

    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    for (size_t i = 0; i < count; i++)
        field_read(&fields[i], &mark);
    *ret = mark;
    return ERR_OK;
}

static const char *id_of(const struct bus_record *record)
{
    const char *const id = bus_header(record, "ce_id");

    return id != NULL ? id : "";
}

static void chain_next(struct arena *arena,
                       const char *before,
                       const struct bus_record *record,
                       char ret[DIGEST_HEX_SIZE])
{
    char payload[DIGEST_HEX_SIZE];
    const char *all;

    digest_sha256(record->bytes, record->length, payload);
    all = arena_printf(arena, "%s\n%s\n%s\n%s", before, id_of(record), record->key, payload);
    digest_sha256(all, strlen(all), ret);
}

void mark_pass(struct arena *arena, struct log_mark *mark, const struct bus_record *record)
{
    memcpy(mark->before, mark->chain, sizeof mark->before);
    chain_next(arena, mark->before, record, mark->chain);
    (void)snprintf(mark->ce_id, sizeof mark->ce_id, "%s", id_of(record));
    mark->offset = record->offset;
}

bool mark_matches(struct arena *arena,
                  const struct log_mark *mark,
                  const struct bus_record *record)
{
    char chain[DIGEST_HEX_SIZE];

    chain_next(arena, mark->before, record, chain);
    return record->offset == mark->offset && strcmp(chain, mark->chain) == 0;
}

/* The genesis message of the first record, or NULL. Whether its writer can still be proven does
 * not matter: it tells logs apart, and keys change in the life of one. */
static const Pb__Genesis *genesis_of(struct arena *arena, const struct bus_record *first)
{
    struct error why = { 0 };
    void *unpacked = NULL;
    const Pb__Event *event;

    if (pb_unpack(arena,
                  &pb__event__descriptor,
                  (struct pb_bytes){ first->bytes, first->length },
                  &unpacked,
                  &why) != ERR_OK)
        return NULL;
    event = unpacked;
    return event->body_case == PB__EVENT__BODY_GENESIS ? event->genesis : NULL;
}

void mark_identify(struct arena *arena, const struct bus_record *first, char *ret, size_t size)
{
    const Pb__Genesis *const genesis = genesis_of(arena, first);
    char digest[DIGEST_HEX_SIZE];

    if (genesis != NULL) {
        (void)snprintf(ret, size, "%s", genesis->id);
        return;
    }
    chain_next(arena, "", first, digest);
    (void)snprintf(ret, size, "record:%s", digest);
}

uint32_t mark_partitions(struct arena *arena, const struct bus_record *first)
{
    const Pb__Genesis *const genesis = genesis_of(arena, first);

    return genesis != NULL ? genesis->partitions : 0;
}

void mark_write(struct writes *writes, const struct log_mark *mark)
{
    const char *const key = KEY_LOG(writes->arena, writes->partition, writes->prefix);

    writes_hash_text(writes, key, "genesis", arena_text(writes->arena, mark->genesis));
    writes_hash_text(writes, key, "cluster", arena_text(writes->arena, mark->cluster));
    writes_hash_text(writes, key, "before", arena_text(writes->arena, mark->before));
    writes_hash_text(writes, key, "chain", arena_text(writes->arena, mark->chain));
    writes_hash_text(writes, key, "ce_id", arena_text(writes->arena, mark->ce_id));
    writes_hash_int(writes, key, "offset", mark->offset);
}

size_t mark_guards(struct writes *writes, const struct log_mark *mark, struct store_guard *ret)
{
    const char *const key = KEY_LOG(writes->arena, writes->partition, writes->prefix);
    const bool owned = mark->owner[0] != '\0';
    const char *const offset =
        mark->offset < 0 ? NULL : arena_printf(writes->arena, "%lld", (long long)mark->offset);

    ret[0] = (struct store_guard){ key,
                                   "owner",
                                   owned ? arena_text(writes->arena, mark->owner) : NULL };
    ret[1] = (struct store_guard){ key, "offset", offset };
    return MARK_GUARDS;
}
