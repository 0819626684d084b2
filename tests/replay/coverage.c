#include "tests/replay/coverage.h"

#include "common/wire/pb.h"
#include "tests/unit/coordinator_core/places.h"

#include <string.h>

static const char *name_of(const ProtobufCMessageDescriptor *type, unsigned number)
{
    const ProtobufCFieldDescriptor *const field =
        protobuf_c_message_descriptor_get_field(type, number);

    return field != NULL ? field->name : "nothing";
}

static const char *request_row(const Pb__OperatorRequest *request, bool applied)
{
    switch (request->body_case) {
    case PB__OPERATOR_REQUEST__BODY_SIGNOFF:
        return request->signoff->accept ? "sign-off" : "sign-off refused";
    case PB__OPERATOR_REQUEST__BODY_ATTEST: return "attest gate";
    case PB__OPERATOR_REQUEST__BODY_RESUME: return applied ? "pause, resume" : "resume";
    case PB__OPERATOR_REQUEST__BODY_MARK_RESTORED: return "mark-restored";
    case PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE: return "skip-change";
    default: return name_of(&pb__operator_request__descriptor, request->body_case);
    }
}

static bool has(const Pb__TaskFinished *finished, Pb__Verdict verdict)
{
    for (size_t i = 0; i < finished->n_findings; i++) {
        if (finished->findings[i]->verdict == verdict)
            return true;
    }
    return false;
}

/* By its worst finding. */
static const char *task_row(const Pb__TaskFinished *finished, bool stale)
{
    if (stale)
        return "late word";
    if (finished->outcome == PB__OUTCOME__OUTCOME_CANCELLED)
        return "task cancelled";
    if (finished->outcome == PB__OUTCOME__OUTCOME_ERROR)
        return "task ERROR";
    if (finished->outcome == PB__OUTCOME__OUTCOME_FAILED || has(finished, PB__VERDICT__FAIL))
        return "task FAIL";
    if (has(finished, PB__VERDICT__INCONCLUSIVE) || has(finished, PB__VERDICT__NO_DATA))
        return "task INCONCLUSIVE";
    return has(finished, PB__VERDICT__WARN) ? "task WARN" : "task PASS";
}

static const char *timer_row(const Pb__TimerFired *fired, bool stale)
{
    if (stale)
        return "unknown timer";
    if (strcmp(fired->timer, "task") == 0)
        return "task deadline";
    return strcmp(fired->timer, "phase") == 0 ? "phase deadline" : fired->timer;
}

static const char *incident_row(const Pb__IncidentReported *incident)
{
    if (!incident->open)
        return "incident resolved";
    return incident->severity == PB__SEVERITY__CRITICAL ? "critical incident"
                                                        : "warning incident";
}

static const char *row_of(const Pb__DeploymentState *before,
                          const Pb__Event *event,
                          enum procedure_answer answer)
{
    const bool applied = answer == PROCEDURE_APPLIED;

    switch (event->body_case) {
    case PB__EVENT__BODY_TASK_FINISHED: return task_row(event->task_finished, !applied);
    case PB__EVENT__BODY_TASK_STARTED:
    case PB__EVENT__BODY_TASK_PROGRESS:
        return applied ? name_of(&pb__event__descriptor, event->body_case) : "late word";
    case PB__EVENT__BODY_TASK_LOST: return applied ? "task lost" : "late word";
    case PB__EVENT__BODY_TIMER_FIRED: return timer_row(event->timer_fired, !applied);
    case PB__EVENT__BODY_INCIDENT: return incident_row(event->incident);
    case PB__EVENT__BODY_KILL_SEEN: return "kill seen";
    case PB__EVENT__BODY_HOLD_SET: return "freeze";
    case PB__EVENT__BODY_HOLD_CLEARED: return applied ? "freeze and end" : "freeze end";
    case PB__EVENT__BODY_LANE_GRANTED: return "lane granted";
    case PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN: return "withdrawn";
    case PB__EVENT__BODY_ACCEPTANCE_RECEIVED:
        return pb_same(event->acceptance_received->content_hash, before->content_hash)
                   ? "acceptance, same"
                   : "acceptance, other";
    case PB__EVENT__BODY_REQUEST: return request_row(event->request, applied);
    default: return name_of(&pb__event__descriptor, event->body_case);
    }
}

void coverage_cell(FILE *out,
                   const Pb__DeploymentState *before,
                   const Pb__Event *event,
                   enum procedure_answer answer)
{
    static const char *const answers[] = { [PROCEDURE_APPLIED] = "applied",
                                           [PROCEDURE_STALE] = "stale",
                                           [PROCEDURE_REFUSED] = "refused",
                                           [PROCEDURE_IMPOSSIBLE] = "impossible" };
    char code[PLACE_CODE_SIZE];

    if (before != NULL)
        (void)fprintf(out,
                      "cell\t%s\t%s\t%s\n",
                      row_of(before, event, answer),
                      place_code(before, code),
                      answers[answer]);
}

void coverage_kind(FILE *out, const char *target, const Pb__Event *event)
{
    (void)fprintf(
        out, "kind\t%s\t%s\n", target, name_of(&pb__event__descriptor, event->body_case));
    if (event->body_case == PB__EVENT__BODY_REQUEST)
        (void)fprintf(out,
                      "kind\t%s\trequest.%s\n",
                      target,
                      name_of(&pb__operator_request__descriptor, event->request->body_case));
}

static void plan_line(FILE *out,
                      const char *what,
                      const ProtobufCEnumDescriptor *type,
                      int value)
{
    const ProtobufCEnumValue *const found = protobuf_c_enum_descriptor_get_value(type, value);

    (void)fprintf(out, "plan\t%s\t%s\n", what, found != NULL ? found->name : "?");
}

void coverage_plan(FILE *out, const Pb__Plan *plan)
{
    (void)fprintf(out, "plan\tapproach\t%s\n", plan->approach);
    for (size_t i = 0; i < plan->n_changes; i++) {
        const Pb__Change *const change = plan->changes[i];

        plan_line(out, "kind", &pb__artifact_kind__descriptor, (int)change->kind);
        plan_line(out, "on_rollback", &pb__on_rollback__descriptor, (int)change->on_rollback);
        for (size_t b = 0; b < change->n_batches; b++)
            plan_line(out, "batch", &pb__batch_kind__descriptor, (int)change->batches[b]->kind);
    }
}
