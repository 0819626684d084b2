#include "common/domain/flags.h"

#include "common/domain/murmur3.h"

#include <string.h>

enum { PERCENT_PARTS = FLAG_BUCKETS / 100, HASHED_MAX = 512 };

/* "<flag>/<key>" is put together on the stack. What does not fit is folded into a seed first,
 * so that long keys still spread. */
uint32_t flag_bucket(const char *flag, const char *targeting_key)
{
    const size_t flag_length = strlen(flag);
    const size_t key_length = strlen(targeting_key);
    char hashed[HASHED_MAX];
    uint32_t hash;

    if (flag_length + 1 + key_length <= sizeof hashed) {
        memcpy(hashed, flag, flag_length);
        hashed[flag_length] = '/';
        memcpy(hashed + flag_length + 1, targeting_key, key_length);
        hash = murmur3_32(hashed, flag_length + 1 + key_length, 0);
    } else {
        hash = murmur3_32(targeting_key, key_length, murmur3_32(flag, flag_length, 0));
    }
    return (uint32_t)((uint64_t)hash * FLAG_BUCKETS >> 32);
}

/* "group=staff" against the context; the targeting key is part of it under its OFREP name. */
static bool audience_matches(const char *audience,
                             const char *targeting_key,
                             Pb__Pair *const *attributes,
                             size_t count)
{
    const char *const equals = strchr(audience, '=');
    const size_t length = equals != NULL ? (size_t)(equals - audience) : 0;

    if (length == 0)
        return false;
    if (length == strlen("targetingKey") && strncmp(audience, "targetingKey", length) == 0)
        return strcmp(targeting_key, equals + 1) == 0;
    for (size_t i = 0; i < count; i++) {
        if (strlen(attributes[i]->key) == length &&
            strncmp(attributes[i]->key, audience, length) == 0 &&
            strcmp(attributes[i]->value, equals + 1) == 0)
            return true;
    }
    return false;
}

struct flag_evaluation flag_evaluate(const Pb__FlagValue *value,
                                     bool latched,
                                     const char *targeting_key,
                                     Pb__Pair *const *attributes,
                                     size_t attribute_count)
{
    const char *const key = targeting_key != NULL ? targeting_key : "";
    struct flag_evaluation result = { .on = false, .reason = FLAG_DISABLED };

    if (value == NULL || latched || value->percent == 0)
        return result;
    /* All who bring no key would share one bucket: they wait for 100 %. */
    result.bucket = key[0] != '\0' ? flag_bucket(value->flag, key) : FLAG_BUCKETS - 1;
    if (value->percent >= 100) {
        result.on = true;
        result.reason = FLAG_STATIC;
    } else if (audience_matches(value->audience, key, attributes, attribute_count)) {
        result.on = true;
        result.reason = FLAG_TARGETING_MATCH;
    } else {
        result.on = result.bucket < value->percent * PERCENT_PARTS;
        result.reason = FLAG_SPLIT;
    }
    return result;
}

const char *flag_reason_name(enum flag_reason reason)
{
    switch (reason) {
    case FLAG_STATIC: return "STATIC";
    case FLAG_TARGETING_MATCH: return "TARGETING_MATCH";
    case FLAG_SPLIT: return "SPLIT";
    case FLAG_DISABLED: return "DISABLED";
    }
    return "UNKNOWN";
}

/* True when part, length bytes long, is name or "*". */
static bool names(const char *part, size_t length, const char *name)
{
    if (length == 1 && part[0] == '*')
        return true;
    return strlen(name) == length && strncmp(part, name, length) == 0;
}

bool freeze_covers(const Pb__Freeze *freeze,
                   const char *environment,
                   const char *const *services,
                   size_t service_count,
                   int64_t at_ms)
{
    const char *const slash = strchr(freeze->scope, '/');
    const size_t length =
        slash != NULL ? (size_t)(slash - freeze->scope) : strlen(freeze->scope);
    const char *const service = slash != NULL ? slash + 1 : "*";

    if (at_ms < freeze->from_ms || (freeze->to_ms != 0 && at_ms >= freeze->to_ms))
        return false;
    if (freeze->lifted_ms != 0 && at_ms >= freeze->lifted_ms)
        return false;
    if (!names(freeze->scope, length, environment))
        return false;
    if (strcmp(service, "*") == 0)
        return true;
    for (size_t i = 0; i < service_count; i++) {
        if (strcmp(service, services[i]) == 0)
            return true;
    }
    return false;
}
