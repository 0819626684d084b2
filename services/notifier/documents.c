#include "services/notifier/documents.h"

#include "services/notifier/channels/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0755, FILE_MODE = 0644, PUT_TIMEOUT_MS = 10000 };

/* Goes into a path: one name, no folder. */
static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return name[0] != '\0' && name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

static enum err failed(struct error *error, const char *doing, const char *path)
{
    const enum err err =
        errno == EACCES || errno == EPERM || errno == EROFS ? ERR_DENIED : ERR_UNAVAILABLE;

    return error_set(error, err, "%s %.300s: %s", doing, path, strerror(errno));
}

static enum err write_all(int file, const char *path, const char *text, struct error *error)
{
    size_t left = strlen(text);

    while (left > 0) {
        const ssize_t written = write(file, text, left);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failed(error, "write", path);
        text += written;
        left -= (size_t)written;
    }
    return fsync(file) == 0 ? ERR_OK : failed(error, "write", path);
}

/* A reader sees the old document or the new one, never half of one. */
static enum err replace_file(struct arena *arena,
                             const char *folder,
                             const char *path,
                             const char *text,
                             struct error *error)
{
    const char *const draft = arena_printf(arena, "%s.%ld.draft", path, (long)getpid());
    const int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    int handle;
    enum err err;

    if (file < 0)
        return failed(error, "create", draft);
    err = write_all(file, draft, text, error);
    if (close(file) != 0 && err == ERR_OK)
        err = failed(error, "write", draft);
    if (err == ERR_OK && rename(draft, path) != 0)
        err = failed(error, "replace", path);
    if (err != ERR_OK) {
        (void)unlink(draft);
        return err;
    }
    handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle >= 0) {
        (void)fsync(handle);
        (void)close(handle);
    }
    return ERR_OK;
}

static enum err make_folder(const char *folder, struct error *error)
{
    if (mkdir(folder, FOLDER_MODE) == 0 || errno == EEXIST)
        return ERR_OK;
    return failed(error, "create", folder);
}

static enum err publish_file(const struct driver_env *env,
                             const char *name,
                             const char *deployment,
                             const char *text,
                             struct published *ret,
                             struct error *error)
{
    const char *const root = driver_path(env, env->settings->documents);
    const char *const folder = arena_printf(env->arena, "%s/%s", root, deployment);
    const char *const path = arena_printf(env->arena, "%s/%s.md", folder, name);
    char found[DIGEST_HEX_SIZE];
    enum err err = make_folder(root, error);

    if (err == ERR_OK)
        err = make_folder(folder, error);
    if (err == ERR_OK)
        err = replace_file(env->arena, folder, path, text, error);
    if (err == ERR_OK)
        err = digest_file(path, found, error);
    if (err != ERR_OK)
        return err;
    ret->link = path;
    ret->digest = arena_text(env->arena, found);
    return ERR_OK;
}

static enum err call(const struct driver_env *env,
                     const struct http_request *request,
                     struct http_response *response,
                     struct error *error)
{
    enum err err = env->http.perform(env->http.self, env->arena, request, response, error);

    if (err != ERR_OK)
        return err;
    err = channel_status(response->status);
    return err == ERR_OK ? err
                         : error_set(error,
                                     err,
                                     "%s %.200s: status %d %s",
                                     request->method,
                                     request->url,
                                     response->status,
                                     channel_excerpt(env->arena, response));
}

static enum err publish_http(const struct driver_env *env,
                             const char *name,
                             const char *deployment,
                             const char *text,
                             struct published *ret,
                             struct error *error)
{
    const char *const url =
        arena_printf(env->arena, "%s/%s/%s.md", env->settings->documents, deployment, name);
    struct http_request request = {
        .method = "PUT",
        .url = url,
        .headers = { { "content-type", "text/markdown; charset=utf-8" } },
        .header_count = 1,
        .body = text,
        .body_length = strlen(text),
        .timeout_ms = PUT_TIMEOUT_MS,
    };
    struct http_response response = { 0 };
    char found[DIGEST_HEX_SIZE];
    enum err err = call(env, &request, &response, error);

    if (err == ERR_OK) {
        request =
            (struct http_request){ .method = "GET", .url = url, .timeout_ms = PUT_TIMEOUT_MS };
        err = call(env, &request, &response, error);
    }
    if (err != ERR_OK)
        return err;
    digest_sha256(response.body, response.body_length, found);
    ret->link = url;
    ret->digest = arena_text(env->arena, found);
    return ERR_OK;
}

enum err document_publish(const struct driver_env *env,
                          const char *deployment,
                          const char *name,
                          const char *text,
                          struct published *ret,
                          struct error *error)
{
    const char *const place = env->settings->documents != NULL ? env->settings->documents : "";
    const bool web = strncmp(place, "http://", 7) == 0 || strncmp(place, "https://", 8) == 0;
    char wanted[DIGEST_HEX_SIZE];
    enum err err;

    if (place[0] == '\0')
        return error_set(error, ERR_INVALID, "slipway.yaml names no place for documents");
    if (!is_name(deployment) || !is_name(name))
        return error_set(error, ERR_INVALID, "'%.60s/%.60s' is no file name", deployment, name);
    err = web ? publish_http(env, name, deployment, text, ret, error)
              : publish_file(env, name, deployment, text, ret, error);
    driver_crash_point(env, CRASH_DOCUMENT_AFTER_PUBLISH);
    if (err != ERR_OK)
        return err;
    digest_sha256(text, strlen(text), wanted);
    if (!digest_equal(wanted, ret->digest))
        return error_set(error, ERR_CONFLICT, "%.300s reads back as something else", ret->link);
    return ERR_OK;
}
