#include "common/wire/digest.h"

#include "common/base/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_SIZE = 32, PIECE_SIZE = 64 * 1024 };

static void to_hex(const unsigned char raw[SHA256_SIZE], char ret_hex[DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret_hex[2 * i] = digits[raw[i] >> 4];
        ret_hex[2 * i + 1] = digits[raw[i] & 15];
    }
    ret_hex[DIGEST_HEX_SIZE - 1] = '\0';
}

void digest_sha256(const void *bytes, size_t length, char ret_hex[DIGEST_HEX_SIZE])
{
    unsigned char raw[SHA256_SIZE];

    if (EVP_Digest(bytes, length, raw, NULL, EVP_sha256(), NULL) != 1)
        abort();
    to_hex(raw, ret_hex);
}

void digest_field(const void *bytes, size_t length, char ret_field[DIGEST_FIELD_SIZE])
{
    unsigned char raw[SHA256_SIZE];
    struct text field = text_over(ret_field, DIGEST_FIELD_SIZE);

    if (EVP_Digest(bytes, length, raw, NULL, EVP_sha256(), NULL) != 1)
        abort();
    text_add(&field, "sha-256=:");
    base64_write(&field, raw, sizeof raw);
    text_add_char(&field, ':');
}

static enum err digest_stream(FILE *file, char ret_hex[DIGEST_HEX_SIZE])
{
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    unsigned char raw[SHA256_SIZE];
    char piece[PIECE_SIZE];
    size_t length;

    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    while ((length = fread(piece, 1, sizeof piece, file)) > 0)
        (void)EVP_DigestUpdate(context, piece, length);
    (void)EVP_DigestFinal_ex(context, raw, NULL);
    EVP_MD_CTX_free(context);
    to_hex(raw, ret_hex);
    return ferror(file) ? ERR_UNAVAILABLE : ERR_OK;
}

enum err digest_file(const char *path, char ret_hex[DIGEST_HEX_SIZE], struct error *error)
{
    FILE *const file = fopen(path, "rb");
    enum err err;

    if (file == NULL)
        return error_set(error,
                         errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s: %s",
                         path,
                         strerror(errno));
    err = digest_stream(file, ret_hex);
    (void)fclose(file);
    return err == ERR_OK ? ERR_OK : error_set(error, err, "%s: cannot be read", path);
}

void digest_hmac(const void *key,
                 size_t key_length,
                 const struct digest_piece *pieces,
                 size_t count,
                 char ret_hex[DIGEST_HEX_SIZE])
{
    EVP_MAC *const mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *const context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    char digest_name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("digest", digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    unsigned char raw[SHA256_SIZE];
    size_t length = 0;

    if (context == NULL || EVP_MAC_init(context, key, key_length, params) != 1)
        abort();
    for (size_t i = 0; i < count; i++) {
        unsigned char size[8];

        for (unsigned b = 0; b < sizeof size; b++)
            size[b] = (unsigned char)((uint64_t)pieces[i].length >> (56 - 8 * b));
        (void)EVP_MAC_update(context, size, sizeof size);
        (void)EVP_MAC_update(context, pieces[i].bytes, pieces[i].length);
    }
    if (EVP_MAC_final(context, raw, &length, sizeof raw) != 1 || length != sizeof raw)
        abort();
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    to_hex(raw, ret_hex);
}

void digest_hmac_plain(const void *key,
                       size_t key_length,
                       const void *bytes,
                       size_t length,
                       unsigned char ret[DIGEST_RAW_SIZE])
{
    unsigned written = 0;

    if (HMAC(EVP_sha256(), key, (int)key_length, bytes, length, ret, &written) == NULL ||
        written != DIGEST_RAW_SIZE)
        abort();
}

bool digest_equal(const char *a_hex, const char *b_hex)
{
    const size_t length = strlen(a_hex);

    return length == strlen(b_hex) && CRYPTO_memcmp(a_hex, b_hex, length) == 0;
}
