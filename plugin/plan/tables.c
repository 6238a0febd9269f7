/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routing table of each managed interface: everything needed to leave by it.
 */
#include "plan/internal.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

/* Of main's routes by one interface; more would be a routing daemon's, which has tables of its own. */
#define MAX_COPIED 1000

/* One table in the making: routes of one path and family, one for each destination. */
struct table {
	const struct plan *plan;
	const struct path *path;
	enum family family;
	struct route *v;
	size_t count;
};

static void table_done(struct table *t)
{
	free(t->v);
}

static struct route blank(const struct table *t)
{
	return (struct route){
		.family = t->family,
		.type = RTN_UNICAST,
		.protocol = OUR_PROTOCOL,
		.scope = t->family == FAMILY_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.table = t->path->table,
		.metric = t->family == FAMILY_IPV4 ? 0 : 1024,
		.oif = t->path->link->index,
		.dst = { .addr = { .family = t->family } },
	};
}

static void set_gateway(struct route *r, const struct addr *gateway, bool onlink)
{
	r->has_gateway = true;
	r->gateway = *gateway;
	r->onlink = onlink;
	r->scope = RT_SCOPE_UNIVERSE;
}

static int by_destination_then_metric(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int c = prefix_compare(&x->dst, &y->dst);

	return c ? c : CMP(x->metric, y->metric);
}

/* Main's routes by the interface, the best one for each destination. */
static int copy_main(struct table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->path->near.route_count; i++) {
		const struct route *r = t->path->near.routes[i];
		struct route *copy;

		if (r->family != t->family || r->table != MAIN_TABLE || r->type != RTN_UNICAST || r->dst.len == 0)
			continue;
		copy = VEC_PUSH(t->v, t->count);
		if (!copy)
			return -ENOMEM;
		*copy = *r;
	}
	vec_sort(t->v, t->count, sizeof(*t->v), by_destination_then_metric);
	for (size_t i = 0; i < t->count && kept < MAX_COPIED; i++) {
		struct route r = blank(t);

		if (kept && prefix_compare(&t->v[kept - 1].dst, &t->v[i].dst) == 0)
			continue;
		r.dst = t->v[i].dst;
		r.mtu = t->v[i].mtu;
		if (t->v[i].has_gateway)
			set_gateway(&r, &t->v[i].gateway, t->v[i].onlink);
		if (t->v[i].has_src && path_has_address(t->path, &t->v[i].src)) {
			r.has_src = true;
			r.src = t->v[i].src;
		}
		t->v[kept++] = r;
	}
	t->count = kept;
	return 0;
}

/* A destination given later replaces one given before. */
static int put(struct table *t, const struct route *r)
{
	struct route *room;

	for (size_t i = 0; i < t->count; i++) {
		if (prefix_compare(&t->v[i].dst, &r->dst) == 0) {
			t->v[i] = *r;
			return 0;
		}
	}
	room = VEC_PUSH(t->v, t->count);
	if (!room)
		return -ENOMEM;
	*room = *r;
	return 0;
}

static int put_extra(struct table *t)
{
	const struct interface *decl = t->path->interface;

	for (size_t i = 0; i < decl->route_count; i++) {
		const struct extra_route *want = &decl->routes[i];
		struct route r = blank(t);
		int err;

		if (want->dst.addr.family != t->family)
			continue;
		r.dst = want->dst;
		if (want->has_via)
			set_gateway(&r, &want->via, false);
		else
			path_lead_out(&t->path->half[t->family], &r);
		err = put(t, &r);
		if (err < 0)
			return err;
	}
	return 0;
}

static int put_default(struct table *t)
{
	const struct path_half *h = &t->path->half[t->family];
	struct route r = blank(t);

	if (!h->has_default)
		return 0;
	path_lead_out(h, &r);
	return put(t, &r);
}

static int fill(struct plan *p, const struct path *path, enum family f)
{
	CLEANUP(table_done) struct table t = { .plan = p, .path = path, .family = f };
	const struct path_half *h = &path->half[f];
	int r = copy_main(&t);

	/* Without an address the kernel finds no gateway; what it refused once is not tried each time. */
	if (r == 0 && h->address_count && !h->no_way_out)
		r = put_extra(&t);
	if (r == 0 && h->address_count && !h->no_way_out)
		r = put_default(&t);
	for (size_t i = 0; i < t.count && r == 0; i++) {
		struct route *room = VEC_PUSH(p->routes, p->route_count);

		if (!room)
			return -ENOMEM;
		*room = t.v[i];
	}
	return r;
}

int plan_tables(struct plan *p)
{
	for (size_t i = 0; i < p->path_count; i++) {
		const struct path *path = &p->paths[i];

		/* The kernel takes no route by an interface that is down. */
		if (!path->link || !path->link->up)
			continue;
		for (int f = 0; f < FAMILY_COUNT; f++) {
			int r = p->facts->has_family[f] ? fill(p, path, f) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}
