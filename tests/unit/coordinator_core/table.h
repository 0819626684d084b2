/* The rows and columns of the table of phase x event: what can happen, and where. */
#ifndef TESTS_UNIT_COORDINATOR_CORE_TABLE_H
#define TESTS_UNIT_COORDINATOR_CORE_TABLE_H

#include "tests/unit/coordinator_core/places.h"

enum { TABLE_COLUMNS = 28, TABLE_ROWS = 38 };

struct column {
    const char *name;
    void (*reach)(struct play *play);
};

struct row {
    const char *name;
    void (*event)(struct play *play);
    bool of_task;      /* Only where one runs. */
    const char *timer; /* Only where it is armed. */
};

extern const struct column table_columns[TABLE_COLUMNS];
extern const struct row table_rows[TABLE_ROWS];

/* Whether that can happen where the play stands. */
bool table_has_cell(const struct play *play, const struct row *row);

#endif
