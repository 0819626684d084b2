/* C11 threads on POSIX threads, for builds with the thread sanitizer only: Debian's librdkafka
 * uses the C library's, which the sanitizer does not see, and crashes at the first one. Linked
 * into every program, these stand in front of the C library's. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex fits");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition fits");

struct start {
    thrd_start_t function;
    void *argument;
};

static int outcome(int code)
{
    switch (code) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
    }
}

static pthread_mutex_t *mutex(mtx_t *of)
{
    return (pthread_mutex_t *)(void *)of;
}

static pthread_cond_t *condition(cnd_t *of)
{
    return (pthread_cond_t *)(void *)of;
}

static void *start_run(void *argument)
{
    struct start start = *(struct start *)argument;

    free(argument);
    return (void *)(intptr_t)start.function(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct start *start = malloc(sizeof *start);

    if (start == NULL)
        return thrd_nomem;
    *start = (struct start){ function, argument };
    return outcome(pthread_create((pthread_t *)thread, NULL, start_run, start));
}

int thrd_join(thrd_t thread, int *ret)
{
    void *value = NULL;
    int code = pthread_join((pthread_t)thread, &value);

    if (ret != NULL)
        *ret = (int)(intptr_t)value;
    return outcome(code);
}

int thrd_detach(thrd_t thread)
{
    return outcome(pthread_detach((pthread_t)thread));
}

thrd_t thrd_current(void)
{
    return (thrd_t)pthread_self();
}

int mtx_init(mtx_t *of, int kind)
{
    pthread_mutexattr_t attributes;
    bool recursive = (kind & mtx_recursive) != 0;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes,
                              recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int code = pthread_mutex_init(mutex(of), &attributes);

    pthread_mutexattr_destroy(&attributes);
    return outcome(code);
}

void mtx_destroy(mtx_t *of)
{
    pthread_mutex_destroy(mutex(of));
}

int mtx_lock(mtx_t *of)
{
    return outcome(pthread_mutex_lock(mutex(of)));
}

int mtx_trylock(mtx_t *of)
{
    return outcome(pthread_mutex_trylock(mutex(of)));
}

int mtx_unlock(mtx_t *of)
{
    return outcome(pthread_mutex_unlock(mutex(of)));
}

int cnd_init(cnd_t *of)
{
    return outcome(pthread_cond_init(condition(of), NULL));
}

void cnd_destroy(cnd_t *of)
{
    pthread_cond_destroy(condition(of));
}

int cnd_signal(cnd_t *of)
{
    return outcome(pthread_cond_signal(condition(of)));
}

int cnd_broadcast(cnd_t *of)
{
    return outcome(pthread_cond_broadcast(condition(of)));
}

int cnd_wait(cnd_t *of, mtx_t *lock)
{
    return outcome(pthread_cond_wait(condition(of), mutex(lock)));
}

int cnd_timedwait(cnd_t *restrict of,
                  mtx_t *restrict lock,
                  const struct timespec *restrict until)
{
    return outcome(pthread_cond_timedwait(condition(of), mutex(lock), until));
}
