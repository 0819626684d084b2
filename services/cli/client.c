#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 30000 };

void cli_complain(const struct cli *cli, const char *what, const char *remedy)
{
    (void)cli;
    (void)fprintf(stderr, "slipway: %s\n", what);
    if (remedy != NULL && remedy[0] != '\0')
        (void)fprintf(stderr, "  do:      %s\n", remedy);
}

/* clang-format off */
static enum cli_exit exit_of_status(int status)
{
    switch (status) {
    case 400:                     return EXIT_USAGE;
    case 401: case 403:           return EXIT_NOT_ALLOWED;
    case 404: case 410:           return EXIT_NO_SUCH;
    case 412: case 428:           return EXIT_CHANGED;
    case 429: case 503: case 502:
    case 500: case 504:           return EXIT_UNREACHABLE;
    default:                      return status >= 400 ? EXIT_NO : EXIT_DONE;
    }
}
/* clang-format on */

/* "; did you mean express-pay.3?" of problem details. */
static void print_near(const json_t *body)
{
    const json_t *const near = json_object_get(body, "near");
    const char *const first = json_string_value(json_array_get(near, 0));

    if (first != NULL)
        (void)fprintf(stderr, "; did you mean %s?", first);
}

static void print_errors(const json_t *body)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(body, "errors"), i, item)
    {
        (void)fprintf(stderr,
                      "  %s:%lld:%lld: %s%s\n",
                      "feature.yaml",
                      (long long)field_int(item, "line"),
                      (long long)field_int(item, "column"),
                      field_true(item, "warning") ? "warning: " : "error: ",
                      field_text(item, "found"));
    }
}

static void print_problem(const struct cli_answer *answer)
{
    const char *what = field_text(answer->body, "detail");

    if (what[0] == '\0')
        what = field_text(answer->body, "title");
    if (answer->body == NULL)
        what = "the server answered with an error";
    (void)fprintf(stderr, "slipway: %s%s", answer->status == 409 ? "refused: " : "", what);
    print_near(answer->body);
    (void)fputc('\n', stderr);
    print_errors(answer->body);
    if (field_text(answer->body, "remedy")[0] != '\0')
        (void)fprintf(stderr, "  do:      %s\n", field_text(answer->body, "remedy"));
    else if (answer->status == 401)
        (void)fprintf(stderr, "  do:      slipway login\n");
}

static enum cli_exit cannot_reach(const struct cli *cli,
                                  enum err err,
                                  const struct error *error)
{
    if (cli->silent)
        return EXIT_UNREACHABLE;
    (void)fprintf(stderr, "slipway: cannot reach %s: %s\n", cli->server.value, error->text);
    (void)fprintf(stderr, "  from:    server in %s\n", cli->server.from);
    (void)fprintf(stderr, "  do:      slipway doctor\n");
    return err == ERR_TIMED_OUT ? EXIT_TIMED_OUT : EXIT_UNREACHABLE;
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
    if (value != NULL)
        request->headers[request->header_count++] = (struct http_header){ name, value };
}

static struct http_request http_request_of(struct cli *cli, const struct cli_request *asked)
{
    struct http_request request = {
        .method = asked->method,
        .url = arena_printf(&cli->arena, "%s%s", cli->server.value, asked->path),
        .body = asked->body,
        .body_length = asked->body != NULL ? strlen(asked->body) : 0,
        .timeout_ms = cli->timeout_ms > 0 && cli->timeout_ms < TIMEOUT_MS ? (int)cli->timeout_ms
                                                                          : TIMEOUT_MS,
    };

    if (cli->token != NULL)
        add_header(
            &request, "Authorization", arena_printf(&cli->arena, "Bearer %s", cli->token));
    add_header(&request, "Accept", asked->accept != NULL ? asked->accept : "application/json");
    add_header(&request, "Content-Type", asked->content_type);
    if (asked->body != NULL)
        add_header(&request, "Prefer", "wait=5");
    return request;
}

enum cli_exit cli_ask(struct cli *cli, const struct cli_request *asked, struct cli_answer *ret)
{
    const struct http_request request = http_request_of(cli, asked);
    struct http_response response = { 0 };
    struct error error = { 0 };
    json_error_t reason;
    enum err err;

    *ret = (struct cli_answer){ 0 };
    if (cli->verbose)
        (void)fprintf(stderr, "> %s %s\n", request.method, request.url);
    err = cli->http.perform(cli->http.self, &cli->arena, &request, &response, &error);
    if (err != ERR_OK)
        return cannot_reach(cli, err, &error);
    if (cli->verbose)
        (void)fprintf(stderr, "< %d, %lld ms\n", response.status, (long long)response.took_ms);
    ret->status = response.status;
    ret->text = response.body;
    ret->body = json_loadb(response.body, response.body_length, 0, &reason);
    if (response.status < 400)
        return EXIT_DONE;
    if (!cli->silent)
        print_problem(ret);
    cli_release(ret);
    return exit_of_status(response.status);
}

enum cli_exit cli_get(struct cli *cli, const char *path, struct cli_answer *ret)
{
    return cli_ask(cli, &(struct cli_request){ .method = "GET", .path = path }, ret);
}

void cli_release(struct cli_answer *answer)
{
    json_decref(answer->body);
    answer->body = NULL;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

const char *cli_path(struct cli *cli, const char *format, const char *part)
{
    const char *const place = strstr(format, "%s");
    struct text path = text_new(4096);
    const char *copy;

    text_add_bytes(&path, format, (size_t)(place - format));
    for (; *part != '\0'; part++) {
        if (is_plain(*part))
            text_add_char(&path, *part);
        else
            text_add(&path, "%%%02X", (unsigned char)*part);
    }
    text_add(&path, "%s", place + 2);
    copy = arena_text(&cli->arena, path.bytes);
    text_release(&path);
    return copy;
}
