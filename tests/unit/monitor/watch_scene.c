#include "tests/unit/monitor/watch_scene.h"

#include "common/wire/topics.h"
#include "tests/support/test.h"

static const char settings[] =
    "probes:\n"
    "  - {name: health, driver: http, target: shop, url: \"{url}/healthz\"}\n"
    "metric_sources:\n"
    "  - {name: pages, driver: scrape, target: shop}\n";

static enum err serve_page(void *self,
                           struct arena *arena,
                           const struct http_request *request,
                           struct http_response *ret,
                           struct error *error)
{
    const struct watch_scene *const f = self;

    (void)request;
    if (f->shop.err != ERR_OK)
        return error_set(error, f->shop.err, "down");
    ret->status = 200;
    ret->body =
        arena_printf(arena, "errors_total %g\nhits_total %g\n", f->shop.errors, f->shop.hits);
    ret->body_length = strlen(ret->body);
    return ERR_OK;
}

static void live(struct worker_world *world, int64_t elapsed_ms)
{
    struct watch_scene *const f = (struct watch_scene *)world;

    if (f->at != NULL)
        f->shop = f->at(elapsed_ms);
}

int watch_scene_open(void **state)
{
    static struct watch_scene f;
    struct memory_http_answer page = { .url = "http://shop-*/metrics",
                                       .respond = serve_page,
                                       .respond_self = &f };

    f.shop = (struct shop){ 0 };
    f.at = NULL;
    worker_world_open(&f.world, settings);
    f.world.before_step = live;
    memory_http_answer(f.world.drivers.http, &page);
    *state = &f;
    return 0;
}

int watch_scene_close(void **state)
{
    struct watch_scene *const f = *state;

    worker_world_close(&f->world);
    return 0;
}

/* A watch with one metric: errors per hit, at most 5 %, required. */
Pb__Watch *watch_of(struct watch_scene *f, const char *kind)
{
    struct arena *const arena = &f->world.drivers.arena;
    Pb__Command *const command = worker_world_command(&f->world);
    Pb__Watch *const watch = pb_new(arena, &pb__watch__descriptor);

    command->body_case = PB__COMMAND__BODY_WATCH;
    command->watch = watch;
    watch->kind = kind;
    watch->min_ms = 10000;
    watch->max_ms = 60000;
    watch->sample_every_ms = 1000;
    watch->coverage_bp = 9500;
    worker_world_begin(&f->world, command);
    return watch;
}

Pb__CheckSpec *watch_add(struct watch_scene *f,
                         Pb__Watch *watch,
                         const char *id,
                         const char *kind)
{
    Pb__CheckSpec *const check = driver_world_check(&f->world.drivers, id, "health");

    check->kind = kind;
    PB_APPEND(&f->world.drivers.arena, watch, checks, check);
    return check;
}

Pb__MetricCriterion *watch_add_metric(struct watch_scene *f, Pb__Watch *watch, const char *id)
{
    Pb__CheckSpec *const check = watch_add(f, watch, id, "metric");
    Pb__MetricCriterion *const criterion =
        pb_new(&f->world.drivers.arena, &pb__metric_criterion__descriptor);

    criterion->name = "error_rate";
    criterion->source = "pages";
    criterion->query = "increase(errors_total) / increase(hits_total)";
    criterion->comparison = PB__COMPARISON__AT_MOST;
    criterion->limit_micro = 50000;
    criterion->unit = "ratio";
    check->metric = criterion;
    return criterion;
}

void watch_add_samples(struct watch_scene *f, Pb__Watch *watch, uint64_t needed)
{
    Pb__MetricCriterion *const criterion = watch_add_metric(f, watch, "stage.min_samples");

    criterion->name = "requests";
    criterion->query = "hits_total";
    criterion->comparison = PB__COMPARISON__AT_LEAST;
    criterion->limit_micro = 0;
    criterion->samples = true;
    watch->min_samples = needed;
}

enum worker_step watch_run_steps(struct watch_scene *f, unsigned at_most)
{
    return worker_world_run(&f->world, &monitor_spec_inline, at_most);
}

void watch_run_to_end(struct watch_scene *f)
{
    assert_int_equal(watch_run_steps(f, WORKER_WORLD_STEPS_MAX), WORKER_DONE);
    assert_int_equal(f->world.task.result->outcome, PB__OUTCOME__OUTCOME_OK);
}

int64_t watch_took_ms(const struct watch_scene *f)
{
    return f->world.drivers.clock.now_ms - f->world.task.started_ms;
}

Pb__Verdict watch_verdict_of(struct watch_scene *f, const char *check)
{
    return worker_world_finding(&f->world, check)->verdict;
}

/* The incidents on the log so far, in order; the newest of them in ret. */
size_t watch_incidents_told(struct watch_scene *f, Pb__IncidentReported **ret)
{
    size_t count = 0;

    for (int32_t p = 0; p < 2; p++) {
        const struct bus_record *record;

        for (int64_t o = 0;
             (record = memory_broker_record(f->world.broker, TOPIC_EVENTS, p, o)) != NULL;
             o++) {
            struct error error = { 0 };
            void *event = NULL;

            assert_int_equal(envelope_verify(&f->world.keys,
                                             record,
                                             envelope_writers_of(PB__EVENT__BODY_INCIDENT),
                                             &error),
                             ERR_OK);
            assert_int_equal(
                p,
                bus_partition(record->key,
                              (int32_t)f->world.service.settings->kafka.partitions));
            assert_int_equal(pb_unpack(&f->world.drivers.arena,
                                       &pb__event__descriptor,
                                       (struct pb_bytes){ record->bytes, record->length },
                                       &event,
                                       &error),
                             ERR_OK);
            *ret = ((Pb__Event *)event)->incident;
            count++;
        }
    }
    return count;
}

/* --- how the shop may be --- */

struct shop shop_calm(int64_t ms)
{
    return (struct shop){ .errors = 900, .hits = 1000 + (double)ms };
}

struct shop shop_breaks_at_3s(int64_t ms)
{
    return (struct shop){ .errors = ms < 3000 ? 900 : 900 + (double)ms,
                          .hits = 1000 + (double)ms };
}

struct shop shop_hiccups_at_3s(int64_t ms)
{
    return (struct shop){ .errors = ms == 3000 ? 9000 : 900, .hits = 1000 + (double)ms };
}

struct shop shop_hiccups_at_10s(int64_t ms)
{
    return (struct shop){ .errors = ms == 10000 ? 9000 : 900, .hits = 1000 + (double)ms };
}

struct shop shop_without_users(int64_t ms)
{
    (void)ms;
    return (struct shop){ .errors = 900, .hits = 1000 };
}

struct shop shop_away_from_5s_to_15s(int64_t ms)
{
    struct shop shop = shop_calm(ms);

    shop.err = ms >= 5000 && ms < 15000 ? ERR_UNAVAILABLE : ERR_OK;
    return shop;
}

struct shop shop_recovers_after_8s(int64_t ms)
{
    const double errors = ms < 3000 ? 900 : ms < 8000 ? 900 + (double)ms : 900 + 8000;

    return (struct shop){ .errors = errors,
                          .hits = 1000 + (double)(ms < 8000 ? ms : ms * 1000) };
}
