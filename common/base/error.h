/* Why an operation failed, and what its caller is expected to do about it.
 *
 * Every function that can fail returns an enum err. Functions that talk to the outside
 * world also take a struct error as their last parameter and leave in it a sentence for
 * the operator. Base, domain and core code never logs: the one place that decides the fate
 * of a record logs the error once, with its context. */
#ifndef COMMON_BASE_ERROR_H
#define COMMON_BASE_ERROR_H

/* What becomes of the record whose handling failed. */
enum disposal {
    DISPOSE_ACK,         /* Done, or already done by someone else. */
    DISPOSE_RETRY,       /* The world is unwell; try again after a pause. */
    DISPOSE_DEAD_LETTER, /* This record can never succeed. */
    DISPOSE_HALT,        /* This process cannot be trusted; restart it. */
};

/* code, disposal, name */
#define ERR_TABLE(X)                                                                           \
    X(ERR_OK, DISPOSE_ACK, "ok")                                                               \
    X(ERR_STALE, DISPOSE_ACK, "stale")                                                         \
    X(ERR_NOT_FOUND, DISPOSE_ACK, "not found")                                                 \
    X(ERR_TIMED_OUT, DISPOSE_RETRY, "timed out")                                               \
    X(ERR_UNAVAILABLE, DISPOSE_RETRY, "unavailable")                                           \
    X(ERR_CONFLICT, DISPOSE_RETRY, "conflict")                                                 \
    X(ERR_INVALID, DISPOSE_DEAD_LETTER, "invalid")                                             \
    X(ERR_DENIED, DISPOSE_DEAD_LETTER, "denied")                                               \
    X(ERR_TOO_LARGE, DISPOSE_DEAD_LETTER, "too large")                                         \
    X(ERR_INTERNAL, DISPOSE_HALT, "internal")

enum err {
#define X(code, disposal, name) code,
    ERR_TABLE(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

enum { ERROR_TEXT_MAX = 512 };

/* A sentence for the operator. Owned by the caller; zero-initialise it. */
struct error {
    char text[ERROR_TEXT_MAX];
};

/* The name for logs and metrics, as in ERR_TABLE. */
const char *err_name(enum err code);

/* What the dispatcher does with the record. */
enum disposal err_disposal(enum err code);

/* Describe a failure. Returns code, so that a failing branch is one statement:
 *     return error_set(error, ERR_INVALID, "stage %u has no percent", stage); */
enum err error_set(struct error *error, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put what was being attempted in front of why it failed: "load plan 6adc: timed out".
 * Returns code. */
enum err error_wrap(struct error *error, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clang's path analyser sees no bodies of other files: tell it that both return their code, or
 * it follows failures into the branch of success. */
#ifdef __clang_analyzer__
#define error_set(error, code, ...)  ((void)(error_set)((error), (code), __VA_ARGS__), (code))
#define error_wrap(error, code, ...) ((void)(error_wrap)((error), (code), __VA_ARGS__), (code))
#endif

#endif
