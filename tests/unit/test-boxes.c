/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Boxes made disjoint, against what they mean: in a world so small that every point of it can be
 * asked, thousands of lists of chance.
 */
#include "plan/boxes.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/tap.h"

#define WORLD 7 /* points on each side */
#define NOBODY SIZE_MAX

static uint64_t state;

static uint32_t below(uint32_t n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((state >> 32) * n >> 32);
}

/* The points of a side lie at one of its two ends, or around a byte's. */
static const uint32_t origins[] = { 0, UINT32_MAX - (WORLD - 1), 253 };

static struct boxes draw(size_t sides, uint32_t origin, uint32_t count)
{
	struct boxes b = { .sides = sides };

	for (uint32_t i = 0; i < count; i++) {
		struct addr_range side[BOX_SIDES_MAX];

		for (size_t s = 0; s < sides; s++) {
			uint32_t from = below(WORLD), to = from + below(WORLD - from);

			side[s] = (struct addr_range){ addr_of_number(origin + from),
						       addr_of_number(origin + to) };
		}
		/* An owner may have several. */
		if (boxes_add(&b, side, i - below(i ? 2 : 1)))
			abort();
	}
	return b;
}

static bool holds(const struct boxes *b, size_t i, const uint32_t *point)
{
	for (size_t s = 0; s < b->sides; s++) {
		const struct addr_range *r = &b->v[i * b->sides + s];

		if (point[s] < addr_to_number(&r->from) || point[s] > addr_to_number(&r->to))
			return false;
	}
	return true;
}

/* The owner of the first box that holds the point; how many there are in *ret_count. */
static size_t owner_at(const struct boxes *b, const uint32_t *point, size_t *ret_count)
{
	size_t owner = NOBODY;

	*ret_count = 0;
	for (size_t i = 0; i < b->count; i++)
		if (holds(b, i, point) && !(*ret_count)++)
			owner = b->owners[i];
	return owner;
}

static bool next_point(uint32_t *point, size_t sides, uint32_t origin)
{
	for (size_t s = 0; s < sides; s++) {
		if (point[s]++ != origin + WORLD - 1)
			return true;
		point[s] = origin;
	}
	return false;
}

/* False: somewhere it differs, or two pieces hold one point. */
static bool means_the_same(const struct boxes *plain, const struct boxes *pieces, uint32_t origin)
{
	uint32_t point[BOX_SIDES_MAX];
	size_t many, one;

	for (size_t s = 0; s < plain->sides; s++)
		point[s] = origin;
	do {
		if (owner_at(plain, point, &many) != owner_at(pieces, point, &one) || one > 1)
			return false;
	} while (next_point(point, plain->sides, origin));
	return true;
}

static void test_chance(size_t sides, uint32_t origin, unsigned int cases)
{
	unsigned int good = 0;

	state = 4711 + sides;
	for (unsigned int i = 0; i < cases; i++) {
		struct boxes plain = draw(sides, origin, below(12)), pieces = { 0 };

		good += boxes_resolve(&plain, 1000000, &pieces) == 0 &&
			means_the_same(&plain, &pieces, origin);
		boxes_done(&plain);
		boxes_done(&pieces);
	}
	ok(good == cases, "%zu sides from %u on: %u of %u lists mean the same", sides, origin, good,
	   cases);
}

/* ---- how many pieces ---- */

static void add_range(struct boxes *b, const char *text, size_t owner)
{
	struct addr_range r;

	if (addr_range_parse(text, &r) || boxes_add(b, &r, owner))
		abort();
}

static void test_pieces(void)
{
	struct boxes b = { .sides = 1 }, pieces = { 0 };
	char text[RANGE_TEXT_SIZE];

	add_range(&b, "10.0.5.0/24", 0);
	add_range(&b, "10.0.0.0/16", 1);
	add_range(&b, "10.0.7.0/24", 2);
	add_range(&b, "10.0.240.0-10.1.0.255", 1);
	ok(boxes_resolve(&b, 4, &pieces) == 0 && pieces.count == 3,
	   "a hole makes two pieces, neighbours one");
	is(addr_range_print(&pieces.v[2], text), "10.0.6.0-10.1.0.255", "the last one");
	boxes_done(&pieces);
	ok(boxes_resolve(&b, 2, &pieces) == -E2BIG, "too many pieces are refused");
	ok(pieces.count == 0, "and nothing is returned");
	boxes_done(&b);
}

/* Boxes that cross each other on one side and are apart on the other one are not cut. */
static void test_whole(void)
{
	struct boxes b = { .sides = 2 }, pieces = { 0 };

	for (uint32_t i = 0; i < 100; i++) {
		struct addr_range all = { addr_of_number(0), addr_of_number(99) };
		struct addr_range one = { addr_of_number(i), addr_of_number(i) };

		if (boxes_add(&b, (struct addr_range[]){ i & 1 ? all : one, i & 1 ? one : all }, i))
			abort();
	}
	ok(boxes_resolve(&b, 10000, &pieces) == 0 && pieces.count > 100, "a grid is cut");
	boxes_done(&pieces);
	b.count = 0;
	for (uint32_t i = 0; i < 100; i++) {
		struct addr_range whole = { addr_of_number(0), addr_of_number(i) };
		struct addr_range port = { addr_of_number(i), addr_of_number(i) };

		if (boxes_add(&b, (struct addr_range[]){ whole, port }, i))
			abort();
	}
	ok(boxes_resolve(&b, 100, &pieces) == 0 && pieces.count == 100,
	   "what is apart stays whole");
	boxes_done(&pieces);
	boxes_done(&b);
}

static void test_ends(void)
{
	struct boxes b = { .sides = 1 }, pieces = { 0 };
	char text[RANGE_TEXT_SIZE];

	add_range(&b, "ffff::/16", 0);
	add_range(&b, "::/0", 1);
	ok(boxes_resolve(&b, 100, &pieces) == 0 && pieces.count == 2,
	   "to the end of all addresses");
	is(addr_range_print(&pieces.v[0], text), "::-fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	   "what is left");
	is(addr_range_print(&pieces.v[1], text), "ffff::/16", "the end");
	boxes_done(&pieces);
	boxes_done(&b);
	b.sides = 1;
	ok(boxes_resolve(&b, 0, &pieces) == 0 && pieces.count == 0, "nothing is nothing");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++)
		for (size_t sides = 1; sides <= 4; sides++)
			test_chance(sides, origins[i], sides < 4 ? 4000 : 400);
	test_pieces();
	test_whole();
	test_ends();
	return tap_done();
}
