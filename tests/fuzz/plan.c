/* Any bytes as a record of acceptance.v1: what passes the checks compiles, or is told what is
 * missing; a plan prints and does not differ from itself. Run from the repository's root. */
#include "common/base/text.h"
#include "common/config/feature.h"
#include "common/planning/compile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct arena *arena, const Pb__PlanCompiled *compiled)
{
    struct text text = text_new(4 << 20);
    struct plan_difference *differences;

    if ((compiled->plan == NULL) == (compiled->n_missing == 0))
        abort();
    if (compiled->plan != NULL) {
        plan_markdown(compiled->plan, compiled->plan_hash, &text);
        if (plan_diff(arena, compiled->plan, compiled->plan, &differences) != 0)
            abort();
    }
    text_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit(4 * (size_t)YAML_ARENA_SIZE);
    struct yaml_problems *const problems = calloc(1, sizeof *problems);
    struct plan_request request = { .approach = "" };
    struct error error = { 0 };
    const char *field;
    void *record;

    problems->arena = &arena;
    request.settings = settings_load(&arena, "deploy/example/slipway.yaml", problems);
    if (request.settings == NULL)
        abort();
    if (pb_unpack(&arena,
                  &pb__acceptance_signed_off__descriptor,
                  (struct pb_bytes){ data, size },
                  &record,
                  &error) == ERR_OK &&
        acceptance_check(&arena, record, &field, &error) == ERR_OK) {
        request.acceptance = record;
        use(&arena, plan_compile(&arena, &request));
    }
    free(problems);
    arena_release(&arena);
    return 0;
}
