#include "common/adapters/httpd/internal.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 512,
    PER_ADDRESS = 256,
    HEAD_MAX = 16 * 1024,
    REQUEST_MS = 10000,
    IDLE_MS = 75000,
    TICK_MS = 200,
    LAST_WORDS_MS = 500, /* For what is still to be sent when the server stops. */
};

/* Besides the ids of streams, which are larger. */
enum { EVENT_LIBRARY = 1, EVENT_WAKE = 2 };

int64_t httpd_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void visitor_comes_or_goes(void *self,
                                  struct MHD_Connection *connection,
                                  void **context,
                                  enum MHD_ConnectionNotificationCode code)
{
    struct httpd *const httpd = self;
    struct visitor *visitor = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        visitor = calloc(1, sizeof *visitor);
        if (visitor == NULL)
            abort();
        visitor->fd =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        visitor->since_ms = httpd_now_ms();
        visitor->next = httpd->visitors;
        if (visitor->next != NULL)
            visitor->next->previous = visitor;
        httpd->visitors = visitor;
        *context = visitor;
        return;
    }
    if (visitor->next != NULL)
        visitor->next->previous = visitor->previous;
    if (visitor->previous != NULL)
        visitor->previous->next = visitor->next;
    else
        httpd->visitors = visitor->next;
    free(visitor);
}

/* The library's own timeout is restarted by every byte; this one is not. */
static void hang_up_on_slow_visitors(struct httpd *httpd)
{
    const int64_t now_ms = httpd_now_ms();

    for (struct visitor *visitor = httpd->visitors; visitor != NULL; visitor = visitor->next) {
        const int limit_ms = visitor->idle ? httpd->options.idle_ms : httpd->options.request_ms;

        if (!visitor->busy && now_ms - visitor->since_ms > limit_ms)
            (void)shutdown(visitor->fd, SHUT_RDWR);
    }
}

static int wait_ms(struct httpd *httpd)
{
    MHD_UNSIGNED_LONG_LONG library_ms;

    if (MHD_get_timeout(httpd->daemon, &library_ms) == MHD_YES && library_ms < TICK_MS)
        return (int)library_ms;
    return TICK_MS;
}

static bool is_stopping(struct httpd *httpd)
{
    bool stopping;

    (void)pthread_mutex_lock(&httpd->lock);
    stopping = httpd->stopping;
    (void)pthread_mutex_unlock(&httpd->lock);
    return stopping;
}

void httpd_wake(struct httpd *httpd)
{
    const uint64_t one = 1;

    /* It fails only when it is set already, as often as a counter can count. */
    if (write(httpd->wake, &one, sizeof one) < 0)
        return;
}

static void calm(struct httpd *httpd)
{
    uint64_t count;

    if (read(httpd->wake, &count, sizeof count) < 0)
        return;
}

static void turn(struct httpd *httpd, int64_t *tick_ms)
{
    struct epoll_event events[16];
    const int count = epoll_wait(httpd->epoll, events, 16, wait_ms(httpd));

    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 > EVENT_WAKE)
            exchange_hung_up(httpd, events[i].data.u64);
        else if (events[i].data.u64 == EVENT_WAKE)
            calm(httpd);
    }
    (void)MHD_run(httpd->daemon);
    if (httpd_now_ms() - *tick_ms >= TICK_MS) {
        *tick_ms = httpd_now_ms();
        exchanges_tick(httpd, false);
        hang_up_on_slow_visitors(httpd);
    }
}

static bool somebody_is_served(const struct httpd *httpd)
{
    for (const struct visitor *visitor = httpd->visitors; visitor != NULL;
         visitor = visitor->next) {
        if (visitor->busy)
            return true;
    }
    return false;
}

static void *run(void *self)
{
    struct httpd *const httpd = self;
    int64_t tick_ms = httpd_now_ms();
    int64_t deadline_ms;

    while (!is_stopping(httpd))
        turn(httpd, &tick_ms);
    (void)close(MHD_quiesce_daemon(httpd->daemon));
    exchanges_tick(httpd, true);
    deadline_ms = httpd_now_ms() + LAST_WORDS_MS;
    (void)MHD_run(httpd->daemon);
    while (somebody_is_served(httpd) && httpd_now_ms() < deadline_ms)
        turn(httpd, &tick_ms);
    return NULL;
}

static void use_defaults(struct httpd_options *options)
{
    if (options->connections == 0)
        options->connections = CONNECTIONS;
    if (options->per_address == 0)
        options->per_address = PER_ADDRESS;
    if (options->body_max == 0)
        options->body_max = WEB_BODY_MAX;
    if (options->head_max == 0)
        options->head_max = HEAD_MAX;
    if (options->request_ms == 0)
        options->request_ms = REQUEST_MS;
    if (options->idle_ms == 0)
        options->idle_ms = IDLE_MS;
}

static struct MHD_Daemon *start_library(struct httpd *httpd, int listener)
{
    const struct httpd_options *const options = &httpd->options;

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME,
                            0,
                            NULL,
                            NULL,
                            request_comes,
                            httpd,
                            MHD_OPTION_LISTEN_SOCKET,
                            listener,
                            MHD_OPTION_NOTIFY_CONNECTION,
                            visitor_comes_or_goes,
                            httpd,
                            MHD_OPTION_URI_LOG_CALLBACK,
                            request_begins,
                            httpd,
                            MHD_OPTION_NOTIFY_COMPLETED,
                            request_ends,
                            httpd,
                            MHD_OPTION_CONNECTION_LIMIT,
                            options->connections,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                            options->per_address,
                            MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)(options->request_ms + 999) / 1000,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            options->head_max,
                            MHD_OPTION_STRICT_FOR_CLIENT,
                            1,
                            MHD_OPTION_END);
}

static bool watch(int epoll, int fd, uint64_t what)
{
    struct epoll_event event = { .events = EPOLLIN };

    event.data.u64 = what;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* The thread takes no signals: they are for the one that waits for them. */
static bool start_thread(struct httpd *httpd)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    httpd->running = pthread_create(&httpd->thread, NULL, run, httpd) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return httpd->running;
}

static bool start(struct httpd *httpd, int listener)
{
    httpd->epoll = epoll_create1(EPOLL_CLOEXEC);
    httpd->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    httpd->exchanges = calloc(httpd->exchange_count, sizeof *httpd->exchanges);
    if (httpd->epoll < 0 || httpd->wake < 0 || httpd->exchanges == NULL)
        return false;
    httpd->daemon = start_library(httpd, listener);
    if (httpd->daemon == NULL)
        return false;
    return watch(httpd->epoll,
                 MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                 EVENT_LIBRARY) &&
           watch(httpd->epoll, httpd->wake, EVENT_WAKE) && start_thread(httpd);
}

enum err httpd_open(const struct httpd_options *options,
                    struct httpd **ret,
                    struct error *error)
{
    struct httpd *const httpd = calloc(1, sizeof *httpd);
    enum err err;
    int listener;

    if (httpd == NULL)
        abort();
    httpd->options = *options;
    use_defaults(&httpd->options);
    httpd->exchange_count = httpd->options.connections;
    httpd->epoll = httpd->wake = -1;
    (void)pthread_mutex_init(&httpd->lock, NULL);
    err = listen_on(options->listen, &listener, httpd->address, error);
    if (err != ERR_OK) {
        httpd_close(httpd);
        return err;
    }
    if (!start(httpd, listener)) {
        /* Once it runs, the library owns the listener. */
        if (httpd->daemon == NULL)
            (void)close(listener);
        httpd_close(httpd);
        return error_set(error, ERR_UNAVAILABLE, "%s: no server", options->listen);
    }
    *ret = httpd;
    return ERR_OK;
}

const char *httpd_address(const struct httpd *httpd)
{
    return httpd->address;
}

struct web_server httpd_server(struct httpd *httpd)
{
    return (struct web_server){
        .self = httpd, .answer = exchange_answer, .push = exchange_push, .end = exchange_end
    };
}

void httpd_stop(struct httpd *httpd)
{
    (void)pthread_mutex_lock(&httpd->lock);
    httpd->stopping = true;
    (void)pthread_mutex_unlock(&httpd->lock);
    if (httpd->running) {
        httpd_wake(httpd);
        (void)pthread_join(httpd->thread, NULL);
        httpd->running = false;
    }
    if (httpd->daemon != NULL)
        MHD_stop_daemon(httpd->daemon);
    httpd->daemon = NULL;
}

void httpd_close(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    httpd_stop(httpd);
    if (httpd->epoll >= 0)
        (void)close(httpd->epoll);
    if (httpd->wake >= 0)
        (void)close(httpd->wake);
    (void)pthread_mutex_destroy(&httpd->lock);
    free(httpd->exchanges);
    free(httpd);
}
