/* The report of a deployment, for retrospectives and auditors: made from state, plan and
 * timeline, and from nothing else. */
#ifndef COMMON_DOMAIN_REPORT_H
#define COMMON_DOMAIN_REPORT_H

#include "common/base/text.h"
#include "common/wire/pb.h"

/* The ten items of the definition of done, lessons, next steps, links. Timeline oldest first.
 */
Pb__DeploymentReport *report_make(struct arena *arena,
                                  const Pb__DeploymentState *state,
                                  const Pb__Plan *plan,
                                  Pb__TimelineEntry **timeline,
                                  size_t timeline_count);

void report_json(const Pb__DeploymentReport *report, struct text *out);
void report_markdown(const Pb__DeploymentReport *report, struct text *out);

/* One part of the documentation of step 7: "docs.execution", "docs.validation", "docs.flags",
 * "docs.post_validation", "docs.monitoring" as Markdown. ERR_NOT_FOUND for another name. */
enum err report_part_markdown(const Pb__DeploymentReport *report,
                              const char *check,
                              struct text *out) MUST_CHECK;

#endif
