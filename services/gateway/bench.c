#include "services/gateway/gateway.h"

#include "common/wire/topics.h"

#include <stdatomic.h>

enum err bench_open(struct gateway *gateway, struct bench *ret, struct error *error)
{
    const struct service_ports *const ports = gateway->ports;
    struct projection *const projection = &ret->projection;

    ret->arena = arena_with_limit(GATEWAY_CALL_MEMORY);
    ret->item = arena_with_limit(GATEWAY_ITEM_MEMORY);
    ret->text = text_new(GATEWAY_ANSWER_MAX);
    projection->prefix = ports->settings->redis.prefix;
    if (ports->bus.partitions(ports->bus.self, TOPIC_EVENTS, &projection->partitions, error) !=
        ERR_OK)
        return error_wrap(error, ERR_UNAVAILABLE, "count partitions of %s", TOPIC_EVENTS);
    if (ports->open_http != NULL &&
        ports->open_http(ports->open_self, &ret->http, error) != ERR_OK)
        return error_wrap(error, ERR_UNAVAILABLE, "open an HTTP client");
    return ports->open_store(ports->open_self, &projection->store, error);
}

void bench_close(struct bench *bench)
{
    if (bench->projection.store.close != NULL)
        bench->projection.store.close(bench->projection.store.self);
    if (bench->http.close != NULL)
        bench->http.close(bench->http.self);
    arena_release(&bench->arena);
    arena_release(&bench->item);
    text_release(&bench->text);
}

void gateway_saw(struct gateway *gateway, int64_t at_ms)
{
    int64_t known_ms = gateway->as_of_ms;

    while (known_ms < at_ms &&
           !atomic_compare_exchange_weak(&gateway->as_of_ms, &known_ms, at_ms))
        continue;
}

struct gateway_call call_on(struct gateway *gateway, struct bench *bench)
{
    arena_reset(&bench->arena);
    arena_reset(&bench->item);
    text_reset(&bench->text);
    return (struct gateway_call){
        .gateway = gateway,
        .projection = &bench->projection,
        .http = bench->http.perform != NULL ? &bench->http : NULL,
        .arena = &bench->arena,
        .item = &bench->item,
        .now_ms = clock_now_ms(gateway->ports->clock),
        .out = bench->text,
    };
}

void call_done(const struct gateway_call *call, struct bench *bench)
{
    bench->text = call->out;
}

struct arena *call_item(struct gateway_call *call)
{
    arena_reset(call->item);
    return call->item;
}
