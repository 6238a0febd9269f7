/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ranges that overlap, of which the first one counts, made disjoint: so they can stand in a map,
 * which knows no order.
 */
#pragma once

#include "base/prefix.h"

/* Ranges of addresses of one family; or of numbers, which are written as IPv4 addresses. */
struct piece {
	struct addr_range range;
	size_t owner;
};

struct pieces {
	struct piece *v;
	size_t count;
};

struct addr addr_of_number(uint32_t n);
uint32_t addr_to_number(const struct addr *a);

MUST_CHECK int pieces_add(struct pieces *p, const struct addr_range *range, size_t owner);
/* Disjoint ones, sorted, in which each point belongs to the owner of the first of `in` that holds
 * it. At most twice as many; -ENOMEM. */
MUST_CHECK int pieces_resolve(const struct pieces *in, struct pieces *ret);
void pieces_done(struct pieces *p);
