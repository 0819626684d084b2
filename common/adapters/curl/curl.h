/* libcurl behind ports/http_client.h.
 *
 * Speaks http and https (mail: smtp and smtps) and nothing else; follows no redirect; knows no
 * proxy, no .netrc and no cookie. Errors name the host, never the path or the query: those of
 * webhooks are secrets. */
#ifndef COMMON_ADAPTERS_CURL_CURL_H
#define COMMON_ADAPTERS_CURL_CURL_H

#include "common/ports/http_client.h"

/* Once in a process, before its first thread; and after its last. */
enum err curl_start(struct error *error) MUST_CHECK;
void curl_stop(void);

/* A client for one thread. Its connections are kept open for the next call. With a user, mail
 * goes out over TLS only (smtps://, or STARTTLS on smtp://). The process must ignore SIGPIPE.
 */
enum err curl_open(struct http_client *ret, struct error *error) MUST_CHECK;

#endif
