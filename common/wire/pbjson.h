/* Any of our messages as JSON, and back: the form of the HTTP API.
 *
 * Names are the fields' own (snake_case), enums their names, integers JSON numbers (also int64;
 * only what exceeds int64 is a string), bytes base64, a oneof the one field that is set. No
 * message type recurses, and none holds floats or maps. */
#ifndef COMMON_WIRE_PBJSON_H
#define COMMON_WIRE_PBJSON_H

#include "common/base/json.h"
#include "common/wire/pb.h"

struct json_t; /* jansson's tree. */

enum {
    PBJSON_DEPTH_MAX = 32,
    PBJSON_TEXT_MAX = 1024 * 1024, /* Bytes of one document, as HTTP_BODY_MAX. */
};

enum pbjson_style {
    PBJSON_SET,  /* Only what is set: as canonical proto3 JSON leaves defaults out. */
    PBJSON_FULL, /* Empty texts, zeros and empty lists too; unset messages are left out. */
};

/* Appends message as one object. */
void pbjson_print(const void *message, enum pbjson_style style, struct text *out);

/* The same inside a document that is being written; key is NULL inside arrays. */
void pbjson_put(struct json *json,
                const char *key,
                const void *message,
                enum pbjson_style style);

/* The fields of message alone, into the object that the caller has opened. */
void pbjson_put_fields(struct json *json, const void *message, enum pbjson_style style);

/* Parses one object strictly. ERR_INVALID says where: "artifacts[0].digest: expected object",
 * "rollout[1].percnt: unknown field", "line 3 column 7: ...". Absent and null leave a field at
 * its default. ERR_TOO_LARGE beyond PBJSON_TEXT_MAX, PBJSON_DEPTH_MAX, or more than 64 bytes of
 * memory for each byte received. ret lives in the arena and borrows nothing. */
enum err pbjson_parse(struct arena *arena,
                      const ProtobufCMessageDescriptor *type,
                      const char *bytes,
                      size_t length,
                      void **ret,
                      struct error *error) MUST_CHECK;

/* The same from a tree that was read already; where (may be "") is put before the paths. */
enum err pbjson_read(struct arena *arena,
                     const ProtobufCMessageDescriptor *type,
                     struct json_t *tree,
                     const char *where,
                     void **ret,
                     struct error *error) MUST_CHECK;

#endif
