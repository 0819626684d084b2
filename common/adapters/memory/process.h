/* A process runner that answers from a prepared table and remembers what it was asked to run.
 */
#ifndef COMMON_ADAPTERS_MEMORY_PROCESS_H
#define COMMON_ADAPTERS_MEMORY_PROCESS_H

#include "common/ports/process.h"

/* One row. The first row that fits and is not used up answers; without one the call is
 * ERR_NOT_FOUND, and the text names it. All pointers are borrowed for the life of the table. */
struct memory_process_answer {
    const char *command; /* As in fnmatch(3), against argv joined by spaces: "/bin/deploy *". */
    unsigned times;      /* Answers so often; 0: always. */

    enum err err;
    int exit_status;
    const char *output; /* NULL: "" */
    int64_t took_ms;

    /* If set, it alone makes the answer. */
    enum err (*respond)(void *self,
                        struct arena *arena,
                        const struct process_call *call,
                        struct process_result *ret,
                        struct error *error);
    void *respond_self;
};

struct memory_process;

struct memory_process *memory_process_new(void);
void memory_process_free(struct memory_process *process); /* Accepts NULL. */

/* The runner borrows the table. */
struct process_runner memory_process_runner(struct memory_process *process);

/* Add a row at the end. */
void memory_process_answer(struct memory_process *process,
                           const struct memory_process_answer *answer);

/* Forget all rows, so that others can take their place. The record of calls stays. */
void memory_process_forget(struct memory_process *process);

size_t memory_process_call_count(const struct memory_process *process);

/* argv joined by spaces; index < memory_process_call_count. */
const char *memory_process_call(const struct memory_process *process, size_t index);

/* What it got on its standard input; "" if nothing. */
const char *memory_process_input(const struct memory_process *process, size_t index);

#endif
