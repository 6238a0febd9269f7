/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The facts by link: each path gets the addresses and routes of its own interface, so that planning a thousand
 * interfaces does not look at every address and route a thousand times (half of the work at 250).
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdlib.h>

/* By link; among those of one link in the order of the facts. */
static int compare_addresses(const void *a, const void *b)
{
	const struct address *x = *(const struct address *const *)a, *y = *(const struct address *const *)b;

	return CMP(x->link, y->link) ?: CMP(x, y);
}

static int compare_routes(const void *a, const void *b)
{
	const struct route *x = *(const struct route *const *)a, *y = *(const struct route *const *)b;

	return CMP(x->oif, y->oif) ?: CMP(x, y);
}

static bool is_foreign_default(const struct route *r)
{
	return r->dst.len == 0 && r->protocol != OUR_PROTOCOL && r->table != MAIN_TABLE;
}

static int sort_facts(struct plan *p)
{
	const struct facts *f = p->facts;

	p->addresses_by_link = calloc(f->address_count + 1, sizeof(*p->addresses_by_link));
	p->routes_by_link = calloc(f->route_count + 1, sizeof(*p->routes_by_link));
	p->foreign_defaults = calloc(f->route_count + 1, sizeof(*p->foreign_defaults));
	if (!p->addresses_by_link || !p->routes_by_link || !p->foreign_defaults)
		return -ENOMEM;
	for (size_t i = 0; i < f->address_count; i++)
		p->addresses_by_link[i] = &f->addresses[i];
	for (size_t i = 0; i < f->route_count; i++) {
		p->routes_by_link[i] = &f->routes[i];
		if (is_foreign_default(&f->routes[i]))
			p->foreign_defaults[p->foreign_default_count++] = &f->routes[i];
	}
	vec_sort(p->addresses_by_link, f->address_count, sizeof(*p->addresses_by_link),
		 compare_addresses);
	vec_sort(p->routes_by_link, f->route_count, sizeof(*p->routes_by_link), compare_routes);
	return 0;
}

static void find_near(const struct plan *p, struct path *path)
{
	uint32_t link = path->link->index;
	size_t from = 0, to = p->facts->address_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (p->addresses_by_link[middle]->link < link)
			from = middle + 1;
		else
			to = middle;
	}
	path->near.addresses = p->addresses_by_link + from;
	for (to = from; to < p->facts->address_count && p->addresses_by_link[to]->link == link; to++)
		;
	path->near.address_count = to - from;
	for (from = 0, to = p->facts->route_count; from < to;) {
		size_t middle = from + (to - from) / 2;

		if (p->routes_by_link[middle]->oif < link)
			from = middle + 1;
		else
			to = middle;
	}
	path->near.routes = p->routes_by_link + from;
	for (to = from; to < p->facts->route_count && p->routes_by_link[to]->oif == link; to++)
		;
	path->near.route_count = to - from;
}

int plan_near(struct plan *p)
{
	int r = sort_facts(p);

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		if (p->paths[i].link)
			find_near(p, &p->paths[i]);
	return r;
}
