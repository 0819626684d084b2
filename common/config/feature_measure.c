#include "common/config/feature_measure.h"

#include "common/wire/digest.h"

#include <string.h>
#include <sys/stat.h>

/* The digest of a file, or of a folder as a whole. */
static enum err digest_path(const char *path,
                            char ret_hex[DIGEST_HEX_SIZE],
                            struct error *error)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return digest_tree(path, ret_hex, error);
    return digest_file(path, ret_hex, error);
}

/* Does source stay below the folder? The rules of an acceptance say more; this comes before. */
static bool stays_below(const char *source)
{
    return *source != '\0' && *source != '/' && strstr(source, "..") == NULL;
}

/* The folders below which the source may lie, in the order they are tried. */
static size_t artifact_roots(struct arena *arena,
                             const struct feature_file *file,
                             const Pb__Artifact *artifact,
                             const char *ret_roots[2])
{
    const struct settings *const settings = file->settings;
    const struct setting_target *const target =
        settings != NULL ? settings_target(settings, artifact->target) : NULL;
    size_t count = 0;

    if (target != NULL && *target->artifact_root != '\0' &&
        strstr(target->artifact_root, "://") == NULL)
        ret_roots[count++] = settings_path(settings, arena, target->artifact_root);
    if (file->base_folder != NULL)
        ret_roots[count++] = file->base_folder;
    return count;
}

static enum err measure(struct arena *arena,
                        const struct feature_file *file,
                        const Pb__Artifact *artifact,
                        char ret_hex[DIGEST_HEX_SIZE],
                        struct error *error)
{
    const char *roots[2];
    const size_t count = artifact_roots(arena, file, artifact, roots);
    enum err err = error_set(error, ERR_NOT_FOUND, "it only works where the files are");
    struct error ignored = { 0 };

    /* Where it is nowhere, the first place is the one it should be in. */
    for (size_t i = 0; i < count && err == ERR_NOT_FOUND; i++)
        err = digest_path(arena_printf(arena, "%s/%s", roots[i], artifact->source),
                          ret_hex,
                          i == 0 ? error : &ignored);
    return err;
}

/* digest: auto, worked out from what lies there now. */
Pb__Digest *feature_measure(struct yaml_problems *problems,
                            const struct feature_file *file,
                            const struct yaml_node *node,
                            const Pb__Artifact *artifact)
{
    static const char expected[] = "a file or folder to measure";
    const struct yaml_node *const at = yaml_find(node, "digest");
    char hex[DIGEST_HEX_SIZE];
    struct arena *const arena = problems->arena;
    struct error error = { 0 };
    Pb__Digest *digest;

    if (!stays_below(artifact->source))
        return NULL; /* Complained about by the rules. */
    if (measure(arena, file, artifact, hex, &error) != ERR_OK) {
        if (!file->may_be_absent) {
            (void)yaml_complain(
                problems, at, expected, "%s.digest is auto: %s", node->path, error.text);
            return NULL;
        }
        yaml_warn(problems, at, expected, "%s.digest is auto: %s", node->path, error.text);
        memset(hex, '0', sizeof hex - 1);
        hex[sizeof hex - 1] = '\0';
    }
    digest = pb_new(arena, &pb__digest__descriptor);
    digest->algorithm = "sha256";
    digest->value = arena_text(arena, hex);
    return digest;
}
