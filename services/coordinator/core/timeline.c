#include "services/coordinator/core/turn.h"

#include <stdarg.h>
#include <stdio.h>

/* Room that findings leave for what a decision brings: commands, signals, announcements. */
enum { ROOM_FOR_DECISION = 20 };

Pb__TimelineEntry *entry_add(struct turn *turn, const char *type, const char *format, ...)
{
    Pb__TimelineEntry *const entry = pb_new(turn->arena, &pb__timeline_entry__descriptor);
    const Pb__StepState *const step = state_step(turn, turn->state->step);
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    entry->deployment = turn->state->id;
    entry->version = turn->state->version;
    entry->index = turn->entries++;
    entry->at_ms = turn->now_ms;
    entry->type = type;
    entry->actor = turn->by;
    entry->step = turn->state->step;
    entry->try_number = step != NULL ? step->try_number : 0;
    entry->text = words_cut(turn, arena_text(turn->arena, text), 600);
    entry->event_id = turn->event_id;
    effect_entry(turn, entry);
    return entry;
}

static void entry_finding(struct turn *turn, Pb__Finding *finding)
{
    Pb__TimelineEntry *const entry = entry_add(turn,
                                               "Finding",
                                               "%s %s%s%s%s%s",
                                               finding->check,
                                               pb_verdict_name(finding->verdict),
                                               finding->observed[0] != '\0' ? ": " : "",
                                               words_cut(turn, finding->observed, 200),
                                               finding->wanted[0] != '\0' ? ", wanted " : "",
                                               words_cut(turn, finding->wanted, 200));

    entry->finding = finding;
}

void entry_findings(struct turn *turn, Pb__Finding *const *findings, size_t count)
{
    size_t left_out = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            if ((findings[i]->verdict == PB__VERDICT__PASS) != (pass == 1))
                continue;
            if (turn->out->effects.count + ROOM_FOR_DECISION >= EFFECTS_MAX)
                left_out++;
            else
                entry_finding(turn, findings[i]);
        }
    }
    if (left_out > 0)
        (void)entry_add(
            turn, "Finding", "and %zu more findings, all told in the step's results", left_out);
}
