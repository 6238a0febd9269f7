/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Boxes: what a policy takes, as a product of ranges, one for each of its selectors. Of boxes that
 * overlap the first one counts; made disjoint, they can stand in a map, which knows no order.
 */
#pragma once

#include "base/prefix.h"

#define BOX_SIDES_MAX 8

/* A side is a range of addresses, or of numbers: those are written as IPv4 addresses. */
struct boxes {
	size_t sides;			/* of each box: 1 to BOX_SIDES_MAX */
	struct addr_range *v;		/* those of box i begin at v[i * sides] */
	size_t *owners;
	size_t count;
};

struct addr addr_of_number(uint32_t n);
uint32_t addr_to_number(const struct addr *a);

MUST_CHECK int boxes_add(struct boxes *b, const struct addr_range *sides, size_t owner);
/* Disjoint boxes in which each point belongs to the owner of the first box of `b` that holds it.
 * -E2BIG when that takes more than `limit` pieces, or too much work; -ENOMEM. */
MUST_CHECK int boxes_resolve(const struct boxes *b, size_t limit, struct boxes *ret);
void boxes_done(struct boxes *b);
