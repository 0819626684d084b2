#include "common/runtime/service_internal.h"

#include "common/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    METRICS_MAX = 512 * 1024,
    READY_MAX = 2048,
    PATH_MEMORY = 16 * 1024,
    SERVICE_UNAVAILABLE = 503,
    NOT_FOUND = 404
};

void service_set_state(struct service *service, void *state)
{
    /* Before the first request can come by. */
    if (service->spec->web_started != NULL)
        service->spec->web_started(state, service->web.server);
    (void)pthread_mutex_lock(&service->lock);
    service->state = state;
    service->opened = true;
    (void)pthread_mutex_unlock(&service->lock);
}

void service_set_why(struct service *service, const char *why)
{
    const size_t length =
        strlen(why) < sizeof service->why ? strlen(why) : sizeof service->why - 1;

    (void)pthread_mutex_lock(&service->lock);
    memcpy(service->why, why, length);
    service->why[length] = '\0';
    (void)pthread_mutex_unlock(&service->lock);
}

static bool is_opened(struct service *service, struct error *why)
{
    bool opened;

    (void)pthread_mutex_lock(&service->lock);
    opened = service->opened;
    if (!opened)
        (void)error_set(why, ERR_UNAVAILABLE, "starting: %s", service->why);
    (void)pthread_mutex_unlock(&service->lock);
    return opened;
}

static void answer(struct web_response *response, const char *type, const struct text *text)
{
    web_set_header(response, "Content-Type", type);
    web_set_header(response, "Cache-Control", "no-store");
    response->body = text->bytes;
    response->body_length = text->length;
}

static void answer_ready(struct service *service,
                         const struct web_request *request,
                         struct web_response *response)
{
    struct error why = { 0 };
    const bool ready = is_opened(service, &why) && service->spec->ready(service->state, &why);
    char *const bytes = arena_alloc(request->arena, READY_MAX);
    struct text text = text_over(bytes, READY_MAX);
    struct json json = json_into(&text);

    json_put_object(&json, NULL);
    json_put_text(&json, "service", service->ports.service);
    json_put_text(&json, "instance", service->ports.instance);
    json_put_bool(&json, "ready", ready);
    json_put_text(&json, "why", why.text);
    json_end_object(&json);
    response->status = ready ? 200 : SERVICE_UNAVAILABLE;
    answer(response, "application/json", &text);
}

static void answer_metrics(struct service *service,
                           const struct web_request *request,
                           struct web_response *response)
{
    struct text text = text_new(METRICS_MAX);
    struct text copy;

    text_add(&text,
             "# TYPE slipway_info gauge\nslipway_info{service=\"%s\",version=\"%s\"} 1\n",
             service->ports.service,
             SLIPWAY_VERSION);
    metrics_write(service->metrics, &text);
    copy = text_over(arena_copy(request->arena, text.bytes, text.length), text.length + 1);
    memcpy(copy.bytes, text.bytes, text.length);
    copy.length = text.length;
    text_release(&text);
    answer(response, "text/plain; version=0.0.4; charset=utf-8", &copy);
}

static enum web_answer handle(void *self,
                              const struct web_request *request,
                              struct web_response *response)
{
    struct service *const service = self;
    const struct text alive = { .bytes = arena_copy(request->arena, "ok\n", 3), .length = 3 };
    struct error why = { 0 };

    if (strcmp(request->path, "/healthz") == 0) {
        answer(response, "text/plain", &alive);
    } else if (strcmp(request->path, "/readyz") == 0) {
        answer_ready(service, request, response);
    } else if (strcmp(request->path, "/metrics") == 0) {
        answer_metrics(service, request, response);
    } else if (service->spec->web == NULL) {
        response->status = NOT_FOUND;
    } else if (!is_opened(service, &why)) {
        response->status = SERVICE_UNAVAILABLE;
        web_set_header(response, "Retry-After", "1");
    } else {
        return service->spec->web(service->state, request, response);
    }
    return WEB_NOW;
}

static void gone(void *self, uint64_t stream)
{
    const struct service *const service = self;

    if (service->spec->web_gone != NULL && service->state != NULL)
        service->spec->web_gone(service->state, stream);
}

struct web_handler service_web(struct service *service)
{
    return (struct web_handler){ .self = service, .handle = handle, .gone = gone };
}

/* Whole or not at all: whoever waits for the file must not read half an address. */
enum err service_write_port(const struct service *service, struct error *error)
{
    struct arena arena = arena_with_limit(PATH_MEMORY);
    const char *temporary;
    FILE *file;
    bool ok;

    if (service->port_file == NULL)
        return ERR_OK;
    temporary = arena_printf(&arena, "%s.new", service->port_file);
    file = fopen(temporary, "w");
    ok = file != NULL && fprintf(file, "%s\n", service->web.address) > 0;
    if (file != NULL)
        ok = fclose(file) == 0 && ok;
    ok = ok && rename(temporary, service->port_file) == 0;
    arena_release(&arena);
    return ok ? ERR_OK
              : error_set(error, ERR_INVALID, "%s: %s", service->port_file, strerror(errno));
}
