#include "common/adapters/memory/process.h"

#include "common/adapters/memory/heap.h"
#include "common/base/text.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_MAX = 16 * 1024 };

struct answer_row {
    struct memory_process_answer answer;
    unsigned used;
};

struct recorded_call {
    char *command;
    char *input;
};

struct memory_process {
    struct answer_row *rows;
    size_t row_count;
    size_t row_capacity;
    struct recorded_call *calls;
    size_t call_count;
    size_t call_capacity;
};

struct memory_process *memory_process_new(void)
{
    return heap_take(sizeof(struct memory_process));
}

void memory_process_free(struct memory_process *process)
{
    if (process == NULL)
        return;
    for (size_t i = 0; i < process->call_count; i++) {
        free(process->calls[i].command);
        free(process->calls[i].input);
    }
    free(process->calls);
    free(process->rows);
    free(process);
}

void memory_process_answer(struct memory_process *process,
                           const struct memory_process_answer *answer)
{
    process->rows = heap_room(
        process->rows, process->row_count, &process->row_capacity, sizeof *process->rows);
    process->rows[process->row_count++] = (struct answer_row){ .answer = *answer };
}

void memory_process_forget(struct memory_process *process)
{
    process->row_count = 0;
}

size_t memory_process_call_count(const struct memory_process *process)
{
    return process->call_count;
}

const char *memory_process_call(const struct memory_process *process, size_t index)
{
    assert(index < process->call_count);
    return process->calls[index].command;
}

const char *memory_process_input(const struct memory_process *process, size_t index)
{
    assert(index < process->call_count);
    return process->calls[index].input;
}

static char *argv_join(const char *const *argv)
{
    struct text text = text_new(COMMAND_MAX);

    for (size_t i = 0; argv[i] != NULL; i++)
        text_add(&text, "%s%s", i > 0 ? " " : "", argv[i]);
    char *joined = heap_text(text.bytes != NULL ? text.bytes : "");

    text_release(&text);
    return joined;
}

static const char *call_record(struct memory_process *process, const struct process_call *call)
{
    process->calls = heap_room(
        process->calls, process->call_count, &process->call_capacity, sizeof *process->calls);
    struct recorded_call *recorded = &process->calls[process->call_count++];

    recorded->command = argv_join(call->argv);
    recorded->input = heap_text(call->input != NULL ? call->input : "");
    return recorded->command;
}

static const struct memory_process_answer *answer_find(struct memory_process *process,
                                                       const char *command)
{
    for (size_t i = 0; i < process->row_count; i++) {
        struct answer_row *row = &process->rows[i];

        if (row->answer.times > 0 && row->used >= row->answer.times)
            continue;
        if (fnmatch(row->answer.command, command, 0) != 0)
            continue;
        row->used++;
        return &row->answer;
    }
    return NULL;
}

static enum err runner_run(void *self,
                           struct arena *arena,
                           const struct process_call *call,
                           struct process_result *ret,
                           struct error *error)
{
    struct memory_process *process = self;
    const char *command = call_record(process, call);
    const struct memory_process_answer *answer = answer_find(process, command);

    if (answer == NULL)
        return error_set(error, ERR_NOT_FOUND, "%s: no answer prepared", command);
    if (answer->respond != NULL)
        return answer->respond(answer->respond_self, arena, call, ret, error);
    if (answer->err != ERR_OK)
        return error_set(error, answer->err, "%s: %s", command, err_name(answer->err));
    const char *output = answer->output != NULL ? answer->output : "";

    *ret = (struct process_result){ .exit_status = answer->exit_status,
                                    .output = arena_text(arena, output),
                                    .output_length = strlen(output),
                                    .took_ms = answer->took_ms };
    return ERR_OK;
}

struct process_runner memory_process_runner(struct memory_process *process)
{
    return (struct process_runner){ process, runner_run };
}
