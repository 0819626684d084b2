#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

struct table *table_new(struct cli *cli, const char *const *head)
{
    struct table *const table = arena_alloc(&cli->arena, sizeof *table);

    while (head[table->columns] != NULL)
        table->columns++;
    table_row(table, head);
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

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t shown_length(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++)
        length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}

/* The bytes of the first `most` characters. */
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

static void print_row(const struct table *table, const size_t *widths, size_t row)
{
    size_t used = 0;

    for (size_t i = 0; i < table->columns; i++) {
        const char *const cell = table->cell[row][i];
        const size_t room = used < CLI_WIDTH ? CLI_WIDTH - used : 0;
        const size_t bytes = bytes_of(cell, room);

        (void)printf("%.*s", (int)bytes, cell);
        if (i + 1 == table->columns || cell[bytes] != '\0')
            break;
        (void)printf("%*s", (int)(widths[i] - shown_length(cell) + 2), "");
        used += widths[i] + 2;
    }
    (void)putchar('\n');
}

void table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };

    for (size_t i = 0; i < table->columns; i++)
        widths[i] = column_width(table, i);
    for (size_t row = 0; row < table->rows; row++)
        print_row(table, widths, row);
}
