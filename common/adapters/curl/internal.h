/* What the two ways of using a curl handle share. */
#ifndef COMMON_ADAPTERS_CURL_INTERNAL_H
#define COMMON_ADAPTERS_CURL_INTERNAL_H

#include "common/adapters/curl/curl.h"

#include <curl/curl.h>

#include <stdbool.h>

/* One client. */
struct curl_client {
    CURL *handle; /* Owned. */
    char detail[CURL_ERROR_SIZE];
};

/* The handle as new, connections kept, with the options that every use has in common.
 * protocols: "http,https". */
void curl_prepare(struct curl_client *client,
                  const char *protocols,
                  const char *url,
                  int timeout_ms);

/* What a failed transfer is called, and a sentence that names the host. */
enum err curl_failure(const struct curl_client *client,
                      CURLcode code,
                      const char *url,
                      struct error *error);

/* True if text has no control character (so no CR, no LF) in it. */
bool curl_is_plain(const char *text);

enum err curl_perform(void *self,
                      struct arena *arena,
                      const struct http_request *request,
                      struct http_response *ret,
                      struct error *error);
enum err curl_send_mail(void *self, const struct mail *mail, struct error *error);

#endif
