#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

enum { GAP = 2, CUT_LEAST = 12 };

struct table *table_new(struct cli *cli, const char *const *head)
{
    struct table *const table = arena_alloc(&cli->arena, sizeof *table);

    table->width = cli->terminal.width;
    table->more = cli->ascii ? "..." : "…";
    while (head[table->columns] != NULL)
        table->columns++;
    table->cut = table->columns - 1;
    table_row(table, head);
    for (size_t i = 0; i < table->columns; i++) {
        if (head[i][0] != '*')
            continue;
        table->cut = i;
        table->cell[0][i]++;
    }
    return table;
}

void table_row(struct table *table, const char *const *cells)
{
    if (table->rows == TABLE_ROWS_MAX)
        return;
    for (size_t i = 0; i < table->columns; i++)
        table->cell[table->rows][i] = cells[i] != NULL ? cells[i] : "";
    table->rows++;
}

/* The bytes of a colour's escape sequence at the beginning of text; 0 if it is none. */
static size_t escape_length(const char *text)
{
    return text[0] == '\033' ? strcspn(text, "m") + 1 : 0;
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room, nor do colours. */
static size_t shown_length(const char *text)
{
    size_t length = 0;

    while (*text != '\0') {
        const size_t escape = escape_length(text);

        length += escape == 0 && ((unsigned char)*text & 0xc0) != 0x80;
        text += escape > 0 ? escape : 1;
    }
    return length;
}

/* The bytes of the first `most` characters of a text without colours. */
static size_t bytes_of(const char *text, size_t most)
{
    size_t i = 0;

    for (; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && most-- == 0)
            break;
    }
    return i;
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = 0;

    for (size_t row = 0; row < table->rows; row++) {
        const size_t length = shown_length(table->cell[row][column]);

        if (length > width)
            width = length;
    }
    return width;
}

/* How many columns fit; the one that is cut is made as narrow as it has to be. */
static size_t fit(const struct table *table, size_t *widths)
{
    for (size_t columns = table->columns; columns > 1; columns--) {
        size_t used = (columns - 1) * GAP;
        size_t room;

        for (size_t i = 0; i < columns; i++)
            used += i == table->cut ? 0 : widths[i];
        room = used < table->width ? table->width - used : 0;
        if (table->cut >= columns) {
            if (used <= table->width)
                return columns;
        } else if (room >= widths[table->cut] || room >= CUT_LEAST) {
            widths[table->cut] = room < widths[table->cut] ? room : widths[table->cut];
            return columns;
        }
    }
    return 1;
}

static void print_cell(const struct table *table, const char *cell, size_t width, bool last)
{
    const size_t length = shown_length(cell);

    if (length > width && strchr(cell, '\033') == NULL) {
        const size_t more = shown_length(table->more);

        (void)printf(
            "%.*s%s", (int)bytes_of(cell, width > more ? width - more : 0), cell, table->more);
        (void)printf("%*s", last ? 0 : GAP, "");
        return;
    }
    (void)printf("%s%*s", cell, last ? 0 : (int)(width - length + GAP), "");
}

/* Nothing is put behind the last cell that holds something. */
static void print_row(const struct table *table,
                      const size_t *widths,
                      size_t columns,
                      size_t row)
{
    while (columns > 1 && table->cell[row][columns - 1][0] == '\0')
        columns--;
    for (size_t i = 0; i < columns; i++)
        print_cell(table, table->cell[row][i], widths[i], i + 1 == columns);
    (void)putchar('\n');
}

void table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };
    size_t columns;

    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    columns = fit(table, widths);
    for (size_t row = 0; row < table->rows; row++)
        print_row(table, widths, columns, row);
}
