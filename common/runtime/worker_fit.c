/* A record has a size. What is too long for it is shortened: first the long texts, then more;
 * checks and verdicts, which decide, last of all. */
#include "common/runtime/worker_internal.h"

#include <string.h>

#define CUT_MARK "\xe2\x80\xa6" /* An ellipsis. */

static const char *clip(struct arena *arena, const char *text, size_t max)
{
    size_t length = strlen(text);

    if (length <= max)
        return text;
    length = max - strlen(CUT_MARK);
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s%s", (int)length, text, CUT_MARK);
}

/* The findings belong to the handler, which may look at them again: the copies are cut. */
static void clip_findings(struct arena *arena,
                          Pb__Finding ***findings,
                          size_t count,
                          size_t max)
{
    Pb__Finding **const copies = arena_alloc(arena, (count + 1) * sizeof(Pb__Finding *));

    for (size_t i = 0; i < count; i++) {
        Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

        *finding = *(*findings)[i];
        finding->evidence = clip(arena, finding->evidence, max);
        finding->observed = clip(arena, finding->observed, max);
        finding->wanted = clip(arena, finding->wanted, max);
        finding->remedy = clip(arena, finding->remedy, max);
        finding->link = strlen(finding->link) > max ? "" : finding->link;
        copies[i] = finding;
    }
    *findings = copies;
}

static bool fits(const Pb__Event *event)
{
    return protobuf_c_message_get_packed_size(&event->base) <= PB_RECORD_MAX;
}

static void finished_fit(struct arena *arena, Pb__Event *event)
{
    static const size_t lengths[] = { 8192, 2048, 512, 128, 32 };
    Pb__TaskFinished *const finished = pb_new(arena, &pb__task_finished__descriptor);

    *finished = *event->task_finished;
    event->task_finished = finished;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0] && !fits(event); i++) {
        clip_findings(arena, &finished->findings, finished->n_findings, lengths[i]);
        finished->error = clip(arena, finished->error, lengths[i]);
    }
    if (!fits(event))
        finished->n_links = 0;
    if (fits(event))
        return;
    finished->n_findings = finished->n_observed = finished->n_receipts = 0;
    finished->outcome = PB__OUTCOME__OUTCOME_ERROR;
    finished->error = "the answer is too large to be reported";
}

void event_fit(struct arena *arena, Pb__Event *event)
{
    if (fits(event))
        return;
    if (event->body_case == PB__EVENT__BODY_TASK_FINISHED)
        finished_fit(arena, event);
    else if (event->body_case == PB__EVENT__BODY_TASK_PROGRESS)
        event->task_progress->n_findings = 0;
}
