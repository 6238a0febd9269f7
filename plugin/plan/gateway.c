/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way out of an interface: which gateway, and whether it can be reached on the link.
 */
#include "plan/internal.h"

#include <linux/rtnetlink.h>
#include <string.h>

/* The default route of the lowest metric by this interface for which `wanted` holds. */
static const struct route *best_default(const struct path *path, enum family f,
					bool (*wanted)(const struct path *, const struct route *))
{
	const struct route *best = NULL;

	for (size_t i = 0; i < path->near.route_count; i++) {
		const struct route *r = path->near.routes[i];

		if (r->family != f || r->dst.len != 0 || r->type != RTN_UNICAST)
			continue;
		if (wanted(path, r) && (!best || r->metric < best->metric))
			best = r;
	}
	return best;
}

static bool in_main(const struct path *path, const struct route *r)
{
	(void)path;
	return r->table == MAIN_TABLE;
}

static bool in_main_the_same_way(const struct path *path, const struct route *r)
{
	const struct path_half *h = &path->half[r->family];

	return in_main(path, r) && r->has_gateway == h->has_gateway &&
	       (!r->has_gateway || addr_compare(&r->gateway, &h->gateway) == 0);
}

static bool in_other_table(const struct path *path, const struct route *r)
{
	return r->table != MAIN_TABLE && r->table != path->table && r->protocol != OUR_PROTOCOL;
}

static bool in_own_table(const struct path *path, const struct route *r)
{
	return r->table == path->table && r->protocol == OUR_PROTOCOL;
}

static void take_gateway(struct path_half *h, const struct addr *gateway)
{
	h->has_default = true;
	h->has_gateway = true;
	h->gateway = *gateway;
}

static void take_details(struct path_half *h, const struct route *r)
{
	h->onlink = r->onlink;
	h->has_src = r->has_src;
	h->src = r->src;
	h->mtu = r->mtu;
}

static bool take_route(struct path_half *h, const struct route *r)
{
	if (!r)
		return false;
	h->has_default = true;
	h->has_gateway = r->has_gateway;
	h->gateway = r->gateway;
	take_details(h, r);
	return true;
}

/* In the order of the contract: the event, main, another table, the lease, our own table. */
static void find_auto(struct path *path, enum family f)
{
	struct path_half *h = &path->half[f];
	const struct told *t = path->told;

	if (t && (t->index == 0 || t->index == path->link->index) && t->has_gateway[f]) {
		take_gateway(h, &t->gateway[f]);
		return;
	}
	if (take_route(h, best_default(path, f, in_main)) || take_route(h, best_default(path, f, in_other_table)))
		return;
	if (path->link->has_lease[f]) {
		take_gateway(h, &path->link->lease[f]);
		return;
	}
	if (take_route(h, best_default(path, f, in_own_table)))
		return;
	h->has_default = path->link->point_to_point;
}

/* The first host of the interface's own IPv4 subnet. */
static void find_first(struct path *path)
{
	for (size_t i = 0; i < path->near.address_count; i++) {
		const struct address *a = path->near.addresses[i];
		struct addr first = a->addr;

		if (a->addr.family != FAMILY_IPV4 || a->scope >= RT_SCOPE_LINK ||
		    a->len > 30)
			continue;
		addr_mask(&first, a->len);
		(void)addr_next(&first);
		take_gateway(&path->half[FAMILY_IPV4], &first);
		return;
	}
}

/* Whether an address of the interface, or a route without gateway by it, says that `to` is its neighbour. */
static bool is_neighbour(const struct path *path, const struct addr *to)
{
	for (size_t i = 0; i < path->near.address_count; i++) {
		const struct address *a = path->near.addresses[i];
		struct prefix net = prefix_of(addr_is_zero(&a->peer) ? &a->addr : &a->peer, a->len);

		if (a->addr.family == to->family && prefix_contains(&net, to))
			return true;
	}
	for (size_t i = 0; i < path->near.route_count; i++) {
		const struct route *r = path->near.routes[i];

		if (r->family == to->family && r->table == MAIN_TABLE &&
		    !r->has_gateway && r->dst.len > 0 && prefix_contains(&r->dst, to))
			return true;
	}
	return false;
}

/*
 * A policy, an event or a lease name a gateway and no more. Where main's default leads the same way,
 * whoever made that knew the rest: the source, the MTU, and that it is outside every network of the
 * interface (ifupdown says "onlink" always).
 */
static void find_details(struct path *path, enum family f)
{
	const struct route *r = best_default(path, f, in_main_the_same_way);

	if (r)
		take_details(&path->half[f], r);
}

/* Clouds hand out host-length addresses whose router is outside every connected network. */
static bool has_host_addresses_only(const struct path *path, enum family f)
{
	bool any = false;

	for (size_t i = 0; i < path->near.address_count; i++) {
		const struct address *a = path->near.addresses[i];

		if (a->addr.family != f || a->scope >= RT_SCOPE_LINK)
			continue;
		if (a->len != family_bits(f))
			return false;
		any = true;
	}
	return any;
}

static const char *check_gateway(struct path *path, enum family f)
{
	struct path_half *h = &path->half[f];

	if (!h->has_gateway)
		return NULL;
	if (addr_is_zero(&h->gateway))
		return "no gateway";
	if (path_has_address(path, &h->gateway))
		return "the gateway is its own address";
	if (h->onlink || h->gateway.family != f || addr_is_link_local(&h->gateway) || is_neighbour(path, &h->gateway))
		return NULL;
	if (has_host_addresses_only(path, f)) {
		h->onlink = true;
		return NULL;
	}
	return "the gateway can't be reached";
}

void path_find_gateway(struct path *path, enum family f)
{
	const struct gateway *want = &path->interface->gateway[f];
	struct path_half *h = &path->half[f];

	switch (want->kind) {
	case GATEWAY_NONE:
		h->has_default = true;
		break;
	case GATEWAY_ADDRESS:
		take_gateway(h, &want->addr);
		break;
	case GATEWAY_FIRST:
		if (f == FAMILY_IPV4) {
			find_first(path);
			break;
		}
		find_auto(path, f);
		break;
	case GATEWAY_AUTO:
		find_auto(path, f);
		break;
	}
	if (h->has_default)
		find_details(path, f);
	h->reason = h->has_default ? check_gateway(path, f) : "no gateway";
	h->no_way_out = h->has_default && h->reason;
	if (h->has_src && !path_has_address(path, &h->src))
		h->has_src = false;
}

void path_lead_out(const struct path_half *h, struct route *r)
{
	r->scope = h->has_gateway || r->family == FAMILY_IPV6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	r->has_gateway = h->has_gateway;
	r->gateway = h->gateway;
	r->onlink = h->onlink;
	r->has_src = h->has_src;
	r->src = h->src;
	r->mtu = h->mtu;
}
