#include "common/runtime/wiring.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/wiring-keys-XXXXXX";
static struct settings settings;
static struct envelope_keys keys;
static struct error error;

static const char *path_of(const char *writer)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s.key", folder, writer);
    return path;
}

static void write_key(const char *writer, const char *text, mode_t mode)
{
    FILE *const file = fopen(path_of(writer), "w");

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    (void)chmod(path_of(writer), mode);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/wiring-keys-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    settings.file = "/tmp/slipway.yaml";
    settings.security.keys = strrchr(folder, '/') + 1; /* Relative to the settings' folder. */
    return 0;
}

static int teardown(void **state)
{
    static const char *const writers[] = { "executor", "coordinator" };

    (void)state;
    for (size_t i = 0; i < 2; i++)
        (void)unlink(path_of(writers[i]));
    return rmdir(folder);
}

static void hex_is_read_as_the_bytes_it_stands_for(void **state)
{
    (void)state;
    write_key("executor", "000102030405060708090a0b0c0d0e0fff\n", 0600);
    assert_int_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_OK);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.item[0].writer, "executor");
    assert_int_equal(keys.item[0].length, 17);
    assert_int_equal(keys.item[0].key[1], 1);
    assert_int_equal(keys.item[0].key[16], 0xff);
}

static void of_several_keys_the_first_comes_first(void **state)
{
    (void)state;
    write_key("executor",
              "ffffffffffffffffffffffffffffffff\n"
              "000102030405060708090a0b0c0d0e0f\n",
              0600);
    assert_int_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_OK);
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.item[0].key[0], 0xff);
    assert_string_equal(keys.item[1].writer, "executor");
    assert_int_equal(keys.item[1].length, 16);
    assert_int_equal(keys.item[1].key[15], 0x0f);
}

static void a_bad_second_key_is_refused_with_its_file(void **state)
{
    (void)state;
    write_key("executor", "ffffffffffffffffffffffffffffffff\nshort\n", 0600);
    assert_int_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "executor.key"));
    assert_null(strstr(error.text, "short"));
}

static void the_own_key_must_be_there(void **state)
{
    (void)state;
    write_key("coordinator", "000102030405060708090a0b0c0d0e0f", 0600);
    assert_int_not_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_OK);
    assert_non_null(strstr(error.text, "executor.key"));
    assert_int_equal(wiring_keys(&settings, "coordinator", &keys, &error), ERR_OK);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    (void)state;
    write_key("executor", "000102030405060708090a0b0c0d0e0f", 0644);
    assert_int_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_DENIED);
    assert_null(strstr(error.text, "0001"));
}

static void a_short_key_is_refused(void **state)
{
    (void)state;
    write_key("executor", "secret", 0600);
    assert_int_equal(wiring_keys(&settings, "executor", &keys, &error), ERR_INVALID);
    assert_null(strstr(error.text, "secret"));
}

/* <folder>/alerts.v1/<name>, and its text. */
static const char *producer_path(const char *name)
{
    static char path[160];

    (void)snprintf(path, sizeof path, "%s/alerts.v1/%s", folder, name);
    return path;
}

static void write_producer(const char *name)
{
    FILE *const file = fopen(producer_path(name), "w");

    assert_non_null(file);
    (void)fputs("ffffffffffffffffffffffffffffffff\n000102030405060708090a0b0c0d0e0f\n", file);
    (void)fclose(file);
    (void)chmod(producer_path(name), 0600);
}

static bool has_writer(const char *writer)
{
    for (size_t i = 0; i < keys.count; i++) {
        if (strcmp(keys.item[i].writer, writer) == 0)
            return true;
    }
    return false;
}

static void producers_are_the_gateway_and_who_has_a_file_for_the_topic(void **state)
{
    (void)state;
    settings.security.producers = settings.security.keys;
    write_key("gateway", "000102030405060708090a0b0c0d0e0f", 0600);
    assert_int_equal(wiring_producers(&settings, "alerts.v1", &keys, &error), ERR_INVALID);
    (void)mkdir(producer_path(""), 0700);
    write_producer("alertmanager.key");
    write_producer("notes.txt");
    assert_int_equal(wiring_producers(&settings, "alerts.v1", &keys, &error), ERR_OK);
    assert_int_equal(keys.count, 3);
    assert_true(has_writer("gateway") && has_writer("alertmanager"));
    write_producer("executor.key");
    assert_int_equal(wiring_producers(&settings, "alerts.v1", &keys, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "alerts.v1/executor.key"));
    (void)unlink(producer_path("executor.key"));
    (void)unlink(producer_path("notes.txt"));
    (void)unlink(producer_path("alertmanager.key"));
    (void)rmdir(producer_path(""));
    (void)unlink(path_of("gateway"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(hex_is_read_as_the_bytes_it_stands_for),
        EACH(of_several_keys_the_first_comes_first),
        EACH(a_bad_second_key_is_refused_with_its_file),
        EACH(the_own_key_must_be_there),
        EACH(a_key_that_others_may_read_is_refused),
        EACH(a_short_key_is_refused),
        EACH(producers_are_the_gateway_and_who_has_a_file_for_the_topic),
    };

    return cmocka_run_group_tests_name("wiring keys", tests, NULL, NULL);
}
