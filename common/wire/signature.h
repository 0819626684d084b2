/* Who vouches for a digest: an artifact's builder, or whoever accepted a feature.
 *
 * What is signed is the text "sha256:<64 digits>" without a line end, so that files, folders
 * and documents are signed alike and with any tool, for example:
 *
 *     printf sha256:%s $digest >text
 *     openssl pkeyutl -sign -rawin -in text -inkey key.pem | base64 >shop.sig
 *
 * Keys: Ed25519, or ECDSA and RSA with SHA-256. */
#ifndef COMMON_WIRE_SIGNATURE_H
#define COMMON_WIRE_SIGNATURE_H

#include "common/base/error.h"

#include <stddef.h>

enum { SIGNATURE_TEXT_MAX = 4096 }; /* Base64 of an RSA signature of 16384 bits fits. */

/* Is that base64 text (line ends are ignored) a signature of the digest by the public key in
 * the PEM file? ERR_DENIED: no. ERR_INVALID: the text is no base64, or too long.
 * ERR_UNAVAILABLE: the key cannot be read. */
enum err signature_check(const char *key_file,
                         const char *digest_hex,
                         const char *text,
                         size_t length,
                         struct error *error) MUST_CHECK;

/* The signature beside a file or folder: <path>.sig. ERR_NOT_FOUND: there is none; the others
 * as signature_check. */
enum err signature_check_beside(const char *key_file,
                                const char *digest_hex,
                                const char *path,
                                struct error *error) MUST_CHECK;

#endif
