/* Any bytes as feature.yaml: read or refused with a problem, never neither; what was read meets
 * the rules of every acceptance. */
#include "common/config/feature.h"
#include "common/base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(2 * (size_t)YAML_ARENA_SIZE);
    struct yaml_problems *const problems = calloc(1, sizeof *problems);
    struct text text = text_new(1 << 20);
    const char *const source = arena_copy(&arena, data, size);
    const Pb__AcceptanceSignedOff *acceptance;
    struct error error = { 0 };
    const char *field;

    problems->arena = &arena;
    acceptance = feature_read(&arena, "feature.yaml", source, size, NULL, problems);
    if ((acceptance == NULL) == (problems->errors == 0))
        abort();
    if (acceptance != NULL && acceptance_check(&arena, acceptance, &field, &error) != ERR_OK)
        abort();
    yaml_print_problems(problems, source, &text);
    text_release(&text);
    free(problems);
    arena_release(&arena);
    return 0;
}
