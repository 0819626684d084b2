/* The fold of control.v1. Three shelves, each sorted by key; what stands on them is copied to
 * the heap, because the table outlives every arena and replaces one item at a time. */
#include "common/domain/flags.h"

#include <stdlib.h>
#include <string.h>

/* An item's message by its kind, so that a shelf's messages can be handed out as an array of
 * the right pointers. */
union message {
    const Pb__FlagValue *flag;
    const Pb__Kill *kill;
    const Pb__Freeze *freeze;
};

struct shelf {
    char **keys;
    union message *messages; /* Beside keys, same order. */
    size_t count;
    size_t room;
};

struct flag_table {
    struct shelf flags;   /* "<environment>/<flag>" */
    struct shelf kills;   /* deployment */
    struct shelf freezes; /* id */
    uint64_t version;
    bool flags_full;
    bool kills_full;
};

struct flag_table *flag_table_new(void)
{
    struct flag_table *const table = calloc(1, sizeof *table);

    if (table == NULL)
        abort();
    return table;
}

static void *copy_message(const ProtobufCMessage *message)
{
    const size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *const packed = malloc(length + 1);
    void *copy;

    if (packed == NULL)
        abort();
    (void)protobuf_c_message_pack(message, packed);
    copy = protobuf_c_message_unpack(message->descriptor, NULL, length, packed);
    free(packed);
    if (copy == NULL)
        abort();
    return copy;
}

static bool same_message(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    const size_t length = protobuf_c_message_get_packed_size(a);
    uint8_t *both;
    bool same;

    if (length != protobuf_c_message_get_packed_size(b))
        return false;
    both = malloc(2 * length + 1);
    if (both == NULL)
        abort();
    (void)protobuf_c_message_pack(a, both);
    (void)protobuf_c_message_pack(b, both + length);
    same = memcmp(both, both + length, length) == 0;
    free(both);
    return same;
}

/* The pointer is the table's own; the const in union message is for its readers. */
static void free_message(const void *message)
{
    union {
        const void *borrowed;
        void *owned;
    } pointer = { .borrowed = message };

    protobuf_c_message_free_unpacked(pointer.owned, NULL);
}

/* Where key stands, or where it belongs. */
static size_t shelf_place(const struct shelf *shelf, const char *key, bool *ret_found)
{
    size_t low = 0;
    size_t high = shelf->count;

    *ret_found = false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(key, shelf->keys[middle]);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void shelf_make_room(struct shelf *shelf)
{
    if (shelf->count < shelf->room)
        return;
    shelf->room = shelf->room == 0 ? 64 : 2 * shelf->room;
    shelf->keys = realloc(shelf->keys, shelf->room * sizeof *shelf->keys);
    shelf->messages = realloc(shelf->messages, shelf->room * sizeof *shelf->messages);
    if (shelf->keys == NULL || shelf->messages == NULL)
        abort();
}

static void shelf_insert(struct shelf *shelf, size_t at, const char *key)
{
    const size_t after = shelf->count - at;
    char *const copy = malloc(strlen(key) + 1);

    if (copy == NULL)
        abort();
    memcpy(copy, key, strlen(key) + 1);
    shelf_make_room(shelf);
    memmove(&shelf->keys[at + 1], &shelf->keys[at], after * sizeof *shelf->keys);
    memmove(&shelf->messages[at + 1], &shelf->messages[at], after * sizeof *shelf->messages);
    shelf->keys[at] = copy;
    shelf->count++;
}

/* The message was freed or taken by the caller. */
static void shelf_remove(struct shelf *shelf, size_t at)
{
    const size_t after = shelf->count - at - 1;

    free(shelf->keys[at]);
    memmove(&shelf->keys[at], &shelf->keys[at + 1], after * sizeof *shelf->keys);
    memmove(&shelf->messages[at], &shelf->messages[at + 1], after * sizeof *shelf->messages);
    shelf->count--;
}

static void shelf_release(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        free(shelf->keys[i]);
    free(shelf->keys);
    free(shelf->messages);
}

void flag_table_free(struct flag_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->flags.count; i++)
        free_message(table->flags.messages[i].flag);
    for (size_t i = 0; i < table->kills.count; i++)
        free_message(table->kills.messages[i].kill);
    for (size_t i = 0; i < table->freezes.count; i++)
        free_message(table->freezes.messages[i].freeze);
    shelf_release(&table->flags);
    shelf_release(&table->kills);
    shelf_release(&table->freezes);
    free(table);
}

/* "express-pay.3": length of "express-pay", and 3. An id of another form is its own feature. */
static size_t attempt_of(const char *deployment, unsigned long *ret_attempt)
{
    const char *const dot = strrchr(deployment, '.');
    char *end = NULL;

    *ret_attempt = 0;
    if (dot == NULL || dot[1] < '0' || dot[1] > '9')
        return strlen(deployment);
    *ret_attempt = strtoul(dot + 1, &end, 10);
    return *end == '\0' ? (size_t)(dot - deployment) : strlen(deployment);
}

/* Below 0: a is an earlier attempt of the same feature; above: a later; 0: the same
 * deployment. *ret_related is false when they are of different features. */
static int attempt_order(const char *a, const char *b, bool *ret_related)
{
    unsigned long number_a;
    unsigned long number_b;
    const size_t length = attempt_of(a, &number_a);

    *ret_related = length == attempt_of(b, &number_b) && strncmp(a, b, length) == 0;
    return number_a < number_b ? -1 : number_a > number_b;
}

/* Which of two values of a flag stands. Sequences order the values of one deployment; a later
 * attempt of the feature stands over an earlier one whatever their sequences are. */
static bool supersedes(const Pb__FlagValue *value, const Pb__FlagValue *standing)
{
    bool related;
    const int order = attempt_order(value->deployment, standing->deployment, &related);

    if (related && order != 0)
        return order > 0;
    return value->sequence >= standing->sequence;
}

static char *flag_key(const char *environment, const char *flag)
{
    const size_t length = strlen(environment);
    const size_t size = length + 1 + strlen(flag) + 1;
    char *const key = malloc(size);

    if (key == NULL)
        abort();
    memcpy(key, environment, length);
    key[length] = '/';
    memcpy(key + length + 1, flag, size - length - 1);
    return key;
}

static bool put_flag(struct flag_table *table, const Pb__FlagValue *value)
{
    char *const key = flag_key(value->environment, value->flag);
    struct shelf *const shelf = &table->flags;
    bool found;
    const size_t at = shelf_place(shelf, key, &found);
    bool changed = false;

    if (!found && shelf->count >= FLAG_TABLE_FLAGS_MAX) {
        table->flags_full = true;
    } else if (!found || (supersedes(value, shelf->messages[at].flag) &&
                          !same_message(&value->base, &shelf->messages[at].flag->base))) {
        if (found)
            free_message(shelf->messages[at].flag);
        else
            shelf_insert(shelf, at, key);
        shelf->messages[at].flag = copy_message(&value->base);
        changed = true;
    }
    free(key);
    return changed;
}

static bool put_kill(struct flag_table *table, const Pb__Kill *kill)
{
    struct shelf *const shelf = &table->kills;
    bool found;
    const size_t at = shelf_place(shelf, kill->deployment, &found);

    if (found && same_message(&kill->base, &shelf->messages[at].kill->base))
        return false;
    if (!found && shelf->count >= FLAG_TABLE_KILLS_MAX) {
        const bool first = !table->kills_full;

        table->kills_full = true;
        return first;
    }
    if (found)
        free_message(shelf->messages[at].kill);
    else
        shelf_insert(shelf, at, kill->deployment);
    shelf->messages[at].kill = copy_message(&kill->base);
    return true;
}

/* The freeze that ends first gives its place when there is no more. */
static void forget_a_freeze(struct shelf *shelf)
{
    size_t first = 0;
    int64_t first_end = INT64_MAX;

    for (size_t i = 0; i < shelf->count; i++) {
        const Pb__Freeze *const freeze = shelf->messages[i].freeze;
        const int64_t end = freeze->lifted_ms != 0 ? freeze->lifted_ms
                            : freeze->to_ms != 0   ? freeze->to_ms
                                                   : INT64_MAX;

        if (end < first_end) {
            first = i;
            first_end = end;
        }
    }
    free_message(shelf->messages[first].freeze);
    shelf_remove(shelf, first);
}

static bool put_freeze(struct flag_table *table, const Pb__Freeze *freeze)
{
    struct shelf *const shelf = &table->freezes;
    bool found;
    size_t at = shelf_place(shelf, freeze->id, &found);

    if (found && same_message(&freeze->base, &shelf->messages[at].freeze->base))
        return false;
    if (found) {
        free_message(shelf->messages[at].freeze);
    } else {
        if (shelf->count >= FLAG_TABLE_FREEZES_MAX)
            forget_a_freeze(shelf);
        at = shelf_place(shelf, freeze->id, &found);
        shelf_insert(shelf, at, freeze->id);
    }
    shelf->messages[at].freeze = copy_message(&freeze->base);
    return true;
}

/* A tombstone takes a value or a freeze away; a kill stays whatever arrives. */
static bool bury(struct flag_table *table, const char *key)
{
    bool found = false;
    size_t at;

    if (strncmp(key, "flag/", 5) == 0) {
        at = shelf_place(&table->flags, key + 5, &found);
        if (found) {
            free_message(table->flags.messages[at].flag);
            shelf_remove(&table->flags, at);
        }
    } else if (strncmp(key, "freeze/", 7) == 0) {
        at = shelf_place(&table->freezes, key + 7, &found);
        if (found) {
            free_message(table->freezes.messages[at].freeze);
            shelf_remove(&table->freezes, at);
        }
    }
    return found;
}

static bool put(struct flag_table *table, const Pb__Control *control)
{
    switch (control->body_case) {
    case PB__CONTROL__BODY_FLAG: return put_flag(table, control->flag);
    case PB__CONTROL__BODY_KILL:
        return control->kill->deployment[0] != '\0' && put_kill(table, control->kill);
    case PB__CONTROL__BODY_FREEZE: return put_freeze(table, control->freeze);
    default: return false;
    }
}

bool flag_table_apply(struct flag_table *table, const char *key, const Pb__Control *control)
{
    const bool changed = control != NULL ? put(table, control) : bury(table, key);

    if (changed)
        table->version++;
    return changed;
}

const Pb__FlagValue *flag_table_find(const struct flag_table *table,
                                     const char *environment,
                                     const char *flag,
                                     bool *ret_latched)
{
    char *const key = flag_key(environment, flag);
    bool found;
    const size_t at = shelf_place(&table->flags, key, &found);
    const Pb__FlagValue *const value = found ? table->flags.messages[at].flag : NULL;

    free(key);
    *ret_latched = value != NULL &&
                   (table->kills_full || flag_table_kill(table, value->deployment) != NULL);
    return value;
}

const Pb__Kill *flag_table_kill(const struct flag_table *table, const char *deployment)
{
    bool found;
    const size_t at = shelf_place(&table->kills, deployment, &found);

    return found ? table->kills.messages[at].kill : NULL;
}

size_t flag_table_flags(const struct flag_table *table, const Pb__FlagValue *const **ret)
{
    *ret = table->flags.count > 0 ? &table->flags.messages[0].flag : NULL;
    return table->flags.count;
}

size_t flag_table_freezes(const struct flag_table *table, const Pb__Freeze *const **ret)
{
    *ret = table->freezes.count > 0 ? &table->freezes.messages[0].freeze : NULL;
    return table->freezes.count;
}

size_t flag_table_kills(const struct flag_table *table, const Pb__Kill *const **ret)
{
    *ret = table->kills.count > 0 ? &table->kills.messages[0].kill : NULL;
    return table->kills.count;
}

uint64_t flag_table_version(const struct flag_table *table)
{
    return table->version;
}

const char *flag_table_trouble(const struct flag_table *table)
{
    if (table->kills_full)
        return "more kills on control.v1 than fit: every flag is held off";
    return table->flags_full ? "more flags on control.v1 than fit: new ones stay off" : NULL;
}
