/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The snapshot of the host: looking things up in it, and letting it go.
 */
#include "plan/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct link *links_by_index(const struct links *l, uint32_t index)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->v[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->count && l->v[low].index == index ? &l->v[low] : NULL;
}

const struct link *links_by_name(const struct links *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

const struct told *facts_told(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->told_count; i++)
		if (strcmp(f->told[i].name, name) == 0)
			return &f->told[i];
	return NULL;
}

void facts_done(struct facts *f)
{
	for (size_t i = 0; i < f->cgroup_count; i++)
		free(f->cgroups[i]);
	for (size_t i = 0; i < f->name_count; i++)
		free(f->names[i].name);
	free(f->links.v);
	free(f->addresses);
	free(f->routes);
	free(f->rules);
	free(f->told);
	free(f->saved);
	free(f->nft);
	free(f->cgroups);
	free(f->names);
	numbers_done(&f->carried);
	*f = (struct facts){ 0 };
}

void facts_without_done(struct facts *f)
{
	free(f->links.v);
	free(f->addresses);
	free(f->routes);
	*f = (struct facts){ 0 };
}

int facts_without_link(const struct facts *f, uint32_t index, struct facts *ret)
{
	struct facts left = *f;

	left.links = (struct links){ calloc(f->links.count + 1, sizeof(*f->links.v)), 0 };
	left.addresses = calloc(f->address_count + 1, sizeof(*f->addresses));
	left.routes = calloc(f->route_count + 1, sizeof(*f->routes));
	left.address_count = left.route_count = 0;
	if (!left.links.v || !left.addresses || !left.routes) {
		facts_without_done(&left);
		return -ENOMEM;
	}
	for (size_t i = 0; i < f->links.count; i++)
		if (f->links.v[i].index != index)
			left.links.v[left.links.count++] = f->links.v[i];
	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].link != index)
			left.addresses[left.address_count++] = f->addresses[i];
	for (size_t i = 0; i < f->route_count; i++)
		if (f->routes[i].oif != index)
			left.routes[left.route_count++] = f->routes[i];
	*ret = left;
	return 0;
}

uint8_t facts_rp_filter(const struct facts *f, const struct link *l)
{
	for (size_t i = 0; i < f->saved_count; i++)
		if (!f->saved[i].src_valid_mark && f->saved[i].index == l->index &&
		    !strcmp(f->saved[i].name, l->name))
			return f->saved[i].value;
	return l->rp_filter;
}
