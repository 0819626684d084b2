/* Records that others write: CloudEvents of any client, in Kafka's binary or structured mode,
 * their data as protobuf or as JSON. Used for acceptance.v1 and alerts.v1; our own services
 * write binary mode with protobuf only (envelope.h). */
#ifndef COMMON_WIRE_FOREIGN_H
#define COMMON_WIRE_FOREIGN_H

#include "common/wire/envelope.h"

/* The record in binary mode. One whose content-type is application/cloudevents+json becomes
 * ce_* headers, its datacontenttype as content-type (JSON if it says none), and its data; any
 * other is left as it is. ret borrows from record and lives in the arena. ERR_INVALID names the
 * attribute that cannot be; ERR_TOO_LARGE beyond PBJSON_TEXT_MAX. */
enum err foreign_unwrap(struct arena *arena,
                        const struct bus_record *record,
                        struct bus_record *ret,
                        struct error *error) MUST_CHECK;

/* The data of a record in binary mode as a message of that type, read as its content-type says:
 * application/json, or application/protobuf, which is also meant where it says nothing. ret
 * lives in the arena. ERR_INVALID and ERR_TOO_LARGE with the place in error. */
enum err foreign_message(struct arena *arena,
                         const struct bus_record *record,
                         const ProtobufCMessageDescriptor *type,
                         void **ret,
                         struct error *error) MUST_CHECK;

#endif
