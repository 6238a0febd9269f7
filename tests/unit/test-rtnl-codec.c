/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtnetlink's bytes and our values: what is written is read back as the same, and bytes that are
 * wrong are refused.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>

#include "base/strbuf.h"
#include "kernel/rtnl-codec.h"
#include "tests/tap.h"

/* Large enough for a link, aligned as netlink's buffers are. */
union message {
	struct nlmsghdr head;
	char bytes[4096];
};

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a))
		printf("# not an address: %s\n", text);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p = { 0 };

	if (prefix_parse(text, &p))
		printf("# not a prefix: %s\n", text);
	return p;
}

/* ---- routes ---- */

struct seen {
	struct route v[8];
	int count;
};

static int see(const struct route *r, void *ctx)
{
	struct seen *s = ctx;

	if (s->count < 8)
		s->v[s->count++] = *r;
	return 0;
}

static struct route unicast(const char *dst)
{
	struct route r = { .type = RTN_UNICAST,
			   .protocol = OUR_PROTOCOL,
			   .table = 21002,
			   .oif = 5,
			   .dst = prefix(dst) };

	r.family = r.dst.addr.family;
	r.gateway.family = r.src.family = r.family;
	r.metric = r.family == FAMILY_IPV6 ? 1024 : 0;
	return r;
}

static void comes_back_route(const struct route *r, const char *name)
{
	union message m;
	struct seen s = { .count = 0 };
	int err;

	memset(&m, 0xff, sizeof(m));
	err = rtnl_decode_route(rtnl_encode_route(&m, RTM_NEWROUTE, NLM_F_CREATE, r), see, &s);
	ok(err == 0 && s.count == 1 && route_compare(&s.v[0], r) == 0, "route: %s", name);
	ok(m.head.nlmsg_len <= RTNL_MESSAGE_SIZE, "route: %s: fits its buffer", name);
	ok(m.head.nlmsg_flags == NLM_F_CREATE, "route: %s: flags", name);
}

static void test_routes(void)
{
	struct route r = unicast("172.31.0.0/16");

	r.scope = RT_SCOPE_LINK;
	comes_back_route(&r, "on-link");

	r = unicast("0.0.0.0/0");
	r.has_gateway = true;
	r.gateway = address("172.31.64.1");
	r.onlink = true;
	r.metric = 100;
	r.mtu = 1400;
	r.has_src = true;
	r.src = address("172.31.70.5");
	comes_back_route(&r, "default with everything");

	r.gateway = address("fe80::1");
	comes_back_route(&r, "IPv4 by an IPv6 gateway");

	r = unicast("::/0");
	r.has_gateway = true;
	r.gateway = address("fe80::1");
	r.has_src = true;
	r.src = address("fd00:e2::5");
	r.mtu = 1280;
	comes_back_route(&r, "IPv6 default");

	r = unicast("fd00::/64");
	r.type = RTN_UNREACHABLE;
	r.oif = 0;
	comes_back_route(&r, "unreachable");

	r = unicast("10.1.2.3/32");
	r.table = 52;
	comes_back_route(&r, "a small table, a host");
}

/* What the kernel says for IPv6: unreachable routes leave by lo. */
static void test_canonical(void)
{
	struct route r = unicast("fd00::/64");
	union message m;
	struct seen s = { .count = 0 };
	struct nlmsghdr *nlh;

	r.type = RTN_UNREACHABLE;
	r.oif = 1;
	ok(rtnl_decode_route(rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r), see, &s) == 0 &&
		   s.count == 1 && s.v[0].oif == 0,
	   "route: an error leaves by nothing");

	s.count = 0;
	r = unicast("10.0.0.0/8");
	nlh = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r);
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_flags = RTNH_F_LINKDOWN;
	ok(rtnl_decode_route(nlh, see, &s) == 0 && s.v[0].dead && route_compare(&s.v[0], &r) == 0,
	   "route: without carrier it is dead, and the same");

	s.count = 0;
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_flags = RTM_F_CLONED;
	ok(rtnl_decode_route(nlh, see, &s) == 0 && s.count == 0, "route: a cached copy is none");

	nlh = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r);
	((struct rtmsg *)mnl_nlmsg_get_payload(nlh))->rtm_tos = 16;
	ok(rtnl_decode_route(nlh, see, &s) == 0 && s.count == 0,
	   "route: one of a type of service is passed over");

	nlh = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r);
	mnl_attr_put_u32(nlh, RTA_ENCAP, 0);
	ok(rtnl_decode_route(nlh, see, &s) == 0 && s.count == 0,
	   "route: one with an encapsulation is passed over");
}

static void put_nexthop(struct nlmsghdr *nlh, int oif, uint8_t flags, const char *gateway)
{
	struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(nlh);
	struct addr a = address(gateway);
	char *start = mnl_nlmsg_get_payload_tail(nlh);

	*nh = (struct rtnexthop){ .rtnh_ifindex = oif, .rtnh_flags = flags };
	nlh->nlmsg_len += sizeof(*nh);
	mnl_attr_put(nlh, RTA_GATEWAY, family_bits(a.family) / 8, a.bytes);
	nh->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - start);
}

static void test_multipath(void)
{
	struct route r = unicast("10.0.0.0/8");
	union message m;
	struct seen s = { .count = 0 };
	struct nlmsghdr *nlh;
	struct nlattr *nest;

	r.oif = 0;
	r.metric = 7;
	nlh = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r);
	nest = mnl_attr_nest_start(nlh, RTA_MULTIPATH);
	put_nexthop(nlh, 3, 0, "10.200.0.1");
	put_nexthop(nlh, 5, RTNH_F_DEAD | RTNH_F_ONLINK, "172.31.64.1");
	mnl_attr_nest_end(nlh, nest);
	ok(rtnl_decode_route(nlh, see, &s) == 0 && s.count == 2,
	   "multipath: a route for each nexthop");
	ok(s.v[0].oif == 3 && s.v[0].metric == 7 && !s.v[0].dead && s.v[0].has_gateway,
	   "multipath: the first");
	ok(s.v[1].oif == 5 && s.v[1].dead && s.v[1].onlink && s.v[1].dst.len == 8,
	   "multipath: the second");

	s.count = 0;
	((struct rtnexthop *)mnl_attr_get_payload(nest))->rtnh_len = 4;
	ok(rtnl_decode_route(nlh, see, &s) == -EBADMSG, "multipath: a nexthop that is too short");
	((struct rtnexthop *)mnl_attr_get_payload(nest))->rtnh_len = 4000;
	ok(rtnl_decode_route(nlh, see, &s) == -EBADMSG, "multipath: a nexthop that is too long");
}

/* ---- rules ---- */

static struct rule lookup(enum family f)
{
	return (struct rule){ .family = f,
			      .action = RULE_LOOKUP,
			      .protocol = OUR_PROTOCOL,
			      .priority = 21101,
			      .table = 21002,
			      .src.addr.family = f,
			      .dst.addr.family = f };
}

static void comes_back_rule(const struct rule *r, const char *name)
{
	union message m;
	struct rule back;
	int err;

	memset(&m, 0xff, sizeof(m));
	err = rtnl_decode_rule(rtnl_encode_rule(&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r),
			       &back);
	ok(err == 0 && rule_compare(&back, r) == 0, "rule: %s", name);
	ok(m.head.nlmsg_len <= RTNL_MESSAGE_SIZE, "rule: %s: fits its buffer", name);
}

static void test_rules(void)
{
	struct rule r = lookup(FAMILY_IPV4);

	comes_back_rule(&r, "nothing but a table");
	r.table = 52;
	comes_back_rule(&r, "a small table");
	r.fwmark = 0x02000000;
	r.fwmask = 0xff000000;
	comes_back_rule(&r, "a mark");
	r.fwmark = 0;
	r.fwmask = UINT32_MAX;
	comes_back_rule(&r, "no mark at all");

	r = lookup(FAMILY_IPV6);
	r.src = prefix("fd00::1");
	r.dst = prefix("fd00:10::/64");
	strcpy(r.iif, "lo");
	strcpy(r.oif, "fifteen-bytes-l");
	r.fwmark = r.fwmask = 1;
	r.invert = true;
	r.has_uids = true;
	r.uids = (struct number_range){ 0, UINT32_MAX - 1 };
	r.ip_protocol = 6;
	r.sport = (struct number_range){ 1, 65535 };
	r.dport = (struct number_range){ 22, 22 };
	r.has_suppress = true;
	comes_back_rule(&r, "everything at once");

	for (int action = RULE_NOP; action < RULE_OTHER; action++) {
		r = lookup(FAMILY_IPV4);
		r.action = (enum rule_action)action;
		r.table = 0;
		comes_back_rule(&r, "an action");
	}
	r.action = RULE_GOTO;
	r.target = 21999;
	comes_back_rule(&r, "goto");
}

/* Decodes an IPv4 look-up with one attribute more. */
static struct rule with_attribute(uint16_t type, size_t len, const void *data)
{
	struct rule r = lookup(FAMILY_IPV4), back = { 0 };
	union message m;
	struct nlmsghdr *nlh = rtnl_encode_rule(&m, RTM_NEWRULE, 0, &r);

	mnl_attr_put(nlh, type, len, data);
	if (rtnl_decode_rule(nlh, &back))
		back.action = RULE_OTHER;
	return back;
}

static void test_selectors(void)
{
	static const uint8_t all_ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	static const uint8_t one[4] = { 1 };

	ok(!with_attribute(FRA_SUPPRESS_PREFIXLEN, 4, all_ones).has_suppress,
	   "rule: nothing suppressed");
	ok(with_attribute(FRA_SUPPRESS_PREFIXLEN, 4, one).suppress == 1,
	   "rule: hosts and defaults suppressed");
	ok(!with_attribute(FRA_SUPPRESS_IFGROUP, 4, all_ones).has_other,
	   "rule: no group is suppressed");
	ok(with_attribute(FRA_SUPPRESS_IFGROUP, 4, one).has_other, "rule: a group is suppressed");
	ok(with_attribute(FRA_TUN_ID, 8, all_ones).has_other, "rule: a tunnel");
	ok(with_attribute(FRA_L3MDEV, 1, one).has_other, "rule: a VRF");
	ok(!with_attribute(29, 2, all_ones).has_other, "rule: a port itself");
	ok(with_attribute(29, 2, one).has_other, "rule: a masked port");
	ok(with_attribute(200, 4, one).has_other, "rule: a selector of the future");
	ok(with_attribute(FRA_FWMARK, 4, one).fwmask == UINT32_MAX,
	   "rule: a mark without a mask is all of it");
}

/* ---- interfaces and addresses ---- */

static struct nlmsghdr *start_link(union message *m, unsigned int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(m);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = RTM_NEWLINK;
	ifi->ifi_index = 7;
	ifi->ifi_flags = flags;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, "eth2");
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	return nlh;
}

static void put_settings(struct nlmsghdr *nlh, uint32_t rp_filter, uint32_t src_valid_mark,
			 uint32_t disable_ipv6)
{
	uint32_t v4[IPV4_DEVCONF_MAX] = { 0 }, v6[DEVCONF_MAX] = { 0 };
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC), *af;

	v4[IPV4_DEVCONF_RP_FILTER - 1] = rp_filter;
	v4[IPV4_DEVCONF_SRC_VMARK - 1] = src_valid_mark;
	v6[DEVCONF_DISABLE_IPV6] = disable_ipv6;
	af = mnl_attr_nest_start(nlh, AF_INET);
	mnl_attr_put(nlh, IFLA_INET_CONF, sizeof(v4), v4);
	mnl_attr_nest_end(nlh, af);
	af = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put(nlh, IFLA_INET6_CONF, sizeof(v6), v6);
	mnl_attr_nest_end(nlh, af);
	mnl_attr_nest_end(nlh, spec);
}

static void test_links(void)
{
	union message m;
	struct nlmsghdr *nlh = start_link(&m, IFF_UP | IFF_LOWER_UP);
	struct link l = { 0 };
	bool ipv6 = false;

	put_settings(nlh, 2, 1, 0);
	ok(rtnl_decode_link(nlh, &l, &ipv6) == 0 && l.index == 7 && l.mtu == 1500,
	   "link: index and mtu");
	is(l.name, "eth2", "link: name");
	ok(l.up && l.carrier && !l.loopback && !l.point_to_point && !l.enslaved, "link: flags");
	ok(l.rp_filter == 2 && l.src_valid_mark == 1 && ipv6, "link: settings");

	nlh = start_link(&m, IFF_UP | IFF_LOWER_UP | IFF_NOARP);
	mnl_attr_put_u8(nlh, IFLA_OPERSTATE, IF_OPER_DORMANT);
	mnl_attr_put_u32(nlh, IFLA_MASTER, 3);
	put_settings(nlh, 0, 0, 1);
	ok(rtnl_decode_link(nlh, &l, &ipv6) == 0 && !l.carrier && l.point_to_point && l.enslaved &&
		   !ipv6,
	   "link: dormant, without ARP, in a bridge, without IPv6");

	nlh = mnl_nlmsg_put_header(&m);
	nlh->nlmsg_type = RTM_NEWLINK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	ok(rtnl_decode_link(nlh, &l, &ipv6) == -EBADMSG, "link: without index and name");
	is(l.name, "eth2", "link: outputs are untouched on failure");
}

static struct nlmsghdr *start_address(union message *m, uint8_t family, uint8_t len)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(m);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	nlh->nlmsg_type = RTM_NEWADDR;
	ifa->ifa_family = family;
	ifa->ifa_prefixlen = len;
	ifa->ifa_index = 7;
	return nlh;
}

static void test_addresses(void)
{
	struct addr mine = address("10.9.0.1"), other = address("10.9.0.2"),
		    six = address("fd00::5");
	union message m;
	struct nlmsghdr *nlh = start_address(&m, AF_INET, 32);
	struct address a = { 0 };

	mnl_attr_put(nlh, IFA_ADDRESS, 4, other.bytes);
	mnl_attr_put(nlh, IFA_LOCAL, 4, mine.bytes);
	ok(rtnl_decode_address(nlh, &a) == 0 && !addr_compare(&a.addr, &mine) &&
		   !addr_compare(&a.peer, &other),
	   "address: two ends");
	ok(a.link == 7 && a.len == 32 && !a.temporary, "address: link and length");

	nlh = start_address(&m, AF_INET6, 64);
	mnl_attr_put(nlh, IFA_ADDRESS, 16, six.bytes);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_TEMPORARY | IFA_F_DEPRECATED);
	ok(rtnl_decode_address(nlh, &a) == 0 && !addr_compare(&a.addr, &six) &&
		   addr_is_zero(&a.peer),
	   "address: IPv6");
	ok(a.tentative && !a.duplicate && a.temporary && a.deprecated, "address: flags");

	nlh = start_address(&m, AF_INET6, 64);
	mnl_attr_put(nlh, IFA_ADDRESS, 16, six.bytes);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_DADFAILED);
	ok(rtnl_decode_address(nlh, &a) == 0 && a.tentative && a.duplicate,
	   "address: somebody else has it");

	nlh = start_address(&m, AF_INET6, 64);
	mnl_attr_put(nlh, IFA_ADDRESS, 16, six.bytes);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_TENTATIVE | IFA_F_OPTIMISTIC);
	ok(rtnl_decode_address(nlh, &a) == 0 && !a.tentative,
	   "address: an optimistic one may be used");

	ok(rtnl_decode_address(start_address(&m, AF_INET, 33), &a) == -EBADMSG,
	   "address: too long a prefix");
	ok(rtnl_decode_address(start_address(&m, AF_INET, 24), &a) == -EBADMSG,
	   "address: none in it");
	ok(rtnl_decode_address(start_address(&m, AF_DECnet, 0), &a) == -EAFNOSUPPORT,
	   "address: another family");
}

/* ---- bytes that are wrong ---- */

/* Every shorter message (libmnl rounds up to whole words): nothing behind its end is read (under
 * the address sanitizer), and what is cut in an attribute is not made up. */
static void test_truncated(void)
{
	struct rule r = lookup(FAMILY_IPV6), back;
	struct route route = unicast("fd00::/64");
	union message m;
	struct seen s = { .count = 0 };
	uint32_t whole;

	strcpy(r.iif, "lo");
	r.dst = prefix("fd00::/64");
	whole = rtnl_encode_rule(&m, RTM_NEWRULE, 0, &r)->nlmsg_len;
	for (m.head.nlmsg_len = NLMSG_HDRLEN; m.head.nlmsg_len < whole;
	     m.head.nlmsg_len += NLMSG_ALIGNTO)
		if (rtnl_decode_rule(&m.head, &back) == 0 && rule_compare(&back, &r) == 0)
			break;
	ok(m.head.nlmsg_len == whole, "rule: %u bytes of %u are not the same", m.head.nlmsg_len,
	   whole);
	m.head.nlmsg_len = NLMSG_HDRLEN + sizeof(struct fib_rule_hdr) - 1;
	ok(rtnl_decode_rule(&m.head, &back) == -EBADMSG, "rule: too short");

	whole = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &route)->nlmsg_len;
	m.head.nlmsg_len = NLMSG_HDRLEN + sizeof(struct rtmsg) - 1;
	ok(rtnl_decode_route(&m.head, see, &s) == -EBADMSG && s.count == 0, "route: too short");
	m.head.nlmsg_len = whole;
	m.head.nlmsg_type = RTM_DELROUTE;
	ok(rtnl_decode_route(&m.head, see, &s) == -EBADMSG, "route: a deletion is none");
}

static void test_wrong_lengths(void)
{
	static const char zero[64];
	struct route r = unicast("10.0.0.0/8");
	static const uint16_t types[] = { RTA_GATEWAY,	RTA_VIA,   RTA_PREFSRC,
					  RTA_PRIORITY, RTA_TABLE, RTA_OIF };
	struct seen s = { .count = 0 };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		union message m;
		struct nlmsghdr *nlh = rtnl_encode_route(&m, RTM_NEWROUTE, 0, &r);

		mnl_attr_put(nlh, types[i], 3, zero);
		ok(rtnl_decode_route(nlh, see, &s) == -EBADMSG,
		   "route: attribute %u of three bytes", types[i]);
	}
}

static void test_requests(void)
{
	const struct route_filter f = { FAMILY_IPV6, 254, 7, 77 };
	union message m;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(rtnl_request_routes(&m, &f));

	ok(m.head.nlmsg_type == RTM_GETROUTE && rtm->rtm_family == AF_INET6 &&
		   rtm->rtm_protocol == 77 && rtm->rtm_dst_len == 0,
	   "request: routes");
	ok(rtnl_request_links(&m)->nlmsg_type == RTM_GETLINK, "request: links");
	ok(rtnl_request_rules(&m)->nlmsg_type == RTM_GETRULE, "request: rules");
	ok(rtnl_encode_conf(&m, 7, IPV4_DEVCONF_RP_FILTER, 2)->nlmsg_type == RTM_SETLINK,
	   "request: a setting");
}

int main(void)
{
	test_routes();
	test_canonical();
	test_multipath();
	test_rules();
	test_selectors();
	test_links();
	test_addresses();
	test_truncated();
	test_wrong_lengths();
	test_requests();
	return tap_done();
}
