/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What `ifsteer status` knows, and its three ways to say it.
 */
#pragma once

#include "commands/session.h"
#include "kernel/kernel.h"

struct status {
	const struct session *session;	/* planned: in sync when it has no steps */
	struct counter *counters;	/* by name */
	size_t counter_count;
	struct trial trial;
	char *event;			/* the last event, as hook.c keeps it; NULL: none */
};

/* ---- status-words.c ---- */

/* Packets and bytes of a policy or an interface. */
struct counter status_policy_counter(const struct status *st, const struct policy_plan *pp);
struct counter status_path_counter(const struct status *st, const struct path *p);

/* Why no family of it is usable; NULL when one is. */
const char *path_reason(const struct path *p);
/* "eth2: ipv4 by 172.31.64.1, ipv6 not usable (no address)" */
void path_describe(const struct path *p, struct strbuf *out);
/* The family that speaks for the whole: the first that has an active interface, else the first
 * that the policy covers; NULL when it covers none. */
const struct verdict *policy_verdict(const struct policy_plan *pp);
/* "via", "table", "main", "unreachable", "prohibit", "blackhole". */
const char *outcome_word(enum action outcome);

/* ---- status-text.c, status-json.c ---- */

void status_text(const struct status *st, bool color, struct strbuf *out);
void status_json(const struct status *st, struct strbuf *out);
void status_metrics(const struct status *st, struct strbuf *out);
