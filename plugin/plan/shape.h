/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What of a policy a routing rule can say.
 */
#pragma once

#include "plan/internal.h"

/* Where it is not exact, a region around the policy. */
struct shape {
	bool exact;
	bool to_all;			/* no destination named */
	struct addr_ranges to;
	struct addr_ranges not_to;
	struct numbers uids;		/* empty: any */
	struct numbers protocols;	/* empty: any */
	struct numbers dports;		/* empty: any */
};

/* The lists may be borrowed from `c`. -ENOMEM, and what was made until then is the caller's all the same. */
MUST_CHECK int shape_of(const struct config *c, const struct policy *pol, enum family f, struct shape *s);
void shape_done(struct shape *s);

/* Whether a packet can be in both. */
bool shapes_meet(const struct shape *a, const struct shape *b);
/* Whether destinations are all that it names. */
bool shape_is_list(const struct shape *s);
