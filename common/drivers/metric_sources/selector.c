#include "common/drivers/metric_sources/selector.h"

#include <math.h>
#include <string.h>

static const char understood[] =
    "understood are name, name{label=\"value\"}, increase(...) of these, and one '/'";

/* Reading position in the query's text. */
struct reader {
    struct arena *arena;
    const char *at;
};

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

static bool accept_char(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

static const char *take_name(struct reader *reader)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    size_t length;

    skip_blanks(reader);
    if (*reader->at == '\0' || strchr(letters, *reader->at) == NULL)
        return NULL;
    length = strspn(reader->at,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"
                    "0123456789");
    reader->at += length;
    return arena_copy(reader->arena, reader->at - length, length);
}

static const char *take_quoted(struct reader *reader)
{
    char *copy;
    char *to;

    if (!accept_char(reader, '"'))
        return NULL;
    copy = to = arena_copy(reader->arena, reader->at, strlen(reader->at));
    for (; *reader->at != '\0'; reader->at++) {
        if (*reader->at == '"') {
            *to = '\0';
            reader->at++;
            return copy;
        }
        if (*reader->at == '\\' && (reader->at[1] == '"' || reader->at[1] == '\\'))
            reader->at++;
        *to++ = *reader->at;
    }
    return NULL;
}

static bool take_matcher(struct reader *reader, struct selector_term *term)
{
    struct selector_matcher matcher = { .label = take_name(reader) };

    if (matcher.label == NULL || term->matcher_count == SELECTOR_MATCHERS_MAX)
        return false;
    matcher.differs = accept_char(reader, '!');
    if (*reader->at != '=' && matcher.differs)
        return false;
    if (!accept_char(reader, '='))
        return false;
    matcher.value = take_quoted(reader);
    term->matchers[term->matcher_count++] = matcher;
    return matcher.value != NULL;
}

static bool take_selector(struct reader *reader, struct selector_term *term)
{
    if (term->name == NULL)
        term->name = take_name(reader);
    if (term->name == NULL)
        return false;
    if (!accept_char(reader, '{'))
        return true;
    while (!accept_char(reader, '}')) {
        if (!take_matcher(reader, term))
            return false;
        skip_blanks(reader);
        if (!accept_char(reader, ',') && *reader->at != '}')
            return false;
    }
    return true;
}

static bool take_term(struct reader *reader, struct selector_term *term)
{
    const char *const name = take_name(reader);

    if (name == NULL)
        return false;
    skip_blanks(reader);
    if (strcmp(name, "increase") == 0 && *reader->at == '(') {
        reader->at++;
        term->increase = true;
        return take_selector(reader, term) && accept_char(reader, ')');
    }
    term->name = name;
    return take_selector(reader, term);
}

enum err selector_parse(struct arena *arena,
                        const char *text,
                        struct selector_query *ret,
                        struct error *error)
{
    struct reader reader = { arena, text };
    struct selector_query query = { 0 };

    do {
        if (query.count == SELECTOR_TERMS_MAX || !take_term(&reader, &query.terms[query.count]))
            return error_set(error,
                             ERR_INVALID,
                             "query '%.200s' is not understood at '%.40s'; %s",
                             text,
                             reader.at,
                             understood);
        query.count++;
    } while (accept_char(&reader, '/'));
    skip_blanks(&reader);
    if (*reader.at != '\0')
        return error_set(error,
                         ERR_INVALID,
                         "query '%.200s' is not understood at '%.40s'; %s",
                         text,
                         reader.at,
                         understood);
    *ret = query;
    return ERR_OK;
}

static const char *label_of(const struct exposition_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (strcmp(sample->labels[i].name, name) == 0)
            return sample->labels[i].value;
    }
    return "";
}

static bool matches(const struct selector_term *term, const struct exposition_sample *sample)
{
    if (strcmp(term->name, sample->name) != 0)
        return false;
    for (size_t i = 0; i < term->matcher_count; i++) {
        const struct selector_matcher *const matcher = &term->matchers[i];
        const bool equal = strcmp(label_of(sample, matcher->label), matcher->value) == 0;

        if (equal == matcher->differs)
            return false;
    }
    return true;
}

/* FNV-1a, continued over text and its NUL. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    } while (*text++ != '\0');
    return hash;
}

/* The same for a series in whatever order its labels stand. */
static uint64_t series_of(size_t term,
                          const char *instance,
                          const struct exposition_sample *sample)
{
    const uint64_t start = UINT64_C(14695981039346656037) + term;
    uint64_t hash = hash_text(hash_text(start, instance), sample->name);

    for (size_t i = 0; i < sample->label_count; i++)
        hash += hash_text(hash_text(start, sample->labels[i].name), sample->labels[i].value);
    return hash;
}

void selector_sum_page(struct selector_sum *sum, const char *instance)
{
    sum->instance = instance;
    sum->seen_count = 0;
}

static enum err note_seen(struct selector_sum *sum,
                          uint64_t series,
                          const char *name,
                          struct error *error)
{
    for (size_t i = 0; i < sum->seen_count; i++) {
        if (sum->seen[i] == series)
            return error_set(error, ERR_INVALID, "%s stands there twice", name);
    }
    if (sum->seen_count == METRIC_SERIES_MAX)
        return error_set(
            error, ERR_TOO_LARGE, "more than %d series of %s", METRIC_SERIES_MAX, name);
    sum->seen[sum->seen_count++] = series;
    return ERR_OK;
}

/* A counter that fell was restarted: what it shows now has grown since. One that appears after
 * the baseline began at 0. */
static enum err remember(struct metric_memory *memory,
                         size_t term,
                         uint64_t series,
                         double value,
                         struct error *error)
{
    for (size_t i = 0; i < memory->count; i++) {
        if (memory->item[i].series != series)
            continue;
        memory->item[i].grown +=
            value < memory->item[i].last ? value : value - memory->item[i].last;
        memory->item[i].last = value;
        return ERR_OK;
    }
    if (memory->count == METRIC_SERIES_MAX)
        return error_set(
            error, ERR_TOO_LARGE, "more than %d series to remember", METRIC_SERIES_MAX);
    memory->item[memory->count].series = series;
    memory->item[memory->count].term = term;
    memory->item[memory->count].last = value;
    memory->item[memory->count].grown = memory->begun ? value : 0;
    memory->count++;
    return ERR_OK;
}

static enum err add(struct selector_sum *sum,
                    size_t term,
                    const struct exposition_sample *sample,
                    struct error *error)
{
    const uint64_t series = series_of(term, sum->instance, sample);
    enum err err = note_seen(sum, series, sample->name, error);

    if (err != ERR_OK)
        return err;
    if (!isfinite(sample->value))
        return error_set(error, ERR_NOT_FOUND, "%s is not a finite number", sample->name);
    if (sample->at_ms != 0 && (sum->oldest_ms == 0 || sample->at_ms < sum->oldest_ms))
        sum->oldest_ms = sample->at_ms;
    sum->term[term].series++;
    sum->term[term].sum += sample->value;
    if (!sum->query->terms[term].increase || sum->memory == NULL)
        return ERR_OK;
    return remember(sum->memory, term, series, sample->value, error);
}

enum err selector_visit(void *self, const struct exposition_sample *sample, struct error *error)
{
    struct selector_sum *const sum = self;

    for (size_t i = 0; i < sum->query->count; i++) {
        if (matches(&sum->query->terms[i], sample)) {
            const enum err err = add(sum, i, sample, error);

            if (err != ERR_OK)
                return err;
        }
    }
    return ERR_OK;
}

/* What the remembered counters of one term have grown: those of restarted instances too, whose
 * series may not be back on the page yet. */
static double grown(const struct selector_sum *sum, size_t term)
{
    double total = 0;

    for (size_t i = 0; i < sum->memory->count; i++) {
        if (sum->memory->item[i].term == term)
            total += sum->memory->item[i].grown;
    }
    return total;
}

enum err selector_result(struct selector_sum *sum, double *ret, struct error *error)
{
    double value[SELECTOR_TERMS_MAX] = { 0 };

    for (size_t i = 0; i < sum->query->count; i++) {
        if (sum->term[i].series == 0)
            return error_set(
                error, ERR_NOT_FOUND, "no series matches %s", sum->query->terms[i].name);
        value[i] = sum->query->terms[i].increase && sum->memory != NULL ? grown(sum, i)
                                                                        : sum->term[i].sum;
    }
    if (sum->memory != NULL)
        sum->memory->begun = true;
    if (sum->query->count == 1) {
        *ret = value[0];
        return ERR_OK;
    }
    if (value[1] == 0)
        return error_set(error,
                         ERR_NOT_FOUND,
                         "%s is 0, so there is no ratio yet",
                         sum->query->terms[1].name);
    *ret = value[0] / value[1];
    return ERR_OK;
}
