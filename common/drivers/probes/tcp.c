#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 256, PORT_MAX = 8, ASK_EVERY_MS = 100 };

struct tcp_probe {
    const char *target;
    const char *address;
    int64_t timeout_ms;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option tcp_options[] = {
    TEXT_OPTION(struct tcp_probe, target, "target", "", "whose instances are tried; absent: address is tried once"),
    TEXT_OPTION(struct tcp_probe, address, "address", "{url}", "host:port, or a url with a port; placeholders are replaced"),
    DURATION_OPTION(struct tcp_probe, timeout_ms, "timeout", "5s", "of connecting, after the name is resolved"),
    DURATION_OPTION(struct tcp_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

struct tcp_address {
    char host[HOST_MAX];
    char port[PORT_MAX];
};

static bool keep(char *to, size_t size, const char *from, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

/* "shop:80", "[::1]:80", "http://shop:80/path", "https://shop". */
static bool split_address(const char *text, struct tcp_address *ret)
{
    const char *const scheme = strstr(text, "://");
    const char *const host = scheme != NULL ? scheme + 3 : text;
    const char *const end = host + strcspn(host, "/?#");
    const char *const bracket = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : NULL;
    const char *const name = bracket != NULL ? host + 1 : host;
    const char *const from = bracket != NULL ? bracket : host;
    const char *const colon = memchr(from, ':', (size_t)(end - from));
    const char *const stop = bracket != NULL ? bracket : colon != NULL ? colon : end;
    const char *const usual = strncmp(text, "https:", 6) == 0 ? "443" : "80";

    if (!keep(ret->host, sizeof ret->host, name, (size_t)(stop - name)))
        return false;
    if (colon != NULL)
        return keep(ret->port, sizeof ret->port, colon + 1, (size_t)(end - colon - 1));
    return scheme != NULL && keep(ret->port, sizeof ret->port, usual, strlen(usual));
}

static int64_t left_ms(const struct driver_env *env, int64_t end_ms)
{
    const int64_t left = end_ms - clock_monotonic_ms(env->clock);

    return left > 0 ? left : 0;
}

/* 0 when connected, else an errno; ETIMEDOUT when the time is up, ECANCELED when it is told to
 * stop. */
static int wait_connected(const struct driver_env *env, int fd, int64_t end_ms)
{
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    int failure = 0;
    socklen_t size = sizeof failure;
    int count = 0;

    while (count == 0 && left_ms(env, end_ms) > 0 && !driver_stopped(env)) {
        const int64_t left = left_ms(env, end_ms);

        count = poll(&ready, 1, (int)(left < ASK_EVERY_MS ? left : ASK_EVERY_MS));
    }
    if (count == 0)
        return driver_stopped(env) ? ECANCELED : ETIMEDOUT;
    if (count < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
        return errno;
    return failure;
}

static int connect_to(const struct driver_env *env, const struct addrinfo *to, int64_t end_ms)
{
    const int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    int failure = 0;

    if (fd < 0)
        return errno;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        failure = errno;
    else if (connect(fd, to->ai_addr, to->ai_addrlen) != 0)
        failure = errno == EINPROGRESS ? wait_connected(env, fd, end_ms) : errno;
    (void)close(fd);
    return failure;
}

static Pb__Verdict verdict_of(int failure)
{
    switch (failure) {
    case 0: return PB__VERDICT__PASS;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH: return PB__VERDICT__FAIL;
    case ETIMEDOUT: return PB__VERDICT__INCONCLUSIVE;
    default: return PB__VERDICT__ERROR;
    }
}

static void try_address(const struct driver_env *env,
                        const struct tcp_probe *probe,
                        const struct tcp_address *address,
                        Pb__Finding *ret)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const int64_t end_ms = clock_monotonic_ms(env->clock) + probe->timeout_ms;
    struct addrinfo *found = NULL;
    const int resolved = getaddrinfo(address->host, address->port, &hints, &found);
    int failure = ENETUNREACH;

    if (resolved != 0) {
        finding_says(
            env, ret, PB__VERDICT__ERROR, "%s: %s", address->host, gai_strerror(resolved));
        return;
    }
    for (const struct addrinfo *to = found; to != NULL && failure != 0; to = to->ai_next)
        failure = left_ms(env, end_ms) > 0 ? connect_to(env, to, end_ms) : ETIMEDOUT;
    freeaddrinfo(found);
    if (failure == 0)
        finding_says(env, ret, PB__VERDICT__PASS, "connected");
    else
        finding_says(env, ret, verdict_of(failure), "not connected: %s", strerror(failure));
}

static void tcp_look(const struct driver_env *env,
                     const struct probe_order *order,
                     Pb__Finding *ret)
{
    const struct tcp_probe *const probe = order->config;
    const char *const text = look_expand(env, order, probe->address);
    struct tcp_address address;

    ret->wanted = "a connection";
    if (!split_address(text, &address)) {
        finding_says(env, ret, PB__VERDICT__ERROR, "'%s' is no host:port", text);
        return;
    }
    ret->evidence = arena_printf(env->arena, "nc -vz %s %s", address.host, address.port);
    try_address(env, probe, &address, ret);
}

const struct probe_driver probe_tcp = {
    .name = "tcp",
    .options = tcp_options,
    .config_size = sizeof(struct tcp_probe),
    .per_instance = true,
    .look = tcp_look,
};
