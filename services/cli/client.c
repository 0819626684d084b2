#include "services/cli/cli.h"

#include "common/wire/digest.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { TIMEOUT_MS = 30000, TRIES = 3, AGAIN_MS = 300, FIRST_PROBLEM = 400 };

void cli_complain(const struct cli *cli, const char *what, const char *remedy)
{
    (void)cli;
    (void)fprintf(stderr, "slipway: %s\n", what);
    if (remedy != NULL && remedy[0] != '\0')
        (void)fprintf(stderr, "  do:      %s\n", remedy);
}

/* A random UUID; the kernel always has that many bytes. */
const char *cli_new_id(struct cli *cli)
{
    unsigned char byte[16] = { 0 };

    (void)getrandom(byte, sizeof byte, 0);
    return arena_printf(
        &cli->arena,
        "%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x",
        byte[0],
        byte[1],
        byte[2],
        byte[3],
        byte[4],
        byte[5],
        byte[6] & 0xf,
        byte[7],
        byte[8] & 0xf,
        byte[9],
        byte[10],
        byte[11],
        byte[12],
        byte[13],
        byte[14],
        byte[15]);
}

static enum cli_exit cannot_reach(const struct cli *cli,
                                  enum err err,
                                  const struct error *error)
{
    const bool late = err == ERR_TIMED_OUT && cli->timeout_ms > 0;

    if (cli->silent)
        return EXIT_UNREACHABLE;
    (void)fprintf(stderr, "slipway: cannot reach %s: %s\n", cli->server.value, error->text);
    (void)fprintf(stderr, "  from:    server in %s\n", cli->server.from);
    if (cli->verb != NULL && strcmp(cli->verb, "flags") == 0)
        (void)fprintf(
            stderr,
            "  note:    a kill switch that needs no gateway: slipway flags kill --direct "
            "(needs Kafka rights)\n");
    (void)fprintf(stderr, "  do:      slipway doctor\n");
    return late ? EXIT_TIMED_OUT : EXIT_UNREACHABLE;
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

/* A lost answer is asked for again where the request carries its id: it is the same one. */
static enum err perform(struct cli *cli,
                        const struct cli_request *asked,
                        struct http_response *ret,
                        struct error *error)
{
    const struct http_request request = http_request_of(cli, asked);
    enum err err = ERR_UNAVAILABLE;

    for (int i = 0; i == 0 || (asked->repeats && i < TRIES); i++) {
        if (i > 0 && !cli->terminal.wait(cli->terminal.self, AGAIN_MS))
            return err;
        if (cli->verbose)
            (void)fprintf(stderr, "> %s %s\n", request.method, request.url);
        err = cli->http.perform(cli->http.self, &cli->arena, &request, ret, error);
        if (err != ERR_UNAVAILABLE && err != ERR_TIMED_OUT)
            break;
    }
    return err;
}

/* False, with a message, when what came is not what was sent. Without a digest nothing can be
 * said, and nothing is. */
static bool is_as_sent(struct cli *cli,
                       const struct http_response *response,
                       struct cli_answer *answer)
{
    const char *const sent = http_header(response, "repr-digest");
    char field[DIGEST_FIELD_SIZE];

    if (sent == NULL || strstr(sent, "sha-256=") == NULL)
        return true;
    digest_field(response->body, response->body_length, field);
    answer->digest = arena_text(&cli->arena, field);
    if (strstr(sent, field) != NULL)
        return true;
    cli_complain(cli,
                 "the answer is not what the server sent: its digest does not fit",
                 "ask again; if it stays so, something between alters answers");
    return false;
}

enum cli_exit cli_ask(struct cli *cli, const struct cli_request *asked, struct cli_answer *ret)
{
    struct http_response response = { 0 };
    struct error error = { 0 };
    json_error_t reason;
    enum cli_exit result;
    enum err err;

    *ret = (struct cli_answer){ 0 };
    err = perform(cli, asked, &response, &error);
    if (err != ERR_OK)
        return cannot_reach(cli, err, &error);
    if (cli->verbose)
        (void)fprintf(stderr, "< %d, %lld ms\n", response.status, (long long)response.took_ms);
    if (!is_as_sent(cli, &response, ret))
        return EXIT_UNREACHABLE;
    ret->status = response.status;
    ret->text = response.body;
    ret->body = json_loadb(response.body, response.body_length, 0, &reason);
    if (response.status < FIRST_PROBLEM)
        return EXIT_DONE;
    result = cli_problem(cli, ret);
    cli_release(ret);
    return result;
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

enum cli_exit cli_tell(struct cli *cli,
                       const struct cli_request *asked,
                       void (*print)(struct cli *cli, const json_t *body))
{
    struct cli_answer answer;
    const enum cli_exit result = cli_ask(cli, asked, &answer);

    if (result != EXIT_DONE)
        return result;
    if (cli->json || print == NULL)
        say_json(&answer);
    else
        print(cli, answer.body);
    cli_release(&answer);
    return EXIT_DONE;
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
