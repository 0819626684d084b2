#include "common/wire/digest.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own with shop.py and config/shop.yaml. */
struct fixture {
    char root[64];
};

static void put(const struct fixture *f, const char *path, const char *content)
{
    char full[256];
    FILE *file;

    (void)snprintf(full, sizeof full, "%s/%s", f->root, path);
    file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    struct fixture *const f = calloc(1, sizeof *f);
    char folder[256];

    (void)snprintf(f->root, sizeof f->root, "/tmp/digest-tree-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    (void)snprintf(folder, sizeof folder, "%s/config", f->root);
    assert_int_equal(mkdir(folder, 0755), 0);
    put(f, "shop.py", "print(1)\n");
    put(f, "config/shop.yaml", "a: 1\n");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *const f = *state;
    static const char *const paths[] = { "shop.py", "config/shop.yaml", "link", "config", "" };
    char full[256];

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        (void)snprintf(full, sizeof full, "%s/%s", f->root, paths[i]);
        (void)remove(full);
    }
    free(f);
    return 0;
}

static void the_digest_is_what_sha256sum_says_of_the_sorted_files(void **state)
{
    const struct fixture *const f = *state;
    char command[512], by_hand[DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };
    FILE *pipe;

    (void)snprintf(command,
                   sizeof command,
                   "cd %s && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"
                   " | sha256sum",
                   f->root);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(by_hand, sizeof by_hand, pipe));
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(digest_tree(f->root, hex, &error), ERR_OK);
    assert_string_equal(hex, by_hand);
}

static void one_changed_byte_changes_the_digest(void **state)
{
    const struct fixture *const f = *state;
    char before[DIGEST_HEX_SIZE], after[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    assert_int_equal(digest_tree(f->root, before, &error), ERR_OK);
    put(f, "config/shop.yaml", "a: 2\n");
    assert_int_equal(digest_tree(f->root, after, &error), ERR_OK);
    assert_string_not_equal(before, after);
}

static void a_link_inside_is_refused(void **state)
{
    const struct fixture *const f = *state;
    char link[256], hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    (void)snprintf(link, sizeof link, "%s/link", f->root);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(digest_tree(f->root, hex, &error), ERR_INVALID);
    assert_non_null(strstr(error.text, "neither a file nor a folder"));
}

static void a_folder_that_is_not_there_is_not_found(void **state)
{
    char hex[DIGEST_HEX_SIZE];
    struct error error = { 0 };

    (void)state;
    assert_int_equal(digest_tree("/nonexistent/folder", hex, &error), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_digest_is_what_sha256sum_says_of_the_sorted_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_changed_byte_changes_the_digest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_inside_is_refused, set_up, tear_down),
        cmocka_unit_test(a_folder_that_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
