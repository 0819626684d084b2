/* Step 7: documents, ticket, hand-over, stakeholders. Every check is answered with a finding of
 * its own, so that an open item can be retried alone. */
#include "services/notifier/delivery.h"
#include "services/notifier/documents.h"
#include "services/notifier/story.h"

#include "common/domain/markdown.h"
#include "common/domain/report.h"

#include <string.h>

enum { DOCUMENT_MAX = 4 * 1024 * 1024 };

static const char documents[] = "docs.";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static Pb__Receipt *document_receipt(struct worker_task *task,
                                     const struct delivery *delivery,
                                     const struct published *published,
                                     int64_t now_ms)
{
    Pb__Receipt *const receipt = pb_new(task->arena, &pb__receipt__descriptor);

    receipt->check = delivery->check;
    receipt->channel = "documents";
    receipt->id = arena_printf(task->arena, "sha256:%s", published->digest);
    receipt->link = arena_text(task->arena, published->link);
    receipt->at_ms = now_ms;
    return receipt;
}

static void add_link(struct worker_task *task,
                     const char *kind,
                     const char *title,
                     const char *url)
{
    Pb__Link *const link = pb_new(task->arena, &pb__link__descriptor);

    link->kind = kind;
    link->title = title;
    link->url = url;
    PB_APPEND(task->arena, task->result, links, link);
}

static enum err publish(const struct worker_ports *ports,
                        struct worker_task *task,
                        struct arena *scratch,
                        struct delivery *delivery,
                        struct error *error)
{
    const struct driver_env env = worker_driver_env(ports, task, scratch);
    struct text text = text_new(DOCUMENT_MAX);
    struct published published = { 0 };
    struct story story;
    enum err err = story_read(ports, scratch, task->command, true, &story, error);

    if (err == ERR_OK && report_part_markdown(story.report, delivery->check, &text) != ERR_OK)
        err = error_set(error, ERR_INVALID, "there is no such document: %s", delivery->check);
    if (err == ERR_OK && !text_ok(&text))
        err = error_set(error, ERR_TOO_LARGE, "the document is over %d bytes", DOCUMENT_MAX);
    if (err == ERR_OK)
        err = document_publish(&env,
                               task->command->deployment,
                               delivery->check + strlen(documents),
                               text.bytes,
                               &published,
                               error);
    if (err == ERR_OK) {
        delivery->receipt =
            document_receipt(task, delivery, &published, clock_now_ms(env.clock));
        delivery->observed = arena_printf(
            task->arena, "%zu bytes at %s, read back", text.length, delivery->receipt->link);
        delivery->evidence = delivery->receipt->id;
    }
    text_release(&text);
    return err;
}

/* Told is not taken over: whoever reads the finding sees who has accepted, or that nobody has
 * yet. Without that sign-off the deployment does not complete. */
static void add_acceptance(struct worker_task *task,
                           const struct story *story,
                           struct delivery *delivery)
{
    const Pb__SignOffGiven *const given = story_taken_over(story);

    if (!pb_same(delivery->check, "handoff.operations"))
        return;
    delivery->observed = given != NULL
                             ? arena_printf(task->arena,
                                            "%s; accepted by %s (%s)",
                                            delivery->observed,
                                            given->subject,
                                            given->role)
                             : arena_printf(task->arena,
                                            "%s; to be accepted by the sign-off of step 6",
                                            delivery->observed);
}

static enum err tell(const struct worker_ports *ports,
                     struct worker_task *task,
                     struct arena *scratch,
                     struct delivery *delivery,
                     struct error *error)
{
    const struct driver_env env = worker_driver_env(ports, task, scratch);
    struct notice notice;
    struct story story;
    enum err err = story_read(ports, scratch, task->command, false, &story, error);

    if (err == ERR_OK)
        err = story_notice(
            scratch, &story, delivery->check, delivery->use->channel, &notice, error);
    if (err == ERR_OK)
        err = delivery_send(&env, task, &notice, delivery->check, delivery, error);
    if (err == ERR_OK)
        add_acceptance(task, &story, delivery);
    return err;
}

static enum err try_finalise(const struct worker_ports *ports,
                             struct worker_task *task,
                             struct arena *scratch,
                             struct delivery *delivery,
                             struct error *error)
{
    if (delivery->use == NULL)
        return publish(ports, task, scratch, delivery, error);
    return tell(ports, task, scratch, delivery, error);
}

/* The channel has told it in an earlier drive or try. The ticket is written and read back every
 * time: it may have been changed since. */
static void take_earlier_receipt(struct worker_task *task,
                                 const struct story *story,
                                 struct delivery *delivery)
{
    const Pb__Receipt *const receipt =
        story_receipt(story, delivery->check, delivery->use->channel);

    if (receipt == NULL || begins(delivery->check, "jira."))
        return;
    delivery->state = DELIVERY_DONE;
    delivery->receipt = pb_clone(task->arena, receipt);
    delivery->observed =
        arena_printf(task->arena, "delivered %s", markdown_time(task->arena, receipt->at_ms));
    delivery->evidence = delivery->receipt->id;
    add_acceptance(task, story, delivery);
}

static enum err begin(const struct worker_ports *ports,
                      struct worker_task *task,
                      struct error *error)
{
    const Pb__Finalise *const finalise = task->command->finalise;
    struct deliveries *const deliveries = arena_alloc(task->arena, sizeof *deliveries);
    struct arena scratch = arena_with_limit(SCRATCH_MAX);
    struct story story;
    const enum err err = story_read(ports, &scratch, task->command, false, &story, error);

    deliveries->try_one = try_finalise;
    for (size_t i = 0; err == ERR_OK && i < finalise->n_checks; i++) {
        const char *const check = finalise->checks[i]->id;

        if (begins(check, documents))
            (void)deliveries_add(task->arena, deliveries, check, NULL);
        for (size_t k = 0; k < finalise->n_channels; k++) {
            if (pb_same(finalise->channels[k]->purpose, check) && !begins(check, documents))
                take_earlier_receipt(
                    task,
                    &story,
                    deliveries_add(task->arena, deliveries, check, finalise->channels[k]));
        }
    }
    arena_release(&scratch);
    if (err == ERR_OK)
        task->memory = deliveries;
    return err;
}

/* Ticket, documentation, logs, flags: four of the five links of the audit trail; dashboards are
 * the plan's. */
static void add_links(const struct worker_ports *ports,
                      struct worker_task *task,
                      const struct deliveries *all)
{
    const char *const site = ports->service->settings->gateway.public_url;
    const Pb__Command *const command = task->command;

    for (size_t i = 0; i < all->count; i++) {
        const struct delivery *const delivery = &all->item[i];

        if (delivery->receipt == NULL || delivery->receipt->link[0] == '\0')
            continue;
        if (delivery->use == NULL)
            add_link(task,
                     "documentation",
                     delivery->check + strlen(documents),
                     delivery->receipt->link);
        else if (pb_same(delivery->check, "jira.status"))
            add_link(task, "ticket", command->finalise->ticket, delivery->receipt->link);
    }
    if (site == NULL || site[0] == '\0')
        return;
    add_link(
        task,
        "logs",
        "deployment log",
        arena_printf(task->arena, "%s/v1/deployments/%s/timeline", site, command->deployment));
    add_link(task, "flags", "feature flags", arena_printf(task->arena, "%s/v1/flags", site));
}

static enum worker_step finish(const struct worker_ports *ports, struct worker_task *task)
{
    const Pb__Finalise *const finalise = task->command->finalise;
    const struct deliveries *const deliveries = task->memory;

    for (size_t i = 0; i < finalise->n_checks; i++)
        (void)deliveries_find(deliveries, task, finalise->checks[i]);
    add_links(ports, task, deliveries);
    /* The findings say which items are open; what is done must not be done again. */
    task->result->outcome = PB__OUTCOME__OUTCOME_OK;
    return WORKER_DONE;
}

enum worker_step finalise_step(const struct worker_ports *ports,
                               struct worker_task *task,
                               struct error *error)
{
    if (task->stopped(task)) {
        task->result->outcome = PB__OUTCOME__OUTCOME_CANCELLED;
        return WORKER_DONE;
    }
    if (task->memory == NULL && begin(ports, task, error) != ERR_OK)
        return WORKER_DONE; /* Without an outcome: an error, with its sentence. */
    if (deliveries_step(task->memory, ports, task) == WORKER_AGAIN)
        return WORKER_AGAIN;
    return finish(ports, task);
}
