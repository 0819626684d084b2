#include "common/wire/digest.h"
#include "common/wire/signature.h"
#include "tests/support/signing.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct desk {
    char folder[64];
    const char *key;
    char hex[DIGEST_HEX_SIZE];
    struct arena arena;
    struct signing *signing;
};

static int desk_open(void **state)
{
    struct desk *const desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    (void)snprintf(desk->folder, sizeof desk->folder, "/tmp/signature-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    desk->arena = arena_with_limit(1024 * 1024);
    desk->key = arena_printf(&desk->arena, "%s/key.pem", desk->folder);
    digest_sha256("shop 1.1", 8, desk->hex);
    desk->signing = signing_new("ED25519", desk->key);
    *state = desk;
    return 0;
}

static const char *below(struct desk *desk, const char *name)
{
    return arena_printf(&desk->arena, "%s/%s", desk->folder, name);
}

static int desk_close(void **state)
{
    static const char *const files[] = { "key.pem", "shop.sig", "elsewhere" };
    struct desk *const desk = *state;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(below(desk, files[i]));
    assert_int_equal(rmdir(desk->folder), 0);
    signing_free(desk->signing);
    arena_release(&desk->arena);
    free(desk);
    return 0;
}

static enum err check(struct desk *desk, const char *text)
{
    struct error error = { 0 };

    return signature_check(desk->key, desk->hex, text, strlen(text), &error);
}

static void put(struct desk *desk, const char *name, const char *text)
{
    FILE *const file = fopen(below(desk, name), "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void keys_of_each_kind_sign_a_digest(void **state)
{
    static const char *const kinds[] = { "ED25519", "EC", "RSA" };
    struct desk *const desk = *state;

    for (size_t i = 0; i < 3; i++) {
        signing_free(desk->signing);
        desk->signing = signing_new(kinds[i], desk->key);
        assert_int_equal(check(desk, signing_text(desk->signing, &desk->arena, desk->hex)),
                         ERR_OK);
    }
}

static void a_signature_of_something_else_is_denied(void **state)
{
    struct desk *const desk = *state;
    const char *const text = signing_text(desk->signing, &desk->arena, desk->hex);

    desk->hex[0] = desk->hex[0] == 'a' ? 'b' : 'a';
    assert_int_equal(check(desk, text), ERR_DENIED);
}

static void a_signature_by_somebody_else_is_denied(void **state)
{
    struct desk *const desk = *state;
    const char *const text = signing_text(desk->signing, &desk->arena, desk->hex);

    signing_free(desk->signing);
    desk->signing = signing_new("ED25519", desk->key);
    assert_int_equal(check(desk, text), ERR_DENIED);
}

static void what_is_no_base64_is_no_signature(void **state)
{
    struct desk *const desk = *state;
    char *const much = arena_alloc(&desk->arena, SIGNATURE_TEXT_MAX + 2);

    memset(much, 'A', SIGNATURE_TEXT_MAX + 1);
    assert_int_equal(check(desk, ""), ERR_INVALID);
    assert_int_equal(check(desk, "\n"), ERR_INVALID);
    assert_int_equal(check(desk, "<html>"), ERR_INVALID);
    assert_int_equal(check(desk, much), ERR_INVALID);
}

static void without_its_key_nothing_is_said(void **state)
{
    struct desk *const desk = *state;
    const char *const text = signing_text(desk->signing, &desk->arena, desk->hex);

    put(desk, "key.pem", "no key\n");
    assert_int_equal(check(desk, text), ERR_UNAVAILABLE);
    assert_int_equal(unlink(desk->key), 0);
    assert_int_equal(check(desk, text), ERR_UNAVAILABLE);
}

static void the_signature_lies_beside_what_it_signs(void **state)
{
    struct desk *const desk = *state;
    const char *const path = below(desk, "shop");
    struct error error = { 0 };

    assert_int_equal(signature_check_beside(desk->key, desk->hex, path, &error), ERR_NOT_FOUND);
    put(desk, "shop.sig", signing_text(desk->signing, &desk->arena, desk->hex));
    assert_int_equal(signature_check_beside(desk->key, desk->hex, path, &error), ERR_OK);
    assert_int_equal(rename(below(desk, "shop.sig"), below(desk, "elsewhere")), 0);
    assert_int_equal(symlink("elsewhere", below(desk, "shop.sig")), 0);
    assert_int_equal(signature_check_beside(desk->key, desk->hex, path, &error),
                     ERR_UNAVAILABLE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
    const struct CMUnitTest tests[] = {
        T(keys_of_each_kind_sign_a_digest),        T(a_signature_of_something_else_is_denied),
        T(a_signature_by_somebody_else_is_denied), T(what_is_no_base64_is_no_signature),
        T(without_its_key_nothing_is_said),        T(the_signature_lies_beside_what_it_signs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
