#include "common/config/feature.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SET_ARENA_MAX = 64 * 1024 * 1024, FILE_MAX = 64 * 1024 };

static void give_up(const char *what)
{
    (void)fprintf(stderr, "simulation: %s; run it in the project's folder\n", what);
    exit(2);
}

static void make_keys(struct envelope_keys *keys)
{
    static const char *const writers[] = { "coordinator",  "gateway",  "monitor",
                                           "prechecks",    "executor", "validator",
                                           "flag-rollout", "notifier" };

    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        (void)snprintf(keys->item[i].writer, sizeof keys->item[i].writer, "%s", writers[i]);
        memset(keys->item[i].key, (int)i + 1, 32);
        keys->item[i].length = 32;
        keys->count++;
    }
}

/* The other ways to react that a policy can name. */
static struct setting_policy varied(struct arena *arena,
                                    const struct setting_policy *policy,
                                    const char *name,
                                    Pb__OnNoGo on_no_go)
{
    struct setting_policy result = *policy;

    result.name = name;
    for (uint32_t step = 2; step <= 5; step++) {
        result.steps[step] = pb_clone(arena, policy->steps[step]);
        result.steps[step]->on_no_go = on_no_go;
    }
    if (on_no_go == PB__ON_NO_GO__BLOCK) {
        result.auto_resume_ms = 5000;
        result.on_freeze = PB__ON_CLOSED_WINDOW__ROLLBACK;
    } else {
        result.bake_ms = 0;
        result.batch_size = 1;
    }
    return result;
}

static const struct settings *with_policies(struct arena *arena, const struct settings *read)
{
    struct settings *const settings = arena_alloc(arena, sizeof *settings);

    *settings = *read;
    settings->policies = arena_alloc(arena, POLICIES * sizeof *settings->policies);
    settings->policies[0] = read->policies[0];
    settings->policies[1] = varied(arena, &read->policies[0], "patient", PB__ON_NO_GO__BLOCK);
    settings->policies[2] = varied(arena, &read->policies[0], "strict", PB__ON_NO_GO__STOP);
    settings->policy_count = POLICIES;
    return settings;
}

static const struct settings *edited(struct arena *arena, const struct settings *before)
{
    struct settings *const settings = arena_alloc(arena, sizeof *settings);

    *settings = *before;
    memset(settings->hash, 'e', sizeof settings->hash - 1);
    return settings;
}

static const Pb__AcceptanceSignedOff *read_feature(struct arena *arena,
                                                   struct yaml_problems *problems)
{
    char *const bytes = arena_alloc(arena, FILE_MAX);
    FILE *const file = fopen("tests/simulation/feature.yaml", "rb");
    size_t length;

    if (file == NULL)
        give_up("no tests/simulation/feature.yaml here");
    length = fread(bytes, 1, FILE_MAX - 1, file);
    (void)fclose(file);
    return feature_read(arena, "feature.yaml", bytes, length, NULL, problems);
}

void stage_set_open(struct stage_set *set)
{
    struct yaml_problems *problems;
    const struct settings *read;

    memset(set, 0, sizeof *set);
    set->arena = arena_with_limit(SET_ARENA_MAX);
    problems = arena_alloc(&set->arena, sizeof *problems);
    problems->arena = &set->arena;
    read = settings_load(&set->arena, "tests/simulation/slipway.yaml", problems);
    if (read == NULL)
        give_up(problems->errors > 0 ? problems->item[0].message
                                     : "no tests/simulation/slipway.yaml here");
    set->settings[0] = with_policies(&set->arena, read);
    set->settings[1] = edited(&set->arena, set->settings[0]);
    if (chmod("tests/simulation/hook.secret", S_IRUSR | S_IWUSR) != 0)
        give_up("hook.secret is not ours"); /* A secret that others may read is refused. */
    set->acceptance = read_feature(&set->arena, problems);
    if (set->acceptance == NULL)
        give_up(problems->item[0].message);
    make_keys(&set->keys);
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        set->fibers[i] = fiber_new();
}

void stage_set_close(struct stage_set *set)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        fiber_free(set->fibers[i]);
    arena_release(&set->arena);
}
