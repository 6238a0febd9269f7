/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a plan and facts to steps: in make-before-break order, nothing foreign touched, nothing at all when the
 * host is as planned.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/plan.h"
#include "tests/tap.h"

static struct link link_list[] = {
	{ .index = 2, .name = "eth0", .rp_filter = 1 },
	{ .index = 3, .name = "eth2", .rp_filter = 0 },
	{ .index = 4, .name = "eth0.100", .rp_filter = 2 },
};
static const struct links links = { link_list, ARRAY_SIZE(link_list) };

static struct route route(const char *dst, uint32_t oif, const char *gateway)
{
	struct route r = { .type = RTN_UNICAST, .protocol = OUR_PROTOCOL, .table = 21002, .oif = oif };

	if (prefix_parse(dst, &r.dst) < 0 || (gateway && addr_parse(gateway, &r.gateway) < 0))
		printf("Bail out! %s\n", dst);
	r.has_gateway = gateway;
	r.scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	r.family = r.dst.addr.family;
	return r;
}

static struct rule rule(uint32_t priority, uint32_t mark, uint32_t table)
{
	return (struct rule){
		.action = RULE_LOOKUP, .protocol = OUR_PROTOCOL, .priority = priority, .fwmark = mark,
		.fwmask = 0xff000000, .table = table,
	};
}

static struct rule companion(uint32_t priority, const char *to, uint32_t table)
{
	struct rule r = rule(priority, 0, table);

	r.fwmask = UINT32_MAX;
	strcpy(r.iif, "lo");
	if (prefix_parse(to, &r.dst) < 0)
		printf("Bail out! %s\n", to);
	return r;
}

static void steps_are(const struct plan *p, const char *want, const char *name)
{
	struct steps steps = { 0 };
	struct strbuf out = { 0 };

	ok(plan_steps(p, &steps) == 0 && plan_diff(p, &steps, &out) == 0, "%s: steps", name);
	is(out.text ? out.text : "", want, "%s", name);
	steps_done(&steps);
	strbuf_done(&out);
}

static void test_nothing_to_do(void)
{
	struct route routes[] = { route("172.31.64.0/20", 3, NULL), route("0.0.0.0/0", 3, "172.31.64.1") };
	struct route listed[] = { routes[1], routes[0], route("10.9.0.0/16", 2, NULL) };
	struct rule rules[] = { rule(21030, 0x02000000, 21002), rule(21031, 0x02000000, 21002) };
	struct rule stand[] = { rules[1], rules[0], rule(5, 1, 1) };
	struct want_sysctl sysctl = { &link_list[2], false, 2 };
	struct facts f = { .links = links, .routes = listed, .route_count = 3, .rules = stand, .rule_count = 3 };
	struct plan p = { .facts = &f, .routes = routes, .route_count = 2, .rules = rules, .rule_count = 2,
			  .sysctls = &sysctl, .sysctl_count = 1 };

	listed[0].dead = true;
	listed[2].protocol = RTPROT_BOOT;
	stand[2].protocol = 0;
	steps_are(&p, "", "the host is as planned");
}

static void test_order(void)
{
	struct route routes[] = { route("0.0.0.0/0", 3, "172.31.64.1"), route("172.31.64.0/20", 3, NULL),
				  route("10.0.0.0/16", 3, "172.31.64.9") };
	struct route listed[] = { route("10.0.0.0/16", 3, "172.31.64.1"), route("10.5.0.0/16", 3, "172.31.64.1"),
				  route("172.31.0.0/16", 3, NULL), route("10.6.0.0/16", 99, NULL) };
	struct rule rules[] = { rule(21999, 0, 0), rule(21030, 0x02000000, 21002), companion(21100, "10.0.0.0/16", 21002),
				companion(21101, "10.7.0.0/16", 21002) };
	struct rule stand[] = { rule(20030, 0x02000000, 21002), rule(20999, 0, 0), companion(21100, "10.7.0.0/16", 21002),
				companion(21100, "10.8.0.0/16", 21002) };
	struct want_sysctl sysctls[] = { { &link_list[0], false, 2 }, { &link_list[1], true, 1 } };
	struct saved_sysctl saved[] = {
		{ .name = "eth0", .index = 2, .value = 0 },
		{ .name = "eth0.100", .index = 4, .value = 0 },
		{ .name = "eth2", .index = 99, .value = 1 },
		{ .name = "eth2", .index = 2, .value = 1 },
	};
	struct facts f = { .links = links, .routes = listed, .route_count = 4, .rules = stand, .rule_count = 4,
			   .saved = saved, .saved_count = 4 };
	struct plan p = { .facts = &f, .routes = routes, .route_count = 3, .rules = rules, .rule_count = 4,
			  .sysctls = sysctls, .sysctl_count = 2 };
	struct steps steps = { 0 };

	rules[0].action = stand[1].action = RULE_NOP;
	rules[0].fwmask = stand[1].fwmask = 0;
	ok(nft_add_counter(&p.nft, "c") == 0, "a table is wanted");
	steps_are(&p,
		  "+ sysctl -w net.ipv4.conf.eth0.rp_filter=2\n"
		  "+ sysctl -w net.ipv4.conf.eth2.src_valid_mark=1\n"
		  "+ ip route add 172.31.64.0/20 dev eth2 proto 77 scope link table 21002\n"
		  "+ ip route add default via 172.31.64.1 dev eth2 proto 77 table 21002\n"
		  "+ ip route replace 10.0.0.0/16 via 172.31.64.9 dev eth2 proto 77 table 21002\n"
		  "+ ip rule add from all nop proto 77 priority 21999\n"
		  "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n"
		  "+ ip rule add from all to 10.0.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21100\n"
		  "+ ip rule add from all to 10.7.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21101\n"
		  "+ nft add table inet ifsteer\n"
		  "+ nft add counter inet ifsteer c\n"
		  "- ip rule del from all to 10.8.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21100\n"
		  "- ip rule del from all to 10.7.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21100\n"
		  "- ip rule del from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 20030\n"
		  "- ip rule del from all nop proto 77 priority 20999\n"
		  "- ip route del 10.5.0.0/16 via 172.31.64.1 dev eth2 proto 77 table 21002\n"
		  "- ip route del 172.31.0.0/16 dev eth2 proto 77 scope link table 21002\n"
		  "- sysctl -w net/ipv4/conf/eth0.100/rp_filter=0\n",
		  "make before break");
	ok(plan_steps(&p, &steps) == 0 && steps.v[0].of.sysctl.found == 0 && steps.v[1].of.sysctl.found == 0,
	   "a value saved before is not overwritten with what somebody wrote since");
	steps_done(&steps);
	nft_table_done(&p.nft);
}

/* Rules that nobody can hit yet come while there are few routes to walk; one that stands is a reason to be careful. */
static void test_first(void)
{
	struct route routes[] = { route("172.31.64.0/20", 3, NULL), route("172.31.80.0/20", 3, NULL) };
	struct rule rules[] = { rule(21030, 0x02000000, 21002) };
	struct rule stand[] = { rule(21040, 0x02000000, 21002) };
	struct facts f = { .links = links };
	struct plan p = { .facts = &f, .routes = routes, .route_count = 1, .rules = rules, .rule_count = 1 };

	steps_are(&p,
		  "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n"
		  "+ ip route add 172.31.64.0/20 dev eth2 proto 77 scope link table 21002\n",
		  "the first rules come before the routes");
	p.route_count = 2;
	steps_are(&p,
		  "+ ip route add 172.31.64.0/20 dev eth2 proto 77 scope link table 21002\n"
		  "+ ip route add 172.31.80.0/20 dev eth2 proto 77 scope link table 21002\n"
		  "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n",
		  "unless routes are more");
	p.route_count = 1;
	f.rules = stand;
	f.rule_count = 1;
	steps_are(&p,
		  "+ ip route add 172.31.64.0/20 dev eth2 proto 77 scope link table 21002\n"
		  "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n"
		  "- ip rule del from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21040\n",
		  "with a rule of ours they come behind");
	f.rule_count = 0;
	f.nft = strdup("table inet ifsteer {\n\tchain foo {\n\t}\n}\n");
	p.nft.exists = true;
	steps_are(&p,
		  "+ ip route add 172.31.64.0/20 dev eth2 proto 77 scope link table 21002\n"
		  "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n"
		  "- nft delete chain inet ifsteer foo\n",
		  "and with a table of ours");
	free(f.nft);
	nft_table_done(&p.nft);
}

static void test_in_the_way(void)
{
	struct rule rules[] = { companion(21100, "0.0.0.0/0", 21002), companion(21101, "10.1.0.0/16", 21002) };
	struct rule stand[] = { companion(21100, "10.0.0.0/16", 21002), companion(21101, "0.0.0.0/0", 21002) };
	struct facts f = { .links = links, .rules = stand, .rule_count = 2 };
	struct plan p = { .facts = &f, .rules = rules, .rule_count = 2 };

	steps_are(&p,
		  "- ip rule del from all to 10.0.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21100\n"
		  "+ ip rule add from all fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21100\n"
		  "+ ip rule add from all to 10.1.0.0/16 fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21101\n"
		  "- ip rule del from all fwmark 0/0xffffffff iif lo lookup 21002 proto 77 priority 21101\n",
		  "what the kernel would take for the new rule goes before it comes");
}

static void test_foreign(void)
{
	struct route routes[] = { route("0.0.0.0/0", 3, "172.31.64.1") };
	struct route listed[] = { route("0.0.0.0/0", 3, "172.31.64.9"), route("10.0.0.0/8", 3, NULL) };
	struct rule rules[] = { rule(21030, 0x02000000, 21002) };
	struct rule stand[] = { rules[0], rule(21031, 0x03000000, 21003), rule(21032, 0x03000000, 21003) };
	struct facts f = { .links = links, .routes = listed, .route_count = 2, .rules = stand, .rule_count = 3 };
	struct plan p = { .facts = &f, .routes = routes, .route_count = 1, .rules = rules, .rule_count = 1 };

	listed[0].protocol = RTPROT_STATIC;
	listed[1].protocol = RTPROT_KERNEL;
	stand[0].protocol = 0;
	stand[1].protocol = 2;
	stand[2].has_other = true;
	steps_are(&p, "+ ip rule add from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n",
		  "somebody else's route in the slot, rules in the band, and a rule that could not be deleted exactly");
}

static void test_flush(void)
{
	struct route listed[] = { route("10.0.0.0/16", 3, "172.31.64.1"), route("172.31.0.0/16", 3, NULL),
				  route("10.9.0.0/16", 3, NULL) };
	struct rule stand[] = { rule(21030, 0x02000000, 21002), rule(21031, 0x02000000, 21002) };
	struct saved_sysctl saved = { .name = "eth0", .index = 2, .value = 1 };
	char nft[] = "anything at all";
	struct facts f = { .links = links, .routes = listed, .route_count = 3, .rules = stand, .rule_count = 2,
			   .saved = &saved, .saved_count = 1, .nft = nft };
	struct steps steps = { 0 };
	struct strbuf out = { 0 };
	struct plan p = { .facts = &f };

	listed[2].protocol = RTPROT_BOOT;
	stand[1].protocol = 0;
	ok(plan_flush(&f, &steps) == 0 && steps.count == 5, "flush removes all that is ours, and only that");
	ok(steps.v[0].kind == STEP_NFT && strcmp(steps.v[0].of.nft.script, "delete table inet ifsteer\n") == 0,
	   "the table goes whatever it holds");
	f.nft = NULL;
	steps_done(&steps);
	ok(plan_flush(&f, &steps) == 0 && plan_diff(&p, &steps, &out) == 0, "without a table");
	is(out.text,
	   "- ip rule del from all fwmark 0x2000000/0xff000000 lookup 21002 proto 77 priority 21030\n"
	   "- ip route del 10.0.0.0/16 via 172.31.64.1 dev eth2 proto 77 table 21002\n"
	   "- ip route del 172.31.0.0/16 dev eth2 proto 77 scope link table 21002\n"
	   "- sysctl -w net.ipv4.conf.eth0.rp_filter=1\n", "flush in order");
	steps_done(&steps);
	strbuf_done(&out);
}

static void test_bad_listing(void)
{
	char nft[] = "table inet ifsteer {\n";
	struct facts f = { .nft = nft };
	struct plan p = { .facts = &f };
	struct steps steps = { 0 };

	ok(plan_steps(&p, &steps) == -EINVAL && !steps.count, "a listing that breaks off makes no steps");
}

int main(void)
{
	test_nothing_to_do();
	test_order();
	test_first();
	test_in_the_way();
	test_foreign();
	test_flush();
	test_bad_listing();
	return tap_done();
}
