/* Files and folders that survive a power cut: everything here is on the disk, and not only on
 * its way there, when the call returns ERR_OK.
 *
 * Links are never followed. Errors name the path.
 *
 * stage: a folder on the same file system, of the caller's turn alone (turn.h), where what
 * comes is made and what goes is put; NULL: beside the path. */
#ifndef COMMON_DRIVERS_DEPLOYERS_DISK_H
#define COMMON_DRIVERS_DEPLOYERS_DISK_H

#include "common/base/arena.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* True when something is there, be it a dangling link. */
bool disk_exists(const char *path);

/* The folder itself; its parent must exist. Harmless when it is there. */
enum err disk_make_folder(const char *path, struct error *error) MUST_CHECK;

/* The text of a small file. ERR_NOT_FOUND; ERR_TOO_LARGE beyond max bytes. */
enum err disk_read(struct arena *arena,
                   const char *path,
                   size_t max,
                   const char **ret,
                   struct error *error) MUST_CHECK;

/* Replace a file as a whole: a reader sees the old or the new one. */
enum err disk_write(const char *stage, const char *path, const char *text, struct error *error)
    MUST_CHECK;

/* Where a symbolic link points. ERR_NOT_FOUND; ERR_INVALID when it is no link. */
enum err disk_read_link(struct arena *arena,
                        const char *path,
                        const char **ret,
                        struct error *error) MUST_CHECK;

/* Make path a symbolic link to `to`, at once: a reader sees the old or the new one. */
enum err disk_link(const char *stage, const char *path, const char *to, struct error *error)
    MUST_CHECK;

/* Give it another name in the same folder, and remember. */
enum err disk_rename(const char *from, const char *to, struct error *error) MUST_CHECK;

/* Copy a file, or a folder with all it holds; `to` must not exist. ERR_INVALID: a link or a
 * device inside. */
enum err disk_copy(const char *from, const char *to, struct error *error) MUST_CHECK;

/* The same, and its removal, for what nobody relies on later: not forced onto the disk. */
enum err disk_copy_for_now(const char *from, const char *to, struct error *error) MUST_CHECK;
enum err disk_drop(const char *path, struct error *error) MUST_CHECK;

/* Remove a file, link or folder with all it holds. Harmless when it is gone. */
enum err disk_remove(const char *stage, const char *path, struct error *error) MUST_CHECK;

#endif
