#include "services/coordinator/service.h"

#include "common/wire/topics.h"
#include "services/coordinator/chores.h"
#include "services/coordinator/control.h"
#include "services/coordinator/events.h"
#include "services/coordinator/intake.h"
#include "services/coordinator/kills.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/shell.h"
#include "services/coordinator/takeover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_set(const char *name)
{
    const char *const value = getenv(name);

    return value != NULL && strcmp(value, "1") == 0;
}

static void *take(size_t count, size_t size)
{
    void *const memory = calloc(count, size);

    if (memory == NULL)
        abort();
    return memory;
}

static void coordinator_close(void *self)
{
    struct coordinator *const shell = self;

    if (shell == NULL)
        return;
    if (shell->events.close != NULL)
        shell->events.close(shell->events.self);
    if (shell->acceptance.close != NULL)
        shell->acceptance.close(shell->acceptance.self);
    control_close(shell->control);
    for (int32_t p = 0; p < shell->partition_count; p++)
        partition_remove(shell, p, true);
    if (shell->store.close != NULL)
        shell->store.close(shell->store.self);
    arena_release(&shell->arena);
    free(shell->partitions);
    free(shell->settled);
    free(shell->outlived);
    (void)pthread_mutex_destroy(&shell->lock);
    free(shell);
}

static enum err coordinator_open(const struct service_ports *ports,
                                 void **ret,
                                 struct error *error)
{
    struct coordinator *const shell = take(1, sizeof *shell);
    const uint32_t partitions = ports->settings->kafka.partitions;
    enum err err;

    shell->ports = ports;
    shell->arena = arena_with_limit(ARENA_MAX);
    shell->adopt = is_set("SLIPWAY_ADOPT");
    shell->rebuild = is_set("SLIPWAY_REBUILD");
    shell->partition_count = (int32_t)partitions;
    shell->partitions = take(partitions, sizeof(struct partition *));
    shell->settled = take(partitions, sizeof *shell->settled);
    shell->outlived = take(partitions, sizeof *shell->outlived);
    takeover_nonce(ports, shell->run);
    (void)snprintf(
        shell->source, sizeof shell->source, "/slipway/%s/%s", COORDINATOR, ports->instance);
    (void)snprintf(shell->why, sizeof shell->why, "starts");
    (void)pthread_mutex_init(&shell->lock, NULL);
    err = ports->open_store(ports->open_self, &shell->store, error);
    if (err != ERR_OK) {
        coordinator_close(shell);
        return err;
    }
    *ret = shell;
    return ERR_OK;
}

/* Says why the whole process cannot work, for /readyz; "" when it can. */
static void say(struct coordinator *shell, const char *why)
{
    (void)pthread_mutex_lock(&shell->lock);
    (void)snprintf(shell->why, sizeof shell->why, "%s", why);
    (void)pthread_mutex_unlock(&shell->lock);
}

/* Who is no member of the group decides nothing, however well its turns go. */
static void say_standing(struct coordinator *shell)
{
    struct error error = { 0 };
    size_t share = 0;
    const enum err err = shell->events.share(shell->events.self, &share, &error);

    (void)pthread_mutex_lock(&shell->lock);
    shell->idle = share == 0;
    shell->share = err == ERR_OK ? share : 0;
    shell->why[0] = '\0';
    if (err != ERR_OK)
        (void)snprintf(shell->why,
                       sizeof shell->why,
                       "not yet a member of %s: %.400s",
                       GROUP_COORDINATOR,
                       error.text);
    (void)pthread_mutex_unlock(&shell->lock);
}

static enum err check_topics(struct coordinator *shell, struct error *error)
{
    const struct bus *const bus = &shell->ports->bus;
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all(shell->partition_count, topics);
    int32_t partitions = 0;
    enum err err = ERR_OK;

    if (shell->ports->settings->kafka.manage_topics)
        err = bus->ensure_topics(bus->self, topics, count, error);
    if (err == ERR_OK)
        err = bus->partitions(bus->self, TOPIC_EVENTS, &partitions, error);
    if (err == ERR_OK && partitions != shell->partition_count)
        err = error_set(error,
                        ERR_INVALID,
                        "%s has %d partitions, kafka.partitions says %d: set it to %d",
                        TOPIC_EVENTS,
                        (int)partitions,
                        (int)shell->partition_count,
                        (int)partitions);
    return err;
}

/* Everything that needs the bus; tried again every turn until it succeeds. */
static enum err connect(struct coordinator *shell, struct error *error)
{
    enum err err = ERR_OK;

    if (shell->control == NULL) {
        err = check_topics(shell, error);
        if (err == ERR_OK)
            err = control_open(shell, &shell->control, error);
    }
    if (err == ERR_OK && shell->events.receive == NULL)
        err = events_open(shell, error);
    return err;
}

/* What Redis holds is forgotten or believed anew only by one who is alone: half a rebuild
 * beside another coordinator would look like a whole one. */
static bool must_wait(struct coordinator *shell, struct partition *partition)
{
    char why[ERROR_TEXT_MAX];

    if ((!shell->rebuild && !shell->adopt) || shell->settled[partition->number] ||
        partition->phase != PARTITION_NEW || shell->share == (size_t)shell->partition_count)
        return false;
    (void)snprintf(why,
                   sizeof why,
                   "waits to %s: other coordinators have %zu of %d partitions, stop them",
                   shell->rebuild ? "be folded anew" : "adopt its log",
                   (size_t)shell->partition_count - shell->share,
                   (int)shell->partition_count);
    if (shell->share > 0 && strcmp(partition->why, why) != 0) {
        LOG(shell->ports->log,
            LOG_WARNING,
            "not alone",
            { "partition", partition_name(shell, partition) },
            { "why", why });
        partition_enter(shell, partition, PARTITION_NEW, why);
    }
    return true;
}

static void take_over(struct coordinator *shell)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        struct partition *const partition = shell->partitions[p];

        arena_reset(&shell->arena);
        if (partition != NULL && !must_wait(shell, partition))
            takeover_turn(shell, partition);
    }
}

typedef enum err (*part)(struct coordinator *shell, struct error *error);

/* One part that fails keeps no other from its work; the first error is told. */
static enum err coordinator_turn(void *self, struct error *error)
{
    static const part parts[] = {
        control_turn, kills_turn, intake_turn, chores_turn, events_turn
    };
    struct coordinator *const shell = self;
    enum err first = connect(shell, error);

    if (first != ERR_OK) {
        say(shell, error->text);
        return first;
    }
    take_over(shell);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct error why = { 0 };
        enum err err;

        arena_reset(&shell->arena);
        err = parts[i](shell, &why);
        if (err != ERR_OK && first == ERR_OK) {
            first = err;
            *error = why;
        }
    }
    if (first == ERR_OK)
        say_standing(shell);
    else
        say(shell, error->text);
    return first;
}

/* With the lock: of those that do not work, one; `stopped`: of those that an operator must
 * decide about, which comes before everything else. */
static enum err say_partition(const struct coordinator *shell, bool stopped, struct error *why)
{
    for (int32_t p = 0; p < shell->partition_count; p++) {
        const struct partition *const partition = shell->partitions[p];

        if (partition != NULL && partition->why[0] != '\0' &&
            (!stopped || partition->phase == PARTITION_STOPPED))
            return error_set(
                why, ERR_UNAVAILABLE, "partition %d %.400s", (int)p, partition->why);
    }
    return ERR_OK;
}

static bool coordinator_ready(void *self, struct error *why)
{
    struct coordinator *const shell = self;
    enum err err;

    (void)pthread_mutex_lock(&shell->lock);
    err = say_partition(shell, true, why);
    if (err == ERR_OK && shell->why[0] != '\0')
        err = error_set(why, ERR_UNAVAILABLE, "%s", shell->why);
    if (err == ERR_OK)
        err = say_partition(shell, false, why);
    if (err == ERR_OK)
        (void)snprintf(why->text, sizeof why->text, "%s", shell->idle ? SERVICE_STANDS_BY : "");
    (void)pthread_mutex_unlock(&shell->lock);
    return err == ERR_OK;
}

static void coordinator_drain(void *self)
{
    struct coordinator *const shell = self;
    struct error error = { 0 };

    for (int32_t p = 0; p < shell->partition_count; p++) {
        if (shell->partitions[p] != NULL &&
            partition_group_commit(shell, shell->partitions[p], &error) != ERR_OK)
            LOG(shell->ports->log,
                LOG_WARNING,
                "the group does not know how far this instance came",
                { "error", error.text });
    }
}

const struct service_spec *coordinator_service(void)
{
    static const struct service_flag flags[] = {
        { "--adopt", "SLIPWAY_ADOPT", "keep the state, go on at the end of another log" },
        { "--rebuild", "SLIPWAY_REBUILD", "forget the state, fold it anew from the log" },
        { "--verify", "SLIPWAY_VERIFY", "compare Redis with a fold of the log, and end" },
    };
    static const struct service_spec spec = {
        .name = COORDINATOR,
        .flags = flags,
        .flag_count = sizeof flags / sizeof flags[0],
        .hears = TOPIC_ACCEPTANCE,
        .summary = "decides what happens next: one writer per partition of events.v1",
        .open = coordinator_open,
        .turn = coordinator_turn,
        .ready = coordinator_ready,
        .drain = coordinator_drain,
        .close = coordinator_close,
    };

    return &spec;
}
