/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The plan of each example under rules/, and of a long policy, on a host made for it, against
 * tests/audit/NAME.txt: rules, tables and the nftables table as an auditor reads them, so that their readability is reviewed in diffs. With UPDATE set it
 * writes them. And what holds for every plan: carried out, it leaves nothing to do; what stays keeps its slot.
 */
#include <errno.h>
#include <glob.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/plan.h"
#include "policy/load.h"
#include "tests/tap.h"

/* ---- a host for a policy: each interface it declares, with addresses, a gateway and a default route ---- */

static int any_id(void *ctx, const char *name, uint32_t *ret_id)
{
	(void)ctx;
	*ret_id = 1000 + (uint32_t)strlen(name);
	return 0;
}

static int any_service(void *ctx, const char *name, const char *protocol, uint16_t *ret_port)
{
	(void)ctx, (void)name, (void)protocol;
	*ret_port = 4242;
	return 0;
}

static const struct names any_names = { any_id, any_id, any_service, NULL };

#define PUSH(v, n) ({ __typeof__(v) room = VEC_PUSH(v, n); if (!room) abort(); room; })

static void add_address(struct facts *f, uint32_t link, const struct addr *addr, uint8_t len)
{
	struct address *a = PUSH(f->addresses, f->address_count);

	*a = (struct address){ .link = link, .addr = *addr, .len = len };
	a->peer.family = addr->family;
}

static void add_route(struct facts *f, uint32_t link, const struct prefix *dst, const struct addr *gateway)
{
	struct route *r = PUSH(f->routes, f->route_count);

	*r = (struct route){
		.family = dst->addr.family, .type = RTN_UNICAST, .protocol = RTPROT_STATIC, .table = RT_TABLE_MAIN,
		.metric = 100 + link, .oif = link, .dst = *dst, .has_gateway = gateway != NULL,
		.scope = gateway || dst->addr.family == FAMILY_IPV6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
	if (gateway)
		r->gateway = *gateway;
}

/* ADDR is the router's; the host stands four behind it. */
static void add_network(struct facts *f, uint32_t link, struct addr router, uint8_t len)
{
	struct prefix all = { .addr = { .family = router.family } }, net = prefix_of(&router, len);
	struct addr own = router;

	own.bytes[family_bits(own.family) / 8 - 1] += 4;
	add_address(f, link, &own, len);
	add_route(f, link, &net, NULL);
	add_route(f, link, &all, &router);
}

static void add_interface(struct facts *f, const struct interface *decl, uint32_t index)
{
	struct link *l = PUSH(f->links.v, f->links.count);
	char text[ADDR_TEXT_SIZE];
	struct addr router;

	*l = (struct link){ .index = index, .up = true, .carrier = true, .mtu = 1500 };
	/* What a glob matches: its * is a 0. */
	snprintf(l->name, sizeof(l->name), "%s", decl->name);
	for (char *star = strchr(l->name, '*'); star; star = strchr(star, '*'))
		*star = '0';
	snprintf(text, sizeof(text), "10.%u.0.1", 200 + index);
	if (decl->gateway[FAMILY_IPV4].kind == GATEWAY_ADDRESS)
		router = decl->gateway[FAMILY_IPV4].addr;
	else if (addr_parse(text, &router))
		abort();
	add_network(f, index, router, 24);
	snprintf(text, sizeof(text), "2001:db8:%u::1", index);
	if (decl->gateway[FAMILY_IPV6].kind == GATEWAY_ADDRESS)
		router = decl->gateway[FAMILY_IPV6].addr;
	else if (addr_parse(text, &router))
		abort();
	add_network(f, index, router, 64);
}

static void host_for(const struct config *c, struct facts *f)
{
	struct link *lo = PUSH(f->links.v, f->links.count);

	*lo = (struct link){ .index = 1, .name = "lo", .up = true, .carrier = true, .loopback = true };
	for (int i = 0; i < FAMILY_COUNT; i++)
		f->has_family[i] = f->forwarding[i] = true;
	f->has_carried = true;
	f->now = 1790000000;
	for (size_t i = 0; i < c->interface_count; i++)
		add_interface(f, &c->interfaces[i], 2 + (uint32_t)i);
	for (size_t i = 0; i < c->policy_count; i++)
		for (size_t k = 0; k < c->policies[i].cgroup.count; k++)
			*PUSH(f->cgroups, f->cgroup_count) = strdup(c->policies[i].cgroup.v[k].text);
}

/* ---- plans ---- */

static char *read_file(const char *path)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	FILE *in = fopen(path, "re");
	char block[4096];
	size_t n;

	while (in && (n = fread(block, 1, sizeof(block), in)) > 0)
		strbuf_add_bytes(&b, block, n);
	if (!in)
		return NULL;
	fclose(in);
	return strbuf_take(&b);
}

static bool parse(const char *name, const char *text, struct config *ret)
{
	/* A source owns its texts, and this one lends them: config_parse only reads. */
	const struct source source = {
		.path = (char *)(uintptr_t)name,
		.text = (char *)(uintptr_t)text,
		.len = strlen(text),
	};
	struct diag d = { 0 };
	int r = config_parse(&source, 1, &any_names, NULL, NULL, ret, &d);

	for (size_t i = 0; i < d.count && r; i++)
		printf("# %s\n", d.items[i].text);
	diag_done(&d);
	return r == 0;
}

static bool make(const struct config *c, const struct facts *f, struct plan *ret)
{
	struct diag d = { 0 };
	int r = plan_make(c, f, ret, &d);

	for (size_t i = 0; i < d.count; i++)
		printf("# %s\n", d.items[i].text);
	diag_done(&d);
	return r == 0;
}

static void print_table(const struct plan *p, struct strbuf *b)
{
	const struct nft_table none = { 0 };

	if (nft_script(&none, &p->nft, NULL, b))
		abort();
}

static char *print(const struct plan *p)
{
	struct strbuf b = { 0 };

	for (size_t i = 0; i < p->rule_count; i++) {
		strbuf_printf(&b, "ip%s rule ", p->rules[i].family == FAMILY_IPV6 ? " -6" : "");
		rule_print(&p->rules[i], &b);
		strbuf_add(&b, "\n");
	}
	for (size_t i = 0; i < p->route_count; i++) {
		strbuf_printf(&b, "ip%s route ", p->routes[i].family == FAMILY_IPV6 ? " -6" : "");
		route_print(&p->routes[i], &p->facts->links, &b);
		strbuf_add(&b, "\n");
	}
	print_table(p, &b);
	return strbuf_take(&b);
}

/* The facts as they are once the plan was carried out. */
static void carry_out(const struct plan *p, struct facts *f)
{
	struct strbuf b = { 0 };

	free(f->rules);
	f->rules = NULL;
	f->rule_count = 0;
	for (size_t i = 0; i < p->rule_count; i++)
		*PUSH(f->rules, f->rule_count) = p->rules[i];
	for (size_t i = f->route_count; i-- > 0;)
		if (f->routes[i].protocol == OUR_PROTOCOL)
			f->routes[i] = f->routes[--f->route_count];
	for (size_t i = 0; i < p->route_count; i++)
		*PUSH(f->routes, f->route_count) = p->routes[i];
	for (size_t i = 0; i < p->sysctl_count; i++)
		for (size_t k = 0; k < f->links.count; k++)
			if (f->links.v[k].index == p->sysctls[i].link->index)
				*(p->sysctls[i].src_valid_mark ? &f->links.v[k].src_valid_mark : &f->links.v[k].rp_filter) =
					p->sysctls[i].value;
	print_table(p, &b);
	free(f->nft);
	f->nft = b.len ? strbuf_take(&b) : NULL;
}

static size_t steps_left(const struct plan *p)
{
	CLEANUP(steps_done) struct steps s = { 0 };

	return plan_steps(p, &s) ? SIZE_MAX : s.count;
}

/* ---- the examples ---- */

static void test_example(const char *dir, const char *path)
{
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(facts_done) struct facts f = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(plan_done) struct plan again = { 0 };
	const char *name = strrchr(path, '/') + 1;
	char golden[4096], *text = read_file(path), *got, *want;

	if (!ok(text && parse(path, text, &c), "%s: is read", name))
		return;
	free(text);
	host_for(&c, &f);
	if (!ok(make(&c, &f, &p), "%s: is planned", name))
		return;
	got = print(&p);
	snprintf(golden, sizeof(golden), "%s/tests/audit/%.*s.txt", dir, (int)strcspn(name, "."), name);
	if (getenv("UPDATE")) {
		FILE *out = fopen(golden, "we");

		if (!out || fputs(got, out) < 0 || fclose(out))
			abort();
	}
	want = read_file(golden);
	is(got, want, "%s: as tests/audit has it", name);
	free(got);
	free(want);
	carry_out(&p, &f);
	ok(make(&c, &f, &again), "%s: is planned again", name);
	ok(steps_left(&again) == 0, "%s: carried out, it leaves nothing to do", name);
}

/* The plan of a host with the first `n` of six interfaces, and no policy. */
static char *plan_of(int n)
{
	static const char all[] = "{ name = \"a\"; }, { name = \"b\"; }, { name = \"c\"; }, "
				  "{ name = \"d\"; }, { name = \"e\"; }, { name = \"f\"; }, ";
	const int each = (int)strlen("{ name = \"a\"; }, ");
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(facts_done) struct facts f = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	char text[256];

	snprintf(text, sizeof(text), "interfaces = ( %.*s );", n * each - 2, all);
	if (!parse("few.conf", text, &c))
		abort();
	host_for(&c, &f);
	if (!make(&c, &f, &p))
		abort();
	return print(&p);
}

/* Five ways are few. */
static void test_few(void)
{
	for (int n = 3; n <= 6; n++) {
		char *got = plan_of(n);

		ok(!strstr(got, "ct mark & 0xff000000 == 0x03000000 goto to_c\n") == (n > 5), "%d ways: compared", n);
		ok(strstr(got, "ct mark & 0xff000000 vmap @restore comment"), "%d ways: and looked up", n);
		free(got);
	}
}

/* ---- slots and marks ---- */

/* In force on the host of `f` already: carried out, and its slots in one text. */
static char *slots_of(const char *text, struct facts *f)
{
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	struct strbuf b = { 0 };

	if (!parse("slots.conf", text, &c))
		return NULL;
	if (!f->links.count)
		host_for(&c, f);
	if (!make(&c, f, &p))
		return NULL;
	for (size_t i = 0; i < p.path_count; i++)
		strbuf_printf(&b, "%s%s %u", i ? ", " : "", p.paths[i].name, p.paths[i].slot);
	carry_out(&p, f);
	return strbuf_take(&b);
}

static void slots_are(struct facts *f, const char *policy, const char *want, const char *name)
{
	char *got = slots_of(policy, f);

	is(got, want, "%s", name);
	free(got);
}

static void test_slots(void)
{
	CLEANUP(facts_done) struct facts f = { 0 };

	slots_are(&f, "interfaces = ( { name = \"a\"; }, { name = \"b\"; }, { name = \"c\"; } );", "a 1, b 2, c 3",
		  "slots count from 1, in order");
	slots_are(&f, "interfaces = ( { name = \"c\"; }, { name = \"a\"; }, { name = \"b\"; } );", "c 3, a 1, b 2",
		  "another order: each keeps its slot");
	slots_are(&f, "interfaces = ( { name = \"c\"; }, { name = \"b\"; } );", "c 3, b 2", "one is removed: the others stay");
	slots_are(&f, "interfaces = ( { name = \"d\"; }, { name = \"c\"; }, { name = \"b\"; }, { name = \"a\"; } );",
		  "d 1, c 3, b 2, a 4", "new ones get what is free");
	slots_are(&f, "interfaces = ( { name = \"d\"; }, { name = \"c\"; }, { name = \"b\"; }, { name = \"e\"; } );",
		  "d 1, c 3, b 2, e 5", "marks lead to what goes until it has gone");
	slots_are(&f, "interfaces = ( { name = \"d\"; }, { name = \"c\"; }, { name = \"b\"; }, { name = \"e\"; }, { name = \"f\"; } );",
		  "d 1, c 3, b 2, e 5, f 4", "then it is free");
	slots_are(&f, "settings = { rule_priority = 5000; }; interfaces = ( { name = \"b\"; }, { name = \"c\"; } );",
		  "b 2, c 3", "the band moves: each keeps its slot");
	slots_are(&f, "settings = { rule_priority = 5000; }; interfaces = ( { name = \"b\"; table = 77; }, { name = \"c\"; } );",
		  "b 2, c 3", "a table of its own: it keeps its slot");
	slots_are(&f, "settings = { rule_priority = 5000; table_base = 900; }; interfaces = ( { name = \"b\"; }, { name = \"c\"; } );",
		  "b 2, c 3", "the tables move: each keeps its slot");

	f.has_carried = false;
	slots_are(&f, "settings = { rule_priority = 5000; table_base = 900; }; interfaces = ( { name = \"b\"; }, { name = \"c\"; } );",
		  "b 2, c 3", "nothing new: nobody is asked about connections");
	f.has_carried = true;
	if (numbers_add(&f.carried, (struct number_range){ 1, 1 }))
		abort();
	slots_are(&f, "interfaces = ( { name = \"b\"; }, { name = \"c\"; }, { name = \"e\"; } );", "b 2, c 3, e 4",
		  "a value that connections carry is not given out");
}

/* ---- found by random policies: tests/netns/random ---- */

/* Where a companion steps over what is negated it lands on a nop, which is not the band's end. */
static void test_marks_stay(void)
{
	static const char text[] = "interfaces = ( { name = \"a\"; }, { name = \"b\"; } ); policies = ("
		"{ name = \"p\"; to = [ \"10.0.0.0/8\", \"!10.1.0.0/16\" ]; via = \"a\"; },"
		"{ name = \"q\"; via = \"b\"; otherwise = \"blackhole\"; } );";
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(facts_done) struct facts f = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(plan_done) struct plan again = { 0 };

	if (!parse("stay.conf", text, &c))
		abort();
	host_for(&c, &f);
	if (!make(&c, &f, &p))
		abort();
	carry_out(&p, &f);
	if (numbers_add(&f.carried, (struct number_range){ 1, 255 }) || !make(&c, &f, &again))
		abort();
	ok(again.mark_main == p.mark_main && again.paths[1].mark_kill == p.paths[1].mark_kill,
	   "marks stay where companions land on nops");
	ok(steps_left(&again) == 0, "and nothing is to be done");
}

static void test_rules_of_policies(void)
{
	static const char *const cases[][3] = {
		{ "to = \"!fd00:10::/64\"", "meta nfproto ipv4 counter name \"policy_p\" ",
		  "negated addresses of one family say nothing of the other" },
		{ "mark = [ \"!0x1\", \"0x100/0xff00\" ]", "meta mark != 0x00000001 ", "no mask of all ones" },
		{ "in = [ \"x\", \"x\" ]", "iifname \"x\" counter", "the same interface twice is one" },
		{ "protocol = \"icmp\"; mac = \"02:00:00:00:00:01\"; dscp = 8",
		  "meta l4proto 1 ether saddr 02:00:00:00:00:01 ip dscp cs1 ", "in nft's order" },
		{ "to = \"232.0.0.0/8\"", "to 224.0.0.0/4 fwmark 0/0xffffffff iif lo goto 21999", "multicast is not for its companion" },
		{ "to = [ \"fe00::/8\", \"2000::/3\" ]", "to fe80::/10 fwmark 0/0xffffffff iif lo goto 21999", "nor are neighbours" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_done) struct config c = { 0 };
		CLEANUP(facts_done) struct facts f = { 0 };
		CLEANUP(plan_done) struct plan p = { 0 };
		char text[256], *got;

		snprintf(text, sizeof(text), "interfaces = ( { name = \"a\"; } ); policies = ( "
			 "{ name = \"p\"; %s; via = \"a\"; } );", cases[i][0]);
		if (!parse("one.conf", text, &c))
			abort();
		host_for(&c, &f);
		if (!make(&c, &f, &p))
			abort();
		got = print(&p);
		ok(strstr(got, cases[i][1]), "%s: %s", cases[i][0], cases[i][2]);
		free(got);
	}
}

static void test_too_few_marks(void)
{
	static const char text[] = "settings = { mark_mask = \"0xf0\"; }; interfaces = ("
		"{ name = \"a1\"; }, { name = \"a2\"; }, { name = \"a3\"; }, { name = \"a4\"; }, { name = \"a5\"; },"
		"{ name = \"a6\"; }, { name = \"a7\"; }, { name = \"a8\"; }, { name = \"a9\"; }, { name = \"b1\"; },"
		"{ name = \"b2\"; }, { name = \"b3\"; }, { name = \"b4\"; }, { name = \"b5\"; } );"
		"policies = ( { name = \"p\"; via = \"a1\"; } );";
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(facts_done) struct facts f = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	struct diag d = { 0 };

	if (!parse("few.conf", text, &c))
		abort();
	host_for(&c, &f);
	ok(plan_make(&c, &f, &p, &d) == -EINVAL, "too few marks: refused");
	is(d.count ? d.items[0].text : NULL,
	   "ifsteer: error: mark_mask: 0x000000f0 has 4 bits, and this policy needs 5 on this host (16 marks)",
	   "too few marks: how many bits it needs");
	diag_done(&d);
}

/* Of this policy: whether a's mark for kill switches stands, and whether there is anything to do. */
static void left_is(const char *policies, struct facts *f, bool stands, bool differs, const char *name)
{
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(steps_done) struct steps s = { 0 };
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct diag d = { 0 };

	strbuf_printf(&text, "interfaces = ( { name = \"a\"; } ); policies = ( %s );", policies);
	if (!parse("left.conf", text.text, &c))
		abort();
	if (!f->links.count)
		host_for(&c, f);
	ok(plan_change(&c, f, &p, &s, &d) == 0 && (p.paths[0].mark_kill != 0) == stands, "%s", name);
	ok((s.count != 0) == differs, "%s: %s", name, differs ? "to be written" : "nothing to write");
	diag_done(&d);
	carry_out(&p, f);
}

static void test_left_over(void)
{
	static const char killed[] = "{ name = \"p\"; to = \"10.0.0.0/8\"; via = \"a\"; otherwise = \"blackhole\"; }";
	static const char steered[] = "{ name = \"p\"; to = \"10.0.0.0/8\"; via = \"a\"; }";
	static const char edited[] = "{ name = \"p\"; to = \"10.0.0.0/9\"; via = \"a\"; }";
	CLEANUP(facts_done) struct facts f = { 0 };

	left_is(killed, &f, true, true, "a kill switch");
	if (numbers_add(&f.carried, (struct number_range){ 254, 254 }))
		abort();
	left_is(steered, &f, true, true, "no kill switch any more, but connections");
	numbers_done(&f.carried);
	left_is(steered, &f, true, false, "they have ended: that alone is no difference");
	left_is(edited, &f, false, true, "the next change takes the mark away");
	left_is(edited, &f, false, false, "that was it");
}

/* Packets carry a mark in its old meaning until the plan stands. */
static void test_marks_rest(void)
{
	static const char *const texts[] = {
		"interfaces = ( { name = \"a\"; } ); policies = ( { name = \"p\"; to = \"10.0.0.0/8\"; via = \"a\"; otherwise = \"blackhole\"; } );",
		"interfaces = ( { name = \"a\"; } ); policies = ( { name = \"p\"; to = \"10.0.0.0/8\"; table = 52; } );",
		"interfaces = ( { name = \"a\"; } ); policies = ( { name = \"p\"; to = \"10.0.0.0/8\"; table = 53; } );",
	};
	CLEANUP(facts_done) struct facts f = { 0 };
	uint32_t marks[ARRAY_SIZE(texts)];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(config_done) struct config c = { 0 };
		CLEANUP(plan_done) struct plan p = { 0 };
		CLEANUP(steps_done) struct steps s = { 0 };
		struct diag d = { 0 };

		if (!parse("rest.conf", texts[i], &c))
			abort();
		if (i == 0)
			host_for(&c, &f);
		if (plan_change(&c, &f, &p, &s, &d))
			abort();
		marks[i] = i ? p.tables[0].mark : p.paths[0].mark_kill;
		diag_done(&d);
		carry_out(&p, &f);
	}
	ok(marks[0] && marks[1] && marks[0] != marks[1], "a kill switch's mark is not a table's at once");
	ok(marks[2] == marks[0], "but in the next edit it is free");
}

/* What is left over must not stand in the way of what is needed. */
static void test_left_over_gives_way(void)
{
	static const char format[] = "settings = { mark_mask = \"0xf0\"; }; interfaces = ( { name = \"a\"; }, { name = \"b\"; },"
		"{ name = \"c\"; }, { name = \"d\"; }, { name = \"e\"; }, { name = \"f\"; }, { name = \"g\"; } );"
		"policies = ( { name = \"p\"; via = [ \"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\" ]; %s } );";
	CLEANUP(config_done) struct config yields = { 0 };
	CLEANUP(config_done) struct config kills = { 0 };
	CLEANUP(facts_done) struct facts f = { 0 };
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(plan_done) struct plan again = { 0 };
	CLEANUP(plan_done) struct plan full = { 0 };
	char text[1024];
	struct diag d = { 0 };

	snprintf(text, sizeof(text), format, "");
	if (!parse("yields.conf", text, &yields))
		abort();
	snprintf(text, sizeof(text), format, "otherwise = \"blackhole\";");
	if (!parse("kills.conf", text, &kills))
		abort();
	host_for(&yields, &f);
	if (!make(&yields, &f, &p))
		abort();
	carry_out(&p, &f);
	f.has_carried = false;
	ok(make(&kills, &f, &again) && again.wants_carried, "all marks are left over: connections are asked about");
	f.has_carried = true;
	if (numbers_add(&f.carried, (struct number_range){ 8, 8 }))
		abort();
	ok(plan_make(&kills, &f, &full, &d) == -EINVAL && d.count &&
	   strstr(d.items[0].text, "connections still carry the marks that are left"), "one that is carried is not given out");
	diag_done(&d);
}

int main(void)
{
	const char *dir = getenv("srcdir") ? getenv("srcdir") : ".";
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/rules/*.conf", dir);
	if (glob(pattern, 0, NULL, &found))
		return 1;
	for (size_t i = 0; i < found.gl_pathc; i++)
		test_example(dir, found.gl_pathv[i]);
	globfree(&found);
	snprintf(pattern, sizeof(pattern), "%s/tests/audit/long-policy.conf", dir);
	test_example(dir, pattern);
	test_slots();
	test_too_few_marks();
	test_left_over();
	test_marks_rest();
	test_left_over_gives_way();
	test_marks_stay();
	test_rules_of_policies();
	test_few();
	return tap_done();
}
