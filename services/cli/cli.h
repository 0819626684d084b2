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
#include <stdio.h>

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

enum { CLI_ARGUMENTS_MAX = 64, CLI_MEMORY = 64 << 20, CLI_WIDTH = 100, CLI_NAMES_MAX = 500 };

/* Where a setting came from, for doctor. */
struct cli_setting {
    const char *value;
    const char *from;
};

/* The terminal, or what stands in for one: people answer, frames are drawn over. */
struct cli_terminal {
    FILE *in;     /* Answers and names ("-"). */
    bool asks;    /* Somebody sits there to answer. */
    bool redraws; /* stdout is one. */
    size_t width; /* Of stdout; CLI_WIDTH unless it is a narrower terminal. */
    int height;   /* Lines of a terminal; 0: unknown. */

    /* Waits so long. False: interrupted (Ctrl-C), end soon. */
    bool (*wait)(void *self, int ms);

    /* Waits so long for a key, without echo: its character; 0 for none, -1 for an interrupt. */
    int (*key)(void *self, int ms);

    /* Runs a program of Slipway's to its end, on this terminal: its exit status; 128 and the
     * signal that ended it; -1 if it is not there. */
    int (*run)(void *self, const char *const *argv);
    void *self;
};

/* Everything a verb may use. */
struct cli {
    struct arena arena;
    struct http_client http;
    struct clock_port clock;
    struct cli_terminal terminal;

    struct cli_setting server;
    struct cli_setting token_file;
    const char *verb; /* As typed. */
    const char *profile;
    const char *token; /* Never printed. */
    const char *file;  /* feature.yaml as the user named it; NULL: none. */
    bool json;
    bool quiet;
    bool ascii;
    bool colour;
    bool utc;
    bool verbose;
    bool silent; /* Errors are not told: completion. */
    bool dry_run;
    bool yes;
    bool refuses;       /* signoff --refuse */
    int64_t timeout_ms; /* 0: none given. */

    /* Arguments of the verb, without global flags; flags as written, "--reason" and its value.
     */
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
};

/* --- the program (program.c) --- */

/* Carries out a command line. words[0] is the first argument. cli: arena, http, clock and
 * terminal are there, ascii and colour say what the locale and the terminal allow. */
enum cli_exit cli_run(struct cli *cli, const char *const *words, size_t count);

/* --- arguments (arguments.c) --- */

/* The value of --name VALUE or --name=VALUE, taken out of the arguments; NULL if it is not
 * there. */
const char *cli_option(struct cli *cli, const char *name);

/* The same, a number from least to most; *ret is left alone when it is not there. False, with a
 * message, when it is none of these. */
struct cli_range {
    int64_t least;
    int64_t most;
};
bool cli_number(struct cli *cli, const char *name, struct cli_range range, int64_t *ret);

/* True if --name was there; taken out. */
bool cli_flag(struct cli *cli, const char *name);

/* The next positional argument, taken out; NULL if there is none. */
const char *cli_next(struct cli *cli);

/* The deployment that is named next, with a message and NULL when there is none. */
const char *cli_deployment(struct cli *cli);

/* False, with a message, when the verb has no such flag, or one lacks its value. */
bool cli_flags_known(struct cli *cli);

/* Says how that verb is used; answers EXIT_USAGE. */
enum cli_exit cli_usage(struct cli *cli, const char *how);

/* False, with a message, when arguments are left over: a typo is an error, never ignored. */
bool cli_finished(struct cli *cli);

/* When that is: "now", "+84h" after from_ms, the next "thu 18:00" after from_ms (local zone or
 * --utc), or RFC 3339. -1 if it is none of them. time.c */
int64_t cli_time(const struct cli *cli, const char *text, int64_t from_ms);

/* --- talking to the gateway (client.c) --- */

struct cli_answer {
    int status;
    json_t *body;       /* NULL if it is not JSON. Released by cli_release. */
    const char *text;   /* As received. */
    const char *digest; /* Of the text, as the server sent it along and it was found to be;
                         * NULL: none was sent. */
};

/* Asks; answers EXIT_DONE with a 2xx answer, or prints the problem and answers what to exit
 * with. accept NULL: JSON. body NULL: none. */
struct cli_request {
    const char *method;
    const char *path;
    const char *body;
    const char *content_type;
    const char *accept;
    bool repeats; /* It carries an id: asked again when the answer is lost. */
};
enum cli_exit cli_ask(struct cli *cli, const struct cli_request *asked, struct cli_answer *ret);
enum cli_exit cli_get(struct cli *cli, const char *path, struct cli_answer *ret);
void cli_release(struct cli_answer *answer);

/* Asks, and prints the answer: as it came with --json or without `print`, else by `print`. */
enum cli_exit cli_tell(struct cli *cli,
                       const struct cli_request *asked,
                       void (*print)(struct cli *cli, const json_t *body));

/* The path with {id}-like parts escaped: cli_path(cli, "/v1/deployments/%s/plan", name). */
const char *cli_path(struct cli *cli, const char *format, const char *part);

/* A random id (UUID), so that a repeat is the same request. */
const char *cli_new_id(struct cli *cli);

/* Tells a problem of the API (problem.c): what, why, what to do; answers what to exit with. */
enum cli_exit cli_problem(struct cli *cli, const struct cli_answer *answer);

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

/* "Europe/Berlin" or "UTC": named once, in a heading. */
const char *say_zone(struct cli *cli);

/* "14:08:31.002". */
const char *say_clock_ms(struct cli *cli, int64_t ms);

/* The glyph of a step's state, a verdict or a phase; plain and coloured as asked for. */
const char *say_glyph(const struct cli *cli, const char *state);

/* Between things of one line: a dot, or its plain twin. */
const char *say_dot(const struct cli *cli);

/* "rolling out": a phase for people. */
const char *say_phase(const char *phase);

/* "rolling out 25 %, held": where a deployment is. */
const char *say_state(struct cli *cli, const json_t *deployment);

/* A sentence of waiting_for (member sentence, unblock or otherwise), its times in the viewer's
 * zone instead of UTC. */
const char *say_sentence(struct cli *cli, const json_t *deployment, const char *member);

/* "technical-lead and devops-lead"; "nobody; it goes on by itself". */
const char *say_who(struct cli *cli, const json_t *deployment);

/* Of {"PASS": 22, "NOT_APPLICABLE": 2}: "22 pass, 2 not applicable". */
const char *say_counts(struct cli *cli, const json_t *counts);

/* The first 8 digits of a hash: what people compare. */
const char *say_hash(struct cli *cli, const char *hash);

/* "1,312" */
const char *say_number(struct cli *cli, int64_t number);

/* What was built in a text, kept in the arena; the text is released. */
const char *say_taken(struct cli *cli, struct text *text);

/* Columns padded to what they hold. The one whose head begins with '*' (without one: the last)
 * is cut to what is left of the width; where even that is too little, columns are left out from
 * the right. Display width counts characters, not bytes, and no colours. */
enum { TABLE_COLUMNS_MAX = 10, TABLE_ROWS_MAX = 500 };
struct table {
    size_t columns;
    size_t rows;
    size_t cut;       /* The column that is cut. */
    size_t width;     /* Of everything. */
    const char *more; /* Where something is cut off. */
    const char *cell[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
};
struct table *table_new(struct cli *cli, const char *const *head); /* NULL-terminated head. */
void table_row(struct table *table, const char *const *cells);     /* As many as the head. */
void table_print(const struct table *table);

/* Prints the body as it came, for --json; one compact value in one line. */
void say_json(const struct cli_answer *answer);
void say_json_line(const json_t *value);

/* The page's address of a deployment, printed last. */
void say_address(const struct cli *cli, const char *deployment);

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
    const char *words;   /* Second words for completion, space-separated. */
    enum cli_exit (*run)(struct cli *cli);
    unsigned kind;
};
enum {
    VERB_OFFLINE = 1, /* Needs no server. */
    VERB_NAMED = 2,   /* Its first argument is a deployment: may be "-", completed by names. */
    VERB_FILE = 4,    /* Its first argument is a file. */
    VERB_ASKS = 8,    /* Asks something of a deployment. */
};
const struct verb *verbs_all(size_t *ret_count);
const struct verb *verbs_find(const char *name); /* NULL: there is none. */

/* A flag of a verb; verb "": of those that ask (VERB_ASKS), NULL: of every verb. "--reason
 * TEXT" takes a value, "--yes" none. */
struct verb_flag {
    const char *verb;
    const char *flag;
    const char *what;
};
const struct verb_flag *verbs_flags(size_t *ret_count);

/* Whether that verb has it as its own; verb NULL: whether all have it. */
bool verbs_flag_fits(const struct verb_flag *flag, const struct verb *verb);

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
enum cli_exit verb_lanes(struct cli *cli);
enum cli_exit verb_alert(struct cli *cli);
enum cli_exit verb_flags(struct cli *cli);
enum cli_exit verb_signals(struct cli *cli);
enum cli_exit verb_dead_letter(struct cli *cli);
enum cli_exit verb_inbox(struct cli *cli);
enum cli_exit verb_doctor(struct cli *cli);
enum cli_exit verb_verify(struct cli *cli);
enum cli_exit verb_rebuild(struct cli *cli);
enum cli_exit verb_login(struct cli *cli);
enum cli_exit verb_open(struct cli *cli);
enum cli_exit verb_completion(struct cli *cli);
enum cli_exit verb_help(struct cli *cli);

/* Shared by those who ask something of a deployment: requests.c. */

/* Without --role: the one of mine that is waited for, else my first. */
const char *request_role(struct cli *cli, const json_t *deployment);

/* The outer members: request id, role, expected_version, reason. */
struct json;
void request_begin(struct cli *cli,
                   struct json *json,
                   const json_t *deployment,
                   const char *reason);

/* Sends it, and says what came of it: "approved  saved-carts.2  version 7" and what it waits
 * for now. */
enum cli_exit request_send(struct cli *cli,
                           const char *deployment,
                           const char *body,
                           const char *done);

/* Tells what came of it at once, to the millisecond: the stop, the latch, the read-back of the
 * flags; waits a few seconds for them. True if it is being taken back. reaction.c */
struct reaction {
    const char *deployment;
    int64_t since_ms; /* When it was recorded; 0: with the first of what is told. */
    int64_t version;  /* Only what came later than this counts. */
};
bool reaction_tell(struct cli *cli, const struct reaction *reaction);

/* One timeline entry a line. */
void timeline_entry(struct cli *cli, const json_t *entry);

/* "  +  path   now" for each difference of a plan. */
void plan_print_diff(FILE *out, const json_t *diff);

/* The points of no return: what, and the way back. */
void plan_print_no_return(FILE *out, const struct cli *cli, const json_t *plan);

#endif
