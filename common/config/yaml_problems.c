/* Collecting what is wrong with a file, and telling it as a compiler would. */
#include "common/base/text.h"
#include "common/config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 400, LINE_SHOWN_MAX = 160 };

static struct yaml_problem *add(struct yaml_problems *problems,
                                const char *format,
                                va_list args) __attribute__((format(printf, 2, 0)));

/* A further problem with its message, or NULL when there are too many to keep. */
static struct yaml_problem *add(struct yaml_problems *problems,
                                const char *format,
                                va_list args)
{
    struct yaml_problem *problem;
    char message[MESSAGE_MAX];

    if (problems->count == YAML_PROBLEMS_MAX)
        return NULL;
    problem = &problems->item[problems->count++];
    (void)vsnprintf(message, sizeof message, format, args);
    *problem = (struct yaml_problem){
        .file = "", .field = "", .message = arena_text(problems->arena, message), .expected = ""
    };
    return problem;
}

static void place(struct yaml_problem *problem,
                  const struct yaml_node *at,
                  const char *expected)
{
    if (problem == NULL)
        return;
    problem->expected = expected != NULL ? expected : "";
    if (at != NULL) {
        problem->file = at->file;
        problem->line = at->line;
        problem->column = at->column;
        problem->field = at->path;
    }
}

/* Two tables that read one mapping say the same of it. */
static bool repeats_last(const struct yaml_problems *problems)
{
    const struct yaml_problem *const last = &problems->item[problems->count - 1];

    return problems->count > 1 && last->line > 0 && last[-1].line == last->line &&
           last[-1].column == last->column && strcmp(last[-1].message, last->message) == 0;
}

enum err yaml_complain(struct yaml_problems *problems,
                       const struct yaml_node *at,
                       const char *expected,
                       const char *format,
                       ...)
{
    struct yaml_problem *problem;
    va_list args;

    va_start(args, format);
    problem = add(problems, format, args);
    va_end(args);
    place(problem, at, expected);
    if (problem != NULL && repeats_last(problems))
        problems->count--;
    else
        problems->errors++;
    return ERR_INVALID;
}

void yaml_warn(struct yaml_problems *problems,
               const struct yaml_node *at,
               const char *expected,
               const char *format,
               ...)
{
    struct yaml_problem *problem;
    va_list args;

    va_start(args, format);
    problem = add(problems, format, args);
    va_end(args);
    place(problem, at, expected);
    if (problem != NULL)
        problem->warning = true;
    problems->warnings++;
}

enum err yaml_complain_file(struct yaml_problems *problems,
                            const char *file,
                            const char *format,
                            ...)
{
    struct yaml_problem *problem;
    va_list args;

    va_start(args, format);
    problem = add(problems, format, args);
    va_end(args);
    if (problem != NULL)
        problem->file = arena_text(problems->arena, file);
    problems->errors++;
    return ERR_INVALID;
}

/* The start of that line of source (from 1), and its length without the line's end. */
static const char *line_of(const char *source, int line, size_t *ret_length)
{
    for (int i = 1; i < line; i++) {
        source = strchr(source, '\n');
        if (source == NULL)
            return NULL;
        source++;
    }
    *ret_length = strcspn(source, "\r\n");
    return source;
}

/* Is the byte the first of a character? */
static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The line, cut where a terminal would wrap it, without what a terminal would obey. */
static void print_line(const char *line, size_t length, struct text *out)
{
    size_t shown = 0;

    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)line[i];

        if (begins_character(line[i]) && ++shown > LINE_SHOWN_MAX)
            break;
        if (c < 0x20 || c == 0x7f)
            text_add_char(out, ' ');
        else
            text_add_char(out, line[i]);
    }
}

static void print_place(const struct yaml_problem *problem,
                        const char *source,
                        struct text *out)
{
    const int caret = problem->column <= LINE_SHOWN_MAX ? problem->column : LINE_SHOWN_MAX;
    size_t length = 0;
    const char *const line =
        source != NULL && problem->line > 0 ? line_of(source, problem->line, &length) : NULL;

    if (line == NULL) {
        if (*problem->expected != '\0')
            text_add(out, "      expected: %s\n", problem->expected);
        return;
    }
    text_add(out, "%5d | ", problem->line);
    print_line(line, length, out);
    text_add(out, "\n      | %*s^", caret - 1, "");
    if (strncmp(problem->expected, "one of", 6) == 0)
        text_add(out, " expected %s", problem->expected);
    else if (strncmp(problem->expected, "did you mean", 12) == 0)
        text_add(out, " %s", problem->expected);
    else if (*problem->expected != '\0')
        text_add(out, " expected: %s", problem->expected);
    text_add_char(out, '\n');
}

void yaml_print_problems(const struct yaml_problems *problems,
                         const char *source,
                         struct text *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct yaml_problem *const problem = &problems->item[i];
        const char *const kind = problem->warning ? "warning" : "error";

        text_add(out, "%s", problem->file);
        if (problem->line > 0)
            text_add(out, ":%d:%d", problem->line, problem->column);
        text_add(out, ": %s: %s\n", kind, problem->message);
        if (!problem->warning || *problem->expected != '\0')
            print_place(problem, source, out);
    }
    if (problems->errors + problems->warnings > problems->count)
        text_add(
            out, "... and %zu more\n", problems->errors + problems->warnings - problems->count);
}
