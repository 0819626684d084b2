#include "common/ports/bus.h"
#include "common/ports/http_client.h"
#include "tests/support/test.h"

/* The hashes are those of Apache Kafka's own UtilsTest. With 2^31 - 1 partitions the partition
 * is the hash without its sign bit. */
static void a_key_lands_where_kafkas_own_clients_put_it(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        { "21", -973932308 },
        { "foobar", -790332482 },
        { "abc", 479470107 },
        { "a-little-bit-long-string", -985981536 },
        { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int32_t positive = known[i].hash & 0x7fffffff;

        assert_int_equal(bus_partition(known[i].key, INT32_MAX), positive % INT32_MAX);
        assert_int_equal(bus_partition(known[i].key, 12), positive % 12);
    }
}

static void one_partition_takes_every_key(void **state)
{
    (void)state;
    assert_int_equal(bus_partition("", 1), 0);
    assert_int_equal(bus_partition("anything", 1), 0);
}

static void a_header_is_found_by_its_name(void **state)
{
    struct bus_record record = { .headers = { { "ce_id", "7" }, { "ce_type", "t" } },
                                 .header_count = 2 };
    struct http_response response = { .headers = { { "retry-after", "3" } },
                                      .header_count = 1 };

    (void)state;
    assert_string_equal(bus_header(&record, "ce_type"), "t");
    assert_null(bus_header(&record, "ce_source"));
    assert_string_equal(http_header(&response, "retry-after"), "3");
    assert_null(http_header(&response, "date"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_lands_where_kafkas_own_clients_put_it),
        cmocka_unit_test(one_partition_takes_every_key),
        cmocka_unit_test(a_header_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
