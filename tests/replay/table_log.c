/* slipway-table-log FOLDER: plays every cell of the table of phase x event (table_test.c) and
 * keeps what was heard and what came of it, for replay_test.
 *
 * A log for each group of columns. Each column is reached once; there the log has a record
 * "save" without a key, and after each cell one "back", which names the cell: replay_test notes
 * the state under that name, and goes on from where it stood. */
#include "common/wire/digest.h"
#include "tests/unit/coordinator_core/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { BYTE_BITS = 8, PATH_SIZE = 512 };

struct kept {
    FILE *log;
    FILE *digests;
    uint32_t count;
    Pb__ArtifactKind kinds[2]; /* Of the plan's two changes. */
};

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

static void put_record(struct kept *kept, int64_t at_ms, const char *key, const char *id)
{
    put_number(kept->log, 0, 4);
    put_number(kept->log, kept->count++, 8);
    put_number(kept->log, (uint64_t)at_ms, 8);
    put_text(kept->log, key);
    put_text(kept->log, id);
}

static void keep_event(void *self, const struct procedure_input *input)
{
    struct kept *const kept = self;
    struct arena arena = arena_with_limit(1024 * 1024);
    const struct pb_bytes packed = pb_pack(&arena, input->event);

    put_record(kept, input->at_ms, input->event->feature, input->event_id);
    put_number(kept->log, packed.length, 4);
    (void)fwrite(packed.bytes, 1, packed.length, kept->log);
    arena_release(&arena);
}

static void keep_mark(struct kept *kept, const char *what)
{
    put_record(kept, 0, "", what);
    put_number(kept->log, 0, 4);
}

static void keep_state(struct kept *kept, struct play *play, const char *name)
{
    const struct pb_bytes packed = pb_pack(&play->arena, play->state);
    char digest[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, digest);
    (void)fprintf(kept->digests, "%s %s\n", name, digest);
}

static struct play *opened(const struct kept *kept)
{
    struct play *const play = calloc(1, sizeof *play);

    assert_non_null(play);
    play_open(play);
    for (size_t i = 0; i < 2; i++)
        play->plan->changes[i]->kind = kept->kinds[i];
    return play;
}

static void keep_cell(struct kept *kept, const struct column *column, const struct row *row)
{
    struct play *const play = opened(kept);
    const char *name;

    column->reach(play);
    if (table_has_cell(play, row)) {
        name = arena_printf(&play->arena, "%s: %s", column->name, row->name);
        play->witness = keep_event;
        play->witness_self = kept;
        row->event(play);
        keep_mark(kept, arena_printf(&play->arena, "back %s", name));
        keep_state(kept, play, name);
    }
    play_close(play);
    free(play);
}

static void keep_column(struct kept *kept, const struct column *column)
{
    struct play *const play = opened(kept);

    play->witness = keep_event;
    play->witness_self = kept;
    column->reach(play);
    play_close(play);
    free(play);
    keep_mark(kept, "save");
    for (size_t r = 0; r < TABLE_ROWS; r++)
        keep_cell(kept, column, &table_rows[r]);
    keep_mark(kept, "forget");
}

static FILE *create(const char *folder, const char *name, const char *end)
{
    char path[PATH_SIZE];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    file = fopen(path, "wb");
    if (file == NULL)
        fail_msg("%s: %s", path, strerror(errno));
    return file;
}

struct group {
    const char *name;
    size_t first; /* Column; it ends where the next begins. */
    Pb__ArtifactKind kinds[2];
};

static void keep_columns(const char *folder, const struct group *group)
{
    static const char magic[] = "slipway log 1\n";
    struct kept kept = { .log = create(folder, group->name, ".log"),
                         .digests = create(folder, group->name, ".digests"),
                         .kinds = { group->kinds[0], group->kinds[1] } };

    (void)fputs(magic, kept.log);
    put_number(kept.log, 0, 4);
    for (size_t c = group->first; c < group[1].first; c++)
        keep_column(&kept, &table_columns[c]);
    (void)fseek(kept.log, (long)strlen(magic), SEEK_SET);
    put_number(kept.log, kept.count, 4);
    (void)fclose(kept.log);
    (void)fclose(kept.digests);
}

int main(int argc, char **argv)
{
    /* clang-format off */
    static const struct group groups[] = {
        { "table-0-to-3",   0,             { PB__ARTIFACT_KIND__CONFIGURATION,  PB__ARTIFACT_KIND__BACKEND } },
        { "table-4-to-5",   7,             { PB__ARTIFACT_KIND__INFRASTRUCTURE, PB__ARTIFACT_KIND__BACKEND } },
        { "table-6-to-7",   12,            { PB__ARTIFACT_KIND__MIGRATION,      PB__ARTIFACT_KIND__BACKEND } },
        { "table-rests",    15,            { PB__ARTIFACT_KIND__INFRASTRUCTURE, PB__ARTIFACT_KIND__MIGRATION } },
        { "table-undo-end", 22,            { PB__ARTIFACT_KIND__MIGRATION,      PB__ARTIFACT_KIND__CONFIGURATION } },
        { "",               TABLE_COLUMNS, { 0, 0 } },
    };
    /* clang-format on */

    if (argc != 2) {
        (void)fprintf(stderr, "usage: slipway-table-log FOLDER\n");
        return 2;
    }
    for (size_t i = 0; groups[i].first < TABLE_COLUMNS; i++)
        keep_columns(argv[1], &groups[i]);
    return 0;
}
