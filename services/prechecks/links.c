#include "services/prechecks/links.h"

#include <string.h>
#include <strings.h>

enum { LINK_TIMEOUT_MS = 10 * 1000, URL_LENGTH_MAX = 2000 };

static bool is_http(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

/* What a client would resolve to another place than the text says. */
static bool is_winding(const char *url)
{
    for (const char *c = url; *c != '\0'; c++)
        if (strncmp(c, "/..", 3) == 0 || strncasecmp(c, "%2e", 3) == 0 || *c == '\\' ||
            (unsigned char)*c <= ' ')
            return true;
    return false;
}

/* An allowed address ends at a border of the URL: https://wiki is not https://wiki.evil. */
static bool is_below(const char *url, const char *allowed)
{
    const size_t length = strlen(allowed);

    if (length == 0 || strncmp(url, allowed, length) != 0)
        return false;
    return allowed[length - 1] == '/' || url[length] == '\0' ||
           strchr("/?#", url[length]) != NULL;
}

bool link_is_allowed(const struct option_texts *allowed, const char *url)
{
    if (!is_http(url) || is_winding(url) || strlen(url) > URL_LENGTH_MAX)
        return false;
    for (size_t i = 0; i < allowed->count; i++)
        if (is_http(allowed->items[i]) && is_below(url, allowed->items[i]))
            return true;
    return false;
}

static struct link_answer judge_status(struct arena *arena, int status)
{
    const char *const said = arena_printf(arena, "answers %d", status);

    if (status >= 200 && status < 300)
        return (struct link_answer){ PB__VERDICT__PASS, said };
    if ((status >= 300 && status < 400) || status == 401 || status == 403)
        return (struct link_answer){ PB__VERDICT__WARN, said };
    if (status == 408 || status == 429 || status >= 500)
        return (struct link_answer){ PB__VERDICT__ERROR, said };
    return (struct link_answer){ PB__VERDICT__FAIL, said };
}

/* ret_response is set when there was an answer with a body. */
static struct link_answer fetch(const struct look *look,
                                const char *url,
                                struct http_response *ret_response)
{
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .timeout_ms = LINK_TIMEOUT_MS,
        .cancelled = look->env.stopped,
        .cancelled_self = look->env.stopped_self,
    };
    struct error error = { 0 };
    enum err err;

    if (url[0] == '\0')
        return (struct link_answer){ PB__VERDICT__FAIL, "has no link" };
    if (!link_is_allowed(&look->env.settings->links, url))
        return (struct link_answer){
            PB__VERDICT__FAIL,
            "is not below an address of `links` in slipway.yaml",
        };
    err = look->env.http.perform(
        look->env.http.self, look->env.arena, &request, ret_response, &error);
    if (err == ERR_TOO_LARGE)
        return (struct link_answer){ PB__VERDICT__WARN, "is there, but too large to read" };
    if (err != ERR_OK)
        return (struct link_answer){ PB__VERDICT__ERROR,
                                     arena_text(look->env.arena, error.text) };
    return judge_status(look->env.arena, ret_response->status);
}

struct link_answer link_read(const struct look *look,
                             const char *url,
                             struct http_response *ret)
{
    return fetch(look, url, ret);
}

struct link_answer link_reach(const struct look *look, const char *url)
{
    struct http_response response = { 0 };

    return fetch(look, url, &response);
}

static struct link_answer compare(const struct look *look,
                                  const struct http_response *response,
                                  const Pb__Digest *digest)
{
    char hex[DIGEST_HEX_SIZE];

    digest_sha256(response->body, response->body_length, hex);
    if (digest_equal(hex, digest->value))
        return (struct link_answer){
            PB__VERDICT__PASS,
            arena_printf(look->env.arena, "sha256:%.12s", hex),
        };
    return (struct link_answer){
        PB__VERDICT__FAIL,
        arena_printf(
            look->env.arena, "is sha256:%.12s now, not sha256:%.12s", hex, digest->value),
    };
}

struct link_answer link_compare(const struct look *look,
                                const char *url,
                                const Pb__Digest *digest)
{
    struct http_response response = { 0 };
    struct link_answer answer = fetch(look, url, &response);

    if (digest == NULL || digest->value[0] == '\0')
        return answer;
    if (!pb_same(digest->algorithm, "sha256"))
        return (struct link_answer){ PB__VERDICT__ERROR, "has a digest that is not sha256" };
    if (answer.verdict == PB__VERDICT__PASS)
        return compare(look, &response, digest);
    if (answer.verdict == PB__VERDICT__WARN)
        answer.verdict = PB__VERDICT__INCONCLUSIVE;
    return answer;
}
