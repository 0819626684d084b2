#include "services/coordinator/intake.h"

#include "common/config/feature.h"
#include "common/config/fields.h"
#include "common/wire/foreign.h"
#include "common/wire/topics.h"
#include "services/coordinator/in_hand.h"
#include "services/coordinator/letters.h"
#include "services/coordinator/record.h"

#include <inttypes.h>
#include <string.h>

enum { RECORDS_PER_TURN = 64, ID_DIGITS = 32, WORDS_DIGITS = 16 };

#define TYPE_SIGNED_OFF "slipway.v1.AcceptanceSignedOff"
#define TYPE_WITHDRAWN  "slipway.v1.AcceptanceWithdrawn"
#define TYPE_EITHER     "slipway.v1.Acceptance"

/* One record of acceptance.v1, as far as it could be read. */
struct accepted {
    const struct bus_record *record;
    struct envelope envelope;
    const Pb__AcceptanceSignedOff *signed_off; /* One of the two, or neither. */
    const Pb__AcceptanceWithdrawn *withdrawn;
    const char *field; /* To blame, when it was refused. */
};

static enum err type_of(const char *name,
                        const ProtobufCMessageDescriptor **ret,
                        struct error *why)
{
    if (strcmp(name, TYPE_SIGNED_OFF) == 0)
        *ret = &pb__acceptance_signed_off__descriptor;
    else if (strcmp(name, TYPE_WITHDRAWN) == 0)
        *ret = &pb__acceptance_withdrawn__descriptor;
    else if (strcmp(name, TYPE_EITHER) == 0)
        *ret = &pb__acceptance__descriptor;
    else
        return error_set(why,
                         ERR_INVALID,
                         "ce_type \"%.80s\" is none of %s, %s, %s",
                         name,
                         TYPE_SIGNED_OFF,
                         TYPE_WITHDRAWN,
                         TYPE_EITHER);
    return ERR_OK;
}

/* The message in whichever of its three forms. */
static void sort_out(struct accepted *accepted, const void *message)
{
    const ProtobufCMessage *const base = message;
    const Pb__Acceptance *either;

    if (base->descriptor == &pb__acceptance_signed_off__descriptor) {
        accepted->signed_off = message;
        return;
    }
    if (base->descriptor == &pb__acceptance_withdrawn__descriptor) {
        accepted->withdrawn = message;
        return;
    }
    either = message;
    if (either->body_case == PB__ACCEPTANCE__BODY_SIGNED_OFF)
        accepted->signed_off = either->signed_off;
    if (either->body_case == PB__ACCEPTANCE__BODY_WITHDRAWN)
        accepted->withdrawn = either->withdrawn;
}

static enum err parse(struct arena *arena, struct accepted *accepted, struct error *why)
{
    const ProtobufCMessageDescriptor *type = NULL;
    struct bus_record plain = { 0 };
    void *message = NULL;
    enum err err = foreign_unwrap(arena, accepted->record, &plain, why);

    if (err == ERR_OK)
        err = envelope_open(arena, &plain, &accepted->envelope, why);
    if (err == ERR_OK)
        err = type_of(accepted->envelope.type, &type, why);
    if (err == ERR_OK)
        err = foreign_message(arena, &plain, type, &message, why);
    if (err == ERR_OK)
        sort_out(accepted, message);
    return err;
}

/* ERR_DENIED: slipway.yaml wants to know who says so, and it cannot be told. */
static enum err prove(const struct coordinator *shell,
                      const struct accepted *accepted,
                      struct error *why)
{
    const struct envelope_keys *const keys = shell->ports->producers;

    return keys != NULL ? envelope_verify(keys, accepted->record, NULL, why) : ERR_OK;
}

static enum err check(struct arena *arena, struct accepted *accepted, struct error *why)
{
    const char *field = "";
    enum err err = ERR_OK;

    if (accepted->signed_off != NULL)
        err = acceptance_check(arena, accepted->signed_off, &field, why);
    else if (accepted->withdrawn == NULL)
        err = error_set(why, ERR_INVALID, "it says neither signed off nor withdrawn");
    else if (pb_same(accepted->withdrawn->feature, ""))
        err = error_set(why, ERR_INVALID, "feature: a withdrawal must name one");
    accepted->field = field;
    return err;
}

/* Their ids are unique only together with their source; what has none is known by its place. */
static const char *id_of(struct arena *arena, const struct accepted *accepted)
{
    const struct bus_record *const record = accepted->record;
    const struct envelope *const envelope = &accepted->envelope;
    const char *both;
    char digest[DIGEST_HEX_SIZE];

    if (envelope->id == NULL)
        return arena_printf(
            arena, "%s.%d.%" PRId64, record->topic, (int)record->partition, record->offset);
    both = arena_printf(arena, "%s\n%s", envelope->source, envelope->id);
    digest_sha256(both, strlen(both), digest);
    return arena_copy(arena, digest, ID_DIGITS);
}

static Pb__Event *event_of(struct arena *arena, const struct accepted *accepted)
{
    Pb__Event *const event = pb_new(arena, &pb__event__descriptor);

    if (accepted->withdrawn != NULL) {
        Pb__AcceptanceWithdrawnReceived *const received =
            pb_new(arena, &pb__acceptance_withdrawn_received__descriptor);

        received->withdrawal = pb_clone(arena, accepted->withdrawn);
        event->feature = accepted->withdrawn->feature;
        event->body_case = PB__EVENT__BODY_ACCEPTANCE_WITHDRAWN;
        event->acceptance_withdrawn = received;
    } else {
        Pb__AcceptanceReceived *const received =
            pb_new(arena, &pb__acceptance_received__descriptor);

        received->acceptance = pb_clone(arena, accepted->signed_off);
        received->content_hash = acceptance_hash(arena, accepted->signed_off);
        received->source_id = accepted->envelope.id;
        event->feature = accepted->signed_off->feature;
        event->body_case = PB__EVENT__BODY_ACCEPTANCE_RECEIVED;
        event->acceptance_received = received;
    }
    return event;
}

/* What it was said under one id is answered under one id, and with the same words, however
 * often it comes: so the sender's time counts, unless it is none that can be. */
static int64_t time_of(const struct accepted *accepted)
{
    const int64_t said_ms = accepted->envelope.time_ms;

    return said_ms > 0 && said_ms < accepted->record->at_ms ? said_ms : accepted->record->at_ms;
}

static struct outgoing outgoing_of(struct arena *arena,
                                   const struct accepted *accepted,
                                   const char *what)
{
    return (struct outgoing){
        .kind = PB__OUTBOX_KIND__OUTBOX_RECORD,
        .id = arena_printf(arena, "%s.%s", what, id_of(arena, accepted)),
        .subject = "",
        .traceparent = arena_text(arena, accepted->envelope.traceparent),
        .at_ms = time_of(accepted),
        .deployment = "",
        .approach = "",
    };
}

static void pass_on(struct arena *arena, const struct accepted *accepted, struct outbox *outbox)
{
    struct outgoing outgoing = outgoing_of(arena, accepted, "acceptance");
    const Pb__Event *const event = event_of(arena, accepted);

    outgoing.topic = TOPIC_EVENTS;
    outgoing.key = event->feature;
    outgoing.message = &event->base;
    outbox_add(outbox, &outgoing);
}

/* What the sender calls the feature: in what could be read, else as the record's key. */
static const char *feature_of(const struct accepted *accepted)
{
    if (accepted->signed_off != NULL && is_name(accepted->signed_off->feature))
        return accepted->signed_off->feature;
    return is_name(accepted->record->key) ? accepted->record->key : NULL;
}

/* One id, the same words: two acceptances under one id may be refused for different reasons,
 * and one without a time at different times. */
static const char *refusal_id(struct arena *arena,
                              const struct accepted *accepted,
                              const Pb__Signal *signal)
{
    const struct pb_bytes words = pb_pack(arena, signal);
    char digest[DIGEST_HEX_SIZE];

    digest_sha256(words.bytes, words.length, digest);
    digest[WORDS_DIGITS] = '\0';
    return arena_printf(arena, "acceptance-refused.%s.%s", id_of(arena, accepted), digest);
}

/* Those who sent it look at signals.v1, under the feature they named. */
static void tell_sender(struct arena *arena,
                        const struct accepted *accepted,
                        const struct letter *letter,
                        struct outbox *outbox)
{
    const char *const feature = feature_of(accepted);
    struct outgoing outgoing = outgoing_of(arena, accepted, "");
    Pb__Signal *signal;

    if (feature == NULL)
        return;
    signal = pb_new(arena, &pb__signal__descriptor);
    signal->feature = arena_text(arena, feature);
    if (accepted->signed_off != NULL)
        signal->environment = accepted->signed_off->environment;
    signal->at_ms = time_of(accepted);
    signal->body_case = PB__SIGNAL__BODY_ACCEPTANCE_REFUSED;
    signal->acceptance_refused = pb_new(arena, &pb__acceptance_refused__descriptor);
    signal->acceptance_refused->reason = arena_text(arena, letter->reason);
    signal->acceptance_refused->field = arena_text(arena, letter->field);
    signal->acceptance_refused->remedy = letter->fix;
    outgoing.id = refusal_id(arena, accepted, signal);
    outgoing.topic = TOPIC_SIGNALS;
    outgoing.key = signal->feature;
    outgoing.message = &signal->base;
    outbox_add(outbox, &outgoing);
}

static void refuse(struct coordinator *shell,
                   const struct accepted *accepted,
                   const char *reason,
                   bool proven,
                   struct outbox *outbox)
{
    const struct letter letter = {
        .record = accepted->record,
        .reason = reason,
        .field = accepted->field,
        .fix = proven ? "Correct it and send it again under a new ce_id."
                      : "Sign it (ce_writer, ce_mac) with a key of security.producers, and "
                        "send it again under a new ce_id.",
    };
    const struct outgoing dead = letter_make(&shell->arena, &letter);

    letter_note(shell, &letter);
    outbox_add(outbox, &dead);
    tell_sender(&shell->arena, accepted, &letter, outbox);
}

static void take(struct coordinator *shell,
                 const struct bus_record *record,
                 struct outbox *outbox)
{
    struct accepted accepted = { .record = record };
    struct error why = { 0 };
    enum err err = prove(shell, &accepted, &why);
    const bool proven = err == ERR_OK;
    const char *result = "accepted";

    if (err == ERR_OK)
        err = parse(&shell->arena, &accepted, &why);
    if (err == ERR_OK)
        err = check(&shell->arena, &accepted, &why);
    if (err == ERR_OK) {
        pass_on(&shell->arena, &accepted, outbox);
        err = outgoing_check(&outbox->items[outbox->count - 1], &why);
        if (err != ERR_OK)
            outbox->count--;
    }
    if (err != ERR_OK) {
        refuse(shell, &accepted, why.text, proven, outbox);
        result = proven ? "refused" : "unproven";
    }
    shell->ports->metrics.add(
        shell->ports->metrics.self, "slipway_acceptances_total", "result", result, 1);
}

/* One past the newest record taken of each partition. */
struct taken {
    int64_t *next;
    int32_t partitions;
};

static enum err commit(struct coordinator *shell,
                       const struct taken *taken,
                       struct error *error)
{
    enum err err = ERR_OK;

    for (int32_t p = 0; p < taken->partitions && err == ERR_OK; p++) {
        if (taken->next[p] > 0)
            err = shell->acceptance.commit(
                shell->acceptance.self, TOPIC_ACCEPTANCE, p, taken->next[p], error);
    }
    /* Given to another instance meanwhile: it takes them again, under the same ids. */
    return err == ERR_CONFLICT ? ERR_OK : err;
}

/* What was received and not passed on must come again: a new consumer begins at what the group
 * has committed. */
static void start_over(struct coordinator *shell)
{
    shell->acceptance.close(shell->acceptance.self);
    shell->acceptance = (struct bus_consumer){ 0 };
}

static enum err open_if_need_be(struct coordinator *shell, struct error *error)
{
    static const char *const topics[] = { TOPIC_ACCEPTANCE, NULL };
    const struct bus_subscription subscription = {
        .group = GROUP_INTAKE,
        .topics = topics,
        .start = BUS_FROM_COMMITTED,
    };
    const struct bus *const bus = &shell->ports->bus;

    if (shell->acceptance.receive != NULL)
        return ERR_OK;
    return bus->subscribe(bus->self, &subscription, &shell->acceptance, error);
}

enum err intake_turn(struct coordinator *shell, struct error *error)
{
    struct outbox outbox = { .arena = &shell->arena };
    struct taken taken = { .partitions = shell->partition_count };
    struct bus_record record = { 0 };
    enum err err = open_if_need_be(shell, error);

    if (err != ERR_OK)
        return error_wrap(error, err, "take in acceptances");
    taken.next =
        arena_alloc(&shell->arena, (size_t)shell->partition_count * sizeof *taken.next);
    for (int i = 0; i < RECORDS_PER_TURN; i++) {
        err = shell->acceptance.receive(shell->acceptance.self, 0, &record, error);
        if (err != ERR_OK)
            break;
        take(shell, record_copy(&shell->arena, &record), &outbox);
        if (record.partition < taken.partitions)
            taken.next[record.partition] = record.offset + 1;
    }
    if (err == ERR_STALE)
        err = ERR_OK;
    if (err == ERR_OK && outbox.count > 0)
        err = outbox_publish(shell, &outbox, error);
    in_hand_acceptances(shell, outbox.count, CRASH_INTAKE_AFTER_PUBLISH);
    if (err == ERR_OK)
        err = commit(shell, &taken, error);
    in_hand_acceptances(shell, outbox.count, CRASH_INTAKE_AFTER_OFFSET);
    if (err == ERR_OK)
        return ERR_OK;
    if (outbox.count > 0)
        start_over(shell);
    return error_wrap(error, err, "take in acceptances");
}
