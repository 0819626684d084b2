/* What the files of the plan document share. */
#ifndef COMMON_PLANNING_MARKDOWN_PARTS_H
#define COMMON_PLANNING_MARKDOWN_PARTS_H

#include "common/base/text.h"
#include "common/wire/pb.h"

enum { HASH_SHOWN = 8 };

/* Text of others inside a table or a line: no markup, no new cell, no new line. */
void plan_add_plain(struct text *out, const char *value);

/* "10 min" */
void plan_add_duration(struct text *out, int64_t ms);

/* markdown_rules.c: windows, approvals, waits, channels, monitoring; then the inputs. */
void plan_add_rules(const Pb__Plan *plan, struct text *out);
void plan_add_inputs(const Pb__Plan *plan, struct text *out);

#endif
