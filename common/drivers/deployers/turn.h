/* The turn of one executor at a place on the disk: nobody else changes it meanwhile, and
 * whoever lost its turn cannot change it any more, even when it was stopped in the middle and
 * wakes up hours later.
 *
 *     <lock>               held with flock while the turn lasts; says who has it, since when
 *     <lock>.turn-XXXXXX/  of this turn alone: everything is made in here and then moved into
 *                          its place with one rename
 *     <lock>.break         held while a turn is ended from outside
 *
 * A process that dies leaves the lock. One that only hangs keeps it: after the patience of
 * whoever waits, a task with the same or a higher fence takes the lock's name away, locks a new
 * one, and renames the folder of the other. From then on every rename that the other may still
 * try has no such file to begin with. */
#ifndef COMMON_DRIVERS_DEPLOYERS_TURN_H
#define COMMON_DRIVERS_DEPLOYERS_TURN_H

#include "common/drivers/deployers/deployer.h"

struct turn {
    const char *lock;  /* Path, in the arena of the env. */
    const char *stage; /* Path of the folder, in the arena of the env. */
    int file;          /* The lock, open. */
};

/* Waits until nobody has the turn, env->stopped says stop, or the patience (> 0) is over. The
 * folder that holds `lock` must exist. ERR_CONFLICT: a task with a higher fence has it, or we
 * were stopped; ERR_UNAVAILABLE: who has it cannot be told to be older. The error says who has
 * it, since when, and what helps. Give it back with turn_end. */
enum err turn_begin(const struct driver_env *env,
                    const struct deployer_order *order,
                    const char *lock,
                    int64_t patience_ms,
                    struct turn *ret,
                    struct error *error) MUST_CHECK;

/* False once somebody else has taken it. */
bool turn_lasts(const struct turn *turn);

/* err as it is while the turn lasts; else ERR_CONFLICT, and the error says so. */
enum err turn_judge(const struct turn *turn, enum err err, struct error *error) MUST_CHECK;

/* The same for whoever has only the order with its stage: ERR_CONFLICT once the turn is over.
 */
enum err turn_check(const struct deployer_order *order, struct error *error) MUST_CHECK;

void turn_end(struct turn *turn);

#endif
