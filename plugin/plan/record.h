/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What earlier plans gave out, as our rules in the kernel record it.
 */
#pragma once

#include "plan/internal.h"

/* One value that stands in a rule of ours. */
struct given {
	enum band kind;
	uint32_t table;
	uint32_t value; /* shifted down */
};

struct record {
	struct given *given; /* by kind and table; owned */
	size_t given_count;
	struct bound { /* an interface that stands in a rule of ours, with its table */
		const char *name;
		uint32_t table;
	} * bound; /* by name; owned */
	size_t bound_count;
};

/* 0, -ENOMEM. Borrows from the plan's facts; needs its mark_shift. */
MUST_CHECK int record_read(const struct plan *p, struct record *ret);
void record_done(struct record *r);
/* The value that leads to the table; 0: none. */
uint32_t record_value(const struct record *r, enum band kind, uint32_t table);
/* Whether the value leads anywhere. */
bool record_holds(const struct record *r, uint32_t value);
/* Whether the table is an interface's. */
bool record_is_bound(const struct record *r, uint32_t table);
/* The table that was a path's; 0: none. */
uint32_t record_table(const struct record *r, const struct path *path);
