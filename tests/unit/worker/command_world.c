#include "tests/unit/worker/command_world.h"

#include "common/base/text.h"
#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTITIONS = 2, MEMORY_MAX = 64 * 1024 * 1024, TOLD_MAX = 16 * 1024 };

#define PREFIX  "slipway:"
#define FEATURE "express-pay"

/* --- one lock around bus and store --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct locked_store {
    struct store store;
};

struct locked_consumer {
    struct bus_consumer consumer;
};

static enum err locked_get(void *self,
                           struct arena *arena,
                           const char *key,
                           struct store_value *ret,
                           struct error *error)
{
    const struct store *const store = &((struct locked_store *)self)->store;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = store->get(store->self, arena, key, ret, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_hash_get(void *self,
                                struct arena *arena,
                                const char *key,
                                const char *field,
                                struct store_value *ret,
                                struct error *error)
{
    const struct store *const store = &((struct locked_store *)self)->store;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = store->hash_get(store->self, arena, key, field, ret, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_commit(void *self, const struct store_batch *batch, struct error *error)
{
    const struct store *const store = &((struct locked_store *)self)->store;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = store->commit(store->self, batch, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_run(void *self, const char **ret, struct error *error)
{
    const struct store *const store = &((struct locked_store *)self)->store;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = store->run(store->self, ret, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static void locked_store_close(void *self)
{
    struct locked_store *const locked = self;

    locked->store.close(locked->store.self);
    free(locked);
}

static enum err locked_publish(void *self, const struct bus_record *record, struct error *error)
{
    const struct bus *const bus = self;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = bus->publish(bus->self, record, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_flush(void *self, int timeout_ms, struct error *error)
{
    const struct bus *const bus = self;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = bus->flush(bus->self, timeout_ms, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_receive(void *self,
                               int wait_ms,
                               struct bus_record *ret,
                               struct error *error)
{
    const struct bus_consumer *const consumer = &((struct locked_consumer *)self)->consumer;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = consumer->receive(consumer->self, wait_ms, ret, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_consumer_commit(
    void *self, const char *topic, int32_t partition, int64_t next, struct error *error)
{
    const struct bus_consumer *const consumer = &((struct locked_consumer *)self)->consumer;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = consumer->commit(consumer->self, topic, partition, next, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_seek(
    void *self, const char *topic, int32_t partition, int64_t offset, struct error *error)
{
    const struct bus_consumer *const consumer = &((struct locked_consumer *)self)->consumer;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = consumer->seek(consumer->self, topic, partition, offset, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static enum err locked_share(void *self, size_t *ret_count, struct error *error)
{
    const struct bus_consumer *const consumer = &((struct locked_consumer *)self)->consumer;
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = consumer->share(consumer->self, ret_count, error);
    (void)pthread_mutex_unlock(&lock);
    return err;
}

static void locked_consumer_close(void *self)
{
    struct locked_consumer *const locked = self;

    (void)pthread_mutex_lock(&lock);
    locked->consumer.close(locked->consumer.self);
    (void)pthread_mutex_unlock(&lock);
    free(locked);
}

static enum err locked_subscribe(void *self,
                                 const struct bus_subscription *subscription,
                                 struct bus_consumer *ret,
                                 struct error *error)
{
    const struct bus *const bus = self;
    struct locked_consumer *const locked = calloc(1, sizeof *locked);
    enum err err;

    (void)pthread_mutex_lock(&lock);
    err = bus->subscribe(bus->self, subscription, &locked->consumer, error);
    (void)pthread_mutex_unlock(&lock);
    if (err != ERR_OK) {
        free(locked);
        return err;
    }
    *ret = (struct bus_consumer){ .self = locked,
                                  .receive = locked_receive,
                                  .commit = locked_consumer_commit,
                                  .seek = locked_seek,
                                  .share = locked_share,
                                  .close = locked_consumer_close };
    return ERR_OK;
}

/* --- the world --- */

static enum memory_fault ask(void *self, const char *operation, const char *object)
{
    const struct command_world *const world = self;

    /* Both the store and a consumer have a commit: it is the store's that fails. */
    if (world->failing == NULL || strcmp(world->failing, operation) != 0 ||
        strcmp(object, TOPIC_COMMANDS("executor")) == 0)
        return FAULT_NONE;
    return world->fault;
}

static enum err open_store(void *self, struct store *ret, struct error *error)
{
    struct command_world *const world = self;
    struct locked_store *const locked = calloc(1, sizeof *locked);

    (void)error;
    locked->store =
        memory_store(world->space, (struct memory_faults){ .self = world, .ask = ask });
    *ret = (struct store){ .self = locked,
                           .get = locked_get,
                           .hash_get = locked_hash_get,
                           .run = locked_run,
                           .commit = locked_commit,
                           .close = locked_store_close };
    return ERR_OK;
}

static enum err open_http(void *self, struct http_client *ret, struct error *error)
{
    const struct command_world *const world = self;

    (void)error;
    *ret = memory_http_client(world->http);
    return ERR_OK;
}

static void key_add(struct envelope_keys *keys, const char *writer)
{
    const size_t place = keys->count++;

    (void)snprintf(keys->item[place].writer, sizeof keys->item[place].writer, "%s", writer);
    memset(keys->item[place].key, (int)place + 1, 32);
    keys->item[place].length = 32;
}

void command_world_open(struct command_world *world)
{
    struct bus_topic topics[TOPICS_MAX];
    struct error error = { 0 };
    struct bus *faulty;

    *world =
        (struct command_world){ .clock = { .now_ms = 1795442640000, .monotonic_ms = 1000 } };
    world->arena = arena_with_limit(MEMORY_MAX);
    world->broker = memory_broker_new(memory_clock_port(&world->clock));
    world->space = memory_space_new(memory_clock_port(&world->clock));
    world->http = memory_http_new();
    world->log = memory_log_new();
    world->metrics = memory_metrics_new();
    (void)snprintf(world->settings.hash, sizeof world->settings.hash, "ours");
    world->settings.kafka.partitions = PARTITIONS;
    world->settings.redis.prefix = PREFIX;
    key_add(&world->keys, "coordinator");
    key_add(&world->keys, "executor");
    key_add(&world->keys, "validator");
    world->bus = memory_bus(world->broker, (struct memory_faults){ 0 });
    world->store = memory_store(world->space, (struct memory_faults){ 0 });
    assert_int_equal(world->bus.ensure_topics(
                         world->bus.self, topics, topics_all(PARTITIONS, topics), &error),
                     ERR_OK);
    faulty = arena_alloc(&world->arena, sizeof *faulty);
    *faulty = memory_bus(world->broker, (struct memory_faults){ .self = world, .ask = ask });
    world->ports = (struct service_ports){
        .settings = &world->settings,
        .service = "executor",
        .instance = "executor-1",
        .clock = memory_clock_port(&world->clock),
        .bus = { .self = faulty,
                 .publish = locked_publish,
                 .flush = locked_flush,
                 .subscribe = locked_subscribe },
        .log = memory_log_port(world->log),
        .metrics = memory_metrics_port(world->metrics),
        .keys = &world->keys,
        .open_store = open_store,
        .open_http = open_http,
        .open_self = world,
    };
}

void command_world_close(struct command_world *world)
{
    const struct bus *const faulty = world->ports.bus.self;

    faulty->close(faulty->self);
    world->bus.close(world->bus.self);
    world->store.close(world->store.self);
    memory_metrics_free(world->metrics);
    memory_log_free(world->log);
    memory_http_free(world->http);
    memory_space_free(world->space);
    memory_broker_free(world->broker);
    arena_release(&world->arena);
}

Pb__Command *command_of(struct command_world *world,
                        Pb__Command__BodyCase body,
                        const char *task,
                        uint32_t drive)
{
    Pb__Command *const command = pb_new(&world->arena, &pb__command__descriptor);

    command->deployment = "express-pay.3";
    command->feature = FEATURE;
    command->environment = "production";
    command->task = task;
    command->drive = drive;
    command->config_hash = "ours";
    command->body_case = body;
    if (body == PB__COMMAND__BODY_RUN_CHECKS)
        command->run_checks = pb_new(&world->arena, &pb__run_checks__descriptor);
    if (body == PB__COMMAND__BODY_APPLY)
        command->apply = pb_new(&world->arena, &pb__apply_change__descriptor);
    if (body == PB__COMMAND__BODY_REVERT)
        command->revert = pb_new(&world->arena, &pb__revert_change__descriptor);
    if (body == PB__COMMAND__BODY_READ_BACK)
        command->read_back = pb_new(&world->arena, &pb__read_back__descriptor);
    if (body == PB__COMMAND__BODY_SET_FLAGS)
        command->set_flags = pb_new(&world->arena, &pb__set_flags__descriptor);
    return command;
}

static const char *key_of(struct command_world *world, const char *task)
{
    return KEY_TASK(&world->arena, bus_partition(FEATURE, PARTITIONS), PREFIX, task);
}

void record_set(struct command_world *world,
                const char *task,
                const char *field,
                const char *to)
{
    const struct store_op op = { .kind = to != NULL ? STORE_HASH_SET : STORE_HASH_DELETE,
                                 .key = key_of(world, task),
                                 .field = field,
                                 .value = { to, to != NULL ? strlen(to) : 0 } };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    (void)pthread_mutex_lock(&lock);
    assert_int_equal(world->store.commit(world->store.self, &batch, &error), ERR_OK);
    (void)pthread_mutex_unlock(&lock);
}

const char *record_get(struct command_world *world, const char *task, const char *field)
{
    struct store_value value = { 0 };
    struct error error = { 0 };

    (void)pthread_mutex_lock(&lock);
    assert_int_equal(
        world->store.hash_get(
            world->store.self, &world->arena, key_of(world, task), field, &value, &error),
        ERR_OK);
    (void)pthread_mutex_unlock(&lock);
    return value.bytes != NULL ? value.bytes : "";
}

void command_publish(struct command_world *world,
                     const Pb__Command *command,
                     const char *writer)
{
    const struct envelope envelope = {
        .id = arena_printf(&world->arena, "command-%u", world->commands++),
        .source = "/slipway/coordinator/c-1",
        .subject = command->deployment,
        .writer = writer,
        .time_ms = world->clock.now_ms,
    };
    const struct envelope_out out = { .topic = TOPIC_COMMANDS("executor"),
                                      .key = FEATURE,
                                      .message = &command->base,
                                      .sign = true };
    struct bus_record record;
    struct error error = { 0 };

    assert_int_equal(
        envelope_seal(&world->arena, &world->keys, &envelope, &out, &record, &error), ERR_OK);
    (void)pthread_mutex_lock(&lock);
    assert_int_equal(world->bus.publish(world->bus.self, &record, &error), ERR_OK);
    (void)pthread_mutex_unlock(&lock);
}

void command_order(struct command_world *world, const Pb__Command *command)
{
    record_set(world, command->task, "owner", NULL);
    record_set(world, command->task, "state", "PENDING");
    record_set(
        world, command->task, "drive", arena_printf(&world->arena, "%" PRIu32, command->drive));
    command_publish(world, command, "coordinator");
}

void command_cancel(struct command_world *world, const char *task, uint32_t drive)
{
    Pb__Command *const command = command_of(world, PB__COMMAND__BODY_CANCEL, task, drive);

    command->cancel = pb_new(&world->arena, &pb__cancel__descriptor);
    command->cancel->task = task;
    record_set(world, task, "state", "CANCELLING");
    command_publish(world, command, "coordinator");
}

/* The event at that offset; NULL at the end, and for what is no event of the executor. */
static const Pb__Event *event_at(struct command_world *world, int64_t offset)
{
    static const char *const writers[] = { "executor", NULL };
    struct error error = { 0 };
    void *event = NULL;
    const struct bus_record *record;

    (void)pthread_mutex_lock(&lock);
    record = memory_broker_record(
        world->broker, TOPIC_EVENTS, bus_partition(FEATURE, PARTITIONS), offset);
    if (record != NULL && (envelope_verify(&world->keys, record, writers, &error) != ERR_OK ||
                           pb_unpack(&world->arena,
                                     &pb__event__descriptor,
                                     (struct pb_bytes){ record->bytes, record->length },
                                     &event,
                                     &error) != ERR_OK))
        event = NULL;
    (void)pthread_mutex_unlock(&lock);
    if (record != NULL && event == NULL)
        fail_msg("not an event: %s", error.text);
    return event;
}

static void tell(struct text *text, const Pb__Event *event)
{
    if (event->body_case == PB__EVENT__BODY_TASK_STARTED)
        text_add(text, "started %" PRIu32 "; ", event->task_started->drive);
    else if (event->body_case == PB__EVENT__BODY_TASK_PROGRESS)
        text_add(text, "progress %" PRIu64 "; ", event->task_progress->samples);
    else if (event->body_case == PB__EVENT__BODY_TASK_FINISHED)
        text_add(text,
                 "finished %" PRIu32 " %s; ",
                 event->task_finished->drive,
                 pb_enum_name(&pb__outcome__descriptor, (int)event->task_finished->outcome));
}

const char *events_told(struct command_world *world)
{
    char *const bytes = arena_alloc(&world->arena, TOLD_MAX);
    struct text text = text_over(bytes, TOLD_MAX);
    const Pb__Event *event;

    for (int64_t offset = 0; (event = event_at(world, offset)) != NULL; offset++)
        tell(&text, event);
    return bytes;
}

const Pb__TaskFinished *events_result(struct command_world *world)
{
    const Pb__TaskFinished *last = NULL;
    const Pb__Event *event;

    for (int64_t offset = 0; (event = event_at(world, offset)) != NULL; offset++) {
        if (event->body_case == PB__EVENT__BODY_TASK_FINISHED)
            last = event->task_finished;
    }
    return last;
}

int64_t metric_of(struct command_world *world,
                  const char *name,
                  const char *label,
                  const char *value)
{
    return memory_metric(world->metrics, name, label, value);
}
