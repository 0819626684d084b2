/* doctor: is everything there, and where do settings come from. */
#include "services/cli/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETTINGS "/etc/slipway/slipway.yaml"

enum { SILENT_MS = 12000, SKEW_WARNING_MS = 500, SKEW_FAULT_MS = 5000 };

/* --- findings --- */

void doctor_say(struct doctor *doctor, const struct doctor_finding *finding)
{
    static const char *const names[] = { "PASS", "WARN", "FAIL" };
    const struct cli *const cli = doctor->cli;
    const char *const fix = finding->fix != NULL ? finding->fix : "";

    doctor->faults += finding->verdict == DOCTOR_FAULT;
    doctor->warnings += finding->verdict == DOCTOR_WARNING;
    (void)json_array_append_new(doctor->items,
                                json_pack("{s:s, s:s, s:s, s:s}",
                                          "check",
                                          finding->check,
                                          "verdict",
                                          names[finding->verdict],
                                          "found",
                                          finding->found,
                                          "fix",
                                          fix));
    if (cli->json)
        return;
    (void)printf("%s %-14s %s\n",
                 say_glyph(cli, names[finding->verdict]),
                 finding->check,
                 finding->found);
    if (fix[0] != '\0')
        (void)printf("%17sfix: %s\n", "", fix);
}

static void say_well(struct doctor *doctor, const char *check, const char *found)
{
    doctor_say(doctor, &(struct doctor_finding){ DOCTOR_WELL, check, found, NULL });
}

static void say_fault(struct doctor *doctor,
                      const char *check,
                      const char *found,
                      const char *fix)
{
    doctor_say(doctor, &(struct doctor_finding){ DOCTOR_FAULT, check, found, fix });
}

/* --- what this command line uses --- */

static void check_token(struct doctor *doctor)
{
    struct cli *const cli = doctor->cli;

    if (cli->token != NULL)
        say_well(doctor,
                 "token",
                 arena_printf(
                     &cli->arena, "%s, from %s", cli->token_file.value, cli->token_file.from));
    else
        say_fault(doctor, "token", "there is none", "slipway login");
}

static const char *roles_of(struct cli *cli, const json_t *me)
{
    struct text text = text_new(4096);
    size_t i;
    json_t *role;

    json_array_foreach(field(me, "roles"), i, role)
    {
        text_add(&text, ", %s", json_string_value(role));
    }
    return say_taken(cli, &text);
}

/* The one fault is told; that everything else then fails too is no news. */
static bool check_server(struct doctor *doctor)
{
    struct cli *const cli = doctor->cli;
    const char *const server =
        arena_printf(&cli->arena, "%s, from %s", cli->server.value, cli->server.from);
    struct cli_answer me;
    enum cli_exit result;

    cli->silent = true;
    result = cli_get(cli, "/v1/me", &me);
    cli->silent = false;
    if (result == EXIT_DONE || result == EXIT_NOT_ALLOWED)
        say_well(doctor, "server", server);
    else
        say_fault(doctor,
                  "server",
                  arena_printf(&cli->arena, "%s: cannot be reached", server),
                  "is slipway-gateway running there? another: --server URL, SLIPWAY_SERVER, "
                  ".slipway");
    check_token(doctor);
    if (result == EXIT_DONE)
        say_well(
            doctor,
            "signed in",
            arena_printf(
                &cli->arena, "%s%s", field_text(me.body, "subject"), roles_of(cli, me.body)));
    else if (result == EXIT_NOT_ALLOWED)
        say_fault(doctor, "signed in", "the server does not know this token", "slipway login");
    cli_release(&me);
    return result == EXIT_DONE;
}

/* --- what runs --- */

/* What the instances of one service are like. */
struct crew {
    size_t count;
    size_t silent;    /* Have said nothing for a while. */
    size_t other;     /* Run with another configuration. */
    const char *last; /* The silent one. */
    int64_t last_ms;
};

static struct crew crew_of(const json_t *health, const char *service)
{
    const char *const hash = field_text(health, "config_hash");
    const int64_t now_ms = field_int(health, "now_ms");
    struct crew crew = { 0 };
    size_t i;
    json_t *instance;

    json_array_foreach(field(health, "instances"), i, instance)
    {
        const int64_t seen_ms = field_int(instance, "seen_ms");

        if (strcmp(field_text(instance, "service"), service) != 0)
            continue;
        crew.count++;
        crew.other += strcmp(field_text(instance, "config_hash"), hash) != 0;
        if (now_ms - seen_ms <= SILENT_MS)
            continue;
        crew.silent++;
        crew.last = field_text(instance, "instance");
        crew.last_ms = seen_ms;
    }
    return crew;
}

static void check_crew(struct doctor *doctor, const char *service, const struct crew *crew)
{
    struct cli *const cli = doctor->cli;
    const char *const count =
        arena_printf(&cli->arena, "%zu running", crew->count - crew->silent);

    if (crew->count == crew->silent)
        say_fault(
            doctor,
            service,
            "none is running",
            arena_printf(&cli->arena, "start slipway-%s; its log says why it ended", service));
    else if (crew->silent > 0)
        doctor_say(doctor,
                   &(struct doctor_finding){ DOCTOR_WARNING,
                                             service,
                                             arena_printf(&cli->arena,
                                                          "%s; %s last seen %s",
                                                          count,
                                                          crew->last,
                                                          say_clock(cli, crew->last_ms)),
                                             "look at its log; its tasks go to the others" });
    else if (crew->other > 0)
        say_fault(doctor,
                  service,
                  arena_printf(&cli->arena,
                               "%s, %zu of them with another configuration than the gateway",
                               count,
                               crew->other),
                  "give all the same slipway.yaml, and restart those");
    else
        say_well(doctor, service, count);
}

static void check_clocks(struct doctor *doctor, const json_t *health)
{
    struct cli *const cli = doctor->cli;
    const int64_t off_ms = clock_now_ms(cli->clock) - field_int(health, "now_ms");
    const int64_t apart_ms = off_ms < 0 ? -off_ms : off_ms;
    const char *const found = arena_printf(&cli->arena,
                                           "this machine is %s %s the gateway",
                                           say_duration(cli, apart_ms),
                                           off_ms < 0 ? "behind" : "ahead of");

    if (apart_ms < SKEW_WARNING_MS)
        say_well(doctor, "clocks", found);
    else
        doctor_say(doctor,
                   &(struct doctor_finding){
                       apart_ms < SKEW_FAULT_MS ? DOCTOR_WARNING : DOCTOR_FAULT,
                       "clocks",
                       found,
                       "set both by NTP: deadlines are said in the gateway's time" });
}

/* The hash of the settings that the gateway runs with. */
static const char *check_services(struct doctor *doctor)
{
    static const char *const wanted[] = { "coordinator",  "prechecks", "executor", "validator",
                                          "flag-rollout", "monitor",   "notifier", "gateway" };
    struct cli *const cli = doctor->cli;
    struct cli_answer health;
    const char *hash;

    cli->silent = true;
    if (cli_get(cli, "/v1/health", &health) != EXIT_DONE) {
        cli->silent = false;
        say_fault(doctor,
                  "services",
                  "the gateway cannot say: it does not reach Redis",
                  "start Redis, or look at the gateway's log");
        return "";
    }
    cli->silent = false;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct crew crew = crew_of(health.body, wanted[i]);

        check_crew(doctor, wanted[i], &crew);
    }
    check_clocks(doctor, health.body);
    hash = arena_text(&cli->arena, field_text(health.body, "config_hash"));
    cli_release(&health);
    return hash;
}

static void print_sum(const struct doctor *doctor)
{
    if (doctor->cli->json) {
        json_t *const sum = json_pack("{s:O, s:I, s:I}",
                                      "items",
                                      doctor->items,
                                      "faults",
                                      (json_int_t)doctor->faults,
                                      "warnings",
                                      (json_int_t)doctor->warnings);

        say_json_line(sum);
        json_decref(sum);
        return;
    }
    (void)printf("%zu fault%s, %zu warning%s\n",
                 doctor->faults,
                 doctor->faults == 1 ? "" : "s",
                 doctor->warnings,
                 doctor->warnings == 1 ? "" : "s");
}

enum cli_exit verb_doctor(struct cli *cli)
{
    struct doctor doctor = { .cli = cli };
    const char *settings = cli_option(cli, "--settings");
    const char *hash = "";

    if (!cli_finished(cli))
        return EXIT_USAGE;
    if (settings == NULL && access(SETTINGS, R_OK) == 0)
        settings = SETTINGS;
    doctor.items = json_array();
    if (check_server(&doctor))
        hash = check_services(&doctor);
    if (settings != NULL)
        doctor_server(&doctor, settings, hash);
    else if (!cli->json)
        (void)printf(
            "%s %-14s not asked themselves: --settings slipway.yaml, where they may be\n",
            say_glyph(cli, "NOT_APPLICABLE"),
            "kafka, redis");
    print_sum(&doctor);
    json_decref(doctor.items);
    return doctor.faults == 0 ? EXIT_DONE : EXIT_NO;
}
