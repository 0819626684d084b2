#include "common/drivers/probes/identity.h"

#include "common/drivers/probes/json_path.h"
#include "common/drivers/probes/look.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
const struct option identity_options[] = {
    TEXT_OPTION(struct identity_probe, target, "target", NULL, "whose instances are asked; each must run what the plan brought"),
    TEXT_OPTION(struct identity_probe, url, "url", NULL, "answers JSON; {url}, {instance}, {target} and the check's params are replaced"),
    TEXT_OPTION(struct identity_probe, version_at, "version_at", "version", "place of the version in the JSON"),
    TEXT_OPTION(struct identity_probe, digest_at, "digest_at", "digest", "place of the digest in the JSON"),
    DURATION_OPTION(struct identity_probe, timeout_ms, "timeout", "5s", "of the whole request"),
    DURATION_OPTION(struct identity_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

/* An artifact as somebody names it. */
struct identity {
    const char *version; /* "" if unknown. */
    const char *digest;  /* Hex; "" if unknown. */
};

static const char *bare_digest(const char *text)
{
    return strncasecmp(text, "sha256:", 7) == 0 ? text + 7 : text;
}

static const char *identity_text(struct arena *arena, const struct identity *identity)
{
    const bool both = identity->version[0] != '\0' && identity->digest[0] != '\0';

    if (identity->version[0] == '\0' && identity->digest[0] == '\0')
        return "neither version nor digest";
    return arena_printf(arena,
                        "%.80s%s%s%.12s",
                        identity->version,
                        both ? ", " : "",
                        identity->digest[0] != '\0' ? "sha256:" : "",
                        identity->digest);
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* What is not as wanted; UNSPECIFIED when all is. */
static Pb__Verdict compare(const struct identity *wanted, const struct identity *found)
{
    const bool version_wanted = wanted->version[0] != '\0';
    const bool digest_wanted = wanted->digest[0] != '\0';

    if (version_wanted && found->version[0] != '\0' &&
        strcmp(wanted->version, found->version) != 0)
        return PB__VERDICT__FAIL;
    if (digest_wanted && found->digest[0] != '\0' &&
        strcasecmp(wanted->digest, found->digest) != 0)
        return PB__VERDICT__FAIL;
    if ((version_wanted && found->version[0] == '\0') ||
        (digest_wanted && found->digest[0] == '\0'))
        return PB__VERDICT__INCONCLUSIVE;
    return PB__VERDICT__PASS;
}

static void judge(const struct driver_env *env,
                  const struct identity_probe *probe,
                  const struct http_response *response,
                  const struct identity *wanted,
                  Pb__Finding *ret)
{
    const char *const body = response->body;
    const size_t length = response->body_length;
    const struct identity found = {
        text_or_empty(json_path_text(env->arena, body, length, probe->version_at)),
        bare_digest(text_or_empty(json_path_text(env->arena, body, length, probe->digest_at))),
    };

    if (response->status != 200) {
        finding_says(env, ret, PB__VERDICT__ERROR, "HTTP status %d", response->status);
        return;
    }
    if (found.version[0] == '\0' && found.digest[0] == '\0') {
        finding_says(env,
                     ret,
                     PB__VERDICT__INCONCLUSIVE,
                     "the answer has neither %s nor %s: %s",
                     probe->version_at,
                     probe->digest_at,
                     driver_excerpt(env->arena, body, length, LOOK_EXCERPT_MAX));
        return;
    }
    finding_says(env,
                 ret,
                 compare(wanted, &found),
                 "runs %s%s",
                 identity_text(env->arena, &found),
                 wanted->digest[0] != '\0' && found.digest[0] == '\0' ? ", reports no digest"
                                                                      : "");
}

void identity_look(const struct driver_env *env,
                   const struct probe_order *order,
                   Pb__Finding *ret)
{
    const struct identity_probe *const probe = order->config;
    const struct identity wanted = { look_param(order, "version"),
                                     bare_digest(look_param(order, "digest")) };
    const struct look_request request = {
        .method = "GET",
        .url = look_expand(env, order, probe->url),
        .timeout_ms = probe->timeout_ms,
    };
    struct http_response response = { 0 };

    ret->wanted = identity_text(env->arena, &wanted);
    if (wanted.version[0] == '\0' && wanted.digest[0] == '\0') {
        finding_says(env,
                     ret,
                     PB__VERDICT__INCONCLUSIVE,
                     "the plan brings nothing that this probe could compare with");
        return;
    }
    if (look_ask(env, &request, &response, ret) == ERR_OK)
        judge(env, probe, &response, &wanted, ret);
    else if (ret->verdict == PB__VERDICT__FAIL)
        ret->verdict = PB__VERDICT__ERROR; /* Silence does not say that another version runs. */
}
