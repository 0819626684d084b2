#include "common/drivers/probes/log_tail.h"
#include "common/drivers/probes/look.h"
#include "common/drivers/probes/rows.h"

#include <inttypes.h>
#include <regex.h>
#include <string.h>

struct log_probe {
    const char *target;
    const char *file;
    const char *fail;
    int64_t since_ms;
    int64_t alive_ms;
    int64_t settle_ms;
};

/* clang-format off */
static const struct option log_options[] = {
    TEXT_OPTION(struct log_probe, target, "target", "", "one file for each of its instances; absent: one file"),
    TEXT_OPTION(struct log_probe, file, "file", NULL, "path; {instance}, {target} and the check's params are replaced; <file>.1 is read after a rotation"),
    TEXT_OPTION(struct log_probe, fail, "fail", "", "extended regular expression: a line that matches fails"),
    DURATION_OPTION(struct log_probe, since_ms, "since", "5m", "older lines do not count; lines without a time of their own are as old as the file"),
    DURATION_OPTION(struct log_probe, alive_ms, "alive", "0s", "the file must have been written to within this time; 0: whenever"),
    DURATION_OPTION(struct log_probe, settle_ms, "settle", "0s", "how long a worker keeps looking for a PASS"),
    OPTIONS_END,
};
/* clang-format on */

/* What was found so far, over the rotated file and the present one. */
struct log_search {
    const regex_t *fail; /* NULL: nothing is looked for. */
    int64_t from_ms;     /* Lines before do not count. */
    uint64_t lines;      /* That count. */
    uint64_t matches;
    char last[LOG_LINE_MAX]; /* The last that matched. */
    bool cut_short;          /* Lines that count may have been left unread. */
};

static void search_line(struct log_search *search, const char *bytes, size_t length)
{
    char line[LOG_LINE_MAX];
    const size_t kept = length < sizeof line - 1 ? length : sizeof line - 1;

    search->lines++;
    if (search->fail == NULL)
        return;
    memcpy(line, bytes, kept);
    line[kept] = '\0';
    /* A NUL would hide the rest of the line from the expression. */
    for (size_t i = 0; i < kept; i++) {
        if (line[i] == '\0')
            line[i] = ' ';
    }
    if (regexec(search->fail, line, 0, NULL, 0) != 0)
        return;
    search->matches++;
    memcpy(search->last, line, kept + 1);
}

static void search_tail(struct log_search *search, const struct log_tail *tail)
{
    const char *const end = tail->bytes + tail->length;
    /* Lines without a time follow the one before; the first ones the file. */
    bool counts = tail->written_ms >= search->from_ms;

    if (!counts)
        return;
    for (const char *at = tail->bytes; at < end;) {
        const char *const stop = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((stop != NULL ? stop : end) - at);
        const int64_t at_ms = log_line_time(at, length);

        if (at_ms >= 0)
            counts = at_ms >= search->from_ms;
        if (at == tail->bytes && tail->cut && counts)
            search->cut_short = true;
        if (counts)
            search_line(search, at, length);
        at += length + 1;
    }
}

/* The tails to search, oldest first: after a rotation the newest lines are in two files.
 * ERR_NOT_FOUND when there is neither. */
static enum err read_files(const struct driver_env *env,
                           const char *path,
                           struct log_tail tails[2],
                           size_t *ret_count,
                           struct error *error)
{
    struct error ignored = { 0 };
    const enum err err = log_tail_read(env->arena, path, &tails[1], error);
    const enum err rotated =
        log_tail_read(env->arena, arena_printf(env->arena, "%s.1", path), &tails[0], &ignored);

    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    if (rotated == ERR_OK) {
        *ret_count = err == ERR_OK ? 2 : 1;
        return ERR_OK;
    }
    tails[0] = tails[1];
    *ret_count = 1;
    return err;
}

static void conclude(const struct driver_env *env,
                     const struct log_probe *probe,
                     const struct log_search *search,
                     const struct log_tail *newest,
                     Pb__Finding *ret)
{
    const int64_t quiet_ms = clock_now_ms(env->clock) - newest->written_ms;

    if (search->matches > 0)
        finding_says(
            env,
            ret,
            PB__VERDICT__FAIL,
            "%" PRIu64 " of %" PRIu64 " lines match, the last: %s",
            search->matches,
            search->lines,
            driver_excerpt(env->arena, search->last, strlen(search->last), LOOK_EXCERPT_MAX));
    else if (probe->alive_ms > 0 && quiet_ms > probe->alive_ms)
        finding_says(env,
                     ret,
                     PB__VERDICT__NO_DATA,
                     "nothing was written for %" PRId64 " s",
                     quiet_ms / 1000);
    else if (search->cut_short)
        finding_says(env,
                     ret,
                     PB__VERDICT__INCONCLUSIVE,
                     "only the last 1 MiB was read, which is less than was asked for: %" PRIu64
                     " lines, none matches",
                     search->lines);
    else
        finding_says(env,
                     ret,
                     PB__VERDICT__PASS,
                     "%" PRIu64 " lines, none matches; last written %" PRId64 " s ago",
                     search->lines,
                     quiet_ms / 1000);
}

static void search_files(const struct driver_env *env,
                         const struct log_probe *probe,
                         const char *path,
                         const regex_t *fail,
                         Pb__Finding *ret)
{
    struct log_search *const search = arena_alloc(env->arena, sizeof *search);
    struct log_tail tails[2];
    struct error error = { 0 };
    size_t count = 0;
    const enum err err = read_files(env, path, tails, &count, &error);

    if (err != ERR_OK) {
        finding_says(env,
                     ret,
                     err == ERR_NOT_FOUND ? PB__VERDICT__NO_DATA : PB__VERDICT__ERROR,
                     "%s",
                     error.text);
        return;
    }
    search->fail = fail;
    search->from_ms = clock_now_ms(env->clock) - probe->since_ms;
    for (size_t i = 0; i < count; i++)
        search_tail(search, &tails[i]);
    conclude(env, probe, search, &tails[count - 1], ret);
}

static void log_look(const struct driver_env *env,
                     const struct probe_order *order,
                     Pb__Finding *ret)
{
    const struct log_probe *const probe = order->config;
    const char *const path = driver_path(env, look_expand(env, order, probe->file));
    regex_t fail;
    int wrong;

    if (probe->fail[0] == '\0') {
        ret->wanted = "a log that is written to";
        ret->evidence = arena_printf(env->arena, "ls -l %s", path);
        search_files(env, probe, path, NULL, ret);
        return;
    }
    ret->wanted = arena_printf(env->arena,
                               "no line of the last %" PRId64 " s that matches %s",
                               probe->since_ms / 1000,
                               probe->fail);
    ret->evidence = arena_printf(env->arena, "grep -E '%s' %s | tail", probe->fail, path);
    wrong = regcomp(&fail, probe->fail, REG_EXTENDED | REG_NOSUB);
    if (wrong != 0) {
        char why[LOOK_EXCERPT_MAX];

        (void)regerror(wrong, &fail, why, sizeof why);
        finding_says(env, ret, PB__VERDICT__ERROR, "fail: %s", why);
        return;
    }
    search_files(env, probe, path, &fail, ret);
    regfree(&fail);
}

const struct probe_driver probe_log = {
    .name = "log",
    .options = log_options,
    .config_size = sizeof(struct log_probe),
    .per_instance = true,
    .look = log_look,
};
