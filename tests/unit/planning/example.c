#include "tests/unit/planning/example.h"

#include "common/base/text.h"
#include "common/config/feature.h"
#include "tests/support/edited.h"
#include "tests/support/test.h"

enum { FILE_MAX = 64 * 1024 };

static const char digest_text[] =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

const char *example_feature(struct arena *arena, const char *was, const char *now)
{
    return edited_text(arena,
                       edited_file(arena, "deploy/example/feature.yaml", was, now),
                       "digest: auto",
                       arena_printf(arena, "digest: %s", digest_text));
}

void example_settings(struct example *example, const char *was, const char *now)
{
    static const char path[] = "deploy/example/slipway.yaml";
    const char *const text = edited_file(&example->arena, path, was, now);

    example->settings =
        settings_read(&example->arena, path, text, strlen(text), &example->problems);
    if (example->settings == NULL)
        fail_msg("%s", example->problems.item[0].message);
}

int example_setup(void **state)
{
    static struct example example;
    const char *feature;

    example = (struct example){ .arena = arena_with_limit(2 * (size_t)YAML_ARENA_SIZE) };
    example.problems.arena = &example.arena;
    example.settings =
        settings_load(&example.arena, "deploy/example/slipway.yaml", &example.problems);
    feature = example_feature(&example.arena, "", "");
    example.acceptance = feature_read(
        &example.arena, "feature.yaml", feature, strlen(feature), NULL, &example.problems);
    if (example.problems.errors > 0) {
        struct text text = text_new(FILE_MAX);

        yaml_print_problems(&example.problems, NULL, &text);
        print_error("%s", text.bytes);
        text_release(&text);
        return -1;
    }
    *state = &example;
    return 0;
}

int example_teardown(void **state)
{
    struct example *const example = *state;

    arena_release(&example->arena);
    return 0;
}

Pb__PlanCompiled *example_compile(struct example *example)
{
    const struct plan_request request = { .settings = example->settings,
                                          .acceptance = example->acceptance,
                                          .approach = "" };

    return plan_compile(&example->arena, &request);
}

const char *example_remedy(const Pb__PlanCompiled *compiled, const char *input)
{
    for (size_t i = 0; i < compiled->n_missing; i++)
        if (strcmp(compiled->missing[i]->input, input) == 0)
            return compiled->missing[i]->remedy;
    return "";
}
