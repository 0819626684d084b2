#include "common/wire/signature.h"

#include "common/base/arena.h"
#include "common/base/base64.h"
#include "common/wire/digest.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MAX = 4 * SIGNATURE_TEXT_MAX, SIGNED_MAX = 80, PATH_ROOM = 4096 };

static EVP_PKEY *read_key(const char *path, struct error *error)
{
    FILE *const file = fopen(path, "rb");
    EVP_PKEY *key;

    if (file == NULL) {
        (void)error_set(error, ERR_UNAVAILABLE, "key %s: %s", path, strerror(errno));
        return NULL;
    }
    key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    (void)fclose(file);
    if (key == NULL)
        (void)error_set(error, ERR_UNAVAILABLE, "key %s is no public key in PEM", path);
    return key;
}

/* Keys that hash by themselves are told no digest. */
static const EVP_MD *hash_of(EVP_PKEY *key)
{
    const int type = EVP_PKEY_get_base_id(key);

    return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448 ? NULL : EVP_sha256();
}

static bool verifies(EVP_PKEY *key, const char *digest_hex, const uint8_t *bytes, size_t length)
{
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    char text[SIGNED_MAX];
    const int size = snprintf(text, sizeof text, "sha256:%.64s", digest_hex);
    const bool right =
        context != NULL && EVP_DigestVerifyInit(context, NULL, hash_of(key), NULL, key) == 1 &&
        EVP_DigestVerify(context, bytes, length, (const unsigned char *)text, (size_t)size) ==
            1;

    EVP_MD_CTX_free(context);
    return right;
}

/* The bytes of base64 text, whatever its lines; NULL if it is none. */
static uint8_t *decode(struct arena *arena, const char *text, size_t length, size_t *ret)
{
    char *const bare = arena_alloc(arena, length + 1);
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            bare[count++] = text[i];
    return count > 0 ? base64_read(arena, bare, count, ret) : NULL;
}

enum err signature_check(const char *key_file,
                         const char *digest_hex,
                         const char *text,
                         size_t length,
                         struct error *error)
{
    struct arena arena = arena_with_limit(MEMORY_MAX);
    EVP_PKEY *const key = read_key(key_file, error);
    const uint8_t *bytes = NULL;
    size_t count = 0;
    enum err err = ERR_OK;

    if (key != NULL && length <= SIGNATURE_TEXT_MAX)
        bytes = decode(&arena, text, length, &count);
    if (key == NULL)
        err = ERR_UNAVAILABLE;
    else if (bytes == NULL)
        err = error_set(error, ERR_INVALID, "the signature is no base64");
    else if (strlen(digest_hex) != DIGEST_HEX_SIZE - 1 ||
             !verifies(key, digest_hex, bytes, count))
        err = error_set(error,
                        ERR_DENIED,
                        "the signature is not of sha256:%.12s by %s",
                        digest_hex,
                        key_file);
    EVP_PKEY_free(key);
    arena_release(&arena);
    return err;
}

/* A link may lead anywhere, and is no signature. */
static enum err read_beside(const char *path,
                            char text[SIGNATURE_TEXT_MAX + 1],
                            size_t *ret_length,
                            struct error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length;

    if (fd < 0 && errno == ENOENT)
        return error_set(error, ERR_NOT_FOUND, "there is no signature %s", path);
    if (fd < 0)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    length = read(fd, text, SIGNATURE_TEXT_MAX + 1);
    if (length < 0)
        (void)error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    (void)close(fd);
    *ret_length = length > 0 ? (size_t)length : 0;
    return length < 0 ? ERR_UNAVAILABLE : ERR_OK;
}

enum err signature_check_beside(const char *key_file,
                                const char *digest_hex,
                                const char *path,
                                struct error *error)
{
    char text[SIGNATURE_TEXT_MAX + 1], beside[PATH_ROOM];
    const int size = snprintf(beside, sizeof beside, "%s.sig", path);
    size_t length = 0;
    enum err err;

    if (size < 0 || (size_t)size >= sizeof beside)
        return error_set(error, ERR_INVALID, "the path of the signature is too long");
    err = read_beside(beside, text, &length, error);
    return err == ERR_OK ? signature_check(key_file, digest_hex, text, length, error) : err;
}
