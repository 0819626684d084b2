#include "tests/unit/channels/fake_channels.h"

#include "common/config/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_secret(struct fake_channels *fake, const char *name, const char *value)
{
    const char *const path = arena_printf(&fake->arena, "%s/%s", fake->folder, name);
    FILE *const file = fopen(path, "w");

    if (file == NULL || fputs(value, file) < 0 || fclose(file) != 0 ||
        chmod(path, S_IRUSR | S_IWUSR) != 0)
        abort();
}

void fake_channel_add(struct fake_channels *fake,
                      const char *name,
                      const char *driver,
                      const char *yaml)
{
    struct yaml_problems *const problems = arena_alloc(&fake->arena, sizeof *problems);
    size_t at = 0;

    problems->arena = &fake->arena;
    while (at < fake->settings.channel_count && strcmp(fake->channel[at].name, name) != 0)
        at++;
    if (at == fake->settings.channel_count)
        fake->settings.channel_count++;
    fake->channel[at] = (struct setting_driver){
        .name = name,
        .driver = driver,
        .options = yaml_parse(&fake->arena, "slipway.yaml", yaml, strlen(yaml), problems),
    };
}

static void open_notice(struct fake_channels *fake)
{
    struct arena *const arena = &fake->arena;
    Pb__Link *const board = pb_new(arena, &pb__link__descriptor);

    board->kind = "dashboard";
    board->title = "shop";
    board->url = "https://grafana.example/d/shop";
    fake->links[0] = board;
    fake->facts[0] = pb_pair_new(arena, "version", "shop 1.1");
    fake->facts[1] = pb_pair_new(arena, "date", "2026-11-23 08:24:00 UTC");
    fake->facts[2] = pb_pair_new(arena, "flag_status", "on for 100 %");
    fake->facts[3] = pb_pair_new(arena, "status", "deployed");
    fake->facts[4] = pb_pair_new(arena, "environment", "production");
    fake->notice = (struct notice){
        .id = "slw_0123456789abcdef",
        .group = "express-pay.1.completed",
        .what = "completed",
        .purpose = "notify.deployment",
        .deployment = "express-pay.1",
        .feature = "express-pay",
        .environment = "production",
        .title = "express-pay.1: Express pay button",
        .text = "It is deployed.",
        .ticket = "SHOP-4182",
        .facts = fake->facts,
        .fact_count = 5,
        .links = fake->links,
        .link_count = 1,
        .at_ms = 1795434003000,
    };
}

static void answer_all(struct fake_channels *fake)
{
    memory_http_answer(fake->http,
                       &(struct memory_http_answer){
                           .url = "http://jira.example/*",
                           .respond = fake_jira_respond,
                           .respond_self = &fake->jira,
                       });
    memory_http_answer(
        fake->http,
        &(struct memory_http_answer){ .url = "http://hook.example/*", .status = 204 });
    memory_http_answer(fake->http,
                       &(struct memory_http_answer){ .method = "MAIL", .url = "smtp://*" });
}

void fake_channels_open(struct fake_channels *fake)
{
    memset(fake, 0, sizeof *fake);
    fake->arena = arena_with_limit(16 << 20);
    fake->clock.now_ms = 1795434003000;
    fake->http = memory_http_new();
    fake_jira_open(&fake->jira);
    (void)snprintf(fake->folder, sizeof fake->folder, "/tmp/slipway-channels-XXXXXX");
    if (mkdtemp(fake->folder) == NULL)
        abort();
    write_secret(fake, "hook.secret", FAKE_SECRET "\n");
    write_secret(fake, "jira.token", FAKE_TOKEN "\n");
    fake->settings.file = arena_printf(&fake->arena, "%s/slipway.yaml", fake->folder);
    fake->settings.channels = fake->channel;
    fake_channel_add(
        fake,
        "jira",
        "jira",
        "{url: http://jira.example, api: 2, user: slipway, token_file: jira.token, "
        "transition: Done, timeout: 5s}");
    fake_channel_add(fake,
                     "hook",
                     "webhook",
                     "{url: http://hook.example/in, secret_file: hook.secret, timeout: 5s}");
    fake_channel_add(fake,
                     "mail",
                     "mail",
                     "{server: \"smtp://mail.example:25\", from: slipway@shop.example, to: "
                     "[ops@shop.example, lead@shop.example], timeout: 5s}");
    answer_all(fake);
    open_notice(fake);
    fake->env.arena = &fake->arena;
    fake->env.clock = memory_clock_port(&fake->clock);
    fake->env.http = memory_http_client(fake->http);
    fake->env.settings = &fake->settings;
}

void fake_channels_close(struct fake_channels *fake)
{
    (void)unlink(arena_printf(&fake->arena, "%s/hook.secret", fake->folder));
    (void)unlink(arena_printf(&fake->arena, "%s/jira.token", fake->folder));
    (void)rmdir(fake->folder);
    memory_http_free(fake->http);
    fake_jira_close(&fake->jira);
    arena_release(&fake->arena);
}

void fake_channels_answer(struct fake_channels *fake, const struct memory_http_answer *answer)
{
    memory_http_forget(fake->http);
    memory_http_answer(fake->http, answer);
}
