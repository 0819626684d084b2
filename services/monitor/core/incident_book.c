#include "services/monitor/core/incident_book.h"

#include <stdlib.h>
#include <string.h>

/* One cause of one deployment. */
struct cause {
    char name[INCIDENT_NAME_MAX];
    Pb__Severity told_severity;
    bool told_open;
    bool told;
    int64_t told_ms;
    bool waiting;
    Pb__Severity severity; /* What waits. */
    bool open;
    uint32_t count; /* Since it was told. */
};

struct page {
    char deployment[INCIDENT_NAME_MAX];
    int64_t heard_ms;
    struct cause causes[INCIDENT_CAUSES_MAX];
    size_t count;
};

struct incident_book {
    struct page *pages[INCIDENT_PAGES_MAX]; /* Owned. */
    size_t count;
};

struct incident_book *incident_book_new(void)
{
    struct incident_book *const book = calloc(1, sizeof *book);

    if (book == NULL)
        abort();
    return book;
}

void incident_book_clear(struct incident_book *book)
{
    for (size_t i = 0; i < book->count; i++)
        free(book->pages[i]);
    book->count = 0;
}

void incident_book_free(struct incident_book *book)
{
    if (book == NULL)
        return;
    incident_book_clear(book);
    free(book);
}

static void copy_name(char to[INCIDENT_NAME_MAX], const char *from)
{
    const size_t length = strnlen(from, INCIDENT_NAME_MAX - 1);

    memcpy(to, from, length);
    to[length] = '\0';
}

static bool same_name(const char *held, const char *name)
{
    return strncmp(held, name, INCIDENT_NAME_MAX - 1) == 0;
}

/* A place for another page: a new one, or that of the deployment unheard of longest. */
static struct page *page_new(struct incident_book *book)
{
    size_t oldest = 0;

    if (book->count < INCIDENT_PAGES_MAX) {
        struct page *const page = malloc(sizeof *page);

        if (page == NULL)
            abort();
        book->pages[book->count++] = page;
        return page;
    }
    for (size_t i = 1; i < book->count; i++) {
        if (book->pages[i]->heard_ms < book->pages[oldest]->heard_ms)
            oldest = i;
    }
    return book->pages[oldest];
}

static struct page *page_of(struct incident_book *book, const char *deployment)
{
    struct page *page;

    for (size_t i = 0; i < book->count; i++) {
        if (same_name(book->pages[i]->deployment, deployment))
            return book->pages[i];
    }
    page = page_new(book);
    memset(page, 0, sizeof *page);
    copy_name(page->deployment, deployment);
    return page;
}

static struct cause *cause_of(struct page *page, const char *name)
{
    const bool full = page->count >= INCIDENT_CAUSES_MAX - 1;

    for (size_t i = 0; i < page->count; i++) {
        if (same_name(page->causes[i].name, name))
            return &page->causes[i];
    }
    if (full && strcmp(name, INCIDENT_FURTHER) != 0)
        return cause_of(page, INCIDENT_FURTHER);
    copy_name(page->causes[page->count].name, name);
    return &page->causes[page->count++];
}

static struct incident_word tell(const struct page *page, struct cause *cause, int64_t now_ms)
{
    const struct incident_word word = { page->deployment, cause->name,  cause->severity,
                                        cause->open,      cause->count, false };

    cause->told_severity = cause->severity;
    cause->told_open = cause->open;
    cause->told = true;
    cause->told_ms = now_ms;
    cause->waiting = false;
    cause->count = 0;
    return word;
}

/* What was told is no longer the truth, for the worse. */
static bool is_urgent(const struct cause *cause)
{
    return cause->open && (!cause->told_open || cause->severity > cause->told_severity);
}

/* The shared cause is over only when nothing is open any more, whoever was the last. */
static void close_further(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        struct cause *const cause = &page->causes[i];

        if (strcmp(cause->name, INCIDENT_FURTHER) != 0 || !cause->open)
            continue;
        cause->open = false;
        cause->waiting = true;
    }
}

static void note(struct cause *cause, const struct incident_word *word)
{
    const bool stays_grave = word->open && cause->open && word->severity < cause->severity;

    cause->count += word->count;
    if (!stays_grave)
        cause->severity = word->severity;
    cause->open = word->open;
    cause->waiting = true;
}

bool incident_book_note(struct incident_book *book,
                        const struct incident_word *word,
                        int64_t now_ms,
                        struct incident_word *ret)
{
    struct page *const page = page_of(book, word->deployment);
    struct cause *const cause = cause_of(page, word->cause);

    page->heard_ms = now_ms;
    if (!word->open && word->all_clear)
        close_further(page);
    if (!word->open && strcmp(cause->name, INCIDENT_FURTHER) == 0)
        return false;
    note(cause, word);
    if (cause->told && !is_urgent(cause) && now_ms - cause->told_ms < INCIDENT_EVERY_MS)
        return false;
    *ret = tell(page, cause, now_ms);
    return true;
}

bool incident_book_due(struct incident_book *book, int64_t now_ms, struct incident_word *ret)
{
    for (size_t p = 0; p < book->count; p++) {
        struct page *const page = book->pages[p];

        for (size_t i = 0; i < page->count; i++) {
            struct cause *const cause = &page->causes[i];

            if (!cause->waiting || now_ms - cause->told_ms < INCIDENT_EVERY_MS)
                continue;
            *ret = tell(page, cause, now_ms);
            return true;
        }
    }
    return false;
}

bool incident_book_owes(const struct incident_book *book)
{
    for (size_t p = 0; p < book->count; p++) {
        const struct page *const page = book->pages[p];

        for (size_t i = 0; i < page->count; i++) {
            if (page->causes[i].waiting && !page->causes[i].open)
                return true;
        }
    }
    return false;
}

int64_t incident_book_next_ms(const struct incident_book *book)
{
    int64_t next_ms = INT64_MAX;

    for (size_t p = 0; p < book->count; p++) {
        const struct page *const page = book->pages[p];

        for (size_t i = 0; i < page->count; i++) {
            const int64_t due_ms = page->causes[i].told_ms + INCIDENT_EVERY_MS;

            if (page->causes[i].waiting && due_ms < next_ms)
                next_ms = due_ms;
        }
    }
    return next_ms;
}
