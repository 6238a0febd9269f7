/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What will become of a packet: look-ups, policies and rewriting in the order in which the kernel
 * does them, on the same plan that apply carries out.
 */
#pragma once

#include "plan/explain/lookup.h"

struct passed_over {
	const struct policy *policy;
	char *because;			/* owned */
};

/* Borrows from the plan and the flow. */
struct explanation {
	struct flow flow;		/* with the source that the socket got */
	const struct policy *policy;	/* that takes it; NULL: none */
	enum action outcome;		/* what happens in the end; never ACTION_BALANCE */
	const char *note;		/* what else decided; static text, NULL: nothing */
	uint32_t mark;			/* of the packet as it leaves, with everybody's bits */
	struct lookup way;		/* the look-up that decided */
	const struct link *link;	/* NULL: refused */
	bool has_gateway;
	struct addr gateway;
	bool has_source;
	struct addr source;		/* on the wire */
	bool is_rewritten;		/* which is not the socket's */
	bool is_unforeseen;		/* a balance's choice depends on ports that were not said */
	enum reverse reverse;
	struct passed_over *passed_over;	/* owned; in the order of the policies */
	size_t passed_over_count;
};

/* 0 or -ENOMEM. */
MUST_CHECK int explain_flow(const struct plan *p, const struct flow *f, struct explanation *ret);
void explanation_done(struct explanation *e);
