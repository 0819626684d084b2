/* What is true of every text and every list of an acceptance, whatever it means. */
#include "common/config/acceptance_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 2000 };

void tell(
    const struct check *check, const char *field, const char *expected, const char *format, ...)
{
    char what[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    check->tell(
        check->self,
        &(struct acceptance_problem){ field, arena_text(check->arena, what), expected });
}

const char *at(const struct check *check, const char *list, size_t index, const char *rest)
{
    return arena_printf(check->arena, "%s[%zu]%s", list, index, rest);
}

static void check_message(const struct check *check,
                          const char *path,
                          const ProtobufCMessage *message);

static void check_text(const struct check *check, const char *path, const char *text)
{
    const size_t length = strlen(text);

    if (length > TEXT_MAX)
        tell(check, path, "at most 2000 bytes", "is %zu bytes long", length);
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') ||
            text[i] == 0x7f) {
            tell(check, path, "text for people", "holds a control character");
            return;
        }
}

static void check_element(const struct check *check,
                          const char *path,
                          const ProtobufCFieldDescriptor *field,
                          const void *member)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *const text = *(const char *const *)member;

        if (text != NULL)
            check_text(check, path, text);
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *const inner = *(const ProtobufCMessage *const *)member;

        if (inner != NULL)
            check_message(check, path, inner);
    }
}

/* The texts of a message, wherever they are in it; its types do not recurse. */
static void check_message(const struct check *check,
                          const char *path,
                          const ProtobufCMessage *message)
{
    const char *const base = (const char *)message;

    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *const field = &message->descriptor->fields[f];
        const void *const member = base + field->offset;
        const char *const name =
            arena_printf(check->arena, "%s%s%s", path, *path != '\0' ? "." : "", field->name);
        const char *const *array;
        size_t count;

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            check_element(check, name, field, member);
            continue;
        }
        count = *(const size_t *)(const void *)(base + field->quantifier_offset);
        array = *(const char *const *const *)member;
        for (size_t i = 0; i < count; i++)
            check_element(check, at(check, name, i, ""), field, &array[i]);
    }
}

bool check_counts(const struct check *check, const Pb__AcceptanceSignedOff *acceptance)
{
    const struct {
        const char *field;
        size_t count;
        size_t max;
    } lists[] = {
        { "services", acceptance->n_services, ACCEPTANCE_SERVICES_MAX },
        { "artifacts", acceptance->n_artifacts, ACCEPTANCE_ARTIFACTS_MAX },
        { "flags", acceptance->n_flags, ACCEPTANCE_FLAGS_MAX },
        { "rollout", acceptance->n_rollout, ACCEPTANCE_STAGES_MAX },
        { "documents", acceptance->n_documents, ACCEPTANCE_LIST_MAX },
        { "test_results", acceptance->n_test_results, ACCEPTANCE_LIST_MAX },
        { "checks", acceptance->n_checks, ACCEPTANCE_CHECKS_MAX },
        { "metrics", acceptance->n_metrics, ACCEPTANCE_METRICS_MAX },
        { "risks", acceptance->n_risks, ACCEPTANCE_LIST_MAX },
        { "unknowns", acceptance->n_unknowns, ACCEPTANCE_LIST_MAX },
        { "dashboards", acceptance->n_dashboards, ACCEPTANCE_LIST_MAX },
        { "report.signoffs",
          acceptance->report != NULL ? acceptance->report->n_signoffs : 0,
          ACCEPTANCE_LIST_MAX },
        { "report.criteria",
          acceptance->report != NULL ? acceptance->report->n_criteria : 0,
          ACCEPTANCE_LIST_MAX },
    };
    bool good = true;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (lists[i].count <= lists[i].max)
            continue;
        tell(check,
             lists[i].field,
             arena_printf(check->arena, "at most %zu", lists[i].max),
             "has %zu entries",
             lists[i].count);
        good = false;
    }
    for (size_t i = 0; good && i < acceptance->n_rollout; i++)
        if (acceptance->rollout[i]->n_criteria > ACCEPTANCE_METRICS_MAX) {
            tell(check, at(check, "rollout", i, ".criteria"), "at most 32", "has too many");
            good = false;
        }
    return good;
}

void check_texts(const struct check *check, const Pb__AcceptanceSignedOff *acceptance)
{
    check_message(check, "", &acceptance->base);
}
