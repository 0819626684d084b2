#include "tests/simulation/judge.h"

#include "common/wire/topics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static const ProtobufCMessageDescriptor *type_of(const char *topic)
{
    /* clang-format off */
    static const struct { const char *topic; const ProtobufCMessageDescriptor *type; } types[] = {
        { TOPIC_EVENTS,      &pb__event__descriptor },
        { TOPIC_SIGNALS,     &pb__signal__descriptor },
        { TOPIC_CONTROL,     &pb__control__descriptor },
        { TOPIC_DEAD_LETTER, &pb__dead_letter__descriptor },
        { TOPIC_ALERTS,      &pb__alert_batch__descriptor },
        { TOPIC_ARCHIVE,     &pb__deployment_report__descriptor },
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].topic, topic) == 0)
            return types[i].type;
    }
    return strncmp(topic, "commands.", 9) == 0 ? &pb__command__descriptor : NULL;
}

static const char *header(const struct bus_record *record, const char *name)
{
    const char *const value = bus_header(record, name);

    return value != NULL ? value : "";
}

void judge_understand(struct judge *judge, struct said *said)
{
    const ProtobufCMessageDescriptor *const type = type_of(said->topic);
    struct error error = { 0 };
    void *message = NULL;

    if (type == NULL)
        return;
    said->poison |= said->id[0] == '\0' || strncmp(said->id, "poison", 6) == 0 ||
                    pb_unpack(judge->arena,
                              type,
                              (struct pb_bytes){ said->bytes, said->length },
                              &message,
                              &error) != ERR_OK;
    if (said->poison)
        return;
    if (type == &pb__event__descriptor)
        said->event = message;
    else if (type == &pb__signal__descriptor)
        said->signal = message;
    else if (type == &pb__control__descriptor)
        said->control = message;
    else if (type == &pb__dead_letter__descriptor)
        said->letter = message;
    else if (type == &pb__alert_batch__descriptor)
        said->alerts = message;
    else if (type == &pb__deployment_report__descriptor)
        said->report = message;
    else
        said->command = message;
}

static void read_partition(struct judge *judge,
                           struct memory_broker *broker,
                           const char *topic,
                           int32_t partition,
                           struct said *all)
{
    const struct bus_record *record;

    for (int64_t offset = 0;
         (record = memory_broker_record(broker, topic, partition, offset)) != NULL;
         offset++) {
        const int64_t order = memory_broker_order(broker, topic, partition, offset);
        struct said *const said = &all[order];

        *said = (struct said){ .order = order,
                               .at_ms = record->at_ms,
                               .topic = topic,
                               .partition = partition,
                               .offset = offset,
                               .key = record->key,
                               .id = header(record, "ce_id"),
                               .writer = header(record, "ce_writer"),
                               .bytes = record->bytes,
                               .length = record->length };
        judge_understand(judge, said);
    }
}

static void read_lost(struct judge *judge, struct said *all)
{
    for (size_t i = 0; i < judge->history->lost_count; i++) {
        const struct lost_record *const lost = &judge->history->lost[i];
        struct said *const said = &all[lost->order];

        *said = (struct said){ .order = lost->order,
                               .at_ms = lost->at_ms,
                               .topic = TOPIC_EVENTS,
                               .partition = lost->partition,
                               .offset = lost->offset,
                               .key = lost->key,
                               .id = lost->id,
                               .writer = lost->writer,
                               .bytes = lost->bytes,
                               .length = lost->length };
        judge_understand(judge, said);
    }
}

void judge_read(struct judge *judge, struct memory_broker *broker, int32_t partitions)
{
    static struct bus_topic topics[TOPICS_MAX];
    const size_t count = topics_all(partitions, topics);
    struct said *const all =
        arena_alloc(judge->arena, ((size_t)memory_broker_published(broker) + 1) * sizeof *all);

    for (size_t t = 0; t < count; t++) {
        for (int32_t p = 0; p < topics[t].partitions; p++)
            read_partition(judge, broker, topics[t].name, p, all);
    }
    read_lost(judge, all);
    judge->said = all;
    judge->count = (size_t)memory_broker_published(broker);
}

/* --- words for rules --- */

bool judge_broken(struct judge *judge, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(judge->sentence, sizeof judge->sentence, format, arguments);
    va_end(arguments);
    return false;
}

uint32_t judge_step(const char *task)
{
    const char *const slash = strchr(task, '/');

    return slash != NULL ? (uint32_t)strtoul(slash + 1, NULL, 10) : 0;
}

uint64_t judge_version(const struct said *said, const char *deployment)
{
    const size_t length = strlen(deployment);

    if (strncmp(said->id, deployment, length) != 0 || said->id[length] != '.')
        return 0;
    return strtoull(said->id + length + 1, NULL, 10);
}

const Pb__Plan *judge_plan(const struct judge *judge, const Pb__Command *command)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_PLAN_COMPILED &&
            event->plan_compiled->plan != NULL &&
            pb_same(event->deployment, command->deployment) &&
            pb_same(event->plan_compiled->plan_hash, command->plan_hash))
            return event->plan_compiled->plan;
    }
    return NULL;
}

const Pb__Plan *judge_plan_of(const struct judge *judge, const char *deployment)
{
    for (size_t i = judge->count; i-- > 0;) {
        const Pb__Command *const command = judge->said[i].command;

        if (command != NULL && pb_same(command->deployment, deployment) &&
            command->plan_hash[0] != '\0')
            return judge_plan(judge, command);
    }
    return NULL;
}

const Pb__DeploymentReport *judge_report(const struct judge *judge, const char *deployment)
{
    for (size_t i = judge->count; i-- > 0;) {
        const Pb__DeploymentReport *const report = judge->said[i].report;

        if (report != NULL && report->state != NULL && pb_same(report->state->id, deployment))
            return report;
    }
    return NULL;
}

static int by_id(const void *left, const void *right)
{
    const struct said *const a = *(const struct said *const *)left;
    const struct said *const b = *(const struct said *const *)right;
    const int ids = strcmp(a->id, b->id);

    return ids != 0 ? ids : (a->order > b->order) - (a->order < b->order);
}

static void sort_events(struct judge *judge)
{
    judge->events = arena_alloc(judge->arena, (judge->count + 1) * sizeof *judge->events);
    for (size_t i = 0; i < judge->count; i++) {
        if (judge->said[i].event != NULL)
            judge->events[judge->event_count++] = &judge->said[i];
    }
    qsort(judge->events, judge->event_count, sizeof *judge->events, by_id);
}

const struct said *judge_event(const struct judge *judge, const char *id)
{
    size_t low = 0;
    size_t high = id[0] != '\0' ? judge->event_count : 0;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(judge->events[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return id[0] != '\0' && low < judge->event_count && strcmp(judge->events[low]->id, id) == 0
               ? judge->events[low]
               : NULL;
}

const Pb__DeploymentReport *judge_next_report(const struct judge *judge, size_t *at)
{
    while (*at < judge->count) {
        const Pb__DeploymentReport *const report = judge->said[(*at)++].report;

        if (report != NULL && report->state != NULL &&
            judge_report(judge, report->state->id) == report)
            return report;
    }
    return NULL;
}

bool judge_ended_well(const struct judge *judge, const char *task, int64_t before)
{
    for (size_t i = 0; i < (size_t)before; i++) {
        const Pb__Event *const event = judge->said[i].event;

        if (event != NULL && event->body_case == PB__EVENT__BODY_TASK_FINISHED &&
            event->task_finished->outcome == PB__OUTCOME__OUTCOME_OK &&
            pb_same(event->task_finished->task, task))
            return true;
    }
    return false;
}

bool judge_was_available(const struct judge *judge, const struct said *end, uint32_t percent)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const signal = judge->said[i].signal;

        if (signal != NULL && signal->body_case == PB__SIGNAL__BODY_FEATURE_AVAILABLE &&
            signal->feature_available->percent == percent &&
            pb_same(signal->deployment, end->signal->deployment) &&
            signal->sequence < end->signal->sequence)
            return true;
    }
    return false;
}

const struct said *judge_signal(const struct judge *judge,
                                const char *deployment,
                                Pb__Signal__BodyCase body)
{
    for (size_t i = 0; i < judge->count; i++) {
        const Pb__Signal *const signal = judge->said[i].signal;

        if (signal != NULL && signal->body_case == body &&
            strcmp(signal->deployment, deployment) == 0)
            return &judge->said[i];
    }
    return NULL;
}

/* False: nobody wants to know of more. */
static bool note(struct judge *judge, const struct rule *rule)
{
    if (judge->rule == NULL)
        judge->rule = rule->name;
    else
        judge->also(rule->name);
    return judge->also != NULL;
}

bool judge_all(struct judge *judge)
{
    static const struct rule *const whole[] = {
        rules_of_records, rules_of_steps,     rules_of_flags, rules_of_lanes, rules_of_undo,
        rules_of_ends,    rules_of_timelines, rules_of_words, rules_of_tasks, NULL
    };
    static const struct rule *const adopted[] = { rules_of_records, rules_of_steps,
                                                  rules_of_flags,   rules_of_undo,
                                                  rules_of_words,   NULL };
    static const struct rule *const rebuilt[] = { rules_of_latches, NULL };
    const struct rule *const *const books = judge->history->log_fate == LOG_WHOLE     ? whole
                                            : judge->history->log_fate == LOG_ADOPTED ? adopted
                                                                                      : rebuilt;

    sort_events(judge);
    for (size_t b = 0; books[b] != NULL; b++) {
        for (const struct rule *rule = books[b]; rule->name != NULL; rule++) {
            if (!rule->holds(judge) && !note(judge, rule))
                return false;
        }
    }
    return judge->rule == NULL;
}
