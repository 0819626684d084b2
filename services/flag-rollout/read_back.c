#include "services/flag-rollout/read_back.h"

#include "common/base/json.h"
#include "common/state/keys.h"

#include <string.h>

enum { RECORD_MAX = 8192 };

/* From good to bad. What is surely wrong outweighs what could not be looked at. */
static int badness(Pb__Verdict verdict)
{
    switch (verdict) {
    case PB__VERDICT__VERDICT_UNSPECIFIED: return 0;
    case PB__VERDICT__PASS: return 1;
    case PB__VERDICT__INCONCLUSIVE: return 2;
    case PB__VERDICT__ERROR: return 3;
    default: return 4;
    }
}

static const char *joined(struct arena *arena, const char *before, const char *more)
{
    if (before == NULL || before[0] == '\0')
        return more;
    return more[0] != '\0' ? arena_printf(arena, "%s; %s", before, more) : before;
}

void merge(struct arena *arena, struct merged *merged, const Pb__Finding *finding)
{
    if (badness(finding->verdict) > badness(merged->verdict))
        merged->verdict = finding->verdict;
    merged->observed = joined(arena, merged->observed, finding->observed);
    merged->wanted = joined(arena, merged->wanted, finding->wanted);
    merged->evidence = joined(arena, merged->evidence, finding->evidence);
}

/* "gateway-2: 10 %, gateway-3 silent" as a list. */
static void put_disagreeing(struct json *json, struct arena *arena, const char *disagree)
{
    json_put_array(json, "disagree");
    while (disagree[0] != '\0') {
        const char *const comma = strstr(disagree, ", ");
        const size_t length = comma != NULL ? (size_t)(comma - disagree) : strlen(disagree);

        json_put_text(json, NULL, arena_copy(arena, disagree, length));
        disagree += length + (comma != NULL ? 2 : 0);
    }
    json_end_array(json);
}

/* Nothing depends on this record, so a store that is away costs nobody anything. */
static void remember(const struct worker_ports *ports,
                     struct arena *arena,
                     const char *name,
                     const struct flag_reading *reading,
                     int64_t at_ms)
{
    struct text text = text_new(RECORD_MAX);
    struct json json = json_into(&text);
    struct error ignored = { 0 };
    struct store_op op = { .kind = STORE_SET };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };

    json_put_object(&json, NULL);
    json_put_int(&json, "at_ms", at_ms);
    json_put_uint(&json, "percent", reading->value.latched ? 0 : reading->value.percent);
    json_put_bool(&json, "latched", reading->value.latched);
    json_put_uint(&json, "sequence", reading->value.sequence);
    json_put_uint(&json, "agree", reading->agree);
    json_put_uint(&json, "of", reading->of);
    json_put_int(&json, "slowest_ms", reading->slowest_ms);
    put_disagreeing(&json, arena, reading->disagree != NULL ? reading->disagree : "");
    json_end_object(&json);
    op.key = keys_global(arena, ports->service->settings->redis.prefix, "readback:", name);
    op.value = (struct store_value){ text.bytes, text.length };
    if (text_ok(&text))
        (void)ports->store.commit(ports->store.self, &batch, &ignored);
    text_release(&text);
}

Pb__Finding *read_back_look(const struct worker_ports *ports,
                            const struct driver_env *env,
                            const Pb__FlagSpec *flag,
                            const char *environment,
                            const struct flag_value *wanted)
{
    Pb__CheckSpec check = PB__CHECK_SPEC__INIT;
    struct flag_reading reading;
    Pb__Finding *finding;

    check.id = "flag.read_back";
    finding = provider_compare(env, &check, flag, environment, wanted, &reading);
    remember(ports,
             env->arena,
             arena_printf(env->arena, "%s/%s", environment, flag->key),
             &reading,
             finding->at_ms);
    ports->service->metrics.observe_ms(ports->service->metrics.self,
                                       "slipway_flag_read_back_seconds",
                                       "verdict",
                                       pb_verdict_name(finding->verdict),
                                       reading.slowest_ms);
    return finding;
}

Pb__Finding *read_back_assert(const struct worker_ports *ports,
                              const struct driver_env *env,
                              const Pb__FlagSpec *flag,
                              const char *environment,
                              const struct flag_value *wanted)
{
    struct error error = { 0 };
    Pb__Finding *finding;

    driver_crash_point(env, CRASH_FLAGS_BEFORE_SET);
    if (provider_set(env, flag, environment, wanted, &error) == ERR_OK) {
        driver_crash_point(env, CRASH_FLAGS_AFTER_SET);
        finding = read_back_look(ports, env, flag, environment, wanted);
        driver_crash_point(env, CRASH_FLAGS_AFTER_READ_BACK);
        return finding;
    }
    finding = pb_new(env->arena, &pb__finding__descriptor);
    finding->verdict = PB__VERDICT__ERROR;
    finding->observed = arena_printf(env->arena, "%s: %s", flag->key, error.text);
    return finding;
}

enum worker_step read_back_again(struct worker_task *task, int64_t now_ms)
{
    const bool busy = now_ms - task->started_ms < POLL_BUSY_MS;

    task->wake_ms = now_ms + (busy ? POLL_FIRST_MS : POLL_LATER_MS);
    return WORKER_AGAIN;
}

bool read_back_is_late(const struct worker_task *task, int64_t from_ms, int64_t now_ms)
{
    const int64_t deadline_ms = task->command->deadline_ms;

    return now_ms >= from_ms + PATIENCE_MS ||
           (deadline_ms > 0 && now_ms >= deadline_ms - MARGIN_MS);
}

Pb__Outcome read_back_outcome(Pb__Verdict verdict)
{
    switch (verdict) {
    case PB__VERDICT__PASS:
    case PB__VERDICT__INCONCLUSIVE: return PB__OUTCOME__OUTCOME_OK;
    case PB__VERDICT__ERROR: return PB__OUTCOME__OUTCOME_ERROR;
    default: return PB__OUTCOME__OUTCOME_FAILED;
    }
}

const Pb__CheckSpec *check_named(struct arena *arena,
                                 Pb__CheckSpec *const *checks,
                                 size_t count,
                                 const char *id)
{
    Pb__CheckSpec *check;

    for (size_t i = 0; i < count; i++) {
        if (pb_same(checks[i]->id, id))
            return checks[i];
    }
    check = pb_new(arena, &pb__check_spec__descriptor);
    check->id = id;
    check->kind = "builtin";
    check->required = true;
    return check;
}

void find_merged(struct worker_task *task,
                 const Pb__CheckSpec *check,
                 const struct merged *merged)
{
    Pb__Finding *const finding =
        worker_find(task, check, merged->verdict, "%s", merged->observed);

    finding->wanted = arena_text(task->arena, merged->wanted);
    finding->evidence = arena_text(task->arena, merged->evidence);
    if (merged->verdict != PB__VERDICT__PASS && finding->remedy[0] == '\0')
        finding->remedy = "see that every gateway runs and follows control.v1; then retry";
}

enum worker_step read_back_cancelled(struct worker_task *task)
{
    task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
    return WORKER_DONE;
}
