#include "common/config/fields.h"
#include "common/runtime/wiring.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { SECRET_MEMORY = 64 * 1024, KEY_BYTES_MIN = 16 };

#define SUFFIX ".key"

/* Ours; what others write is never signed as one of them. */
static const char *const writers[] = { "coordinator",  "prechecks", "executor", "validator",
                                       "flag-rollout", "monitor",   "notifier", "gateway" };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex of even length is taken as bytes; anything else as it stands. */
static size_t decode_key(const char *text, size_t length, unsigned char key[ENVELOPE_KEY_MAX])
{
    const bool hex = length % 2 == 0 && strspn(text, "0123456789abcdef") >= length;
    const size_t bytes = hex ? length / 2 : length;

    if (bytes > ENVELOPE_KEY_MAX)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        key[i] = hex ? (unsigned char)(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]))
                     : (unsigned char)text[i];
    return bytes;
}

/* One key a line: the first is written with, the others are still believed. */
static enum err add_keys(const char *text,
                         const char *writer,
                         struct envelope_keys *keys,
                         struct error *error)
{
    size_t each = 0;

    while (*text != '\0') {
        const size_t length = strcspn(text, "\r\n");
        const size_t place = keys->count;

        if (length > 0 && place == ENVELOPE_KEYS_MAX)
            return error_set(
                error, ERR_INVALID, "more than %d keys altogether", ENVELOPE_KEYS_MAX);
        if (length > 0 && each++ == ENVELOPE_KEYS_EACH_MAX)
            return error_set(
                error, ERR_INVALID, "more than %d keys, one a line", ENVELOPE_KEYS_EACH_MAX);
        if (length > 0) {
            keys->item[place].length = decode_key(text, length, keys->item[place].key);
            memcpy(keys->item[place].writer, writer, strlen(writer) + 1);
            if (keys->item[place].length < KEY_BYTES_MIN)
                return error_set(
                    error,
                    ERR_INVALID,
                    "a key has %d to %d bytes; make one with: openssl rand -hex 32",
                    KEY_BYTES_MIN,
                    ENVELOPE_KEY_MAX);
            keys->count++;
        }
        text += length + strspn(text + length, "\r\n");
    }
    return each > 0 ? ERR_OK : error_set(error, ERR_INVALID, "there is no key in it");
}

static enum err read_keys(const struct settings *settings,
                          const char *folder,
                          const char *writer,
                          struct envelope_keys *keys,
                          struct error *error)
{
    struct arena arena = arena_with_limit(SECRET_MEMORY);
    const char *const path =
        arena_printf(&arena, "%s/%s.key", settings_path(settings, &arena, folder), writer);
    const char *text = NULL;
    enum err err = settings_secret(&arena, path, &text, error);

    if (err == ERR_OK) {
        err = add_keys(text, writer, keys, error);
        if (err != ERR_OK)
            (void)error_wrap(error, err, "%s", path);
    }
    arena_release(&arena);
    return err;
}

enum err wiring_keys(const struct settings *settings,
                     const char *own,
                     struct envelope_keys *ret,
                     struct error *error)
{
    *ret = (struct envelope_keys){ 0 };
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        const enum err err =
            read_keys(settings, settings->security.keys, writers[i], ret, error);

        /* A service may lack the keys of writers it never has to believe. */
        if (err == ERR_NOT_FOUND && strcmp(writers[i], own) != 0)
            continue;
        if (err != ERR_OK)
            return error_wrap(error, err, "key of %s", writers[i]);
    }
    return ERR_OK;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        if (strcmp(writers[i], name) == 0)
            return true;
    }
    return false;
}

/* One entry of the folder; what is no <name>.key is nobody's. */
static enum err read_producer(const struct settings *settings,
                              const char *folder,
                              const char *entry,
                              struct envelope_keys *ret,
                              struct error *error)
{
    const size_t length = strlen(entry), suffix = strlen(SUFFIX);
    char name[sizeof ret->item[0].writer] = "";
    enum err err;

    if (entry[0] == '.' || length <= suffix || strcmp(entry + length - suffix, SUFFIX) != 0)
        return ERR_OK;
    if (length - suffix < sizeof name)
        memcpy(name, entry, length - suffix);
    if (!is_name(name) || is_ours(name))
        return error_set(error,
                         ERR_INVALID,
                         "%s/%s: a producer's name has 1 to %zu characters and is no service's",
                         folder,
                         entry,
                         sizeof name - 1);
    err = read_keys(settings, folder, name, ret, error);
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "key of %s", name);
}

static enum err read_folder(const struct settings *settings,
                            const char *folder,
                            struct envelope_keys *ret,
                            struct error *error)
{
    DIR *const entries = opendir(folder);
    struct dirent *entry;
    enum err err = ERR_OK;

    if (entries == NULL)
        return error_set(
            error, ERR_INVALID, "security.producers: %s: %s", folder, strerror(errno));
    while (err == ERR_OK && (entry = readdir(entries)) != NULL)
        err = read_producer(settings, folder, entry->d_name, ret, error);
    (void)closedir(entries);
    return err;
}

enum err wiring_producers(const struct settings *settings,
                          const char *topic,
                          struct envelope_keys *ret,
                          struct error *error)
{
    struct arena arena = arena_with_limit(SECRET_MEMORY);
    const char *const folder = arena_printf(
        &arena, "%s/%s", settings_path(settings, &arena, settings->security.producers), topic);
    enum err err;

    *ret = (struct envelope_keys){ 0 };
    err = read_keys(settings, settings->security.keys, "gateway", ret, error);
    if (err != ERR_OK)
        err = error_wrap(error, err, "key of gateway, who writes %s for others", topic);
    else
        err = read_folder(settings, folder, ret, error);
    arena_release(&arena);
    return err;
}
