/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ranges made disjoint, against what they mean: in a world so small that every point of it can be
 * asked, thousands of lists of chance.
 */
#include "plan/pieces.h"

#include <stdlib.h>

#include "tests/tap.h"

#define WORLD 12
#define CASES 20000
#define NOBODY SIZE_MAX

static uint64_t state = 4711;

static uint32_t below(uint32_t n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((state >> 32) * n >> 32);
}

static struct pieces draw(uint32_t origin)
{
	struct pieces p = { 0 };

	for (uint32_t i = 0, n = below(12); i < n; i++) {
		uint32_t from = below(WORLD), to = from + below(WORLD - from);
		struct addr_range r = { addr_of_number(origin + from),
					addr_of_number(origin + to) };

		/* An owner may have several. */
		if (pieces_add(&p, &r, i - below(i ? 2 : 1)))
			abort();
	}
	return p;
}

/* The owner of the first that holds the point; how many there are in *ret_count. */
static size_t owner_at(const struct pieces *p, uint32_t point, size_t *ret_count)
{
	size_t owner = NOBODY;

	*ret_count = 0;
	for (size_t i = 0; i < p->count; i++)
		if (point >= addr_to_number(&p->v[i].range.from) &&
		    point <= addr_to_number(&p->v[i].range.to) && !(*ret_count)++)
			owner = p->v[i].owner;
	return owner;
}

/* False: somewhere it differs, or two pieces hold one point, or there are more than need be. */
static bool means_the_same(const struct pieces *plain, const struct pieces *pieces, uint32_t origin)
{
	size_t many, one, changes = 0, last = NOBODY;

	for (uint32_t i = 0; i < WORLD; i++) {
		size_t owner = owner_at(pieces, origin + i, &one);

		if (owner != owner_at(plain, origin + i, &many) || one > 1)
			return false;
		changes += owner != last && owner != NOBODY;
		last = owner;
	}
	return pieces->count == changes;
}

static void test_chance(uint32_t origin)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < CASES; i++) {
		struct pieces plain = draw(origin), pieces = { 0 };

		good += pieces_resolve(&plain, &pieces) == 0 &&
			means_the_same(&plain, &pieces, origin);
		pieces_done(&plain);
		pieces_done(&pieces);
	}
	ok(good == CASES, "from %u on: %u of %u lists mean the same", origin, good, CASES);
}

static void add_range(struct pieces *p, const char *text, size_t owner)
{
	struct addr_range r;

	if (addr_range_parse(text, &r) || pieces_add(p, &r, owner))
		abort();
}

static void test_ends(void)
{
	struct pieces all = { 0 }, pieces = { 0 };
	char text[RANGE_TEXT_SIZE];

	add_range(&all, "ffff::/16", 0);
	add_range(&all, "::/0", 1);
	if (ok(pieces_resolve(&all, &pieces) == 0 && pieces.count == 2,
	       "to the end of all addresses")) {
		is(addr_range_print(&pieces.v[0].range, text),
		   "::-fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "what is left");
		is(addr_range_print(&pieces.v[1].range, text), "ffff::/16", "the end");
	}
	pieces_done(&pieces);
	pieces_done(&all);
	ok(pieces_resolve(&all, &pieces) == 0 && pieces.count == 0, "nothing is nothing");
}

int main(void)
{
	test_chance(0);
	test_chance(250);
	test_chance(UINT32_MAX - (WORLD - 1));
	test_ends();
	return tap_done();
}
