/* The command line: one program over the gateway's HTTP API, and nothing else.
 *
 * stdout is the answer and nothing but the answer; stderr is progress, questions and errors.
 * Exit statuses are part of the contract. Every verb is one row of the table in verbs.c. */
#ifndef SERVICES_CLI_CLI_H
#define SERVICES_CLI_CLI_H

#include "common/base/arena.h"
#include "common/base/text.h"
#include "common/ports/clock.h"
#include "common/ports/http_client.h"

#include <jansson.h>

#include <stdbool.h>

enum cli_exit {
    EXIT_DONE = 0,
    EXIT_NO = 1, /* The answer is no: lint errors, doctor faults, request refused. */
    EXIT_USAGE = 2,
    EXIT_NO_SUCH = 3,
    EXIT_NOT_ALLOWED = 4, /* Not signed in, or not your role. */
    EXIT_CHANGED = 5,     /* Changed meanwhile. */
    EXIT_UNREACHABLE = 6,
    EXIT_TIMED_OUT = 7,
    EXIT_IS_BLOCKED = 10,
    EXIT_IS_ABORTED = 11,
    EXIT_IS_ROLLED_BACK = 12,
    EXIT_INTERRUPTED = 130,
};

enum { CLI_ARGUMENTS_MAX = 64, CLI_MEMORY = 64 << 20, CLI_WIDTH = 100 };

/* Where a setting came from, for doctor. */
struct cli_setting {
    const char *value;
    const char *from;
};

/* Everything a verb may use. */
struct cli {
    struct arena arena;
    struct http_client http;
    struct clock_port clock;

    struct cli_setting server;
    struct cli_setting token_file;
    const char *verb; /* As typed. */
    const char *profile;
    const char *token; /* Never printed. */
    bool json;
    bool quiet;
    bool ascii;
    bool colour;
    bool utc;
    bool no_input;
    bool verbose;
    bool silent; /* Errors are not told: completion. */
    bool dry_run;
    bool yes;
    int64_t timeout_ms; /* 0: none given. */
    int64_t step;       /* explain --step; -1: the one it is in. */

    /* Arguments of the verb, without global flags; flags as written, "--reason" and its value.
     */
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
};

/* --- arguments (arguments.c) --- */

/* The value of --name VALUE or --name=VALUE, taken out of the arguments; NULL if it is not
 * there. */
const char *cli_option(struct cli *cli, const char *name);

/* True if --name was there; taken out. */
bool cli_flag(struct cli *cli, const char *name);

/* The next positional argument, taken out; NULL if there is none. */
const char *cli_next(struct cli *cli);

/* False, with a message, when arguments are left over: a typo is an error, never ignored. */
bool cli_finished(const struct cli *cli);

/* When that is: "now", "+84h" after from_ms, the next "thu 18:00" after from_ms (local zone or
 * --utc), or RFC 3339. -1 if it is none of them. time.c */
int64_t cli_time(const struct cli *cli, const char *text, int64_t from_ms);

/* --- talking to the gateway (client.c) --- */

struct cli_answer {
    int status;
    json_t *body;     /* NULL if it is not JSON. Released by cli_release. */
    const char *text; /* As received. */
};

/* Asks; answers EXIT_DONE with a 2xx answer, or prints the problem and answers what to exit
 * with. accept NULL: JSON. body NULL: none. */
struct cli_request {
    const char *method;
    const char *path;
    const char *body;
    const char *content_type;
    const char *accept;
};
enum cli_exit cli_ask(struct cli *cli, const struct cli_request *asked, struct cli_answer *ret);
enum cli_exit cli_get(struct cli *cli, const char *path, struct cli_answer *ret);
void cli_release(struct cli_answer *answer);

/* The path with {id}-like parts escaped: cli_path(cli, "/v1/deployments/%s/plan", name). */
const char *cli_path(struct cli *cli, const char *format, const char *part);

/* Complain in the form of all errors: what, then "  do:  remedy". remedy may be NULL. */
void cli_complain(const struct cli *cli, const char *what, const char *remedy);

/* --- reading JSON (fields.c) --- */

/* A member by dotted path: "waiting_for.sentence". NULL, "" or 0 when it is not there. */
json_t *field(const json_t *object, const char *path);
const char *field_text(const json_t *object, const char *path);
int64_t field_int(const json_t *object, const char *path);
bool field_true(const json_t *object, const char *path);

/* --- saying (say.c) --- */

/* "48 min", "1 h 23 min", "11 ms". */
const char *say_duration(struct cli *cli, int64_t ms);

/* "14:08", with the day in front if it is not today; local time or --utc. "-" for 0. */
const char *say_time(struct cli *cli, int64_t ms);

/* "14:08:31". */
const char *say_clock(struct cli *cli, int64_t ms);

/* The glyph of a step's state, a verdict or a phase, in ASCII where asked for. */
const char *say_glyph(const struct cli *cli, const char *state);

/* "rolling out": a phase for people. */
const char *say_phase(const char *phase);

/* The first line of a sha256 that people compare: 8 digits. */
const char *say_hash(struct cli *cli, const char *hash);

/* Columns padded to what they hold; the last one is cut at the width. Display width counts
 * characters, not bytes. */
enum { TABLE_COLUMNS_MAX = 10, TABLE_ROWS_MAX = 500 };
struct table {
    size_t columns;
    size_t rows;
    const char *cell[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
};
struct table *table_new(struct cli *cli, const char *const *head); /* NULL-terminated head. */
void table_row(struct table *table, const char *const *cells);     /* As many as the head. */
void table_print(const struct table *table);

/* Prints the body as it came, for --json. */
enum cli_exit say_json(const struct cli_answer *answer);

/* Sleeps; the command line may. */
void cli_nap(int ms);

/* --- asking people (ask.c) --- */

/* True for y. Without a terminal or with --no-input: false, and the flag that would have
 * answered is named. */
bool ask_yes(struct cli *cli, const char *question, const char *flag);
bool ask_line(struct cli *cli, const char *question, char *line, size_t size);

/* --- verbs --- */

struct verb {
    const char *name;    /* "freeze" */
    const char *usage;   /* "freeze add SCOPE --from T --to T --reason R | ..." */
    const char *summary; /* One line. */
    const char *example;
    enum cli_exit (*run)(struct cli *cli);
    bool offline; /* Needs no server. */
};
const struct verb *verbs_all(size_t *ret_count);

enum cli_exit verb_lint(struct cli *cli);
enum cli_exit verb_submit(struct cli *cli);
enum cli_exit verb_plan(struct cli *cli);
enum cli_exit verb_approve(struct cli *cli);
enum cli_exit verb_list(struct cli *cli);
enum cli_exit verb_show(struct cli *cli);
enum cli_exit verb_watch(struct cli *cli);
enum cli_exit verb_timeline(struct cli *cli);
enum cli_exit verb_report(struct cli *cli);
enum cli_exit verb_explain(struct cli *cli);
enum cli_exit verb_request(struct cli *cli); /* pause, resume, retry, ...: see requests.c */
enum cli_exit verb_freeze(struct cli *cli);
enum cli_exit verb_alert(struct cli *cli);
enum cli_exit verb_flags(struct cli *cli);
enum cli_exit verb_signals(struct cli *cli);
enum cli_exit verb_dead_letter(struct cli *cli);
enum cli_exit verb_inbox(struct cli *cli);
enum cli_exit verb_doctor(struct cli *cli);
enum cli_exit verb_login(struct cli *cli);
enum cli_exit verb_open(struct cli *cli);
enum cli_exit verb_completion(struct cli *cli);
enum cli_exit verb_help(struct cli *cli);

/* The page's address of a deployment, printed last. */
void say_address(const struct cli *cli, const char *deployment);

#endif
