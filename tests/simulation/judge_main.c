/* slipway-judge: the judge of simulated runs, over what a real Slipway left behind.
 *
 *     slipway-judge [--store-lost] FILE...
 *
 * Each FILE (record_file.h) is a part of a history that nothing else has a share in, such as
 * one lane and its features. --store-lost: Redis once forgot something. Exit status 0: every
 * rule holds in each; 1: some are broken, each told in a line; 2: a file cannot be read.
 *
 * Rules about what gateways told users see nothing to judge: no file says it. */
#include "tests/simulation/record_file.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 1024 * 1024 * 1024 };

static int judge_file(const char *path, bool store_lost)
{
    struct arena arena = arena_with_limit(ARENA_MAX);
    struct history history = { .store_lost = store_lost };
    struct judge judge = { .arena = &arena, .history = &history };
    int status = 2;

    if (record_file_read(&judge, path, &history)) {
        status = judge_all(&judge) ? 0 : 1;
        if (status != 0)
            (void)printf("%s: %s: %s\n", path, judge.rule, judge.sentence);
        else
            (void)printf("%s: %zu records and %zu deeds are in order\n",
                         path,
                         judge.count,
                         history.deed_count);
    }
    arena_release(&arena);
    return status;
}

int main(int argc, char **argv)
{
    bool store_lost = false;
    int worst = argc < 2 ? 2 : 0;

    for (int i = 1; i < argc; i++) {
        int status = 0;

        if (strcmp(argv[i], "--store-lost") == 0)
            store_lost = true;
        else
            status = judge_file(argv[i], store_lost);
        worst = status > worst ? status : worst;
    }
    return worst;
}
