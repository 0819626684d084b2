#include "common/drivers/deployers/disk.h"

#include "common/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096,
    PIECE_SIZE = 64 * 1024,
    DEPTH_MAX = 40,
};

static enum err failed(struct error *error, const char *path)
{
    return error_set(error,
                     errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                     "%s: %s",
                     path,
                     strerror(errno));
}

/* folder/name in a buffer of PATH_SIZE. */
static enum err join(char *ret, const char *folder, const char *name, struct error *error)
{
    const int length = snprintf(ret, PATH_SIZE, "%s/%s", folder, name);

    if (length < 0 || length >= PATH_SIZE)
        return error_set(error, ERR_INVALID, "%.100s...: the path is too long", folder);
    return ERR_OK;
}

static enum err sync_path(const char *path, struct error *error)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = ERR_OK;

    if (file < 0)
        return failed(error, path);
    if (fsync(file) != 0)
        err = failed(error, path);
    (void)close(file);
    return err;
}

/* The folder that holds path: after a rename, the new name is on the disk. */
static enum err sync_parent(const char *path, struct error *error)
{
    const char *const slash = strrchr(path, '/');
    char folder[PATH_SIZE];

    if (slash == NULL)
        return sync_path(".", error);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    return sync_path(folder, error);
}

bool disk_exists(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

enum err disk_make_folder(const char *path, struct error *error)
{
    if (mkdir(path, 0755) == 0)
        return sync_parent(path, error);
    return errno == EEXIST ? ERR_OK : failed(error, path);
}

static enum err read_all(int file, const char *path, struct text *text, struct error *error)
{
    char piece[1024];
    ssize_t got;

    while ((got = read(file, piece, sizeof piece)) > 0)
        text_add_bytes(text, piece, (size_t)got);
    if (got < 0)
        return failed(error, path);
    if (!text_ok(text))
        return error_set(error, ERR_TOO_LARGE, "%s is larger than %zu", path, text->max);
    return ERR_OK;
}

enum err disk_read(
    struct arena *arena, const char *path, size_t max, const char **ret, struct error *error)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct text text;
    enum err err;

    if (file < 0)
        return failed(error, path);
    text = text_new(max + 1);
    err = read_all(file, path, &text, error);
    if (err == ERR_OK)
        *ret = arena_copy(arena, text.bytes, text.length);
    text_release(&text);
    (void)close(file);
    return err;
}

static enum err write_all(int file, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(file, bytes, length);

        if (written < 0 && errno != EINTR)
            return ERR_UNAVAILABLE;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return ERR_OK;
}

static enum err write_new(const char *path, const char *text, struct error *error)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum err err = ERR_OK;

    if (file < 0)
        return failed(error, path);
    if (write_all(file, text, strlen(text)) != ERR_OK || fsync(file) != 0)
        err = failed(error, path);
    (void)close(file);
    return err;
}

/* Where something is made before it is moved to path. */
static enum err fresh_path(char *ret, const char *stage, const char *path, struct error *error)
{
    const int length = stage != NULL ? snprintf(ret, PATH_SIZE, "%s/new", stage)
                                     : snprintf(ret, PATH_SIZE, "%s.new", path);

    if (length < 0 || length >= PATH_SIZE)
        return error_set(error, ERR_INVALID, "%.100s...: the path is too long", path);
    (void)unlink(ret);
    return ERR_OK;
}

enum err disk_write(const char *stage, const char *path, const char *text, struct error *error)
{
    char fresh[PATH_SIZE];
    enum err err = fresh_path(fresh, stage, path, error);

    if (err == ERR_OK)
        err = write_new(fresh, text, error);
    return err == ERR_OK ? disk_rename(fresh, path, error) : err;
}

enum err disk_read_link(struct arena *arena,
                        const char *path,
                        const char **ret,
                        struct error *error)
{
    char to[PATH_SIZE];
    const ssize_t length = readlink(path, to, sizeof to);

    if (length < 0 && errno == EINVAL)
        return error_set(error, ERR_INVALID, "%s is not a symbolic link", path);
    if (length < 0)
        return failed(error, path);
    if ((size_t)length == sizeof to)
        return error_set(error, ERR_INVALID, "%s points too far", path);
    *ret = arena_copy(arena, to, (size_t)length);
    return ERR_OK;
}

enum err disk_link(const char *stage, const char *path, const char *to, struct error *error)
{
    char fresh[PATH_SIZE];
    const enum err err = fresh_path(fresh, stage, path, error);

    if (err != ERR_OK)
        return err;
    if (symlink(to, fresh) != 0)
        return failed(error, fresh);
    return disk_rename(fresh, path, error);
}

enum err disk_rename(const char *from, const char *to, struct error *error)
{
    if (rename(from, to) != 0)
        return failed(error, to);
    return sync_parent(to, error);
}

static enum err copy_bytes(int from, int to, bool lasting)
{
    char piece[PIECE_SIZE];
    ssize_t got;

    while ((got = read(from, piece, sizeof piece)) > 0)
        if (write_all(to, piece, (size_t)got) != ERR_OK)
            return ERR_UNAVAILABLE;
    return got < 0 || (lasting && fsync(to) != 0) ? ERR_UNAVAILABLE : ERR_OK;
}

/* How deep it is, and whether it must survive a power cut. */
struct copying {
    int depth;
    bool lasting;
};

static enum err copy_file(
    const char *from, const char *to, mode_t mode, bool lasting, struct error *error)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const int out =
        open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode & 0777) | 0600);
    enum err err = ERR_OK;

    if (in < 0 || out < 0 || copy_bytes(in, out, lasting) != ERR_OK)
        err = failed(error, in < 0 ? from : to);
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return err;
}

static enum err copy_at(const char *from,
                        const char *to,
                        struct copying how,
                        struct error *error);

static enum err copy_folder(const char *from,
                            const char *to,
                            struct copying how,
                            struct error *error)
{
    DIR *const folder = opendir(from);
    const struct copying inside = { how.depth + 1, how.lasting };
    struct dirent *entry;
    enum err err = ERR_OK;

    if (folder == NULL)
        return failed(error, from);
    if (mkdir(to, 0755) != 0)
        err = failed(error, to);
    while (err == ERR_OK && (entry = readdir(folder)) != NULL) {
        char source[PATH_SIZE], copy[PATH_SIZE];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        err = join(source, from, entry->d_name, error);
        if (err == ERR_OK)
            err = join(copy, to, entry->d_name, error);
        if (err == ERR_OK)
            err = copy_at(source, copy, inside, error);
    }
    (void)closedir(folder);
    return err == ERR_OK && how.lasting ? sync_path(to, error) : err;
}

static enum err copy_at(const char *from,
                        const char *to,
                        struct copying how,
                        struct error *error)
{
    struct stat status;

    if (how.depth > DEPTH_MAX)
        return error_set(error, ERR_INVALID, "%s is nested too deeply", from);
    if (lstat(from, &status) != 0)
        return failed(error, from);
    if (S_ISREG(status.st_mode))
        return copy_file(from, to, status.st_mode, how.lasting, error);
    if (S_ISDIR(status.st_mode))
        return copy_folder(from, to, how, error);
    return error_set(error, ERR_INVALID, "%s is neither a file nor a folder", from);
}

enum err disk_copy(const char *from, const char *to, struct error *error)
{
    const enum err err = copy_at(from, to, (struct copying){ 0, true }, error);

    return err == ERR_OK ? sync_parent(to, error) : err;
}

enum err disk_copy_for_now(const char *from, const char *to, struct error *error)
{
    return copy_at(from, to, (struct copying){ 0, false }, error);
}

static enum err remove_at(const char *path, int depth, struct error *error);

static enum err empty_folder(const char *path, int depth, struct error *error)
{
    DIR *const folder = opendir(path);
    struct dirent *entry;
    enum err err = ERR_OK;

    if (folder == NULL)
        return failed(error, path);
    while (err == ERR_OK && (entry = readdir(folder)) != NULL) {
        char inside[PATH_SIZE];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        err = join(inside, path, entry->d_name, error);
        if (err == ERR_OK)
            err = remove_at(inside, depth + 1, error);
    }
    (void)closedir(folder);
    return err;
}

static enum err remove_at(const char *path, int depth, struct error *error)
{
    struct stat status;
    enum err err = ERR_OK;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? ERR_OK : failed(error, path);
    if (depth > DEPTH_MAX)
        return error_set(error, ERR_INVALID, "%s is nested too deeply", path);
    if (S_ISDIR(status.st_mode))
        err = empty_folder(path, depth, error);
    if (err != ERR_OK)
        return err;
    return remove(path) == 0 || errno == ENOENT ? ERR_OK : failed(error, path);
}

enum err disk_drop(const char *path, struct error *error)
{
    return remove_at(path, 0, error);
}

enum err disk_remove(const char *stage, const char *path, struct error *error)
{
    const bool there = disk_exists(path);
    char gone[PATH_SIZE];
    enum err err = stage != NULL ? join(gone, stage, "gone", error) : ERR_OK;

    if (err != ERR_OK || !there)
        return err;
    if (stage == NULL) {
        err = remove_at(path, 0, error);
        return err == ERR_OK ? sync_parent(path, error) : err;
    }
    err = remove_at(gone, 0, error);
    if (err == ERR_OK && rename(path, gone) != 0)
        err = failed(error, path);
    if (err == ERR_OK)
        err = sync_parent(path, error);
    return err == ERR_OK ? remove_at(gone, 0, error) : err;
}
