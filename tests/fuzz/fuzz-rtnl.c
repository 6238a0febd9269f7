/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: one netlink message, as if the kernel had sent it. Whatever could be read as a route
 * or a rule must come back the same when it is written and read again. Rules of nftables are followed.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/doctor.h"
#include "kernel/rtnl-codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int same_route(const struct route *r, void *ctx)
{
	struct route want = *(const struct route *)ctx;

	want.dead = r->dead;
	check(route_compare(r, &want) == 0);
	return 0;
}

static int each_route(const struct route *r, void *ctx)
{
	uint32_t buf[RTNL_MESSAGE_SIZE / 4];
	struct route copy = *r;
	const struct nlmsghdr *nlh = rtnl_encode_route(buf, RTM_NEWROUTE, 0, r);

	(void)ctx;
	check(nlh->nlmsg_len <= sizeof(buf) && r->dst.len <= family_bits(r->family));
	check(rtnl_decode_route(nlh, same_route, &copy) == 0);
	return 0;
}

static bool is_port_range(const struct number_range *r)
{
	return r->to != 0 || r->from == 0;
}

static bool is_sayable(const struct rule *r)
{
	return !r->has_other && r->action != RULE_OTHER && (r->fwmask || !r->fwmark) &&
	       (r->action == RULE_GOTO || !r->target) && is_port_range(&r->sport) &&
	       is_port_range(&r->dport);
}

static void try_rule(const struct nlmsghdr *nlh)
{
	uint32_t buf[RTNL_MESSAGE_SIZE / 4];
	struct rule r, again;

	if (rtnl_decode_rule(nlh, &r))
		return;
	check(memchr(r.iif, '\0', NAME_SIZE) && memchr(r.oif, '\0', NAME_SIZE));
	nlh = rtnl_encode_rule(buf, RTM_NEWRULE, 0, &r);
	check(nlh->nlmsg_len <= sizeof(buf));
	/* What struct rule can't say is marked, and never written. */
	if (is_sayable(&r))
		check(rtnl_decode_rule(nlh, &again) == 0 && rule_compare(&r, &again) == 0);
}

static int each_write(const struct mark_write *w, void *ctx)
{
	(void)ctx;
	/* A bit is known in one way. */
	check(!(w->what.packet & w->what.connection) && !(w->what.fixed & (w->what.packet | w->what.connection)));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* libmnl reads to the end of the last word, as datagrams have it. */
	size_t room = size < NLMSG_HDRLEN ? NLMSG_HDRLEN : NLMSG_ALIGN(size);
	struct nlmsghdr *nlh = calloc(1, room);
	struct address a;
	struct netconf c;
	struct link l;
	bool ipv6;

	if (!nlh)
		return 0;
	if (size)
		memcpy(nlh, data, size);
	/* Whoever receives has checked that the message ends within the datagram. */
	nlh->nlmsg_len = (uint32_t)room;
	check(rtnl_decode_route(nlh, each_route, NULL) <= 0);
	try_rule(nlh);
	if (rtnl_decode_link(nlh, &l, &ipv6) == 0)
		check(*l.name && memchr(l.name, '\0', NAME_SIZE) && l.index);
	if (rtnl_decode_address(nlh, &a) == 0)
		check(a.len <= family_bits(a.addr.family));
	check(rtnl_decode_netconf(nlh, &c) <= 0);
	check(nft_rule_writes(nlh, each_write, NULL) <= 0);
	free(nlh);
	return 0;
}
