/* Sections targets, probes, metric_sources, providers and channels. What a driver's options
 * mean is the driver's to say: here they are passed on unread. */
#include "common/config/capabilities.h"
#include "common/config/settings_read.h"

#include <string.h>

struct target_options {
    const char *name;
    const char *service;
    const char *environment;
    const char *artifact_root;
};

/* clang-format off */
static const struct option target_table[] = {
    TEXT_OPTION(struct target_options, name, "name", NULL, "what artifacts name as their target"),
    TEXT_OPTION(struct target_options, service, "service", NULL, "with the environment: the lane"),
    TEXT_OPTION(struct target_options, environment, "environment", NULL, "a configured environment"),
    TEXT_OPTION(struct target_options, artifact_root, "artifact_root", "", "folder or address; sources of artifacts stay below it"),
    OPTIONS_END,
};
static const struct option instance_table[] = {
    TEXT_OPTION(struct setting_instance, name, "name", NULL, "one running copy"),
    TEXT_OPTION(struct setting_instance, url, "url", "", "base address for probes and scrapes"),
    TEXT_OPTION(struct setting_instance, side, "side", "", "blue-green: blue or green"),
    OPTIONS_END,
};
static const struct option named_driver_table[] = {
    TEXT_OPTION(struct setting_driver, name, "name", NULL, "what others call it"),
    OPTIONS_END,
};
static const struct option asking_driver_table[] = {
    TEXT_OPTION(struct setting_driver, target, "target", "", "probes, metric sources: whose instances are asked"),
    OPTIONS_END,
};
static const struct option driver_table[] = {
    TEXT_OPTION(struct setting_driver, driver, "driver", NULL, "a driver"),
    OPTIONS_END,
};
/* clang-format on */

static void read_driver(struct settings_reader *reader,
                        const struct yaml_node *node,
                        enum driver_kind kind,
                        struct setting_driver *driver)
{
    const char *nearest;

    if (options_read(driver_table, node, driver, reader->problems) != ERR_OK ||
        capability_find(kind, driver->driver) != NULL)
        return;
    nearest = capability_nearest(kind, driver->driver);
    (void)yaml_complain(
        reader->problems,
        yaml_find(node, "driver"),
        nearest != NULL ? arena_printf(reader->arena, "did you mean %s?", nearest) : "",
        "%s.driver is %.63s, but there is no such driver",
        node->path,
        driver->driver);
}

static void read_instance(struct settings_reader *reader,
                          const struct yaml_node *node,
                          void *item)
{
    struct setting_instance *const instance = item;
    const struct yaml_node *side;

    instance->options = yaml_defer(node);
    if (options_read(instance_table, node, instance, reader->problems) != ERR_OK)
        return;
    side = yaml_find(node, "side");
    if (side != NULL && strcmp(instance->side, "blue") != 0 &&
        strcmp(instance->side, "green") != 0)
        (void)yaml_complain(reader->problems,
                            side,
                            "one of: blue, green",
                            "%s is %.60s",
                            side->path,
                            instance->side);
}

/* Either every instance stands on a side and both sides have some, or none does. */
static void check_sides(struct settings_reader *reader,
                        const struct yaml_node *node,
                        const struct setting_target *target)
{
    size_t blue = 0, green = 0;

    for (size_t i = 0; i < target->instance_count; i++) {
        blue += pb_same(target->instances[i].side, "blue");
        green += pb_same(target->instances[i].side, "green");
    }
    if (blue + green > 0 && (blue + green != target->instance_count || blue == 0 || green == 0))
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "instances"),
                            "blue and green ones, or no side at all",
                            "%s.instances: %zu blue, %zu green of %zu",
                            node->path,
                            blue,
                            green,
                            target->instance_count);
}

static void read_target(struct settings_reader *reader,
                        const struct yaml_node *node,
                        void *item)
{
    static const struct list_spec instances = { "instances",
                                                sizeof(struct setting_instance),
                                                read_instance };
    struct setting_target *const target = item;
    struct target_options options = { 0 };
    struct yaml_node *const deployer = yaml_get(node, "deployer");

    (void)options_read(target_table, node, &options, reader->problems);
    target->name = options.name;
    target->service = options.service != NULL ? options.service : "";
    target->environment = options.environment != NULL ? options.environment : "";
    target->artifact_root = options.artifact_root != NULL ? options.artifact_root : "";
    target->deployer = (struct setting_driver){ target->name, "", "", deployer };
    target->instances = read_items(reader, node, &instances, &target->instance_count);
    if (deployer == NULL)
        (void)yaml_complain(
            reader->problems, node, "driver: ...", "%s.deployer is missing", node->path);
    else
        read_driver(reader, deployer, DRIVER_DEPLOYER, &target->deployer);
    (void)yaml_defer(deployer);
    if (target->instance_count == 0)
        (void)yaml_complain(
            reader->problems, node, "at least one instance", "%s has no instances", node->path);
    if (*target->service != '\0' && !is_name(target->service))
        (void)yaml_complain(reader->problems,
                            yaml_find(node, "service"),
                            "lower-case letters, digits, - and ., at most 63",
                            "%s.service is %.80s",
                            node->path,
                            target->service);
    check_sides(reader, node, target);
}

void read_targets(struct settings_reader *reader, const struct yaml_node *root)
{
    static const struct list_spec targets = { "targets",
                                              sizeof(struct setting_target),
                                              read_target };

    reader->settings->targets =
        read_items(reader, root, &targets, &reader->settings->target_count);
}

static void read_named_driver(struct settings_reader *reader,
                              const struct yaml_node *node,
                              enum driver_kind kind,
                              struct setting_driver *driver)
{
    const bool asks = kind == DRIVER_PROBE || kind == DRIVER_METRIC_SOURCE;
    const struct settings *const settings = reader->settings;
    const struct capability *capability;

    driver->driver = "";
    driver->target = "";
    (void)options_read(named_driver_table, node, driver, reader->problems);
    driver->options = yaml_defer(node);
    read_driver(reader, node, kind, driver);
    if (asks)
        (void)options_read(asking_driver_table, node, driver, reader->problems);
    capability = capability_find(kind, driver->driver);
    if (*driver->target != '\0')
        (void)check_reference(reader,
                              yaml_find(node, "target"),
                              NAMED("target", settings->targets, settings->target_count));
    else if (capability != NULL && capability->per_instance)
        (void)yaml_complain(reader->problems,
                            node,
                            "the name of a target",
                            "%s.target is missing; %s asks its instances",
                            node->path,
                            driver->driver);
}

/* clang-format off */
static void read_probe(struct settings_reader *reader, const struct yaml_node *node, void *item)
{
    read_named_driver(reader, node, DRIVER_PROBE, item);
}
static void read_source(struct settings_reader *reader, const struct yaml_node *node, void *item)
{
    read_named_driver(reader, node, DRIVER_METRIC_SOURCE, item);
}
static void read_provider(struct settings_reader *reader, const struct yaml_node *node, void *item)
{
    read_named_driver(reader, node, DRIVER_PROVIDER, item);
}
static void read_channel(struct settings_reader *reader, const struct yaml_node *node, void *item)
{
    read_named_driver(reader, node, DRIVER_CHANNEL, item);
}
/* clang-format on */

void read_drivers(struct settings_reader *reader, const struct yaml_node *root)
{
    static const struct list_spec probes = { "probes",
                                             sizeof(struct setting_driver),
                                             read_probe };
    static const struct list_spec sources = { "metric_sources",
                                              sizeof(struct setting_driver),
                                              read_source };
    static const struct list_spec providers = { "providers",
                                                sizeof(struct setting_driver),
                                                read_provider };
    static const struct list_spec channels = { "channels",
                                               sizeof(struct setting_driver),
                                               read_channel };
    struct settings *const settings = reader->settings;

    settings->probes = read_items(reader, root, &probes, &settings->probe_count);
    settings->metric_sources =
        read_items(reader, root, &sources, &settings->metric_source_count);
    settings->providers = read_items(reader, root, &providers, &settings->provider_count);
    settings->channels = read_items(reader, root, &channels, &settings->channel_count);
}
