#include "tests/support/signing.h"

#include "common/base/base64.h"
#include "common/base/text.h"
#include "tests/support/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_MAX = 1024, TEXT_MAX = 4096, LINE = 64 };

struct signing {
    EVP_PKEY *key;
    bool hashes_itself;
};

struct signing *signing_new(const char *kind, const char *public_path)
{
    struct signing *const signing = calloc(1, sizeof *signing);
    FILE *const file = fopen(public_path, "wb");

    assert_non_null(signing);
    assert_non_null(file);
    if (strcmp(kind, "EC") == 0)
        signing->key = EVP_EC_gen("P-256");
    else if (strcmp(kind, "RSA") == 0)
        signing->key = EVP_RSA_gen(2048);
    else
        signing->key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    signing->hashes_itself = strcmp(kind, "ED25519") == 0;
    assert_non_null(signing->key);
    assert_int_equal(PEM_write_PUBKEY(file, signing->key), 1);
    assert_int_equal(fclose(file), 0);
    return signing;
}

void signing_free(struct signing *signing)
{
    EVP_PKEY_free(signing->key);
    free(signing);
}

/* Base64 in lines, as programs print it. */
static const char *in_lines(struct arena *arena, const unsigned char *bytes, size_t length)
{
    struct text whole = text_new(TEXT_MAX), lines = text_new(TEXT_MAX);
    const char *copy;

    base64_write(&whole, bytes, length);
    for (size_t i = 0; i < whole.length; i += LINE)
        text_add(&lines, "%.*s\n", (int)LINE, whole.bytes + i);
    copy = arena_text(arena, lines.bytes);
    text_release(&whole);
    text_release(&lines);
    return copy;
}

const char *signing_text(const struct signing *signing, struct arena *arena, const char *hex)
{
    const char *const text = arena_printf(arena, "sha256:%s", hex);
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    unsigned char bytes[SIGNATURE_MAX];
    size_t length = sizeof bytes;

    assert_int_equal(
        EVP_DigestSignInit(
            context, NULL, signing->hashes_itself ? NULL : EVP_sha256(), NULL, signing->key),
        1);
    assert_int_equal(
        EVP_DigestSign(context, bytes, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    return in_lines(arena, bytes, length);
}
