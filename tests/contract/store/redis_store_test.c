/* The store on Redis keeps the contract, and what only a server in another process can do to
 * it: going away, hanging, asking for a password. Starts its own redis-server. */
#include "common/adapters/redis/redis.h"
#include "tests/contract/store/store_contract.h"
#include "tests/support/patience.h"
#include "tests/support/redis_server.h"
#include "tests/support/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 64 * 1024 };

static void elapse(void *self, int ms)
{
    (void)self;
    nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

static struct store store_at(const struct redis_server *server, const char *password)
{
    const struct redis_options options = { .socket = server->socket,
                                           .password = password,
                                           .timeout_ms = 300 };
    struct store store;
    struct error error = { 0 };

    if (redis_store_open(&options, &store, &error) != ERR_OK) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    return store;
}

static int contract(void)
{
    struct redis_server server;
    struct store_world world = { .elapse = elapse };

    if (!redis_server_start(&server, NULL))
        return 1;
    world.store = store_at(&server, NULL);
    world.other = store_at(&server, NULL);
    int failed = store_contract_run("redis", &world);

    world.store.close(world.store.self);
    world.other.close(world.other.self);
    redis_server_stop(&server);
    return failed;
}

static enum err set(struct store *store, const char *value, struct error *error)
{
    const struct store_op op = { .kind = STORE_SET,
                                 .key = "k",
                                 .value = { value, strlen(value) } };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };

    return store->commit(store->self, &batch, error);
}

static enum err read_key(struct store *store, char ret[16], struct error *error)
{
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct store_value value = { 0 };
    enum err err = store->get(store->self, &arena, "k", &value, error);

    snprintf(ret, 16, "%s", value.bytes != NULL ? value.bytes : "(none)");
    arena_release(&arena);
    return err;
}

static void a_server_that_came_back_is_found_again(void **state)
{
    struct redis_server server;
    struct error error = { 0 };
    const char *run = "";
    char before[64];
    char value[16];

    (void)state;
    assert_true(redis_server_start(&server, NULL));
    struct store reader = store_at(&server, NULL), writer = store_at(&server, NULL);

    assert_int_equal(set(&writer, "1", &error), ERR_OK);
    assert_int_equal(read_key(&reader, value, &error), ERR_OK);
    assert_int_equal(reader.run(reader.self, &run, &error), ERR_OK);
    (void)snprintf(before, sizeof before, "%s", run);
    assert_true(redis_server_crash_and_restart(&server));
    assert_int_equal(read_key(&reader, value, &error), ERR_OK);
    assert_string_equal(value, "(none)");
    assert_int_equal(reader.run(reader.self, &run, &error), ERR_OK);
    assert_string_not_equal(run, before);
    assert_int_equal(set(&writer, "2", &error), ERR_OK);
    reader.close(reader.self);
    writer.close(writer.self);
    redis_server_stop(&server);
}

static void no_server_is_unavailable_and_says_where(void **state)
{
    struct redis_server server = { .socket = "/nonexistent/redis" };
    struct store store = store_at(&server, NULL);
    struct error error = { 0 };
    char value[16];

    (void)state;
    assert_int_equal(read_key(&store, value, &error), ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "/nonexistent/redis"));
    assert_int_equal(set(&store, "1", &error), ERR_UNAVAILABLE);
    store.close(store.self);
}

static void a_commit_without_an_answer_is_in_doubt(void **state)
{
    struct redis_server server;
    struct error error = { 0 };
    char value[16];

    (void)state;
    assert_true(redis_server_start(&server, NULL));
    struct store store = store_at(&server, NULL);

    assert_int_equal(set(&store, "1", &error), ERR_OK);
    child_signal(server.child, SIGSTOP);
    assert_int_equal(set(&store, "2", &error), ERR_TIMED_OUT);
    assert_int_equal(read_key(&store, value, &error), ERR_UNAVAILABLE);
    child_signal(server.child, SIGCONT);
    assert_int_equal(read_key(&store, value, &error), ERR_OK);
    store.close(store.self);
    redis_server_stop(&server);
}

static void a_guarded_commit_that_could_not_look_wrote_nothing(void **state)
{
    struct redis_server server;
    struct error error = { 0 };
    const struct store_guard guard = { "g", "f", NULL };
    const struct store_op op = { .kind = STORE_SET, .key = "k", .value = { "x", 1 } };
    const struct store_batch batch = { &guard, 1, &op, 1, NULL };
    char value[16];

    (void)state;
    assert_true(redis_server_start(&server, NULL));
    struct store store = store_at(&server, NULL);

    assert_int_equal(read_key(&store, value, &error), ERR_OK);
    child_signal(server.child, SIGSTOP);
    assert_int_equal(store.commit(store.self, &batch, &error), ERR_UNAVAILABLE);
    child_signal(server.child, SIGCONT);
    assert_int_equal(read_key(&store, value, &error), ERR_OK);
    assert_string_equal(value, "(none)");
    store.close(store.self);
    redis_server_stop(&server);
}

static void a_password_opens_and_a_wrong_one_is_never_shown(void **state)
{
    struct redis_server server;
    struct error error = { 0 };
    char value[16];

    (void)state;
    assert_true(redis_server_start(&server, "sesame"));
    struct store right = store_at(&server, "sesame"), wrong = store_at(&server, "swordfish"),
                 none = store_at(&server, NULL);

    assert_int_equal(read_key(&right, value, &error), ERR_OK);
    assert_int_equal(read_key(&wrong, value, &error), ERR_UNAVAILABLE);
    assert_null(strstr(error.text, "swordfish"));
    assert_int_equal(set(&none, "1", &error), ERR_UNAVAILABLE);
    assert_int_equal(read_key(&right, value, &error), ERR_OK);
    assert_string_equal(value, "(none)");
    right.close(right.self);
    wrong.close(wrong.self);
    none.close(none.self);
    redis_server_stop(&server);
}

static void a_value_beyond_the_arena_is_too_large(void **state)
{
    struct redis_server server;
    struct error error = { 0 };
    char *text = calloc(1, 2 * ARENA_LIMIT);
    char value[16];

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 2 * ARENA_LIMIT - 1);
    assert_true(redis_server_start(&server, NULL));
    struct store store = store_at(&server, NULL);

    assert_int_equal(set(&store, text, &error), ERR_OK);
    assert_int_equal(read_key(&store, value, &error), ERR_TOO_LARGE);
    free(text);
    store.close(store.self);
    redis_server_stop(&server);
}

enum { WRITERS = 4, ROUNDS = 100 };

struct writer {
    struct store store;
    int done; /* Increments of its own. */
    bool failed;
};

/* Read, then write one more guarded by what was read: a lost update would be seen in the sum.
 */
static bool increment(struct writer *writer)
{
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_value value = { 0 };
    char next[16];
    struct store *store = &writer->store;

    if (store->hash_get(store->self, &arena, "sum", "n", &value, &error) != ERR_OK)
        return false;
    int length = snprintf(
        next, sizeof next, "%ld", value.bytes != NULL ? strtol(value.bytes, NULL, 10) + 1 : 1);
    const struct store_guard guard = { "sum", "n", value.bytes };
    const struct store_op op = {
        .kind = STORE_HASH_SET, .key = "sum", .field = "n", .value = { next, (size_t)length }
    };
    const struct store_batch batch = { &guard, 1, &op, 1, NULL };
    enum err err = store->commit(store->self, &batch, &error);

    writer->done += err == ERR_OK;
    arena_release(&arena);
    return err == ERR_OK || err == ERR_CONFLICT || err == ERR_UNAVAILABLE;
}

static void *writer_run(void *self)
{
    struct writer *writer = self;

    while (writer->done < ROUNDS && !writer->failed)
        writer->failed = !increment(writer);
    return NULL;
}

static void writers_at_once_lose_no_update(void **state)
{
    struct redis_server server;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    struct arena arena = arena_with_limit(ARENA_LIMIT);
    struct error error = { 0 };
    struct store_value value;

    (void)state;
    assert_true(redis_server_start(&server, NULL));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){ .store = store_at(&server, NULL) };
        assert_int_equal(pthread_create(&threads[i], NULL, writer_run, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(writers[i].failed);
    }
    struct store *store = &writers[0].store;

    assert_int_equal(store->hash_get(store->self, &arena, "sum", "n", &value, &error), ERR_OK);
    assert_int_equal(strtol(value.bytes, NULL, 10), WRITERS * ROUNDS);
    for (int i = 0; i < WRITERS; i++)
        writers[i].store.close(writers[i].store.self);
    arena_release(&arena);
    redis_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_came_back_is_found_again),
        cmocka_unit_test(no_server_is_unavailable_and_says_where),
        cmocka_unit_test(a_commit_without_an_answer_is_in_doubt),
        cmocka_unit_test(a_guarded_commit_that_could_not_look_wrote_nothing),
        cmocka_unit_test(a_password_opens_and_a_wrong_one_is_never_shown),
        cmocka_unit_test(a_value_beyond_the_arena_is_too_large),
        cmocka_unit_test(writers_at_once_lose_no_update),
    };

    return contract() + cmocka_run_group_tests(tests, NULL, NULL);
}
