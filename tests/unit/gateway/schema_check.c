#include "tests/unit/gateway/schema_check.h"

#include <string.h>

static void check(const json_t *openapi,
                  json_t *schema,
                  json_t *value,
                  const char *where,
                  struct text *fault);

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER: return "integer";
    case JSON_REAL: return "number";
    case JSON_NULL: return "null";
    default: return "boolean";
    }
}

static bool type_fits(const json_t *wanted, const json_t *value)
{
    const char *const is = type_of(value);

    for (size_t i = 0; i < json_array_size(wanted); i++) {
        if (type_fits(json_array_get(wanted, i), value))
            return true;
    }
    return json_is_string(wanted) &&
           (strcmp(json_string_value(wanted), is) == 0 ||
            (strcmp(json_string_value(wanted), "number") == 0 && strcmp(is, "integer") == 0));
}

static void check_members(const json_t *openapi,
                          const json_t *schema,
                          json_t *value,
                          const char *where,
                          struct text *fault)
{
    json_t *const properties = json_object_get(schema, "properties");
    const char *name;
    json_t *member;
    json_t *required;
    size_t i;

    if (properties == NULL)
        return;
    json_array_foreach(json_object_get(schema, "required"), i, required)
    {
        if (json_object_get(value, json_string_value(required)) == NULL)
            text_add(fault, "%s.%s is missing\n", where, json_string_value(required));
    }
    json_object_foreach(value, name, member)
    {
        char bytes[512];
        struct text path = text_over(bytes, sizeof bytes);
        json_t *const wanted = json_object_get(properties, name);

        text_add(&path, "%s.%s", where, name);
        if (wanted == NULL)
            text_add(fault, "%s is not described\n", bytes);
        else
            check(openapi, wanted, member, bytes, fault);
    }
}

static bool any_fits(const json_t *openapi, const json_t *schemas, json_t *value)
{
    for (size_t i = 0; i < json_array_size(schemas); i++) {
        struct text fault = text_new(64 * 1024);
        bool fits;

        check(openapi, json_array_get(schemas, i), value, "", &fault);
        fits = fault.length == 0;
        text_release(&fault);
        if (fits)
            return true;
    }
    return false;
}

static void check(
    const json_t *openapi, json_t *schema, json_t *value, const char *where, struct text *fault)
{
    const char *const reference = json_string_value(json_object_get(schema, "$ref"));
    const json_t *const any = json_object_get(schema, "anyOf");
    const json_t *const type = json_object_get(schema, "type");
    size_t i;
    json_t *item;

    if (reference != NULL) {
        schema_check(openapi, strrchr(reference, '/') + 1, value, fault);
        return;
    }
    if (any != NULL) {
        if (json_is_object(value))
            check(openapi, json_array_get(any, 0), value, where, fault);
        else if (!any_fits(openapi, any, value))
            text_add(fault, "%s fits none of its forms\n", where);
        return;
    }
    if (type != NULL && !type_fits(type, value)) {
        text_add(fault, "%s is %s\n", where, type_of(value));
        return;
    }
    if (json_is_object(value))
        check_members(openapi, schema, value, where, fault);
    json_array_foreach(value, i, item)
    {
        check(openapi, json_object_get(schema, "items"), item, where, fault);
    }
}

void schema_check(const json_t *openapi, const char *name, json_t *value, struct text *fault)
{
    json_t *const schema = json_object_get(
        json_object_get(json_object_get(openapi, "components"), "schemas"), name);

    if (schema == NULL)
        text_add(fault, "there is no schema %s\n", name);
    else
        check(openapi, schema, value, name, fault);
}
