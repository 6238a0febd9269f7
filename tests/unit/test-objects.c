/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Routes and rules: the order of every attribute, and the words of `ip`.
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "plan/facts.h"
#include "plan/objects.h"
#include "tests/tap.h"

static struct link link_list[] = {
	{ .index = 2, .name = "eth0" }, { .index = 3, .name = "eth2" }, { .index = 4, .name = "it's; \x1b[31m" },
};
static const struct links links = { link_list, ARRAY_SIZE(link_list) };

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a) < 0)
		printf("Bail out! %s\n", text);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p = { 0 };

	if (prefix_parse(text, &p) < 0)
		printf("Bail out! %s\n", text);
	return p;
}

static void route_is(const struct route *r, const char *want)
{
	struct strbuf out = { 0 };

	route_print(r, &links, &out);
	is(out.text, want, "%s", want);
	strbuf_done(&out);
}

static void rule_is(const struct rule *r, const char *want)
{
	struct strbuf out = { 0 };

	rule_print(r, &out);
	is(out.text, want, "%s", want);
	strbuf_done(&out);
}

static void test_route_text(void)
{
	struct route r = { .type = RTN_UNICAST, .protocol = 77, .table = 21002, .oif = 3 };

	r.dst = prefix("10.0.0.0/16");
	r.has_gateway = true;
	r.gateway = addr("172.31.64.1");
	route_is(&r, "10.0.0.0/16 via 172.31.64.1 dev eth2 proto 77 table 21002");
	r.onlink = true;
	r.has_src = true;
	r.src = addr("172.31.70.5");
	r.metric = 100;
	r.mtu = 1400;
	route_is(&r, "10.0.0.0/16 via 172.31.64.1 dev eth2 onlink proto 77 src 172.31.70.5 metric 100 mtu 1400 "
		     "table 21002");
	r = (struct route){ .type = RTN_UNICAST, .protocol = 77, .table = 5, .oif = 9, .scope = RT_SCOPE_LINK };
	r.dst = prefix("0.0.0.0/0");
	route_is(&r, "default dev if9 proto 77 scope link table 5");
	r.scope = RT_SCOPE_UNIVERSE;
	route_is(&r, "default dev if9 proto 77 scope global table 5");
	r.oif = 4;
	r.has_gateway = true;
	r.gateway = addr("fe80::1");
	route_is(&r, "default via inet6 fe80::1 dev 'it'\\''s; \\x1b[31m' proto 77 table 5");
	r = (struct route){ .family = FAMILY_IPV6, .type = RTN_THROW, .protocol = 77, .table = 5, .metric = 1024 };
	r.dst = prefix("fd00:10::/64");
	route_is(&r, "throw fd00:10::/64 proto 77 metric 1024 table 5");
	r.type = RTN_UNREACHABLE;
	r.dst = prefix("::/0");
	route_is(&r, "unreachable default proto 77 metric 1024 table 5");
}

static void test_rule_text(void)
{
	struct rule r = { .action = RULE_LOOKUP, .table = 21002, .protocol = 77, .priority = 21101 };

	r.fwmark = 0x02000000;
	r.fwmask = 0xff000000;
	rule_is(&r, "from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21101");
	r = (struct rule){ .action = RULE_LOOKUP, .table = 254, .protocol = 77, .priority = 1, .invert = true,
			   .has_suppress = true, .fwmask = UINT32_MAX, .iif = "lo", .oif = "a b",
			   .has_uids = true, .uids = { 1000, 1000 }, .ip_protocol = 6, .sport = { 5, 5 },
			   .dport = { 80, 90 } };
	r.src = prefix("10.1.0.0/16");
	r.dst = prefix("10.0.1.9/32");
	rule_is(&r, "not from 10.1.0.0/16 to 10.0.1.9 fwmark 0/0xffffffff iif lo oif 'a b' uidrange 1000-1000 "
		    "ipproto 6 sport 5 dport 80-90 lookup main suppress_prefixlength 0 proto 77 priority 1");
	r = (struct rule){ .action = RULE_GOTO, .target = 21999, .protocol = 77, .priority = 2 };
	rule_is(&r, "from all goto 21999 proto 77 priority 2");
	r.action = RULE_NOP;
	rule_is(&r, "from all nop proto 77 priority 2");
	r.action = RULE_UNREACHABLE;
	rule_is(&r, "from all unreachable proto 77 priority 2");
}

/* Every member that can be set must make a difference, in both directions. */
#define DIFFERS(type, compare, base, assignment)                                                            \
	do {                                                                                                \
		struct type a = (base), b = (base);                                                         \
		b.assignment;                                                                               \
		ok(compare(&a, &b) * compare(&b, &a) < 0 && compare(&a, &a) == 0, #compare " sees " #assignment); \
	} while (0)

static void test_route_order(void)
{
	struct route base = { .type = RTN_UNICAST, .protocol = 77, .table = 1 };
	struct route dead;

	DIFFERS(route, route_compare, base, family = FAMILY_IPV6);
	DIFFERS(route, route_compare, base, type = RTN_THROW);
	DIFFERS(route, route_compare, base, protocol = 3);
	DIFFERS(route, route_compare, base, scope = 253);
	DIFFERS(route, route_compare, base, onlink = true);
	DIFFERS(route, route_compare, base, has_gateway = true);
	DIFFERS(route, route_compare, base, has_src = true);
	DIFFERS(route, route_compare, base, table = 2);
	DIFFERS(route, route_compare, base, metric = 2);
	DIFFERS(route, route_compare, base, oif = 2);
	DIFFERS(route, route_compare, base, mtu = 2);
	DIFFERS(route, route_compare, base, dst.len = 8);
	DIFFERS(route, route_compare, base, dst.addr.bytes[0] = 10);
	base.has_gateway = base.has_src = true;
	DIFFERS(route, route_compare, base, gateway.bytes[3] = 1);
	DIFFERS(route, route_compare, base, gateway.family = FAMILY_IPV6);
	DIFFERS(route, route_compare, base, src.bytes[3] = 1);
	dead = base;
	dead.dead = true;
	ok(route_compare(&base, &dead) == 0, "a dead route is the same route");
	dead.oif = 5;
	dead.type = RTN_THROW;
	ok(route_same_slot(&base, &dead), "the slot is family, table, destination and metric");
	dead.metric = 5;
	ok(!route_same_slot(&base, &dead), "another metric is another slot");
}

static void test_rule_order(void)
{
	struct rule base = { .action = RULE_LOOKUP, .protocol = 77, .table = 1 };

	DIFFERS(rule, rule_compare, base, family = FAMILY_IPV6);
	DIFFERS(rule, rule_compare, base, action = RULE_NOP);
	DIFFERS(rule, rule_compare, base, protocol = 3);
	DIFFERS(rule, rule_compare, base, invert = true);
	DIFFERS(rule, rule_compare, base, has_uids = true);
	DIFFERS(rule, rule_compare, base, has_suppress = true);
	DIFFERS(rule, rule_compare, base, has_other = true);
	DIFFERS(rule, rule_compare, base, ip_protocol = 6);
	DIFFERS(rule, rule_compare, base, priority = 6);
	DIFFERS(rule, rule_compare, base, table = 6);
	DIFFERS(rule, rule_compare, base, target = 6);
	DIFFERS(rule, rule_compare, base, suppress = 6);
	DIFFERS(rule, rule_compare, base, fwmark = 6);
	DIFFERS(rule, rule_compare, base, fwmask = 6);
	DIFFERS(rule, rule_compare, base, iif[0] = 'a');
	DIFFERS(rule, rule_compare, base, oif[0] = 'a');
	DIFFERS(rule, rule_compare, base, src.len = 8);
	DIFFERS(rule, rule_compare, base, dst.len = 8);
	DIFFERS(rule, rule_compare, base, uids.to = 8);
	DIFFERS(rule, rule_compare, base, sport.from = 8);
	DIFFERS(rule, rule_compare, base, dport.to = 8);
}

int main(void)
{
	test_route_text();
	test_rule_text();
	test_route_order();
	test_rule_order();
	return tap_done();
}
