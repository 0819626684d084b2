#include "services/cli/cli.h"

/* clang-format off */
static const struct verb verbs[] = {
    { "lint",          "lint [FILE] [--settings slipway.yaml] [--format=github]", "check feature.yaml or slipway.yaml",        "slipway lint feature.yaml", verb_lint, true },
    { "submit",        "submit [FILE] [--artifacts FOLDER] [--dry-run]",          "hand in feature.yaml as acceptance signed off", "slipway submit feature.yaml", verb_submit, false },
    { "list",          "list [--all] [--mine] [--state S] [--service S] ...",     "deployments, and what they wait for",       "slipway list --mine", verb_list, false },
    { "show",          "show DEPLOYMENT",                                         "one deployment: why it waits, for whom, what unblocks it", "slipway show express-pay", verb_show, false },
    { "plan",          "plan DEPLOYMENT [--markdown]",                            "what will be done, and what differs from the last attempt", "slipway plan express-pay", verb_plan, false },
    { "approve",       "approve DEPLOYMENT [--plan HASH] [--accept-no-return N] [--role R]", "approve exactly this plan",       "slipway approve express-pay.3 --plan 6adc9e62", verb_approve, false },
    { "reject",        "reject DEPLOYMENT --reason TEXT",                         "refuse the plan: ABORTED",                  "slipway reject express-pay --reason \"no runbook\"", verb_request, false },
    { "signoff",       "signoff DEPLOYMENT --step 2|3|6 [--refuse] [--role R]",   "sign off execution, validation or monitoring", "slipway signoff express-pay --step 2", verb_request, false },
    { "watch",         "watch DEPLOYMENT [--until-exit] [--stop-when-blocked]",   "follow it live; exit 0, 10, 11, 12 by its end", "slipway watch express-pay --until-exit", verb_watch, false },
    { "timeline",      "timeline DEPLOYMENT [--last N] [--all] [--csv]",          "the audit trail",                           "slipway timeline express-pay --last 4", verb_timeline, false },
    { "report",        "report DEPLOYMENT [--markdown]",                          "the report of a deployment",                "slipway report express-pay.3 --markdown", verb_report, false },
    { "explain",       "explain DEPLOYMENT [--step N]",                           "the rule that decided, and its evidence",   "slipway explain express-pay --step 3", verb_explain, false },
    { "pause",         "pause DEPLOYMENT --reason TEXT",                          "start nothing new until resume",            "slipway pause express-pay --reason \"looking\"", verb_request, false },
    { "resume",        "resume DEPLOYMENT",                                       "clear a pause or a warning",                "slipway resume express-pay", verb_request, false },
    { "retry",         "retry DEPLOYMENT",                                        "try the blocked step again; after a rollback: a new attempt", "slipway retry express-pay", verb_request, false },
    { "waive",         "waive DEPLOYMENT CHECK --reason TEXT",                    "count a finding as passed, on record",      "slipway waive express-pay docs.runbooks --reason \"...\"", verb_request, false },
    { "attest",        "attest DEPLOYMENT CHECK [--verdict PASS|FAIL] [--link URL]", "say what only a person can say",         "slipway attest express-pay business.requirements", verb_request, false },
    { "abort",         "abort DEPLOYMENT --reason TEXT [--yes]",                  "decide against it: undo, ABORTED",          "slipway abort express-pay --reason \"postponed\"", verb_request, false },
    { "rollback",      "rollback DEPLOYMENT --reason TEXT [--yes]",               "flags off at once, undo, ROLLED_BACK",      "slipway rollback express-pay --reason \"EU payments fail\"", verb_request, false },
    { "promote",       "promote DEPLOYMENT",                                      "end a clock early, never a check",          "slipway promote express-pay", verb_request, false },
    { "mark-restored", "mark-restored DEPLOYMENT --reason TEXT [--yes]",          "say that a change was taken back by hand",  "slipway mark-restored express-pay --reason \"...\"", verb_request, false },
    { "skip-change",   "skip-change DEPLOYMENT [--change N] --reason TEXT [--yes]", "leave a change as it is while undoing",   "slipway skip-change express-pay --reason \"...\"", verb_request, false },
    { "supply",        "supply DEPLOYMENT INPUT [--link URL]",                    "hand in a missing input",                   "slipway supply express-pay runbook --link https://...", verb_request, false },
    { "replan",        "replan DEPLOYMENT [--approach A]",                        "compile the plan again; approvals are void", "slipway replan express-pay --approach rolling", verb_request, false },
    { "freeze",        "freeze list | add SCOPE --to TIME --reason TEXT | lift ID", "freezes",                                 "slipway freeze add 'production/*' --to +84h --reason \"Black Friday\"", verb_freeze, false },
    { "alert",         "alert --service S --severity critical [--summary TEXT]",  "send an alert by hand",                     "slipway alert --service shop --severity critical", verb_alert, false },
    { "flags",         "flags [list] | kill FLAG --reason TEXT | eval FLAG --key USER", "flags, the kill switch, an evaluation", "slipway flags kill express-pay --reason \"...\"", verb_flags, false },
    { "signals",       "signals [--feature F]",                                   "what other teams have been told",           "slipway signals --feature express-pay", verb_signals, false },
    { "dead-letter",   "dead-letter list",                                        "records that could not be used, and the fix", "slipway dead-letter list", verb_dead_letter, false },
    { "inbox",         "inbox [--all]",                                           "what waits for my roles",                   "slipway inbox", verb_inbox, false },
    { "doctor",        "doctor",                                                  "is everything there, and where do settings come from", "slipway doctor", verb_doctor, false },
    { "login",         "login",                                                   "store a token",                             "slipway login", verb_login, false },
    { "open",          "open DEPLOYMENT",                                         "its address on the page",                   "slipway open express-pay", verb_open, true },
    { "completion",    "completion bash|zsh|fish",                                "for your shell",                            "slipway completion bash", verb_completion, false },
    { "help",          "help [VERB]",                                             "this list, or one verb with an example",    "slipway help watch", verb_help, true },
};
/* clang-format on */

const struct verb *verbs_all(size_t *ret_count)
{
    *ret_count = sizeof verbs / sizeof verbs[0];
    return verbs;
}
