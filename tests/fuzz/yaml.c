/* Any bytes as slipway.yaml: read or refused with a problem, never neither; what is told
 * prints. */
#include "common/base/text.h"
#include "common/config/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(2 * (size_t)YAML_ARENA_SIZE);
    struct yaml_problems *const problems = calloc(1, sizeof *problems);
    struct text text = text_new(1 << 20);
    const char *const source = arena_copy(&arena, data, size);

    problems->arena = &arena;
    if ((settings_read(&arena, "slipway.yaml", source, size, problems) == NULL) ==
        (problems->errors == 0))
        abort();
    yaml_print_problems(problems, source, &text);
    text_release(&text);
    free(problems);
    arena_release(&arena);
    return 0;
}
