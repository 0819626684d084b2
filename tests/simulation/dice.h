/* Where all chance of a run comes from: one generator (xoshiro256**), grown from the run's seed
 * by splitmix64. Equal seeds give equal runs. */
#ifndef TESTS_SIMULATION_DICE_H
#define TESTS_SIMULATION_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t s[4];
};

static inline uint64_t dice_split(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline struct dice dice_of(uint64_t seed)
{
    struct dice dice;

    for (int i = 0; i < 4; i++)
        dice.s[i] = dice_split(&seed);
    return dice;
}

static inline uint64_t dice_turn(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

static inline uint64_t dice_roll(struct dice *dice)
{
    uint64_t *const s = dice->s;
    const uint64_t result = dice_turn(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = dice_turn(s[3], 45);
    return result;
}

/* 0 to count - 1; count > 0. */
static inline unsigned dice_below(struct dice *dice, unsigned count)
{
    return (unsigned)(dice_roll(dice) % count);
}

/* Milliseconds from min to max, both included. */
static inline int64_t dice_ms(struct dice *dice, int64_t min_ms, int64_t max_ms)
{
    return min_ms + (int64_t)(dice_roll(dice) % (uint64_t)(max_ms - min_ms + 1));
}

/* True that often in a million; never rolls for 0, so that what is switched off costs nothing.
 */
static inline bool dice_chance(struct dice *dice, unsigned in_million)
{
    return in_million > 0 && dice_roll(dice) % 1000000 < in_million;
}

#endif
