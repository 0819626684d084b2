#include "services/coordinator/verify.h"

#include "common/wire/topics.h"
#include "services/coordinator/batch.h"
#include "services/coordinator/compare.h"
#include "services/coordinator/control.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 1024 * 1024, COMPARE_MEMORY = 1024 * 1024 * 1024, ROUNDS_MAX = 200 };

/* A partition on its way through folding and comparing. */
struct checked {
    struct partition partition; /* Folding for ever; its store is private. */
    int64_t until;              /* Fold up to and with that record. */
    unsigned rounds;
    bool settled;
};

struct verify {
    struct coordinator shell; /* Of the private store; it has no partition of the group. */
    struct store live;
    struct checked *checked;
    struct text report;
    size_t differences;
    size_t unsure; /* Partitions that could not be compared. */
    int64_t records;
    bool marked; /* It is known how far Redis is. */
    bool done;
};

bool verify_is_asked(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verify") == 0)
            return true;
    }
    return false;
}

const char *verify_report(const void *state)
{
    return ((const struct verify *)state)->report.bytes;
}

static void *take(size_t count, size_t size)
{
    void *const memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void verify_close(void *self)
{
    struct verify *const verify = self;

    if (verify == NULL)
        return;
    if (verify->shell.events.close != NULL)
        verify->shell.events.close(verify->shell.events.self);
    control_close(verify->shell.control);
    for (int32_t p = 0; p < verify->shell.partition_count; p++) {
        live_clear(&verify->checked[p].partition.live);
        cache_clear(&verify->checked[p].partition.cache);
    }
    if (verify->shell.store.close != NULL)
        verify->shell.store.close(verify->shell.store.self);
    if (verify->live.close != NULL)
        verify->live.close(verify->live.self);
    arena_release(&verify->shell.arena);
    text_release(&verify->report);
    free(verify->shell.partitions);
    free(verify->shell.settled);
    free(verify->checked);
    (void)pthread_mutex_destroy(&verify->shell.lock);
    free(verify);
}

static enum err verify_open(const struct service_ports *ports, void **ret, struct error *error)
{
    struct verify *const verify = take(1, sizeof *verify);
    struct coordinator *const shell = &verify->shell;
    const uint32_t partitions = ports->settings->kafka.partitions;
    enum err err;

    shell->ports = ports;
    shell->arena = arena_with_limit(ARENA_MAX);
    shell->partition_count = (int32_t)partitions;
    shell->partitions = take(partitions, sizeof(struct partition *));
    shell->settled = take(partitions, sizeof *shell->settled);
    (void)pthread_mutex_init(&shell->lock, NULL);
    verify->checked = take(partitions, sizeof *verify->checked);
    verify->report = text_new(REPORT_MAX);
    for (int32_t p = 0; p < shell->partition_count; p++) {
        struct partition *const partition = &verify->checked[p].partition;

        partition->number = p;
        partition->phase = PARTITION_FOLDING;
        partition->mark.offset = -1;
        partition->committed = INT64_MAX; /* Nothing is to be said again. */
    }
    err = ports->open_aside(ports->open_self, &shell->store, error);
    if (err == ERR_OK)
        err = ports->open_store(ports->open_self, &verify->live, error);
    if (err != ERR_OK) {
        verify_close(verify);
        return err;
    }
    *ret = verify;
    return ERR_OK;
}

static enum err connect(struct verify *verify, struct error *error)
{
    static const char *const topics[] = { TOPIC_EVENTS, NULL };
    const struct bus_subscription subscription = { .topics = topics,
                                                   .start = BUS_FROM_BEGINNING };
    const struct bus *const bus = &verify->shell.ports->bus;
    enum err err = ERR_OK;

    if (verify->shell.control == NULL)
        err = control_open(&verify->shell, &verify->shell.control, error);
    if (err == ERR_OK && verify->shell.events.receive == NULL)
        err = bus->subscribe(bus->self, &subscription, &verify->shell.events, error);
    return err == ERR_OK ? control_turn(&verify->shell, error) : err;
}

/* --- how far Redis is --- */

static enum err read_live_mark(struct verify *verify,
                               int32_t partition,
                               struct log_mark *ret,
                               struct error *error)
{
    const struct store aside = verify->shell.store;
    enum err err;

    verify->shell.store = verify->live;
    err = mark_read(&verify->shell, partition, ret, error);
    verify->shell.store = aside;
    return err;
}

static void settle(struct verify *verify, struct checked *checked, const char *verdict)
{
    checked->settled = true;
    text_add(&verify->report,
             "%s %" PRId32 ": %s\n",
             TOPIC_EVENTS,
             checked->partition.number,
             verdict);
}

static enum err mark_one(struct verify *verify, struct checked *checked, struct error *error)
{
    struct bus_consumer *const events = &verify->shell.events;
    const int32_t p = checked->partition.number;
    struct log_mark mark = { 0 };
    int64_t low = 0;
    int64_t high = 0;
    enum err err = read_live_mark(verify, p, &mark, error);

    if (err == ERR_OK)
        err = events->watermarks(events->self, TOPIC_EVENTS, p, &low, &high, error);
    if (err != ERR_OK)
        return err;
    checked->until = mark.offset;
    if (mark.offset < 0 && high == 0) {
        settle(verify, checked, "empty");
    } else if (mark.offset < 0) {
        verify->differences++;
        settle(verify, checked, "Redis holds nothing of it yet");
    } else if (mark.offset >= high || low > 0) {
        verify->differences++;
        settle(verify,
               checked,
               low > 0 ? "the log has lost its beginning"
                       : "the log ends before the record that was applied last");
    }
    return ERR_OK;
}

static enum err mark_all(struct verify *verify, struct error *error)
{
    enum err err = ERR_OK;

    for (int32_t p = 0; p < verify->shell.partition_count && err == ERR_OK; p++) {
        if (!verify->checked[p].settled)
            err = mark_one(verify, &verify->checked[p], error);
    }
    verify->marked = err == ERR_OK;
    return err;
}

/* --- folding --- */

static bool is_wanted(const struct verify *verify, const struct bus_record *record)
{
    const struct checked *const checked = &verify->checked[record->partition];

    return !checked->settled && record->offset <= checked->until &&
           record->offset > checked->partition.mark.offset;
}

static enum err fold_run(struct verify *verify,
                         struct checked *checked,
                         const struct bus_record *const *records,
                         size_t count,
                         struct error *error)
{
    struct partition *const partition = &checked->partition;
    enum err err;

    if (records[0]->offset != partition->mark.offset + 1)
        return error_set(error,
                         ERR_INTERNAL,
                         "record %" PRId64 " of partition %" PRId32 " was not given",
                         partition->mark.offset + 1,
                         partition->number);
    if (records[0]->offset == 0)
        mark_identify(&verify->shell.arena,
                      records[0],
                      partition->mark.genesis,
                      sizeof partition->mark.genesis);
    err = batch_run(&verify->shell, partition, records, count, error);
    verify->records += (int64_t)count;
    return err;
}

static enum err fold_some(struct verify *verify, struct error *error)
{
    const struct bus_record *records[BATCH_RECORDS_MAX];
    const struct bus_record *own[BATCH_RECORDS_MAX];
    struct bus_consumer *const events = &verify->shell.events;
    size_t count = 0;
    enum err err = ERR_OK;

    while (count < BATCH_RECORDS_MAX && err == ERR_OK) {
        struct bus_record record = { 0 };

        err = events->receive(events->self, count == 0 ? RECEIVE_WAIT_MS : 0, &record, error);
        if (err == ERR_OK && is_wanted(verify, &record))
            records[count++] = record_copy(&verify->shell.arena, &record);
    }
    if (err == ERR_STALE)
        err = ERR_OK;
    for (int32_t p = 0; p < verify->shell.partition_count && err == ERR_OK; p++) {
        size_t length = 0;

        for (size_t i = 0; i < count; i++) {
            if (records[i]->partition == p)
                own[length++] = records[i];
        }
        if (length > 0)
            err = fold_run(verify, &verify->checked[p], own, length, error);
    }
    return err;
}

static bool is_folded(const struct verify *verify)
{
    for (int32_t p = 0; p < verify->shell.partition_count; p++) {
        const struct checked *const checked = &verify->checked[p];

        if (!checked->settled && checked->partition.mark.offset < checked->until)
            return false;
    }
    return true;
}

/* --- comparing --- */

static void conclude(struct verify *verify,
                     struct checked *checked,
                     const struct comparison *comparison)
{
    char line[160];

    if (comparison->differences == 0)
        (void)snprintf(line,
                       sizeof line,
                       "%" PRId64 " records, %zu deployments, %zu lanes: as the log says",
                       checked->until + 1,
                       comparison->deployments,
                       comparison->lanes);
    else
        (void)snprintf(line,
                       sizeof line,
                       "%zu differences after %" PRId64 " records",
                       comparison->differences,
                       checked->until + 1);
    settle(verify, checked, line);
    text_add(&verify->report, "%s", comparison->report->bytes);
    verify->differences += comparison->differences;
}

static enum err settle_unsure(struct verify *verify, struct checked *checked, const char *why)
{
    verify->unsure++;
    settle(verify, checked, why);
    return ERR_OK;
}

/* Redis is elsewhere meanwhile: fold on to where it is, and look again. What one has folded
 * cannot be compared with what Redis was earlier. */
static enum err follow(struct verify *verify,
                       struct checked *checked,
                       int64_t offset,
                       struct error *error)
{
    struct bus_consumer *const events = &verify->shell.events;
    char why[160];

    if (offset < checked->partition.mark.offset) {
        (void)snprintf(why,
                       sizeof why,
                       "is being folded anew: it has %" PRId64 " records again",
                       offset + 1);
        return settle_unsure(verify, checked, why);
    }
    if (checked->rounds == ROUNDS_MAX)
        return settle_unsure(verify, checked, "never stands still for long enough");
    checked->until = offset;
    checked->rounds++;
    return events->seek(events->self,
                        TOPIC_EVENTS,
                        checked->partition.number,
                        checked->partition.mark.offset + 1,
                        error);
}

static bool is_other_log(const struct log_mark *folded, const struct log_mark *live)
{
    if (live->offset < 0)
        return false;
    return strcmp(folded->genesis, live->genesis) != 0 ||
           (folded->offset == live->offset && strcmp(folded->chain, live->chain) != 0);
}

static enum err compare_one(struct verify *verify,
                            struct checked *checked,
                            struct comparison *comparison,
                            struct error *error)
{
    const int32_t p = checked->partition.number;
    struct log_mark before = { 0 };
    struct log_mark after = { 0 };
    enum err err = read_live_mark(verify, p, &before, error);

    if (err == ERR_OK && is_other_log(&checked->partition.mark, &before)) {
        verify->differences++;
        settle(verify, checked, "the state in Redis was folded from other records");
        return ERR_OK;
    }
    if (err == ERR_OK && before.offset != checked->partition.mark.offset)
        return follow(verify, checked, before.offset, error);
    if (err == ERR_OK)
        err = compare_partition(comparison, error);
    if (err == ERR_OK)
        err = read_live_mark(verify, p, &after, error);
    if (err != ERR_OK)
        return err;
    if (comparison->differences > 0 && after.offset != checked->until)
        return follow(verify, checked, after.offset, error);
    conclude(verify, checked, comparison);
    return ERR_OK;
}

static enum err compare_all(struct verify *verify, struct error *error)
{
    enum err err = ERR_OK;

    for (int32_t p = 0; p < verify->shell.partition_count && err == ERR_OK; p++) {
        struct arena arena = arena_with_limit(COMPARE_MEMORY);
        struct text lines = text_new(REPORT_MAX);
        struct comparison comparison = { .arena = &arena,
                                         .folded = verify->shell.store,
                                         .found = verify->live,
                                         .prefix = shell_prefix(&verify->shell),
                                         .partition = p,
                                         .report = &lines };

        if (!verify->checked[p].settled)
            err = compare_one(verify, &verify->checked[p], &comparison, error);
        text_release(&lines);
        arena_release(&arena);
    }
    return err;
}

static void finish(struct verify *verify)
{
    verify->done = true;
    for (int32_t p = 0; p < verify->shell.partition_count; p++)
        verify->done = verify->done && verify->checked[p].settled;
    if (!verify->done)
        return;
    if (verify->unsure > 0)
        text_add(&verify->report,
                 "%zu partitions could not be compared: verify again when less is going on\n",
                 verify->unsure);
    if (verify->differences == 0 && verify->unsure == 0)
        text_add(&verify->report,
                 "%" PRId64 " records folded: everything in Redis is as the log says\n",
                 verify->records);
    else if (verify->differences > 0)
        text_add(&verify->report,
                 "%" PRId64
                 " records folded, %zu differences: Redis is not what the log says\n",
                 verify->records,
                 verify->differences);
}

static enum err verify_turn(void *self, struct error *error)
{
    struct verify *const verify = self;
    enum err err;

    if (verify->done)
        return ERR_OK;
    arena_reset(&verify->shell.arena);
    err = connect(verify, error);
    if (err != ERR_OK || !control_is_caught_up(verify->shell.control))
        return err;
    if (!verify->marked)
        err = mark_all(verify, error);
    if (err == ERR_OK && !is_folded(verify))
        return fold_some(verify, error);
    if (err == ERR_OK)
        err = compare_all(verify, error);
    if (err == ERR_OK)
        finish(verify);
    return err;
}

static bool verify_ready(void *self, struct error *why)
{
    (void)self;
    (void)why;
    return true;
}

static bool verify_finished(void *self, int *ret_status)
{
    const struct verify *const verify = self;

    if (!verify->done)
        return false;
    (void)fputs(verify->report.bytes, stdout);
    *ret_status = verify->differences > 0 ? VERIFY_DIFFERS
                  : verify->unsure > 0    ? VERIFY_UNSURE
                                          : 0;
    return true;
}

const struct service_spec *verify_service(void)
{
    static const struct service_flag flags[] = {
        { "--verify", "SLIPWAY_VERIFY", "compare Redis with a fold of the log, and end" },
    };
    static const struct service_spec spec = {
        .name = COORDINATOR,
        .summary = "compares what Redis holds with what the log says",
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .open = verify_open,
        .turn = verify_turn,
        .ready = verify_ready,
        .finished = verify_finished,
        .close = verify_close,
    };

    return &spec;
}
