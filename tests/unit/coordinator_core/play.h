/* A deployment played event by event, without a shell, and written down as a story.
 *
 * Each line is one event: when it came, what it was, what became of it, where the deployment
 * stands then, and what goes out into the world:
 *     [  12] checks PASS -> EXECUTING apply: apply(executor) 0.0 */
#ifndef TESTS_UNIT_COORDINATOR_CORE_PLAY_H
#define TESTS_UNIT_COORDINATOR_CORE_PLAY_H

#include "common/base/text.h"
#include "services/coordinator/core/procedure.h"
#include "tests/support/test.h"

struct play {
    struct arena arena;
    Pb__Plan *plan;
    Pb__DeploymentState *state;   /* NULL before birth. */
    struct procedure_output last; /* Of the newest event. */
    enum procedure_answer answer;
    int64_t now_ms;
    uint64_t events;
    uint64_t grants;
    const char *top;    /* Of every lane, as the next grant will name it. */
    const char *silent; /* A check that no worker answers in silent_step; NULL: none. */
    uint32_t silent_step;
    const Pb__Command *asked;       /* The newest command of the running task. */
    const Pb__AttemptCreated *wish; /* The newest that went to the feature. */
    char bytes[32 * 1024];
    struct text story;

    /* Hears every event before the deployment does. May be NULL. */
    void (*witness)(void *self, const struct procedure_input *input);
    void *witness_self;
};

/* Two changes in three batches with health and bake, two stages, every step with a check. */
Pb__Plan *play_plan(struct arena *arena);

void play_open(struct play *play);
void play_close(struct play *play);

/* For cmocka: a fresh play a test. */
int play_setup(void **state);
int play_teardown(void **state);
#define PLAY(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

/* --- one event each; all return what became of it --- */

enum procedure_answer play_event(struct play *play, const char *label, Pb__Event *event);
enum procedure_answer play_birth(struct play *play);

/* The shell's answer to EFFECT_COMPILE: play->plan. */
enum procedure_answer play_compiled(struct play *play);
enum procedure_answer play_missing(struct play *play, const char *input);

/* The running task ends: every check it was asked answers with that verdict; for
 * OUTCOME_ERROR it reports nothing. */
enum procedure_answer play_finish(struct play *play, Pb__Verdict verdict);
enum procedure_answer play_error(struct play *play);
enum procedure_answer play_lost(struct play *play);

/* The newest lane request is granted. */
enum procedure_answer play_granted(struct play *play);

/* The timer of that name fires, at its time. */
enum procedure_answer play_timer(struct play *play, const char *timer);
enum procedure_answer play_hold(struct play *play, Pb__HoldKind kind, bool set);
enum procedure_answer play_incident(struct play *play,
                                    const char *cause,
                                    Pb__Severity severity,
                                    bool open);
enum procedure_answer play_kill_seen(struct play *play);

/* --- requests: by a person of that role, who is named like it --- */

Pb__OperatorRequest *play_request_new(struct play *play,
                                      Pb__OperatorRequest__BodyCase body,
                                      const char *role);
enum procedure_answer play_request(struct play *play, Pb__OperatorRequest *request);

/* With everything that the request needs, in the release-engineer's name. */
enum procedure_answer play_plain(struct play *play, Pb__OperatorRequest__BodyCase body);
enum procedure_answer play_approve(struct play *play, const char *role);
enum procedure_answer play_signoff(struct play *play,
                                   uint32_t step,
                                   const char *role,
                                   bool accept);
enum procedure_answer play_attest(struct play *play,
                                  const char *check,
                                  const char *role,
                                  Pb__Verdict verdict);
enum procedure_answer play_waive(struct play *play, const char *check);

/* --- many events: play well until the deployment is there --- */

/* Every task PASSes, every lane is granted, people do what they are waited for, until phase and
 * step are reached. Fails the test if they are not. */
void play_until(struct play *play, Pb__Phase phase, uint32_t step);
void play_until_sub(struct play *play, Pb__Phase phase, Pb__Sub sub);

/* One event of that kind. False if nothing is left to do. */
bool play_well(struct play *play);

/* Undo well to the end. */
void play_out(struct play *play);

/* --- looking --- */

const Pb__TaskState *play_task(const struct play *play);
bool play_has_timer(const struct play *play, const char *timer);
bool play_said(const struct play *play, enum effect_kind kind, const char *word);
const char *play_code(const struct play *play); /* Of the refusal. */

/* Forget the story so far. */
void play_quiet(struct play *play);

/* One effect in words; "" for those that a story leaves out. */
const char *effect_words(struct play *play, const struct effect *effect);

#define CHECK_STORY(play, expected) assert_string_equal((play)->story.bytes, (expected))

#endif
