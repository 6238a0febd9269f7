/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One explanation in the making: what explain.c, the way to a verdict, and leaving.c, the way out,
 * have in common.
 */
#pragma once

#include "plan/explain/explain.h"
#include "plan/nft/nft.h"

struct explainer {
	const struct plan *plan;
	struct fib fib;
	struct nft_table have;		/* parsed only where dynamic sets are asked for */
	struct explanation *e;
};

/* The packet ends here; a note of NULL leaves the one that there is. */
void explainer_refuse(struct explainer *x, enum action outcome, const char *note);
/* To broadcast or multicast. */
bool explainer_is_for_many(const struct explainer *x);
/* The address of an interface that the chains know: sets.c. */
bool explainer_is_managed(const struct explainer *x, const struct addr *a);
/* Whether the strict filter of the interface that a forwarded packet came in by lets it in. */
bool explainer_passes_reverse(const struct explainer *x);
/* By the link that was found: the gateway, the source on the wire, and whether the reply will pass. */
void explainer_leave(struct explainer *x);
