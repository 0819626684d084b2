#include "services/gateway/auth.h"

#include "common/config/option.h"
#include "common/wire/digest.h"
#include "common/wire/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { TOKENS_MAX = 1000, TOKEN_LENGTH_MAX = 512, AUTH_MEMORY_MAX = 4 << 20 };

struct auth_token {
    const char *hash;
    const char *name;
    Pb__Actor *actor;
    int64_t expires_ms; /* 0: never. */
};

struct auth {
    struct arena arena;
    struct auth_token *tokens;
    size_t count;
};

struct token_row {
    const char *subject;
    const char *name;
    const char *hash;
    const char *expires;
    struct option_texts roles;
};

static const struct option token_options[] = {
    TEXT_OPTION(struct token_row, subject, "subject", NULL, "who the token speaks for"),
    TEXT_OPTION(struct token_row, name, "name", "", "as shown to people"),
    TEXT_OPTION(struct token_row, hash, "sha256", NULL, "SHA-256 of the token, hex"),
    TEXT_OPTION(struct token_row, expires, "expires", "", "RFC 3339; absent: never"),
    LIST_OPTION(struct token_row, roles, "roles", NULL, "what the subject may do"),
    OPTIONS_END,
};

static bool is_hash(const char *text)
{
    return strlen(text) == DIGEST_HEX_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

static void read_token(struct auth *auth,
                       struct yaml_node *node,
                       struct yaml_problems *problems)
{
    struct auth_token *const token = &auth->tokens[auth->count];
    struct token_row row = { 0 };

    if (options_read(token_options, node, &row, problems) != ERR_OK)
        return;
    if (!is_hash(row.hash)) {
        (void)yaml_complain(
            problems, node, "64 hex digits, in lower case", "sha256 is no SHA-256");
        return;
    }
    /* The reader's lists live as long as the problems do; ours as long as auth. */
    *token = (struct auth_token){ .hash = arena_text(&auth->arena, row.hash),
                                  .name = arena_text(&auth->arena, row.name) };
    token->actor = pb_new(&auth->arena, &pb__actor__descriptor);
    token->actor->subject = arena_text(&auth->arena, row.subject);
    for (size_t i = 0; i < row.roles.count; i++)
        PB_APPEND(
            &auth->arena, token->actor, roles, arena_text(&auth->arena, row.roles.items[i]));
    token->actor->via = "gateway";
    if (row.expires[0] != '\0') {
        token->expires_ms = envelope_parse_time(row.expires);
        if (token->expires_ms < 0)
            (void)yaml_complain(problems, node, "2027-01-01T00:00:00Z", "expires is no time");
    }
    auth->count++;
}

static void read_tokens(struct auth *auth,
                        const char *path,
                        const char *bytes,
                        size_t length,
                        struct yaml_problems *problems)
{
    struct yaml_node *const root = yaml_parse(&auth->arena, path, bytes, length, problems);
    struct yaml_node *const list = root != NULL ? yaml_get(root, "tokens") : NULL;

    if (root == NULL)
        return;
    if (list == NULL || list->kind != YAML_SEQUENCE || list->count > TOKENS_MAX) {
        (void)yaml_complain(problems, root, "tokens: [{subject, roles, sha256}]", "no tokens");
        return;
    }
    auth->tokens = arena_alloc(&auth->arena, (list->count + 1) * sizeof *auth->tokens);
    for (size_t i = 0; i < list->count; i++)
        read_token(auth, list->items[i], problems);
    yaml_complain_unused(problems, root);
}

static void complain_of_file(struct yaml_problems *problems,
                             const char *path,
                             const char *expected,
                             const char *what)
{
    const struct yaml_node at = { .file = path, .line = 1, .column = 1, .path = "" };

    (void)yaml_complain(problems, &at, expected, "%s", what);
}

/* Whoever may write it may be anybody. */
static bool others_may_write(FILE *file)
{
    struct stat about;

    return fstat(fileno(file), &about) != 0 || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static void read_file(struct auth *auth, const char *path, struct yaml_problems *problems)
{
    FILE *const file = fopen(path, "rb");
    char *bytes;
    size_t length;

    if (file == NULL) {
        complain_of_file(problems, path, "a readable file", "cannot be read");
        return;
    }
    if (others_may_write(file)) {
        complain_of_file(problems, path, "chmod go-w", "may be written by others");
    } else {
        bytes = arena_alloc(&auth->arena, YAML_SIZE_MAX + 1);
        length = fread(bytes, 1, YAML_SIZE_MAX + 1, file);
        if (length > YAML_SIZE_MAX)
            complain_of_file(problems, path, "fewer tokens", "is too large");
        else
            read_tokens(auth, path, bytes, length, problems);
    }
    (void)fclose(file);
}

struct auth *auth_load(const char *path, struct yaml_problems *problems)
{
    struct auth *const auth = calloc(1, sizeof *auth);
    const size_t errors = problems->errors;

    if (auth == NULL)
        abort();
    auth->arena = arena_with_limit(AUTH_MEMORY_MAX);
    read_file(auth, path, problems);
    if (problems->errors == errors)
        return auth;
    auth_free(auth);
    return NULL;
}

void auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    arena_release(&auth->arena);
    free(auth);
}

const Pb__Actor *auth_actor(const struct auth *auth, const char *authorization, int64_t now_ms)
{
    static const char scheme[] = "Bearer ";
    const Pb__Actor *found = NULL;
    char hex[DIGEST_HEX_SIZE];

    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0 ||
        strlen(authorization) > TOKEN_LENGTH_MAX)
        return NULL;
    authorization += sizeof scheme - 1;
    digest_sha256(authorization, strlen(authorization), hex);
    for (size_t i = 0; i < auth->count; i++) {
        const struct auth_token *const token = &auth->tokens[i];
        const bool valid = token->expires_ms == 0 || now_ms < token->expires_ms;

        if (digest_equal(hex, token->hash) && valid)
            found = token->actor;
    }
    return found;
}

const Pb__Actor *auth_marked(const struct auth *auth, const char *mark, int64_t now_ms)
{
    for (size_t i = 0; strlen(mark) == AUTH_MARK && i < auth->count; i++) {
        const struct auth_token *const token = &auth->tokens[i];

        if (strncmp(mark, token->hash, AUTH_MARK) == 0)
            return token->expires_ms == 0 || now_ms < token->expires_ms ? token->actor : NULL;
    }
    return NULL;
}

const char *auth_hash(const struct auth *auth, const Pb__Actor *actor)
{
    for (size_t i = 0; i < auth->count; i++) {
        if (auth->tokens[i].actor == actor)
            return auth->tokens[i].hash;
    }
    return "";
}

const char *auth_display_name(const struct auth *auth, const char *subject)
{
    for (size_t i = 0; i < auth->count; i++) {
        if (pb_same(auth->tokens[i].actor->subject, subject) && auth->tokens[i].name[0] != '\0')
            return auth->tokens[i].name;
    }
    return subject;
}

bool auth_has_role(const Pb__Actor *actor, const char *role)
{
    for (size_t i = 0; i < actor->n_roles; i++) {
        if (pb_same(actor->roles[i], role))
            return true;
    }
    return false;
}
