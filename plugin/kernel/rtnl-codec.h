/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between rtnetlink's bytes and plain values, in both directions. Pure: it opens no socket, and
 * bytes that are not what they should be are refused.
 */
#pragma once

#include <linux/netlink.h>

#include "plan/facts.h"

/* Every message that is made here fits into this. */
#define RTNL_MESSAGE_SIZE 256

/* ---- requests: buf has RTNL_MESSAGE_SIZE bytes, aligned ---- */

/* A dump of routes that the kernel filters; zero: any. */
struct route_filter {
	enum family family;
	uint32_t table;
	uint32_t oif;
	uint8_t protocol;
};

struct nlmsghdr *rtnl_request_links(void *buf);
struct nlmsghdr *rtnl_request_addresses(void *buf);
struct nlmsghdr *rtnl_request_rules(void *buf);
struct nlmsghdr *rtnl_request_routes(void *buf, const struct route_filter *f);
/* What holds for all interfaces: see rtnl_decode_netconf. */
struct nlmsghdr *rtnl_request_netconf(void *buf, enum family f);

/* ---- writes: type is RTM_NEWROUTE and its company, flags are NLM_F_CREATE and its ---- */

struct nlmsghdr *rtnl_encode_route(void *buf, uint16_t type, uint16_t flags, const struct route *r);
struct nlmsghdr *rtnl_encode_rule(void *buf, uint16_t type, uint16_t flags, const struct rule *r);
/* net.ipv4.conf.*, told by interface index: an interface that takes the name of another is not hit,
 * and /proc/sys may be read-only. `which` is IPV4_DEVCONF_…. */
struct nlmsghdr *rtnl_encode_conf(void *buf, uint32_t link, uint16_t which, uint32_t value);

/* ---- answers: 0; -EBADMSG: not a message of this kind; outputs untouched on failure ---- */

/* *ret_ipv6: IPv6 is not disabled on it. What the lease says is somebody else's. */
MUST_CHECK int rtnl_decode_link(const struct nlmsghdr *nlh, struct link *ret, bool *ret_ipv6);
/* -EAFNOSUPPORT for families that are none of ours, here and below. */
MUST_CHECK int rtnl_decode_address(const struct nlmsghdr *nlh, struct address *ret);
MUST_CHECK int rtnl_decode_rule(const struct nlmsghdr *nlh, struct rule *ret);
/* Calls `each` for each nexthop; what it returns other than 0 ends it and is returned. Routes that
 * struct route can't say (a type of service, a source prefix, an encapsulation) and copies in the
 * route cache are passed over. */
MUST_CHECK int rtnl_decode_route(const struct nlmsghdr *nlh,
				 int (*each)(const struct route *r, void *ctx), void *ctx);

struct netconf {
	bool forwarding;
	uint8_t rp_filter;
};
MUST_CHECK int rtnl_decode_netconf(const struct nlmsghdr *nlh, struct netconf *ret);
