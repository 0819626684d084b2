#include "common/adapters/curl/internal.h"

#include <stdlib.h>
#include <string.h>

enum { CONNECTION_LIFE_S = 60, HOST_MAX = 128 };

enum err curl_start(struct error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(error, ERR_UNAVAILABLE, "libcurl cannot be started");
    return ERR_OK;
}

void curl_stop(void)
{
    curl_global_cleanup();
}

static void close_client(void *self)
{
    struct curl_client *const client = self;

    if (client == NULL)
        return;
    curl_easy_cleanup(client->handle);
    free(client);
}

enum err curl_open(struct http_client *ret, struct error *error)
{
    struct curl_client *const client = calloc(1, sizeof *client);
    CURL *const handle = curl_easy_init();

    if (client == NULL || handle == NULL) {
        curl_easy_cleanup(handle);
        free(client);
        return error_set(error, ERR_UNAVAILABLE, "no memory for an HTTP client");
    }
    client->handle = handle;
    *ret = (struct http_client){ .self = client,
                                 .perform = curl_perform,
                                 .send_mail = curl_send_mail,
                                 .close = close_client };
    return ERR_OK;
}

void curl_prepare(struct curl_client *client,
                  const char *protocols,
                  const char *url,
                  int timeout_ms)
{
    CURL *const handle = client->handle;

    curl_easy_reset(handle);
    client->detail[0] = '\0';
    (void)curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, client->detail);
    (void)curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, protocols);
    (void)curl_easy_setopt(handle, CURLOPT_URL, url);
    (void)curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(handle, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    /* A name that moves is looked up again within a minute. */
    (void)curl_easy_setopt(handle, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
}

/* "127.0.0.1:8080" of a URL, "" if it has none. */
static void host_of(const char *url, char ret[HOST_MAX])
{
    const char *const scheme = strstr(url, "://");
    const char *const start = scheme != NULL ? scheme + 3 : url;
    const size_t authority = strcspn(start, "/?#");
    size_t skip = 0;
    size_t length;

    for (size_t i = 0; i < authority; i++) {
        if (start[i] == '@')
            skip = i + 1;
    }
    length = authority - skip < HOST_MAX - 1 ? authority - skip : HOST_MAX - 1;
    memcpy(ret, start + skip, length);
    ret[length] = '\0';
}

static enum err failure_kind(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return ERR_TIMED_OUT;
    case CURLE_ABORTED_BY_CALLBACK: return ERR_CONFLICT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return ERR_INVALID;
    default: return ERR_UNAVAILABLE;
    }
}

enum err curl_failure(const struct curl_client *client,
                      CURLcode code,
                      const char *url,
                      struct error *error)
{
    char host[HOST_MAX];

    host_of(url, host);
    return error_set(error,
                     failure_kind(code),
                     "%s: %s",
                     host,
                     client->detail[0] != '\0' ? client->detail : curl_easy_strerror(code));
}

bool curl_is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}
