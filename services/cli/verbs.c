/* What there is: one row a verb, one row a flag. Help, completion and the manual follow it. */
#include "services/cli/cli.h"

#include <string.h>

/* clang-format off */
static const struct verb verbs[] = {
    { "lint",          "lint [FILE]",                     "check feature.yaml or slipway.yaml; needs no server", "", verb_lint, VERB_OFFLINE | VERB_FILE },
    { "submit",        "submit [FILE]",                   "hand in feature.yaml as acceptance signed off", "", verb_submit, VERB_FILE },
    { "list",          "list",                            "deployments, and what they wait for", "", verb_list, 0 },
    { "show",          "show DEPLOYMENT",                 "why it waits, for whom, since when, what unblocks it", "", verb_show, VERB_NAMED },
    { "plan",          "plan DEPLOYMENT",                 "what will be done, and what differs from the last attempt", "", verb_plan, VERB_NAMED },
    { "approve",       "approve DEPLOYMENT",              "approve exactly this plan", "", verb_approve, VERB_NAMED | VERB_ASKS },
    { "reject",        "reject DEPLOYMENT",               "refuse the plan: ABORTED", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "signoff",       "signoff DEPLOYMENT",              "sign off execution, validation or monitoring", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "watch",         "watch DEPLOYMENT",                "follow it live, until its exit if asked to", "", verb_watch, VERB_NAMED },
    { "timeline",      "timeline DEPLOYMENT",             "the audit trail", "", verb_timeline, VERB_NAMED },
    { "report",        "report DEPLOYMENT",               "the report of a deployment", "", verb_report, VERB_NAMED },
    { "explain",       "explain DEPLOYMENT",              "the rule that decided, and its evidence", "", verb_explain, VERB_NAMED },
    { "pause",         "pause DEPLOYMENT",                "start nothing new until resume", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "resume",        "resume DEPLOYMENT",               "clear a pause or a warning", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "retry",         "retry DEPLOYMENT",                "try the blocked step again; after a rollback: a new attempt", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "waive",         "waive DEPLOYMENT CHECK",          "count a finding as passed, on record", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "attest",        "attest DEPLOYMENT CHECK",         "say what only a person can say", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "abort",         "abort DEPLOYMENT",                "decide against it: undo, ABORTED", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "rollback",      "rollback DEPLOYMENT",             "flags off at once, undo, ROLLED_BACK", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "promote",       "promote DEPLOYMENT",              "end a clock early, never a check", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "mark-restored", "mark-restored DEPLOYMENT",        "say that a change was taken back by hand", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "skip-change",   "skip-change DEPLOYMENT",          "leave a change as it is while undoing", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "supply",        "supply DEPLOYMENT INPUT",         "hand in a missing input", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "replan",        "replan DEPLOYMENT",               "compile the plan again; approvals are void", "", verb_request, VERB_NAMED | VERB_ASKS },
    { "freeze",        "freeze [list] | freeze add SCOPE --to TIME --reason TEXT | freeze lift ID", "times in which nothing new is begun", "list add lift", verb_freeze, 0 },
    { "lanes",         "lanes",                           "who changes which service, and who waits", "", verb_lanes, 0 },
    { "alert",         "alert --service NAME --severity info|warning|critical", "send an alert by hand", "", verb_alert, 0 },
    { "flags",         "flags [list] | flags kill FLAG --reason TEXT | flags eval FLAG --key USER", "flags, the kill switch, an evaluation", "list kill eval", verb_flags, 0 },
    { "signals",       "signals",                         "what other teams have been told", "", verb_signals, 0 },
    { "dead-letter",   "dead-letter [list]",              "records that could not be used, and the fix", "list", verb_dead_letter, 0 },
    { "inbox",         "inbox",                           "what waits for my roles", "", verb_inbox, 0 },
    { "doctor",        "doctor",                          "is everything there, and where do settings come from", "", verb_doctor, 0 },
    { "verify",        "verify",                          "is what Redis holds what the log says; run where a coordinator runs", "", verb_verify, VERB_OFFLINE },
    { "rebuild",       "rebuild",                         "forget what Redis holds, fold the log anew; run where a coordinator runs", "", verb_rebuild, VERB_OFFLINE },
    { "login",         "login",                           "try a token, and store it", "", verb_login, 0 },
    { "open",          "open DEPLOYMENT",                 "its address on the page", "", verb_open, VERB_OFFLINE | VERB_NAMED },
    { "completion",    "completion bash|zsh|fish",        "for your shell", "bash zsh fish", verb_completion, 0 },
    { "help",          "help [VERB]",                     "this list, or one verb with its flags", "", verb_help, VERB_OFFLINE },
};

static const struct verb_flag flags[] = {
    { "lint",          "--settings FILE",      "also against the policies of this slipway.yaml; alone: check that file" },
    { "lint",          "--format github",      "annotations of GitHub Actions" },
    { "submit",        "--artifacts FOLDER",   "where digests written as auto are measured; default: beside the file" },
    { "list",          "--all",                "ended ones too" },
    { "list",          "--mine",               "only what waits for my roles" },
    { "list",          "--state STATE",        "RUNNING, WAITING, HELD, BLOCKED, ..." },
    { "list",          "--phase PHASE",        "IN_REVIEW, ROLLING_OUT, ..." },
    { "list",          "--step N",             "0 to 7" },
    { "list",          "--service NAME",       "that change this service" },
    { "list",          "--environment NAME",   "in this environment" },
    { "list",          "--feature NAME",       "attempts of this feature" },
    { "list",          "--exit EXIT",          "COMPLETED, ABORTED or ROLLED_BACK" },
    { "list",          "--q TEXT",             "whose name or title has it" },
    { "list",          "--limit N",            "so many; default 50, at most 200" },
    { "list",          "--cursor TEXT",        "the next page, as the last one said" },
    { "plan",          "--markdown",           "the whole document" },
    { "approve",       "--plan HASH",          "exactly this plan, at least 8 digits; a script must" },
    { "approve",       "--accept-no-return N", "changes that cannot be taken back: 2 or 2,5" },
    { "signoff",       "--step N",             "2 execution, 3 validation, 6 monitoring; needed" },
    { "signoff",       "--refuse",             "no: it does not count as done" },
    { "watch",         "--until-exit",         "exit 0 COMPLETED, 11 ABORTED, 12 ROLLED_BACK" },
    { "watch",         "--stop-when-blocked",  "exit 10 as soon as it is BLOCKED" },
    { "timeline",      "--last N",             "so many; default 50" },
    { "timeline",      "--all",                "everything" },
    { "timeline",      "--follow",             "and what comes, until its exit" },
    { "timeline",      "--csv",                "all of it as a table" },
    { "report",        "--markdown",           "the whole document" },
    { "explain",       "--step N",             "0 to 7; default: the one it is in" },
    { "explain",       "--try N",              "default: the newest" },
    { "explain",       "--version N",          "the last decision not later than this version" },
    { "explain",       "--all",                "what passed, too" },
    { "attest",        "--verdict VERDICT",    "PASS (default) or FAIL" },
    { "attest",        "--link URL",           "where it can be seen" },
    { "skip-change",   "--change N",           "its number in the plan; default: the next to be taken back" },
    { "supply",        "--link URL",           "where it is" },
    { "supply",        "--digest DIGEST",      "what it must be: sha256:HEX" },
    { "replan",        "--approach APPROACH",  "rolling, canary or blue-green" },
    { "freeze",        "--from TIME",          "now (default), +4h, 'thu 18:00', 2026-11-27T06:00:00Z" },
    { "freeze",        "--to TIME",            "likewise; + counts from --from" },
    { "freeze",        "--reason TEXT",        "why; needed" },
    { "alert",         "--service NAME",       "whom it concerns; needed" },
    { "alert",         "--severity SEVERITY",  "info, warning or critical; needed" },
    { "alert",         "--environment NAME",   "default: production" },
    { "alert",         "--summary TEXT",       "what is the matter" },
    { "alert",         "--resolved",           "it is over" },
    { "flags",         "--reason TEXT",        "kill: why; needed" },
    { "flags",         "--environment NAME",   "kill, eval: where; default: where the flag is" },
    { "flags",         "--key USER",           "eval: for whom; needed" },
    { "flags",         "--direct",             "kill: without a gateway, straight to Kafka; needs the settings and the gateway's key" },
    { "flags",         "--settings FILE",      "kill --direct: default: /etc/slipway/slipway.yaml" },
    { "flags",         "--attribute NAME=VALUE", "eval: what is known of them; may be repeated" },
    { "signals",       "--feature NAME",       "of this feature" },
    { "inbox",         "--all",                "what waits for anybody" },
    { "",              "--reason TEXT",        "why, for the record; reject, pause, waive, abort, rollback and what overrides need one" },
    { "",              "--role ROLE",          "as which of your roles; default: the one that is waited for" },
    { "",              "--expected-version N", "refuse if it has moved on since; default: as it is now" },
    { "doctor",        "--settings FILE",      "ask the brokers and Redis of this slipway.yaml themselves; default: /etc/slipway/slipway.yaml if it may be read" },
    { "verify",        "--settings FILE",      "of the coordinator; default: /etc/slipway/slipway.yaml" },
    { "rebuild",       "--settings FILE",      "of the coordinator; default: /etc/slipway/slipway.yaml" },
    { "help",          "--man FOLDER",         "write the manual pages there" },
    { NULL,            "--server URL",         "the gateway" },
    { NULL,            "--profile NAME",       "which server and token of the configuration" },
    { NULL,            "--json",               "the API's answer unchanged" },
    { NULL,            "--quiet",              "no progress" },
    { NULL,            "--color WHEN",         "auto (default), always or never" },
    { NULL,            "--ascii",              "no glyphs beyond ASCII; also without a UTF-8 locale" },
    { NULL,            "--utc",                "times in UTC instead of the local zone" },
    { NULL,            "--no-input",           "never ask; a missing answer is an error that names the flag" },
    { NULL,            "--timeout DURATION",   "give up waiting after so long: 30s" },
    { NULL,            "--verbose",            "show requests, never the token" },
    { NULL,            "--dry-run",            "what would happen, by the coordinator's own core; nothing is recorded" },
    { NULL,            "--yes",                "answer the question with yes" },
    { NULL,            "--help",               "this, or one verb with its flags" },
    { NULL,            "--version",            "say it, and end" },
};
/* clang-format on */

const struct verb *verbs_all(size_t *ret_count)
{
    *ret_count = sizeof verbs / sizeof verbs[0];
    return verbs;
}

const struct verb *verbs_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

bool verbs_flag_fits(const struct verb_flag *flag, const struct verb *verb)
{
    if (flag->verb == NULL || verb == NULL)
        return flag->verb == NULL;
    if (flag->verb[0] == '\0')
        return (verb->kind & VERB_ASKS) != 0;
    return strcmp(flag->verb, verb->name) == 0;
}

const struct verb_flag *verbs_flags(size_t *ret_count)
{
    *ret_count = sizeof flags / sizeof flags[0];
    return flags;
}
