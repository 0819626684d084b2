#include "common/drivers/deployers/artifact.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { SOURCE_LENGTH_MAX = 1024 };

/* The part of path from start to end: neither empty, ".", "..", nor a link. */
static enum err check_part(
    struct arena *arena, const char *path, size_t start, size_t end, struct error *error)
{
    const char *const so_far = arena_copy(arena, path, end);
    const char *const part = so_far + start;
    struct stat status;

    if (*part == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
        return error_set(error, ERR_INVALID, "%s leads out of the artifact root", path);
    if (lstat(so_far, &status) != 0)
        return error_set(error,
                         errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                         "%s: %s",
                         so_far,
                         strerror(errno));
    if (S_ISLNK(status.st_mode))
        return error_set(error, ERR_INVALID, "%s is a link", so_far);
    return ERR_OK;
}

/* Every part of path from start on. */
static enum err check_parts(struct arena *arena,
                            const char *path,
                            size_t start,
                            struct error *error)
{
    for (;;) {
        const size_t end = start + strcspn(path + start, "/");
        const enum err err = check_part(arena, path, start, end, error);

        if (err != ERR_OK || path[end] == '\0')
            return err;
        start = end + 1;
    }
}

enum err artifact_find(const struct driver_env *env,
                       const struct deployer_order *order,
                       struct artifact *ret,
                       struct error *error)
{
    const char *const source = order->change->source;
    const char *const root = driver_path(env, order->target->artifact_root);
    const char *const path = arena_printf(env->arena, "%s/%s", root, source);
    struct stat status;
    enum err err;

    if (root[0] == '\0')
        return error_set(
            error, ERR_INVALID, "target %s has no artifact_root", order->target->name);
    if (source[0] == '/' || source[0] == '\0' || strlen(source) > SOURCE_LENGTH_MAX)
        return error_set(error, ERR_INVALID, "source \"%s\" is not a relative path", source);
    err = check_parts(env->arena, path, strlen(root) + 1, error);
    if (err != ERR_OK)
        return err;
    if (lstat(path, &status) != 0)
        return error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return error_set(error, ERR_INVALID, "%s is neither a file nor a folder", path);
    *ret = (struct artifact){
        .path = path,
        .name = strrchr(path, '/') + 1,
        .folder = S_ISDIR(status.st_mode),
    };
    return ERR_OK;
}

enum err artifact_digest(const char *path,
                         bool folder,
                         char ret_hex[DIGEST_HEX_SIZE],
                         struct error *error)
{
    return folder ? digest_tree(path, ret_hex, error) : digest_file(path, ret_hex, error);
}

enum err artifact_verify(const char *path,
                         bool folder,
                         const Pb__Change *change,
                         struct error *error)
{
    const char *const wanted = change->digest != NULL ? change->digest->value : "";
    char hex[DIGEST_HEX_SIZE];
    enum err err;

    if (change->digest == NULL || !pb_same(change->digest->algorithm, "sha256") ||
        strlen(wanted) != DIGEST_HEX_SIZE - 1)
        return error_set(error, ERR_INVALID, "%s has no sha256 digest", change->artifact);
    err = artifact_digest(path, folder, hex, error);
    if (err != ERR_OK)
        return err;
    if (!digest_equal(hex, wanted))
        return error_set(error,
                         ERR_DENIED,
                         "%s has digest sha256:%s, the plan says sha256:%s",
                         path,
                         hex,
                         wanted);
    return ERR_OK;
}

enum err artifact_check(const struct driver_env *env,
                        const struct deployer_order *order,
                        struct error *error)
{
    struct artifact artifact;
    const enum err err = artifact_find(env, order, &artifact, error);

    if (err != ERR_OK)
        return err;
    return artifact_verify(artifact.path, artifact.folder, order->change, error);
}
