#include "services/cli/direct.h"

#include "common/base/json.h"
#include "common/domain/flags.h"
#include "common/planning/lint.h"
#include "common/runtime/wiring.h"
#include "common/wire/control_record.h"
#include "common/wire/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAIT_MS = 100,
    READ_MAX_MS = 20000, /* All of control.v1. */
    FLUSH_MS = 5000,
    HEAR_MS = 2000, /* What the gateways need to read one record, generously. */
    LOOK_MS = 300,
    FOLD_MEMORY = 1 << 20,
    KILLED_MAX = 4096,
};

static const char SETTINGS[] = "/etc/slipway/slipway.yaml";
static const char *const control_only[] = { TOPIC_CONTROL, NULL };

/* --- reading --- */

/* A record that nobody of ours has signed is not believed, as everywhere. */
static void fold(const struct direct_kill *kill,
                 struct flag_table *table,
                 struct arena *arena,
                 const struct bus_record *record)
{
    struct error ignored = { 0 };
    Pb__Control *control = NULL;

    arena_reset(arena);
    if (control_record_read(arena, kill->keys, record, &control, &ignored) == ERR_OK)
        (void)flag_table_apply(table, record->key, control);
}

static enum err is_at_end(struct bus_consumer *consumer,
                          int64_t next,
                          bool *ret,
                          struct error *error)
{
    int64_t low = 0;
    int64_t high = 0;
    const enum err err =
        consumer->watermarks(consumer->self, TOPIC_CONTROL, 0, &low, &high, error);

    *ret = err == ERR_OK && (high == low || next >= high);
    return err;
}

/* To the end: a later attempt may own the flag by now. */
static enum err read_to_end(const struct cli *cli,
                            const struct direct_kill *kill,
                            struct bus_consumer *consumer,
                            struct flag_table *table,
                            struct error *error)
{
    const int64_t began_ms = clock_monotonic_ms(cli->clock);
    struct arena arena = arena_with_limit(FOLD_MEMORY);
    enum err err = ERR_OK;
    bool at_end = false;
    int64_t next = 0;

    while (err == ERR_OK && !at_end) {
        struct bus_record record = { 0 };

        err = consumer->receive(consumer->self, WAIT_MS, &record, error);
        if (err == ERR_OK) {
            fold(kill, table, &arena, &record);
            next = record.offset + 1;
            continue;
        }
        if (err == ERR_STALE)
            err = is_at_end(consumer, next, &at_end, error);
        if (!at_end && clock_monotonic_ms(cli->clock) - began_ms > READ_MAX_MS)
            err =
                error_set(error, ERR_TIMED_OUT, "%s cannot be read to its end", TOPIC_CONTROL);
    }
    arena_release(&arena);
    return err;
}

/* The flag, in the environment that is named or in the only one that has it. */
static const Pb__FlagValue *find_flag(const struct direct_kill *kill,
                                      const struct flag_table *table,
                                      size_t *ret_found,
                                      bool *ret_latched)
{
    const Pb__FlagValue *const *values = NULL;
    const size_t count = flag_table_flags(table, &values);
    const Pb__FlagValue *found = NULL;

    *ret_found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!pb_same(values[i]->flag, kill->flag) ||
            (kill->environment != NULL && !pb_same(values[i]->environment, kill->environment)))
            continue;
        found = values[i];
        (*ret_found)++;
    }
    if (found != NULL)
        (void)flag_table_find(table, found->environment, found->flag, ret_latched);
    return found;
}

/* --- writing --- */

static Pb__Control *control_of(struct cli *cli,
                               const struct direct_kill *kill,
                               const Pb__FlagValue *value)
{
    const char *const user = getenv("USER");
    Pb__Control *const control = pb_new(&cli->arena, &pb__control__descriptor);
    Pb__Kill *const body = pb_new(&cli->arena, &pb__kill__descriptor);
    Pb__Actor *const actor = pb_new(&cli->arena, &pb__actor__descriptor);

    actor->subject = arena_printf(
        &cli->arena, "direct/%s", user != NULL && user[0] != '\0' ? user : "unknown");
    body->deployment = arena_text(&cli->arena, value->deployment);
    body->environment = arena_text(&cli->arena, value->environment);
    body->reason = kill->reason;
    body->actor = actor;
    body->at_ms = clock_now_ms(cli->clock);
    PB_APPEND(&cli->arena, body, flags, arena_text(&cli->arena, value->flag));
    control->body_case = PB__CONTROL__BODY_KILL;
    control->kill = body;
    return control;
}

static enum err publish(struct cli *cli,
                        const struct direct_kill *kill,
                        const Pb__Control *control,
                        struct error *error)
{
    const char *const key = arena_printf(&cli->arena, "kill/%s", control->kill->deployment);
    const struct envelope envelope = {
        .id = key,
        .type = "slipway.v1.Control",
        .source = "/slipway/cli/direct",
        .subject = control->kill->deployment,
        .writer = "gateway",
        .time_ms = control->kill->at_ms,
    };
    const struct envelope_out out = {
        .topic = TOPIC_CONTROL, .key = key, .message = &control->base, .sign = true
    };
    struct bus_record sealed;
    enum err err = envelope_seal(&cli->arena, kill->keys, &envelope, &out, &sealed, error);

    if (err == ERR_OK)
        err = kill->bus->publish(kill->bus->self, &sealed, error);
    if (err == ERR_OK)
        err = kill->bus->flush(kill->bus->self, FLUSH_MS, error);
    return err;
}

/* --- reading back --- */

static bool is_off(struct cli *cli, const char *gateway, const Pb__Kill *kill)
{
    const struct http_request request = {
        .method = "GET",
        .url = arena_printf(&cli->arena,
                            "%s/internal/v1/flags%s%s",
                            gateway,
                            cli_path(cli, "/%s", kill->environment),
                            cli_path(cli, "/%s", kill->flags[0])),
        .timeout_ms = LOOK_MS,
    };
    struct http_response response = { 0 };
    struct error ignored = { 0 };
    json_t *body;
    bool off;

    if (cli->http.perform(cli->http.self, &cli->arena, &request, &response, &ignored) != ERR_OK)
        return false;
    body = json_loadb(response.body, response.body_length, 0, NULL);
    off = response.status == 200 && field_true(body, "latched");
    json_decref(body);
    return off;
}

/* How many of the gateways that the settings name say off; a gateway that is down says nothing,
 * and reads the latch before it answers again. */
static size_t count_off(struct cli *cli, const struct settings *settings, const Pb__Kill *kill)
{
    const struct option_texts *const peers = &settings->gateway.peers;
    const int64_t began_ms = clock_monotonic_ms(cli->clock);
    size_t off = 0;

    do {
        off = 0;
        for (size_t i = 0; i < peers->count; i++)
            off += is_off(cli, peers->items[i], kill);
    } while (off < peers->count && clock_monotonic_ms(cli->clock) - began_ms < HEAR_MS &&
             cli->terminal.wait(cli->terminal.self, WAIT_MS));
    return off;
}

static void write_killed(
    const Pb__Kill *body, bool already, int64_t recorded_ms, size_t off, size_t peers)
{
    struct text text = text_new(KILLED_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    json_put_text(&json, "flag", body->flags[0]);
    json_put_text(&json, "environment", body->environment);
    json_put_text(&json, "deployment", body->deployment);
    json_put_bool(&json, "already_latched", already);
    json_put_int(&json, "recorded_after_ms", recorded_ms - body->at_ms);
    json_put_object(&json, "read_back");
    json_put_uint(&json, "agree", off);
    json_put_uint(&json, "of", peers);
    json_end_object(&json);
    json_end_object(&json);
    (void)printf("%s\n", text.bytes);
    text_release(&text);
}

static void say_killed(struct cli *cli,
                       const struct direct_kill *kill,
                       const Pb__Kill *body,
                       bool already)
{
    const size_t peers = kill->settings->gateway.peers.count;
    const int64_t recorded_ms = clock_now_ms(cli->clock);
    const size_t off = count_off(cli, kill->settings, body);

    if (cli->json) {
        write_killed(body, already, recorded_ms, off, peers);
        return;
    }
    (void)printf("off  %s in %s for good%s: the latch of %s is in %s, after %lld ms\n"
                 "  read back on %zu of %zu gateways%s\n",
                 body->flags[0],
                 body->environment,
                 already ? " (it was already)" : "",
                 body->deployment,
                 TOPIC_CONTROL,
                 (long long)(recorded_ms - body->at_ms),
                 off,
                 peers,
                 off < peers ? "; the others read it before they answer again" : "");
    if (!already)
        (void)printf("  its deployment is stopped as soon as a coordinator reads it\n");
}

/* --- all of it --- */

static enum cli_exit no_flag(struct cli *cli, const struct direct_kill *kill, size_t found)
{
    cli_complain(
        cli,
        found == 0
            ? arena_printf(&cli->arena, "no flag %s in %s", kill->flag, TOPIC_CONTROL)
            : arena_printf(&cli->arena, "%s is a flag of %zu environments", kill->flag, found),
        found == 0 ? NULL : "add --environment NAME");
    return found == 0 ? EXIT_NO_SUCH : EXIT_USAGE;
}

static enum cli_exit kill_found(struct cli *cli,
                                const struct direct_kill *kill,
                                const Pb__FlagValue *value,
                                bool latched,
                                struct error *error)
{
    const Pb__Control *const control = control_of(cli, kill, value);

    if (cli->dry_run) {
        (void)printf("would latch %s in %s: all its flags off for good; nothing is recorded\n",
                     value->deployment,
                     value->environment);
        return EXIT_DONE;
    }
    if (!latched && publish(cli, kill, control, error) != ERR_OK)
        return EXIT_UNREACHABLE;
    say_killed(cli, kill, control->kill, latched);
    return EXIT_DONE;
}

enum cli_exit direct_kill(struct cli *cli, const struct direct_kill *kill)
{
    const struct bus_subscription all = { .topics = control_only, .start = BUS_FROM_BEGINNING };
    struct flag_table *const table = flag_table_new();
    enum cli_exit result = EXIT_UNREACHABLE;
    struct bus_consumer consumer = { 0 };
    struct error error = { 0 };
    const Pb__FlagValue *value = NULL;
    bool latched = false;
    size_t found = 0;
    enum err err = kill->bus->subscribe(kill->bus->self, &all, &consumer, &error);

    if (err == ERR_OK)
        err = read_to_end(cli, kill, &consumer, table, &error);
    if (err == ERR_OK) {
        value = find_flag(kill, table, &found, &latched);
        result = found == 1 ? kill_found(cli, kill, value, latched, &error)
                            : no_flag(cli, kill, found);
    }
    if (result == EXIT_UNREACHABLE)
        cli_complain(cli, error.text, "slipway doctor --settings FILE");
    if (consumer.self != NULL)
        consumer.close(consumer.self);
    flag_table_free(table);
    return result;
}

enum cli_exit direct_run(struct cli *cli, const char *settings_path, struct direct_kill kill)
{
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const char *const path = settings_path != NULL ? settings_path : SETTINGS;
    struct envelope_keys keys;
    struct error error = { 0 };
    struct bus bus = { 0 };
    enum cli_exit result = EXIT_NOT_ALLOWED;

    problems->arena = &cli->arena;
    kill.settings = settings_load(&cli->arena, path, problems);
    if (kill.settings == NULL) {
        cli_complain(
            cli,
            arena_printf(&cli->arena, "%s cannot be used: %s", path, problems->item[0].message),
            arena_printf(&cli->arena, "slipway lint --settings %s", path));
        return EXIT_NO;
    }
    kill.keys = &keys;
    kill.bus = &bus;
    if (wiring_keys(kill.settings, "gateway", &keys, &error) != ERR_OK) {
        cli_complain(cli, error.text, "run it as a user who may read the gateway's key");
    } else if (wiring_bus(kill.settings, "slipway-direct", &bus, &error) != ERR_OK) {
        cli_complain(
            cli, error.text, arena_printf(&cli->arena, "slipway doctor --settings %s", path));
        result = EXIT_UNREACHABLE;
    } else {
        result = direct_kill(cli, &kill);
    }
    if (bus.self != NULL)
        bus.close(bus.self);
    return result;
}
