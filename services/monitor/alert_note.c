/* What one alert means. */
#include "services/monitor/alerts.h"

#include "common/runtime/dead_letter.h"
#include "common/state/keys.h"
#include "services/monitor/publish.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 400, SEVERITIES = 4 };

static const char *label(const Pb__Alert *alert, const char *name)
{
    return pb_pair(alert->labels, alert->n_labels, name);
}

/* The alert with what its labels say where its fields are silent. A rule that states no
 * severity is taken for a warning: it is not ours to ignore. */
static Pb__Alert completed(const Pb__Alert *alert)
{
    Pb__Alert whole = *alert;

    if (whole.service[0] == '\0')
        whole.service = label(alert, "service");
    if (whole.environment[0] == '\0')
        whole.environment = label(alert, "environment");
    if (whole.name[0] == '\0')
        whole.name = label(alert, "alertname");
    if (whole.name[0] == '\0')
        whole.name = whole.fingerprint;
    if (whole.severity == PB__SEVERITY__SEVERITY_UNSPECIFIED)
        whole.severity = PB__SEVERITY__WARNING;
    return whole;
}

static enum err refuse(struct dead_letter *ret, const char *field, const char *reason)
{
    *ret =
        (struct dead_letter){ .reason = reason,
                              .field = field,
                              .fix =
                                  "give the alerting rule the labels service and environment, "
                                  "with the names of slipway.yaml" };
    return ERR_INVALID;
}

static enum err check(const Pb__Alert *alert, struct dead_letter *ret)
{
    if (alert->status != PB__ALERT_STATUS__FIRING &&
        alert->status != PB__ALERT_STATUS__RESOLVED)
        return refuse(ret, "status", "the alert is neither firing nor resolved");
    if (alert->fingerprint[0] == '\0')
        return refuse(ret, "fingerprint", "the alert has no fingerprint");
    if (alert->service[0] == '\0')
        return refuse(ret, "service", "the alert names no service");
    if (alert->environment[0] == '\0')
        return refuse(ret, "environment", "the alert names no environment");
    if (alert->starts_at_ms < 0 || alert->starts_at_ms > INT64_MAX / SEVERITIES - 1)
        return refuse(ret, "starts_at_ms", "the alert begins at no possible time");
    if (strlen(alert->fingerprint) + strlen(alert->service) + strlen(alert->environment) +
            strlen(alert->name) >
        NAME_MAX_LENGTH)
        return refuse(ret, "fingerprint", "the alert's names are longer than 400 bytes");
    return ERR_OK;
}

/* Alerts of services that nobody deploys with us are fine, and none of our business. */
static bool is_ours(const struct settings *settings, const Pb__Alert *alert)
{
    for (size_t i = 0; i < settings->target_count; i++) {
        if (strcmp(settings->targets[i].service, alert->service) == 0 &&
            strcmp(settings->targets[i].environment, alert->environment) == 0)
            return true;
    }
    return false;
}

static const char *field_of(struct arena *arena, const char *fingerprint, int64_t starts_at_ms)
{
    return arena_printf(arena, "%s@%" PRId64, fingerprint, starts_at_ms);
}

static const char *open_name(struct arena *arena, const Pb__Alert *alert)
{
    return arena_printf(arena, "%s %s", alert->service, alert->fingerprint);
}

static const char *service_name(struct arena *arena, const Pb__Alert *alert)
{
    return arena_printf(arena, "%s/%s", alert->environment, alert->service);
}

static const char *cause_name(struct arena *arena, const Pb__Alert *alert)
{
    return arena_printf(arena, "%s %s", service_name(arena, alert), alert->name);
}

static void count(struct tally *tally, const char *name, int by)
{
    const int64_t now = tally_get(tally, name) + by;

    (void)tally_set(tally, name, now > 0 ? now : 0);
}

/* An open alert as a number: when it began, and how grave it is. */
static int64_t open_value(const Pb__Alert *alert)
{
    return alert->starts_at_ms * SEVERITIES + (int64_t)alert->severity;
}

static int64_t open_starts_ms(int64_t value)
{
    return value / SEVERITIES;
}

/* Is it a repeat, or late word of an alert that has begun again since? Of one set of labels
 * only one alert is open at a time, so that a resolution holds for whatever is. */
static bool is_news(const Pb__Alert *alert, int64_t was)
{
    if (was == 0)
        return true;
    if (alert->starts_at_ms < open_starts_ms(was))
        return false;
    return alert->status == PB__ALERT_STATUS__RESOLVED || open_value(alert) > was;
}

/* In memory. */
static void remember(struct alert_desk *desk, const Pb__Alert *alert, int64_t was)
{
    const bool firing = alert->status == PB__ALERT_STATUS__FIRING;
    const int by = (int)firing - (int)(was != 0);

    if (!tally_set(desk->open, open_name(&desk->arena, alert), firing ? open_value(alert) : 0))
        return;
    count(desk->causes, cause_name(&desk->arena, alert), by);
    count(desk->services, service_name(&desk->arena, alert), by);
}

/* What Redis remembers of a service, once. Open alerts outlive the process that heard them.
 * While Redis is away a repeat is told as if it were new: better twice than never. */
static void load(struct alert_desk *desk, const char *service)
{
    struct store *const store = &desk->projection.store;
    const char *const key =
        keys_global(&desk->arena, desk->projection.prefix, "alerts:", service);
    struct store_field *fields = NULL;
    size_t field_count = 0;
    struct error ignored = { 0 };

    if (tally_get(desk->loaded, service) != 0 ||
        store->hash_all(store->self, &desk->arena, key, &fields, &field_count, &ignored) !=
            ERR_OK)
        return;
    for (size_t i = 0; i < field_count; i++) {
        const struct pb_bytes packed = { (const uint8_t *)fields[i].value.bytes,
                                         fields[i].value.length };
        void *alert = NULL;

        if (pb_unpack(&desk->arena, &pb__alert__descriptor, packed, &alert, &ignored) == ERR_OK)
            remember(desk, alert, tally_get(desk->open, open_name(&desk->arena, alert)));
    }
    (void)tally_set(desk->loaded, service, 1);
}

/* A record may hold any number of alerts, so the room for what follows from them doubles. */
struct store_op *alert_op(struct alert_desk *desk)
{
    if (desk->op_count == desk->op_room) {
        const size_t room = desk->op_room > 0 ? desk->op_room * 2 : ALERTS_AT_ONCE;
        struct store_op *const ops = arena_alloc(&desk->arena, room * sizeof *ops);

        if (desk->op_count > 0)
            memcpy(ops, desk->ops, desk->op_count * sizeof *ops);
        desk->ops = ops;
        desk->op_room = room;
    }
    return &desk->ops[desk->op_count++];
}

static void add_op(struct alert_desk *desk,
                   const Pb__Alert *alert,
                   int64_t starts_at_ms,
                   bool firing)
{
    struct store_op *const op = alert_op(desk);

    *op = (struct store_op){
        .kind = firing ? STORE_HASH_SET : STORE_HASH_DELETE,
        .key = keys_global(&desk->arena, desk->projection.prefix, "alerts:", alert->service),
        .field = field_of(&desk->arena, alert->fingerprint, starts_at_ms),
    };
    if (firing) {
        const struct pb_bytes packed = pb_pack(&desk->arena, alert);

        op->value = (struct store_value){ (const char *)packed.bytes, packed.length };
    }
}

/* In Redis, with the next commit. */
static void keep(struct alert_desk *desk, const Pb__Alert *alert, int64_t was)
{
    const bool firing = alert->status == PB__ALERT_STATUS__FIRING;

    if (was != 0 && open_starts_ms(was) != alert->starts_at_ms)
        add_op(desk, alert, open_starts_ms(was), false);
    add_op(desk, alert, alert->starts_at_ms, firing);
}

static bool is_direct(const struct settings *settings, const Pb__Alert *alert)
{
    for (size_t i = 0; i < settings->alert_rule_count; i++) {
        if (strcmp(settings->alert_rules[i].alert, alert->name) == 0)
            return settings->alert_rules[i].direct;
    }
    return false;
}

/* The latch of a `direct` rule, once for each deployment. */
static enum err latch(struct alert_desk *desk,
                      const struct suspect *suspect,
                      const Pb__Alert *alert,
                      int64_t at_ms,
                      struct error *error)
{
    Pb__Actor actor = PB__ACTOR__INIT;
    Pb__Kill kill = PB__KILL__INIT;
    enum err err;

    if (!suspect->may_latch || suspect->killed ||
        tally_get(desk->latched, suspect->deployment) != 0)
        return ERR_OK;
    actor.subject = "monitor";
    actor.via = "monitor";
    kill.deployment = suspect->deployment;
    kill.environment = suspect->environment;
    kill.reason = arena_printf(&desk->arena, "alert %s: %s", alert->name, alert->summary);
    kill.actor = &actor;
    kill.at_ms = at_ms;
    for (size_t i = 0; i < suspect->flag_count; i++)
        PB_APPEND(&desk->arena, &kill, flags, suspect->flags[i]);
    desk->told = true;
    err = publish_kill(desk->ports, &kill, error);
    if (err == ERR_OK)
        (void)tally_set(desk->latched, suspect->deployment, 1);
    return err;
}

enum err alert_tell(struct alert_desk *desk,
                    const struct incident_word *word,
                    const Pb__Alert *alert,
                    struct error *error)
{
    struct arena *const arena = &desk->arena;
    Pb__IncidentReported incident = PB__INCIDENT_REPORTED__INIT;
    struct incident_fact fact;
    const char *of;

    incident.cause = word->cause;
    incident.severity = word->severity;
    incident.open = word->open;
    incident.count = word->count;
    if (alert != NULL) {
        PB_APPEND(arena, &incident, alerts, pb_clone(arena, alert));
        incident.summary = alert->summary;
        incident.link = alert->link;
        of = field_of(arena, alert->fingerprint, alert->starts_at_ms);
    } else {
        incident.summary = word->open ? arena_printf(arena, "%u more alerts", word->count)
                                      : "all of its alerts are over";
        of = arena_printf(arena, "%" PRId64, clock_now_ms(desk->ports->clock));
    }
    desk->told = true;
    fact.deployment = word->deployment;
    fact.feature = projection_feature_of(arena, word->deployment);
    fact.id = arena_printf(arena,
                           "alert.%s.%s.%s.%s",
                           word->deployment,
                           word->cause,
                           of,
                           word->open ? "open" : "over");
    fact.incident = &incident;
    return publish_incident(desk->ports, &fact, error);
}

static unsigned step_of(const struct suspect *suspect)
{
    switch (suspect->phase) {
    case PB__PHASE__STOPPING:
    case PB__PHASE__ROLLING_BACK:
    case PB__PHASE__BLOCKED_ROLLBACK: return CRASH_UNDO;
    default: return suspect->step <= 7 ? CRASH_STEP(suspect->step) : 0;
    }
}

static enum err accuse(struct alert_desk *desk,
                       const struct suspect *suspect,
                       const Pb__Alert *alert,
                       int64_t at_ms,
                       struct error *error)
{
    const bool firing = alert->status == PB__ALERT_STATUS__FIRING;
    const struct incident_word word = {
        .deployment = suspect->deployment,
        .cause = alert->name,
        .severity = alert->severity,
        .open = firing,
        .count = 1,
        .all_clear = tally_get(desk->services, service_name(&desk->arena, alert)) == 0,
    };
    struct incident_word told;

    desk->accused |= step_of(suspect);
    alert_crash_point(desk, CRASH_ALERTS_BEFORE_TELL);
    if (firing && alert->severity == PB__SEVERITY__CRITICAL &&
        is_direct(desk->ports->settings, alert)) {
        const enum err err = latch(desk, suspect, alert, at_ms, error);

        alert_crash_point(desk, CRASH_ALERTS_AFTER_LATCH);
        if (err != ERR_OK)
            return err;
    }
    if (!incident_book_note(desk->book, &word, clock_now_ms(desk->ports->clock), &told))
        return ERR_OK;
    desk->ports->metrics.observe_ms(desk->ports->metrics.self,
                                    "slipway_alert_to_incident_seconds",
                                    "",
                                    "",
                                    clock_now_ms(desk->ports->clock) - at_ms);
    return alert_tell(desk, &told, alert, error);
}

/* Every deployment that may be to blame hears of it. */
static enum err accuse_all(struct alert_desk *desk,
                           const Pb__Alert *alert,
                           int64_t at_ms,
                           struct error *error)
{
    const int64_t now_ms = clock_now_ms(desk->ports->clock);
    size_t matched = 0;

    for (size_t i = 0; i < desk->suspects.count; i++) {
        enum err err;

        if (!suspect_matches(&desk->suspects.item[i], alert, now_ms))
            continue;
        matched++;
        err = accuse(desk, &desk->suspects.item[i], alert, at_ms, error);
        if (err != ERR_OK)
            return err;
    }
    desk->ports->metrics.add(desk->ports->metrics.self,
                             "slipway_alerts_total",
                             "answer",
                             matched > 0 ? "matched" : "unmatched",
                             1);
    return ERR_OK;
}

enum err alert_note(struct alert_desk *desk,
                    const Pb__Alert *alert,
                    int64_t at_ms,
                    struct dead_letter *ret_letter,
                    struct error *error)
{
    const Pb__Alert whole = completed(alert);
    const struct metrics_port *const metrics = &desk->ports->metrics;
    const enum err err = check(&whole, ret_letter);
    int64_t was;

    if (err != ERR_OK)
        return err;
    if (!is_ours(desk->ports->settings, &whole)) {
        metrics->add(metrics->self, "slipway_alerts_total", "answer", "not-ours", 1);
        return ERR_OK;
    }
    load(desk, whole.service);
    was = tally_get(desk->open, open_name(&desk->arena, &whole));
    if (!is_news(&whole, was)) {
        metrics->add(metrics->self, "slipway_alerts_total", "answer", "repeated", 1);
        return ERR_OK;
    }
    remember(desk, &whole, was);
    keep(desk, &whole, was);
    if (desk->only_remember || whole.severity < PB__SEVERITY__WARNING)
        return ERR_OK;
    /* Others of the same name are still open: the incident is not over. */
    if (whole.status == PB__ALERT_STATUS__RESOLVED &&
        tally_get(desk->causes, cause_name(&desk->arena, &whole)) != 0)
        return ERR_OK;
    return accuse_all(desk, &whole, at_ms, error);
}
