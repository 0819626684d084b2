#include "services/coordinator/core/feature.h"

#include <stdio.h>

enum { SEEN_MAX = 16 };

struct feature_turn {
    struct arena *arena;
    const struct feature_input *input;
    struct feature_output *out;
    Pb__FeatureState *feature;
};

static enum procedure_answer feature_stale(struct feature_turn *turn, const char *why)
{
    (void)snprintf(turn->out->why, sizeof turn->out->why, "%s", why);
    return PROCEDURE_STALE;
}

static bool listed(const char *const *item, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (pb_same(item[i], word))
            return true;
    }
    return false;
}

static Pb__Event *tell(struct feature_turn *turn, const char *deployment)
{
    struct effects *const effects = &turn->out->effects;
    struct effect *const effect = &effects->item[effects->count++];

    *effect = (struct effect){ .kind = EFFECT_EVENT, .worker = "", .task = "" };
    effect->key = turn->feature->feature;
    effect->event = pb_new(turn->arena, &pb__event__descriptor);
    effect->event->deployment = deployment;
    effect->event->feature = turn->feature->feature;
    return effect->event;
}

/* The next attempt: it is the live one from here on. */
static Pb__AttemptCreated *attempt_new(struct feature_turn *turn)
{
    Pb__FeatureState *const feature = turn->feature;
    Pb__AttemptCreated *const created = pb_new(turn->arena, &pb__attempt_created__descriptor);
    Pb__Event *event;

    created->attempt = ++feature->attempts;
    created->attempt_of = feature->last;
    created->sequence = feature->sequence;
    feature->live = arena_printf(turn->arena, "%s.%u", feature->feature, feature->attempts);
    feature->last = feature->live;
    feature->last_exit = "";
    feature->live_started = false;
    event = tell(turn, feature->live);
    event->body_case = PB__EVENT__BODY_ATTEMPT_CREATED;
    event->attempt_created = created;
    return created;
}

static void attempt_of_acceptance(struct feature_turn *turn, Pb__AcceptanceReceived *received)
{
    Pb__AttemptCreated *const created = attempt_new(turn);

    created->acceptance = received->acceptance;
    created->content_hash = received->content_hash;
    turn->feature->newest = received;
}

static void remember(struct feature_turn *turn, const char *content_hash)
{
    if (turn->feature->n_seen == SEEN_MAX)
        PB_REMOVE(turn->feature, seen, 0);
    PB_APPEND(turn->arena, turn->feature, seen, content_hash);
}

static void pass_on(struct feature_turn *turn)
{
    Pb__Event *const event = tell(turn, turn->feature->live);

    event->body_case = turn->input->event->body_case;
    if (event->body_case == PB__EVENT__BODY_ACCEPTANCE_RECEIVED)
        event->acceptance_received = turn->input->event->acceptance_received;
    else
        event->acceptance_withdrawn = turn->input->event->acceptance_withdrawn;
}

/* Before step 1 the live deployment takes other content over. It may just have begun step 1: so
 * the content is kept until the deployment says under which it runs. */
static enum procedure_answer received(struct feature_turn *turn,
                                      Pb__AcceptanceReceived *acceptance)
{
    Pb__FeatureState *const feature = turn->feature;

    if (acceptance->acceptance == NULL)
        return feature_stale(turn, "an acceptance without content");
    if (listed(feature->seen, feature->n_seen, acceptance->content_hash))
        return feature_stale(turn, "the same acceptance again: a new attempt only by retry");
    remember(turn, acceptance->content_hash);
    if (feature->live[0] == '\0') {
        attempt_of_acceptance(turn, acceptance);
        return PROCEDURE_APPLIED;
    }
    feature->next = acceptance;
    if (!feature->live_started)
        pass_on(turn);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer withdrawn(struct feature_turn *turn,
                                       const Pb__AcceptanceWithdrawn *withdrawal)
{
    Pb__FeatureState *const feature = turn->feature;
    const char *const hash = withdrawal != NULL ? withdrawal->content_hash : "";
    const bool kept = feature->next != NULL &&
                      (hash[0] == '\0' || pb_same(feature->next->content_hash, hash));

    if (kept && feature->live_started) {
        feature->next = NULL;
        return PROCEDURE_APPLIED;
    }
    if (feature->live[0] == '\0')
        return feature_stale(turn, "nothing of it is under way");
    if (kept)
        feature->next = NULL;
    pass_on(turn);
    return PROCEDURE_APPLIED;
}

static void settle_next(struct feature_turn *turn, const Pb__AttemptMoved *moved)
{
    Pb__FeatureState *const feature = turn->feature;

    if (feature->next == NULL || !pb_same(feature->next->content_hash, moved->content_hash))
        return;
    feature->newest = feature->next;
    feature->next = NULL;
}

static void taken_back(struct feature_turn *turn)
{
    if (turn->feature->n_taken_back == SEEN_MAX)
        PB_REMOVE(turn->feature, taken_back, 0);
    PB_APPEND(turn->arena, turn->feature, taken_back, turn->feature->undoing);
}

static void signal_withdrawn_late(struct feature_turn *turn, const Pb__AttemptMoved *word)
{
    struct effects *const effects = &turn->out->effects;
    struct effect *const effect = &effects->item[effects->count++];
    Pb__Signal *const signal = pb_new(turn->arena, &pb__signal__descriptor);

    signal->feature = turn->feature->feature;
    signal->environment = word->environment;
    signal->deployment = word->deployment;
    signal->sequence = ++turn->feature->sequence;
    signal->at_ms = turn->input->at_ms;
    signal->body_case = PB__SIGNAL__BODY_FEATURE_WITHDRAWN;
    signal->feature_withdrawn = pb_new(turn->arena, &pb__feature_withdrawn__descriptor);
    signal->feature_withdrawn->reason = word->withdrawn;
    *effect = (struct effect){ .kind = EFFECT_SIGNAL, .worker = "", .task = "", .key = "" };
    effect->signal = signal;
}

/* The flags of one that has ended were latched off. A live attempt numbers the signals; and a
 * later one that was completed is what people have. */
static enum procedure_answer withdrawn_late(struct feature_turn *turn, Pb__AttemptMoved *word)
{
    const Pb__FeatureState *const feature = turn->feature;

    if (feature->live[0] != '\0') {
        Pb__Event *const event = tell(turn, feature->live);

        event->body_case = PB__EVENT__BODY_ATTEMPT_MOVED;
        event->attempt_moved = word;
        return PROCEDURE_APPLIED;
    }
    if (!pb_same(feature->last, word->deployment) && pb_same(feature->last_exit, "COMPLETED"))
        return feature_stale(turn, "a later attempt stands for it");
    signal_withdrawn_late(turn, word);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer moved(struct feature_turn *turn, Pb__AttemptMoved *word)
{
    Pb__FeatureState *const feature = turn->feature;
    Pb__AcceptanceReceived *next;

    if (word->sequence > feature->sequence)
        feature->sequence = word->sequence;
    if (word->withdrawn[0] != '\0')
        return withdrawn_late(turn, word);
    if (!pb_same(word->deployment, feature->live))
        return feature_stale(turn, "it is not the live attempt");
    settle_next(turn, word);
    feature->live_started = feature->live_started || word->started;
    if (!word->ended)
        return PROCEDURE_APPLIED;
    if (feature->undoing[0] != '\0' && pb_same(word->exit, "ROLLED_BACK"))
        taken_back(turn);
    feature->undoing = "";
    feature->live = "";
    feature->live_started = false;
    feature->last_exit = word->exit;
    next = feature->next;
    feature->next = NULL;
    if (next != NULL)
        attempt_of_acceptance(turn, next);
    return PROCEDURE_APPLIED;
}

/* To the person whose wish it was. */
static void answer(struct feature_turn *turn,
                   const Pb__AttemptCreated *wish,
                   const struct effect_answer *words)
{
    struct effects *const effects = &turn->out->effects;
    struct effect *effect;

    if (wish->request[0] == '\0')
        return;
    effect = &effects->item[effects->count++];
    *effect = (struct effect){ .kind = EFFECT_ANSWER, .worker = "", .task = "", .key = "" };
    effect->answer = *words;
    effect->answer.request = wish->request;
    effect->answer.deployment = wish->attempt_of;
    effect->answer.version = wish->version;
}

static enum procedure_answer refuse(struct feature_turn *turn,
                                    const Pb__AttemptCreated *wish,
                                    const char *detail,
                                    const char *remedy)
{
    const struct effect_answer words = {
        .applied = false, .code = "not-now", .detail = detail, .remedy = remedy
    };

    answer(turn, wish, &words);
    (void)snprintf(turn->out->why, sizeof turn->out->why, "%s", detail);
    return PROCEDURE_REFUSED;
}

/* What would be tried again is the newest content, and what became of that stands with the
 * newest attempt: it may well be in production. */
static enum procedure_answer refuse_old(struct feature_turn *turn,
                                        const Pb__AttemptCreated *wish)
{
    const Pb__FeatureState *const feature = turn->feature;
    const bool completed = pb_same(feature->last_exit, "COMPLETED");

    return refuse(turn,
                  wish,
                  arena_printf(turn->arena,
                               "a later attempt stands for it: %s, %s",
                               feature->last,
                               feature->last_exit),
                  completed ? "submit the next change"
                            : arena_printf(turn->arena, "retry %s instead", feature->last));
}

/* Why the wish may not be; APPLIED if it may. */
static enum procedure_answer wish_check(struct feature_turn *turn,
                                        const Pb__AttemptCreated *wish)
{
    const Pb__FeatureState *const feature = turn->feature;

    if (feature->live[0] != '\0')
        return refuse(turn,
                      wish,
                      arena_printf(turn->arena, "another attempt is live: %s", feature->live),
                      "wait until it has ended, or abort it; then ask again");
    if (wish->rollback && listed(feature->taken_back, feature->n_taken_back, wish->attempt_of))
        return refuse(turn, wish, "it was taken back before", "");
    if (!wish->rollback && !pb_same(feature->last, wish->attempt_of))
        return refuse_old(turn, wish);
    if (!wish->rollback && feature->newest == NULL)
        return refuse(turn, wish, "there is no acceptance to try again", "submit it again");
    return PROCEDURE_APPLIED;
}

/* A terminal deployment passes on a person's wish: a new attempt, or its rollback. */
static enum procedure_answer wished(struct feature_turn *turn, const Pb__AttemptCreated *wish)
{
    Pb__FeatureState *const feature = turn->feature;
    const enum procedure_answer may = wish_check(turn, wish);
    struct effect_answer words = { .applied = true, .code = "", .remedy = "" };
    Pb__AttemptCreated *created;

    if (may != PROCEDURE_APPLIED)
        return may;
    created = attempt_new(turn);
    created->attempt_of = wish->attempt_of;
    created->actor = wish->actor;
    created->reason = wish->reason;
    created->rollback = wish->rollback;
    created->rollback_of = wish->rollback_of;
    feature->undoing = wish->rollback ? wish->attempt_of : "";
    if (!wish->rollback) {
        created->acceptance = feature->newest->acceptance;
        created->content_hash = feature->newest->content_hash;
    }
    words.detail = arena_printf(
        turn->arena, "%s %s", feature->live, wish->rollback ? "takes it back" : "begins");
    answer(turn, wish, &words);
    return PROCEDURE_APPLIED;
}

static enum procedure_answer feature_dispatch(struct feature_turn *turn)
{
    const Pb__Event *const event = turn->input->event;

    switch (event->body_case) {
    case PB__EVENT__BODY_ACCEPTANCE_RECEIVED: return received(turn, event->acceptance_received);
    case PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN:
        return withdrawn(turn, event->acceptance_withdrawn->withdrawal);
    case PB__EVENT__BODY_ATTEMPT_MOVED: return moved(turn, event->attempt_moved);
    case PB__EVENT__BODY_ATTEMPT_CREATED: return wished(turn, event->attempt_created);
    default:
        (void)snprintf(
            turn->out->why, sizeof turn->out->why, "an event that is not for a feature");
        return PROCEDURE_IMPOSSIBLE;
    }
}

enum procedure_answer feature_step(struct arena *arena,
                                   const struct feature_input *input,
                                   struct feature_output *ret)
{
    struct feature_turn turn = { .arena = arena, .input = input, .out = ret };
    enum procedure_answer answer;

    ret->after = NULL;
    ret->effects.count = 0;
    ret->why[0] = '\0';
    turn.feature = input->before != NULL ? pb_clone(arena, input->before)
                                         : pb_new(arena, &pb__feature_state__descriptor);
    turn.feature->feature = input->event->feature;
    answer = feature_dispatch(&turn);
    if (answer != PROCEDURE_APPLIED)
        return answer;
    turn.feature->version++;
    ret->after = turn.feature;
    return PROCEDURE_APPLIED;
}
