#include "tests/unit/notifier/notifier_world.h"

#include "common/state/keys.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

struct notifier_world n;

static void put(const char *key, const void *message)
{
    const struct pb_bytes packed = pb_pack(&n.out.arena, message);
    struct store_op op = { .kind = STORE_SET, .key = key };
    const struct store_batch batch = { .ops = &op, .op_count = 1 };
    struct error error = { 0 };

    op.value = (struct store_value){ (const char *)packed.bytes, packed.length };
    assert_int_equal(n.ports.store.commit(n.ports.store.self, &batch, &error), ERR_OK);
}

void write_record(void)
{
    struct arena *const arena = &n.out.arena;

    put(KEY_DEPLOYMENT(arena, 0, "slipway:", "express-pay.1"), n.deployment);
    put(KEY_PLAN(arena, 0, "slipway:", n.deployment->plan_hash), n.plan);
}

static void open_record(void)
{
    struct arena *const arena = &n.out.arena;
    Pb__Document *const runbook = pb_new(arena, &pb__document__descriptor);
    Pb__Stage *const stage = pb_new(arena, &pb__stage__descriptor);
    Pb__FlagSpec *const flag = pb_new(arena, &pb__flag_spec__descriptor);
    Pb__SignOffSpec *const signoff = pb_new(arena, &pb__sign_off_spec__descriptor);

    n.deployment = pb_new(arena, &pb__deployment_state__descriptor);
    n.plan = pb_new(arena, &pb__plan__descriptor);
    n.deployment->id = "express-pay.1";
    n.deployment->feature = "express-pay";
    n.deployment->environment = "production";
    n.deployment->ticket = "SHOP-4182";
    n.deployment->plan_hash = "6adc";
    n.deployment->phase = PB__PHASE__FINALISING;
    n.deployment->dates = pb_new(arena, &pb__audit_dates__descriptor);
    n.deployment->dates->execution_ms = 1795434003000;
    runbook->kind = "runbook";
    runbook->link = "https://wiki.example/runbook";
    PB_APPEND(arena, n.plan, documents, runbook);
    PB_APPEND(arena, n.plan, dashboards, n.out.links[0]);
    stage->name = "full";
    stage->percent = 100;
    PB_APPEND(arena, n.plan, stages, stage);
    flag->key = "express-pay";
    PB_APPEND(arena, n.plan, flags, flag);
    signoff->role = "operations-lead";
    signoff->step = 6;
    PB_APPEND(arena, n.plan, signoffs, signoff);
    n.plan->team = "checkout";
}

static void open_command(void)
{
    pb__command__init(&n.command);
    n.command.deployment = "express-pay.1";
    n.command.feature = "express-pay";
    n.command.environment = "production";
    n.command.task = "express-pay.1/7/1/0";
    n.command.deadline_ms = n.out.clock.now_ms + 60000;
    pb__finalise__init(&n.finalise);
    n.finalise.ticket = "SHOP-4182";
    for (size_t i = 0; i < 5; i++)
        PB_APPEND(&n.out.arena, &n.finalise, facts, n.out.facts[i]);
    pb__announce__init(&n.announce);
    n.announce.what = "blocked";
    n.announce.title = "express-pay.1 is blocked";
    n.announce.text = "smoke.api failed";
    n.announce.ticket = "SHOP-4182";
}

int set_up(void **state)
{
    const struct clock_port clock = memory_clock_port(&n.out.clock);

    (void)state;
    memset(&n, 0, sizeof n);
    fake_channels_open(&n.out);
    (void)snprintf(n.documents, sizeof n.documents, "%s/documents", n.out.folder);
    n.out.settings.documents = "documents";
    n.out.settings.redis.prefix = "slipway:";
    n.out.settings.kafka.partitions = 1;
    n.out.settings.gateway.public_url = "http://slipway.example";
    n.space = memory_space_new(clock);
    n.metrics = memory_metrics_new();
    n.log = memory_log_new();
    n.service = (struct service_ports){
        .settings = &n.out.settings,
        .clock = clock,
        .metrics = memory_metrics_port(n.metrics),
        .log = memory_log_port(n.log),
    };
    n.ports.service = &n.service;
    n.ports.http = n.out.env.http;
    n.ports.store = memory_store(n.space, (struct memory_faults){ 0 });
    open_record();
    open_command();
    write_record();
    return 0;
}

static void remove_documents(void)
{
    const char *const folder = arena_printf(&n.out.arena, "%s/express-pay.1", n.documents);
    DIR *const handle = opendir(folder);

    for (struct dirent *entry = handle != NULL ? readdir(handle) : NULL; entry != NULL;
         entry = readdir(handle))
        (void)unlink(arena_printf(&n.out.arena, "%s/%s", folder, entry->d_name));
    if (handle != NULL)
        (void)closedir(handle);
    (void)rmdir(folder);
    (void)rmdir(n.documents);
}

int tear_down(void **state)
{
    (void)state;
    fake_task_close(&n.task);
    remove_documents();
    n.ports.store.close(n.ports.store.self);
    memory_space_free(n.space);
    memory_metrics_free(n.metrics);
    memory_log_free(n.log);
    fake_channels_close(&n.out);
    return 0;
}

void ask(const char *check)
{
    Pb__CheckSpec *const spec = pb_new(&n.out.arena, &pb__check_spec__descriptor);

    spec->id = check;
    spec->kind = "builtin";
    spec->required = true;
    PB_APPEND(&n.out.arena, &n.finalise, checks, spec);
}

void use(const char *channel, const char *purpose, bool required)
{
    Pb__ChannelUse *const channel_use = pb_new(&n.out.arena, &pb__channel_use__descriptor);

    channel_use->channel = channel;
    channel_use->purpose = purpose;
    channel_use->required = required;
    PB_APPEND(&n.out.arena, &n.finalise, channels, channel_use);
    PB_APPEND(&n.out.arena, &n.announce, channels, channel_use);
}

const Pb__TaskFinished *run(unsigned which)
{
    fake_task_close(&n.task);
    if (which == FINALISE) {
        n.command.body_case = PB__COMMAND__BODY_FINALISE;
        n.command.finalise = &n.finalise;
    } else {
        n.command.body_case = PB__COMMAND__BODY_ANNOUNCE;
        n.command.announce = &n.announce;
    }
    fake_task_open(&n.task, &n.command, &n.out.clock);
    return fake_task_run(&n.task, notifier_worker.handlers[which].step, &n.ports, &n.out.clock);
}

Pb__Verdict verdict_of(const char *check)
{
    const Pb__Finding *const finding = fake_task_finding(&n.task, check);

    return finding != NULL ? finding->verdict : PB__VERDICT__VERDICT_UNSPECIFIED;
}
