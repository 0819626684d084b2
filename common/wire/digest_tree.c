#include "common/base/arena.h"
#include "common/base/text.h"
#include "common/wire/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ENTRIES_MAX = 2 * DIGEST_TREE_FILES_MAX, /* Folders included. */
    MEMORY_MAX = 512 * 1024 * 1024,          /* All of them with paths of 4 KiB, thrice. */
    LIST_MAX = 96 * 1024 * 1024,
};

/* The files found so far, as "./<path>". */
struct tree {
    struct arena arena;
    const char *root;
    const char **files;
    size_t count;
    size_t visited;
};

static enum err add_file(struct tree *tree, const char *path, struct error *error)
{
    if (tree->count == DIGEST_TREE_FILES_MAX)
        return error_set(
            error, ERR_TOO_LARGE, "%s holds more than %zu files", tree->root, tree->count);
    tree->files[tree->count++] = path;
    return ERR_OK;
}

static bool name_is_plain(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < ' ' || *name == '\\' || *name == 0x7f)
            return false;
    return true;
}

static enum err walk(struct tree *tree, const char *path, int depth, struct error *error);

static enum err visit(struct tree *tree, const char *path, int depth, struct error *error)
{
    const char *const full = arena_printf(&tree->arena, "%s/%s", tree->root, path);
    struct stat status;

    if (tree->visited++ == ENTRIES_MAX)
        return error_set(error, ERR_TOO_LARGE, "%s holds too many folders", tree->root);
    if (!name_is_plain(path))
        return error_set(error, ERR_INVALID, "%s: a name that cannot be digested", tree->root);
    if (lstat(full, &status) != 0)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", full, strerror(errno));
    if (S_ISREG(status.st_mode))
        return add_file(tree, path, error);
    if (S_ISDIR(status.st_mode))
        return walk(tree, path, depth + 1, error);
    return error_set(error, ERR_INVALID, "%s is neither a file nor a folder", full);
}

static enum err walk(struct tree *tree, const char *path, int depth, struct error *error)
{
    DIR *folder;
    struct dirent *entry;
    enum err err = ERR_OK;

    if (depth > DIGEST_TREE_DEPTH_MAX)
        return error_set(error, ERR_TOO_LARGE, "%s is nested too deeply", tree->root);
    folder = opendir(arena_printf(&tree->arena, "%s/%s", tree->root, path));
    if (folder == NULL)
        return error_set(error,
                         errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s/%s: %s",
                         tree->root,
                         path,
                         strerror(errno));
    while (err == ERR_OK && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            err = visit(
                tree, arena_printf(&tree->arena, "%s/%s", path, entry->d_name), depth, error);
    (void)closedir(folder);
    return err;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err list_digests(struct tree *tree, struct text *list, struct error *error)
{
    char hex[DIGEST_HEX_SIZE];

    qsort(tree->files, tree->count, sizeof *tree->files, by_bytes);
    for (size_t i = 0; i < tree->count; i++) {
        const char *const full =
            arena_printf(&tree->arena, "%s/%s", tree->root, tree->files[i]);
        const enum err err = digest_file(full, hex, error);

        if (err != ERR_OK)
            return err;
        text_add(list, "%s  %s\n", hex, tree->files[i]);
    }
    return ERR_OK;
}

enum err digest_tree(const char *path, char ret_hex[DIGEST_HEX_SIZE], struct error *error)
{
    struct tree tree = { .arena = arena_with_limit(MEMORY_MAX), .root = path };
    struct text list = text_new(LIST_MAX);
    enum err err;

    tree.files = arena_alloc(&tree.arena, DIGEST_TREE_FILES_MAX * sizeof *tree.files);
    err = walk(&tree, ".", 0, error);
    if (err == ERR_OK)
        err = list_digests(&tree, &list, error);
    if (err == ERR_OK)
        digest_sha256(list.bytes, list.length, ret_hex);
    text_release(&list);
    arena_release(&tree.arena);
    return err;
}
