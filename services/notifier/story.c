#include "services/notifier/story.h"

#include "common/domain/report.h"
#include "common/state/projection.h"

#include <string.h>

enum err story_read(const struct worker_ports *ports,
                    struct arena *arena,
                    const Pb__Command *command,
                    bool with_timeline,
                    struct story *ret,
                    struct error *error)
{
    const struct settings *const settings = ports->service->settings;
    const struct projection projection = {
        .store = ports->store,
        .prefix = settings->redis.prefix,
        .partitions = (int32_t)settings->kafka.partitions,
    };
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    Pb__TimelineEntry **timeline = NULL;
    size_t count = 0;
    enum err err =
        projection_deployment(&projection, arena, command->deployment, &state, error);

    if (err == ERR_OK)
        err = projection_plan(&projection, arena, state, &plan, error);
    if (err == ERR_OK && with_timeline)
        err = projection_timeline(
            &projection, arena, command->deployment, &timeline, &count, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "read the record of %s", command->deployment);
    ret->command = command;
    ret->report = report_make(arena, state, plan, timeline, count);
    return ERR_OK;
}

const Pb__SignOffGiven *story_taken_over(const struct story *story)
{
    const Pb__DeploymentState *const state = story->report->state;
    const Pb__SignOffGiven *found = NULL;
    uint32_t tries = 0;

    for (size_t i = 0; i < state->n_steps; i++)
        if (state->steps[i]->step == 6)
            tries = state->steps[i]->try_number;
    for (size_t i = 0; i < state->n_signoffs; i++)
        if (state->signoffs[i]->step == 6 && state->signoffs[i]->try_number == tries)
            found = state->signoffs[i]->accept ? state->signoffs[i] : NULL;
    return found;
}

const Pb__Receipt *story_receipt(const struct story *story,
                                 const char *check,
                                 const char *channel)
{
    const Pb__DeploymentState *const state = story->report->state;

    for (size_t i = 0; i < state->n_receipts; i++) {
        if (pb_same(state->receipts[i]->check, check) &&
            pb_same(state->receipts[i]->channel, channel))
            return state->receipts[i];
    }
    return NULL;
}

const char *notice_id(struct arena *arena, const char *const *parts)
{
    char hex[DIGEST_HEX_SIZE];
    const char *all = "";

    for (; *parts != NULL; parts++)
        all = arena_printf(arena, "%s%zu:%s", all, strlen(*parts), *parts);
    digest_sha256(all, strlen(all), hex);
    return arena_printf(arena, "slw_%.32s", hex);
}

void announce_notice(struct arena *arena,
                     const Pb__Command *command,
                     const Pb__ChannelUse *use,
                     int64_t at_ms,
                     struct notice *ret)
{
    const Pb__Announce *const announce = command->announce;
    /* The task's name tells a second "blocked" from a repeat of the first. */
    const char *const parts[] = { command->deployment, announce->what, use->purpose,
                                  use->channel,        command->task,  NULL };
    const char *const group[] = { command->deployment, announce->what, command->task, NULL };

    *ret = (struct notice){
        .id = notice_id(arena, parts),
        .group = notice_id(arena, group),
        .what = announce->what,
        .purpose = use->purpose,
        .deployment = command->deployment,
        .feature = command->feature,
        .environment = command->environment,
        .title = announce->title,
        .text = announce->text,
        .ticket = announce->ticket,
        .facts = announce->facts,
        .fact_count = announce->n_facts,
        .links = announce->links,
        .link_count = announce->n_links,
        .roles = announce->roles,
        .role_count = announce->n_roles,
        .at_ms = at_ms,
    };
}
