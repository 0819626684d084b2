#include "common/config/feature.h"
#include "tests/support/test.h"

struct fixture {
    struct arena arena;
    Pb__AcceptanceSignedOff *acceptance; /* Passes. */
    const char *field;
    struct error error;
};

static Pb__Digest *new_digest(struct arena *arena)
{
    Pb__Digest *const digest = pb_new(arena, &pb__digest__descriptor);

    digest->algorithm = "sha256";
    digest->value = "1111111111111111111111111111111111111111111111111111111111111111";
    return digest;
}

static int setup(void **state)
{
    static struct fixture fixture;
    Pb__AcceptanceSignedOff *acceptance;
    Pb__Artifact *artifact;

    fixture = (struct fixture){ .arena = arena_with_limit(64 * 1024 * 1024) };
    acceptance = pb_new(&fixture.arena, &pb__acceptance_signed_off__descriptor);
    artifact = pb_new(&fixture.arena, &pb__artifact__descriptor);
    acceptance->feature = "pay";
    acceptance->environment = "production";
    PB_APPEND(&fixture.arena, acceptance, services, "shop");
    artifact->kind = PB__ARTIFACT_KIND__BACKEND;
    artifact->name = "shop";
    artifact->version = "1.1";
    artifact->target = "shop";
    artifact->source = "shop/1.1";
    artifact->digest = new_digest(&fixture.arena);
    PB_APPEND(&fixture.arena, acceptance, artifacts, artifact);
    fixture.acceptance = acceptance;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    arena_release(&fixture->arena);
    return 0;
}

/* What is wrong with it as it is now; "" if nothing. */
static const char *wrong_field(struct fixture *fixture)
{
    fixture->field = "";
    if (acceptance_check(
            &fixture->arena, fixture->acceptance, &fixture->field, &fixture->error) == ERR_OK)
        return "";
    return fixture->field;
}

static void a_plain_acceptance_passes(void **state)
{
    assert_string_equal(wrong_field(*state), "");
}

static void the_field_is_named(void **state)
{
    struct fixture *const fixture = *state;

    fixture->acceptance->artifacts[0]->source = "../../etc/shadow";
    assert_string_equal(wrong_field(fixture), "artifacts[0].source");
    assert_string_equal(fixture->error.text,
                        "artifacts[0].source is ../../etc/shadow; expected a path below the "
                        "target's artifact root, without ..");
}

static void a_source_stays_below_its_root(void **state)
{
    static const char *const bad[] = { "/a", "..",   "a/..", "a/../b", "./a",       "a/./b",
                                       "",   "a//b", "a/",   "a\\b",   "http://x/y" };
    static const char *const good[] = { "a", "a/b.tar.gz", "a..b/c", "1.1" };
    struct fixture *const fixture = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture->acceptance->artifacts[0]->source = bad[i];
        assert_string_equal(wrong_field(fixture), "artifacts[0].source");
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        fixture->acceptance->artifacts[0]->source = good[i];
        assert_string_equal(wrong_field(fixture), "");
    }
}

static void what_did_not_come_through_yaml_is_held_to_the_same(void **state)
{
    struct fixture *const fixture = *state;
    Pb__Artifact *const artifact = fixture->acceptance->artifacts[0];

    artifact->kind = (Pb__ArtifactKind)77;
    assert_string_equal(wrong_field(fixture), "artifacts[0].kind");
    artifact->kind = PB__ARTIFACT_KIND__BACKEND;
    artifact->on_rollback = (Pb__OnRollback)9;
    assert_string_equal(wrong_field(fixture), "artifacts[0].on_rollback");
    artifact->on_rollback = PB__ON_ROLLBACK__ON_ROLLBACK_UNSPECIFIED;
    artifact->digest->value = "ABCDEF";
    assert_string_equal(wrong_field(fixture), "artifacts[0].digest");
    artifact->digest = NULL;
    assert_string_equal(wrong_field(fixture), "artifacts[0].digest");
    artifact->digest = new_digest(&fixture->arena);
    fixture->acceptance->title = "a \x1b[31m b";
    assert_string_equal(wrong_field(fixture), "title");
}

static void too_long_a_text_is_refused(void **state)
{
    struct fixture *const fixture = *state;
    char *const text = arena_alloc(&fixture->arena, 2002);

    memset(text, 'x', 2001);
    PB_APPEND(&fixture->arena, fixture->acceptance, risks, text);
    assert_string_equal(wrong_field(fixture), "risks[0]");
    text[2000] = '\0';
    assert_string_equal(wrong_field(fixture), "");
}

/* Two bytes on the wire each: a record of 256 KiB brings more than a hundred thousand. */
static void a_flood_of_empty_things_is_refused_before_each_is_looked_at(void **state)
{
    struct fixture *const fixture = *state;
    Pb__RolloutStage *const stage = pb_new(&fixture->arena, &pb__rollout_stage__descriptor);
    enum { MANY = 130000 };

    stage->name = "one";
    stage->percent = 5;
    stage->criteria = arena_alloc(&fixture->arena, MANY * sizeof *stage->criteria);
    for (size_t i = 0; i < MANY; i++)
        stage->criteria[i] = pb_new(&fixture->arena, &pb__metric_criterion__descriptor);
    stage->n_criteria = MANY;
    PB_APPEND(&fixture->arena, fixture->acceptance, rollout, stage);
    assert_string_equal(wrong_field(fixture), "rollout[0].criteria");
    stage->n_criteria = 0;
    fixture->acceptance->services =
        arena_alloc(&fixture->arena, 17 * sizeof *fixture->acceptance->services);
    for (size_t i = 0; i < 17; i++)
        fixture->acceptance->services[i] = "shop";
    fixture->acceptance->n_services = 17;
    assert_string_equal(wrong_field(fixture), "services");
}

static void the_hash_leaves_out_who_submitted(void **state)
{
    struct fixture *const fixture = *state;
    const char *const before = acceptance_hash(&fixture->arena, fixture->acceptance);
    Pb__Actor *const actor = pb_new(&fixture->arena, &pb__actor__descriptor);

    actor->subject = "ci";
    fixture->acceptance->submitted_by = actor;
    assert_string_equal(acceptance_hash(&fixture->arena, fixture->acceptance), before);
    fixture->acceptance->ticket = "SHOP-1";
    assert_string_not_equal(acceptance_hash(&fixture->arena, fixture->acceptance), before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_plain_acceptance_passes),
        T(the_field_is_named),
        T(a_source_stays_below_its_root),
        T(what_did_not_come_through_yaml_is_held_to_the_same),
        T(too_long_a_text_is_refused),
        T(a_flood_of_empty_things_is_refused_before_each_is_looked_at),
        T(the_hash_leaves_out_who_submitted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
