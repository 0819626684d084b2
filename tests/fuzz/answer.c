/* Any bytes as what an instance or a metric source answers: never a crash, and never a finding
 * that is not fit for a record. */
#include "common/drivers/metric_sources/metric_source.h"
#include "common/drivers/probes/probe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes, and the status that the first of them stands for. */
struct answer {
    const uint8_t *data;
    size_t size;
};

static enum err perform(void *self,
                        struct arena *arena,
                        const struct http_request *request,
                        struct http_response *ret,
                        struct error *error)
{
    const struct answer *const answer = self;

    (void)request;
    (void)error;
    ret->status = answer->size > 0 && answer->data[0] == '!' ? 503 : 200;
    ret->body = arena_copy(arena, answer->data, answer->size);
    ret->body_length = answer->size;
    return ERR_OK;
}

static int64_t now(void *self)
{
    (void)self;
    return INT64_C(1795422240000);
}

static struct yaml_node *options(struct arena *arena,
                                 struct yaml_problems *problems,
                                 const char *text)
{
    return yaml_parse(arena, "slipway.yaml", text, strlen(text), problems);
}

static void must_fit(struct arena *arena, const Pb__Finding *finding)
{
    struct error error = { 0 };
    void *again = NULL;

    if (pb_unpack(arena, &pb__finding__descriptor, pb_pack(arena, finding), &again, &error) !=
        ERR_OK)
        abort();
}

static void ask_all(const struct driver_env *env, struct settings *settings)
{
    struct arena *const arena = env->arena;
    Pb__Pair *const version = pb_pair_new(arena, "version", "1.1");
    Pb__CheckSpec *const check = pb_new(arena, &pb__check_spec__descriptor);
    Pb__MetricCriterion *const criterion = pb_new(arena, &pb__metric_criterion__descriptor);
    struct metric_sample sample;

    check->id = "smoke.api";
    check->metric = criterion;
    PB_APPEND(arena, check, params, version);
    criterion->query = "increase(a) / a{b=\"c\"}";
    criterion->comparison = PB__COMPARISON__AT_MOST;
    for (size_t i = 0; i < settings->metric_source_count; i++) {
        criterion->source = settings->metric_sources[i].name;
        must_fit(arena, metric_answer(env, check, &sample));
    }
    (void)metric_alerts_answer(env, check);
    for (size_t i = 0; i < settings->probe_count; i++) {
        check->probe = settings->probes[i].name;
        must_fit(arena, probe_answer(env, check, NULL, 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_with_limit((size_t)256 << 20);
    struct yaml_problems *const problems = arena_alloc(&arena, sizeof *problems);
    struct answer answer = { data, size };
    struct setting_instance instance = { .name = "shop-1", .url = "http://shop-1", .side = "" };
    struct setting_target target = { .name = "shop",
                                     .instances = &instance,
                                     .instance_count = 1 };
    struct setting_driver sources[] = {
        { .name = "prom", .driver = "prometheus", .target = "" },
        { .name = "page", .driver = "scrape", .target = "shop" }
    };
    struct setting_driver probes[] = {
        { .name = "http", .driver = "http", .target = "shop" },
        { .name = "version", .driver = "version", .target = "shop" }
    };
    struct settings settings = {
        .file = "slipway.yaml",
        .targets = &target,
        .target_count = 1,
        .metric_sources = sources,
        .metric_source_count = 2,
        .probes = probes,
        .probe_count = 2,
    };
    const struct driver_env env = {
        .arena = &arena,
        .clock = { now, now, NULL },
        .http = { .self = &answer, .perform = perform },
        .settings = &settings,
    };

    problems->arena = &arena;
    sources[0].options = options(&arena, problems, "{url: \"http://p\"}");
    sources[1].options = options(&arena, problems, "{target: shop}");
    probes[0].options =
        options(&arena, problems, "{target: shop, url: \"{url}\", json: a.0.b, equals: c}");
    probes[1].options = options(&arena, problems, "{target: shop, url: \"{url}\"}");
    ask_all(&env, &settings);
    arena_release(&arena);
    return 0;
}
