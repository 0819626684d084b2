#include "common/ports/web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *web_header(const struct web_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

const char *web_query(const struct web_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    }
    return NULL;
}

void web_set_header(struct web_response *response, const char *name, const char *value)
{
    if (response->header_count == WEB_RESPONSE_HEADERS_MAX)
        abort();
    response->headers[response->header_count++] = (struct web_pair){ name, value };
}
