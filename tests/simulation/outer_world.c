/* What lies outside of Slipway and is reached by running programs: they do what they are told,
 * or not, or too late; and they say so, or not, or something else. */
#include "common/base/text.h"
#include "tests/simulation/world.h"

#include <string.h>

enum {
    TAKES_MS = 700,
    LATE_MS = 90 * 1000, /* After its caller gave up on it. */
    OUTPUT_MAX = 1024,
    SLOW_ONE_IN = 4,
    CHANGES_WORSE = 5, /* So much more often than looking. */
};

static bool happens(struct world *world, unsigned in_million)
{
    return !world->quiet && dice_chance(&world->dice, in_million);
}

/* --- what comes later --- */

static void put_off(struct world *world, const char *const *argv, int64_t at_ms)
{
    struct late_call *const late = &world->late[world->late_count];
    size_t count = 0;

    if (world->late_count == LATE_MAX)
        return;
    while (argv[count] != NULL)
        count++;
    late->at_ms = at_ms;
    late->argv = arena_alloc(&world->arena, (count + 1) * sizeof *late->argv);
    for (size_t i = 0; i < count; i++)
        late->argv[i] = arena_text(&world->arena, argv[i]);
    world->late_count++;
}

int64_t outer_world_wake_ms(const struct world *world)
{
    int64_t wake_ms = INT64_MAX;

    for (size_t i = 0; i < world->late_count; i++) {
        if (world->late[i].at_ms < wake_ms)
            wake_ms = world->late[i].at_ms;
    }
    return wake_ms;
}

void outer_world_turn(struct world *world, int64_t until_ms)
{
    char bytes[OUTPUT_MAX];

    for (size_t i = 0; i < world->late_count;) {
        struct text output = text_over(bytes, sizeof bytes);
        const struct late_call late = world->late[i];

        if (late.at_ms > until_ms) {
            i++;
            continue;
        }
        world->late[i] = world->late[--world->late_count];
        world_counts(world, FAULT_OF_program_late);
        world_tell(world, "LATE %s of %s", late.argv[1], late.argv[3]);
        (void)sites_run(world, late.argv, &output);
    }
}

/* --- how a call ends --- */

static enum err time_out(struct process *process,
                         const struct process_call *call,
                         struct error *error)
{
    process_waits(process, call->timeout_ms);
    if (call->cancelled != NULL && call->cancelled(call->cancelled_self))
        return error_set(error, ERR_CONFLICT, "cancelled");
    return error_set(error, ERR_TIMED_OUT, "no end within %d ms", call->timeout_ms);
}

static enum err say(struct arena *arena,
                    int status,
                    const struct text *output,
                    struct process_result *ret)
{
    ret->exit_status = status;
    ret->output = arena_copy(arena, output->bytes, output->length);
    ret->output_length = output->length;
    return ERR_OK;
}

static bool only_looks(const struct process_call *call)
{
    return strcmp(call->argv[1], "observe") == 0 || strcmp(call->argv[1], "side") == 0;
}

/* Done or not, and what is said of it has nothing to do with that. */
static enum err run_badly(struct process *process,
                          struct arena *arena,
                          const struct process_call *call,
                          struct process_result *ret,
                          struct error *error)
{
    struct world *const world = process->world;
    char bytes[OUTPUT_MAX];
    struct text output = text_over(bytes, sizeof bytes);
    const int64_t given_up_ms = world_now_ms(world) + call->timeout_ms;
    const bool looks = only_looks(call);
    const unsigned how = looks ? dice_below(&world->dice, 2) * 5 : dice_below(&world->dice, 6);

    world_counts(world, how == 1 || how == 2 ? FAULT_OF_program_lies : FAULT_OF_program_silent);
    world_tell(world, "BADLY (%u) %s of %s", how, call->argv[1], call->argv[2]);
    switch (how) {
    case 0: /* Not done. */
    case 1: /* Not done, and it says that it is. */ return say(arena, how == 0, &output, ret);
    case 2: /* Done, and it says that it is not. */
        (void)sites_run(world, call->argv, &output);
        return say(arena, 1, &output, ret);
    case 3: /* Done, and no word of it. */ (void)sites_run(world, call->argv, &output); break;
    case 4: /* Done when nobody waits for it any more. */
        put_off(world, call->argv, given_up_ms + dice_ms(&world->dice, 0, LATE_MS));
        break;
    default: /* Not done, and no word of it. */ break;
    }
    return time_out(process, call, error);
}

static enum err run(void *self,
                    struct arena *arena,
                    const struct process_call *call,
                    struct process_result *ret,
                    struct error *error)
{
    struct process *const process = self;
    struct world *const world = process->world;
    char bytes[OUTPUT_MAX];
    struct text output = text_over(bytes, sizeof bytes);
    const enum memory_fault fault = process_asks(process, "run", call->argv[1]);
    const bool looks = only_looks(call);
    int status;

    if (fault == FAULT_BEFORE)
        return error_set(error, ERR_UNAVAILABLE, "%s cannot be started", call->argv[0]);
    if (!world->quiet && dice_below(&world->dice, SLOW_ONE_IN) == 0)
        process_waits(process, dice_ms(&world->dice, 1, TAKES_MS));
    if (process->dying)
        return error_set(error, ERR_UNAVAILABLE, "%s was killed", call->argv[0]);
    if (happens(world, looks ? world->weather.broken : CHANGES_WORSE * world->weather.broken))
        return run_badly(process, arena, call, ret, error);
    status = sites_run(world, call->argv, &output);
    if (fault != FAULT_NONE)
        return error_set(error, ERR_TIMED_OUT, "no word of its end");
    return say(arena, status, &output, ret);
}

struct process_runner outer_world_runner(struct process *process)
{
    return (struct process_runner){ .self = process, .run = run };
}
