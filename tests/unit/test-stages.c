/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From one nftables table to another by stages: what rules look up by intervals is there before they
 * look and for as long as they do, and an edit of anything else is one transaction.
 * tests/netns/kill-switch-moves.sh tries it on packets.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/nft/stages.h"
#include "tests/tap.h"

/* A base chain that leads to `judge`, in which there is one rule of interest. */
static struct nft_table table_with(const char *rule)
{
	struct nft_table t = { 0 };
	struct nft_chain *c = nft_add_chain(&t, "output", "type route hook output priority -90; policy accept;");

	if (!c || nft_add_rule(c, NULL, "oifname \"@big_4\" accept") || nft_add_rule(c, NULL, "goto judge"))
		abort();
	c = nft_add_chain(&t, "judge", NULL);
	if (!c || nft_add_rule(c, NULL, "icmpv6 type { nd-router-solicit, nd-redirect } accept") ||
	    nft_add_rule(c, NULL, "%s", rule))
		abort();
	return t;
}

static void add_ranges_to(struct nft_table *t, const char *name, const char *type, const char *range)
{
	struct nft_set *s = nft_add_set(t, name, false, type, "interval");
	struct addr_range r;

	if (!s || addr_range_parse(range, &r) || addr_ranges_add(&s->ranges, &r))
		abort();
	s->has_ranges = true;
}

static void add_ranges(struct nft_table *t, const char *range)
{
	add_ranges_to(t, "big_4", "ipv4_addr", range);
}

static void add_map(struct nft_table *t, const char *name, const char *element)
{
	struct nft_set *s = nft_add_set(t, name, true, "ipv4_addr : verdict", "interval");

	if (!s || nft_add_element(s, "%s", element))
		abort();
}

/* Expects that so many stages lead from one to the other, and the change in that one. All their
 * scripts, to be freed; "===" where packets that came before are waited for. Both tables are let go. */
static char *staged(struct nft_table *have, struct nft_table *want, size_t count, size_t change,
		    const char *name)
{
	CLEANUP(nft_changes_done) struct nft_changes changes = { 0 };
	CLEANUP(nft_stages_done) struct nft_stages s = { 0 };
	CLEANUP(strbuf_done) struct strbuf all = { 0 };
	const struct nft_table *from = have;

	nft_sort(have);
	nft_sort(want);
	if (nft_compare(have, want, &changes) || nft_stages(have, want, &changes, &s))
		abort();
	for (size_t i = 0; i <= s.count; i++) {
		CLEANUP(nft_edits_done) struct nft_edits edits = { 0 };
		const struct nft_table *to = i < s.count ? &s.v[i] : want;

		strbuf_printf(&all, "%s %zu\n", i && s.settles[i - 1] ? "===" : "---", i);
		if (nft_script(from, to, &edits, &all))
			abort();
		for (size_t k = 0; k < edits.count; k++)
			strbuf_printf(&all, "%s %s\n", edits.v[k].is_new ? "new" : "edit", edits.v[k].set->name);
		from = to;
	}
	ok(s.count == count && s.change == change, "%s", name);
	nft_table_done(have);
	nft_table_done(want);
	return strbuf_take(&all);
}

static void test_one(const char *name, const char *before, const char *after)
{
	struct nft_table have = table_with(before), want = table_with(after);

	free(staged(&have, &want, 0, 0, name));
}

static void test_list(void)
{
	static const char scripts[] =
		"--- 0\n"
		"table inet ifsteer {\n"
		"\tchain judge.next1 {\n"
		"\t\ticmpv6 type { nd-router-solicit, nd-redirect } accept\n"
		"\t\tth dport { 9, 20-30 } drop\n"
		"\t}\n"
		"}\n"
		"--- 1\n"
		"flush chain inet ifsteer output\n"
		"flush chain inet ifsteer judge\n"
		"table inet ifsteer {\n"
		"\tchain output {\n"
		"\t\toifname \"@big_4\" accept\n"
		"\t\tgoto judge.next1\n"
		"\t}\n"
		"\tchain judge {\n"
		"\t\ticmpv6 type { nd-router-solicit, nd-redirect } accept\n"
		"\t\tth dport { 9, 20-30 } drop\n"
		"\t}\n"
		"}\n"
		"--- 2\n"
		"flush chain inet ifsteer output\n"
		"flush chain inet ifsteer judge.next1\n"
		"delete chain inet ifsteer judge.next1\n"
		"table inet ifsteer {\n"
		"\tchain output {\n"
		"\t\toifname \"@big_4\" accept\n"
		"\t\tgoto judge\n"
		"\t}\n"
		"}\n";
	struct nft_table have = table_with("th dport { 8, 20-30 } drop");
	struct nft_table want = table_with("th dport { 9, 20-30 } drop");
	char *text;

	text = staged(&have, &want, 2, 1, "a list with a range: a copy, and back");
	is(text, scripts, "what each transaction does");
	free(text);
}

static void test_set(void)
{
	struct nft_table have = table_with("ip saddr 10.0.0.1 ip daddr @big_4 drop");
	struct nft_table want = table_with("ip saddr 10.0.0.2 ip daddr @big_4 drop");
	char *text;

	add_ranges(&have, "10.1.0.0/16");
	add_ranges(&want, "10.2.0.0/16");
	text = staged(&have, &want, 4, 2, "a set that changes together with a rule");
	ok(strstr(text, "--- 0\nnew big_4.next1\n--- 1\n--- 2\n") != NULL, "its copy comes first");
	ok(strstr(text, "ip daddr @big_4.next1 drop") && strstr(text, "=== 3\nedit big_4\n"),
	   "it is edited once the rule leads to the copy");
	ok(strstr(text, "delete set inet ifsteer big_4.next1\n") != NULL, "the copy goes");
	free(text);
}

static void test_new_set(void)
{
	struct nft_table have = table_with("ip daddr 10.1.0.0/16 drop");
	struct nft_table want = table_with("ip daddr @big_4 drop");
	char *text;

	add_ranges(&want, "10.1.0.0/16");
	text = staged(&have, &want, 1, 1, "a new set comes before its rule");
	ok(!strstr(text, ".next"), "it needs no copy");
	free(text);
}

/* A run that was killed left a copy behind, which may be in use. */
static void test_left_over(void)
{
	struct nft_table have = table_with("th dport { 8, 20-30 } drop");
	struct nft_table want = table_with("th dport { 9, 20-30 } drop");
	char *text;

	if (!nft_add_chain(&have, "judge.next1", NULL))
		abort();
	text = staged(&have, &want, 2, 1, "a copy is there already");
	ok(strstr(text, "goto judge.next2") && strstr(text, "delete chain inet ifsteer judge.next1\n"),
	   "another one is made, and it goes");
	free(text);
}

/* Of two sets of one family a packet could meet the one before and the other after. */
static void test_two_sets(void)
{
	struct nft_table have = table_with("drop"), want = table_with("drop");
	char *text;

	add_ranges(&have, "10.1.0.0/16");
	add_ranges(&want, "10.2.0.0/16");
	add_ranges_to(&have, "other", "ipv4_addr", "10.2.0.0/16");
	add_ranges_to(&want, "other", "ipv4_addr", "10.1.0.0/16");
	text = staged(&have, &want, 4, 2, "two sets change, and no rule");
	ok(strstr(text, "new other.next1\n") != NULL, "by copies");
	free(text);
}

static void test_two_families(void)
{
	struct nft_table have = table_with("drop"), want = table_with("drop");

	add_ranges(&have, "10.1.0.0/16");
	add_ranges(&want, "10.2.0.0/16");
	add_ranges_to(&have, "other", "ipv6_addr", "2001:db8::/64");
	add_ranges_to(&want, "other", "ipv6_addr", "2001:db8:1::/64");
	free(staged(&have, &want, 0, 0, "two sets change, and no rule: no packet is looked up in both"));
}

static void test_two_maps(const char *first, const char *second, size_t count, size_t change, const char *name)
{
	struct nft_table have = table_with("drop"), want = table_with("drop");

	add_map(&have, first, "10.0.0.0/16 : drop");
	add_map(&have, second, "10.0.0.0/16 : drop");
	add_map(&want, first, "10.1.0.0/16 : drop");
	add_map(&want, second, "10.1.0.0/16 : drop");
	free(staged(&have, &want, count, change, name));
}

static void test_map_goes(void)
{
	struct nft_table have = table_with("ip daddr vmap @map_4");
	struct nft_table want = table_with("ip daddr 10.1.0.0/16 drop");
	char *text;

	add_map(&have, "map_4", "10.1.0.0/16 : drop");
	text = staged(&have, &want, 1, 0, "a map goes");
	ok(strstr(text, "=== 1\ndelete map inet ifsteer map_4\n") != NULL, "when no packet is there");
	free(text);
}

static void test_map_changes(void)
{
	struct nft_table have = table_with("ip daddr vmap @map_4");
	struct nft_table want = table_with("ip saddr 10.0.0.1 ip daddr vmap @map_4");
	char *text;

	add_map(&have, "map_4", "10.1.0.0/16 : drop");
	add_map(&want, "map_4", "10.2.0.0/16 : drop");
	text = staged(&have, &want, 4, 1, "a map changes together with a rule");
	ok(strstr(text, "=== 2\n") && strstr(text, "--- 3\n"), "packets leave it before");
	ok(strstr(text, "=== 4\ndelete map inet ifsteer map_4.next1\n") != NULL, "and its copy before that goes");
	free(text);
}

/* Its elements go with the rule, and packets that came before look there still. */
static void test_map_in_rule(void)
{
	struct nft_table have = table_with("jhash ip daddr mod 2 seed 0x1 vmap { 0 : accept, 1 : drop }");
	struct nft_table want = table_with("jhash ip daddr mod 2 seed 0x2 vmap { 0 : accept, 1 : drop }");
	char *text;

	text = staged(&have, &want, 4, 1, "a map in a rule: a copy, and back");
	ok(strstr(text, "--- 1\nflush chain inet ifsteer output\ntable") &&
	   strstr(text, "=== 2\nflush chain inet ifsteer judge\ntable"), "its rule changes when no packet is there");
	ok(strstr(text, "=== 4\nflush chain inet ifsteer judge.next1\ndelete chain") != NULL, "as the copy goes");
	free(text);
}

/* A map that is to lead to it may come with it: no rule need change. */
static void test_new_chain(void)
{
	struct nft_table have = table_with("drop"), want = table_with("drop");
	struct nft_chain *c = nft_add_chain(&want, "branch", NULL);
	char *text;

	if (!c || nft_add_rule(c, NULL, "th dport { 9, 20-30 } drop"))
		abort();
	text = staged(&have, &want, 1, 1, "a new chain with a list comes first");
	free(text);
}

int main(void)
{
	test_one("addresses: one transaction", "ip daddr 10.0.0.0/8 drop", "ip daddr 10.1.0.0/16 drop");
	test_one("a list of values: one transaction", "th dport { 80, 443 } drop", "th dport { 80, 444 } drop");
	test_list();
	test_set();
	test_new_set();
	test_left_over();
	test_two_sets();
	test_two_families();
	test_two_maps("judge_local.1_to_4", "judge_forwarded.1_to_4", 0, 0,
		      "two maps change: no packet is looked up in both");
	test_two_maps("judge_local.1_to_4", "judge_local.2_to_4", 4, 1, "two maps change: of one chain, by copies");
	test_map_goes();
	test_map_changes();
	test_map_in_rule();
	test_new_chain();
	return tap_done();
}
