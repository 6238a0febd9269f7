/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What explain says of packets, against what the kernel was seen to do with such: each answer is
 * one line, and each selector has its reason for letting a packet pass. tests/netns/explain.sh asks
 * the kernel itself.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "plan/explain/explain.h"
#include "policy/load.h"
#include "tests/tap.h"

/* Two managed interfaces, main's default by eth0, and eth1, which is nobody's. */
static const char host_facts[] =
	"ifsteer-facts 1\n"
	"host ipv4 ipv6 forwarding-ipv4 forwarding-ipv6 now 1700000000\n"
	"link index 1 name lo up carrier loopback\n"
	"link index 2 name eth0 up carrier\n"
	"link index 3 name eth2 up carrier\n"
	"link index 4 name eth1 up carrier\n"
	"address link 1 addr 127.0.0.1 len 8 scope 254\n"
	"address link 2 addr 10.200.0.2 len 24\n"
	"address link 2 addr fd00:e0::2 len 64\n"
	"address link 3 addr 172.31.70.5 len 20\n"
	"address link 3 addr fd00:e2::5 len 64\n"
	"address link 4 addr 192.168.77.1 len 24\n"
	"route family ipv4 dst 0.0.0.0/0 via 10.200.0.1 oif 2 table 254 type 1\n"
	"route family ipv4 dst 10.200.0.0/24 oif 2 table 254 type 1 scope 253 src 10.200.0.2\n"
	"route family ipv4 dst 172.31.64.0/20 oif 3 table 254 type 1 scope 253 src 172.31.70.5\n"
	"route family ipv4 dst 192.168.77.0/24 oif 4 table 254 type 1 scope 253 src 192.168.77.1\n"
	"route family ipv4 dst 203.0.113.0/24 table 254 type 8\n"
	"route family ipv4 dst 127.0.0.0/8 oif 1 table 255 type 2 scope 254 src 127.0.0.1\n"
	"route family ipv4 dst 10.200.0.2/32 oif 2 table 255 type 2 scope 254 src 10.200.0.2\n"
	"route family ipv4 dst 172.31.70.5/32 oif 3 table 255 type 2 scope 254 src 172.31.70.5\n"
	"route family ipv4 dst 192.168.77.1/32 oif 4 table 255 type 2 scope 254 src 192.168.77.1\n"
	"route family ipv4 dst 10.200.0.255/32 oif 2 table 255 type 3 scope 253 src 10.200.0.2\n"
	"route family ipv6 dst ::/0 via fd00:e0::1 oif 2 table 254 type 1 metric 1024\n"
	"route family ipv6 dst fd00:e0::/64 oif 2 table 254 type 1 metric 256\n"
	"route family ipv6 dst fd00:e2::/64 oif 3 table 254 type 1 metric 256\n"
	"rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action lookup table 255\n"
	"rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action lookup table 254 priority 32766\n"
	"rule family ipv6 from ::/0 to ::/0 action lookup table 255\n"
	"rule family ipv6 from ::/0 to ::/0 action lookup table 254 priority 32766\n";

#define INTERFACES                                                                              \
	"interfaces = ( { name = \"eth0\"; }, { name = \"eth2\"; gateway = [ \"172.31.64.1\", " \
	"\"fd00:e2::1\" ]; },\n"                                                                \
	"               { name = \"wg0\"; } );\n"

/* Facts, policy and plan of one test. */
struct world {
	struct facts facts;
	struct config config;
	struct plan plan;
};

static void world_done(struct world *w)
{
	plan_done(&w->plan);
	config_done(&w->config);
	facts_done(&w->facts);
}

static int find_id(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	*ret_id = 1000;
	return strcmp(name, "alice") == 0 ? 0 : -ENOENT;
}

static int find_service(void *ctx, const char *name, const char *protocol, uint16_t *ret_port)
{
	(void)ctx, (void)name, (void)protocol, (void)ret_port;
	return -ENOENT;
}

static const struct names names = { .user = find_id, .group = find_id, .service = find_service };
static char alice[] = "alice", root[] = "root";
static const struct fact_name known[] = { { 'u', alice, 1000 },
					  { 'g', alice, 1000 },
					  { 'u', root, 0 } };

static void say_messages(struct diag *d)
{
	for (size_t i = 0; i < d->count; i++)
		printf("# %s\n", d->items[i].text);
	diag_done(d);
}

/* `more` is what this host has beyond host_facts. */
static bool make_world(const char *more, const char *interfaces, const char *policies,
		       struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf facts = { 0 };
	CLEANUP(strbuf_done) struct strbuf policy = { 0 };
	char path[] = "t.conf";
	struct source source = { .path = path };
	struct diag d = { 0 };
	int r;

	strbuf_printf(&facts, "%s%s", host_facts, more);
	strbuf_printf(&policy, "%spolicies = ( %s );\n", interfaces, policies);
	source.text = policy.text;
	source.len = policy.len;
	r = facts_parse("facts", facts.text, facts.len, &w->facts, &d);
	if (r == 0)
		r = config_parse(&source, 1, &names, NULL, NULL, &w->config, &d);
	if (r == 0)
		r = plan_make(&w->config, &w->facts, &w->plan, &d);
	say_messages(&d);
	return r == 0;
}

struct packet {
	const char *to, *from, *in, *mac, *cgroup;
	uint32_t protocol, sport, dport, uid, gid, dscp, mark, minute;
};

static struct flow flow_of(const struct packet *p)
{
	struct flow f = {
		.protocol = p->protocol ? p->protocol : 6,
		.sport = p->sport,
		.dport = p->dport,
		.uid = p->uid,
		.gid = p->gid,
		.cgroup = p->cgroup,
		.in = p->in,
		.mac = p->mac,
		.forwarded = p->in,
		.dscp = p->dscp,
		.mark = p->mark,
		.minute = p->minute,
		.names = known,
		.name_count = ARRAY_SIZE(known),
	};

	f.has_src = p->from && addr_parse(p->from, &f.src) == 0;
	if (addr_parse(p->to, &f.dst) == 0)
		f.family = f.dst.family;
	return f;
}

static void put_address(struct strbuf *b, const char *what, const struct addr *a, bool has)
{
	char text[ADDR_TEXT_SIZE];

	if (has)
		strbuf_printf(b, " %s %s", what, addr_print(a, text));
}

/* "POLICY OUTCOME IF via GATEWAY from SOURCE socket SOURCE mark M table N" */
static void put_answer(struct strbuf *b, const struct explanation *e)
{
	static const char *const outcomes[] = {
		[ACTION_VIA] = "via",
		[ACTION_BALANCE] = "balance",
		[ACTION_TABLE] = "table",
		[ACTION_MAIN] = "main",
		[ACTION_UNREACHABLE] = "unreachable",
		[ACTION_PROHIBIT] = "prohibit",
		[ACTION_BLACKHOLE] = "blackhole",
	};

	strbuf_printf(b, "%s %s", e->policy ? e->policy->name : "-", outcomes[e->outcome]);
	if (!e->link)
		return;
	strbuf_printf(b, " %s", e->link->name);
	put_address(b, "via", &e->gateway, e->has_gateway);
	put_address(b, "from", &e->source, e->has_source);
	put_address(b, "socket", &e->flow.src, e->is_rewritten);
	if (e->mark)
		strbuf_printf(b, " mark %#x", e->mark);
	strbuf_printf(b, " table %u", e->way.route->table);
}

/* `want_reasons` are the policies that were passed over, each with its reason. NULL: anything will
 * do. */
static void answers(const struct world *w, const struct packet *p, const char *want,
		    const char *want_reasons)
{
	CLEANUP(explanation_done) struct explanation e = { 0 };
	CLEANUP(strbuf_done) struct strbuf answer = { 0 };
	CLEANUP(strbuf_done) struct strbuf reasons = { 0 };
	struct flow f = flow_of(p);

	if (!ok(explain_flow(&w->plan, &f, &e) == 0, "%s: an answer", p->to))
		return;
	put_answer(&answer, &e);
	if (want)
		is(answer.text, want, "%s", p->to);
	for (size_t i = 0; i < e.passed_over_count; i++)
		strbuf_printf(&reasons, "%s%s: %s", i ? "\n" : "", e.passed_over[i].policy->name,
			      e.passed_over[i].because);
	if (want_reasons)
		is(reasons.text ? reasons.text : "", want_reasons, "%s: %s", p->to, want_reasons);
}

static void with(const char *more, const char *policies, const struct packet *p, const char *want,
		 const char *want_reasons)
{
	CLEANUP(world_done) struct world w = { 0 };

	if (ok(make_world(more, INTERFACES, policies, &w), "policies: %s", policies))
		answers(&w, p, want, want_reasons);
}

#define PACKET(address, ...) (&(struct packet){ .to = address, ##__VA_ARGS__ })

/* ---- the ways of local packets ---- */

#define ON_PREMISES "{ name = \"p\"; to = [ \"10.0.0.0/16\", \"fd00:10::/64\" ]; via = \"eth2\"; }"

static void test_ways(void)
{
	CLEANUP(world_done) struct world w = { 0 };

	if (!make_world("", INTERFACES, ON_PREMISES, &w))
		return;
	answers(&w, PACKET("10.0.1.9"),
		"p via eth2 via 172.31.64.1 from 172.31.70.5 mark 0x2000000 table 21002", "");
	answers(&w, PACKET("fd00:10::9"),
		"p via eth2 via fd00:e2::1 from fd00:e2::5 mark 0x2000000 table 21002", "");
	answers(&w, PACKET("10.0.1.9", .from = "10.200.0.2"),
		"p via eth2 via 172.31.64.1 from 172.31.70.5 socket 10.200.0.2 mark 0x2000000 "
		"table 21002",
		"");
	answers(&w, PACKET("198.51.100.10"),
		"- main eth0 via 10.200.0.1 from 10.200.0.2 table 21001",
		"p: to does not contain 198.51.100.10");
	answers(&w, PACKET("198.51.100.10", .from = "172.31.70.5"),
		"- main eth2 via 172.31.64.1 from 172.31.70.5 table 21002", NULL);
	answers(&w, PACKET("192.168.77.5"), "- main eth1 from 192.168.77.1 table 254", NULL);
	answers(&w, PACKET("10.200.0.2"), "- main lo from 10.200.0.2 table 255", "");
	answers(&w, PACKET("127.0.0.9"), "- main lo from 127.0.0.1 table 255", "");
	answers(&w, PACKET("10.200.0.255", .protocol = 17), "- main eth0 from 10.200.0.2 table 255", "");
	answers(&w, PACKET("224.0.0.5", .protocol = 17), "- main eth0 from 10.200.0.2 table 255", "");
	/* Found by random packets: whoever has an address speaks to many by its interface. */
	answers(&w, PACKET("224.0.0.5", .from = "172.31.70.5", .protocol = 17), "- main eth2 from 172.31.70.5 table 255", "");
	answers(&w, PACKET("255.255.255.255", .from = "192.168.77.1", .protocol = 17), "- main eth1 from 192.168.77.1 table 255",
		"");
	answers(&w, PACKET("10.200.0.255"), "- unreachable", "");
	answers(&w, PACKET("224.0.0.5"), "- unreachable", "");
	answers(&w, PACKET("203.0.113.1"), "- prohibit", "p: to does not contain 203.0.113.1");
	answers(&w, PACKET("10.0.1.9", .mark = 0x4000),
		"- main eth0 via 10.200.0.1 from 10.200.0.2 mark 0x4000 table 254", "");
}

/* What looks like a way and is none. */
static void test_dead_ends(void)
{
	with("link index 5 name eth5 up\n"
	     "address link 5 addr 10.50.0.1 len 24\n"
	     "route family ipv4 dst 10.50.0.0/24 oif 5 table 254 type 1 scope 253 src 10.50.0.1 dead\n",
	     "", PACKET("10.50.0.9"), "- blackhole", NULL);
	/* The interface has no address, and masquerading takes another one's. */
	with("link index 5 name wg0 up carrier point-to-point\n"
	     "route family ipv6 dst fd00:e2::5/128 table 255 type 2\n"
	     "route family ipv6 dst 2001:db8:9::/64 oif 5 table 254 type 1 metric 1024\n",
	     "", PACKET("2001:db8:9::1", .from = "fd00:e2::5"), "- blackhole", NULL);
}

static void test_actions(void)
{
	with("", "{ name = \"p\"; via = \"eth2\"; }", PACKET("198.51.100.10"),
	     "p via eth2 via 172.31.64.1 from 172.31.70.5 mark 0xfe000000 table 21002", "");
	with("", "{ name = \"p\"; via = \"eth2\"; }", PACKET("192.168.77.5"),
	     "p main eth1 from 192.168.77.1 mark 0xfe000000 table 254", "");
	with("", "{ name = \"x\"; to = \"10.0.1.0/24\"; action = \"main\"; }," ON_PREMISES,
	     PACKET("10.0.1.9"),
	     "x main eth0 via 10.200.0.1 from 10.200.0.2 mark 0xff000000 table 254", "");
	with("", "{ name = \"p\"; action = \"blackhole\"; }", PACKET("198.51.100.10"),
	     "p blackhole", "");
	with("", "{ name = \"p\"; via = \"wg0\"; otherwise = \"prohibit\"; }",
	     PACKET("198.51.100.10"), "p prohibit", "");
	with("", "{ name = \"p\"; via = \"wg0\"; }", PACKET("198.51.100.10"),
	     "p main eth0 via 10.200.0.1 from 10.200.0.2 table 21001", "");
	with("", "{ name = \"p\"; via = \"wg0\"; otherwise = \"next\"; }", PACKET("198.51.100.10"),
	     "- main eth0 via 10.200.0.1 from 10.200.0.2 table 21001",
	     "p: dormant: wg0 is not usable (absent); otherwise = next");
	with("", "{ name = \"p\"; via = [ \"wg0\", \"eth2\" ]; otherwise = \"blackhole\"; }",
	     PACKET("198.51.100.10"),
	     "p via eth2 via 172.31.64.1 from 172.31.70.5 mark 0xfd000000 table 21002", "");
	with("route family ipv4 dst 10.9.0.0/16 via 192.168.77.9 oif 4 table 52 type 1\n",
	     "{ name = \"p\"; to = \"10.0.0.0/8\"; table = 52; }", PACKET("10.9.1.1"),
	     "p table eth1 via 192.168.77.9 from 192.168.77.1 mark 0xfe000000 table 52", "");
	with("", "{ name = \"p\"; to = \"10.0.0.0/8\"; table = 52; }", PACKET("10.9.1.1"),
	     "p main eth0 via 10.200.0.1 from 10.200.0.2 mark 0xfe000000 table 254", "");
}

static void test_forwarded(void)
{
	const char *lan = "{ name = \"p\"; in = \"eth1\"; via = \"eth2\"; }";

	with("", lan, PACKET("198.51.100.10", .in = "eth1", .from = "192.168.77.5"),
	     "p via eth2 via 172.31.64.1 from 192.168.77.5 mark 0xfe000000 table 21002", "");
	with("", lan, PACKET("10.200.0.9", .in = "eth1", .from = "192.168.77.5"),
	     "p main eth0 from 192.168.77.5 mark 0xfe000000 table 254", "");
	with("", lan, PACKET("172.31.70.5", .in = "eth1", .from = "192.168.77.5"),
	     "- main lo from 192.168.77.5 table 255", "");
	with("", lan, PACKET("198.51.100.10", .in = "docker0", .from = "172.17.0.2"),
	     "- main eth0 via 10.200.0.1 from 172.17.0.2 table 254",
	     "p: in is docker0, wanted eth1");
	with("", lan, PACKET("198.51.100.10"), NULL,
	     "p: it judges forwarded packets, and this one is the host's own");
	with("", "{ name = \"p\"; in = \"eth1\"; action = \"unreachable\"; }",
	     PACKET("198.51.100.10", .in = "eth1", .from = "192.168.77.5"), "p unreachable", "");
	with("", lan, PACKET("224.0.0.5", .in = "eth1", .from = "192.168.77.5", .protocol = 17), "- blackhole", "");
	/* By an interface without an address not even a loose filter lets it in. */
	with("link index 5 name eth5 up carrier rp-filter 2\n", lan,
	     PACKET("198.51.100.10", .in = "eth5", .from = "10.50.0.1"), "- blackhole", NULL);
	/* What comes in by eth1 from somewhere that is reached by eth0 passes no strict filter. */
	with("link index 5 name eth5 up carrier rp-filter 1\n", lan,
	     PACKET("198.51.100.10", .in = "eth5", .from = "10.50.0.1"), "- blackhole", NULL);
}

/* ---- reasons ---- */

static void passes(const char *selector, const struct packet *p, const char *because)
{
	CLEANUP(strbuf_done) struct strbuf policy = { 0 };
	CLEANUP(strbuf_done) struct strbuf reason = { 0 };

	strbuf_printf(&policy, "{ name = \"p\"; %s via = \"eth2\"; }", selector);
	strbuf_printf(&reason, "p: %s", because);
	with("cgroup path a/b\n", policy.text, p, NULL, reason.text);
}

static void takes(const char *selector, const struct packet *p)
{
	CLEANUP(strbuf_done) struct strbuf policy = { 0 };
	CLEANUP(world_done) struct world w = { 0 };
	CLEANUP(explanation_done) struct explanation e = { 0 };
	struct flow f = flow_of(p);

	strbuf_printf(&policy, "{ name = \"p\"; %s via = \"eth2\"; }", selector);
	ok(make_world("cgroup path a/b\n", INTERFACES, policy.text, &w) &&
		   explain_flow(&w.plan, &f, &e) == 0 && e.policy,
	   "taken: %s", selector);
}

#define TO "198.51.100.10"
#define MONDAY(hour, minute) ((hour) * 60u + (minute))

static void test_addresses(void)
{
	takes("to = [ \"198.51.100.0/24\", \"!198.51.100.9\" ];", PACKET(TO));
	passes("to = [ \"198.51.100.0/24\", \"!198.51.100.10\" ];", PACKET(TO),
	       "to excludes 198.51.100.10");
	takes("from = \"10.200.0.2\";", PACKET(TO));
	passes("from = \"10.200.0.9\";", PACKET(TO), "from does not contain 10.200.0.2");
	passes("family = \"ipv6\";", PACKET(TO), "it is about ipv6 alone");
	passes("enabled = false;", PACKET(TO), "disabled");
	passes("origin = \"forwarded\";", PACKET(TO), "origin is local, wanted forwarded");
}

static void test_numbers(void)
{
	takes("protocol = [ \"tcp\", \"udp\" ];", PACKET(TO));
	passes("protocol = \"udp\";", PACKET(TO), "protocol is tcp (6), wanted udp");
	passes("protocol = \"!tcp\";", PACKET(TO), "protocol is tcp (6), which it excludes");
	takes("dport = \"80-90\";", PACKET(TO, .dport = 85));
	passes("dport = \"80-90\";", PACKET(TO, .dport = 91), "dport is 91, wanted 80-90");
	passes("dport = 80;", PACKET(TO), "dport is not said, wanted 80");
	passes("dport = 80;", PACKET(TO, .dport = 80, .protocol = 132),
	       "protocol is sctp (132), wanted tcp, udp");
	passes("sport = [ 1, 3, 5, 7, 9, 11 ];", PACKET(TO, .sport = 2),
	       "sport is 2, wanted 1, 3, 5, 7, …");
	takes("user = \"alice\";", PACKET(TO, .uid = 1000));
	passes("user = \"alice\";", PACKET(TO), "user is root (0), wanted alice");
	passes("user = [ \"2000-2010\", \"!2005\" ];", PACKET(TO, .uid = 2005),
	       "user is 2005, wanted 2000-2004, 2006-2010");
	passes("group = \"alice\";", PACKET(TO, .gid = 7), "group is 7, wanted alice");
	passes("dscp = \"af41\";", PACKET(TO), "dscp is cs0 (0), wanted af41");
}

static void test_names(void)
{
	takes("cgroup = \"a/b\";", PACKET(TO, .cgroup = "/a/b/c"));
	passes("cgroup = \"a/b\";", PACKET(TO, .cgroup = "a/bc"), "cgroup is a/bc, wanted a/b");
	passes("cgroup = \"a/b\";", PACKET(TO), "cgroup is not said, wanted a/b");
	passes("cgroup = \"a/x\";", PACKET(TO), "dormant: its cgroup does not exist");
	takes("mac = \"02:00:00:00:00:01\";", PACKET(TO, .in = "eth1", .mac = "02:00:00:00:00:01"));
	passes("mac = \"02:00:00:00:00:01\";", PACKET(TO, .in = "eth1", .mac = "02:00:00:00:00:02"),
	       "mac is 02:00:00:00:00:02, wanted 02:00:00:00:00:01");
	passes("in = \"!eth1\";", PACKET(TO, .in = "eth1"), "in is eth1, which it excludes");
	takes("mark = \"0x4000/0xff00\";", PACKET(TO, .mark = 0x4001));
	passes("mark = \"0x4000/0xff00\";", PACKET(TO, .mark = 0x8000),
	       "mark is 0x8000, wanted 0x4000/0xff00");
	with("",
	     "{ name = \"m\"; mark = \"0x4000\"; via = \"eth2\"; }, { name = \"p\"; via = "
	     "\"eth2\"; }",
	     PACKET(TO, .mark = 0x8000), NULL,
	     "m: mark is 0x8000, wanted 0x4000/0xffffffff\n"
	     "p: the packet carries somebody else's mark (0x8000), which it does not name");
}

static void test_times(void)
{
	takes("hours = \"09:00-17:00\";", PACKET(TO, .minute = MONDAY(9, 0)));
	passes("hours = \"09:00-17:00\";", PACKET(TO, .minute = MONDAY(17, 0)),
	       "it is mon 17:00, wanted 09:00-17:00");
	takes("hours = \"22:00-06:00\"; days = \"sun\";", PACKET(TO, .minute = MONDAY(5, 59)));
	passes("hours = \"22:00-06:00\"; days = \"mon\";", PACKET(TO, .minute = MONDAY(5, 59)),
	       "it is mon 05:59, wanted mon 22:00-06:00");
	takes("hours = \"!12:00-13:00\"; days = \"!sun\";", PACKET(TO, .minute = MONDAY(11, 59)));
	passes("hours = \"!12:00-13:00\"; days = \"!sun\";", PACKET(TO, .minute = MONDAY(12, 0)),
	       "it is mon 12:00, wanted mon tue wed thu fri sat 00:00-12:00, 13:00-24:00");
	takes("hours = [ \"20:00-04:00\", \"!23:00-01:00\" ]; days = \"sun\";", PACKET(TO, .minute = MONDAY(1, 0)));
	passes("hours = [ \"20:00-04:00\", \"!23:00-01:00\" ]; days = \"sun\";", PACKET(TO, .minute = MONDAY(0, 59)),
	       "it is mon 00:59, wanted sun 20:00-23:00, 01:00-04:00");
	takes("days = [ \"mon\", \"tue\" ];", PACKET(TO, .minute = MONDAY(23, 59)));
}

/* ---- rules of other people, sources, hashes ---- */

static void test_rules(void)
{
	static const char table[] =
		"route family ipv4 dst 0.0.0.0/0 via 192.168.77.9 oif 4 table 100 type 1\n";
	static const struct {
		const char *rule;
		bool taken;
	} rules[] = {
		{ "action lookup table 100", true },
		{ "iif lo action lookup table 100", true },
		{ "iif eth1 action lookup table 100", false },
		{ "oif eth0 action lookup table 100", false },
		{ "uids 0-0 action lookup table 100", true },
		{ "uids 1-9 action lookup table 100", false },
		{ "ip-protocol 6 dport 80-90 action lookup table 100", true },
		{ "ip-protocol 17 action lookup table 100", false },
		{ "dport 443-443 action lookup table 100", false },
		{ "fwmark 0x1 fwmask 0xff action lookup table 100", false },
		{ "not fwmark 0x1 fwmask 0xff action lookup table 100", true },
		{ "suppress 0 action lookup table 100", false },
		{ "action nop", false },
		{ "action goto target 40000", false },
		{ "other action lookup table 100", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		CLEANUP(strbuf_done) struct strbuf more = { 0 };

		strbuf_printf(&more,
			      "%srule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 priority 100 %s\n",
			      table, rules[i].rule);
		printf("# %s\n", rules[i].rule);
		with(more.text, "", PACKET(TO, .dport = 80), rules[i].taken ?
		     "- main eth1 via 192.168.77.9 from 192.168.77.1 table 100" :
		     "- main eth0 via 10.200.0.1 from 10.200.0.2 table 21001", "");
	}
	/* The look-up with the mark knows no user: IPv4 takes it for root's. */
	with("route family ipv4 dst 0.0.0.0/0 via 192.168.77.9 oif 4 table 100 type 1\n"
	     "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 priority 100 uids 1000-1000 action "
	     "lookup table 100\n",
	     ON_PREMISES, PACKET("10.0.1.9", .uid = 1000),
	     "p via eth2 via 172.31.64.1 from 172.31.70.5 socket 192.168.77.1 mark 0x2000000 table "
	     "21002",
	     "");
	with("rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 priority 100 action unreachable\n", "",
	     PACKET(TO), "- unreachable", "");
	with("route family ipv4 dst 198.51.100.0/24 table 100 type 9\n"
	     "route family ipv4 dst 0.0.0.0/0 via 192.168.77.9 oif 4 table 100 type 1\n"
	     "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 priority 100 action lookup table 100\n",
	     "", PACKET(TO), "- main eth0 via 10.200.0.1 from 10.200.0.2 table 21001", "");
}

static void test_sources(void)
{
	/* The first primary address on the gateway's subnet; never a secondary one. */
	with("address link 2 addr 10.99.0.1 len 24 order 1\n"
	     "route family ipv4 dst 198.51.100.0/24 via 10.99.0.9 oif 2 table 254 type 1\n",
	     "", PACKET(TO), "- main eth0 via 10.99.0.9 from 10.99.0.1 table 254", "");
	with("address link 2 addr 10.99.0.1 len 24 secondary\n"
	     "route family ipv4 dst 198.51.100.0/24 via 10.99.0.9 oif 2 table 254 type 1\n",
	     "", PACKET(TO), "- main eth0 via 10.99.0.9 from 10.200.0.2 table 254", "");
	with("route family ipv4 dst 198.51.100.0/24 via 10.200.0.1 oif 2 src 192.168.77.1 table "
	     "254 type 1\n",
	     "", PACKET(TO), "- main eth0 via 10.200.0.1 from 192.168.77.1 table 254", "");
	/* Deprecated ones last, then the longest prefix in common, then temporary ones where they
	 * are preferred. */
	with("address link 2 addr fd00:10::1 len 64 deprecated\naddress link 2 addr fd00:11::1 len "
	     "64\n",
	     "", PACKET("fd00:10::9"), "- main eth0 via fd00:e0::1 from fd00:11::1 table 254", "");
	with("address link 2 addr 2001:db8:1::1 len 64\n", "", PACKET("2001:db8::9"),
	     "- main eth0 via fd00:e0::1 from 2001:db8:1::1 table 254", "");
	with("address link 2 addr fd00:e0::1 len 64 temporary\n", "", PACKET("2001:db8::9"),
	     "- main eth0 via fd00:e0::1 from fd00:e0::2 table 254", "");
	with("link index 5 name eth5 up carrier prefers-temporary\n"
	     "address link 5 addr fd00:e5::1 len 64\naddress link 5 addr fd00:e5::2 len 64 order 1 "
	     "temporary\n"
	     "route family ipv6 dst fd00:55::/64 oif 5 table 254 type 1 metric 1024\n",
	     "", PACKET("fd00:55::9"), "- main eth5 from fd00:e5::2 table 254", "");
}

/* The choices are those of a kernel whose hash had this seed. */
static void test_balance(void)
{
	static const char listing[] =
		"nft table inet ifsteer {\nnft \tjhash mod 3 seed 0x1234567\nnft-end }\n";
	static const char policy[] = "{ name = \"b\"; balance = ( { interface = \"eth0\"; weight = "
				     "2; }, { interface = \"eth2\"; } ); }";
	static const char *const to[] = { TO, "2001:db8::9" }, *const from[] = { "10.200.0.2",
										 "fd00:e0::2" };
	CLEANUP(world_done) struct world w = { 0 };
	char chosen[2][41] = { "" };
	bool sure = false;

	if (!make_world(listing, INTERFACES, policy, &w))
		return;
	for (int f = 0; f < FAMILY_COUNT; f++)
		for (uint32_t i = 0; i < 40; i++) {
			struct flow flow = flow_of(PACKET(to[f], .from = from[f], .protocol = 17,
							  .sport = 1000 + i, .dport = 443));

			chosen[f][i] = flow_balance(&w.plan, &w.plan.policies[0], &flow, &sure)
					       ? '2'
					       : '0';
		}
	is(chosen[FAMILY_IPV4], "0000200002022002220000000000002002002202",
	   "IPv4: two thirds by eth0");
	is(chosen[FAMILY_IPV6], "0000022222000202002002000002000000000000",
	   "IPv6: two thirds by eth0");
	ok(sure, "with both ports said it is sure");
	answers(&w, PACKET(TO, .protocol = 1),
		"b via eth2 via 172.31.64.1 from 172.31.70.5 socket 10.200.0.2 mark 0xfd000000 "
		"table 21002",
		"");
}

static void test_dynamic_sets(void)
{
	static const char interfaces[] = INTERFACES
		"sets = ( { name = \"cdn\"; dynamic = true; } );\n";
	static const char listing[] =
		"nft table inet ifsteer {\n"
		"nft \tset cdn_4 {\n"
		"nft \t\ttype ipv4_addr\n"
		"nft \t\telements = { 198.51.100.10 timeout 1h }\n"
		"nft \t}\n"
		"nft-end }\n";
	CLEANUP(world_done) struct world w = { 0 };
	CLEANUP(world_done) struct world empty = { 0 };

	if (make_world(listing, interfaces, "{ name = \"p\"; to = \"@cdn\"; via = \"eth2\"; }", &w))
		answers(&w, PACKET(TO),
			"p via eth2 via 172.31.64.1 from 172.31.70.5 socket 10.200.0.2 mark "
			"0x2000000 table 21002",
			"");
	if (make_world("", interfaces, "{ name = \"p\"; to = \"@cdn\"; via = \"eth2\"; }", &empty))
		answers(&empty, PACKET(TO),
			"- main eth0 via 10.200.0.1 from 10.200.0.2 table 21001",
			"p: to does not contain 198.51.100.10; set cdn may change");
}

/* ---- without an interface ---- */

static void test_without(void)
{
	CLEANUP(world_done) struct world w = { 0 };
	CLEANUP(facts_without_done) struct facts left = { 0 };
	size_t eth2 = 0;

	if (!make_world("", INTERFACES, ON_PREMISES, &w) ||
	    !ok(facts_without_link(&w.facts, 3, &left) == 0, "without eth2"))
		return;
	for (size_t i = 0; i < left.address_count; i++)
		eth2 += left.addresses[i].link == 3;
	for (size_t i = 0; i < left.route_count; i++)
		eth2 += left.routes[i].oif == 3;
	ok(eth2 == 0 && !links_by_name(&left.links, "eth2") && links_by_name(&left.links, "eth0"),
	   "nothing of it is left");
	ok(left.rule_count == w.facts.rule_count && left.address_count == w.facts.address_count - 2,
	   "everything else is");
}

int main(void)
{
	test_ways();
	test_dead_ends();
	test_actions();
	test_forwarded();
	test_addresses();
	test_numbers();
	test_names();
	test_times();
	test_rules();
	test_sources();
	test_balance();
	test_dynamic_sets();
	test_without();
	return tap_done();
}
