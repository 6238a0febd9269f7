/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file of facts: what is printed is read back as it was, and what is wrong is said with its line.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/facts.h"
#include "tests/tap.h"

static const char example[] =
	"ifsteer-facts 1\n"
	"host ipv4 ipv6 forwarding-ipv4 rp-filter-all 1 hash-seed 0x00001234 now 1700000000 utc-offset -3600 "
	"knows-carried\n"
	"link index 1 name lo up carrier loopback mtu 65536\n"
	"link index 3 name eth2 up carrier mtu 1500 rp-filter 2 src-valid-mark 1 lease-ipv4 172.31.64.1\n"
	"link index 4 name \"};\\x1b\\x5c point-to-point enslaved lease-ipv6 fe80::1\n"
	"address link 3 addr 172.31.70.5 len 20\n"
	"address link 3 addr fe80::5 len 64 scope 253 tentative duplicate deprecated temporary peer fe80::6\n"
	"route family ipv4 dst 0.0.0.0/0 via 172.31.64.1 oif 3 table 254 type 1 protocol 4 src 172.31.70.5 mtu 1400\n"
	"route family ipv4 dst 10.0.0.0/8 via fe80::1 oif 3 table 254 type 1 protocol 4 scope 253 onlink dead\n"
	"route family ipv6 dst ::/0 via fe80::1 oif 3 table 254 type 1 protocol 9 metric 1024\n"
	"rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action lookup table 255\n"
	"rule family ipv4 priority 21999 not from 10.1.0.0/16 to 10.2.0.0/16 fwmark 0x02000000 fwmask 0xff000000 iif lo "
	"oif eth2 uids 0-0 ip-protocol 6 sport 5-6 dport 80-80 other action goto target 22000 suppress 0 protocol 77\n"
	"rule family ipv6 priority 5 from ::/0 to ::/0 action unreachable\n"
	"told name eth2 index 3 down offline refused-ipv6 gateway-ipv4 172.31.64.1 gateway-ipv6 fe80::1\n"
	"saved name eth2 index 3 src-valid-mark value 1\n"
	"cgroup path system.slice/a\\x20b.service\n"
	"carried marks 1-2\n"
	"carried marks 5-5\n"
	"name kind user name al\\xc3\\xa4 id 1000\n"
	"name kind service name https/tcp id 443\n"
	"nft table inet ifsteer {\n"
	"nft \tcounter \"c\\x5c\" {\n"
	"nft \t}\n"
	"nft }\n"
	"nft-end \n";

static void test_round_trip(void)
{
	struct diag d = { 0 };
	struct facts f = { 0 };
	struct strbuf out = { 0 };

	ok(facts_parse("f", example, sizeof(example) - 1, &f, &d) == 0 && !d.count, "an example of everything is read");
	for (size_t i = 0; i < d.count; i++)
		printf("# %s\n", d.items[i].text);
	facts_print(&f, &out);
	is(out.text, example, "and printed as it was");
	ok(f.has_family[FAMILY_IPV6] && !f.forwarding[FAMILY_IPV6] && f.hash_seed == 0x1234 && f.utc_offset == -3600 &&
	   f.now == 1700000000 && f.has_carried, "the host");
	is(f.links.v[2].name, "\"};\x1b\\", "an odd name");
	ok(links_by_index(&f.links, 3) == &f.links.v[1] && !links_by_index(&f.links, 2), "links by index");
	ok(links_by_name(&f.links, "eth2") == &f.links.v[1] && !links_by_name(&f.links, "eth"), "links by name");
	ok(facts_told(&f, "eth2") == f.told && !facts_told(&f, "lo"), "what was told");
	ok(f.rules[1].has_uids && f.rules[1].has_suppress && !f.rules[0].has_uids, "presence without a value");
	is(f.nft, "table inet ifsteer {\n\tcounter \"c\\\" {\n\t}\n}\n", "the listing");
	is(f.cgroups[0], "system.slice/a b.service", "a cgroup");
	ok(f.carried.count == 2 && numbers_contain(&f.carried, 5), "marks that connections carry");
	facts_done(&f);
	strbuf_done(&out);
	diag_done(&d);
}

/* Printing and parsing walk one table: that it names the right members, only a look at them can tell. */
#define SETS(line, expression)                                                                              \
	do {                                                                                                \
		static const char text[] = "ifsteer-facts 1\nlink index 3 name a\n" line "\n";              \
		struct diag d = { 0 };                                                                      \
		struct facts f = { 0 };                                                                     \
		ok(facts_parse("f", text, sizeof(text) - 1, &f, &d) == 0 && (expression), "%s", line);      \
		facts_done(&f);                                                                             \
		diag_done(&d);                                                                              \
	} while (0)

#define RULE "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action nop "

static void test_members(void)
{
	SETS("host ipv4", f.has_family[FAMILY_IPV4] && !f.has_family[FAMILY_IPV6] && !f.forwarding[FAMILY_IPV4]);
	SETS("host forwarding-ipv6", f.forwarding[FAMILY_IPV6] && !f.forwarding[FAMILY_IPV4] && !f.has_carried);
	SETS("host rp-filter-all 2", f.rp_filter_all == 2);
	SETS("link index 4 name b up", f.links.v[1].up && !f.links.v[1].carrier);
	SETS("link index 4 name b carrier", f.links.v[1].carrier && !f.links.v[1].up);
	SETS("link index 4 name b point-to-point", f.links.v[1].point_to_point && !f.links.v[1].loopback);
	SETS("link index 4 name b loopback", f.links.v[1].loopback && !f.links.v[1].enslaved);
	SETS("link index 4 name b enslaved", f.links.v[1].enslaved && !f.links.v[1].point_to_point);
	SETS("link index 4 name b rp-filter 1", f.links.v[1].rp_filter == 1 && !f.links.v[1].src_valid_mark);
	SETS("link index 4 name b mtu 9", f.links.v[1].mtu == 9);
	SETS("address link 3 addr ::1 tentative", f.addresses[0].tentative && !f.addresses[0].deprecated);
	SETS("address link 3 addr ::1 duplicate", f.addresses[0].duplicate && !f.addresses[0].tentative);
	SETS("address link 3 addr ::1 deprecated", f.addresses[0].deprecated && !f.addresses[0].temporary);
	SETS("address link 3 addr ::1 temporary", f.addresses[0].temporary && !f.addresses[0].tentative);
	SETS("address link 3 addr ::1 scope 9 len 7", f.addresses[0].scope == 9 && f.addresses[0].len == 7);
	SETS("route family ipv4 dst 0.0.0.0/0 onlink", f.routes[0].onlink && !f.routes[0].dead);
	SETS("route family ipv4 dst 0.0.0.0/0 dead", f.routes[0].dead && !f.routes[0].onlink);
	SETS("route family ipv4 dst 0.0.0.0/0 via 0.0.0.0", f.routes[0].has_gateway && !f.routes[0].has_src);
	SETS("route family ipv4 dst 0.0.0.0/0 src 0.0.0.0", f.routes[0].has_src && !f.routes[0].has_gateway);
	SETS("route family ipv4 dst 0.0.0.0/0 table 5 type 6", f.routes[0].table == 5 && f.routes[0].type == 6);
	SETS("route family ipv4 dst 0.0.0.0/0 protocol 5 scope 6", f.routes[0].protocol == 5 && f.routes[0].scope == 6);
	SETS("route family ipv4 dst 0.0.0.0/0 metric 5 oif 6 mtu 7", f.routes[0].metric == 5 && f.routes[0].oif == 6 &&
	     f.routes[0].mtu == 7);
	SETS(RULE "not", f.rules[0].invert && !f.rules[0].has_other);
	SETS(RULE "other", f.rules[0].has_other && !f.rules[0].invert);
	SETS(RULE "uids 5-6", f.rules[0].has_uids && f.rules[0].uids.to == 6 && !f.rules[0].has_suppress);
	SETS(RULE "suppress 5 table 6 target 7", f.rules[0].suppress == 5 && f.rules[0].table == 6 &&
	     f.rules[0].target == 7);
	SETS(RULE "fwmark 5 fwmask 7 priority 6", f.rules[0].fwmark == 5 && f.rules[0].fwmask == 7 &&
	     f.rules[0].priority == 6);
	SETS(RULE "sport 5 dport 6 ip-protocol 7", f.rules[0].sport.from == 5 && f.rules[0].dport.to == 6 &&
	     f.rules[0].ip_protocol == 7);
	SETS(RULE "iif a oif b protocol 77", f.rules[0].iif[0] == 'a' && f.rules[0].oif[0] == 'b' &&
	     f.rules[0].protocol == 77);
	SETS("rule family ipv4 from 10.0.0.0/8 to 11.0.0.0/16 action goto", f.rules[0].src.len == 8 &&
	     f.rules[0].dst.len == 16 && f.rules[0].action == RULE_GOTO);
	SETS("told name a down", f.told[0].down && !f.told[0].offline);
	SETS("told name a offline", f.told[0].offline && !f.told[0].down);
	SETS("told name a refused-ipv4", f.told[0].refused[FAMILY_IPV4] && !f.told[0].refused[FAMILY_IPV6]);
	SETS("told name a gateway-ipv6 ::1", f.told[0].has_gateway[FAMILY_IPV6] && !f.told[0].has_gateway[FAMILY_IPV4]);
	SETS("saved name a index 3 value 2", f.saved[0].value == 2 && !f.saved[0].src_valid_mark);
	SETS("name kind group name a id 5", f.names[0].kind == 'g' && f.names[0].id == 5);
}

static const struct {
	const char *line;		/* behind the first line */
	const char *message;		/* without the place */
} bad[] = {
	{ "wire index 3", "unknown fact \"wire\"" },
	{ "link index 3 name a length 5", "link: unknown key \"length\"" },
	{ "link index 3 name a index 4", "link: index is given twice" },
	{ "link index -3 name a", "link: index: \"-3\" is not a value for it" },
	{ "link index 4294967296 name a", "link: index: \"4294967296\" is not a value for it" },
	{ "link index", "link: index: \"\" is not a value for it" },
	{ "link index 3 name abcdefghijklmnop", "link: name: \"abcdefghijklmnop\" is not a value for it" },
	{ "link index 3 name a\\x0", "a backslash must begin \\xNN" },
	{ "link index 3 name a\\x00", "\\x00 can't stand in a text" },
	{ "link index 3 name a rp-filter 256", "link: rp-filter: \"256\" is not a value for it" },
	{ "link index 3 name a lease-ipv4 10.0.0", "link: lease-ipv4: \"10.0.0\" is not a value for it" },
	{ "route dst 10.0.0.0/8", "route: family is missing" },
	{ "route family ipv4", "route: dst is missing" },
	{ "route family ipv5 dst 10.0.0.0/8", "route: family: \"ipv5\" is not a value for it" },
	{ "route family ipv4 dst 10.0.0.1/8", "route: dst: \"10.0.0.1/8\" is not a value for it" },
	{ "route family ipv4 dst 10.0.0.1", "route: dst: \"10.0.0.1\" is not a value for it" },
	{ "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action jump", "rule: action: \"jump\" is not a value for it" },
	{ "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0", "rule: action is missing" },
	{ "rule family ipv4 from 0.0.0.0/0 to 0.0.0.0/0 action nop uids 5-4", "rule: uids: \"5-4\" is not a value for it" },
	{ "host now 9223372036854775808", "host: now: \"9223372036854775808\" is not a value for it" },
	{ "host utc-offset -", "host: utc-offset: \"-\" is not a value for it" },
	{ "cgroup", "cgroup: path is missing" },
	{ "name kind dog name a", "name: kind: \"dog\" is not a value for it" },
	{ "nft table inet ifsteer {", "nft: the listing breaks off: its nft-end is missing" },
	{ "nft-end \nnft x", "nft: the listing has ended already" },
	{ "link index 0 name a", "link: index and name are required" },
	{ "link index 3 name a\nlink index 3 name b", "link: index 3 is there twice" },
	{ "address link 5 addr 10.0.0.1 len 8", "address: there is no link 5" },
	{ "link index 3 name a\naddress link 3 addr 10.0.0.1 len 33", "address: len 33 is too long" },
	{ "route family ipv4 dst ::/0", "route: addresses of another family" },
	{ "rule family ipv4 from ::/0 to 0.0.0.0/0 action nop", "rule: addresses of another family" },
	{ "told name a gateway-ipv4 ::1", "told: gateway of another family" },
	{ "link index 3 name a lease-ipv6 1.2.3.4", "link: lease of another family" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct diag d = { 0 };
		struct facts f = { 0 };
		struct strbuf text = { 0 };
		const char *said;

		strbuf_printf(&text, "ifsteer-facts 1\n%s\n", bad[i].line);
		ok(facts_parse("f", text.text, text.len, &f, &d) == -EINVAL && d.count == 1 && !f.links.count, "%s",
		   bad[i].line);
		said = d.count ? strstr(d.items[0].text, "error: ") : NULL;
		is(said ? said + 7 : NULL, bad[i].message, "%s", bad[i].message);
		strbuf_done(&text);
		diag_done(&d);
	}
}

static void test_no_facts(void)
{
	static const char *const texts[] = { "", "ifsteer-facts", "ifsteer-facts 2\n", "ifsteer-facts 10\n", "hello\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct diag d = { 0 };
		struct facts f = { 0 };

		ok(facts_parse("f", texts[i], strlen(texts[i]), &f, &d) == -EINVAL && d.count == 1, "not a file of facts: %s",
		   texts[i]);
		diag_done(&d);
	}
}

static void test_places(void)
{
	static const char text[] = "ifsteer-facts 1\n\n# a comment\nwire\nlink index 3 name a\nlink index x\n";
	struct diag d = { 0 };
	struct facts f = { 0 };

	ok(facts_parse("dir/facts", text, sizeof(text) - 1, &f, &d) == -EINVAL && d.count == 2, "all problems in one run");
	is(d.items[0].text, "dir/facts:4: error: unknown fact \"wire\"", "the line of the first");
	is(d.items[1].text, "dir/facts:6: error: link: index: \"x\" is not a value for it", "the line of the second");
	diag_done(&d);
}

/* A listing that can't be read: the line is that in the file, of the listing's line where reading ends. */
static void test_listings(void)
{
	static const struct {
		const char *text;
		const char *message;
	} unread[] = {
		{ "nft-end \n", "f:2: error: nft: this is not what `nft list table inet ifsteer` says" },
		{ "nft table ip filter {\nnft }\nnft-end \n",
		  "f:2: error: nft: this is not what `nft list table inet ifsteer` says" },
		{ "host\nnft table inet ifsteer {\nnft-end \tchain a {\n",
		  "f:4: error: nft: this is not what `nft list table inet ifsteer` says" },
		{ "nft table inet ifsteer {\nnft \tcounter c {\nnft \t}\nnft \tnonsense {\nnft \t}\nnft }\nnft-end \n",
		  "f:5: error: nft: this is not what `nft list table inet ifsteer` says" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(unread); i++) {
		CLEANUP(strbuf_done) struct strbuf text = { 0 };
		struct diag d = { 0 };
		struct facts f = { 0 };

		strbuf_printf(&text, "ifsteer-facts 1\n%s", unread[i].text);
		ok(facts_parse("f", text.text, text.len, &f, &d) == -EINVAL && d.count == 1, "a listing that can't be read");
		is(d.count ? d.items[0].text : NULL, unread[i].message, "where it stands");
		diag_done(&d);
	}
}

int main(void)
{
	test_round_trip();
	test_members();
	test_bad();
	test_no_facts();
	test_listings();
	test_places();
	return tap_done();
}
