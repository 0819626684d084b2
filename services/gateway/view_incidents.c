/* Incidents: what was reported, by whom, and what it set in motion. */
#include "services/gateway/view.h"

#include "common/wire/digest.h"

#include <string.h>

enum { MS_PER_MINUTE = 60000 };

/* Its first report, as the record has it; NULL if the record does not go that far back. */
static const Pb__TimelineEntry *first_report(const struct view_source *source,
                                             const Pb__Incident *incident)
{
    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];
        const char *const cause = strstr(entry->text, incident->cause);

        if (pb_same(entry->type, "IncidentDetected") && cause != NULL &&
            cause[strlen(incident->cause)] == ',')
            return entry;
    }
    return NULL;
}

/* --- who says so --- */

static bool is_of_alert(const Pb__TimelineEntry *report)
{
    return report != NULL && strncmp(report->event_id, "alert.", 6) == 0;
}

static const char *source_of(const Pb__Incident *incident, const Pb__TimelineEntry *report)
{
    if (strncmp(incident->cause, "check ", 6) == 0)
        return "check";
    if (report == NULL)
        return "unknown";
    return is_of_alert(report) ? "alert" : "watch";
}

/* When it last changed something before that; 0: it had not. */
static int64_t changed_ms(const struct view_source *source, int64_t before_ms)
{
    int64_t changed = 0;

    for (size_t i = 0; i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (entry->at_ms <= before_ms &&
            (pb_same(entry->type, "BatchGo") || pb_same(entry->type, "StageActivated")))
            changed = entry->at_ms;
    }
    return changed;
}

/* What speaks for its being this deployment's doing. */
static const char *confidence_of(const struct view_source *source,
                                 const Pb__Incident *incident,
                                 const Pb__TimelineEntry *report)
{
    const int64_t changed = changed_ms(source, incident->first_ms);
    const char *const match =
        is_of_alert(report) ? "service and environment match" : "measured for this deployment";

    if (changed == 0)
        return arena_printf(source->arena, "%s; it had changed nothing yet", match);
    return arena_printf(source->arena,
                        "%s; changed %lld min before",
                        match,
                        (long long)(incident->first_ms - changed) / MS_PER_MINUTE);
}

/* One cause, one incident: so its name is made of both. */
static const char *id_of(const struct view_source *source, const Pb__Incident *incident)
{
    const char *const name =
        arena_printf(source->arena, "%s %s", source->state->id, incident->cause);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(name, strlen(name), hex);
    return arena_printf(source->arena, "inc-%.8s", hex);
}

/* --- what it set in motion --- */

/* What follows the same word, and, once flags were latched off, that they were read back. */
static bool is_reaction(const Pb__TimelineEntry *report,
                        const Pb__TimelineEntry *entry,
                        bool latched)
{
    if (entry == report || entry->finding != NULL)
        return false;
    return pb_same(entry->event_id, report->event_id) ||
           (latched && pb_same(entry->type, "KillReadBack"));
}

static void view_reaction(struct json *json,
                          const struct view_source *source,
                          const Pb__TimelineEntry *report)
{
    bool latched = false;

    json_put_array(json, "reaction");
    for (size_t i = 0; report != NULL && i < source->timeline_count; i++) {
        const Pb__TimelineEntry *const entry = source->timeline[i];

        if (entry->at_ms < report->at_ms || !is_reaction(report, entry, latched))
            continue;
        latched =
            !pb_same(entry->type, "KillReadBack") && (latched || pb_same(entry->type, "Kill"));
        json_put_object(json, NULL);
        json_put_int(json, "after_ms", entry->at_ms - report->at_ms);
        json_put_text(json, "what", entry->text);
        json_end_object(json);
    }
    json_end_array(json);
}

static void view_incident(struct json *json,
                          const struct view_source *source,
                          const Pb__Incident *incident)
{
    const Pb__TimelineEntry *const report = first_report(source, incident);

    json_put_object(json, NULL);
    json_put_text(json, "id", id_of(source, incident));
    json_put_text(json, "cause", incident->cause);
    json_put_text(
        json, "severity", pb_enum_name(&pb__severity__descriptor, (int)incident->severity));
    json_put_bool(json, "open", incident->open);
    json_put_uint(json, "count", incident->count);
    json_put_int(json, "first_ms", incident->first_ms);
    json_put_int(json, "last_ms", incident->last_ms);
    json_put_text(json, "source", source_of(incident, report));
    json_put_text(json, "confidence", confidence_of(source, incident, report));
    json_put_text(json, "summary", incident->summary);
    json_put_text(json, "link", incident->link);
    view_reaction(json, source, report);
    json_end_object(json);
}

void view_incidents(struct json *json, const char *key, const struct view_source *source)
{
    json_put_array(json, key);
    for (size_t i = 0; i < source->state->n_incidents; i++)
        view_incident(json, source, source->state->incidents[i]);
    json_end_array(json);
}
