#include "services/coordinator/batch.h"

#include "services/coordinator/control.h"
#include "services/coordinator/core/feature.h"
#include "services/coordinator/core/lane.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/mark.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/poison.h"

#include <string.h>

/* What a core said about one event, whichever core it was. */
struct verdict {
    enum procedure_answer answer;
    void *after;
    uint64_t version;
    struct effects *effects;
    const char *why;
};

static const char *answer_name(enum procedure_answer answer)
{
    switch (answer) {
    case PROCEDURE_APPLIED: return "applied";
    case PROCEDURE_STALE: return "stale";
    case PROCEDURE_REFUSED: return "refused";
    case PROCEDURE_IMPOSSIBLE: return "impossible";
    }
    return "impossible";
}

static void count_event(const struct batch *batch, const char *result)
{
    const struct metrics_port *const metrics = &batch->shell->ports->metrics;

    metrics->add(metrics->self, "slipway_events_total", "result", result, 1);
}

static enum err step_deployment(struct batch *batch,
                                const struct heard *heard,
                                const struct aggregate *aggregate,
                                struct verdict *ret,
                                struct error *error)
{
    struct procedure_output *const output = arena_alloc(batch->arena, sizeof *output);
    struct procedure_input input = {
        .before = aggregate->state,
        .event = heard->event,
        .event_id = heard->envelope.id,
        .at_ms = heard->record->at_ms,
    };
    Pb__Plan *plan = NULL;
    enum err err = ERR_OK;

    if (aggregate->state != NULL)
        err = aggregate_plan(batch, aggregate->state, &plan, error);
    if (err != ERR_OK)
        return err;
    input.plan = plan;
    ret->answer = procedure_step(batch->arena, &input, output);
    ret->after = output->after;
    ret->effects = &output->effects;
    ret->why = output->why;
    if (ret->answer == PROCEDURE_APPLIED)
        ret->version = output->after->version;
    else if (input.before != NULL)
        ret->version = input.before->version;
    return ERR_OK;
}

static void step_lane(struct batch *batch,
                      const struct heard *heard,
                      const struct aggregate *aggregate,
                      struct verdict *ret)
{
    struct lane_output *const output = arena_alloc(batch->arena, sizeof *output);
    const struct lane_input input = {
        .before = aggregate->state,
        .event = heard->event,
        .event_id = heard->envelope.id,
        .at_ms = heard->record->at_ms,
    };

    ret->answer = lane_step(batch->arena, &input, output);
    ret->after = output->after;
    ret->effects = &output->effects;
    ret->why = output->why;
    if (ret->answer == PROCEDURE_APPLIED)
        ret->version = output->after->version;
}

static void step_feature(struct batch *batch,
                         const struct heard *heard,
                         const struct aggregate *aggregate,
                         struct verdict *ret)
{
    struct feature_output *const output = arena_alloc(batch->arena, sizeof *output);
    const struct feature_input input = {
        .before = aggregate->state,
        .event = heard->event,
        .event_id = heard->envelope.id,
        .at_ms = heard->record->at_ms,
    };

    ret->answer = feature_step(batch->arena, &input, output);
    ret->after = output->after;
    ret->effects = &output->effects;
    ret->why = output->why;
    if (ret->answer == PROCEDURE_APPLIED)
        ret->version = output->after->version;
}

/* A late word to somebody who never was: a worker of a record that an operator skipped. */
static bool is_unknown(const struct heard *heard, const struct aggregate *aggregate)
{
    return heard->target == AGGREGATE_DEPLOYMENT && aggregate->state == NULL &&
           heard->event->body_case != PB__EVENT__BODY_ATTEMPT_CREATED;
}

static void say_unknown(struct batch *batch, const struct heard *heard)
{
    const struct effect_answer answer = {
        .request = heard->event->body_case == PB__EVENT__BODY_REQUEST
                       ? heard->event->request->request
                       : "",
        .code = "not-found",
        .detail = "There is no such deployment.",
        .remedy = "Look at the list of deployments.",
    };

    if (heard->event->body_case == PB__EVENT__BODY_REQUEST)
        batch_answer_request(batch, heard, &answer, 0);
    count_event(batch, "unknown");
}

/* A state or an effect that does not fit must not be committed: it could never be sent. */
static void check_size(struct batch *batch, struct verdict *verdict)
{
    struct error why = { 0 };
    size_t length;

    if (verdict->answer != PROCEDURE_APPLIED)
        return;
    length = protobuf_c_message_get_packed_size(verdict->after);
    if (length > PB_STATE_MAX) {
        (void)error_set(&why,
                        ERR_TOO_LARGE,
                        "the state would be %zu bytes, at most %d",
                        length,
                        PB_STATE_MAX);
    } else if (effects_check(verdict->effects, &why) == ERR_OK) {
        return;
    }
    verdict->answer = PROCEDURE_IMPOSSIBLE;
    verdict->effects->count = 0;
    verdict->why = arena_text(batch->arena, why.text);
}

static void say_impossible(struct batch *batch, const struct heard *heard, const char *why)
{
    LOG(batch->shell->ports->log,
        LOG_ERROR,
        "an event that cannot be",
        { "aggregate", heard->id },
        { "event", record_body_name(heard->event) },
        { "id", heard->envelope.id },
        { "error", why });
    batch_dead_letter(batch, heard->record, why);
    if (heard->target == AGGREGATE_DEPLOYMENT &&
        heard->event->body_case != PB__EVENT__BODY_HOLD_SET)
        batch_hold(batch, heard->record, heard->id, "impossible", why);
}

static void remember_acceptance(struct batch *batch,
                                const char *deployment,
                                const Pb__AcceptanceSignedOff *acceptance)
{
    struct writes *const writes = &batch->writes;

    writes_set(writes,
               KEY_ACCEPTANCE(batch->arena, writes->partition, writes->prefix, deployment),
               pb_pack(batch->arena, acceptance));
}

static void remember_plan(struct batch *batch,
                          const Pb__DeploymentState *state,
                          const Pb__PlanCompiled *compiled)
{
    struct writes *const writes = &batch->writes;
    struct pb_bytes packed;
    struct error ignored = { 0 };
    Pb__Plan *plan = NULL;

    if (compiled->plan == NULL || !pb_same(state->plan_hash, compiled->plan_hash))
        return;
    packed = pb_pack(batch->arena, compiled->plan);
    writes_set(writes,
               KEY_PLAN(batch->arena, writes->partition, writes->prefix, state->plan_hash),
               packed);
    /* The next record of this batch may need it before Redis has it. */
    if (cache_put_plan(&batch->partition->cache, state->plan_hash, packed, &plan, &ignored) !=
        ERR_OK)
        return;
}

/* What later events need of this one beside the state: the acceptance to compile from, the
 * plan to run under. */
static void remember(struct batch *batch,
                     const struct heard *heard,
                     const struct aggregate *aggregate)
{
    const Pb__AcceptanceSignedOff *acceptance = NULL;

    if (heard->target != AGGREGATE_DEPLOYMENT)
        return;
    if (heard->event->body_case == PB__EVENT__BODY_ATTEMPT_CREATED)
        acceptance = heard->event->attempt_created->acceptance;
    if (heard->event->body_case == PB__EVENT__BODY_ACCEPTANCE_RECEIVED)
        acceptance = heard->event->acceptance_received->acceptance;
    if (acceptance != NULL)
        remember_acceptance(batch, aggregate->id, acceptance);
    if (heard->event->body_case == PB__EVENT__BODY_PLAN_COMPILED)
        remember_plan(batch, aggregate->state, heard->event->plan_compiled);
}

static void note_timer(struct batch *batch, const struct heard *heard)
{
    struct live *const live = live_find(&batch->partition->live, heard->id);
    const Pb__TimerFired *fired;

    if (live == NULL || heard->event->body_case != PB__EVENT__BODY_TIMER_FIRED)
        return;
    fired = heard->event->timer_fired;
    live_has_fired(live, fired->timer, fired->armed_version, batch->now_ms);
}

static void conclude(struct batch *batch,
                     const struct heard *heard,
                     struct aggregate *aggregate,
                     const struct verdict *verdict)
{
    const struct answered answered = {
        .heard = heard,
        .id = heard->id,
        .version = verdict->version,
        .effects = verdict->effects,
        .after = verdict->after,
    };

    count_event(batch, answer_name(verdict->answer));
    note_timer(batch, heard);
    if (verdict->answer == PROCEDURE_APPLIED) {
        aggregate->state = verdict->after;
        aggregate->dirty = true;
        remember(batch, heard, aggregate);
    }
    if (verdict->answer == PROCEDURE_APPLIED || verdict->answer == PROCEDURE_REFUSED)
        effects_take(batch, &answered);
    if (verdict->answer == PROCEDURE_IMPOSSIBLE)
        say_impossible(batch, heard, verdict->why);
    if (verdict->answer == PROCEDURE_STALE)
        LOG(batch->shell->ports->log,
            LOG_DEBUG,
            "stale",
            { "aggregate", heard->id },
            { "event", record_body_name(heard->event) },
            { "why", verdict->why });
}

static enum err apply(struct batch *batch, const struct heard *heard, struct error *error)
{
    struct verdict verdict = { .answer = PROCEDURE_IMPOSSIBLE };
    struct aggregate *aggregate = NULL;
    enum err err;

    if (heard->target == AGGREGATE_NONE)
        return ERR_OK;
    err = aggregate_get(batch, heard->target, heard->id, &aggregate, error);
    if (err != ERR_OK)
        return err;
    if (is_unknown(heard, aggregate)) {
        say_unknown(batch, heard);
        return ERR_OK;
    }
    if (heard->target == AGGREGATE_DEPLOYMENT)
        err = step_deployment(batch, heard, aggregate, &verdict, error);
    else if (heard->target == AGGREGATE_LANE)
        step_lane(batch, heard, aggregate, &verdict);
    else
        step_feature(batch, heard, aggregate, &verdict);
    if (err != ERR_OK)
        return err;
    check_size(batch, &verdict);
    conclude(batch, heard, aggregate, &verdict);
    return ERR_OK;
}

/* A record that an operator or the quarantine passed over leaves a letter and a hold, so that
 * every fold of this log treats it alike. */
static void skip(struct batch *batch, const struct bus_record *record)
{
    count_event(batch, "skipped");
    batch_dead_letter(batch, record, "passed over by a Skip on control.v1");
    batch_hold(batch,
               record,
               record_deployment(batch->arena, record),
               "quarantine",
               "one of its records was passed over");
}

static enum err take(struct batch *batch, const struct bus_record *record, struct error *error)
{
    struct error why = { 0 };
    struct heard heard = { 0 };
    enum err err;

    batch->index = 0;
    if (control_skips(batch->shell->control, batch->partition->number, record->offset)) {
        skip(batch, record);
    } else if ((err = record_hear(batch->shell, batch->arena, record, &heard, &why)) !=
               ERR_OK) {
        count_event(batch, err == ERR_DENIED ? "denied" : "invalid");
        batch_dead_letter(batch, record, why.text);
    } else {
        err = apply(batch, &heard, error);
        if (err != ERR_OK)
            return error_wrap(error, err, "apply record %lld", (long long)record->offset);
    }
    mark_pass(batch->arena, &batch->mark, record);
    return ERR_OK;
}

static enum err commit(struct batch *batch, struct error *error)
{
    const int64_t began_ms = shell_monotonic_ms(batch->shell);
    const struct metrics_port *const metrics = &batch->shell->ports->metrics;
    enum err err;

    aggregates_write(batch);
    mark_write(&batch->writes, &batch->mark);
    in_hand_batch(batch, CRASH_BEFORE_COMMIT);
    err = partition_commit(batch->shell, batch->partition, &batch->writes, error);
    if (err != ERR_OK)
        return error_wrap(
            error, err, "commit up to record %lld", (long long)batch->mark.offset);
    in_hand_batch(batch, CRASH_AFTER_COMMIT);
    metrics->observe_ms(metrics->self,
                        "slipway_commit_seconds",
                        "",
                        "",
                        shell_monotonic_ms(batch->shell) - began_ms);
    batch->partition->mark = batch->mark;
    aggregates_keep(batch);
    return ERR_OK;
}

static enum err publish(struct batch *batch, struct error *error)
{
    enum err err;

    if (batch->partition->phase != PARTITION_LIVE || batch->outbox.count == 0)
        return ERR_OK;
    batch->partition->publish_failed = true;
    err = outbox_publish(batch->shell, &batch->outbox, error);
    if (err != ERR_OK)
        return err;
    in_hand_batch(batch, CRASH_AFTER_PUBLISH);
    err = outbox_trim(batch->shell, batch->partition, &batch->outbox, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "trim the outbox");
    in_hand_batch(batch, CRASH_AFTER_TRIM);
    batch->partition->publish_failed = false;
    return ERR_OK;
}

enum err batch_run(struct coordinator *shell,
                   struct partition *partition,
                   const struct bus_record *const *records,
                   size_t count,
                   struct error *error)
{
    struct batch batch = {
        .shell = shell,
        .partition = partition,
        .arena = &shell->arena,
        .writes = partition_writes(shell, partition),
        .outbox = { .arena = &shell->arena },
        .mark = partition->mark,
        .now_ms = shell_now_ms(shell),
    };
    enum err err = ERR_OK;

    if (partition->careful)
        err = poison_look(shell, partition, records[0], error);
    for (size_t i = 0; i < count && err == ERR_OK; i++)
        err = take(&batch, records[i], error);
    if (err == ERR_OK)
        err = commit(&batch, error);
    if (err == ERR_OK)
        err = publish(&batch, error);
    else if (partition->careful)
        poison_outlived(shell, partition);
    cache_trim(&partition->cache);
    return err;
}
