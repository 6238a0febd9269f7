/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One packet that begins a connection, as far as policies, routing rules and rewriting look at it;
 * and whether a policy takes it.
 */
#pragma once

#include "plan/plan.h"

struct flow {
	enum family family;
	struct addr dst;
	bool has_src;
	struct addr src;		/* zero without */
	uint32_t protocol;
	uint32_t sport;			/* 0: not said */
	uint32_t dport;			/* 0: not said */
	uint32_t uid;			/* of the socket, and gid */
	uint32_t gid;
	const char *cgroup;		/* of the socket; NULL: not said */
	bool forwarded;
	const char *in;			/* a forwarded packet's interface; NULL: not said */
	const char *mac;		/* lower-case; NULL: not said */
	uint32_t dscp;
	uint32_t mark;
	uint32_t minute;		/* of the week, local time, from Monday 00:00 on */
	const struct fact_name *names;	/* of users and groups, for what is said of them */
	size_t name_count;
};

#define MINUTES_OF_WEEK (7 * MINUTES_OF_DAY)

/* *ret: why the policy does not take the flow, to be freed; NULL when it does. `have` is the table
 * as it stands in the kernel, which alone knows what others put into dynamic sets. */
MUST_CHECK int flow_match(const struct plan *p, const struct policy_plan *pp, const struct flow *f,
			  const struct nft_table *have, char **ret);
/* The member of a balance that the packet's hash leads to: an index into verdict.active. *ret_sure
 * is false where it depends on a port that is not said. */
size_t flow_balance(const struct plan *p, const struct policy_plan *pp, const struct flow *f,
		    bool *ret_sure);
