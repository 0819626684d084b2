/* Who is asking. */
#include "services/gateway/auth.h"

#include "common/wire/digest.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW_MS = 1000000000, MEMORY = 8 << 20 };

static struct arena arena;
static char path[64];

static int open_file(void **state)
{
    (void)state;
    arena = arena_with_limit(MEMORY);
    (void)snprintf(path, sizeof path, "/tmp/slipway-auth.XXXXXX");
    (void)close(mkstemp(path));
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    (void)unlink(path);
    arena_release(&arena);
    return 0;
}

static const char *hash_of(const char *token)
{
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(token, strlen(token), hex);
    return arena_text(&arena, hex);
}

/* NULL; the first problem's message is in ret_why. */
static struct auth *load(const char *text, const char **ret_why)
{
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    FILE *const file = fopen(path, "w");
    struct auth *auth;

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    problems->arena = &arena;
    auth = auth_load(path, problems);
    *ret_why = problems->count > 0 ? problems->item[0].message : "";
    return auth;
}

static void a_token_speaks_for_its_subject_in_its_roles(void **state)
{
    const char *why;
    struct auth *const auth =
        load(arena_printf(&arena,
                          "tokens:\n"
                          "  - {subject: mira, name: Mira Okafor, roles: [technical-lead, "
                          "devops-lead], sha256: %s}\n"
                          "  - {subject: ci/github, roles: [submitter], sha256: %s}\n",
                          hash_of("one"),
                          hash_of("two")),
             &why);
    const Pb__Actor *mira;

    (void)state;
    assert_non_null(auth);
    mira = auth_actor(auth, "Bearer one", NOW_MS);
    assert_non_null(mira);
    assert_string_equal(mira->subject, "mira");
    assert_true(auth_has_role(mira, "devops-lead"));
    assert_false(auth_has_role(mira, "submitter"));
    assert_string_equal(auth_display_name(auth, "mira"), "Mira Okafor");
    assert_string_equal(auth_display_name(auth, "ci/github"), "ci/github");
    assert_string_equal(auth_actor(auth, "bearer two", NOW_MS)->subject, "ci/github");
    auth_free(auth);
}

static void what_is_no_token_of_ours_is_nobody(void **state)
{
    static const char *const wrong[] = { "Bearer One", "Bearer one ", "Bearer  one", "one",
                                         "Bearer ",    "Bearer",      "Basic one",   "" };
    const char *why;
    struct auth *const auth =
        load(arena_printf(&arena,
                          "tokens:\n  - {subject: mira, roles: [reader], sha256: %s}\n",
                          hash_of("one")),
             &why);
    char *const lengthy = arena_alloc(&arena, 4096);

    (void)state;
    assert_non_null(auth);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_null(auth_actor(auth, wrong[i], NOW_MS));
    assert_null(auth_actor(auth, NULL, NOW_MS));
    memset(lengthy, 'x', 4095);
    memcpy(lengthy, "Bearer ", 7);
    assert_null(auth_actor(auth, lengthy, NOW_MS));
    assert_null(auth_actor(auth, arena_printf(&arena, "Bearer %s", hash_of("one")), NOW_MS));
    auth_free(auth);
}

static void a_token_ends_when_it_says(void **state)
{
    const char *why;
    struct auth *const auth =
        load(arena_printf(&arena,
                          "tokens:\n  - {subject: mira, roles: [reader], sha256: %s, expires: "
                          "\"1970-01-12T13:46:40Z\"}\n",
                          hash_of("one")),
             &why);

    (void)state;
    assert_non_null(auth);
    assert_non_null(auth_actor(auth, "Bearer one", NOW_MS - 1));
    assert_null(auth_actor(auth, "Bearer one", NOW_MS));
    auth_free(auth);
}

static void a_file_with_a_mistake_is_refused_whole(void **state)
{
    static const char *const files[][2] = {
        { "tokens: {}", "tokens" },
        { "people: []", "tokens" },
        { "tokens:\n  - {subject: a, roles: [reader]}", "sha256" },
        { "tokens:\n  - {subject: a, roles: [reader], sha256: abc}", "sha256" },
        { "tokens:\n  - {subject: a, roles: [reader], sha256: "
          "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz}",
          "sha256" },
        { "tokens:\n  - {roles: [reader], sha256: "
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}",
          "subject" },
        { "tokens:\n  - {subject: a, roles: [reader], expires: tomorrow, sha256: "
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}",
          "expires" },
        { "tokens:\n  - {subject: a, roles: [reader], token: x, sha256: "
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}",
          "token" },
        { "tokens: [", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *why;
        struct auth *const auth = load(files[i][0], &why);

        if (auth != NULL || strstr(why, files[i][1]) == NULL)
            fail_msg("%s: %s", files[i][0], why);
    }
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    const char *why;

    (void)state;
    auth_free(load("tokens: []\n", &why));
    problems->arena = &arena;
    (void)chmod(path, 0666);
    assert_null(auth_load(path, problems));
    assert_non_null(strstr(problems->item[0].message, "written by others"));
    (void)chmod(path, 0644);
    auth_free(auth_load(path, problems));
    assert_int_equal(problems->errors, 1);
}

static void a_file_that_is_not_there_is_a_problem(void **state)
{
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);

    (void)state;
    problems->arena = &arena;
    assert_null(auth_load("/nowhere/tokens.yaml", problems));
    assert_int_equal(problems->errors, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_token_speaks_for_its_subject_in_its_roles, open_file, close_file),
        cmocka_unit_test_setup_teardown(
            what_is_no_token_of_ours_is_nobody, open_file, close_file),
        cmocka_unit_test_setup_teardown(a_token_ends_when_it_says, open_file, close_file),
        cmocka_unit_test_setup_teardown(
            a_file_with_a_mistake_is_refused_whole, open_file, close_file),
        cmocka_unit_test_setup_teardown(
            a_file_that_others_may_write_is_refused, open_file, close_file),
        cmocka_unit_test_setup_teardown(
            a_file_that_is_not_there_is_a_problem, open_file, close_file),
    };

    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
