#include "common/drivers/probes/log_tail.h"

#include "common/wire/envelope.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIME_WITHIN = 200, TIME_TEXT_MAX = 40 };

static enum err failed(struct error *error, const char *path)
{
    return error_set(error,
                     errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                     "%s: %s",
                     path,
                     strerror(errno));
}

/* Reads from offset up to room bytes; what was written meanwhile is left for the next look. */
static ssize_t read_from(int fd, off_t offset, char *bytes, size_t room)
{
    size_t length = 0;

    while (length < room) {
        const ssize_t got = pread(fd, bytes + length, room - length, offset + (off_t)length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

/* Leaves out the line that was cut at the front. */
static void drop_first_line(struct log_tail *tail)
{
    const char *const end = memchr(tail->bytes, '\n', tail->length);
    const size_t dropped = end != NULL ? (size_t)(end - tail->bytes) + 1 : tail->length;

    tail->bytes += dropped;
    tail->length -= dropped;
}

static enum err read_tail(
    struct arena *arena, int fd, const char *path, struct log_tail *ret, struct error *error)
{
    struct stat info;
    off_t offset;
    ssize_t length;
    char *bytes;

    if (fstat(fd, &info) != 0)
        return failed(error, path);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERR_UNAVAILABLE, "%s is not a file", path);
    offset = info.st_size > LOG_TAIL_MAX ? info.st_size - LOG_TAIL_MAX : 0;
    bytes = arena_try(arena, (size_t)(info.st_size - offset) + 1);
    if (bytes == NULL)
        return error_set(error, ERR_UNAVAILABLE, "no room to read %s", path);
    length = read_from(fd, offset, bytes, (size_t)(info.st_size - offset));
    if (length < 0)
        return failed(error, path);
    *ret = (struct log_tail){
        .path = path,
        .bytes = bytes,
        .length = (size_t)length,
        .written_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000,
        .cut = offset > 0,
    };
    if (ret->cut)
        drop_first_line(ret);
    return ERR_OK;
}

enum err log_tail_read(struct arena *arena,
                       const char *path,
                       struct log_tail *ret,
                       struct error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum err err;

    if (fd < 0)
        return failed(error, path);
    err = read_tail(arena, fd, path, ret, error);
    (void)close(fd);
    return err;
}

static bool begins_time(const char *s)
{
    static const char form[] = "0000-00-00T00:00:00";

    for (size_t i = 0; form[i] != '\0'; i++) {
        const bool digit = s[i] >= '0' && s[i] <= '9';

        if (form[i] == '0' ? !digit : s[i] != form[i] && !(form[i] == 'T' && s[i] == ' '))
            return false;
    }
    return true;
}

/* "2026-11-23 08:24:00,123 ..." as RFC 3339; without a zone there is no telling when it was. */
static int64_t parse_time(const char *s)
{
    size_t length = 19 + strspn(s + 19, "0123456789.,");
    char text[TIME_TEXT_MAX];
    char *comma;

    if (s[length] == 'Z' || s[length] == 'z')
        length++;
    else if (s[length] == '+' || s[length] == '-')
        length += 1 + strspn(s + length + 1, "0123456789:");
    else
        return -1;
    if (length >= sizeof text)
        return -1;
    memcpy(text, s, length);
    text[length] = '\0';
    text[10] = 'T';
    comma = strchr(text, ',');
    if (comma != NULL)
        *comma = '.';
    return envelope_parse_time(text);
}

int64_t log_line_time(const char *line, size_t length)
{
    char text[TIME_WITHIN + 1];
    const size_t kept = length < TIME_WITHIN ? length : TIME_WITHIN;

    memcpy(text, line, kept);
    text[kept] = '\0';
    for (const char *s = text; *s != '\0'; s++) {
        if (begins_time(s))
            return parse_time(s);
    }
    return -1;
}
