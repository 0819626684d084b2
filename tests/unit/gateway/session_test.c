/* Signing in with a browser: what the cookie lets do, and what other sites cannot. */
#include "tests/support/test.h"
#include "tests/unit/gateway/gateway_world.h"

#include <stdio.h>

#define OWN  "Origin: http://127.0.0.1:8080"
#define JSON "Content-Type: application/json"
#define LIFT "/v1/freezes/none"

static int open_world(void **state)
{
    (void)world_open(state);
    w.settings.gateway.public_url = "http://127.0.0.1:8080/";
    w.gateway->control_complete = true;
    return 0;
}

/* "Cookie: ..." as a browser sends it back. */
static const char *sign_in(const char *token)
{
    const struct asked asked = { .method = "POST",
                                 .target = "/v1/login",
                                 .body = arena_printf(&w.arena, "{\"token\":\"%s\"}", token),
                                 .headers = { JSON } };

    assert_int_equal(world_ask(&asked), 200);
    return arena_printf(&w.arena,
                        "Cookie: other=1; %s",
                        arena_copy(&w.arena, w.call.cookie, strcspn(w.call.cookie, ";")));
}

static int me(const char *cookie)
{
    return world_ask(&(struct asked){ .target = "/v1/me", .headers = { cookie } });
}

static void a_cookie_speaks_for_whoever_signed_in(void **state)
{
    const char *const cookie = sign_in("token-of-tess");

    (void)state;
    assert_string_equal(world_text("subject"), "tess");
    assert_non_null(strstr(w.call.cookie, "__Host-slipway="));
    assert_non_null(strstr(w.call.cookie, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
    assert_non_null(strstr(w.call.cookie, "Max-Age=28800"));
    assert_null(strstr(w.call.cookie, "token-of-tess"));
    assert_int_equal(me(cookie), 200);
    assert_string_equal(world_text("subject"), "tess");
}

static void it_holds_for_eight_hours(void **state)
{
    const char *const cookie = sign_in("token-of-tess");

    (void)state;
    memory_clock_advance(&w.clock, (int64_t)8 * 60 * 60 * 1000 - 1);
    assert_int_equal(me(cookie), 200);
    memory_clock_advance(&w.clock, 1);
    assert_int_equal(me(cookie), 401);
}

/* Each byte of it counts: whose it is, until when, and the proof. */
static void a_cookie_that_was_changed_is_none(void **state)
{
    const char *const cookie = sign_in("token-of-tess");
    const char *const value = strstr(cookie, "__Host-slipway=") + strlen("__Host-slipway=");

    (void)state;
    for (size_t i = 0; value[i] != '\0'; i++) {
        char *const changed = arena_copy(&w.arena, cookie, strlen(cookie));

        changed[value - cookie + (ptrdiff_t)i] = value[i] == '1' ? '2' : '1';
        assert_int_equal(me(changed), 401);
    }
    assert_int_equal(me("Cookie: __Host-slipway=..."), 401);
    assert_int_equal(me("Cookie: __Host-slipway"), 401);
    assert_int_equal(me(cookie), 200);
}

static int lift(const char *cookie, const char *more, const char *type)
{
    return world_ask(&(struct asked){
        .method = "DELETE", .target = LIFT, .headers = { cookie, more, type } });
}

static void a_change_with_a_cookie_comes_from_our_own_page(void **state)
{
    const char *const cookie = sign_in("token-of-rel");
    static const char *const others[] = { "Origin: https://evil.example",
                                          "Origin: null",
                                          "Origin: http://127.0.0.1:80801",
                                          "Origin: http://127.0.0.1:808",
                                          "Referer: http://127.0.0.1:8080/" };

    (void)state;
    assert_int_equal(lift(cookie, OWN, NULL), 404);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(lift(cookie, others[i], NULL), 403);
        assert_string_equal(world_text("code"), "wrong-origin");
    }
    assert_int_equal(lift("Authorization: Bearer token-of-rel", others[0], NULL), 404);
}

static int hand_in(const char *cookie, const char *type)
{
    return world_ask(&(struct asked){ .method = "POST",
                                      .target = "/v1/deployments?dry_run=true",
                                      .body = "{}",
                                      .headers = { cookie, OWN, type } });
}

static void a_change_with_a_cookie_is_json(void **state)
{
    const char *const cookie = sign_in("token-of-ci");

    (void)state;
    assert_int_equal(hand_in(cookie, "Content-Type: application/yaml"), 403);
    assert_int_equal(hand_in(cookie, "Content-Type: text/plain"), 403);
    assert_int_equal(hand_in(cookie, NULL), 403);
    assert_int_equal(hand_in(cookie, JSON), 422);
    assert_int_equal(hand_in(cookie, JSON "; charset=utf-8"), 422);
}

static void a_token_that_is_wrong_is_not_saved_by_a_cookie(void **state)
{
    const char *const cookie = sign_in("token-of-rel");

    (void)state;
    assert_int_equal(
        world_ask(&(struct asked){ .target = "/v1/me",
                                   .headers = { "Authorization: Bearer stolen", cookie } }),
        401);
}

static void no_other_site_signs_anybody_in(void **state)
{
    (void)state;
    assert_int_equal(
        world_ask(&(struct asked){ .method = "POST",
                                   .target = "/v1/login",
                                   .body = "{\"token\":\"token-of-rel\"}",
                                   .headers = { JSON, "Origin: https://evil.example" } }),
        403);
    assert_null(w.call.cookie);
    assert_int_equal(world_ask(&(struct asked){ .method = "POST",
                                                .target = "/v1/login",
                                                .body = "{\"token\":\"token-of-rel\"}" }),
                     415);
    assert_null(w.call.cookie);
}

static void signing_out_makes_the_browser_forget(void **state)
{
    (void)state;
    assert_int_equal(world_ask(&(struct asked){ .method = "DELETE", .target = "/v1/login" }),
                     204);
    assert_non_null(strstr(w.call.cookie, "__Host-slipway=;"));
    assert_non_null(strstr(w.call.cookie, "Max-Age=0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_cookie_speaks_for_whoever_signed_in),
        TEST(it_holds_for_eight_hours),
        TEST(a_cookie_that_was_changed_is_none),
        TEST(a_change_with_a_cookie_comes_from_our_own_page),
        TEST(a_change_with_a_cookie_is_json),
        TEST(a_token_that_is_wrong_is_not_saved_by_a_cookie),
        TEST(no_other_site_signs_anybody_in),
        TEST(signing_out_makes_the_browser_forget),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
