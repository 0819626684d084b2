/* What differs between two plans, by field. Lists of things with a name are matched by it, so
 * that one more change in front does not make all others differ. */
#include "common/base/text.h"
#include "common/planning/compile.h"

#include <inttypes.h>
#include <string.h>

enum { DIFFERENCES_MAX = 500, VALUE_MAX = 400 };

struct diff {
    struct arena *arena;
    struct plan_difference *item;
    size_t count;
};

/* What a list of messages is matched by: up to three fields. */
static const struct key {
    const ProtobufCMessageDescriptor *type;
    const char *fields[3];
} keys[] = {
    { &pb__change__descriptor, { "kind", "artifact", "target" } },
    { &pb__batch__descriptor, { "index", NULL, NULL } },
    { &pb__stage__descriptor, { "name", NULL, NULL } },
    { &pb__step_plan__descriptor, { "step", NULL, NULL } },
    { &pb__check_spec__descriptor, { "id", NULL, NULL } },
    { &pb__flag_spec__descriptor, { "key", NULL, NULL } },
    { &pb__sign_off_spec__descriptor, { "step", "role", NULL } },
    { &pb__approval_spec__descriptor, { "role", NULL, NULL } },
    { &pb__window__descriptor, { "name", NULL, NULL } },
    { &pb__channel_use__descriptor, { "channel", "purpose", NULL } },
    { &pb__document__descriptor, { "kind", "link", NULL } },
    { &pb__link__descriptor, { "url", NULL, NULL } },
    { &pb__test_result__descriptor, { "suite", NULL, NULL } },
    { &pb__metric_criterion__descriptor, { "name", NULL, NULL } },
    { &pb__acceptance_signature__descriptor, { "subject", "role", NULL } },
    { &pb__pair__descriptor, { "key", "value", NULL } },
};

static void diff_messages(struct diff *diff,
                          const char *path,
                          const ProtobufCMessage *was,
                          const ProtobufCMessage *now);

static void add(struct diff *diff, char op, const char *path, const char *was, const char *now)
{
    if (diff->count == DIFFERENCES_MAX)
        return;
    diff->item[diff->count++] = (struct plan_difference){ op, path, was, now };
}

static const void *field_at(const ProtobufCMessage *message,
                            const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

static size_t count_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64: return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    default: return sizeof(uint32_t);
    }
}

static const char *value_text(struct arena *arena,
                              const ProtobufCFieldDescriptor *field,
                              const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *const text = *(const char *const *)value;

        return text != NULL ? text : "";
    }
    case PROTOBUF_C_TYPE_INT64: return arena_printf(arena, "%" PRId64, *(const int64_t *)value);
    case PROTOBUF_C_TYPE_UINT64:
        return arena_printf(arena, "%" PRIu64, *(const uint64_t *)value);
    case PROTOBUF_C_TYPE_BOOL: return *(const protobuf_c_boolean *)value ? "true" : "false";
    case PROTOBUF_C_TYPE_ENUM: return pb_enum_name(field->descriptor, *(const int32_t *)value);
    default: return arena_printf(arena, "%" PRIu32, *(const uint32_t *)value);
    }
}

static const struct key *key_of(const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].type == type)
            return &keys[i];
    return NULL;
}

/* "backend shop shop": what names the message in its list; "" if nothing does. */
static const char *name_of(struct arena *arena, const ProtobufCMessage *message)
{
    const struct key *const key = key_of(message->descriptor);
    char bytes[VALUE_MAX];
    struct text text = text_over(bytes, sizeof bytes);

    for (size_t i = 0; key != NULL && i < 3 && key->fields[i] != NULL; i++) {
        const ProtobufCFieldDescriptor *const field =
            protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
                                                            key->fields[i]);

        text_add(&text,
                 "%s%s",
                 text.length > 0 ? " " : "",
                 value_text(arena, field, field_at(message, field)));
    }
    return arena_text(arena, bytes);
}

/* One line that says what a whole message is: its scalars. */
static const char *summary_of(struct arena *arena, const ProtobufCMessage *message)
{
    char bytes[VALUE_MAX];
    struct text text = text_over(bytes, sizeof bytes);

    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &message->descriptor->fields[f];
        const char *value;

        if (field->label == PROTOBUF_C_LABEL_REPEATED ||
            field->type == PROTOBUF_C_TYPE_MESSAGE || strcmp(field->name, "remedy") == 0)
            continue;
        value = value_text(arena, field, field_at(message, field));
        if (*value != '\0' && strcmp(value, "0") != 0 && strcmp(value, "false") != 0)
            text_add(&text, "%s%s %s", text.length > 0 ? ", " : "", field->name, value);
    }
    return arena_text(arena, bytes);
}

static const ProtobufCMessage *find_by_name(struct arena *arena,
                                            const ProtobufCMessage *const *list,
                                            size_t count,
                                            const char *name,
                                            size_t *ret_index)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name_of(arena, list[i]), name) == 0) {
            *ret_index = i;
            return list[i];
        }
    return NULL;
}

/* Two lists of messages. A path counts as the new plan does; what is gone, as the old one did.
 */
static void diff_lists(struct diff *diff,
                       const char *path,
                       const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *was,
                       const ProtobufCMessage *now)
{
    const ProtobufCMessage *const *const old_list =
        *(const ProtobufCMessage *const *const *)field_at(was, field);
    const ProtobufCMessage *const *const new_list =
        *(const ProtobufCMessage *const *const *)field_at(now, field);
    const size_t old_count = count_at(was, field);
    const size_t new_count = count_at(now, field);
    size_t index;

    for (size_t i = 0; i < old_count; i++)
        if (find_by_name(
                diff->arena, new_list, new_count, name_of(diff->arena, old_list[i]), &index) ==
            NULL)
            add(diff,
                '-',
                arena_printf(diff->arena, "%s[%zu]", path, i),
                summary_of(diff->arena, old_list[i]),
                "");
    for (size_t i = 0; i < new_count; i++) {
        const ProtobufCMessage *const old = find_by_name(
            diff->arena, old_list, old_count, name_of(diff->arena, new_list[i]), &index);
        const char *const at = arena_printf(diff->arena, "%s[%zu]", path, i);

        if (old == NULL)
            add(diff, '+', at, "", summary_of(diff->arena, new_list[i]));
        else
            diff_messages(diff, at, old, new_list[i]);
    }
}

/* Two lists of texts or numbers, as sets. */
static void diff_values(struct diff *diff,
                        const char *path,
                        const ProtobufCFieldDescriptor *field,
                        const ProtobufCMessage *list,
                        const ProtobufCMessage *other)
{
    const char *const base = *(const char *const *)field_at(list, field);
    const char *const other_base = *(const char *const *)field_at(other, field);
    const size_t size = element_size(field);
    const bool gone = *path == '-';

    for (size_t i = 0; i < count_at(list, field); i++) {
        const char *const value = value_text(diff->arena, field, base + i * size);
        bool found = false;

        for (size_t k = 0; k < count_at(other, field); k++)
            found = found ||
                    strcmp(value, value_text(diff->arena, field, other_base + k * size)) == 0;
        if (!found)
            add(diff,
                *path,
                arena_printf(diff->arena, "%s[%zu]", path + 1, i),
                gone ? value : "",
                gone ? "" : value);
    }
}

static void diff_single(struct diff *diff,
                        const char *path,
                        const ProtobufCFieldDescriptor *field,
                        const void *was,
                        const void *now)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *const old = *(const ProtobufCMessage *const *)was;
        const ProtobufCMessage *const new = *(const ProtobufCMessage *const *)now;

        if (old != NULL && new != NULL)
            diff_messages(diff, path, old, new);
        else if (new != NULL)
            add(diff, '+', path, "", summary_of(diff->arena, new));
        else if (old != NULL)
            add(diff, '-', path, summary_of(diff->arena, old), "");
        return;
    }
    was = value_text(diff->arena, field, was);
    now = value_text(diff->arena, field, now);
    if (strcmp(was, now) != 0)
        add(diff,
            *(const char *)was == '\0'   ? '+'
            : *(const char *)now == '\0' ? '-'
                                         : '~',
            path,
            was,
            now);
}

static void diff_field(struct diff *diff,
                       const char *path,
                       const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *was,
                       const ProtobufCMessage *now)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        diff_single(diff, path, field, field_at(was, field), field_at(now, field));
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        diff_lists(diff, path, field, was, now);
    } else {
        diff_values(diff, arena_printf(diff->arena, "-%s", path), field, was, now);
        diff_values(diff, arena_printf(diff->arena, "+%s", path), field, now, was);
    }
}

/* Follows from the rest, or says only where the message stands. */
static bool is_derived(const ProtobufCMessageDescriptor *type, const char *field)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *field;
    } derived[] = {
        { &pb__change__descriptor, "index" },      { &pb__stage__descriptor, "index" },
        { &pb__check_spec__descriptor, "params" }, { &pb__check_spec__descriptor, "metrics" },
        { &pb__check_spec__descriptor, "remedy" }, { &pb__plan__descriptor, "content_hash" },
        { &pb__plan__descriptor, "submitted_by" },
    };

    for (size_t i = 0; i < sizeof derived / sizeof derived[0]; i++)
        if (derived[i].type == type && strcmp(derived[i].field, field) == 0)
            return true;
    return false;
}

static void diff_messages(struct diff *diff,
                          const char *path,
                          const ProtobufCMessage *was,
                          const ProtobufCMessage *now)
{
    const ProtobufCMessageDescriptor *const type = now->descriptor;

    for (unsigned f = 0; f < type->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &type->fields[f];
        const char *const inner =
            arena_printf(diff->arena, "%s%s%s", path, *path != '\0' ? "." : "", field->name);

        if (!is_derived(type, field->name))
            diff_field(diff, inner, field, was, now);
    }
}

size_t plan_diff(struct arena *arena,
                 const Pb__Plan *was,
                 const Pb__Plan *now,
                 struct plan_difference **ret)
{
    struct diff diff = { arena, NULL, 0 };

    diff.item = arena_alloc(arena, DIFFERENCES_MAX * sizeof *diff.item);
    diff_messages(&diff, "", &was->base, &now->base);
    *ret = diff.item;
    return diff.count;
}
