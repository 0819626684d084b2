#include "services/coordinator/core/work.h"

#include <string.h>

/* Who hears what, where no channel names the occasion itself ("notify.blocked"). */
struct occasion {
    const char *what;
    const char *purpose[3];
};

/* clang-format off */
static const struct occasion occasions[] = {
    { "page",        { "page", "notify.deployment", "" } },
    { "stopped",     { "page", "notify.deployment", "" } },
    { "blocked",     { "notify.deployment", "jira.status", "" } },
    { "reminder",    { "notify.deployment", "", "" } },
    { "incident",    { "page", "notify.deployment", "" } },
    { "available",   { "notify.rollout", "", "" } },
    { "withdrawn",   { "notify.rollout", "", "" } },
    { "completed",   { "notify.deployment", "", "" } },
    { "aborted",     { "notify.deployment", "jira.status", "" } },
    { "rolled_back", { "notify.deployment", "jira.status", "page" } },
};
/* clang-format on */

static void take_purpose(struct turn *turn,
                         const char *purpose,
                         Pb__ChannelUse ***found,
                         size_t *count)
{
    for (size_t i = 0; purpose[0] != '\0' && i < turn->plan->n_channels; i++) {
        if (strcmp(turn->plan->channels[i]->purpose, purpose) != 0)
            continue;
        *found = pb_grow(turn->arena, *found, *count, sizeof **found);
        (*found)[(*count)++] = turn->plan->channels[i];
    }
}

size_t announce_channels(struct turn *turn, const char *what, Pb__ChannelUse ***ret)
{
    size_t count = 0;

    *ret = NULL;
    if (turn->plan == NULL)
        return 0;
    take_purpose(turn, arena_printf(turn->arena, "notify.%s", what), ret, &count);
    for (size_t i = 0; count == 0 && i < sizeof occasions / sizeof occasions[0]; i++) {
        if (strcmp(occasions[i].what, what) != 0)
            continue;
        for (size_t p = 0; p < 3; p++)
            take_purpose(turn, occasions[i].purpose[p], ret, &count);
    }
    return count;
}

static void add_fact(
    struct turn *turn, Pb__Pair ***facts, size_t *count, const char *key, const char *value)
{
    *facts = pb_grow(turn->arena, *facts, *count, sizeof **facts);
    (*facts)[(*count)++] = pb_pair_new(turn->arena, key, value);
}

void announce_facts(struct turn *turn, Pb__Pair ***facts, size_t *count)
{
    const Pb__DeploymentState *const state = turn->state;

    add_fact(turn, facts, count, "status", pb_phase_name(state->phase));
    add_fact(turn, facts, count, "version", words_version(turn));
    add_fact(
        turn, facts, count, "percent", arena_printf(turn->arena, "%u", state->flags->percent));
    add_fact(turn,
             facts,
             count,
             "flag_status",
             state->flags->killed
                 ? "off for good"
                 : arena_printf(turn->arena, "on for %u %%", state->flags->percent));
    add_fact(turn, facts, count, "date", words_date(turn, turn->now_ms));
    add_fact(turn, facts, count, "environment", state->environment);
    add_fact(turn, facts, count, "step", words_step(state->step));
}

void fill_announce(struct turn *turn, const Pb__TaskState *task, Pb__Command *command)
{
    Pb__Announce *const body = pb_new(turn->arena, &pb__announce__descriptor);

    body->what = task->what;
    body->title = arena_printf(turn->arena, "%s: %s", turn->state->id, turn->state->title);
    body->text = task->text;
    body->n_channels = announce_channels(turn, task->what, &body->channels);
    body->roles = plan_leads(turn, &body->n_roles);
    body->ticket = turn->state->ticket;
    body->links = turn->state->links;
    body->n_links = turn->state->n_links;
    announce_facts(turn, &body->facts, &body->n_facts);
    command->body_case = PB__COMMAND__BODY_ANNOUNCE;
    command->announce = body;
}
