#include "common/drivers/deployers/release_store.h"

#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/facts.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FACTS_SUFFIX ".release"

enum {
    DIGEST_SHOWN = 12,
    VERSION_LENGTH_MAX = 100,
    NAMES_TRIED = 9, /* Damaged releases of one name set aside; somebody must look by then. */
    RELEASES_MAX = 200,
};

static const char *path_of(struct arena *arena, const char *directory, const char *name)
{
    return arena_printf(arena, "%s/releases/%s", directory, name);
}

static const char *facts_path(struct arena *arena, const char *directory, const char *name)
{
    return arena_printf(arena, "%s/releases/%s" FACTS_SUFFIX, directory, name);
}

/* "1.1" of "1.1-0123456789ab". */
static const char *version_of(struct arena *arena, const char *name)
{
    const char *const dash = strrchr(name, '-');

    return arena_copy(arena, name, dash != NULL ? (size_t)(dash - name) : strlen(name));
}

enum err release_digest(struct arena *arena,
                        const char *directory,
                        const struct release *release,
                        char ret_hex[DIGEST_HEX_SIZE],
                        struct error *error)
{
    const char *const folder = path_of(arena, directory, release->name);

    if (release->file[0] != '\0')
        return artifact_digest(
            arena_printf(arena, "%s/%s", folder, release->file), false, ret_hex, error);
    return artifact_digest(folder, true, ret_hex, error);
}

/* A release without facts: somebody else brought it. */
static enum err read_foreign(struct arena *arena,
                             const char *directory,
                             const char *name,
                             struct release *ret,
                             struct error *error)
{
    struct release release = {
        .name = name,
        .version = version_of(arena, name),
        .digest = "",
        .file = "",
    };
    char hex[DIGEST_HEX_SIZE];
    const enum err err = release_digest(arena, directory, &release, hex, error);

    if (err != ERR_OK)
        return err;
    release.digest = arena_text(arena, hex);
    *ret = release;
    return ERR_OK;
}

enum err release_read(struct arena *arena,
                      const char *directory,
                      const char *name,
                      struct release *ret,
                      struct error *error)
{
    struct facts facts;
    const enum err err = facts_read(arena, facts_path(arena, directory, name), &facts, error);

    if (err == ERR_NOT_FOUND)
        return read_foreign(arena, directory, arena_text(arena, name), ret, error);
    if (err != ERR_OK)
        return err;
    *ret = (struct release){
        .name = arena_text(arena, name),
        .version = facts_get(&facts, "version"),
        .digest = facts_get(&facts, "digest"),
        .file = facts_get(&facts, "file"),
    };
    return ERR_OK;
}

static enum err write_facts(struct arena *arena,
                            const char *stage,
                            const char *directory,
                            const struct release *release,
                            struct error *error)
{
    struct facts facts = { 0 };

    facts_add(arena, &facts, "version", release->version);
    facts_add(arena, &facts, "digest", release->digest);
    facts_add(arena, &facts, "file", release->file);
    return facts_write(
        arena, stage, facts_path(arena, directory, release->name), &facts, error);
}

enum err release_adopt(struct arena *arena,
                       const char *stage,
                       const char *directory,
                       const struct release *release,
                       struct error *error)
{
    if (disk_exists(facts_path(arena, directory, release->name)))
        return ERR_OK;
    return write_facts(arena, stage, directory, release, error);
}

/* True when the release lies there and is what it says. */
static bool is_whole(struct arena *arena, const char *directory, const struct release *release)
{
    struct error ignored = { 0 };
    char hex[DIGEST_HEX_SIZE];

    return release_digest(arena, directory, release, hex, &ignored) == ERR_OK &&
           digest_equal(hex, release->digest);
}

/* A version becomes the name of a folder. */
static enum err check_version(const char *version, struct error *error)
{
    bool plain =
        version[0] != '\0' && version[0] != '.' && strlen(version) <= VERSION_LENGTH_MAX;

    for (const char *c = version; *c != '\0' && plain; c++)
        plain = isalnum((unsigned char)*c) || strchr("._+-~", *c) != NULL;
    if (!plain)
        return error_set(
            error, ERR_INVALID, "version \"%.100s\" cannot be the name of a folder", version);
    return ERR_OK;
}

/* A name of that release which is free or already holds it whole: one that was tampered with is
 * left for somebody to look at. */
static enum err choose_name(struct arena *arena,
                            const char *directory,
                            struct release *release,
                            bool *ret_there,
                            struct error *error)
{
    const char *const base =
        arena_printf(arena, "%s-%.*s", release->version, DIGEST_SHOWN, release->digest);

    for (int i = 1; i <= NAMES_TRIED; i++) {
        release->name = i == 1 ? base : arena_printf(arena, "%s.%d", base, i);
        *ret_there = disk_exists(path_of(arena, directory, release->name));
        if (!*ret_there || is_whole(arena, directory, release))
            return ERR_OK;
    }
    return error_set(error, ERR_INVALID, "%s/releases: %s is damaged", directory, base);
}

/* Copy the artifact to the stage and make sure that it is the right one. */
static enum err stage(const char *path,
                      const struct deployer_order *order,
                      const struct artifact *artifact,
                      struct arena *arena,
                      struct error *error)
{
    const char *const copy =
        artifact->folder ? path : arena_printf(arena, "%s/%s", path, artifact->name);
    enum err err = disk_remove(NULL, path, error);

    if (err == ERR_OK && !artifact->folder)
        err = disk_make_folder(path, error);
    if (err == ERR_OK)
        err = disk_copy(artifact->path, copy, error);
    if (err == ERR_OK)
        err = artifact_verify(copy, artifact->folder, order->change, error);
    return err;
}

static enum err copy_release(const struct driver_env *env,
                             const struct deployer_order *order,
                             const char *directory,
                             const struct artifact *artifact,
                             const struct release *release,
                             struct error *error)
{
    const char *const path = arena_printf(env->arena, "%s/release", order->stage);
    enum err err = stage(path, order, artifact, env->arena, error);

    if (err == ERR_OK)
        err = write_facts(env->arena, order->stage, directory, release, error);
    if (err == ERR_OK)
        err = disk_rename(path, path_of(env->arena, directory, release->name), error);
    return err;
}

enum err release_bring(const struct driver_env *env,
                       const struct deployer_order *order,
                       const char *directory,
                       struct release *ret,
                       struct error *error)
{
    struct release release = { .version = order->change->version, .file = "" };
    struct artifact artifact;
    bool there = false;
    enum err err = check_version(release.version, error);

    if (err == ERR_OK)
        err = artifact_find(env, order, &artifact, error);
    if (err == ERR_OK)
        err = artifact_verify(artifact.path, artifact.folder, order->change, error);
    if (err != ERR_OK)
        return err;
    release.digest = order->change->digest->value;
    release.file = artifact.folder ? "" : artifact.name;
    err = disk_make_folder(path_of(env->arena, directory, ""), error);
    if (err == ERR_OK)
        err = choose_name(env->arena, directory, &release, &there, error);
    if (err == ERR_OK && there)
        err = write_facts(env->arena, order->stage, directory, &release, error);
    else if (err == ERR_OK)
        err = copy_release(env, order, directory, &artifact, &release, error);
    if (err == ERR_OK)
        *ret = release;
    return err;
}

/* "name" of an entry "name.release", or NULL. */
static const char *name_of_facts(struct arena *arena, const char *entry)
{
    const size_t length = strlen(entry), suffix = strlen(FACTS_SUFFIX);

    if (length <= suffix || strcmp(entry + length - suffix, FACTS_SUFFIX) != 0)
        return NULL;
    return arena_copy(arena, entry, length - suffix);
}

/* The names of all releases that have facts. */
static size_t list_releases(struct arena *arena, const char *directory, const char **ret)
{
    DIR *const folder = opendir(path_of(arena, directory, ""));
    struct dirent *entry;
    size_t count = 0;

    if (folder == NULL)
        return 0;
    while (count < RELEASES_MAX && (entry = readdir(folder)) != NULL) {
        const char *const name = name_of_facts(arena, entry->d_name);

        if (name != NULL)
            ret[count++] = name;
    }
    (void)closedir(folder);
    return count;
}

enum err release_find(struct arena *arena,
                      const char *directory,
                      const Pb__Observed *wanted,
                      struct release *ret,
                      struct error *error)
{
    const char **const names = arena_alloc(arena, RELEASES_MAX * sizeof *names);
    const size_t count = list_releases(arena, directory, names);
    struct error ignored = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct release release;

        if (release_read(arena, directory, names[i], &release, &ignored) == ERR_OK &&
            pb_same(release.version, wanted->version) &&
            pb_same(release.digest, wanted->digest) && is_whole(arena, directory, &release)) {
            *ret = release;
            return ERR_OK;
        }
    }
    return error_set(error,
                     ERR_NOT_FOUND,
                     "%s/releases does not hold %s (sha256:%.12s) any more",
                     directory,
                     wanted->version,
                     wanted->digest);
}

/* A release and when it came. */
struct aged {
    const char *name;
    time_t at;
};

static int newest_first(const void *a, const void *b)
{
    const struct aged *const left = a, *const right = b;

    return (left->at < right->at) - (left->at > right->at);
}

static time_t age_of(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 ? status.st_mtime : 0;
}

void release_prune(struct arena *arena,
                   const char *stage,
                   const char *directory,
                   uint32_t keep,
                   const char *const spared[2])
{
    const char **const names = arena_alloc(arena, RELEASES_MAX * sizeof *names);
    const size_t all = list_releases(arena, directory, names);
    struct aged *const aged = arena_alloc(arena, (all + 1) * sizeof *aged);
    struct error ignored = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < all; i++) {
        if (pb_same(names[i], spared[0]) || pb_same(names[i], spared[1]))
            continue;
        aged[count++] =
            (struct aged){ names[i], age_of(facts_path(arena, directory, names[i])) };
    }
    qsort(aged, count, sizeof *aged, newest_first);
    for (size_t i = keep; i < count; i++) {
        if (disk_remove(stage, path_of(arena, directory, aged[i].name), &ignored) == ERR_OK)
            (void)!disk_remove(stage, facts_path(arena, directory, aged[i].name), &ignored);
    }
}
