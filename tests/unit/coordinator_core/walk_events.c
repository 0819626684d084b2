/* What may happen to a deployment in a random walk. */
#include "tests/unit/coordinator_core/walk.h"

static Pb__Event *event_new(struct walk *walk, Pb__Event__BodyCase body)
{
    Pb__Event *const event = pb_new(&walk->arena, &pb__event__descriptor);

    event->body_case = body;
    return event;
}

static void birth(struct walk *walk, int who)
{
    struct party *const party = &walk->party[who];
    Pb__Event *const event = event_new(walk, PB__EVENT__BODY_ATTEMPT_CREATED);
    Pb__AcceptanceSignedOff *const acceptance =
        pb_new(&walk->arena, &pb__acceptance_signed_off__descriptor);

    acceptance->environment = "production";
    event->deployment = party->id;
    event->feature = party->feature;
    event->attempt_created = pb_new(&walk->arena, &pb__attempt_created__descriptor);
    event->attempt_created->attempt = 1;
    event->attempt_created->content_hash = "content";
    event->attempt_created->acceptance = acceptance;
    walk_hear(walk, who, "born", event);
}

static void compiled(struct walk *walk, int who)
{
    struct party *const party = &walk->party[who];
    Pb__Event *const event = event_new(walk, PB__EVENT__BODY_PLAN_COMPILED);

    event->plan_compiled = pb_new(&walk->arena, &pb__plan_compiled__descriptor);
    event->plan_compiled->plan = party->plan;
    event->plan_compiled->plan_hash = party->id;
    event->plan_compiled->for_version = party->state->compile_version;
    event->plan_compiled->window_open = true;
    walk_hear(walk, who, "plan", event);
}

static void add_finding(struct walk *walk,
                        Pb__TaskFinished *finished,
                        const char *check,
                        Pb__Verdict verdict)
{
    Pb__Finding *const finding = pb_new(&walk->arena, &pb__finding__descriptor);

    finding->check = check;
    finding->required = true;
    finding->verdict = verdict;
    PB_APPEND(&walk->arena, finished, findings, finding);
}

/* Every check of the plan gets the same answer: those that were asked are among them. */
static void add_all(struct walk *walk,
                    const Pb__Plan *plan,
                    Pb__TaskFinished *finished,
                    Pb__Verdict verdict)
{
    static const char *const all[] = {
        "flag.system_available", "env.ready",      "smoke.api",      "functional.feature",
        "watch.metrics",         "docs.execution", "health.backend", "bake.error_rate",
        "flag.read_back",        "stage.errors"
    };

    (void)plan;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        add_finding(walk, finished, all[i], verdict);
}

static void finish(struct walk *walk, int who)
{
    static const Pb__Verdict bad[] = {
        PB__VERDICT__INCONCLUSIVE, PB__VERDICT__WARN, PB__VERDICT__FAIL, PB__VERDICT__ERROR
    };
    const struct party *const party = &walk->party[who];
    const Pb__TaskState *const task = walk_task(party->state);
    Pb__Event *const event = event_new(walk, PB__EVENT__BODY_TASK_FINISHED);
    const Pb__Verdict verdict = dice(walk, 12) == 0 ? bad[dice(walk, 4)] : PB__VERDICT__PASS;

    if (task == NULL)
        return;
    event->task_finished = pb_new(&walk->arena, &pb__task_finished__descriptor);
    event->task_finished->task = task->task;
    event->task_finished->drive = task->drive;
    event->task_finished->coverage_bp = 10000;
    event->task_finished->outcome =
        verdict == PB__VERDICT__ERROR ? PB__OUTCOME__OUTCOME_ERROR : PB__OUTCOME__OUTCOME_OK;
    add_all(walk, party->plan, event->task_finished, verdict);
    walk_hear(walk,
              who,
              arena_printf(&walk->arena, "%s %s", task->kind, pb_verdict_name(verdict)),
              event);
}

static void fire(struct walk *walk, int who)
{
    const Pb__DeploymentState *const state = walk->party[who].state;
    Pb__Event *const event = event_new(walk, PB__EVENT__BODY_TIMER_FIRED);
    const Pb__Timer *timer;

    if (state->n_timers == 0)
        return;
    timer = state->timers[dice(walk, (uint32_t)state->n_timers)];
    /* Deadlines are rare, back-off is not. */
    if (strcmp(timer->id, "retry") != 0 && dice(walk, 60) != 0)
        return;
    event->timer_fired = pb_new(&walk->arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = timer->id;
    event->timer_fired->armed_version = timer->armed_version;
    walk_hear(walk, who, timer->id, event);
}

static void trouble(struct walk *walk, int who)
{
    Pb__Event *event;

    switch (dice(walk, 6)) {
    case 0:
    case 1:
        event = event_new(walk, PB__EVENT__BODY_INCIDENT);
        event->incident = pb_new(&walk->arena, &pb__incident_reported__descriptor);
        event->incident->cause = arena_printf(&walk->arena, "cause %u", dice(walk, 12));
        event->incident->severity =
            dice(walk, 8) == 0 ? PB__SEVERITY__CRITICAL : PB__SEVERITY__WARNING;
        event->incident->open = dice(walk, 3) == 0;
        walk_hear(walk, who, "incident", event);
        return;
    case 2:
        event = event_new(walk, PB__EVENT__BODY_HOLD_SET);
        event->hold_set = pb_new(&walk->arena, &pb__hold_set__descriptor);
        event->hold_set->kind = PB__HOLD_KIND__HOLD_FREEZE;
        event->hold_set->id = "freeze";
        walk_hear(walk, who, "freeze", event);
        return;
    case 3:
    case 4:
        event = event_new(walk, PB__EVENT__BODY_HOLD_CLEARED);
        event->hold_cleared = pb_new(&walk->arena, &pb__hold_cleared__descriptor);
        event->hold_cleared->kind = PB__HOLD_KIND__HOLD_FREEZE;
        event->hold_cleared->id = "freeze";
        walk_hear(walk, who, "freeze ends", event);
        return;
    default:
        if (dice(walk, 200) != 0)
            return;
        event = event_new(walk, PB__EVENT__BODY_KILL_SEEN);
        event->kill_seen = pb_new(&walk->arena, &pb__kill_seen__descriptor);
        walk_hear(walk, who, "kill", event);
    }
}

static void fill_request(struct walk *walk, int who, Pb__OperatorRequest *request)
{
    const Pb__DeploymentState *const state = walk->party[who].state;
    static const char *const checks[] = {
        "smoke.api", "stage.errors", "env.ready", "docs.execution"
    };

    request->approve = NULL;
    switch (request->body_case) {
    case PB__OPERATOR_REQUEST__BODY_APPROVE:
        request->approve = pb_new(&walk->arena, &pb__approve__descriptor);
        request->approve->plan_hash = state->plan_hash;
        request->approve->role = dice(walk, 2) == 0 ? "devops-lead" : "technical-lead";
        return;
    case PB__OPERATOR_REQUEST__BODY_SIGNOFF:
        request->signoff = pb_new(&walk->arena, &pb__sign_off__descriptor);
        request->signoff->step = (uint32_t[]){ 2, 3, 6 }[dice(walk, 3)];
        request->signoff->accept = dice(walk, 8) != 0;
        return;
    case PB__OPERATOR_REQUEST__BODY_ATTEST:
        request->attest = pb_new(&walk->arena, &pb__attest__descriptor);
        request->attest->check = "stage.gate";
        request->attest->verdict = PB__VERDICT__PASS;
        return;
    case PB__OPERATOR_REQUEST__BODY_WAIVE:
        request->waive = pb_new(&walk->arena, &pb__waive__descriptor);
        request->waive->check = checks[dice(walk, 4)];
        return;
    case PB__OPERATOR_REQUEST__BODY_SUPPLY:
        request->supply = pb_new(&walk->arena, &pb__supply_input__descriptor);
        request->supply->input = "runbooks";
        return;
    case PB__OPERATOR_REQUEST__BODY_REPLAN:
        request->replan = pb_new(&walk->arena, &pb__replan__descriptor);
        return;
    case PB__OPERATOR_REQUEST__BODY_SKIP_CHANGE:
        request->skip_change = pb_new(&walk->arena, &pb__skip_change__descriptor);
        return;
    default: return;
    }
}

static void ask(struct walk *walk, int who)
{
    static const char *const roles[] = { "devops-lead", "technical-lead", "operations-lead" };
    Pb__Event *const event = event_new(walk, PB__EVENT__BODY_REQUEST);
    Pb__OperatorRequest *const request =
        pb_new(&walk->arena, &pb__operator_request__descriptor);
    /* What helps comes more often than what does not. */
    static const int helps[] = { PB__OPERATOR_REQUEST__BODY_APPROVE,
                                 PB__OPERATOR_REQUEST__BODY_SIGNOFF,
                                 PB__OPERATOR_REQUEST__BODY_RETRY,
                                 PB__OPERATOR_REQUEST__BODY_RESUME,
                                 PB__OPERATOR_REQUEST__BODY_ATTEST };
    const int body = dice(walk, 4) != 0
                         ? helps[dice(walk, 5)]
                         : PB__OPERATOR_REQUEST__BODY_APPROVE + (int)dice(walk, 15);
    const bool ends = body == PB__OPERATOR_REQUEST__BODY_ABORT ||
                      body == PB__OPERATOR_REQUEST__BODY_ROLLBACK ||
                      body == PB__OPERATOR_REQUEST__BODY_REJECT;

    if (ends && dice(walk, 60) != 0)
        return;
    request->request = "r";
    request->actor = pb_new(&walk->arena, &pb__actor__descriptor);
    request->actor->subject = arena_printf(&walk->arena, "person %u", dice(walk, 4));
    for (size_t i = 0; i < 3; i++)
        PB_APPEND(&walk->arena, request->actor, roles, roles[i]);
    request->reason = "because";
    request->expected_version = walk->party[who].state->version;
    request->body_case = (Pb__OperatorRequest__BodyCase)body;
    fill_request(walk, who, request);
    event->request = request;
    walk_hear(walk, who, arena_printf(&walk->arena, "request %d", body), event);
}

void walk_step(struct walk *walk)
{
    const int who = (int)dice(walk, DEPLOYMENTS);
    const Pb__DeploymentState *const state = walk->party[who].state;
    const uint32_t luck = dice(walk, 100);

    walk->now_ms += dice(walk, 2000);
    if (state == NULL)
        birth(walk, who);
    else if (state->phase == PB__PHASE__PLANNING)
        compiled(walk, who);
    else if (luck < 40)
        finish(walk, who);
    else if (luck < 60)
        walk_deliver(walk);
    else if (luck < 70)
        fire(walk, who);
    else if (luck < 72)
        trouble(walk, who);
    else
        ask(walk, who);
}
