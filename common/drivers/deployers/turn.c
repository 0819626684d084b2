#define _DEFAULT_SOURCE  /* flock: a lock that another thread of this process does not share.  \
                          */
#include "common/drivers/deployers/turn.h"

#include "common/drivers/deployers/disk.h"
#include "common/drivers/deployers/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TURN ".turn-"
#define OVER ".over-"

enum { PAUSE_NS = 20 * 1000 * 1000, HOST_MAX = 64 };

static enum err failed(struct error *error, const char *path)
{
    return error_set(error, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

/* True when the name still leads to the file that is open. */
static bool is_named(int file, const char *path)
{
    struct stat open_one, named;

    return fstat(file, &open_one) == 0 && lstat(path, &named) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

/* ERR_CONFLICT: another has it. */
static enum err lock_file(const char *path, int *ret, struct error *error)
{
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (file < 0)
        return failed(error, path);
    if (flock(file, LOCK_EX | LOCK_NB) == 0 && is_named(file, path)) {
        *ret = file;
        return ERR_OK;
    }
    (void)close(file);
    return error_set(error, ERR_CONFLICT, "%s is held by another", path);
}

/* --- who has it --- */

static void sign(const struct driver_env *env,
                 const struct deployer_order *order,
                 const struct turn *turn)
{
    char host[HOST_MAX] = "localhost";
    struct arena *const arena = env->arena;
    struct facts facts = { 0 };
    struct error ignored = { 0 };
    const char *text;

    (void)gethostname(host, sizeof host - 1);
    facts_add(arena, &facts, "fence", pb_fence_text(arena, order->fence));
    facts_add(arena, &facts, "deployment", order->deployment);
    facts_add(
        arena, &facts, "who", arena_printf(arena, "process %ld on %s", (long)getpid(), host));
    facts_add(
        arena, &facts, "at_ms", arena_printf(arena, "%" PRId64, clock_now_ms(env->clock)));
    /* Unsigned, it is only not taken over. */
    if (facts_text(arena, turn->lock, &facts, &text, &ignored) == ERR_OK &&
        ftruncate(turn->file, 0) == 0)
        (void)!pwrite(turn->file, text, strlen(text), 0);
}

static const char *when_text(struct arena *arena, const char *at_ms)
{
    const time_t at = (time_t)(strtoll(at_ms, NULL, 10) / 1000);
    struct tm parts;
    char text[32];

    if (gmtime_r(&at, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return "an unknown time";
    return arena_text(arena, text);
}

static enum err held(const struct driver_env *env,
                     const char *lock,
                     enum err err,
                     const char *why,
                     struct error *error)
{
    struct facts facts = { 0 };
    struct error ignored = { 0 };

    if (facts_read(env->arena, lock, &facts, &ignored) != ERR_OK)
        return error_set(
            error, err, "%s is held by a process that does not say who: %s", lock, why);
    return error_set(error,
                     err,
                     "%s is held by %s for %s (fence %s) since %s: %s",
                     lock,
                     facts_get(&facts, "who"),
                     facts_get(&facts, "deployment"),
                     facts_get(&facts, "fence"),
                     when_text(env->arena, facts_get(&facts, "at_ms")),
                     why);
}

/* --- ending the turn of another --- */

/* With the guard, so that the name is not taken from one that has just begun. */
static enum err break_guarded(const struct driver_env *env,
                              const struct deployer_order *order,
                              const char *lock,
                              struct error *error)
{
    struct error ignored = { 0 };
    struct facts facts = { 0 };
    Pb__Fence fence;
    int file;

    if (lock_file(lock, &file, &ignored) == ERR_OK) {
        (void)close(file); /* It has just been given back. */
        return ERR_OK;
    }
    if (facts_read(env->arena, lock, &facts, &ignored) != ERR_OK)
        return held(env, lock, ERR_UNAVAILABLE, "end it, then this goes on", error);
    fence = facts_fence(&facts, "fence");
    if (pb_fence_before(order->fence, &fence))
        return held(env, lock, ERR_CONFLICT, "that is newer than this task", error);
    return unlink(lock) == 0 ? ERR_OK : failed(error, lock);
}

static enum err break_lock(const struct driver_env *env,
                           const struct deployer_order *order,
                           const char *lock,
                           struct error *error)
{
    const char *const guard_path = arena_printf(env->arena, "%s.break", lock);
    int guard;
    enum err err = lock_file(guard_path, &guard, error);

    if (err == ERR_CONFLICT)
        return ERR_OK; /* Somebody else is about it. */
    if (err != ERR_OK)
        return err;
    err = break_guarded(env, order, lock, error);
    (void)close(guard);
    return err;
}

/* One entry beside the lock: a folder of a turn that is over is renamed, which ends it, and
 * then removed. What cannot be removed now is next time. */
static enum err sweep(const struct driver_env *env,
                      const struct turn *turn,
                      const char *folder,
                      const char *name,
                      struct error *error)
{
    struct arena *const arena = env->arena;
    const char *const base = strrchr(turn->lock, '/') + 1;
    const size_t length = strlen(base);
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    const char *over;
    struct error ignored = { 0 };

    if (strncmp(name, base, length) != 0 || pb_same(path, turn->stage))
        return ERR_OK;
    if (strncmp(name + length, TURN, strlen(TURN)) == 0) {
        over = arena_printf(arena, "%s" OVER "%s", turn->lock, name + length + strlen(TURN));
        if (rename(path, over) != 0 && errno != ENOENT)
            return failed(error, path);
        path = over;
    } else if (strncmp(name + length, OVER, strlen(OVER)) != 0) {
        return ERR_OK;
    }
    (void)!disk_remove(NULL, path, &ignored);
    return ERR_OK;
}

static enum err sweep_all(const struct driver_env *env,
                          const struct turn *turn,
                          struct error *error)
{
    const char *const folder =
        arena_copy(env->arena, turn->lock, (size_t)(strrchr(turn->lock, '/') - turn->lock));
    DIR *const entries = opendir(folder);
    struct dirent *entry;
    enum err err = ERR_OK;

    if (entries == NULL)
        return failed(error, folder);
    while (err == ERR_OK && (entry = readdir(entries)) != NULL)
        err = sweep(env, turn, folder, entry->d_name, error);
    (void)closedir(entries);
    return err;
}

/* --- beginning and end --- */

static enum err lock_in_time(const struct driver_env *env,
                             const struct deployer_order *order,
                             const char *lock,
                             int64_t patience_ms,
                             int *ret,
                             struct error *error)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    const int64_t end_ms = clock_monotonic_ms(env->clock) + patience_ms;
    enum err err;

    while ((err = lock_file(lock, ret, error)) == ERR_CONFLICT) {
        if (driver_stopped(env))
            return held(env, lock, ERR_CONFLICT, "stopped while waiting for it", error);
        if (clock_monotonic_ms(env->clock) >= end_ms)
            err = break_lock(env, order, lock, error);
        if (err != ERR_OK && err != ERR_CONFLICT)
            return err;
        if (err == ERR_CONFLICT && clock_monotonic_ms(env->clock) >= end_ms)
            return err;
        (void)nanosleep(&pause, NULL);
    }
    return err;
}

enum err turn_begin(const struct driver_env *env,
                    const struct deployer_order *order,
                    const char *lock,
                    int64_t patience_ms,
                    struct turn *ret,
                    struct error *error)
{
    const char *const pattern = arena_printf(env->arena, "%s" TURN "XXXXXX", lock);
    char *const stage = arena_copy(env->arena, pattern, strlen(pattern));
    struct turn turn = { .lock = lock, .stage = stage };
    enum err err = lock_in_time(env, order, lock, patience_ms, &turn.file, error);

    if (err != ERR_OK)
        return err;
    sign(env, order, &turn);
    if (mkdtemp(stage) == NULL)
        err = failed(error, stage);
    else if (!turn_lasts(&turn)) /* Taken before the folder was there to be seen. */
        err = turn_judge(&turn, ERR_OK, error);
    else
        err = sweep_all(env, &turn, error);
    if (err != ERR_OK)
        turn_end(&turn);
    else
        *ret = turn;
    return err;
}

bool turn_lasts(const struct turn *turn)
{
    return is_named(turn->file, turn->lock) && disk_exists(turn->stage);
}

enum err turn_judge(const struct turn *turn, enum err err, struct error *error)
{
    if (turn_lasts(turn))
        return err;
    return error_set(error,
                     ERR_CONFLICT,
                     "%s was taken over by another executor: this one was silent too long",
                     turn->lock);
}

enum err turn_check(const struct deployer_order *order, struct error *error)
{
    if (disk_exists(order->stage))
        return ERR_OK;
    return error_set(error, ERR_CONFLICT, "%s is gone: another executor went on", order->stage);
}

void turn_end(struct turn *turn)
{
    struct error ignored = { 0 };

    (void)!disk_remove(NULL, turn->stage, &ignored);
    (void)close(turn->file);
}
