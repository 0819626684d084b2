#include "tests/unit/cli/transcript.h"

#include "common/adapters/memory/clock.h"
#include "common/adapters/memory/http_client.h"
#include "services/cli/cli.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    FILE_MAX = 256 * 1024,
    WORDS_MAX = 32,
    ANSWERS_MAX = 16,
    UUID_LENGTH = 36,
    BODY_SHOWN = 400
};

/* Monday, 23 November 2026, 14:07:30 UTC. */
static const int64_t NOW_MS = 1795442850000;
static const char ANSWERS[] = "tests/unit/cli/golden/answers/";

/* A transcript being played. */
struct play {
    struct arena arena;
    struct memory_clock clock;
    struct memory_http_answer always[ANSWERS_MAX];
    size_t always_count;
    struct memory_http_answer once[ANSWERS_MAX];
    size_t once_count;
    bool begun;    /* A command has been run. */
    bool answered; /* What was written last came from one. */
    bool terminal;
    bool types; /* stdin is a terminal. */
    size_t width;
    int runs;           /* The status of a program that is run; -1: not there. */
    const char *digest; /* Sent along with the next command's answers. */
    const char *keys;   /* What is typed into a watch, one at each look. */
    struct text stdin_text;
    struct text out; /* The transcript as it comes out. */
};

static const char *read_all(struct arena *arena, FILE *file)
{
    char *const bytes = arena_alloc(arena, FILE_MAX);
    size_t length;

    (void)fseek(file, 0, SEEK_SET);
    length = fread(bytes, 1, FILE_MAX - 1, file);
    bytes[length] = '\0';
    return bytes;
}

static const char *read_path(struct arena *arena, const char *path)
{
    FILE *const file = fopen(path, "rb");
    const char *text;

    if (file == NULL)
        fail_msg("%s is not there", path);
    text = read_all(arena, file);
    (void)fclose(file);
    return text;
}

/* --- the script's lines --- */

/* The word at *line, cut off there; *line goes on behind it. */
static const char *take_word(char **line)
{
    char *const word = *line;
    const size_t length = strcspn(word, " ");

    *line = word + length + (word[length] != '\0' ? 1 : 0);
    word[length] = '\0';
    return word;
}

/* "GET /v1/me 200 me.json" */
static void add_answer(struct play *play, char *line)
{
    struct memory_http_answer answer = { 0 };
    const char *const method = take_word(&line);
    const char *const path = take_word(&line);
    const char *const status = take_word(&line);
    const char *const body = line;

    assert_true(status[0] != '\0');
    answer.method = method;
    answer.url = arena_printf(&play->arena, "https://slipway.example%s", path);
    answer.took_ms = 3;
    if (strcmp(status, "down") == 0)
        answer.err = ERR_UNAVAILABLE;
    answer.status = (int)strtol(status, NULL, 10);
    if (play->digest != NULL)
        answer.headers[answer.header_count++] =
            (struct http_header){ "repr-digest", play->digest };
    answer.body = body;
    if (body[0] != '\0' && strchr("{<", body[0]) == NULL)
        answer.body =
            read_path(&play->arena, arena_printf(&play->arena, "%s%s", ANSWERS, body));
    if (play->begun) {
        assert_true(play->once_count < ANSWERS_MAX);
        play->once[play->once_count++] = answer;
    } else {
        assert_true(play->always_count < ANSWERS_MAX);
        play->always[play->always_count++] = answer;
    }
}

static void set_way(struct play *play, const char *line)
{
    if (strncmp(line, "zone ", 5) == 0) {
        (void)setenv("TZ", line + 5, 1);
        tzset();
    } else if (strncmp(line, "width ", 6) == 0) {
        play->width = (size_t)strtoul(line + 6, NULL, 10);
    } else if (strncmp(line, "keys ", 5) == 0) {
        play->keys = line + 5;
        play->types = true;
    } else if (strncmp(line, "runs ", 5) == 0) {
        play->runs = (int)strtol(line + 5, NULL, 10);
    } else if (strncmp(line, "digest ", 7) == 0) {
        play->digest = line + 7;
    } else if (strcmp(line, "terminal") == 0) {
        play->terminal = true;
    } else {
        fail_msg("what is %s?", line);
    }
}

/* Words as a shell splits them: blanks, but not within quotes. */
static size_t split(char *line, const char **words)
{
    size_t count = 0;

    while (*line != '\0' && count < WORDS_MAX) {
        char *to = line;
        char quote = '\0';

        words[count++] = line;
        for (; *line != '\0' && (quote != '\0' || *line != ' '); line++) {
            if (quote == '\0' ? *line == '"' || *line == '\'' : *line == quote)
                quote = quote == '\0' ? *line : '\0';
            else
                *to++ = *line;
        }
        while (*line == ' ')
            line++;
        *to = '\0';
    }
    return count;
}

/* --- running a command --- */

static bool wait_in_test(void *self, int ms)
{
    struct play *const play = self;

    memory_clock_advance(&play->clock, ms);
    return true;
}

static int key_in_test(void *self, int ms)
{
    struct play *const play = self;

    memory_clock_advance(&play->clock, ms);
    return play->keys[0] != '\0' ? *play->keys++ : 0;
}

/* What stood on a descriptor while it led to a file, and back to where it led before. */
struct capture {
    FILE *file;
    int descriptor;
    int before;
};

static struct capture capture_begin(FILE *stream)
{
    struct capture capture = { .file = tmpfile(), .descriptor = fileno(stream) };

    assert_non_null(capture.file);
    (void)fflush(stream);
    capture.before = dup(capture.descriptor);
    assert_true(dup2(fileno(capture.file), capture.descriptor) >= 0);
    return capture;
}

static const char *capture_end(struct play *play, struct capture *capture, FILE *stream)
{
    const char *text;

    (void)fflush(stream);
    (void)dup2(capture->before, capture->descriptor);
    (void)close(capture->before);
    text = read_all(&play->arena, capture->file);
    (void)fclose(capture->file);
    return text;
}

/* Each line of text behind prefix. */
static void add_lines(struct text *out, const char *prefix, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");

        text_add(out, "%s%.*s\n", prefix, (int)length, text);
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

/* What was asked for that changes something; the request's random id is masked. */
static void add_calls(struct play *play, struct memory_http *http)
{
    for (size_t i = 0; i < memory_http_call_count(http); i++) {
        const struct memory_http_call *const call = memory_http_call(http, i);
        char *const body = arena_copy(&play->arena, call->body, call->body_length);
        char *const id = strstr(body, "\"request\":\"");

        if (strcmp(call->method, "GET") == 0)
            continue;
        if (id != NULL)
            memset(id + strlen("\"request\":\""), '*', UUID_LENGTH);
        text_add(&play->out,
                 "=> %s %s%s%.*s%s\n",
                 call->method,
                 call->url + strlen("https://slipway.example"),
                 body[0] != '\0' ? " " : "",
                 BODY_SHOWN,
                 body,
                 strlen(body) > BODY_SHOWN ? "..." : "");
    }
}

/* What a coordinator that is run here ends with; "% runs 4". */
static int run_in_test(void *self, const char *const *argv)
{
    struct play *const play = self;

    (void)fprintf(stderr, "runs:");
    for (; *argv != NULL; argv++)
        (void)fprintf(stderr, " %s", *argv);
    (void)fprintf(stderr, "\n");
    return play->runs;
}

static struct cli cli_of(struct play *play, struct memory_http *http)
{
    struct cli cli = {
        .arena = arena_with_limit(CLI_MEMORY),
        .http = memory_http_client(http),
        .clock = memory_clock_port(&play->clock),
        .terminal = { .asks = play->types,
                      .redraws = play->terminal,
                      .width = play->width,
                      .wait = wait_in_test,
                      .key = key_in_test,
                      .run = run_in_test,
                      .self = play },
    };

    for (size_t i = 0; i < play->once_count; i++)
        memory_http_answer(http, &play->once[i]);
    for (size_t i = 0; i < play->always_count; i++)
        memory_http_answer(http, &play->always[i]);
    cli.terminal.in = tmpfile();
    assert_non_null(cli.terminal.in);
    (void)fputs(play->stdin_text.bytes, cli.terminal.in);
    (void)fseek(cli.terminal.in, 0, SEEK_SET);
    return cli;
}

static void run_command(struct play *play, char *line)
{
    struct memory_http *const http = memory_http_new();
    const char *words[WORDS_MAX] = { 0 };
    const size_t count = split(line, words);
    struct capture out;
    struct capture err;
    struct cli cli;
    enum cli_exit result;
    const char *out_text;
    const char *err_text;

    play->clock.now_ms = NOW_MS;
    cli = cli_of(play, http);
    out = capture_begin(stdout);
    err = capture_begin(stderr);
    result = cli_run(&cli, words + 1, count - 1);
    err_text = capture_end(play, &err, stderr);
    out_text = capture_end(play, &out, stdout);
    add_calls(play, http);
    add_lines(&play->out, "", out_text);
    add_lines(&play->out, "2| ", err_text);
    if (result != EXIT_DONE)
        text_add(&play->out, "exit %d\n", (int)result);
    (void)fclose(cli.terminal.in);
    arena_release(&cli.arena);
    memory_http_free(http);
}

static void forget_ways(struct play *play)
{
    (void)setenv("TZ", "UTC", 1);
    tzset();
    play->once_count = 0;
    play->terminal = false;
    play->types = false;
    play->width = CLI_WIDTH;
    play->keys = "";
    play->runs = -1;
    play->digest = NULL;
    text_reset(&play->stdin_text);
}

/* One line of the script, written down as it is, and what comes of it. What stood under a
 * command before is passed over: it comes anew. */
static void play_line(struct play *play, const char *line)
{
    char *const copy = arena_copy(&play->arena, line, strlen(line));
    char *const rest = copy + (line[0] != '\0' && line[1] == ' ' ? 2 : 0);

    if (line[0] == '\0' || strchr("#%<>|$", line[0]) == NULL || line[1] != ' ')
        return;
    text_add(&play->out, "%s%s\n", play->answered ? "\n" : "", line);
    play->answered = false;
    switch (line[0]) {
    case '%': set_way(play, rest); break;
    case '<': add_answer(play, rest); break;
    case '>':
        play->types = true;
        text_add(&play->stdin_text, "%s\n", rest);
        break;
    case '|': text_add(&play->stdin_text, "%s\n", rest); break;
    case '$':
        play->begun = true;
        run_command(play, rest);
        forget_ways(play);
        play->answered = true;
        break;
    default: break;
    }
}

static void set_surroundings(void)
{
    (void)setenv("HOME", "/nonexistent", 1);
    (void)setenv("SLIPWAY_SERVER", "https://slipway.example", 1);
    (void)unsetenv("SLIPWAY_TOKEN_FILE");
    (void)unsetenv("SLIPWAY_PROFILE");
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)unsetenv("XDG_STATE_HOME");
}

static void write_down(const char *path, const char *text)
{
    FILE *const file = fopen(path, "wb");

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

void transcript_play(const char *path)
{
    struct play play = { .arena = arena_with_limit(64 << 20),
                         .stdin_text = text_new(FILE_MAX),
                         .out = text_new(FILE_MAX) };
    const char *const wanted = read_path(&play.arena, path);
    const char *const write = getenv("SLIPWAY_GOLDEN");

    set_surroundings();
    forget_ways(&play);
    for (const char *line = wanted; *line != '\0';) {
        const size_t length = strcspn(line, "\n");

        play_line(&play, arena_copy(&play.arena, line, length));
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    if (write != NULL && strcmp(write, "write") == 0)
        write_down(path, play.out.bytes);
    else
        assert_string_equal(play.out.bytes, wanted);
    text_release(&play.stdin_text);
    text_release(&play.out);
    arena_release(&play.arena);
}
