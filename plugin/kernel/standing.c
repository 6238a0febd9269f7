/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables of routes, read once each and searched by their order.
 */
#include "kernel/standing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/vec.h"
#include "kernel/rtnl-codec.h"

struct table_reader {
	struct standing *s;
	size_t start;
};

static int keep(const struct route *r, void *ctx)
{
	struct table_reader *reader = ctx;
	struct route *room = VEC_PUSH(reader->s->v, reader->s->count);

	if (!room)
		return -ENOMEM;
	*room = *r;
	return 0;
}

static int each_route(const struct nlmsghdr *nlh, void *ctx)
{
	return rtnl_decode_route(nlh, keep, ctx);
}

static void restart(void *ctx)
{
	struct table_reader *reader = ctx;

	reader->s->count = reader->start;
}

static int compare(const void *a, const void *b)
{
	return route_compare(a, b);
}

int standing_read(struct standing *s, struct netlink *n, const struct route *r)
{
	const struct route_filter filter = { .family = r->family, .table = r->table };
	struct table_reader table = { s, s->count };
	const struct netlink_reader reader = { each_route, restart, &table };
	char buf[RTNL_MESSAGE_SIZE];
	int err;

	if (numbers_contain(&s->tables[r->family], r->table))
		return 0;
	err = netlink_dump(n, rtnl_request_routes(buf, &filter), &reader);
	if (err < 0 && err != -ENOENT)		/* -ENOENT: there is no such table */
		return err;
	err = numbers_add(&s->tables[r->family], (struct number_range){ r->table, r->table });
	numbers_normalise(&s->tables[r->family]);
	if (s->count)
		qsort(s->v, s->count, sizeof(*s->v), compare);
	return err;
}

/* Routes are ordered by family, table, destination and metric first: those of one place stand
 * together, behind the key that has nothing else. */
const struct route *standing_find(const struct standing *s, const struct route *r)
{
	const struct route key = { .family = r->family,
				   .table = r->table,
				   .dst = r->dst,
				   .metric = r->metric };
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (route_compare(&s->v[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && route_same_slot(&s->v[low], r) ? &s->v[low] : NULL;
}

void standing_done(struct standing *s)
{
	free(s->v);
	for (int f = 0; f < FAMILY_COUNT; f++)
		numbers_done(&s->tables[f]);
	*s = (struct standing){ 0 };
}
