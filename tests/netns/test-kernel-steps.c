/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * steps_execute on a real kernel: what is asked for stands, what is refused is said and undone, and
 * what is somebody else's stays.
 */
#include "tests/netns/own-netns.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "kernel/kernel.h"

static struct step list[16];
static bool refused[16];
static char said[4096];
static char good_script[] = "add table inet ifsteer\nadd counter inet ifsteer c\n";
static char bad_script[] =
	"add table inet ifsteer\nadd chain inet ifsteer x\nadd rule inet ifsteer x jump nowhere\n";

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a))
		ok(false, "an address: %s", text);
	return a;
}

static struct step *step(size_t i, enum step_kind kind)
{
	list[i] = (struct step){ .kind = kind };
	return &list[i];
}

static struct route *route(size_t i, enum step_kind kind, const char *dst, const char *gateway)
{
	struct route *r = &step(i, kind)->of.route;

	*r = (struct route){ .type = RTN_UNICAST,
			     .protocol = OUR_PROTOCOL,
			     .table = 21002,
			     .oif = if_nametoindex("eth2") };
	if (prefix_parse(dst, &r->dst))
		ok(false, "a prefix: %s", dst);
	r->family = r->dst.addr.family;
	r->gateway.family = r->src.family = r->family;
	r->metric = r->family == FAMILY_IPV6 ? 1024 : 0;
	r->has_gateway = gateway != NULL;
	if (gateway)
		r->gateway = address(gateway);
	else
		r->scope = r->family == FAMILY_IPV4 ? RT_SCOPE_LINK : 0;
	return r;
}

static struct rule *rule(size_t i, enum step_kind kind, enum family f, uint32_t priority)
{
	struct rule *r = &step(i, kind)->of.rule;

	*r = (struct rule){ .family = f,
			    .action = RULE_LOOKUP,
			    .protocol = OUR_PROTOCOL,
			    .priority = priority,
			    .table = 21002,
			    .fwmark = 0x02000000,
			    .fwmask = 0xff000000 };
	r->src.addr.family = r->dst.addr.family = f;
	return r;
}

static void sysctl_step(size_t i, enum step_kind kind, uint8_t value, uint8_t found)
{
	struct step *s = step(i, kind);

	strcpy(s->of.sysctl.name, "eth2");
	s->of.sysctl.index = if_nametoindex("eth2");
	s->of.sysctl.value = value;
	s->of.sysctl.found = found;
}

static int run(size_t count)
{
	const struct steps s = { .v = list, .count = count };
	struct diag d = { 0 };
	int err;

	memset(refused, 0, sizeof(refused));
	err = steps_execute(&s, refused, &d);
	*said = '\0';
	for (size_t i = 0; i < d.count; i++)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", d.items[i].text);
	diag_done(&d);
	return err;
}

static const char *table(void)
{
	return output("ip route show table 21002; ip -6 route show table 21002");
}

static const char *rules(void)
{
	return output("(ip rule; ip -6 rule) | grep 21002");
}

static void clear(void)
{
	sh("ip route flush table 21002 2>/dev/null; ip -6 route flush table 21002 2>/dev/null;"
	   "for f in -4 -6; do while ip $f rule del lookup 21002 2>/dev/null; do :; done; done;"
	   "nft delete table inet ifsteer 2>/dev/null; rm -rf /run/ifsteer; sysctl -qw "
	   "net.ipv4.conf.eth2.rp_filter=1");
}

static void set_up(void)
{
	sh("ip link set lo up; ip link add eth2 type veth peer name p2; ip link set eth2 up; ip "
	   "link set p2 up");
	sh("ip address add 172.31.70.5/20 dev eth2; ip address add fd00:e2::5/64 dev eth2 nodad");
	clear();
}

static void test_everything(void)
{
	sysctl_step(0, STEP_SYSCTL, 2, 1);
	route(1, STEP_ADD_ROUTE, "172.31.64.0/20", NULL);
	route(2, STEP_ADD_ROUTE, "0.0.0.0/0", "172.31.64.1")->mtu = 1400;
	route(3, STEP_ADD_ROUTE, "::/0", "fd00:e2::1");
	rule(4, STEP_ADD_RULE, FAMILY_IPV4, 21101);
	rule(5, STEP_ADD_RULE, FAMILY_IPV6, 21101);
	step(6, STEP_NFT)->of.nft.script = good_script;
	ok(run(7) == 0 && !*said, "everything at once: %s", said);
	is(table(),
	   "default via 172.31.64.1 dev eth2 proto 77 mtu 1400 \n172.31.64.0/20 dev eth2 proto 77 "
	   "scope link \n"
	   "default via fd00:e2::1 dev eth2 proto 77 metric 1024 pref medium",
	   "routes stand");
	is(rules(),
	   "21101:\tfrom all fwmark 0x2000000/0xff000000 lookup 21002 proto 77\n"
	   "21101:\tfrom all fwmark 0x2000000/0xff000000 lookup 21002 proto 77",
	   "rules stand");
	is(output("sysctl -n net.ipv4.conf.eth2.rp_filter"), "2", "the sysctl is set");
	is(output("nft list table inet ifsteer | grep -c counter"), "1", "the table stands");
}

static void test_again(void)
{
	ok(run(7) == 0 && !*said, "the same again is no mistake: %s", said);
	is(output("ip rule | grep -c 21002"), "1", "a rule stands once");
	ok(run(0) == 0, "no steps");
}

static void test_saved(void)
{
	struct saved_sysctl *v = NULL;
	size_t count = 0;

	sysctl_step(0, STEP_SYSCTL, 2, 2);
	ok(run(1) == 0, "a sysctl set once more");
	ok(saved_sysctls_read(&v, &count) == 0 && count == 1 && v[0].value == 1 &&
		   !strcmp(v[0].name, "eth2"),
	   "the value as found first is kept");
	free(v);
	sysctl_step(0, STEP_RESTORE_SYSCTL, 1, 0);
	ok(run(1) == 0, "a sysctl put back");
	is(output("sysctl -n net.ipv4.conf.eth2.rp_filter"), "1", "its value as found");
	ok(saved_sysctls_read(&v, &count) == 0 && count == 0, "and forgotten");
	free(v);
}

static void test_replace_and_delete(void)
{
	route(0, STEP_REPLACE_ROUTE, "0.0.0.0/0", "172.31.64.9");
	rule(1, STEP_DELETE_RULE, FAMILY_IPV4, 21101);
	rule(2, STEP_DELETE_RULE, FAMILY_IPV4, 21777);
	route(3, STEP_DELETE_ROUTE, "172.31.64.0/20", NULL);
	route(4, STEP_DELETE_ROUTE, "10.99.0.0/16", NULL);
	ok(run(5) == 0 && !*said, "replace and delete, some of it gone already: %s", said);
	is(output("ip route show table 21002"), "default via 172.31.64.9 dev eth2 proto 77",
	   "what is left of the routes");
	is(output("ip rule | grep -c 21002; ip -6 rule | grep -c 21002"), "0\n1",
	   "and of the rules");
	clear();
}

/* One interface's trouble is nobody else's. */
static void test_refused_route(void)
{
	route(0, STEP_ADD_ROUTE, "10.0.0.0/8", "172.31.64.1");
	route(1, STEP_ADD_ROUTE, "0.0.0.0/0", "9.9.9.9");
	route(2, STEP_ADD_ROUTE, "10.1.0.0/16", NULL)->oif = 4711;
	route(3, STEP_ADD_ROUTE, "::/0", "fd00:99::1");
	rule(4, STEP_ADD_RULE, FAMILY_IPV4, 21101);
	ok(run(5) == 0, "routes that can't be");
	ok(!refused[0] && refused[1] && refused[2] && refused[3] && !refused[4],
	   "are the ones that are refused");
	ok(strstr(said, "warning") && strstr(said, "0.0.0.0/0") == NULL &&
		   strstr(said, "default via 9.9.9.9 dev eth2"),
	   "and said: %s", said);
	is(table(), "10.0.0.0/8 via 172.31.64.1 dev eth2 proto 77", "the others stand");
	clear();
}

static void test_foreign_route(void)
{
	sh("ip route add default via 172.31.64.3 dev eth2 table 21002");
	route(0, STEP_ADD_ROUTE, "0.0.0.0/0", "172.31.64.1");
	ok(run(1) == 0 && refused[0], "somebody else's route in the place: %s", said);
	route(0, STEP_DELETE_ROUTE, "0.0.0.0/0", "172.31.64.3");
	ok(run(1) == 0, "deleting one as if it were ours");
	is(table(), "default via 172.31.64.3 dev eth2", "it stays");
	clear();
}

static const char *everything(void)
{
	return output("ip route show table all; ip -6 route show table all; ip rule; ip -6 rule; "
		      "nft list ruleset;"
		      "sysctl net.ipv4.conf.eth2.rp_filter; find /run/ifsteer -type l 2>/dev/null");
}

static void test_undo(void)
{
	char before[16384];

	sh("ip route add default via 172.31.64.9 dev eth2 table 21002 proto 77 mtu 1300");
	sh("ip rule add pref 21500 fwmark 0x02000000/0xff000000 lookup 21002 protocol 77");
	snprintf(before, sizeof(before), "%s", everything());
	sysctl_step(0, STEP_SYSCTL, 2, 1);
	route(1, STEP_ADD_ROUTE, "10.0.0.0/8", "172.31.64.1");
	route(2, STEP_REPLACE_ROUTE, "0.0.0.0/0", "172.31.64.1");
	rule(3, STEP_ADD_RULE, FAMILY_IPV4, 21101);
	step(4, STEP_NFT)->of.nft.script = bad_script;
	rule(5, STEP_DELETE_RULE, FAMILY_IPV4, 21500);
	ok(run(6) == -EPROTO && strstr(said, "nftables"), "a transaction that nft refuses: %s",
	   said);
	is(everything(), before, "what stood before stands again");

	/* A rule that the kernel refuses, beside routes and rules in the same message. */
	rule(4, STEP_ADD_RULE, FAMILY_IPV4, 21102)->action = RULE_GOTO;
	list[4].of.rule.target = 21000;
	ok(run(6) == -EPROTO && strstr(said, "error: the kernel refuses the rule"),
	   "a rule that is refused: %s", said);
	is(everything(), before, "what stood before stands again");
	clear();
}

/* The table with one set of a range; the ranges are the table's. */
static struct nft_table table_of(const char *range)
{
	struct nft_table t = { 0 };
	struct nft_set *s = nft_add_set(&t, "office_4", false, "ipv4_addr", "interval");
	struct addr_range r;

	if (!s || addr_range_parse(range, &r) || addr_ranges_add(&s->ranges, &r))
		abort();
	s->has_ranges = true;
	return t;
}

/* Sets by messages of our own: ahead of a transaction that is refused they are taken back. */
static void test_edits(void)
{
	struct nft_table first = table_of("10.0.0.0/8"), then = table_of("10.0.0.0/9");
	struct nft_edit edit = { .set = &first.sets[0], .is_new = true };
	static char undo_set[] = "delete set inet ifsteer office_4\n",
		    undo_table[] = "delete table inet ifsteer\n";
	struct step *s = step(0, STEP_NFT_EDITS);
	char before[16384];

	snprintf(before, sizeof(before), "%s", output("nft list ruleset"));
	s->of.nft.edits = (struct nft_edits){ &edit, 1, true };
	s->of.nft.part = NFT_AHEAD;
	s->of.nft.undo = undo_table;
	step(1, STEP_NFT)->of.nft.script = bad_script;
	ok(run(2) == -EPROTO, "a new set in a new table, and a script that is refused: %s", said);
	is(output("nft list ruleset"), before, "neither set nor table stands");
	sh("nft 'add table inet ifsteer; add counter inet ifsteer a'");
	snprintf(before, sizeof(before), "%s", output("nft list ruleset"));
	s->of.nft.edits.new_table = false;
	s->of.nft.undo = undo_set;
	ok(run(2) == -EPROTO, "a new set, and a script that is refused: %s", said);
	is(output("nft list ruleset"), before, "what stood before stands again");
	ok(run(1) == 0, "a new set");
	edit = (struct nft_edit){ .set = &then.sets[0],
				  .gone = first.sets[0].ranges,
				  .fresh = then.sets[0].ranges };
	s->of.nft.part = NFT_CHANGE;
	ok(run(1) == 0, "its elements change");
	ok(strstr(output("nft list table inet ifsteer"), "elements = { 10.0.0.0/9 }"),
	   "they have changed");
	ok(run(1) == -EPROTO, "what is gone can't go: %s", said);
	ok(strstr(output("nft list table inet ifsteer"), "elements = { 10.0.0.0/9 }"),
	   "and nothing comes then");
	nft_table_done(&first);
	nft_table_done(&then);
	clear();
}

/* More than one message holds, in order. */
static void test_many(void)
{
	enum { COUNT = 1000 };
	struct step *many = calloc(2 * COUNT, sizeof(*many));
	const struct steps s = { .v = many, .count = 2 * COUNT };
	struct diag d = { 0 };

	for (size_t i = 0; many && i < COUNT; i++) {
		route(0, STEP_ADD_ROUTE, "10.0.0.0/32", "172.31.64.1")->dst.addr.bytes[2] =
			(uint8_t)(i >> 8);
		list[0].of.route.dst.addr.bytes[3] = (uint8_t)i;
		rule(1, STEP_ADD_RULE, FAMILY_IPV6, 21101)->fwmark = (uint32_t)i << 8;
		list[1].of.rule.fwmask = 0xffffff00;
		many[i] = list[0];
		many[COUNT + i] = list[1];
	}
	ok(many && steps_execute(&s, NULL, &d) == 0 && !d.count, "two thousand steps");
	is(output("ip route show table 21002 | wc -l; ip -6 rule | grep -c 21002"), "1000\n1000",
	   "all of them");
	for (size_t i = 0; many && i < s.count; i++)
		many[i].kind = many[i].kind == STEP_ADD_ROUTE ? STEP_DELETE_ROUTE
							      : STEP_DELETE_RULE;
	ok(many && steps_execute(&s, NULL, &d) == 0 && !d.count, "and their opposite");
	is(output("ip route show table 21002 2>/dev/null | wc -l; ip -6 rule | grep -c 21002"),
	   "0\n0", "none of them");
	diag_done(&d);
	free(many);
}

static void test_vanished(void)
{
	sysctl_step(0, STEP_RESTORE_SYSCTL, 1, 0);
	sysctl_step(1, STEP_SYSCTL, 2, 1);
	route(2, STEP_DELETE_ROUTE, "10.0.0.0/8", "172.31.64.1");
	list[0].of.sysctl.index = list[1].of.sysctl.index = list[2].of.route.oif = 4711;
	ok(run(3) == 0 && !refused[0] && refused[1] && !refused[2],
	   "an interface that vanished: %s", said);
	ok(*output("find /run/ifsteer -type l 2>/dev/null") == '\0', "nothing of it is kept");
	sh("ip link set eth2 down");
	route(0, STEP_ADD_ROUTE, "10.0.0.0/8", "172.31.64.1");
	ok(run(1) == 0 && refused[0], "an interface that went down: %s", said);
	sh("ip link set eth2 up; sysctl -qw net.ipv6.conf.eth2.disable_ipv6=1");
	route(0, STEP_ADD_ROUTE, "fd00::/16", NULL);
	ok(run(1) == 0 && refused[0], "an interface without IPv6: %s", said);
	clear();
}

static void test_nft(void)
{
	struct counter *v = NULL;
	uint32_t first = 0, second = 0, third = 0;
	char *text = NULL;
	struct diag d = { 0 };
	size_t count = 7;

	ok(nft_counters(&v, &count) == 0 && count == 0, "no counters without a table");
	ok(nft_list(NFT_IN_FULL, &text, &d) == 0 && !text, "no list without a table");
	sh("nft 'add table inet other; add counter inet other foreign'");
	ok(nft_generation(&first) == 0 && nft_generation(&second) == 0 && first == second && first,
	   "the generation");
	ok(nft_run("add table inet ifsteer\nadd counter inet ifsteer b\nadd counter inet ifsteer a "
		   "{ packets 3 bytes 252; }\n"
		   "add set inet ifsteer s { type ipv4_addr; }\n",
		   &d) == 0,
	   "a transaction");
	ok(nft_generation(&third) == 0 && third != first, "is another generation");
	ok(nft_counters(&v, &count) == 0 && count == 2, "counters of ours and of nobody else");
	for (size_t i = 0; i < count; i++)
		if (!strcmp(v[i].name, "a"))
			ok(v[i].packets == 3 && v[i].bytes == 252, "their values");
	counters_done(v, count);
	ok(nft_list(NFT_IN_FULL, &text, &d) == 0 && text && !strstr(text, "packets 3"),
	   "a list without counters' values");
	free(text);
	ok(!d.count && nft_run("add counter inet ifsteer c\nadd rule inet ifsteer nowhere accept\n",
			       &d) == -EPROTO,
	   "a transaction that can't be");
	is(d.count == 1 ? d.items[0].text : "",
	   "ifsteer: error: nftables: the kernel refuses the table: Could not process "
	   "rule: No such file or directory",
	   "is one line");
	diag_done(&d);
	clear();
}

static const char *listing(void)
{
	static char text[4096];
	struct diag d = { 0 };
	char *found = NULL;

	if (nft_list(NFT_KNOWN, &found, &d))
		return "an error";
	snprintf(text, sizeof(text), "%s", found ? found : "no table");
	free(found);
	return text;
}

/* A listing is kept as long as nobody changes anything. */
static void test_nft_cache(void)
{
	static const char with_a[] = "table inet ifsteer {\n\tcounter a {\n\t}\n}\n";
	static const char with_b[] = "table inet ifsteer {\n\tcounter b {\n\t}\n}\n";
	const char *file = "/run/ifsteer/*/nft";

	close(told_directory());
	sh("nft 'add table inet ifsteer; add counter inet ifsteer a'");
	is(listing(), with_a, "a listing");
	is(output("tail -n +2 %s", file), "table inet ifsteer {\n\tcounter a {\n\t}\n}", "is kept");
	sh("sed -i 's/counter a/counter x/' %s", file);
	ok(strstr(listing(), "counter x"), "and read again instead of the table");
	sh("cd /run/ifsteer/*; echo >>nft");
	is(listing(), with_a, "one that is too long is not");
	sh("truncate -s -3 %s", file);
	is(listing(), with_a, "nor one that was cut");
	sh("nft 'add table inet other'");
	is(listing(), with_a, "somebody else's transaction");
	sh("nft 'delete table inet ifsteer; add table inet ifsteer; add counter inet ifsteer b'");
	is(listing(), with_b, "another table of ours");
	sh("chmod 666 %s; sed -i 's/counter b/counter x/' %s", file, file);
	is(listing(), with_b, "a file that others can write");
	sh("cd /run/ifsteer/*; rm nft; ln -s /run/elsewhere nft; touch nft.new");
	is(listing(), with_b, "a link, and what a killed run left");
	sh("nft 'delete table inet ifsteer'");
	is(listing(), "no table", "no table");
	clear();
}

/* One counter more by nft_run. */
static bool add_counter(const char *name)
{
	struct diag d = { 0 };
	char script[64];
	int err;

	snprintf(script, sizeof(script), "add counter inet ifsteer %s\n", name);
	err = nft_run(script, &d);
	diag_done(&d);
	return err == 0;
}

/* What we wrote ourselves need not be asked for, in whatever words; unless somebody else had a hand in it. */
static void test_nft_words(void)
{
	struct diag d = { 0 };
	char *text = NULL;

	close(told_directory());
	sh("nft 'add table inet ifsteer; add counter inet ifsteer a'");
	(void)listing();
	nft_keep("as listed");
	is(listing(), "as listed", "what was listed, in other words");
	ok(add_counter("b"), "a transaction");
	nft_keep("as written");
	is(listing(), "as written", "what was written, in the writer's words");
	ok(nft_list(NFT_IN_FULL, &text, &d) == 0 && strstr(text, "counter b"), "in full, as nft says it");
	free(text);
	sh("nft 'add counter inet other another'");
	ok(strstr(listing(), "counter b"), "somebody else's transaction");
	sh("nft 'add counter inet ifsteer c'");
	ok(add_counter("d"), "one behind somebody else's that nobody saw");
	nft_keep("as written");
	ok(strstr(listing(), "counter c"), "is not all that stands");
	ok(add_counter("e"), "and one ahead of it");
	sh("nft 'delete counter inet ifsteer a'");
	nft_keep("as written");
	ok(strstr(listing(), "counter e") && !strstr(listing(), "counter a"), "neither");
	ok(!add_counter("'"), "one that is refused");
	nft_keep("as written");
	ok(strstr(listing(), "counter e"), "changes nothing");
	clear();
}

int main(void)
{
	own_netns();
	set_up();
	test_everything();
	test_again();
	test_saved();
	test_replace_and_delete();
	test_refused_route();
	test_foreign_route();
	test_undo();
	test_edits();
	test_many();
	test_vanished();
	test_nft();
	test_nft_cache();
	test_nft_words();
	nft_close();
	return tap_done();
}
