/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The snapshot of the host that planning works on. Everything comes by netlink, so that it costs
 * some twenty system calls, whatever the host looks like.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/conntrack.h"
#include "kernel/gather.h"
#include "kernel/rtnl-codec.h"
#include "kernel/told.h"

static const char *words_for(int err)
{
	switch (err) {
	case -EAGAIN:
		return "it keeps changing";
	case -ENOPROTOOPT:
		return "this kernel is older than Linux 4.20";
	case -EPROTONOSUPPORT:
		return "this kernel has no ctnetlink (nf_conntrack_netlink): marks can't be given anew "
		       "while connections may carry them";
	default:
		return strerror(-err);
	}
}

static int fail(struct diag *d, const char *what, int err)
{
	diag_error(d, (struct where){ 0 }, "cannot read %s: %s", what, words_for(err));
	return err;
}

/* A message of a family that is not ours is passed over. */
static int pass_over(int err)
{
	return err == -EAFNOSUPPORT ? 0 : err;
}

/* ---- interfaces ---- */

static int each_link(const struct nlmsghdr *nlh, void *ctx)
{
	struct gather *g = ctx;
	struct link l, *room;
	bool ipv6;
	int err = rtnl_decode_link(nlh, &l, &ipv6);

	if (err < 0)
		return err;
	room = VEC_PUSH(g->facts.links.v, g->facts.links.count);
	if (!room)
		return -ENOMEM;
	*room = l;
	/* net.ipv6.conf.all.disable_ipv6 does no more than switch each interface, which may be
	 * switched back: IPv6 is there while one of them has it. */
	g->facts.has_family[FAMILY_IPV6] |= ipv6;
	return 0;
}

static void restart_links(void *ctx)
{
	struct gather *g = ctx;

	free(g->facts.links.v);
	g->facts.links = (struct links){ 0 };
	g->facts.has_family[FAMILY_IPV6] = false;
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return CMP(x->index, y->index);
}

static int find_managed(struct gather *g)
{
	const struct links *l = &g->facts.links;

	g->links = calloc(l->count + 1, sizeof(*g->links));
	if (!g->links)
		return -ENOMEM;
	for (size_t i = 0; g->want->config && i < l->count; i++) {
		const struct interface *decl = config_interface(g->want->config, l->v[i].name);

		g->links[i].managed = decl && (!decl->is_glob || !l->v[i].loopback);
		g->managed_count += g->links[i].managed;
	}
	return 0;
}

static int gather_links(struct gather *g)
{
	const struct netlink_reader reader = { each_link, restart_links, g };
	char buf[RTNL_MESSAGE_SIZE];
	int err = netlink_dump(&g->route, rtnl_request_links(buf), &reader);

	if (err < 0)
		return err;
	vec_sort(g->facts.links.v, g->facts.links.count, sizeof(struct link), compare_links);
	return find_managed(g);
}

/* ---- addresses ---- */

static int each_address(const struct nlmsghdr *nlh, void *ctx)
{
	struct gather *g = ctx;
	struct address a, *room;
	int err = rtnl_decode_address(nlh, &a);

	if (err < 0)
		return pass_over(err);
	room = VEC_PUSH(g->facts.addresses, g->facts.address_count);
	if (!room)
		return -ENOMEM;
	*room = a;
	room->order = (uint32_t)g->facts.address_count;
	return 0;
}

static void restart_addresses(void *ctx)
{
	struct gather *g = ctx;

	free(g->facts.addresses);
	g->facts.addresses = NULL;
	g->facts.address_count = 0;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct address *x = a, *y = b;

	return CMP(x->link, y->link) ?: CMP(x->order, y->order);
}

static int gather_addresses(struct gather *g)
{
	const struct netlink_reader reader = { each_address, restart_addresses, g };
	char buf[RTNL_MESSAGE_SIZE];
	int err = netlink_dump(&g->route, rtnl_request_addresses(buf), &reader);

	if (err == 0)
		vec_sort(g->facts.addresses, g->facts.address_count, sizeof(struct address),
			 compare_addresses);
	return err;
}

/* ---- rules ---- */

static int each_rule(const struct nlmsghdr *nlh, void *ctx)
{
	struct gather *g = ctx;
	struct rule r, *room;
	int err = rtnl_decode_rule(nlh, &r);

	if (err < 0)
		return pass_over(err);
	room = VEC_PUSH(g->facts.rules, g->facts.rule_count);
	if (!room)
		return -ENOMEM;
	*room = r;
	return 0;
}

static void restart_rules(void *ctx)
{
	struct gather *g = ctx;

	free(g->facts.rules);
	g->facts.rules = NULL;
	g->facts.rule_count = 0;
}

static int find_own_tables(struct gather *g)
{
	const struct config *c = g->want->config;
	int err = 0;

	for (size_t i = 0; c && i < c->interface_count && err == 0; i++) {
		uint32_t table = c->interfaces[i].table;

		if (table)
			err = numbers_add(&g->own_tables, (struct number_range){ table, table });
	}
	for (size_t i = 0; i < g->facts.rule_count && err == 0; i++) {
		const struct rule *r = &g->facts.rules[i];

		if (r->protocol == OUR_PROTOCOL && r->action == RULE_LOOKUP &&
		    r->table != RT_TABLE_MAIN)
			err = numbers_add(&g->own_tables,
					  (struct number_range){ r->table, r->table });
	}
	numbers_normalise(&g->own_tables);
	return err;
}

static int gather_rules(struct gather *g)
{
	const struct netlink_reader reader = { each_rule, restart_rules, g };
	char buf[RTNL_MESSAGE_SIZE];
	int err = netlink_dump(&g->route, rtnl_request_rules(buf), &reader);

	return err ? err : find_own_tables(g);
}

/* ---- what holds for all interfaces ---- */

static int each_netconf(const struct nlmsghdr *nlh, void *ctx)
{
	return rtnl_decode_netconf(nlh, ctx);
}

static int gather_netconf(struct gather *g)
{
	char buf[RTNL_MESSAGE_SIZE];

	for (int f = 0; f < FAMILY_COUNT; f++) {
		struct netconf conf = { 0 };
		const struct netlink_reader reader = { each_netconf, NULL, &conf };
		int err = netlink_ask(&g->route, rtnl_request_netconf(buf, (enum family)f),
				      &reader);

		/* Nobody answers for a family that the kernel does not have. */
		if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT || err == -EPROTONOSUPPORT)
			continue;
		if (err < 0)
			return err;
		g->facts.forwarding[f] = conf.forwarding;
		if (f == FAMILY_IPV4) {
			g->facts.has_family[f] = true;
			g->facts.rp_filter_all = conf.rp_filter;
		}
	}
	return 0;
}

/* ---- all of it ---- */

static int gather_network(struct gather *g, struct diag *d)
{
	int err = netlink_open(&g->route, NETLINK_ROUTE);

	if (err < 0)
		return fail(d, "the network: no netlink socket", err);
	err = gather_netconf(g);
	if (err < 0)
		return fail(d, "the host's settings", err);
	err = gather_links(g);
	if (err < 0)
		return fail(d, "the list of interfaces", err);
	err = gather_addresses(g);
	if (err < 0)
		return fail(d, "the list of addresses", err);
	err = gather_rules(g);
	if (err < 0)
		return fail(d, "the list of routing rules", err);
	for (int f = 0; f < FAMILY_COUNT; f++) {
		err = gather_routes(g, (enum family)f);
		if (err < 0)
			return fail(d, f == FAMILY_IPV4 ? "the IPv4 routes" : "the IPv6 routes",
				    err);
	}
	return 0;
}

static int gather_told(struct facts *f)
{
	int err = told_read(&f->told, &f->told_count);

	for (size_t i = 0; err == 0 && i < f->told_count; i++) {
		const struct link *l = links_by_name(&f->links, f->told[i].name);

		if (l)
			told_renew(&f->told[i], l->index);
	}
	return err;
}

int facts_add_carried(uint32_t mark_mask, struct facts *f, struct diag *d)
{
	struct numbers carried = { 0 };
	int err = conntrack_carried(mark_mask, &carried);

	if (err < 0)
		return fail(d, "the connection table", err);
	numbers_done(&f->carried);
	f->carried = carried;
	f->has_carried = true;
	return 0;
}

static int gather_rest(struct gather *g, struct diag *d)
{
	struct facts *f = &g->facts;
	int err = gather_told(f);

	if (err < 0)
		return fail(d, "what managers told", err);
	err = saved_sysctls_read(&f->saved, &f->saved_count);
	if (err < 0)
		return fail(d, "the settings as found", err);
	err = gather_cgroups(g);
	if (err < 0)
		return fail(d, "the cgroups", err);
	gather_leases(g);
	gather_clock(g);
	if (g->want->carried)
		err = facts_add_carried(g->want->config->settings.mark_mask, f, d);
	if (err < 0)
		return err;
	if (!g->want->nft)
		return 0;
	return nft_list(g->want->listing, &f->nft, d);
}

int facts_gather(const struct facts_want *want, struct facts *ret, struct diag *d)
{
	struct gather g = { .want = want, .route = NETLINK_CLOSED };
	int err = gather_network(&g, d);

	if (err == 0)
		err = gather_rest(&g, d);
	if (err == 0) {
		*ret = g.facts;
		g.facts = (struct facts){ 0 };
	}
	facts_done(&g.facts);
	netlink_close(&g.route);
	numbers_done(&g.own_tables);
	free(g.links);
	return err;
}
