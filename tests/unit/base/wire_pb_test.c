#include "common/wire/digest.h"
#include "common/wire/pb.h"
#include "tests/support/test.h"

static void a_message_survives_packing(void **state)
{
    struct arena arena = arena_with_limit(1 << 20);
    Pb__Event *event = pb_new(&arena, &pb__event__descriptor);
    struct error error = { 0 };
    void *back = NULL;

    (void)state;
    event->deployment = "express-pay.3";
    event->body_case = PB__EVENT__BODY_TIMER_FIRED;
    event->timer_fired = pb_new(&arena, &pb__timer_fired__descriptor);
    event->timer_fired->timer = "phase";
    assert_int_equal(
        pb_unpack(&arena, &pb__event__descriptor, pb_pack(&arena, event), &back, &error),
        ERR_OK);
    assert_string_equal(((Pb__Event *)back)->timer_fired->timer, "phase");
    arena_release(&arena);
}

static void text_that_is_not_utf8_or_holds_a_nul_is_refused(void **state)
{
    static const uint8_t not_utf8[] = { 0x0a, 2, 0xc0, 0x80 };
    static const uint8_t later[] = {
        0x0a, 10, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 0xff
    };
    static const uint8_t with_nul[] = { 0x0a, 3, 'a', 0, 'b' };
    struct arena arena = arena_with_limit(1 << 20);
    struct error error = { 0 };
    void *back = NULL;

    (void)state;
    assert_int_equal(pb_unpack(&arena,
                               &pb__digest__descriptor,
                               (struct pb_bytes){ not_utf8, sizeof not_utf8 },
                               &back,
                               &error),
                     ERR_INVALID);
    assert_string_equal(error.text, "algorithm: text is not UTF-8");
    assert_int_equal(pb_unpack(&arena,
                               &pb__digest__descriptor,
                               (struct pb_bytes){ later, sizeof later },
                               &back,
                               &error),
                     ERR_INVALID);
    assert_int_equal(pb_unpack(&arena,
                               &pb__digest__descriptor,
                               (struct pb_bytes){ with_nul, sizeof with_nul },
                               &back,
                               &error),
                     ERR_INVALID);
    arena_release(&arena);
}

static Pb__TaskFinished *finished_with_everything(struct arena *arena)
{
    static const uint8_t noise[] = { 0, 1, 2 };
    Pb__TaskFinished *const finished = pb_new(arena, &pb__task_finished__descriptor);
    Pb__Finding *const finding = pb_new(arena, &pb__finding__descriptor);

    finding->check = "pods.ready";
    finished->task = "one.1/3/1/0";
    finished->samples = 7;
    PB_APPEND(arena, finished, findings, finding);
    finished->base.n_unknown_fields = 1;
    finished->base.unknown_fields = arena_alloc(arena, sizeof *finished->base.unknown_fields);
    finished->base.unknown_fields[0] = (ProtobufCMessageUnknownField){
        .tag = 4000,
        .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        .len = sizeof noise,
        .data = (uint8_t *)arena_copy(arena, noise, sizeof noise),
    };
    /* How many bytes follow is a part of what is kept. */
    finished->base.unknown_fields[0].data[0] = sizeof noise - 1;
    return finished;
}

static void a_clone_is_the_same_bytes_and_shares_no_memory(void **state)
{
    struct arena arena = arena_with_limit(1 << 20);
    struct arena other = arena_with_limit(1 << 20);
    Pb__Event *const event = pb_new(&other, &pb__event__descriptor);
    struct pb_bytes before;
    struct pb_bytes after;
    Pb__Event *copy;

    (void)state;
    event->deployment = arena_text(&other, "one.1");
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    event->task_finished = finished_with_everything(&other);
    before = pb_pack(&arena, event);
    copy = pb_clone(&arena, event);
    copy->task_finished->findings[0]->check = "else";
    assert_string_equal(event->task_finished->findings[0]->check, "pods.ready");
    copy = pb_clone(&arena, event);
    arena_release(&other);
    after = pb_pack(&arena, copy);
    assert_int_equal(after.length, before.length);
    assert_memory_equal(after.bytes, before.bytes, before.length);
    arena_release(&arena);
}

static void a_clone_of_a_choice_without_content_has_not_chosen(void **state)
{
    struct arena arena = arena_with_limit(1 << 20);
    Pb__Event *const event = pb_new(&arena, &pb__event__descriptor);
    const Pb__Event *copy;

    (void)state;
    event->deployment = NULL;
    event->body_case = PB__EVENT__BODY_TASK_FINISHED;
    copy = pb_clone(&arena, event);
    assert_int_equal(copy->body_case, PB__EVENT__BODY__NOT_SET);
    assert_string_equal(copy->deployment, "");
    arena_release(&arena);
}

static void appending_leaves_the_copied_array_alone(void **state)
{
    struct arena arena = arena_with_limit(1 << 20);
    Pb__Actor *before = pb_new(&arena, &pb__actor__descriptor);
    Pb__Actor after;

    (void)state;
    PB_APPEND(&arena, before, roles, "a");
    after = *before;
    PB_APPEND(&arena, &after, roles, "b");
    assert_int_equal(before->n_roles, 1);
    assert_int_equal(after.n_roles, 2);
    PB_REMOVE(&after, roles, 0);
    assert_string_equal(after.roles[0], "b");
    arena_release(&arena);
}

static void digests_agree_with_published_vectors(void **state)
{
    char hex[DIGEST_HEX_SIZE];

    (void)state;
    digest_sha256("abc", 3, hex);
    assert_string_equal(hex,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(digest_equal(hex, hex));
    assert_false(digest_equal(hex, "ba"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_survives_packing),
        cmocka_unit_test(text_that_is_not_utf8_or_holds_a_nul_is_refused),
        cmocka_unit_test(a_clone_is_the_same_bytes_and_shares_no_memory),
        cmocka_unit_test(a_clone_of_a_choice_without_content_has_not_chosen),
        cmocka_unit_test(appending_leaves_the_copied_array_alone),
        cmocka_unit_test(digests_agree_with_published_vectors),
    };

    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
