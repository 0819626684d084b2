/* Keys made for a test, and what they sign. */
#ifndef TESTS_SUPPORT_SIGNING_H
#define TESTS_SUPPORT_SIGNING_H

#include "common/base/arena.h"

/* A new key pair ("ED25519", "EC", "RSA"); its public half as PEM at that path. Release it with
 * signing_free. */
struct signing;
struct signing *signing_new(const char *kind, const char *public_path);
void signing_free(struct signing *signing);

/* The base64 of its signature of "sha256:<hex>", in lines of 64 as openssl prints them. */
const char *signing_text(const struct signing *signing, struct arena *arena, const char *hex);

#endif
