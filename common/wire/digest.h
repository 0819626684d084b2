/* SHA-256 and HMAC-SHA-256 as lower-case hex. */
#ifndef COMMON_WIRE_DIGEST_H
#define COMMON_WIRE_DIGEST_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_HEX_SIZE = 65 }; /* 64 digits and a NUL. */

/* SHA-256 of length bytes. */
void digest_sha256(const void *bytes, size_t length, char ret_hex[DIGEST_HEX_SIZE]);

/* The same as a member of Repr-Digest (RFC 9530): "sha-256=:<base64>:". */
enum { DIGEST_FIELD_SIZE = 56 };
void digest_field(const void *bytes, size_t length, char ret_field[DIGEST_FIELD_SIZE]);

/* SHA-256 of a file, read in pieces. ERR_NOT_FOUND, or ERR_UNAVAILABLE when it cannot be read.
 */
enum err digest_file(const char *path,
                     char ret_hex[DIGEST_HEX_SIZE],
                     struct error *error) MUST_CHECK;

/* SHA-256 of a folder: of the lines "<sha256 of the file>  ./<path>", ordered by the bytes of
 * the path. By hand: find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum |
 * sha256sum. Folders without files do not count. ERR_INVALID: it holds something else than
 * files and folders, or a name with a control character or backslash; ERR_TOO_LARGE: more than
 * 20000 files, or deeper than 32. */
enum { DIGEST_TREE_FILES_MAX = 20000, DIGEST_TREE_DEPTH_MAX = 32 };
enum err digest_tree(const char *path,
                     char ret_hex[DIGEST_HEX_SIZE],
                     struct error *error) MUST_CHECK;

/* HMAC-SHA-256 over the pieces one after the other, each preceded by its length. */
struct digest_piece {
    const void *bytes;
    size_t length;
};
void digest_hmac(const void *key,
                 size_t key_length,
                 const struct digest_piece *pieces,
                 size_t count,
                 char ret_hex[DIGEST_HEX_SIZE]);

/* HMAC-SHA-256 of length bytes as others compute it, raw: for protocols that are not ours. */
enum { DIGEST_RAW_SIZE = 32 };
void digest_hmac_plain(const void *key,
                       size_t key_length,
                       const void *bytes,
                       size_t length,
                       unsigned char ret[DIGEST_RAW_SIZE]);

/* Equal, compared in constant time. */
bool digest_equal(const char *a_hex, const char *b_hex);

#endif
