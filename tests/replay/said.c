#include "tests/replay/said.h"

#include "common/base/text.h"
#include "common/wire/pb.h"

#include <string.h>

enum { SAID_MAX = 4 * 1024 * 1024 };

static const char *plain(const char *text)
{
    return text != NULL ? text : "";
}

static void add_message(struct arena *arena, struct text *out, const void *message)
{
    const struct pb_bytes packed = pb_pack(arena, message);
    char digest[DIGEST_HEX_SIZE];

    digest_sha256(packed.bytes, packed.length, digest);
    text_add(out, "%s\n", digest);
}

static void add_answer(struct text *out, const struct effect_answer *answer)
{
    text_add(out,
             "%s %d %s %s %s %s %llu\n",
             plain(answer->request),
             (int)answer->applied,
             plain(answer->code),
             plain(answer->detail),
             plain(answer->remedy),
             plain(answer->deployment),
             (unsigned long long)answer->version);
}

static void add_effect(struct arena *arena, struct text *out, const struct effect *effect)
{
    text_add(out, "%d ", (int)effect->kind);
    switch (effect->kind) {
    case EFFECT_COMMAND:
    case EFFECT_CANCEL:
        text_add(out, "%s %s ", effect->worker, effect->task);
        add_message(arena, out, effect->command);
        return;
    case EFFECT_FORGET: text_add(out, "%s\n", effect->task); return;
    case EFFECT_EVENT:
        text_add(out, "%s ", effect->key);
        add_message(arena, out, effect->event);
        return;
    case EFFECT_SIGNAL: add_message(arena, out, effect->signal); return;
    case EFFECT_CONTROL:
        text_add(out, "%s ", effect->key);
        add_message(arena, out, effect->control);
        return;
    case EFFECT_COMPILE: text_add(out, "%s\n", plain(effect->approach)); return;
    case EFFECT_ARCHIVE: text_add(out, "\n"); return;
    case EFFECT_ANSWER: add_answer(out, &effect->answer); return;
    case EFFECT_ENTRY: add_message(arena, out, effect->entry); return;
    }
}

static void close_chain(const struct text *out, char chain[DIGEST_HEX_SIZE])
{
    digest_sha256(out->bytes, out->length, chain);
}

void said_chain(struct arena *arena, const struct effects *effects, char chain[DIGEST_HEX_SIZE])
{
    struct text out = text_new(SAID_MAX);

    text_add(&out, "%s\n", chain);
    for (size_t i = 0; i < effects->count; i++)
        add_effect(arena, &out, &effects->item[i]);
    close_chain(&out, chain);
    text_release(&out);
}

static void add_allowed(struct arena *arena,
                        struct text *out,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan)
{
    static const char *const roles[] = {
        "release-engineer", "devops-lead", "technical-lead", "operations-lead"
    };

    for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++) {
        Pb__Actor *const actor = pb_new(arena, &pb__actor__descriptor);
        struct allowed_request *allowed = NULL;
        size_t count;

        actor->subject = roles[r];
        PB_APPEND(arena, actor, roles, roles[r]);
        count = procedure_allowed(arena, state, plan, actor, &allowed);
        for (size_t i = 0; i < count; i++)
            text_add(out,
                     "%s %d %s %s\n",
                     allowed[i].request,
                     (int)allowed[i].allowed,
                     plain(allowed[i].code),
                     plain(allowed[i].why));
    }
}

void said_chain_outlook(struct arena *arena,
                        const Pb__DeploymentState *state,
                        const Pb__Plan *plan,
                        char chain[DIGEST_HEX_SIZE])
{
    struct text out = text_new(SAID_MAX);
    struct undo_step *steps = NULL;
    size_t count;

    text_add(&out, "%s\n", chain);
    add_allowed(arena, &out, state, plan);
    count = procedure_undo_preview(arena, state, plan, &steps);
    for (size_t i = 0; i < count; i++)
        text_add(&out,
                 "%s %s %u %u\n",
                 plain(steps[i].what),
                 plain(steps[i].how),
                 steps[i].change,
                 steps[i].batch);
    close_chain(&out, chain);
    text_release(&out);
}
