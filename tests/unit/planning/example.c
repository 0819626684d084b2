#include "tests/unit/planning/example.h"

#include "common/base/text.h"
#include "common/config/feature.h"
#include "tests/support/test.h"

#include <stdio.h>

enum { FILE_MAX = 64 * 1024 };

static const char digest_text[] =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";

const char *example_text(struct arena *arena,
                         const char *path,
                         const char *was,
                         const char *now)
{
    char *const bytes = arena_alloc(arena, FILE_MAX);
    FILE *const file = fopen(path, "rb");
    struct text text = text_new(2 * FILE_MAX);
    const char *rest = bytes, *found, *result;

    assert_non_null(file);
    assert_true(fread(bytes, 1, FILE_MAX - 1, file) > 0);
    (void)fclose(file);
    while (*was != '\0' && (found = strstr(rest, was)) != NULL) {
        text_add_bytes(&text, rest, (size_t)(found - rest));
        text_add(&text, "%s", now);
        rest = found + strlen(was);
    }
    text_add(&text, "%s", rest);
    result = arena_text(arena, text.bytes);
    text_release(&text);
    return result;
}

int example_setup(void **state)
{
    static struct example example;
    const char *feature;

    example = (struct example){ .arena = arena_with_limit(2 * (size_t)YAML_ARENA_SIZE) };
    example.problems.arena = &example.arena;
    example.settings =
        settings_load(&example.arena, "deploy/example/slipway.yaml", &example.problems);
    feature = example_text(&example.arena,
                           "deploy/example/feature.yaml",
                           "digest: auto",
                           arena_printf(&example.arena, "digest: %s", digest_text));
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
