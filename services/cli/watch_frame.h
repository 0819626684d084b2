/* What a watch shows: one frame, drawn over the last. */
#ifndef SERVICES_CLI_WATCH_FRAME_H
#define SERVICES_CLI_WATCH_FRAME_H

#include "services/cli/cli.h"

enum { FRAME_NEWS = 4, FRAME_NEWS_SIZE = 400 };

struct frame {
    int lines;                              /* Of what stands there now; 0: nothing does. */
    char news[FRAME_NEWS][FRAME_NEWS_SIZE]; /* The newest lines of the log, oldest first. */
    char note[FRAME_NEWS_SIZE];             /* An answer to a key; "" for none. */
};

/* One more line of the log; the oldest makes room. */
void frame_news(struct frame *frame, const char *line);

/* Draws the deployment over the last frame. */
void frame_draw(struct cli *cli, struct frame *frame, const json_t *deployment);

/* The record of the run, in place of the last frame: it has ended. */
void frame_end(struct cli *cli, struct frame *frame, const json_t *deployment);

#endif
