/* Is a configuration artifact well-formed? Files named .yaml, .yml and .json are parsed; others
 * say nothing about themselves. */
#ifndef SERVICES_PRECHECKS_CONFIGURATION_H
#define SERVICES_PRECHECKS_CONFIGURATION_H

#include "common/base/arena.h"
#include "common/base/error.h"

/* path is a file or a folder, already verified to hold neither links nor devices. ERR_INVALID
 * names the file, the line and what is wrong. */
enum err configuration_check(struct arena *arena,
                             const char *path,
                             struct error *error) MUST_CHECK;

#endif
