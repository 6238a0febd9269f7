/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtnetlink's routes and rules as values, and as bytes again.
 */
#include "kernel/rtnl-codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/rtnl-attr.h"

/* ---- requests ---- */

struct nlmsghdr *rtnl_request_rules(void *buf)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_GETRULE, 0);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct fib_rule_hdr));
	return nlh;
}

struct nlmsghdr *rtnl_request_routes(void *buf, const struct route_filter *f)
{
	struct nlmsghdr *nlh = rtnl_header(buf, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = (uint8_t)family_to_af(f->family);
	rtm->rtm_protocol = f->protocol;
	if (f->table)
		mnl_attr_put_u32(nlh, RTA_TABLE, f->table);
	if (f->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, f->oif);
	return nlh;
}

/* ---- routes ---- */

/* Everything but unicast leaves by nothing; the kernel says lo for IPv6. */
static bool type_has_nexthop(uint8_t type)
{
	return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_BROADCAST ||
	       type == RTN_ANYCAST || type == RTN_MULTICAST;
}

static void put_gateway(struct nlmsghdr *nlh, const struct route *r)
{
	unsigned int len = family_bits(r->gateway.family) / 8;
	char via[sizeof(struct rtvia) + sizeof(r->gateway.bytes)];
	int af = family_to_af(r->gateway.family);
	struct rtvia head = { .rtvia_family = (__kernel_sa_family_t)af };

	if (r->gateway.family == r->family) {
		mnl_attr_put(nlh, RTA_GATEWAY, len, r->gateway.bytes);
		return;
	}
	memcpy(via, &head, sizeof(head));
	memcpy(via + sizeof(head), r->gateway.bytes, len);
	mnl_attr_put(nlh, RTA_VIA, sizeof(head) + len, via);
}

struct nlmsghdr *rtnl_encode_route(void *buf, uint16_t type, uint16_t flags, const struct route *r)
{
	struct nlmsghdr *nlh = rtnl_header(buf, type, flags);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	unsigned int addr_len = family_bits(r->family) / 8;

	rtm->rtm_family = (uint8_t)family_to_af(r->family);
	rtm->rtm_dst_len = r->dst.len;
	rtm->rtm_protocol = r->protocol;
	rtm->rtm_scope = r->scope;
	rtm->rtm_type = r->type;
	rtm->rtm_flags = r->onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table);
	if (r->dst.len)
		mnl_attr_put(nlh, RTA_DST, addr_len, r->dst.addr.bytes);
	if (r->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->has_gateway)
		put_gateway(nlh, r);
	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, r->oif);
	if (r->has_src)
		mnl_attr_put(nlh, RTA_PREFSRC, addr_len, r->src.bytes);
	if (r->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

		mnl_attr_put_u32(nlh, RTAX_MTU, r->mtu);
		mnl_attr_nest_end(nlh, metrics);
	}
	return nlh;
}

static int read_via(const struct nlattr *attr, struct addr *ret)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	struct addr a = { 0 };

	if (len < sizeof(*via) || family_from_af(via->rtvia_family, &a.family) ||
	    len - sizeof(*via) != family_bits(a.family) / 8)
		return -EBADMSG;
	memcpy(a.bytes, via->rtvia_addr, len - sizeof(*via));
	*ret = a;
	return 0;
}

static int read_metrics(const struct nlattr *nest, struct route *r)
{
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == RTAX_MTU && rtnl_get_u32(attr, &r->mtu))
			return -EBADMSG;
	return 0;
}

/* What read_attribute finds beside the route itself. */
struct route_extra {
	const struct nlattr *multipath;
	bool unsayable;
};

/* What a route with one nexthop says itself, and each nexthop of several. */
static int read_nexthop_attribute(const struct nlattr *attr, struct route *r,
				  struct route_extra *extra)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_GATEWAY:
		r->has_gateway = true;
		return rtnl_get_addr(attr, r->family, &r->gateway);
	case RTA_VIA:
		r->has_gateway = true;
		return read_via(attr, &r->gateway);
	case RTA_ENCAP:
		extra->unsayable = true;
		return 0;
	default:
		return 0;
	}
}

static int read_attribute(const struct nlattr *attr, struct route *r, struct route_extra *extra)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		return rtnl_get_addr(attr, r->family, &r->dst.addr);
	case RTA_TABLE:
		return rtnl_get_u32(attr, &r->table);
	case RTA_PRIORITY:
		return rtnl_get_u32(attr, &r->metric);
	case RTA_OIF:
		return rtnl_get_u32(attr, &r->oif);
	case RTA_PREFSRC:
		r->has_src = true;
		return rtnl_get_addr(attr, r->family, &r->src);
	case RTA_METRICS:
		return read_metrics(attr, r);
	case RTA_MULTIPATH:
		extra->multipath = attr;
		return 0;
	case RTA_SRC:
		extra->unsayable = true;
		return 0;
	default:
		return read_nexthop_attribute(attr, r, extra);
	}
}

static void read_flags(uint32_t flags, struct route *r)
{
	r->dead = flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN);
	r->onlink = flags & RTNH_F_ONLINK;
}

static int read_nexthop(const struct rtnexthop *nh, const struct route *common, struct route *ret,
			struct route_extra *extra)
{
	const char *end = (const char *)nh + nh->rtnh_len;
	const struct nlattr *attr = (const struct nlattr *)(nh + 1);
	struct route r = *common;

	r.oif = type_has_nexthop(r.type) ? (uint32_t)nh->rtnh_ifindex : 0;
	read_flags(nh->rtnh_flags, &r);
	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr)) {
		int err = read_nexthop_attribute(attr, &r, extra);

		if (err < 0)
			return err;
	}
	*ret = r;
	return 0;
}

static int read_multipath(const struct nlattr *multipath, const struct route *common,
			  int (*each)(const struct route *r, void *ctx), void *ctx)
{
	const char *at = mnl_attr_get_payload(multipath);
	const char *end = at + mnl_attr_get_payload_len(multipath);

	while (end - at >= (ssize_t)sizeof(struct rtnexthop)) {
		const struct rtnexthop *nh = (const struct rtnexthop *)at;
		struct route_extra extra = { 0 };
		struct route r;
		int err;

		if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > end - at)
			return -EBADMSG;
		err = read_nexthop(nh, common, &r, &extra);
		if (err == 0 && !extra.unsayable)
			err = each(&r, ctx);
		if (err)
			return err;
		if (RTNH_ALIGN(nh->rtnh_len) >= end - at)
			break;
		at += RTNH_ALIGN(nh->rtnh_len);
	}
	return 0;
}

int rtnl_decode_route(const struct nlmsghdr *nlh, int (*each)(const struct route *r, void *ctx),
		      void *ctx)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route_extra extra = { 0 };
	struct route r = { 0 };
	struct nlattr *attr;
	int err;

	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return -EBADMSG;
	if (family_from_af(rtm->rtm_family, &r.family))
		return -EAFNOSUPPORT;
	if (rtm->rtm_dst_len > family_bits(r.family))
		return -EBADMSG;
	r.type = rtm->rtm_type;
	r.protocol = rtm->rtm_protocol;
	r.scope = r.family == FAMILY_IPV4 ? rtm->rtm_scope : RT_SCOPE_UNIVERSE;
	r.table = rtm->rtm_table;
	r.dst.addr.family = r.gateway.family = r.src.family = r.family;
	read_flags(rtm->rtm_flags, &r);
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		err = read_attribute(attr, &r, &extra);
		if (err < 0)
			return err;
	}
	if (extra.unsayable || rtm->rtm_tos || rtm->rtm_src_len || rtm->rtm_flags & RTM_F_CLONED)
		return 0;
	r.dst = prefix_of(&r.dst.addr, rtm->rtm_dst_len);
	if (!type_has_nexthop(r.type))
		r.oif = 0;
	return extra.multipath ? read_multipath(extra.multipath, &r, each, ctx) : each(&r, ctx);
}

/* ---- rules ---- */

static uint8_t action_to_kernel(enum rule_action a)
{
	switch (a) {
	case RULE_LOOKUP:
		return FR_ACT_TO_TBL;
	case RULE_GOTO:
		return FR_ACT_GOTO;
	case RULE_NOP:
		return FR_ACT_NOP;
	case RULE_UNREACHABLE:
		return FR_ACT_UNREACHABLE;
	case RULE_PROHIBIT:
		return FR_ACT_PROHIBIT;
	case RULE_BLACKHOLE:
		return FR_ACT_BLACKHOLE;
	case RULE_OTHER:
		break;
	}
	return FR_ACT_UNSPEC;
}

static enum rule_action action_from_kernel(uint8_t action)
{
	switch (action) {
	case FR_ACT_TO_TBL:
		return RULE_LOOKUP;
	case FR_ACT_GOTO:
		return RULE_GOTO;
	case FR_ACT_NOP:
		return RULE_NOP;
	case FR_ACT_UNREACHABLE:
		return RULE_UNREACHABLE;
	case FR_ACT_PROHIBIT:
		return RULE_PROHIBIT;
	case FR_ACT_BLACKHOLE:
		return RULE_BLACKHOLE;
	default:
		return RULE_OTHER;
	}
}

static void put_ports(struct nlmsghdr *nlh, uint16_t type, const struct number_range *ports)
{
	struct fib_rule_port_range range = { (uint16_t)ports->from, (uint16_t)ports->to };

	if (ports->to)
		mnl_attr_put(nlh, type, sizeof(range), &range);
}

static void put_selectors(struct nlmsghdr *nlh, const struct rule *r)
{
	unsigned int addr_len = family_bits(r->family) / 8;

	if (r->src.len)
		mnl_attr_put(nlh, FRA_SRC, addr_len, r->src.addr.bytes);
	if (r->dst.len)
		mnl_attr_put(nlh, FRA_DST, addr_len, r->dst.addr.bytes);
	if (*r->iif)
		mnl_attr_put_strz(nlh, FRA_IIFNAME, r->iif);
	if (*r->oif)
		mnl_attr_put_strz(nlh, FRA_OIFNAME, r->oif);
	if (r->fwmask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, r->fwmark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, r->fwmask);
	}
	if (r->has_uids) {
		struct fib_rule_uid_range uids = { r->uids.from, r->uids.to };

		mnl_attr_put(nlh, FRA_UID_RANGE, sizeof(uids), &uids);
	}
	if (r->ip_protocol)
		mnl_attr_put_u8(nlh, FRA_IP_PROTO, r->ip_protocol);
	put_ports(nlh, FRA_SPORT_RANGE, &r->sport);
	put_ports(nlh, FRA_DPORT_RANGE, &r->dport);
}

struct nlmsghdr *rtnl_encode_rule(void *buf, uint16_t type, uint16_t flags, const struct rule *r)
{
	struct nlmsghdr *nlh = rtnl_header(buf, type, flags);
	struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));

	frh->family = (uint8_t)family_to_af(r->family);
	frh->src_len = r->src.len;
	frh->dst_len = r->dst.len;
	frh->action = action_to_kernel(r->action);
	frh->flags = r->invert ? FIB_RULE_INVERT : 0;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, r->protocol);
	put_selectors(nlh, r);
	if (r->action == RULE_LOOKUP)
		mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
	if (r->action == RULE_GOTO)
		mnl_attr_put_u32(nlh, FRA_GOTO, r->target);
	if (r->has_suppress)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, r->suppress);
	return nlh;
}

static int read_ports(const struct nlattr *attr, struct number_range *ret)
{
	struct fib_rule_port_range range;

	if (mnl_attr_get_payload_len(attr) < sizeof(range))
		return -EBADMSG;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	*ret = (struct number_range){ range.start, range.end };
	return 0;
}

static int read_uids(const struct nlattr *attr, struct rule *r)
{
	struct fib_rule_uid_range range;

	if (mnl_attr_get_payload_len(attr) < sizeof(range))
		return -EBADMSG;
	memcpy(&range, mnl_attr_get_payload(attr), sizeof(range));
	r->uids = (struct number_range){ range.start, range.end };
	r->has_uids = true;
	return 0;
}

/* The kernel says "nothing is suppressed" with an attribute of all ones. */
static int read_suppress(const struct nlattr *attr, struct rule *r)
{
	uint32_t len;

	if (rtnl_get_u32(attr, &len))
		return -EBADMSG;
	r->has_suppress = len != UINT32_MAX;
	r->suppress = r->has_suppress ? len : 0;
	return 0;
}

static int read_fwmark(const struct nlattr *attr, struct rule *r)
{
	if (!r->fwmask)		/* FRA_FWMASK follows, when there is one */
		r->fwmask = UINT32_MAX;
	return rtnl_get_u32(attr, &r->fwmark);
}

/* Attributes of kernel 6.15 and newer, beside each single port: all ones where the port itself is
 * meant. */
enum { RULE_SPORT_MASK = 28, RULE_DPORT_MASK = 29 };

/* Selectors that struct rule can't say: an attribute that is always there counts when it says
 * something, one that is unknown always. */
static bool says_more(const struct nlattr *attr)
{
	uint32_t group = 0;

	switch (mnl_attr_get_type(attr)) {
	case FRA_UNSPEC:
	case FRA_PAD:
	case FRA_TABLE:
		return false;
	case FRA_SUPPRESS_IFGROUP:
		return rtnl_get_u32(attr, &group) || group != UINT32_MAX;
	case RULE_SPORT_MASK:
	case RULE_DPORT_MASK:
		return mnl_attr_get_payload_len(attr) < 2 || mnl_attr_get_u16(attr) != UINT16_MAX;
	case FRA_L3MDEV:
		return mnl_attr_get_payload_len(attr) < 1 || mnl_attr_get_u8(attr);
	default:
		return true;
	}
}

static int read_rule_attribute(const struct nlattr *attr, struct rule *r)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_DST:
		return rtnl_get_addr(attr, r->family, &r->dst.addr);
	case FRA_SRC:
		return rtnl_get_addr(attr, r->family, &r->src.addr);
	case FRA_IIFNAME:
		return rtnl_get_name(attr, r->iif);
	case FRA_OIFNAME:
		return rtnl_get_name(attr, r->oif);
	case FRA_GOTO:
		return rtnl_get_u32(attr, &r->target);
	case FRA_PRIORITY:
		return rtnl_get_u32(attr, &r->priority);
	case FRA_TABLE:
		return rtnl_get_u32(attr, &r->table);
	case FRA_FWMARK:
		return read_fwmark(attr, r);
	case FRA_FWMASK:
		return rtnl_get_u32(attr, &r->fwmask);
	case FRA_SUPPRESS_PREFIXLEN:
		return read_suppress(attr, r);
	case FRA_UID_RANGE:
		return read_uids(attr, r);
	case FRA_PROTOCOL:
		return rtnl_get_u8(attr, &r->protocol);
	case FRA_IP_PROTO:
		return rtnl_get_u8(attr, &r->ip_protocol);
	case FRA_SPORT_RANGE:
		return read_ports(attr, &r->sport);
	case FRA_DPORT_RANGE:
		return read_ports(attr, &r->dport);
	default:
		r->has_other |= says_more(attr);
		return 0;
	}
}

int rtnl_decode_rule(const struct nlmsghdr *nlh, struct rule *ret)
{
	const uint32_t harmless = FIB_RULE_PERMANENT | FIB_RULE_INVERT | FIB_RULE_UNRESOLVED |
				  FIB_RULE_IIF_DETACHED | FIB_RULE_OIF_DETACHED;
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;
	struct rule r = { 0 };

	if (nlh->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*frh))
		return -EBADMSG;
	if (family_from_af(frh->family, &r.family))
		return -EAFNOSUPPORT;
	if (frh->src_len > family_bits(r.family) || frh->dst_len > family_bits(r.family))
		return -EBADMSG;
	r.src.addr.family = r.dst.addr.family = r.family;
	r.action = action_from_kernel(frh->action);
	r.invert = frh->flags & FIB_RULE_INVERT;
	r.has_other = frh->tos || frh->flags & ~harmless;
	r.table = frh->table;
	mnl_attr_for_each(attr, nlh, sizeof(*frh)) {
		int err = read_rule_attribute(attr, &r);

		if (err < 0)
			return err;
	}
	r.src = prefix_of(&r.src.addr, frh->src_len);
	r.dst = prefix_of(&r.dst.addr, frh->dst_len);
	if (r.action != RULE_LOOKUP)
		r.table = 0;
	*ret = r;
	return 0;
}
