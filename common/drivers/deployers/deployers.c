#include "common/drivers/deployers/deployer.h"

static const struct deployer_driver *const drivers[] = {
#define DEPLOYER(symbol, ...) &deployer_##symbol,
#include "common/config/drivers.def"
    NULL,
};

const struct deployer_driver *const *deployer_all(void)
{
    return drivers;
}

const struct deployer_driver *deployer_find(const char *name)
{
    for (size_t i = 0; drivers[i] != NULL; i++)
        if (pb_same(drivers[i]->name, name))
            return drivers[i];
    return NULL;
}

static enum err read_entry(struct arena *arena,
                           const struct setting_target *target,
                           struct deployer_entry *ret,
                           struct yaml_problems *problems)
{
    const struct deployer_driver *const driver = deployer_find(target->deployer.driver);
    bool whole;

    if (driver == NULL)
        return yaml_complain(problems,
                             target->deployer.options,
                             "",
                             "target %s: there is no deployer \"%s\"",
                             target->name,
                             target->deployer.driver);
    *ret = (struct deployer_entry){
        .target = target,
        .driver = driver,
        .config = driver_config(arena,
                                driver->target_options,
                                driver->target_config_size,
                                target->deployer.options,
                                problems),
        .instance_configs =
            arena_alloc(arena, (target->instance_count + 1) * sizeof(const void *)),
    };
    whole = ret->config != NULL;
    yaml_complain_unused(problems, target->deployer.options);
    for (size_t i = 0; i < target->instance_count; i++) {
        ret->instance_configs[i] = driver_config(arena,
                                                 driver->instance_options,
                                                 driver->instance_config_size,
                                                 target->instances[i].options,
                                                 problems);
        whole = whole && ret->instance_configs[i] != NULL;
        yaml_complain_unused(problems, target->instances[i].options);
    }
    return whole ? ERR_OK : ERR_INVALID;
}

struct deployer_book deployer_book_read(struct arena *arena,
                                        const struct settings *settings,
                                        struct yaml_problems *problems)
{
    struct deployer_entry *const entries =
        arena_alloc(arena, (settings->target_count + 1) * sizeof *entries);
    size_t count = 0;

    for (size_t i = 0; i < settings->target_count; i++)
        if (read_entry(arena, &settings->targets[i], &entries[count], problems) == ERR_OK)
            count++;
    return (struct deployer_book){ .entries = entries, .count = count };
}

const struct deployer_entry *deployer_book_find(const struct deployer_book *book,
                                                const char *target)
{
    for (size_t i = 0; i < book->count; i++)
        if (pb_same(book->entries[i].target->name, target))
            return &book->entries[i];
    return NULL;
}

struct deployer_order deployer_order_for(const struct deployer_entry *entry,
                                         const struct setting_instance *instance)
{
    struct deployer_order order = {
        .target = entry->target,
        .config = entry->config,
        .instance = instance,
    };

    if (instance != NULL)
        order.instance_config = entry->instance_configs[instance - entry->target->instances];
    return order;
}
