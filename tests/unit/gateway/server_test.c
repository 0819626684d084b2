/* The gateway with all its threads, under a web server that only keeps answers. */
#include "services/gateway/server.h"

#include "common/state/keys.h"
#include "common/wire/topics.h"
#include "services/gateway/service.h"
#include "tests/support/test.h"
#include "tests/unit/gateway/fake_web.h"
#include "tests/unit/gateway/gateway_world.h"

#include <stdio.h>

static struct fake_web web;
static struct arena answers;
static uint64_t next_id;

/* While closed, whoever asks the store waits; it opens for good. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool closed;
    int waiting;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER };

static void at_the_gate(void)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    (void)pthread_cond_broadcast(&gate.opened);
    while (gate.closed)
        (void)pthread_cond_wait(&gate.opened, &gate.lock);
    gate.waiting--;
    (void)pthread_mutex_unlock(&gate.lock);
}

static void close_gate(void)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = true;
    (void)pthread_mutex_unlock(&gate.lock);
}

static void open_gate(void)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = false;
    (void)pthread_cond_broadcast(&gate.opened);
    (void)pthread_mutex_unlock(&gate.lock);
}

static void wait_at_gate(int count)
{
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.waiting < count)
        (void)pthread_cond_wait(&gate.opened, &gate.lock);
    (void)pthread_mutex_unlock(&gate.lock);
}

static int open_all(void **state)
{
    fake_web_open(&web);
    (void)world_open(state);
    answers = arena_with_limit(1 << 20);
    next_id = 0;
    w.at_store = at_the_gate;
    gateway_service.web_started(w.gateway, fake_web_server(&web));
    return 0;
}

static int close_all(void **state)
{
    open_gate();
    gateway_service.drain(w.gateway);
    (void)world_close(state);
    arena_release(&answers);
    fake_web_close(&web);
    return 0;
}

/* Hands a request over as the web server does; what it borrows is gone afterwards. */
static enum web_answer send(const char *method, const char *path, const char *body, int *status)
{
    struct web_request request = { .id = ++next_id, .peer = "127.0.0.1", .arena = &answers };
    struct web_response response = { .status = 200 };
    char copy[512];
    enum web_answer answer;

    (void)snprintf(copy, sizeof copy, "%s", body);
    request.method = method;
    request.path = path;
    request.headers[request.header_count++] =
        (struct web_pair){ "Authorization", "Bearer token-of-rel" };
    request.body = copy;
    request.body_length = strlen(body);
    answer = gateway_service.web(w.gateway, &request, &response);
    memset(copy, '!', sizeof copy - 1);
    *status = response.status;
    return answer;
}

static const struct fake_answer *answered(void)
{
    const struct fake_answer *const found = fake_web_answer(&web, next_id);

    assert_non_null(found);
    return found;
}

static void what_asks_redis_is_answered_by_a_desk(void **state)
{
    int status;

    (void)state;
    assert_int_equal(send("GET", "/v1/deployments", "", &status), WEB_LATER);
    assert_int_equal(answered()->status, 200);
    assert_non_null(strstr(answered()->body, "\"items\":[]"));
    assert_int_equal(send("GET", "/v1/deployments/nobody", "", &status), WEB_LATER);
    assert_int_equal(answered()->status, 404);
    assert_int_equal(send("GET", "/v1/nothing", "", &status), WEB_NOW);
    assert_int_equal(status, 404);
}

static void the_body_is_the_desks_own(void **state)
{
    int status;

    (void)state;
    assert_int_equal(send("POST",
                          "/v1/freezes",
                          "{\"scope\":\"production/"
                          "*\",\"from_ms\":1,\"to_ms\":4000000000000,\"reason\":\"r\"}",
                          &status),
                     WEB_LATER);
    assert_int_equal(answered()->status, 201);
}

static void flags_and_stops_do_not_wait_for_those_who_read(void **state)
{
    int status;
    uint64_t reader;

    (void)state;
    world_grant("express-pay", "express-pay.1", 100, 1);
    world_turn();
    close_gate();
    for (int i = 0; i < 5; i++)
        assert_int_equal(send("GET", "/v1/deployments", "", &status), WEB_LATER);
    reader = next_id;
    wait_at_gate(3);
    assert_int_equal(send("POST",
                          "/ofrep/v1/evaluate/flags/express-pay",
                          "{\"context\":{\"targetingKey\":\"u\"}}",
                          &status),
                     WEB_NOW);
    assert_int_equal(status, 200);
    assert_int_equal(
        send("POST", "/v1/flags/production/express-pay/kill", "{\"reason\":\"now\"}", &status),
        WEB_LATER);
    assert_int_equal(answered()->status, 200);
    assert_int_equal(send("POST", "/v1/alertmanager", "{\"alerts\":[]}", &status), WEB_LATER);
    assert_int_equal(answered()->status, 202);
    open_gate();
    assert_int_equal(fake_web_answer(&web, reader)->status, 200);
}

static void those_for_whom_there_is_no_place_are_told_at_once(void **state)
{
    int status = 0;
    int refused = 0;

    (void)state;
    close_gate();
    for (int i = 0; i < 80; i++) {
        if (send("GET", "/v1/deployments", "", &status) == WEB_NOW) {
            assert_int_equal(status, 503);
            refused++;
        }
    }
    assert_in_range(refused, 80 - 64 - 3, 80 - 64);
    open_gate();
}

static void the_coordinators_answer_is_brought_when_it_comes(void **state)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__EXECUTING);
    static const char answer[] =
        "{\"state\":\"APPLIED\",\"version\":11,\"code\":\"\",\"detail\":\"paused\",\"remedy\":"
        "\"\",\"deployment\":\"express-pay.3\"}";
    int status;

    (void)state;
    world_store(&deployment);
    assert_int_equal(
        send("POST",
             "/v1/deployments/express-pay.3/requests",
             "{\"request\":\"r-1\",\"expected_version\":10,\"reason\":\"x\",\"pause\":{}}",
             &status),
        WEB_LATER);
    world_put(KEY_REQUEST(
                  &w.arena, bus_partition("express-pay", WORLD_PARTITIONS), "slipway:", "r-1"),
              answer,
              sizeof answer - 1);
    assert_int_equal(answered()->status, 200);
    assert_non_null(strstr(answered()->body, "\"state\":\"APPLIED\""));
}

/* Asked, and nobody answers in time. */
static void ask_in_vain(void)
{
    struct world_deployment deployment =
        world_deployment("express-pay.3", PB__PHASE__EXECUTING);
    int status;

    world_store(&deployment);
    assert_int_equal(
        send("POST",
             "/v1/deployments/express-pay.3/requests",
             "{\"request\":\"r-1\",\"expected_version\":10,\"reason\":\"x\",\"pause\":{}}",
             &status),
        WEB_LATER);
    while (fake_web_answer_now(&web, next_id) == NULL)
        memory_clock_advance(&w.clock, 100);
}

static void while_the_coordinator_is_busy_the_request_is_pending(void **state)
{
    (void)state;
    /* It goes on saying so while the clock is turned. */
    world_instance("coordinator", "coordinator-1", -(int64_t)1000000000000);
    ask_in_vain();
    assert_int_equal(answered()->status, 202);
    assert_non_null(strstr(answered()->body, "\"state\":\"PENDING\""));
}

static void without_a_coordinator_the_sender_is_told_that_it_is_recorded(void **state)
{
    (void)state;
    world_instance("coordinator", "coordinator-1", 20000);
    world_instance("executor", "executor-1", 0);
    ask_in_vain();
    assert_int_equal(answered()->status, 503);
    assert_non_null(strstr(answered()->body, "\"code\":\"no-coordinator\""));
    assert_non_null(strstr(answered()->body, "\"instance\":\"/v1/requests/r-1\""));
    assert_int_equal(world_sent_count(TOPIC_EVENTS), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(what_asks_redis_is_answered_by_a_desk),
        TEST(the_body_is_the_desks_own),
        TEST(flags_and_stops_do_not_wait_for_those_who_read),
        TEST(those_for_whom_there_is_no_place_are_told_at_once),
        TEST(the_coordinators_answer_is_brought_when_it_comes),
        TEST(while_the_coordinator_is_busy_the_request_is_pending),
        TEST(without_a_coordinator_the_sender_is_told_that_it_is_recorded),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
