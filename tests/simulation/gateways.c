#include "common/adapters/memory/heap.h"
#include "common/wire/topics.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USERS = 3 };

void gateways_open(struct world *world)
{
    for (size_t i = 0; i < GATEWAYS; i++)
        world->gateways[i] = (struct gateway){ .table = flag_table_new() };
}

void gateways_close(struct world *world)
{
    for (size_t i = 0; i < GATEWAYS; i++)
        flag_table_free(world->gateways[i].table);
}

/* --- users --- */

/* What that gateway tells users about a flag; one of them is of every audience. */
static struct glimpse look(struct world *world, size_t number, const char *flag)
{
    static Pb__Pair staff = { .base = PROTOBUF_C_MESSAGE_INIT(&pb__pair__descriptor),
                              .key = "group",
                              .value = "staff" };
    Pb__Pair *const attributes[] = { &staff };
    static const char *const users[USERS] = { "ann", "bob", "cid" };
    struct gateway *const gateway = &world->gateways[number];
    bool latched = false;
    const Pb__FlagValue *const value =
        flag_table_find(gateway->table, "production", flag, &latched);
    struct glimpse glimpse = { .order = memory_broker_published(world->broker),
                               .at_ms = world_now_ms(world),
                               .gateway = number,
                               .heard = gateway->next,
                               .flag = flag,
                               .deployment = "" };

    if (value == NULL)
        return glimpse;
    glimpse.deployment = arena_text(&world->arena, value->deployment);
    glimpse.percent = latched ? 0 : value->percent;
    for (size_t i = 0; i < USERS; i++)
        glimpse.on |= flag_evaluate(value, latched, users[i], attributes, i == 0).on;
    return glimpse;
}

static const struct glimpse *last_of(const struct world *world, size_t number, const char *flag)
{
    for (size_t i = world->history.glimpse_count; i-- > 0;) {
        const struct glimpse *const glimpse = &world->history.glimpses[i];

        if (glimpse->gateway == number && strcmp(glimpse->flag, flag) == 0)
            return glimpse;
    }
    return NULL;
}

static void look_at_all(struct world *world, size_t number)
{
    struct history *const history = &world->history;

    for (size_t i = 0; i < world->feature_count; i++) {
        const struct glimpse now = look(world, number, world->features[i].name);
        const struct glimpse *const last = last_of(world, number, now.flag);

        if (last != NULL ? last->on == now.on && last->percent == now.percent &&
                               strcmp(last->deployment, now.deployment) == 0
                         : !now.on)
            continue;
        world_tell(world,
                   "gateway-%zu answers %s: %s %u %% of %s",
                   number + 1,
                   now.flag,
                   now.on ? "on" : "off",
                   now.percent,
                   now.deployment);
        history->glimpses = heap_room(history->glimpses,
                                      history->glimpse_count,
                                      &history->glimpse_capacity,
                                      sizeof *history->glimpses);
        history->glimpses[history->glimpse_count++] = now;
    }
}

/* --- control.v1 --- */

/* As every service hears it: only what is proven. */
static const Pb__Control *hear(struct world *world, const struct bus_record *record)
{
    struct error error = { 0 };
    void *control = NULL;

    if (envelope_verify(&world->set->keys, record, NULL, &error) != ERR_OK ||
        pb_unpack(&world->scratch,
                  &pb__control__descriptor,
                  (struct pb_bytes){ record->bytes, record->length },
                  &control,
                  &error) != ERR_OK)
        return NULL;
    return control;
}

static void listen(struct world *world, size_t number)
{
    struct gateway *const gateway = &world->gateways[number];
    const struct bus_record *record;
    bool changed = false;

    while ((record = memory_broker_record(world->broker, TOPIC_CONTROL, 0, gateway->next)) !=
           NULL) {
        const Pb__Control *const control = hear(world, record);

        gateway->next++;
        if (control != NULL)
            changed |= flag_table_apply(gateway->table, record->key, control);
        if (changed)
            look_at_all(world, number);
        changed = false;
    }
}

void gateways_turn(struct world *world)
{
    for (size_t i = 0; i < GATEWAYS; i++) {
        if (world->quiet || world_now_ms(world) >= world->gateways[i].deaf_until_ms)
            listen(world, i);
    }
}

/* --- how they are asked --- */

/* "http://gateway-2/internal/v1/flags/production/one": 1 */
static bool which(const char *url, size_t *ret, const char **ret_flag)
{
    static const char start[] = "http://gateway-";
    const size_t length = sizeof start - 1;
    const char *const slash = strrchr(url, '/');

    if (strncmp(url, start, length) != 0 || url[length] < '1' || url[length] >= '1' + GATEWAYS)
        return false;
    *ret = (size_t)(url[length] - '1');
    *ret_flag = slash + 1;
    return true;
}

enum err gateways_ask(struct process *process,
                      struct arena *arena,
                      const struct http_request *request,
                      struct http_response *ret,
                      struct error *error)
{
    size_t number = 0;
    const char *flag = "";
    bool latched = false;
    const Pb__FlagValue *value;

    if (!which(request->url, &number, &flag) || !process_reaches_out(process, "gateway"))
        return error_set(error, ERR_UNAVAILABLE, "GET %s: no answer", request->url);
    value =
        flag_table_find(process->world->gateways[number].table, "production", flag, &latched);
    *ret = (struct http_response){ .status = value != NULL ? 200 : 404, .body = "" };
    if (value != NULL)
        ret->body = arena_printf(arena,
                                 "{\"percent\":%u,\"audience\":\"%s\",\"sequence\":%llu,"
                                 "\"latched\":%s,\"deployment\":\"%s\"}",
                                 latched ? 0 : value->percent,
                                 value->audience,
                                 (unsigned long long)value->sequence,
                                 latched ? "true" : "false",
                                 value->deployment);
    ret->body_length = strlen(ret->body);
    return ERR_OK;
}
