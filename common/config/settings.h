/* What the operator writes: slipway.yaml, read and checked.
 *
 * Records may only name things that are here. Everything is borrowed from the arena the file
 * was read into and never changes afterwards; a changed file is a new struct settings. */
#ifndef COMMON_CONFIG_SETTINGS_H
#define COMMON_CONFIG_SETTINGS_H

#include "common/config/option.h"
#include "common/wire/digest.h"
#include "common/wire/pb.h"

/* A driver with its options: deployers, probes, metric sources, providers, channels. The
 * driver's own option table is read against `options` by drivers_open (runtime/wiring). */
struct setting_driver {
    const char *name;   /* Configured name: "shop-health". */
    const char *driver; /* Row of the driver table: "http". */
    const char *target; /* Probes, metric sources: whose instances are asked; "" if none. */
    struct yaml_node *options;
};

/* One running copy of a target. `urls` and paths may use {instance} in probe options. */
struct setting_instance {
    const char *name;          /* "shop-1" */
    const char *url;           /* Base address for probes and scrapes; "" if none. */
    const char *side;          /* blue-green: "blue" or "green"; "" otherwise. */
    struct yaml_node *options; /* For the deployer. */
};

/* Something changes are brought to. Its lane is <environment>/<service>. */
struct setting_target {
    const char *name;
    const char *service;
    const char *environment;
    struct setting_driver deployer;
    struct setting_instance *instances;
    size_t instance_count;
    const char *artifact_root; /* Where artifacts are found; sources stay below it. */
};

struct setting_window {
    const char *name;
    Pb__Window *spec;
};

struct setting_freeze {
    const char *id;
    const char *scope; /* All of an environment, or a lane. */
    int64_t from_ms;
    int64_t to_ms;
    const char *reason;
};

struct setting_role {
    const char *name;            /* "technical-lead" */
    struct option_texts members; /* Subjects. */
};

/* How long, how strict. Everything a plan needs that a feature does not say. */
struct setting_policy {
    const char *name;
    const char *approach;      /* Default approach. */
    uint32_t canary_instances; /* In the first batch of a canary. */
    uint32_t batch_size;       /* Instances per batch of a rolling or the rest of a canary. */
    int64_t bake_ms;
    int64_t change_timeout_ms;
    Pb__ApprovalSpec **approvals;
    size_t approval_count;
    Pb__SignOffSpec **signoffs;
    size_t signoff_count;
    Pb__CheckBinding **checks; /* Bindings and planned non-applicables. */
    size_t check_count;
    Pb__MetricCriterion **metrics; /* Watched in addition to the feature's. */
    size_t metric_count;
    Pb__ChannelUse **channels;
    size_t channel_count;
    const char **windows; /* Names; none: always open. */
    size_t window_count;
    Pb__StepPlan *steps[8]; /* [1..7]: deadlines, retry, on_no_go; no checks. */
    Pb__OnClosedWindow on_closed_window;
    Pb__OnClosedWindow on_freeze;
    int64_t window_grace_ms;
    int64_t observe_ms;
    int64_t sample_every_ms;
    uint32_t coverage_bp;
    int64_t blame_window_ms;
    int64_t input_deadline_ms;
    int64_t review_deadline_ms;
    int64_t queue_deadline_ms;
    int64_t hold_deadline_ms;
    int64_t reminder_ms;
    int64_t auto_resume_ms;
    int64_t stage_max_ms;
    int64_t gate_deadline_ms;
    int64_t flag_timeout_ms;
    bool require_flags; /* False: a plan may bring no flag at all. */
    struct option_texts
        acceptance_roles;         /* Who must have signed an acceptance, each of them. */
    const struct yaml_node *node; /* Where it stands, for later complaints. */
};

struct setting_environment {
    const char *name;
    const char *policy;
    const char *provider; /* Flag provider. */
};

/* Alerts that Slipway counts on, by alert name, and which may latch without the coordinator. */
struct setting_alert_rule {
    const char *alert;
    const char *source; /* The metric source that must have that rule; "": nobody is asked. */
    bool direct;
};

struct settings {
    const char *file;
    char hash[DIGEST_HEX_SIZE];   /* SHA-256 of the file's values: config_hash of plans. */
    const struct yaml_node *root; /* As written, for later complaints. */

    struct {
        const char *brokers;
        uint32_t partitions;
        uint32_t replication;
        uint32_t min_insync; /* Never 0. */
        bool manage_topics;  /* Create and verify at start. */
        int64_t fetch_wait_ms;
        int64_t session_ms;
        const char *topic_prefix; /* "" */
        Pb__Pair **properties;    /* Passed to librdkafka: security.protocol, sasl.*, ssl.* */
        size_t property_count;
    } kafka;
    struct {
        const char *host;
        uint32_t port;
        const char *socket; /* Unix socket; wins over host. */
        const char *user;
        const char *password_file;
        const char *prefix; /* "slipway:" */
    } redis;
    struct {
        const char *keys; /* Folder with <writer>.key files, 32 bytes or hex. */
        /* Folder with <topic>/<name>.key of those who write acceptance.v1 and alerts.v1; "":
         * they need not prove who they are. */
        const char *producers;
        const char *tokens; /* Token file of the gateway. */
        /* Public keys (PEM) that artifacts and acceptance reports must be signed by, so that
         * step 1 goes on; "": signatures are not asked for. */
        const char *artifact_key;
        const char *acceptance_key;
    } security;
    struct {
        const char *listen; /* "127.0.0.1:8080" */
        const char *public_url;
        struct option_texts peers; /* Base URLs of all gateways, for flag read-back. */
        uint32_t requests_per_minute;
        uint32_t streams_per_token;
    } gateway;

    struct setting_environment *environments;
    size_t environment_count;
    struct setting_target *targets;
    size_t target_count;
    struct setting_driver *probes;
    size_t probe_count;
    struct setting_driver *metric_sources;
    size_t metric_source_count;
    struct setting_driver *providers;
    size_t provider_count;
    struct setting_driver *channels;
    size_t channel_count;
    struct setting_role *roles;
    size_t role_count;
    struct setting_window *windows;
    size_t window_count;
    struct setting_freeze *freezes;
    size_t freeze_count;
    struct setting_policy *policies;
    size_t policy_count;
    struct setting_alert_rule *alert_rules;
    size_t alert_rule_count;
    const char *documents; /* Folder or URL prefix where reports are published; "" for none. */
    struct option_texts links; /* Addresses below which links of an acceptance are fetched. */
};

/* Read and check the whole file. Every problem found is in problems; NULL if there was an
 * error. arena: YAML_ARENA_SIZE or more. */
const struct settings *settings_read(struct arena *arena,
                                     const char *name,
                                     const char *bytes,
                                     size_t length,
                                     struct yaml_problems *problems);

/* settings_read on the contents of a file; a file that cannot be read is a problem too. */
const struct settings *settings_load(struct arena *arena,
                                     const char *path,
                                     struct yaml_problems *problems);

/* path as the settings mean it: relative ones start at the folder of the settings file. */
const char *settings_path(const struct settings *settings,
                          struct arena *arena,
                          const char *path);

/* By name; NULL if there is none. */
const struct setting_target *settings_target(const struct settings *settings, const char *name);
const struct setting_policy *settings_policy(const struct settings *settings, const char *name);
const struct setting_environment *settings_environment(const struct settings *settings,
                                                       const char *name);
const struct setting_driver *settings_probe(const struct settings *settings, const char *name);
const struct setting_driver *settings_metric_source(const struct settings *settings,
                                                    const char *name);
const struct setting_driver *settings_provider(const struct settings *settings,
                                               const char *name);
const struct setting_driver *settings_channel(const struct settings *settings,
                                              const char *name);
const struct setting_role *settings_role(const struct settings *settings, const char *name);
const struct setting_window *settings_window(const struct settings *settings, const char *name);

/* Reads the secret of a file (at most 4 KiB), without its trailing newline. ERR_DENIED when
 * others may read the file. The error never holds the secret. path as settings_path gives it.
 */
enum err settings_secret(struct arena *arena,
                         const char *path,
                         const char **ret,
                         struct error *error) MUST_CHECK;

#endif
