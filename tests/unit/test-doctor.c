/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What doctor reads: rules of nftables as a new nft or an old one makes them, and other programs'
 * configuration.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "kernel/doctor.h"
#include "kernel/nfnetlink.h"
#include "tests/tap.h"

#define OURS 0xff000000u

/* ---- rules, expression by expression ---- */

static union {
	struct nlmsghdr head;
	char bytes[4096];
} message;
static struct nlattr *list, *element, *data;

static void begin_rule(void)
{
	memset(&message, 0, sizeof(message));
	nfnetlink_request(message.bytes, NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE, NFPROTO_INET);
	list = mnl_attr_nest_start(&message.head, NFTA_RULE_EXPRESSIONS);
}

static void begin(const char *name)
{
	element = mnl_attr_nest_start(&message.head, NFTA_LIST_ELEM);
	mnl_attr_put_strz(&message.head, NFTA_EXPR_NAME, name);
	data = mnl_attr_nest_start(&message.head, NFTA_EXPR_DATA);
}

static void put(uint16_t attr, uint32_t value)
{
	mnl_attr_put_u32(&message.head, attr, htobe32(value));
}

static void put_data(uint16_t attr, uint32_t value)
{
	struct nlattr *nest = mnl_attr_nest_start(&message.head, attr);

	mnl_attr_put(&message.head, NFTA_DATA_VALUE, sizeof(value), &value);
	mnl_attr_nest_end(&message.head, nest);
}

static void end(void)
{
	mnl_attr_nest_end(&message.head, data);
	mnl_attr_nest_end(&message.head, element);
}

static void load_meta(uint32_t reg)
{
	begin("meta");
	put(NFTA_META_KEY, NFT_META_MARK);
	put(NFTA_META_DREG, reg);
	end();
}

static void load_ct(uint32_t reg)
{
	begin("ct");
	put(NFTA_CT_KEY, NFT_CT_MARK);
	put(NFTA_CT_DREG, reg);
	end();
}

static void immediate(uint32_t reg, uint32_t value)
{
	begin("immediate");
	put(NFTA_IMMEDIATE_DREG, reg);
	put_data(NFTA_IMMEDIATE_DATA, value);
	end();
}

static void mask(uint32_t reg, uint32_t keep, uint32_t flip)
{
	begin("bitwise");
	put(NFTA_BITWISE_SREG, reg);
	put(NFTA_BITWISE_DREG, reg);
	put(NFTA_BITWISE_LEN, 4);
	put_data(NFTA_BITWISE_MASK, keep);
	put_data(NFTA_BITWISE_XOR, flip);
	end();
}

/* As Linux 6.13 has it: operation 3 is and, 4 or, 5 xor; attribute 8 is the second register. */
static void combine(uint32_t op, uint32_t reg, uint32_t second)
{
	begin("bitwise");
	put(NFTA_BITWISE_SREG, reg);
	put(NFTA_BITWISE_DREG, reg);
	put(NFTA_BITWISE_LEN, 4);
	put(NFTA_BITWISE_OP, op);
	put(8, second);
	end();
}

static void store_meta(uint32_t reg)
{
	begin("meta");
	put(NFTA_META_KEY, NFT_META_MARK);
	put(NFTA_META_SREG, reg);
	end();
}

static int see(const struct mark_write *w, void *ctx)
{
	*(struct mark_write *)ctx = *w;
	return 1;
}

/* Whether the rule writes the packet mark and keeps our bits. */
static void rule_keeps(bool want, const char *what)
{
	struct mark_write w = { .to_connection = true };

	mnl_attr_nest_end(&message.head, list);
	ok(nft_rule_writes(&message.head, see, &w) == 1 && !w.to_connection &&
		   mark_write_keeps(&w, OURS) == want,
	   "%s", what);
}

static void test_one_register(void)
{
	begin_rule();
	load_meta(NFT_REG_1);
	mask(NFT_REG_1, 0xff00ffff, 0x00040000);
	store_meta(NFT_REG_1);
	rule_keeps(true, "meta mark set meta mark & 0xff00ffff | 0x00040000");
	begin_rule();
	load_meta(NFT_REG_1);
	mask(NFT_REG_1, 0x7fffffff, 0);
	store_meta(NFT_REG_1);
	rule_keeps(false, "a bit is cleared");
	begin_rule();
	load_meta(NFT_REG_1);
	mask(NFT_REG_1, 0xffffffff, 0x80000000);
	store_meta(NFT_REG_1);
	rule_keeps(false, "a bit is flipped");
	begin_rule();
	load_meta(NFT_REG_2);
	immediate(NFT_REG_1, 5);
	store_meta(NFT_REG_2);
	rule_keeps(true, "another register");
	begin_rule();
	load_meta(NFT_REG_1);
	immediate(NFT_REG32_00, 5);
	store_meta(NFT_REG_1);
	rule_keeps(false, "the same register by its other name");
	begin_rule();
	load_meta(NFT_REG_1);
	begin("some expression that comes one day");
	put(1, NFT_REG_1);
	end();
	store_meta(NFT_REG_1);
	rule_keeps(false, "an expression that nobody knows");
	begin_rule();
	store_meta(99);
	ok(nft_rule_writes(&message.head, see, NULL) == 0, "a register that there is not");
}

static void test_two_registers(void)
{
	begin_rule();
	load_meta(NFT_REG32_00);
	mask(NFT_REG32_00, 0xff0000ff, 0);
	load_ct(NFT_REG32_01);
	mask(NFT_REG32_01, 0x00ffff00, 0);
	combine(4, NFT_REG32_00, NFT_REG32_01);
	store_meta(NFT_REG32_00);
	rule_keeps(true, "meta mark set meta mark & 0xff0000ff | ct mark & 0x00ffff00");
	begin_rule();
	load_meta(NFT_REG32_00);
	mask(NFT_REG32_00, 0x000000ff, 0);
	load_ct(NFT_REG32_01);
	mask(NFT_REG32_01, 0xffffff00, 0);
	combine(4, NFT_REG32_00, NFT_REG32_01);
	store_meta(NFT_REG32_00);
	rule_keeps(false, "meta mark set meta mark & 0xff | ct mark & 0xffffff00");
	begin_rule();
	load_meta(NFT_REG32_00);
	load_ct(NFT_REG32_01);
	combine(4, NFT_REG32_00, NFT_REG32_01);
	store_meta(NFT_REG32_00);
	rule_keeps(false, "meta mark set meta mark | ct mark");
	begin_rule();
	load_meta(NFT_REG32_00);
	load_ct(NFT_REG32_01);
	mask(NFT_REG32_01, 0x00ffffff, 0xff000000);
	combine(3, NFT_REG32_00, NFT_REG32_01);
	store_meta(NFT_REG32_00);
	rule_keeps(true, "meta mark set meta mark & (ct mark | 0xff000000)");
	begin_rule();
	load_meta(NFT_REG32_00);
	load_ct(NFT_REG32_01);
	mask(NFT_REG32_01, 0x00ffffff, 0);
	combine(5, NFT_REG32_00, NFT_REG32_01);
	store_meta(NFT_REG32_00);
	rule_keeps(true, "meta mark set meta mark ^ ct mark & 0x00ffffff");
}

static void test_constant(void)
{
	struct mark_write w = { .to_connection = false };

	begin_rule();
	immediate(NFT_REG_1, 0x12345678);
	mask(NFT_REG_1, 0xffff0000, 0x1);
	begin("ct");
	put(NFTA_CT_KEY, NFT_CT_MARK);
	put(NFTA_CT_SREG, NFT_REG_1);
	end();
	mnl_attr_nest_end(&message.head, list);
	ok(nft_rule_writes(&message.head, see, &w) == 1 && w.to_connection &&
		   w.what.fixed == UINT32_MAX && w.what.value == 0x12340001,
	   "ct mark set 0x12345678 & 0xffff0000 | 1");
	message.head.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
	ok(nft_rule_writes(&message.head, see, &w) == -EBADMSG, "no rule");
}

/* ---- files ---- */

static void test_nftables_conf(void)
{
	static const struct {
		const char *text;
		bool flushes;
	} cases[] = {
		{ "", false },
		{ "flush ruleset", true },
		{ "#!/usr/sbin/nft -f\n\nflush ruleset\n\ntable inet f { }\n", true },
		{ "# flush ruleset", false },
		{ "flush ruleset # all", true },
		{ " \tflush\t ruleset;", true },
		{ "flush ruleset inet", true },
		{ "flush ruleset ip", false },
		{ "flush table inet f", false },
		{ "table inet f { }; flush ruleset", true },
		{ "include \"flush ruleset\"", false },
		{ "define a = \"x\nflush ruleset", true },
		{ "flush rulesets", false },
		{ "flush rulesetandwhateverelsefollows", false },
		{ "flush", false },
		{ "table inet f { comment \"#\"; }\nflush ruleset", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(nft_script_flushes(cases[i].text) == cases[i].flushes, "%s: %s",
		   cases[i].flushes ? "flushes" : "does not", cases[i].text);
}

static void test_networkd_conf(void)
{
	static const struct {
		const char *text;
		bool rules, routes;
	} cases[] = {
		{ "", false, true },
		{ "[Network]\nManageForeignRoutingPolicyRules=no\n", true, true },
		{ "[Network]\nManageForeignRoutes=yes", false, false },
		{ "[Network]\r\n ManageForeignRoutingPolicyRules \t=  OFF \r\n", true, true },
		{ "[Network]\nManageForeignRoutingPolicyRules=maybe\n", false, true },
		{ "[Network]\nManageForeignRoutingPolicyRules=\n", false, true },
		{ "[Network]\n;ManageForeignRoutingPolicyRules=no\n", false, true },
		{ "ManageForeignRoutingPolicyRules=no\n", false, true },
		{ "[Network]\n[DHCPv4]\nManageForeignRoutingPolicyRules=no\n", false, true },
		{ "[Network]\nManageForeignRoutingPolicyRulesAndMore=no\n", false, true },
		{ "[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutingPolicyRules="
		  "1\n",
		  false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool rules = false, routes = true;

		networkd_conf_read(cases[i].text, &rules, &routes);
		ok(rules == cases[i].rules && routes == cases[i].routes, "networkd.conf: %s",
		   cases[i].text);
	}
}

static void test_firewalld_conf(void)
{
	static const struct {
		const char *text;
		bool is_strict;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ "# IPv6_rpfilter=no\n", true },
		{ "IPv6_rpfilter=yes\n", true },
		{ "DefaultZone=public\nIPv6_rpfilter=no\nLogDenied=off\n", false },
		{ "IPv6_rpfilter = No ", false },
		{ "IPv6_rpfilter=false", false },
		{ "IPv6_rpfilter=strict", true },
		{ "IPv6_rpfilter=strict-forward", true },
		{ "IPv6_rpfilter=loose", false },
		{ "IPv6_rpfilter=loose-forward", false },
		{ "IPv6_rpfilter=nothing", true },
		{ "IPv6_rpfilter=", true },
		{ "IPv6_rpfilter=no\nIPv6_rpfilter=yes\n", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(firewalld_conf_is_strict(cases[i].text) == cases[i].is_strict,
		   "firewalld.conf: %s: %s", cases[i].text ? cases[i].text : "none",
		   cases[i].is_strict ? "strict" : "not strict");
}

int main(void)
{
	test_one_register();
	test_two_registers();
	test_constant();
	test_nftables_conf();
	test_networkd_conf();
	test_firewalld_conf();
	return tap_done();
}
