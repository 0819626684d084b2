#include "common/drivers/metric_sources/exposition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The line being read, cut up in place: what is taken from it is ended by a NUL. */
struct line {
    char bytes[EXPOSITION_LINE_MAX + 1];
    char *at;
};

static bool is_name(char c, bool first, bool colon)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
        return true;
    if (c == ':')
        return colon;
    return !first && c >= '0' && c <= '9';
}

static size_t name_length(const char *text, bool colon)
{
    size_t length = 0;

    while (is_name(text[length], length == 0, colon))
        length++;
    return length;
}

static void skip_blanks(struct line *line)
{
    while (*line->at == ' ' || *line->at == '\t')
        line->at++;
}

bool exposition_number(const char *text, double *ret)
{
    const char *const digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    char *end;
    double value;

    if (strcasecmp(digits, "inf") != 0 && strcasecmp(text, "nan") != 0 &&
        strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    errno = 0;
    value = strtod(text, &end);
    if (end == text || *end != '\0' || errno == ERANGE)
        return false;
    *ret = value;
    return true;
}

/* A quoted label value: unescaped onto itself, which never makes it longer. */
static bool take_quoted(struct line *line, const char **ret)
{
    char *to = line->at + 1;

    if (*line->at != '"')
        return false;
    *ret = to;
    for (char *from = to; *from != '\0'; from++) {
        if (*from == '"') {
            *to = '\0';
            line->at = from + 1;
            return true;
        }
        if (*from == '\\') {
            from++;
            if (*from != '\\' && *from != '"' && *from != 'n')
                return false;
            *to++ = *from;
            if (*from == 'n')
                to[-1] = '\n';
        } else {
            *to++ = *from;
        }
    }
    return false;
}

static const char *take_label(struct line *line, struct exposition_label *ret)
{
    const size_t length = name_length(line->at, false);

    if (length == 0)
        return "a label has no name";
    ret->name = line->at;
    line->at += length;
    if (*line->at == ' ' || *line->at == '\t')
        *line->at++ = '\0';
    skip_blanks(line);
    if (*line->at != '=')
        return "a label has no '='";
    *line->at++ = '\0';
    skip_blanks(line);
    return take_quoted(line, &ret->value) ? NULL : "a label's value is not a quoted text";
}

static bool has_label(const struct exposition_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (strcmp(sample->labels[i].name, name) == 0)
            return true;
    }
    return false;
}

/* From behind '{' to behind '}'. */
static const char *take_labels(struct line *line, struct exposition_sample *sample)
{
    skip_blanks(line);
    while (*line->at != '}') {
        struct exposition_label label;
        const char *const wrong = take_label(line, &label);

        if (wrong != NULL)
            return wrong;
        if (has_label(sample, label.name))
            return "a label stands there twice";
        if (sample->label_count == EXPOSITION_LABELS_MAX)
            return "more than 32 labels";
        sample->labels[sample->label_count++] = label;
        skip_blanks(line);
        if (*line->at == ',')
            line->at++;
        else if (*line->at != '}')
            return "labels are not separated by ','";
        skip_blanks(line);
    }
    line->at++;
    return NULL;
}

/* The text up to the next blank or the end. */
static char *take_word(struct line *line)
{
    char *const word = line->at;

    line->at += strcspn(line->at, " \t");
    if (*line->at != '\0')
        *line->at++ = '\0';
    skip_blanks(line);
    return word;
}

static bool read_time(const char *word, bool openmetrics, int64_t *ret_ms)
{
    double seconds;
    char *end;

    if (openmetrics) {
        if (!exposition_number(word, &seconds) || !(seconds > -1e12 && seconds < 1e12))
            return false;
        *ret_ms = (int64_t)(seconds * 1000);
        return true;
    }
    errno = 0;
    *ret_ms = strtoll(word, &end, 10);
    return end != word && *end == '\0' && errno == 0;
}

static const char *take_value(struct line *line,
                              bool openmetrics,
                              struct exposition_sample *sample)
{
    skip_blanks(line);
    if (!exposition_number(take_word(line), &sample->value))
        return "the value is not a number";
    if (*line->at != '\0' && *line->at != '#' &&
        !read_time(take_word(line), openmetrics, &sample->at_ms))
        return "the time is not a number";
    /* An exemplar says more about one request; nothing here asks for it. */
    if (*line->at != '\0' && !(openmetrics && strncmp(line->at, "# {", 3) == 0))
        return "something follows the value";
    return NULL;
}

static const char *read_sample(struct line *line,
                               bool openmetrics,
                               struct exposition_sample *sample)
{
    const size_t length = name_length(line->at, true);
    char *const end = line->at + length;
    const char *wrong = NULL;

    if (length == 0)
        return "it does not begin with the name of a metric";
    sample->name = line->at;
    line->at = end;
    skip_blanks(line);
    if (*line->at == '{') {
        line->at++;
        wrong = take_labels(line, sample);
    } else if (line->at == end) {
        return "a metric's name is not followed by its value";
    }
    *end = '\0';
    return wrong != NULL ? wrong : take_value(line, openmetrics, sample);
}

/* "# TYPE name type" must be well-formed; any other comment may say what it likes. */
static const char *read_comment(struct line *line)
{
    static const char *const types[] = { "counter",        "gauge",   "histogram",
                                         "gaugehistogram", "summary", "untyped",
                                         "unknown",        "info",    "stateset" };
    const char *name;
    const char *type;

    line->at++;
    skip_blanks(line);
    if (strcmp(take_word(line), "TYPE") != 0)
        return NULL;
    name = take_word(line);
    if (*name == '\0' || name_length(name, true) != strlen(name))
        return "TYPE does not name a metric";
    type = take_word(line);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0 && *line->at == '\0')
            return NULL;
    }
    return "TYPE does not name a type";
}

/* Copies the line that starts at bytes. NULL when it was taken, else what is wrong. */
static const char *take_line(struct line *line, const char *bytes, size_t length)
{
    if (length > EXPOSITION_LINE_MAX)
        return "it is longer than 16 KiB";
    if (memchr(bytes, '\0', length) != NULL)
        return "it holds a NUL";
    memcpy(line->bytes, bytes, length);
    line->bytes[length] = '\0';
    line->at = line->bytes;
    skip_blanks(line);
    return NULL;
}

static enum err refuse(struct error *error, size_t number, const char *why)
{
    return error_set(error, ERR_INVALID, "line %zu: %s", number, why);
}

enum err exposition_read(const struct exposition_page *page,
                         exposition_visit *visit,
                         void *self,
                         struct error *error)
{
    const char *at = page->bytes;
    const char *const end = page->bytes + page->length;
    bool ended = false;
    struct line line;

    for (size_t number = 1; at < end; number++) {
        const char *const stop = memchr(at, '\n', (size_t)(end - at));
        struct exposition_sample sample = { 0 };
        const char *wrong = NULL;
        enum err err = ERR_OK;

        if (ended)
            return refuse(error, number, "something follows # EOF");
        if (stop == NULL)
            return refuse(error, number, "the page ends within a line");
        wrong = take_line(&line, at, (size_t)(stop - at));
        if (wrong == NULL && page->openmetrics && strcmp(line.bytes, "# EOF") == 0)
            ended = true;
        else if (wrong == NULL && *line.at == '#')
            wrong = read_comment(&line);
        else if (wrong == NULL && *line.at != '\0') {
            wrong = read_sample(&line, page->openmetrics, &sample);
            err = wrong == NULL ? visit(self, &sample, error) : ERR_OK;
        }
        if (wrong != NULL)
            return refuse(error, number, wrong);
        if (err != ERR_OK)
            return err;
        at = stop + 1;
    }
    if (page->openmetrics && !ended)
        return error_set(error, ERR_INVALID, "the page does not end with # EOF");
    return ERR_OK;
}
