/* doctor --settings: asks the brokers and Redis themselves, as a service would. */
#include "services/cli/doctor.h"

#include "common/config/settings.h"
#include "common/planning/lint.h"
#include "common/runtime/wiring.h"
#include "common/state/keys.h"
#include "common/wire/topics.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKS = 5, AGAIN_MS = 400 };

static const char *const events_only[] = { TOPIC_EVENTS, NULL };

/* --- slipway.yaml --- */

static const struct settings *load(struct doctor *doctor,
                                   const char *path,
                                   const char *server_hash)
{
    struct cli *const cli = doctor->cli;
    struct yaml_problems *const problems = arena_alloc(&cli->arena, sizeof *problems);
    const struct settings *settings;
    struct doctor_finding finding = { DOCTOR_WELL, "configuration", NULL, NULL };

    problems->arena = &cli->arena;
    settings = settings_load(&cli->arena, path, problems);
    if (settings != NULL)
        lint_settings(settings, problems);
    finding.found = arena_printf(&cli->arena,
                                 "%s, %zu errors, %zu warnings, hash %.8s",
                                 path,
                                 problems->errors,
                                 problems->warnings,
                                 settings != NULL ? settings->hash : "-");
    if (settings == NULL || problems->errors > 0) {
        finding.verdict = DOCTOR_FAULT;
        finding.fix = arena_printf(&cli->arena, "slipway lint --settings %s", path);
    } else if (server_hash[0] != '\0' && strcmp(server_hash, settings->hash) != 0) {
        finding.verdict = DOCTOR_WARNING;
        finding.fix = arena_printf(
            &cli->arena, "the gateway runs with %.8s: give all the same file", server_hash);
    }
    doctor_say(doctor, &finding);
    return settings;
}

/* --- topics --- */

/* Whether that topic is as it should be; a topic that is not there is not made. */
static bool check_topic(struct doctor *doctor,
                        const struct bus *bus,
                        const struct bus_topic *topic)
{
    struct cli *const cli = doctor->cli;
    struct error error = { 0 };
    int32_t partitions = 0;
    enum err err = bus->partitions(bus->self, topic->name, &partitions, &error);

    if (err == ERR_OK)
        err = bus->ensure_topics(bus->self, topic, 1, &error);
    if (err == ERR_OK)
        return true;
    doctor_say(
        doctor,
        &(struct doctor_finding){
            .verdict = DOCTOR_FAULT,
            .check = "topics",
            .found = arena_printf(&cli->arena, "%s: %s", topic->name, error.text),
            .fix = err == ERR_NOT_FOUND
                       ? "start the coordinator with kafka.manage_topics, or make it by hand"
                   : err == ERR_DENIED ? "give this Kafka user the right to read it (ACL)"
                                       : NULL });
    return false;
}

static void check_topics(struct doctor *doctor,
                         const struct settings *settings,
                         const struct bus *bus)
{
    struct cli *const cli = doctor->cli;
    struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all((int32_t)settings->kafka.partitions, topics);
    size_t good = 0;

    for (size_t i = 0; i < count; i++)
        good += check_topic(doctor, bus, &topics[i]);
    if (good == count)
        doctor_say(
            doctor,
            &(struct doctor_finding){
                .verdict = DOCTOR_WELL,
                .check = "topics",
                .found = arena_printf(&cli->arena,
                                      "%zu of %zu: partitions, retention, compaction and "
                                      "timestamps as they should be",
                                      good,
                                      count) });
}

/* --- Redis and the log --- */

/* Both sides of the comparison; all borrowed. */
struct sides {
    const struct settings *settings;
    struct store store;
    struct bus_consumer log;
};

/* What Redis says the coordinator has applied of that partition; -1: nothing yet. */
static enum err applied_of(struct cli *cli,
                           const struct sides *sides,
                           int32_t partition,
                           int64_t *ret,
                           struct error *error)
{
    struct store_value value = { 0 };
    const enum err err =
        sides->store.hash_get(sides->store.self,
                              &cli->arena,
                              KEY_LOG(&cli->arena, partition, sides->settings->redis.prefix),
                              "offset",
                              &value,
                              error);

    *ret = err == ERR_OK && value.bytes != NULL ? strtoll(value.bytes, NULL, 10) : -1;
    return err;
}

/* Partitions whose last record Redis has not; behind: how many records in all. */
static enum err count_apart(struct cli *cli,
                            const struct sides *sides,
                            int64_t *ret_behind,
                            struct error *error)
{
    enum err err = ERR_OK;

    *ret_behind = 0;
    for (int32_t p = 0; p < (int32_t)sides->settings->kafka.partitions && err == ERR_OK; p++) {
        int64_t applied = -1;
        int64_t low = 0;
        int64_t high = 0;

        err = applied_of(cli, sides, p, &applied, error);
        if (err == ERR_OK)
            err = sides->log.watermarks(sides->log.self, TOPIC_EVENTS, p, &low, &high, error);
        if (err == ERR_OK && applied >= high)
            err = error_set(error,
                            ERR_INVALID,
                            "partition %d of %s ends at %lld, and Redis has applied %lld: the "
                            "log was cut",
                            (int)p,
                            TOPIC_EVENTS,
                            (long long)high,
                            (long long)applied);
        else if (err == ERR_OK)
            *ret_behind += high - 1 - applied;
    }
    return err;
}

/* Looks a few times: while something runs, the log is always a little ahead. */
static enum err wait_together(struct cli *cli,
                              const struct sides *sides,
                              int64_t *ret_behind,
                              struct error *error)
{
    enum err err = ERR_OK;

    for (int look = 0; look < LOOKS; look++) {
        err = count_apart(cli, sides, ret_behind, error);
        if (err != ERR_OK || *ret_behind == 0 ||
            !cli->terminal.wait(cli->terminal.self, AGAIN_MS))
            return err;
    }
    return err;
}

static void say_together(struct doctor *doctor, const struct settings *settings, int64_t behind)
{
    struct cli *const cli = doctor->cli;

    if (behind == 0)
        doctor_say(doctor,
                   &(struct doctor_finding){
                       .check = "redis",
                       .found = arena_printf(&cli->arena,
                                             "offsets match the log on all %u partitions",
                                             settings->kafka.partitions) });
    else
        doctor_say(doctor,
                   &(struct doctor_finding){
                       .verdict = DOCTOR_WARNING,
                       .check = "redis",
                       .found = arena_printf(&cli->arena,
                                             "%lld records of the log are not applied yet",
                                             (long long)behind),
                       .fix = "if that does not fall: look at the coordinator's log" });
}

static void say_error(struct doctor *doctor, const char *check, const struct error *error)
{
    doctor_say(doctor,
               &(struct doctor_finding){ .verdict = DOCTOR_FAULT,
                                         .check = check,
                                         .found = error->text,
                                         .fix = strcmp(check, "redis") == 0
                                                    ? "is it running, and are redis.host, port "
                                                      "and user right?"
                                                    : "are they running, and are kafka.brokers "
                                                      "and properties right?" });
}

static void check_redis(struct doctor *doctor,
                        const struct settings *settings,
                        const struct bus *bus)
{
    struct cli *const cli = doctor->cli;
    const struct bus_subscription all = { .topics = events_only, .start = BUS_FROM_END };
    struct sides sides = { .settings = settings };
    struct error error = { 0 };
    int64_t behind = 0;
    enum err err = wiring_store(settings, &sides.store, &error);

    if (err == ERR_OK)
        err = bus->subscribe(bus->self, &all, &sides.log, &error);
    if (err == ERR_OK)
        err = wait_together(cli, &sides, &behind, &error);
    if (err == ERR_OK)
        say_together(doctor, settings, behind);
    else
        say_error(doctor, "redis", &error);
    if (sides.log.self != NULL)
        sides.log.close(sides.log.self);
    if (sides.store.self != NULL)
        sides.store.close(sides.store.self);
}

/* --- all of it --- */

static void check_brokers(struct doctor *doctor, const struct settings *settings)
{
    struct cli *const cli = doctor->cli;
    struct bus bus = { 0 };
    struct error error = { 0 };
    int32_t partitions = 0;
    int64_t began_ms;
    enum err err = wiring_bus(settings, "slipway-doctor", &bus, &error);

    if (err == ERR_OK)
        err = bus.partitions(bus.self, TOPIC_EVENTS, &partitions, &error);
    began_ms = clock_monotonic_ms(cli->clock);
    if (err == ERR_OK)
        err = bus.partitions(bus.self, TOPIC_CONTROL, &partitions, &error);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        say_error(doctor, "brokers", &error);
    } else {
        doctor_say(doctor,
                   &(struct doctor_finding){
                       .check = "brokers",
                       .found = arena_printf(
                           &cli->arena,
                           "%s, cluster %s, round trip %lld ms",
                           settings->kafka.brokers,
                           bus.cluster_id(bus.self),
                           (long long)(clock_monotonic_ms(cli->clock) - began_ms)) });
        check_topics(doctor, settings, &bus);
        check_redis(doctor, settings, &bus);
    }
    if (bus.self != NULL)
        bus.close(bus.self);
}

void doctor_server(struct doctor *doctor, const char *settings_path, const char *server_hash)
{
    const struct settings *const settings = load(doctor, settings_path, server_hash);

    if (settings != NULL)
        check_brokers(doctor, settings);
}
