/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routes that stand in some tables at this moment: what a write would replace, and what is in
 * the way of one.
 */
#pragma once

#include "kernel/netlink.h"
#include "plan/objects.h"

struct standing {
	struct route *v;		/* in order */
	size_t count;
	struct numbers tables[FAMILY_COUNT];	/* which have been read */
};

/* Reads the table of this route, unless it has been read. */
MUST_CHECK int standing_read(struct standing *s, struct netlink *n, const struct route *r);
/* The route in the place that `r` would take; NULL: none. Read its table before. */
const struct route *standing_find(const struct standing *s, const struct route *r);
void standing_done(struct standing *s);
