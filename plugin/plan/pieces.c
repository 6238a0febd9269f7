/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes ranges disjoint: from edge to edge, what lies between belongs to the first of those that
 * have begun and not ended.
 */
#include "plan/pieces.h"

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

int pieces_add(struct pieces *p, const struct addr_range *range, size_t owner)
{
	struct piece *room = VEC_PUSH(p->v, p->count);

	if (!room)
		return -ENOMEM;
	*room = (struct piece){ *range, owner };
	return 0;
}

void pieces_done(struct pieces *p)
{
	free(p->v);
	*p = (struct pieces){ 0 };
}

/* A range begins, or has ended, here. */
struct edge {
	struct addr at;
	size_t number;
	bool is_end;
};

/* Those that have begun and not ended, by number, which is their precedence. */
struct open {
	size_t *v;
	size_t count;
};

static int compare_edges(const void *a, const void *b)
{
	return addr_compare(&((const struct edge *)a)->at, &((const struct edge *)b)->at);
}

/* What reaches to the end of the address space has no edge there. */
static size_t find_edges(const struct pieces *in, struct edge *edges)
{
	size_t n = 0;

	for (size_t i = 0; i < in->count; i++) {
		struct addr behind = in->v[i].range.to;

		edges[n++] = (struct edge){ in->v[i].range.from, i, false };
		if (addr_next(&behind))
			edges[n++] = (struct edge){ behind, i, true };
	}
	qsort(edges, n, sizeof(*edges), compare_edges);
	return n;
}

static void cross_edge(struct open *o, const struct edge *e)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->v[mid] < e->number)
			low = mid + 1;
		else
			high = mid;
	}
	if (e->is_end) {
		o->count--;
		memmove(&o->v[low], &o->v[low + 1], (o->count - low) * sizeof(*o->v));
	} else {
		memmove(&o->v[low + 1], &o->v[low], (o->count - low) * sizeof(*o->v));
		o->v[low] = e->number;
		o->count++;
	}
}

/* What touches the last piece and has its owner is one with it. */
static int put_piece(struct pieces *out, const struct addr_range *range, size_t owner)
{
	struct piece *last = out->count ? &out->v[out->count - 1] : NULL;
	struct addr behind;

	if (last && last->owner == owner) {
		behind = last->range.to;
		if (addr_next(&behind) && addr_compare(&behind, &range->from) == 0) {
			last->range.to = range->to;
			return 0;
		}
	}
	return pieces_add(out, range, owner);
}

static int walk(const struct pieces *in, const struct edge *edges, size_t n, struct open *open,
		struct pieces *out)
{
	int err = 0;

	for (size_t i = 0; i < n && err == 0;) {
		struct addr_range range = { .from = edges[i].at };

		for (; i < n && addr_compare(&edges[i].at, &range.from) == 0; i++)
			cross_edge(open, &edges[i]);
		if (!open->count)
			continue;
		range.to = i < n ? edges[i].at : in->v[open->v[0]].range.to;
		if (i < n)
			addr_previous(&range.to);
		err = put_piece(out, &range, in->v[open->v[0]].owner);
	}
	return err;
}

int pieces_resolve(const struct pieces *in, struct pieces *ret)
{
	struct edge *edges = calloc(2 * in->count + 1, sizeof(*edges));
	struct open open = { .v = calloc(in->count + 1, sizeof(*open.v)) };
	struct pieces out = { 0 };
	int err = -ENOMEM;

	if (edges && open.v)
		err = walk(in, edges, find_edges(in, edges), &open, &out);
	free(open.v);
	free(edges);
	if (err)
		pieces_done(&out);
	else
		*ret = out;
	return err;
}
