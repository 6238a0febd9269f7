/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Long runs of policies that ask for the same: one look-up in a map for each family, instead of a
 * rule for each policy, so that a packet does not pay for the length of the list.
 */
#pragma once

#include "plan/pieces.h"
#include "plan/internal.h"

/* Neighbours in a chain that have the same selector and no other. The chain looks up a packet in a map, whose
 * elements lead to a small chain for each policy. */
struct run {
	size_t first, end;		/* in plan.policies; what is not in force between is passed over */
	unsigned int field;		/* the selector; runs.c knows which */
	char *name;			/* of its maps, but for the family */
	struct pieces pieces[FAMILY_COUNT]; /* disjoint, owned by policies; none: no look-up */
};

struct runs {
	struct run *v;
	size_t count;
	const char *chain;		/* the look-ups are made in this one; borrowed */
};

/* How many policies are worth a map. Fewer stand as rules, which are easier to read; it is a number
 * of its own file's, so that a test can link another one. */
extern const size_t run_length_min;

/* The runs among the policies as this hook sees them, in order. */
MUST_CHECK int runs_find(const struct plan *p, enum hook hook, const char *chain, struct runs *ret);
void runs_done(struct runs *r);
/* The look-ups of one run, in its place in the chain. */
MUST_CHECK int run_add_lookups(const struct run *r, struct nft_chain *c);
/* The maps of all, whose elements lead to the policies' chains. */
MUST_CHECK int runs_add_maps(struct plan *p, const struct runs *r);
/* The name of a policy's chain, to be freed; NULL when memory fails. */
char *run_chain_name(const struct runs *r, const struct policy_plan *pp);
