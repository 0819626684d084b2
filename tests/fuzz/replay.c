/* Runs a fuzz target once over every file of the folders named, where libFuzzer is not at hand.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1024 * 1024, PATH_SIZE = 4096 };

/* 1 if the file was read; folders and the like count for nothing. */
static unsigned replay_file(const char *path)
{
    FILE *const file = fopen(path, "rb");
    uint8_t *const bytes = malloc(FILE_MAX);
    size_t length;

    if (file == NULL || bytes == NULL) {
        if (file != NULL)
            (void)fclose(file);
        free(bytes);
        return 0;
    }
    length = fread(bytes, 1, FILE_MAX, file);
    if (!ferror(file))
        (void)LLVMFuzzerTestOneInput(bytes, length);
    (void)fclose(file);
    free(bytes);
    return 1;
}

static unsigned replay_folder(const char *folder)
{
    DIR *const list = opendir(folder);
    unsigned count = 0;
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        char path[PATH_SIZE];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof path)
            count += replay_file(path);
    }
    if (list != NULL)
        (void)closedir(list);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%u files\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
