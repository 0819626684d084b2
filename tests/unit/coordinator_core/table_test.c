/* Phase x event: what each event does in each phase, every cell of it.
 *
 *     0a 0c 0d   AWAITING_INPUTS with something missing, IN_REVIEW, QUEUED for a lane
 *     1 to 7     the running steps; 2 applies, 2b bakes, 4 watches a stage, 4g waits at its
 * gate, 4d and 5d set the flags to 0, 7s sends, 7 waits for sign-offs B1 to B7   BLOCKED(n); in
 * B4 and B5 the flags are set to 0 ST UN BR   STOPPING, ROLLING_BACK, BLOCKED_ROLLBACK CO AB RD
 * COMPLETED, ABORTED, ROLLED_BACK
 *     -  refused      .  stale      h  under a hold afterwards */
#include "tests/unit/coordinator_core/table.h"

#include <stdlib.h>

static void write_cell(struct text *out, const struct column *column, const struct row *row)
{
    struct play *const play = calloc(1, sizeof *play);
    char cell[8] = " ";
    char code[PLACE_CODE_SIZE];
    struct text text = text_over(cell, sizeof cell);

    assert_non_null(play);
    play_open(play);
    column->reach(play);
    if (!table_has_cell(play, row)) {
        text_add(&text, " ");
    } else {
        row->event(play);
        text_add(&text,
                 "%s%s",
                 play->answer == PROCEDURE_STALE        ? "."
                 : play->answer == PROCEDURE_REFUSED    ? "-"
                 : play->answer == PROCEDURE_IMPOSSIBLE ? "!!"
                                                        : place_code(play->state, code),
                 play->answer == PROCEDURE_APPLIED && play->state->n_holds > 0 ? "h" : "");
    }
    text_add(out, " %-3s", text.bytes);
    play_close(play);
    free(play);
}

static void trim(struct text *out)
{
    while (out->length > 0 && out->bytes[out->length - 1] == ' ')
        out->bytes[--out->length] = '\0';
    text_add(out, "\n");
}

/* clang-format off */
static const char *const expected[] = {
    "                   0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  CO  AB  RD\n",
    "task PASS                      2   2   2   4   4       B4  6   B5  7s  7                                   UN  UN\n",
    "task FAIL                      B1  UN  UN  UN  UN      UN  UN  UN  B6  B7                                  UN  UN\n",
    "task INCONCLUSIVE              B1  B2  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task WARN                      B1  B2  B2  B3  B4      UN  B5  UN  6h  B7                                  UN  BR\n",
    "task ERROR                     B1  UN  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task lost                      B1  UN  B2  B3  B4      UN  B5  UN  B6  B7                                  UN  BR\n",
    "task deadline                  B1  ST  ST  ST  ST      ST  B5  ST  B6  B7                                  UN  BR\n",
    "phase deadline     AB  AB  AB  B1  ST  ST  ST  ST  B4  ST  B5  ST  B6  B7  B7  AB  UN  UN  UN  UN  ST  B7\n",
    "critical incident  0a  0c  0d  B1  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  B1  UN  UN  UN  UN  ST  ST  ST  UN  BR  CO  AB  RD\n",
    "warning incident   0a  0c  0d  1   2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  CO  AB  RD\n",
    "incident resolved  .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   ST  UN  BR  .   .   RD\n",
    "kill seen          AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  AB  UN  UN  UN  UN  ST  ST  .   .   .   CO  .   .\n",
    "pause              0ah 0ch 0dh 1h  2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7sh 7h  -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "resume             -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "freeze             0ah 0ch 0dh 1h  2h  2bh 3h  4h  4gh 4dh 5h  5dh 6h  7sh 7h  B1h B2h B3h B4h B5h B6h B7h .   .   .   .   .   .\n",
    "freeze end         .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "pause, resume      0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "freeze and end     0a  0c  0d  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  .   .   .   .   .   .\n",
    "approve            -   0c  -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "reject             -   AB  -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "sign-off           -   -   -   -   -   -   3   4   4g  4d  5   5d  6   7s  7   -   -   B3  B4  B5  B6  B7  -   -   -   -   -   -\n",
    "sign-off refused   -   -   -   -   -   -   3   4   4g  4d  5   5d  6   7s  B7  -   -   B3  B4  B5  B6  B7  -   -   -   -   -   -\n",
    "attest gate        -   -   -   -   -   -   -   -   4   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "waive              -   -   -   1   2   2b  3   4   4g  4d  5   5d  6   7s  7   0d  2   4   4   4   7s  7   -   -   -   -   -   -\n",
    "mark-restored      -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   UN  -   -   -\n",
    "skip-change        -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -   UN  -   -   -\n",
    "retry              0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   -   0d  2   3   4   4   6   7s  -   -   UN  -   AB  RD\n",
    "replan             0b  0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   0b  -   -   -   -   -   -   -   -   -   -   -   -\n",
    "supply             0b  0b  0b  0b  -   -   -   -   -   -   -   -   -   -   -   0b  -   -   -   -   -   -   -   -   -   -   -   -\n",
    "abort              AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  AB  UN  UN  UN  UN  ST  ST  ST  UN  BR  -   -   -\n",
    "rollback           -   -   -   -   ST  ST  ST  ST  UN  ST  ST  ST  ST  ST  ST  -   UN  UN  UN  UN  ST  ST  ST  UN  BR  CO  -   -\n",
    "promote            -   -   -   -   -   2b  -   4   -   -   -   -   6   -   -   -   -   -   -   -   -   -   -   -   -   -   -   -\n",
    "lane granted       .   .   1   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "withdrawn          AB  AB  AB  AB  ST  ST  ST  ST  UN  ST  ST  ST  ST  7s  7   AB  UN  UN  UN  UN  ST  B7  ST  UN  BR  CO  AB  RD\n",
    "acceptance, same   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "acceptance, other  0b  0b  0b  1   2   2b  3   4   4g  4d  5   5d  6   7s  7   B1  B2  B3  B4  B5  B6  B7  ST  UN  BR  .   .   .\n",
    "late word          .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
    "unknown timer      .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .\n",
};
/* clang-format on */

static void every_event_does_in_every_phase_what_the_table_says(void **state)
{
    char bytes[256];
    struct text out = text_over(bytes, sizeof bytes);

    (void)state;
    text_add(&out, "%-18s", "");
    for (size_t c = 0; c < TABLE_COLUMNS; c++)
        text_add(&out, " %-3s", table_columns[c].name);
    trim(&out);
    assert_string_equal(out.bytes, expected[0]);
    for (size_t r = 0; r < TABLE_ROWS; r++) {
        text_reset(&out);
        text_add(&out, "%-18s", table_rows[r].name);
        for (size_t c = 0; c < TABLE_COLUMNS; c++)
            write_cell(&out, &table_columns[c], &table_rows[r]);
        trim(&out);
        assert_string_equal(out.bytes, expected[r + 1]);
    }
}

_Static_assert(sizeof expected / sizeof expected[0] == TABLE_ROWS + 1, "a line for each row");

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_does_in_every_phase_what_the_table_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
