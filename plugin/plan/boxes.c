/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes boxes disjoint. What overlaps nothing stays whole. Those that hang together are cut: along
 * one side, space falls into slabs between the edges of boxes; in a slab the boxes that cross it are
 * cut along the next side. Neighbouring slabs with the same answer are one.
 */
#include "plan/boxes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct addr addr_of_number(uint32_t n)
{
	return (struct addr){ FAMILY_IPV4, { n >> 24, n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff } };
}

uint32_t addr_to_number(const struct addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | a->bytes[1] << 16 | a->bytes[2] << 8 | a->bytes[3];
}

int boxes_add(struct boxes *b, const struct addr_range *sides, size_t owner)
{
	size_t size = b->sides * sizeof(*b->v);

	if (vec_room(&b->v, b->count, size) || vec_room(&b->owners, b->count, sizeof(*b->owners)))
		return -ENOMEM;
	memcpy(&b->v[b->count * b->sides], sides, size);
	b->owners[b->count++] = owner;
	return 0;
}

void boxes_done(struct boxes *b)
{
	free(b->v);
	free(b->owners);
	*b = (struct boxes){ 0 };
}

/* Bounds the time where nearly all boxes share nearly all of their sides. */
#define STEPS_PER_BOX 256

/* Boxes by number, which is their precedence. */
struct crowd {
	size_t *v;
	size_t count;
};

struct resolver {
	const struct boxes *boxes;
	struct addr_range at[BOX_SIDES_MAX]; /* the slab at hand, on each side */
	size_t steps; /* that may yet be taken */
	size_t limit; /* of pieces */
	struct boxes *out;
};

static const struct addr_range *side_of(const struct resolver *r, size_t box, size_t side)
{
	return &r->boxes->v[box * r->boxes->sides + side];
}

static int take_steps(struct resolver *r, size_t n)
{
	if (r->steps < n)
		return -E2BIG;
	r->steps -= n;
	return 0;
}

static int add_piece(struct resolver *r, const struct addr_range *sides, size_t box)
{
	return r->out->count == r->limit ? -E2BIG : boxes_add(r->out, sides, r->boxes->owners[box]);
}

/* ---- slabs ---- */

/* A box begins, or has ended, here. */
struct edge {
	struct addr at;
	size_t box;
	bool is_end;
};

static int compare_edges(const void *a, const void *b)
{
	return addr_compare(&((const struct edge *)a)->at, &((const struct edge *)b)->at);
}

/* A box that reaches to the end of the address space has no edge there. */
static size_t find_edges(const struct resolver *r, const struct crowd *in, size_t side,
			 struct edge *edges)
{
	size_t n = 0;

	for (size_t i = 0; i < in->count; i++) {
		const struct addr_range *s = side_of(r, in->v[i], side);
		struct addr behind = s->to;

		edges[n++] = (struct edge){ s->from, in->v[i], false };
		if (addr_next(&behind))
			edges[n++] = (struct edge){ behind, in->v[i], true };
	}
	qsort(edges, n, sizeof(*edges), compare_edges);
	return n;
}

static void cross_edge(struct crowd *c, const struct edge *e)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->v[mid] < e->box)
			low = mid + 1;
		else
			high = mid;
	}
	if (e->is_end) {
		c->count--;
		memmove(&c->v[low], &c->v[low + 1], (c->count - low) * sizeof(*c->v));
	} else {
		memmove(&c->v[low + 1], &c->v[low], (c->count - low) * sizeof(*c->v));
		c->v[low] = e->box;
		c->count++;
	}
}

/* Whether two stretches of pieces, [a, b) and [b, the end), differ on no side behind this one. */
static bool same_answer(const struct boxes *out, size_t a, size_t b, size_t side)
{
	size_t behind = (out->sides - side - 1) * sizeof(*out->v);

	if (b - a != out->count - b)
		return false;
	for (; b < out->count; a++, b++)
		if (out->owners[a] != out->owners[b] ||
		    memcmp(&out->v[a * out->sides + side + 1], &out->v[b * out->sides + side + 1],
			   behind) != 0)
			return false;
	return true;
}

static int resolve_side(struct resolver *r, const struct crowd *in, size_t side);

static int resolve_slab(struct resolver *r, const struct crowd *crossing, size_t side)
{
	if (side + 1 == r->boxes->sides)
		return add_piece(r, r->at, crossing->v[0]);
	return take_steps(r, crossing->count) ?: resolve_side(r, crossing, side + 1);
}

/* From edge to edge. */
static int walk(struct resolver *r, const struct edge *edges, size_t n, size_t side,
		struct crowd *crossing)
{
	size_t last = SIZE_MAX; /* where the pieces of the slab before begin, if it touches this */
	int err = 0;

	for (size_t i = 0; i < n && err == 0;) {
		const struct addr from = edges[i].at;
		size_t here = r->out->count;

		for (; i < n && addr_compare(&edges[i].at, &from) == 0; i++)
			cross_edge(crossing, &edges[i]);
		if (!crossing->count) {
			last = SIZE_MAX;
			continue;
		}
		r->at[side].from = from;
		r->at[side].to = i < n ? edges[i].at : side_of(r, crossing->v[0], side)->to;
		if (i < n)
			addr_previous(&r->at[side].to);
		err = resolve_slab(r, crossing, side);
		if (err == 0 && last != SIZE_MAX && same_answer(r->out, last, here, side)) {
			r->out->count = here;
			for (size_t k = last; k < here; k++)
				r->out->v[k * r->out->sides + side].to = r->at[side].to;
		} else {
			last = here;
		}
	}
	return err;
}

/* The boxes `in`, along this side and those behind it. */
static int resolve_side(struct resolver *r, const struct crowd *in, size_t side)
{
	struct edge *edges = calloc(2 * in->count + 1, sizeof(*edges));
	struct crowd crossing = { .v = calloc(in->count + 1, sizeof(*crossing.v)) };
	int err = -ENOMEM;

	if (edges && crossing.v)
		err = walk(r, edges, find_edges(r, in, side, edges), side, &crossing);
	free(crossing.v);
	free(edges);
	return err;
}

/* ---- what hangs together ---- */

/* Boxes in the order of where they begin on one side; each leads to another one of its group, the
 * first one to itself. */
struct sweep {
	const struct resolver *r;
	size_t side;
	size_t *order;
	size_t *leader;
};

static int compare_begins(const void *a, const void *b, void *ctx)
{
	const struct sweep *s = ctx;

	return addr_compare(&side_of(s->r, *(const size_t *)a, s->side)->from,
			    &side_of(s->r, *(const size_t *)b, s->side)->from);
}

static void sort_begins(struct sweep *s)
{
	for (size_t i = 0; i < s->r->boxes->count; i++)
		s->order[i] = i;
	qsort_r(s->order, s->r->boxes->count, sizeof(*s->order), compare_begins, s);
}

/* Sorts along the side on which most differ, so that few are met at a time. */
static void choose_side(struct sweep *s)
{
	size_t best = 0, most = 0;

	for (s->side = 0; s->side < s->r->boxes->sides; s->side++) {
		size_t differ = 1;

		sort_begins(s);
		for (size_t i = 1; i < s->r->boxes->count; i++)
			differ += compare_begins(&s->order[i - 1], &s->order[i], s) != 0;
		if (differ > most) {
			most = differ;
			best = s->side;
		}
	}
	s->side = best;
	sort_begins(s);
}

static bool overlap(const struct resolver *r, size_t a, size_t b)
{
	for (size_t side = 0; side < r->boxes->sides; side++) {
		const struct addr_range *x = side_of(r, a, side), *y = side_of(r, b, side);

		if (addr_compare(&x->to, &y->from) < 0 || addr_compare(&y->to, &x->from) < 0)
			return false;
	}
	return true;
}

static size_t find_leader(const struct sweep *s, size_t box)
{
	while (s->leader[box] != box)
		box = s->leader[box] = s->leader[s->leader[box]];
	return box;
}

/* The first box of a group leads it. */
static void join(struct sweep *s, size_t a, size_t b)
{
	a = find_leader(s, a);
	b = find_leader(s, b);
	s->leader[a > b ? a : b] = a > b ? b : a;
}

/* Meets each box with those that began before it and have not ended. */
static int find_groups(struct resolver *r, struct sweep *s, size_t *open)
{
	size_t count = 0;

	for (size_t i = 0; i < r->boxes->count; i++) {
		const struct addr *begin = &side_of(r, s->order[i], s->side)->from;
		size_t kept = 0;

		if (take_steps(r, count))
			return -E2BIG;
		for (size_t k = 0; k < count; k++) {
			if (addr_compare(&side_of(r, open[k], s->side)->to, begin) < 0)
				continue;
			if (overlap(r, open[k], s->order[i]))
				join(s, open[k], s->order[i]);
			open[kept++] = open[k];
		}
		open[kept] = s->order[i];
		count = kept + 1;
	}
	return 0;
}

static int compare_groups(const void *a, const void *b, void *ctx)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	size_t of_x = find_leader(ctx, x), of_y = find_leader(ctx, y);

	return CMP(of_x, of_y) ?: CMP(x, y);
}

/* Group by group; the boxes of one in their order. */
static int resolve_groups(struct resolver *r, struct sweep *s)
{
	size_t count = r->boxes->count, next;
	int err = 0;

	qsort_r(s->order, count, sizeof(*s->order), compare_groups, s);
	for (size_t i = 0; i < count && !err; i = next) {
		for (next = i + 1; next < count && find_leader(s, s->order[next]) == s->order[i];)
			next++;
		if (next == i + 1)
			err = add_piece(r, side_of(r, s->order[i], 0), s->order[i]);
		else
			err = resolve_side(r, &(struct crowd){ &s->order[i], next - i }, 0);
	}
	return err;
}

int boxes_resolve(const struct boxes *b, size_t limit, struct boxes *ret)
{
	struct boxes out = { .sides = b->sides };
	struct resolver r = { b, .steps = STEPS_PER_BOX * b->count, .limit = limit, .out = &out };
	size_t *room = calloc(b->count + 1, 3 * sizeof(*room));
	struct sweep s = { &r, .order = room, .leader = room + b->count };
	int err = room ? 0 : -ENOMEM;

	if (!err) {
		for (size_t i = 0; i < b->count; i++)
			s.leader[i] = i;
		choose_side(&s);
		err = find_groups(&r, &s, room + 2 * b->count) ?: resolve_groups(&r, &s);
	}
	free(room);
	if (err)
		boxes_done(&out);
	else
		*ret = out;
	return err;
}
