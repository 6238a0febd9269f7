/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What `ifsteer explain` shares between reading the command line and printing the answer.
 */
#pragma once

#include "commands/session.h"
#include "plan/explain/explain.h"

/* In the order of explain_options. */
enum explain_option {
	EXPLAIN_JSON,
	EXPLAIN_FROM,
	EXPLAIN_PROTOCOL,
	EXPLAIN_SPORT,
	EXPLAIN_DPORT,
	EXPLAIN_USER,
	EXPLAIN_GROUP,
	EXPLAIN_CGROUP,
	EXPLAIN_IN,
	EXPLAIN_MAC,
	EXPLAIN_DSCP,
	EXPLAIN_MARK,
	EXPLAIN_TIME,
	EXPLAIN_OPTIONS,		/* how many there are */
};

extern const struct option_spec explain_options[EXPLAIN_OPTIONS + 1];

/* What was asked: one flow to several destinations. */
struct explain_request {
	struct flow flow;		/* but for its destination; borrows from what follows */
	bool has_time;
	struct addr destinations[FAMILY_COUNT];	/* the first one a program would try comes first */
	size_t destination_count;
	char mac[18];
	struct addr about[FAMILY_COUNT + 1]; /* destinations, and the source where one is given */
	size_t about_count;
};

/* Needs the facts only where --facts gives them: names are theirs then. Says itself what is
 * wrong. */
MUST_CHECK enum exit_code request_read(const struct session *s, struct explain_request *ret);
/* What only facts can tell: the time, whose --from is, how users and groups are called (owned:
 * `names`). */
MUST_CHECK int request_complete(const struct session *s, struct explain_request *r,
				struct fact_name **names);

/* What follows when the interface of the answer goes away; `plan` is NULL where that can't be
 * asked. */
struct aftermath {
	const struct plan *plan;
	struct explanation explanation;
};

void explain_text(const struct session *s, const struct explanation *e,
		  const struct aftermath *after, struct strbuf *out);
void explain_json(const struct session *s, const struct explanation *e, struct strbuf *out);
