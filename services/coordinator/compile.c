#include "services/coordinator/compile.h"

#include "common/domain/report.h"
#include "common/planning/compile.h"
#include "common/wire/digest.h"
#include "services/coordinator/holds.h"
#include "services/coordinator/partition.h"
#include "services/coordinator/states.h"
#include "services/coordinator/told.h"

#include <string.h>

static enum err acceptance_read(struct coordinator *shell,
                                const struct partition *partition,
                                const char *deployment,
                                Pb__AcceptanceSignedOff **ret,
                                struct error *error)
{
    const char *const key =
        KEY_ACCEPTANCE(&shell->arena, partition->number, shell_prefix(shell), deployment);
    struct store_value value = { 0 };
    void *acceptance = NULL;
    enum err err = shell->store.get(shell->store.self, &shell->arena, key, &value, error);

    if (err != ERR_OK)
        return error_wrap(error, err, "read %s", key);
    if (value.bytes == NULL)
        return error_set(error, ERR_CONFLICT, "%s is gone", key);
    err = pb_unpack(&shell->arena,
                    &pb__acceptance_signed_off__descriptor,
                    (struct pb_bytes){ (const uint8_t *)value.bytes, value.length },
                    &acceptance,
                    error);
    if (err == ERR_OK)
        *ret = acceptance;
    return err == ERR_OK ? ERR_OK : error_wrap(error, err, "read %s", key);
}

/* The policy that the acceptance runs under; NULL if the settings do not have it. */
static const struct setting_policy *policy_of(const struct settings *settings,
                                              const Pb__AcceptanceSignedOff *acceptance)
{
    const struct setting_environment *const environment =
        settings_environment(settings, acceptance->environment);

    if (!pb_same(acceptance->policy, ""))
        return settings_policy(settings, acceptance->policy);
    return environment != NULL ? settings_policy(settings, environment->policy) : NULL;
}

static void add_holds(struct coordinator *shell, Pb__PlanCompiled *compiled)
{
    const int64_t now_ms = shell_now_ms(shell);
    struct holds holds;

    if (compiled->plan == NULL)
        return;
    holds = holds_wanted(shell, compiled->plan, now_ms);
    compiled->holds = holds.items;
    compiled->n_holds = holds.count;
    compiled->window_open = holds.window_open;
}

/* A plan that does not fit into a record is a missing input like any other: a smaller one. */
static void refuse_if_too_large(struct arena *arena, Pb__Event *event)
{
    Pb__PlanCompiled *const compiled = event->plan_compiled;
    const size_t length = protobuf_c_message_get_packed_size(&event->base);
    Pb__MissingInput *missing;

    if (length <= PB_RECORD_MAX)
        return;
    missing = pb_new(arena, &pb__missing_input__descriptor);
    missing->input = "plan";
    missing->field = "artifacts";
    missing->remedy = arena_printf(arena,
                                   "the plan is %zu bytes, at most %d: bring fewer changes, "
                                   "checks or instances in one feature",
                                   length,
                                   PB_RECORD_MAX);
    compiled->plan = NULL;
    compiled->plan_hash = "";
    compiled->n_holds = 0;
    PB_APPEND(arena, compiled, missing, missing);
}

static Pb__Event *compile(struct coordinator *shell,
                          const struct outgoing *outgoing,
                          const Pb__DeploymentState *state,
                          const Pb__AcceptanceSignedOff *acceptance)
{
    const struct settings *const settings = shell->ports->settings;
    const struct setting_policy *const policy = policy_of(settings, acceptance);
    const struct plan_request request = {
        .settings = settings,
        .acceptance = acceptance,
        .supplied = state->supplied,
        .supplied_count = state->n_supplied,
        .approach = outgoing->approach,
    };
    Pb__PlanCompiled *const compiled = plan_compile(&shell->arena, &request);
    Pb__Event *const event = told_event(&shell->arena, outgoing->deployment);

    compiled->for_version = outgoing->version;
    if (policy != NULL) {
        compiled->input_deadline_ms = policy->input_deadline_ms;
        compiled->reminder_ms = policy->reminder_ms;
    }
    add_holds(shell, compiled);
    event->body_case = PB__EVENT__BODY_PLAN_COMPILED;
    event->plan_compiled = compiled;
    refuse_if_too_large(&shell->arena, event);
    return event;
}

enum err compile_answer(struct coordinator *shell,
                        const struct outgoing *outgoing,
                        struct outgoing *ret,
                        struct error *error)
{
    struct partition *const partition =
        partition_find(shell, bus_partition(outgoing->key, shell->partition_count));
    Pb__AcceptanceSignedOff *acceptance = NULL;
    Pb__DeploymentState *state = NULL;
    enum err err;

    if (partition == NULL)
        return error_set(error, ERR_CONFLICT, "%s is no longer ours", outgoing->deployment);
    err = states_read(shell, partition, outgoing->deployment, &state, error);
    if (err == ERR_OK)
        err = acceptance_read(shell, partition, outgoing->deployment, &acceptance, error);
    if (err == ERR_OK && (state == NULL || acceptance == NULL))
        return error_set(error, ERR_INTERNAL, "%s: nothing was read", outgoing->deployment);
    if (err != ERR_OK)
        return error_wrap(error, err, "compile the plan of %s", outgoing->deployment);
    ret->message = &compile(shell, outgoing, state, acceptance)->base;
    return ERR_OK;
}

/* What is left out of a report that is too large: findings that only say PASS, which the steps
 * of its state count, and then the oldest half, again and again. */
static void make_smaller(Pb__DeploymentReport *report)
{
    size_t kept = 0;

    for (size_t i = 0; i < report->n_timeline; i++) {
        const Pb__Finding *const finding = report->timeline[i]->finding;

        if (finding == NULL || finding->verdict != PB__VERDICT__PASS)
            report->timeline[kept++] = report->timeline[i];
    }
    report->n_timeline = kept;
    while (report->n_timeline > 0 &&
           protobuf_c_message_get_packed_size(&report->base) > PB_RECORD_MAX) {
        report->timeline += (report->n_timeline + 1) / 2;
        report->n_timeline /= 2;
    }
}

/* What the timeline has by now of versions after that one is of no concern to it. */
static size_t count_until(Pb__TimelineEntry *const *timeline, size_t count, uint64_t version)
{
    while (count > 0 && timeline[count - 1]->version > version)
        count--;
    return count;
}

static enum err state_unpack(struct coordinator *shell,
                             const struct outgoing *outgoing,
                             Pb__DeploymentState **ret,
                             struct error *error)
{
    void *state = NULL;
    const enum err err = pb_unpack(
        &shell->arena, &pb__deployment_state__descriptor, outgoing->state, &state, error);

    if (err == ERR_OK)
        *ret = state;
    return err;
}

static enum err report_of(struct coordinator *shell,
                          const struct outgoing *outgoing,
                          Pb__DeploymentReport **ret,
                          struct error *error)
{
    const struct projection projection = states_projection(shell);
    struct arena *const arena = &shell->arena;
    Pb__DeploymentState *state = NULL;
    Pb__Plan *plan = NULL;
    Pb__TimelineEntry **timeline = NULL;
    size_t count = 0;
    enum err err = state_unpack(shell, outgoing, &state, error);

    if (err == ERR_OK && !pb_same(state->plan_hash, ""))
        err = projection_plan(&projection, arena, state, &plan, error);
    if (err == ERR_OK)
        err = projection_timeline(
            &projection, arena, outgoing->deployment, &timeline, &count, error);
    if (err != ERR_OK)
        return error_wrap(error, err, "report of %s", outgoing->deployment);
    count = count_until(timeline, count, state->version);
    *ret = report_make(arena, state, plan, timeline, count);
    if (protobuf_c_message_get_packed_size(&(*ret)->base) > PB_RECORD_MAX)
        make_smaller(*ret);
    return ERR_OK;
}

enum err archive_make(struct coordinator *shell,
                      const struct outgoing *outgoing,
                      struct outgoing *ret,
                      struct error *error)
{
    Pb__DeploymentReport *report = NULL;
    const enum err err = report_of(shell, outgoing, &report, error);

    if (err == ERR_OK)
        ret->message = &report->base;
    return err;
}

static const char *link_of(struct coordinator *shell, const char *deployment)
{
    const char *const site = shell->ports->settings->gateway.public_url;
    size_t length = site != NULL ? strlen(site) : 0;

    if (length == 0)
        return "";
    while (length > 0 && site[length - 1] == '/')
        length--;
    return arena_printf(
        &shell->arena, "%.*s/v1/deployments/%s/report", (int)length, site, deployment);
}

static const char *digest_of(struct arena *arena, const Pb__DeploymentReport *report)
{
    const struct pb_bytes packed = pb_pack(arena, report);
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, hex);
    return arena_printf(arena, "sha256:%s", hex);
}

enum err finished_make(struct coordinator *shell,
                       const struct outgoing *outgoing,
                       struct outgoing *ret,
                       struct error *error)
{
    Pb__Signal *const signal = pb_clone(&shell->arena, outgoing->message);
    Pb__DeploymentReport *report = NULL;
    const enum err err = report_of(shell, outgoing, &report, error);

    if (err != ERR_OK && !outgoing_is_hopeless(err))
        return err;
    signal->deployment_finished->report_link = link_of(shell, outgoing->deployment);
    if (report != NULL)
        signal->deployment_finished->report_digest = digest_of(&shell->arena, report);
    ret->message = &signal->base;
    return ERR_OK;
}
