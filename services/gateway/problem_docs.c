/* What each kind of problem means: where `docs` of a problem leads. */
#include "services/gateway/resources.h"

#include <string.h>

static void write_kind(struct text *out, const struct problem_text *kind)
{
    text_add(out,
             "## %s\n\n%s (%d, `%s%s`)\n\n%s\n\nWhat to do: %s\n",
             kind->code,
             kind->title,
             kind->status,
             PROBLEM_URN,
             kind->code,
             kind->meaning,
             kind->remedy);
}

static void answer_markdown(struct gateway_call *call)
{
    call->status = 200;
    call->content_type = "text/markdown; charset=utf-8";
}

void get_problem_docs(struct gateway_call *call)
{
    const struct problem_text *kind;

    text_add(&call->out, "# Problems\n\nEach answer from 400 on is of one of these kinds.\n");
    for (size_t i = 0; (kind = problem_text(i)) != NULL; i++) {
        text_add_char(&call->out, '\n');
        write_kind(&call->out, kind);
    }
    answer_markdown(call);
}

/* By its code, or by its whole name. */
void get_problem_doc(struct gateway_call *call)
{
    const char *const asked = call->parameter[0];
    const bool whole = strncmp(asked, PROBLEM_URN, strlen(PROBLEM_URN)) == 0;
    const char *const code = whole ? asked + strlen(PROBLEM_URN) : asked;
    const struct problem_text *kind;

    for (size_t i = 0; (kind = problem_text(i)) != NULL; i++) {
        if (strcmp(kind->code, code) != 0)
            continue;
        write_kind(&call->out, kind);
        answer_markdown(call);
        return;
    }
    call_no_such(call, "kind of problem", asked);
}
