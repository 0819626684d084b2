#include "services/coordinator/core/requests.h"

#include <string.h>

#define AT(place) (1u << (place))

enum {
    INTAKE = AT(PLACE_INTAKE),
    STEP_1 = AT(PLACE_CHECKING),
    STEP_2_TO_6 = AT(PLACE_RUNNING),
    STEP_7 = AT(PLACE_FINALISING),
    REST_1 = AT(PLACE_BLOCKED_1),
    REST = AT(PLACE_BLOCKED),
    UNDO = AT(PLACE_STOPPING),
    STUCK = AT(PLACE_BLOCKED_ROLLBACK),
    ENDED = AT(PLACE_ENDED),
    RUNS = STEP_1 | STEP_2_TO_6 | STEP_7,
    RESTS = REST_1 | REST,
};

enum need { NEEDS_NOTHING, NEEDS_ROLE, NEEDS_REASON };

/* clang-format off */
static const struct row {
    Pb__OperatorRequest__BodyCase body;
    const char *name;
    unsigned where;             /* Elsewhere it is refused with the sentence. */
    enum need need;             /* A reason implies a role. */
    request_function *function;
    const char *refused;
} rows[] = {
    { PB__OPERATOR_REQUEST__BODY_APPROVE,       "approve",       INTAKE,                        NEEDS_NOTHING, request_approve,       "there is no plan in review: it is too late, or too early, to approve" },
    { PB__OPERATOR_REQUEST__BODY_REJECT,        "reject",        INTAKE,                        NEEDS_REASON,  request_reject,        "it is no longer in review: use abort" },
    { PB__OPERATOR_REQUEST__BODY_SIGNOFF,       "signoff",       STEP_2_TO_6 | STEP_7 | REST,   NEEDS_NOTHING, request_signoff,       "there is nothing to sign off" },
    { PB__OPERATOR_REQUEST__BODY_ATTEST,        "attest",        INTAKE | RUNS | RESTS,         NEEDS_NOTHING, request_attest,        "nothing waits for an attestation" },
    { PB__OPERATOR_REQUEST__BODY_PAUSE,         "pause",         INTAKE | RUNS,                 NEEDS_REASON,  request_pause,         "already resting" },
    { PB__OPERATOR_REQUEST__BODY_RESUME,        "resume",        INTAKE | RUNS | RESTS,         NEEDS_ROLE,    request_resume,        "nothing to resume" },
    { PB__OPERATOR_REQUEST__BODY_RETRY,         "retry",         INTAKE | RESTS | STUCK | ENDED, NEEDS_ROLE,   request_retry,         "nothing rests that could be tried again" },
    { PB__OPERATOR_REQUEST__BODY_WAIVE,         "waive",         RUNS | RESTS,                  NEEDS_REASON,  request_waive,         "there is no finding to waive" },
    { PB__OPERATOR_REQUEST__BODY_ABORT,         "abort",         INTAKE | RUNS | RESTS | UNDO | STUCK, NEEDS_REASON, request_abort,    "it has ended" },
    { PB__OPERATOR_REQUEST__BODY_ROLLBACK,      "rollback",      STEP_2_TO_6 | STEP_7 | REST | UNDO | STUCK | ENDED, NEEDS_REASON, request_rollback, "nothing is applied yet: use abort" },
    { PB__OPERATOR_REQUEST__BODY_MARK_RESTORED, "mark_restored", STUCK,                         NEEDS_REASON,  request_mark_restored, "no rollback is blocked" },
    { PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE,   "skip_change",   STUCK,                         NEEDS_REASON,  request_skip_change,   "no rollback is blocked" },
    { PB__OPERATOR_REQUEST__BODY_PROMOTE,       "promote",       STEP_2_TO_6,                   NEEDS_ROLE,    request_promote,       "no clock is running" },
    { PB__OPERATOR_REQUEST__BODY_SUPPLY,        "supply",        INTAKE | STEP_1 | REST_1,      NEEDS_ROLE,    request_supply,        "the plan is being carried out: abort, then a new attempt" },
    { PB__OPERATOR_REQUEST__BODY_REPLAN,        "replan",        INTAKE | STEP_1 | REST_1,      NEEDS_ROLE,    request_replan,        "the plan is being carried out: abort, then a new attempt" },
};
/* clang-format on */

static const struct row *row_of(Pb__OperatorRequest__BodyCase body)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].body == body)
            return &rows[i];
    }
    return NULL;
}

const char *request_name(Pb__OperatorRequest__BodyCase body)
{
    const struct row *const row = row_of(body);

    return row != NULL ? row->name : NULL;
}

enum place place_of(const Pb__DeploymentState *state)
{
    switch (state->phase) {
    case PB__PHASE__CHECKING: return PLACE_CHECKING;
    case PB__PHASE__FINALISING: return PLACE_FINALISING;
    case PB__PHASE__BLOCKED: return state->step == 1 ? PLACE_BLOCKED_1 : PLACE_BLOCKED;
    case PB__PHASE__STOPPING:
    case PB__PHASE__ROLLING_BACK: return PLACE_STOPPING;
    case PB__PHASE__BLOCKED_ROLLBACK: return PLACE_BLOCKED_ROLLBACK;
    default: break;
    }
    if (procedure_is_terminal(state->phase))
        return PLACE_ENDED;
    return phase_runs(state->phase) ? PLACE_RUNNING : PLACE_INTAKE;
}

bool actor_holds(const Pb__Actor *actor, const char *role)
{
    for (size_t i = 0; actor != NULL && i < actor->n_roles; i++) {
        if (pb_same(actor->roles[i], role))
            return true;
    }
    return false;
}

static bool is_one_of(const char *role, const char *const *roles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pb_same(roles[i], role))
            return true;
    }
    return false;
}

/* The procedure's three leads and release engineers, and who the plan names to approve or sign
 * off. Before there is a plan, all but those who only look or only alert. */
static bool role_operates(const struct turn *turn, const char *role)
{
    static const char *const always[] = {
        "release-engineer", "devops-lead", "technical-lead", "operations-lead"
    };
    static const char *const lookouts[] = { "", "reader", "viewer", "alerting" };
    size_t count;
    const char **const leads = plan_leads(turn, &count);

    if (is_one_of(role, lookouts, sizeof lookouts / sizeof lookouts[0]))
        return false;
    return turn->plan == NULL || is_one_of(role, leads, count) ||
           is_one_of(role, always, sizeof always / sizeof always[0]);
}

/* Who handed it in may take care of it until production is touched. */
static bool own_before_execution(const struct turn *turn, const Pb__Actor *actor)
{
    return turn->state->step <= 1 && turn->state->submitted_by != NULL &&
           actor->subject[0] != '\0' &&
           pb_same(actor->subject, turn->state->submitted_by->subject);
}

const char *request_role(const struct turn *turn, const Pb__OperatorRequest *request)
{
    const Pb__Actor *const actor = request->actor;

    if (request->role[0] != '\0')
        return actor_holds(actor, request->role) &&
                       (role_operates(turn, request->role) || own_before_execution(turn, actor))
                   ? request->role
                   : NULL;
    for (size_t i = 0; i < actor->n_roles; i++) {
        if (role_operates(turn, actor->roles[i]))
            return actor->roles[i];
    }
    return own_before_execution(turn, actor) ? "submitter" : NULL;
}

enum procedure_answer request_applied(struct turn *turn, const char *detail)
{
    const struct effect_answer answer = {
        .request = turn->event->request->request,
        .applied = true,
        .code = "",
        .detail = detail,
        .remedy = "",
    };

    effect_answer(turn, &answer);
    return PROCEDURE_APPLIED;
}

/* What people decide on has not changed since the version they saw. Samples, receipts and
 * starting workers change nothing of it. */
static bool version_is_seen(const struct turn *turn, uint64_t expected)
{
    return expected >= turn->state->changed_version && expected < turn->state->version;
}

static enum procedure_answer refuse_place(struct turn *turn, const struct row *row)
{
    const enum place place = place_of(turn->state);
    const bool undoes = place == PLACE_STOPPING || place == PLACE_BLOCKED_ROLLBACK;

    if (row->body == PB__OPERATOR_REQUEST__BODY_PAUSE && undoes)
        return turn_refuse(turn,
                           "cannot-pause-rollback",
                           "a rollback cannot be paused",
                           "it ends by itself; watch it");
    if (place == PLACE_ENDED)
        return turn_refuse(
            turn,
            "not-now",
            arena_printf(turn->arena, "it has ended: %s", pb_phase_name(turn->state->phase)),
            "a new attempt is made by retry, or by submitting again");
    return turn_refuse(turn, "not-now", row->refused, turn->state->waiting_for->unblock);
}

enum procedure_answer operator_request(struct turn *turn, const Pb__OperatorRequest *request)
{
    const struct row *const row = row_of(request->body_case);

    if (row == NULL || request->actor == NULL)
        return turn_refuse(turn, "malformed", "the request asks for nothing known", "");
    turn->by = request->actor->subject;
    if (!version_is_seen(turn, request->expected_version))
        return turn_refuse(turn,
                           "version-changed",
                           arena_printf(turn->arena,
                                        "it has changed since version %llu; now it is %llu",
                                        (unsigned long long)request->expected_version,
                                        (unsigned long long)turn->state->version - 1),
                           "look again, then ask again");
    if ((row->where & AT(place_of(turn->state))) == 0)
        return refuse_place(turn, row);
    if (row->need != NEEDS_NOTHING && request_role(turn, request) == NULL)
        return turn_refuse(turn,
                           "role-missing",
                           arena_printf(turn->arena, "%s has no role for this", turn->by),
                           "ask one of the leads, or a release engineer");
    if (row->need == NEEDS_REASON && request->reason[0] == '\0')
        return turn_refuse(turn, "reason-missing", "this needs a reason", "say why");
    return row->function(turn, request);
}
