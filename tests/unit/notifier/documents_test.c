#include "services/notifier/documents.h"

#include "tests/support/test.h"
#include "tests/unit/notifier/notifier_world.h"

#include <stdio.h>

static struct published published;
static struct error error;

static enum err publish(const char *name, const char *text)
{
    memset(&error, 0, sizeof error);
    return document_publish(&n.out.env, "express-pay.1", name, text, &published, &error);
}

static const char *contents(const char *path)
{
    static char buffer[256];
    FILE *const file = fopen(path, "r");

    assert_non_null(file);
    buffer[fread(buffer, 1, sizeof buffer - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return buffer;
}

static void a_document_is_replaced_as_a_whole(void **state)
{
    (void)state;
    assert_int_equal(publish("execution", "first"), ERR_OK);
    assert_int_equal(publish("execution", "second"), ERR_OK);
    assert_string_equal(contents(published.link), "second");
    assert_non_null(strstr(published.link, "/documents/express-pay.1/execution.md"));
    assert_string_equal(published.digest,
                        "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4");
}

static void a_name_that_leads_elsewhere_is_refused(void **state)
{
    (void)state;
    assert_int_equal(publish("../execution", "x"), ERR_INVALID);
    assert_int_equal(publish("", "x"), ERR_INVALID);
    assert_int_equal(publish(".hidden", "x"), ERR_INVALID);
    assert_int_equal(document_publish(&n.out.env, "../etc", "passwd", "x", &published, &error),
                     ERR_INVALID);
}

static void without_a_place_nothing_is_published(void **state)
{
    (void)state;
    n.out.settings.documents = "";
    assert_int_equal(publish("execution", "x"), ERR_INVALID);
    assert_non_null(strstr(error.text, "names no place for documents"));
    n.out.settings.documents = "/proc/slipway";
    assert_int_not_equal(publish("execution", "x"), ERR_OK);
}

static void over_http_it_is_put_and_read_back(void **state)
{
    (void)state;
    n.out.settings.documents = "https://docs.example/slipway";
    memory_http_forget(n.out.http);
    memory_http_answer(
        n.out.http, &(struct memory_http_answer){ .method = "PUT", .url = "*", .status = 201 });
    memory_http_answer(n.out.http,
                       &(struct memory_http_answer){
                           .method = "GET", .url = "*", .status = 200, .body = "text" });
    assert_int_equal(publish("execution", "text"), ERR_OK);
    assert_string_equal(published.link,
                        "https://docs.example/slipway/express-pay.1/execution.md");
    assert_int_equal(publish("execution", "other text"), ERR_CONFLICT);
}

static void a_place_that_refuses_is_denied(void **state)
{
    (void)state;
    n.out.settings.documents = "http://docs.example";
    fake_channels_answer(&n.out, &(struct memory_http_answer){ .url = "*", .status = 403 });
    assert_int_equal(publish("execution", "text"), ERR_DENIED);
    fake_channels_answer(&n.out, &(struct memory_http_answer){ .url = "*", .status = 507 });
    assert_int_equal(publish("execution", "text"), ERR_UNAVAILABLE);
}

#define DOCUMENT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOCUMENT_TEST(a_document_is_replaced_as_a_whole),
        DOCUMENT_TEST(a_name_that_leads_elsewhere_is_refused),
        DOCUMENT_TEST(without_a_place_nothing_is_published),
        DOCUMENT_TEST(over_http_it_is_put_and_read_back),
        DOCUMENT_TEST(a_place_that_refuses_is_denied),
    };

    return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
