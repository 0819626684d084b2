#include "common/wire/topics.h"

enum { DAYS_7 = 7, DAYS_30 = 30 };

static int64_t days_ms(int64_t days)
{
    return days * 24 * 60 * 60 * 1000;
}

size_t topics_all(int32_t partitions, struct bus_topic ret[TOPICS_MAX])
{
    /* clang-format off */
    const struct bus_topic all[] = {
        { TOPIC_ACCEPTANCE,                partitions, days_ms(DAYS_30), false, false },
        { TOPIC_ALERTS,                    partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_EVENTS,                    partitions, -1,               false, true  },
        { TOPIC_CONTROL,                   1,          -1,               true,  false },
        { TOPIC_SIGNALS,                   partitions, days_ms(DAYS_30), false, false },
        { TOPIC_ARCHIVE,                   1,          -1,               true,  false },
        { TOPIC_DEAD_LETTER,               1,          days_ms(DAYS_30), false, false },
        { TOPIC_COMMANDS("prechecks"),     partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_COMMANDS("executor"),      partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_COMMANDS("validator"),     partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_COMMANDS("flag-rollout"),  partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_COMMANDS("monitor"),       partitions, days_ms(DAYS_7),  false, false },
        { TOPIC_COMMANDS("notifier"),      partitions, days_ms(DAYS_7),  false, false },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        ret[i] = all[i];
    return sizeof all / sizeof all[0];
}
