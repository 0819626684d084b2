#include "services/cli/watch_frame.h"

#include <stdio.h>
#include <string.h>

enum { FRAME_MAX = 64 * 1024, BAR = 20, PERCENT = 100 };

void frame_news(struct frame *frame, const char *line)
{
    memmove(frame->news[0], frame->news[1], sizeof frame->news - sizeof frame->news[0]);
    (void)snprintf(frame->news[FRAME_NEWS - 1], FRAME_NEWS_SIZE, "%s", line);
}

/* --- parts of a frame --- */

static const char *took(struct cli *cli, const json_t *part)
{
    const int64_t began_ms = field_int(part, "began_ms");
    const int64_t ended_ms = field_int(part, "ended_ms");

    if (began_ms == 0)
        return "";
    return say_duration(cli, (ended_ms > 0 ? ended_ms : clock_now_ms(cli->clock)) - began_ms);
}

static const char *block_of(const struct cli *cli, const char *state)
{
    if (strcmp(state, "NEW") == 0)
        return cli->ascii ? "#" : "■";
    if (strcmp(state, "OLD") == 0 || strcmp(state, "REVERTED") == 0)
        return cli->ascii ? "." : "□";
    return strcmp(state, "FAILED") == 0 ? "x" : (cli->ascii ? ">" : "▷");
}

/* "■ ■■■ ▷▷□": an instance each, a gap between batches. */
static void add_batches(struct cli *cli, struct text *out, const json_t *change)
{
    size_t i;
    size_t k;
    json_t *batch;
    json_t *instance;

    json_array_foreach(field(change, "batches"), i, batch)
    {
        text_add(out, " ");
        json_array_foreach(field(batch, "instances"), k, instance)
        {
            text_add(out, "%s", block_of(cli, field_text(instance, "state")));
        }
    }
}

static void add_changes(struct cli *cli, struct text *out, const json_t *deployment)
{
    size_t i;
    json_t *change;

    json_array_foreach(field(deployment, "changes"), i, change)
    {
        text_add(out,
                 "   %s %zu %-28s %-12s",
                 say_glyph(cli, field_text(change, "state")),
                 i + 1,
                 arena_printf(&cli->arena,
                              "%s %s",
                              field_text(change, "artifact"),
                              field_text(change, "version")),
                 took(cli, change));
        add_batches(cli, out, change);
        text_add(out, "\n");
    }
}

/* "[========>     ]": how much of the stage's least time is over. */
static const char *bar_of(struct cli *cli, const json_t *stage)
{
    const int64_t least_ms = field_int(stage, "min_ms");
    const int64_t over_ms = clock_now_ms(cli->clock) - field_int(stage, "began_ms");
    const int64_t part = least_ms > 0 && over_ms < least_ms ? over_ms * BAR / least_ms : BAR;
    char bar[BAR + 1];

    memset(bar, ' ', BAR);
    memset(bar, '=', (size_t)(part > 0 ? part : 0));
    if (part < BAR)
        bar[part > 0 ? part : 0] = '>';
    bar[BAR] = '\0';
    return arena_printf(&cli->arena, "[%s]", bar);
}

/* Values are numbers of any kind here; limits too. */
static void add_metrics(struct cli *cli, struct text *out, const json_t *deployment)
{
    size_t i;
    json_t *metric;

    json_array_foreach(field(deployment, "metrics"), i, metric)
    {
        const json_t *const values = field(metric, "values");
        const size_t count = json_array_size(values);

        if (count == 0)
            continue;
        text_add(out,
                 "       %s %s %g %s %s %g\n",
                 say_glyph(cli, field_text(metric, "verdict")),
                 field_text(metric, "name"),
                 json_number_value(json_array_get(values, count - 1)),
                 field_text(metric, "unit"),
                 field_text(metric, "op"),
                 json_number_value(field(metric, "limit")));
    }
}

static bool is_at_work(const json_t *stage)
{
    return field_int(stage, "began_ms") > 0 && field_int(stage, "ended_ms") == 0;
}

static void add_stages(struct cli *cli, struct text *out, const json_t *deployment)
{
    size_t i;
    json_t *stage;

    json_array_foreach(field(deployment, "stages"), i, stage)
    {
        const int64_t least = field_int(stage, "min_samples");

        text_add(out,
                 "   %s %zu %-14s %3lld %%   %-12s",
                 say_glyph(cli, is_at_work(stage) ? "RUNNING" : field_text(stage, "state")),
                 i + 1,
                 field_text(stage, "name"),
                 (long long)field_int(stage, "percent"),
                 took(cli, stage));
        if (is_at_work(stage))
            text_add(out,
                     "%s of %s",
                     bar_of(cli, stage),
                     say_duration(cli, field_int(stage, "min_ms")));
        if (is_at_work(stage) && least > 0)
            text_add(out,
                     "  %s of %s requests",
                     say_number(cli, field_int(stage, "samples")),
                     say_number(cli, least));
        text_add(out, "\n");
        if (is_at_work(stage))
            add_metrics(cli, out, deployment);
    }
}

static void add_steps(struct cli *cli, struct text *out, const json_t *deployment)
{
    const int64_t now = field_int(deployment, "step");
    const bool undoing = json_is_object(field(deployment, "stop"));
    size_t i;
    json_t *step;

    json_array_foreach(field(deployment, "steps"), i, step)
    {
        text_add(out,
                 "%s %zu %-28s %-12s %s\n",
                 say_glyph(cli, field_text(step, "state")),
                 i,
                 field_text(step, "name"),
                 took(cli, step),
                 field_text(step, "rule"));
        if (i == 2 && (now == 2 || now == 3 || undoing))
            add_changes(cli, out, deployment);
        if (i == 4 && now == 4 && !undoing)
            add_stages(cli, out, deployment);
    }
}

static void add_news(const struct frame *frame, struct text *out)
{
    text_add(out, "\n");
    for (int i = 0; i < FRAME_NEWS; i++) {
        if (frame->news[i][0] != '\0')
            text_add(out, "%s\n", frame->news[i]);
    }
    if (frame->note[0] != '\0')
        text_add(out, "%s\n", frame->note);
    text_add(out, "q leave, p pause, a what may be done, o address\n");
}

/* --- drawing --- */

/* One line, cut to the width, over what stood there. */
static void draw_line(const struct cli *cli, const char *line, size_t length)
{
    size_t shown = 0;
    size_t i = 0;

    while (i < length && shown < cli->terminal.width) {
        if (line[i] == '\033') {
            i += strcspn(line + i, "m") + 1;
            continue;
        }
        i++;
        while (i < length && ((unsigned char)line[i] & 0xc0) == 0x80)
            i++;
        shown++;
    }
    if (i < length && line[i] == '\033') /* The colour that is on ends. */
        i += strcspn(line + i, "m") + 1;
    (void)printf("\033[K%.*s\n", (int)i, line);
}

/* Over the last frame, and nothing of it is left below. What is higher than the terminal could
 * not be drawn over: it is left out. */
static void draw(const struct cli *cli, struct frame *frame, const char *text)
{
    if (frame->lines > 0)
        (void)printf("\033[%dA", frame->lines);
    frame->lines = 0;
    while (*text != '\0' &&
           (cli->terminal.height < 2 || frame->lines + 1 < cli->terminal.height)) {
        const size_t length = strcspn(text, "\n");

        draw_line(cli, text, length);
        text += length + (text[length] == '\n' ? 1 : 0);
        frame->lines++;
    }
    (void)printf("\033[J");
    (void)fflush(stdout);
}

void frame_draw(struct cli *cli, struct frame *frame, const json_t *deployment)
{
    struct text text = text_new(FRAME_MAX);

    text_add(&text,
             "%s   %s %s   v%lld   %s live\n%s\n\n",
             field_text(deployment, "id"),
             say_glyph(cli, field_text(deployment, "phase")),
             say_state(cli, deployment),
             (long long)field_int(deployment, "version"),
             say_clock(cli, clock_now_ms(cli->clock)),
             say_sentence(cli, deployment, "sentence"));
    add_steps(cli, &text, deployment);
    add_news(frame, &text);
    draw(cli, frame, text.bytes);
    text_release(&text);
}

static size_t given_of(const json_t *deployment)
{
    size_t given = 0;
    size_t i;
    json_t *signoff;

    json_array_foreach(field(deployment, "signoffs"), i, signoff)
    {
        given += strcmp(field_text(signoff, "state"), "GIVEN") == 0;
    }
    return given;
}

void frame_end(struct cli *cli, struct frame *frame, const json_t *deployment)
{
    const int64_t took_ms =
        field_int(deployment, "updated_ms") - field_int(deployment, "created_ms");
    struct text text = text_new(FRAME_MAX);
    size_t i;
    json_t *step;

    text_add(&text,
             "%s   %s %s   %lld %%   %s\n%s\n",
             field_text(deployment, "id"),
             say_glyph(cli, field_text(deployment, "exit")),
             field_text(deployment, "exit"),
             (long long)field_int(deployment, "percent"),
             say_duration(cli, took_ms),
             say_sentence(cli, deployment, "sentence"));
    json_array_foreach(field(deployment, "steps"), i, step)
    {
        text_add(&text,
                 "%s%s %zu %s",
                 i > 0 ? "  " : "",
                 say_glyph(cli, field_text(step, "state")),
                 i,
                 took(cli, step));
    }
    text_add(&text,
             "\n%zu of %zu sign-offs   %zu receipts\nreport  slipway report %s --markdown\n",
             given_of(deployment),
             json_array_size(field(deployment, "signoffs")),
             json_array_size(field(deployment, "receipts")),
             field_text(deployment, "id"));
    draw(cli, frame, text.bytes);
    text_release(&text);
}
