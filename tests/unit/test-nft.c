/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nftables table as data: a listing is read whole or not at all, and the difference is a script
 * that mentions nothing else. tests/netns/test-nft-roundtrip.c tries the scripts on a kernel.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "plan/nft/nft.h"
#include "tests/tap.h"

/* As nft 1.0.6 lists it, with what somebody else added. */
static const char listing[] =
	"table inet ifsteer {\n"
	"\tcomment \"not ours\"\n"
	"\tcounter on_premises {\n"
	"\t}\n\n"
	"\tcounter stray {\n"
	"\t\tcomment \"}\"\n"
	"\t\tpackets 5 bytes 60\n"
	"\t}\n\n"
	"\tflowtable f {\n"
	"\t\thook ingress priority filter\n"
	"\t}\n\n"
	"\tset office_4 {\n"
	"\t\ttype ipv4_addr\n"
	"\t\tflags interval\n"
	"\t\tauto-merge\n"
	"\t\telements = { 10.0.0.0/16, 10.2.0.0-10.2.0.9,\n"
	"\t\t\t     192.168.3.4 comment \"a, b } c\" }\n"
	"\t}\n\n"
	"\tset names_4 {\n"
	"\t\ttype ipv4_addr\n"
	"\t\tflags timeout\n"
	"\t\ttimeout 1h\n"
	"\t\telements = { 1.2.3.4 timeout 30m }\n"
	"\t}\n\n"
	"\tmap restore {\n"
	"\t\ttype mark : verdict\n"
	"\t\telements = { 0x02000000 : goto to_eth2, 0x03000000 : drop }\n"
	"\t}\n\n"
	"\tchain to_eth2 {\n"
	"\t\tcomment \"a chain's\"\n"
	"\t\tmeta mark set meta mark & 0x02ffffff | 0x02000000\n"
	"\t}\n\n"
	"\tchain output { # handle 7\n"
	"\t\ttype route hook output priority -90; policy accept;\n"
	"\t\tip daddr { 10.0.0.0/16,\n"
	"\t\t\t   11.0.0.0/16 } counter name \"on_premises\" goto to_eth2 comment \"on-premises 10-aws.conf:12\"\n"
	"\t\tip daddr @office_4 accept\n"
	"\t\tlog prefix \"comment \"\n"
	"\t}\n\n"
	"\tchain foreign {\n"
	"\t}\n"
	"}\n";

static void test_parse(void)
{
	struct nft_table t = { 0 };
	struct nft_chain *c;

	ok(nft_parse(listing, NULL, &t) == 0, "a listing is read");
	ok(t.exists && !t.dormant, "the table exists");
	ok(t.counter_count == 2 && strcmp(t.counters[1], "stray") == 0, "counters");
	ok(t.other_count == 1 && strcmp(t.others[0], "flowtable f") == 0, "objects of other kinds");
	ok(t.set_count == 3, "sets");
	ok(t.sets[1].has_ranges && t.sets[1].ranges.count == 3, "an address set holds ranges");
	is(t.sets[0].timeout, "1h", "a timeout");
	is(t.sets[0].elements[0], "1.2.3.4 timeout 30m", "an element of a set that others fill");
	is(t.sets[2].elements[0], "0x02000000 : goto to_eth2", "an element of a map");
	ok(t.chain_count == 3 && t.chains[0].rule_count == 1 && !t.chains[0].hook, "a chain's comment is no rule");
	c = &t.chains[1];
	is(c->hook, "type route hook output priority -90; policy accept;", "a hook");
	ok(c->rule_count == 3, "rules, one of which wraps");
	is(c->rules[0].text, "ip daddr { 10.0.0.0/16, 11.0.0.0/16 } counter name \"on_premises\" goto to_eth2",
	   "a rule's text");
	is(c->rules[0].comment, "on-premises 10-aws.conf:12", "a rule's comment");
	ok(!c->rules[2].comment, "what only looks like a comment");
	nft_table_done(&t);
	ok(nft_parse(NULL, NULL, &t) == 0 && !t.exists, "no listing: no table");
	ok(nft_parse("table inet ifsteer {\n\tflags dormant\n}\n", NULL, &t) == 0 && t.dormant, "a table put to sleep");
	nft_table_done(&t);
}

/* A listing that breaks off is never taken for a whole: what is missing would be added twice. */
static void test_truncated(void)
{
	char text[sizeof(listing)];
	struct nft_table t = { 0 };
	size_t taken = 0;

	for (size_t n = 0; n < sizeof(listing) - 3; n++) {
		memcpy(text, listing, n);
		text[n] = '\0';
		taken += nft_parse(text, NULL, &t) == 0;
		nft_table_done(&t);
	}
	ok(taken == 0, "no beginning of a listing is taken for a listing");
	ok(nft_parse("table ip ifsteer {\n}\n", NULL, &t) == -EINVAL, "a table of another family");
	ok(nft_parse("table inet ifsteer {\n\tset {\n\t}\n}\n", NULL, &t) == -EINVAL, "a set without a name");
}

static void push_range(struct nft_set *s, const char *text)
{
	struct addr_range r;

	if (addr_range_parse(text, &r) < 0 || addr_ranges_add(&s->ranges, &r) < 0)
		printf("Bail out! %s\n", text);
}

/* What planning wants where `listing` stands. */
static struct nft_table wanted(void)
{
	struct nft_table t = { 0 };
	struct nft_chain *c;
	struct nft_set *s;
	int err = nft_add_counter(&t, "on_premises");

	err |= nft_add_counter(&t, "backup");
	s = nft_add_set(&t, "office_4", false, "ipv4_addr", "interval");
	s->has_ranges = true;
	push_range(s, "10.0.0.0/16");
	push_range(s, "10.2.0.0/16");
	s = nft_add_set(&t, "names_4", false, "ipv4_addr", "timeout");
	s->is_dynamic = true;
	s->timeout = strdup("3600s");
	s = nft_add_set(&t, "restore", true, "mark : verdict", NULL);
	err |= nft_add_element(s, "0x%08x : goto %s", 0x02000000, "to_eth2");
	err |= nft_add_element(s, "0x%08x : goto %s", 0x03000000, "to_eth3");
	c = nft_add_chain(&t, "output", "type route hook output priority -90; policy accept;");
	err |= nft_add_rule(c, "on-premises 10-aws.conf:12",
			    "ip daddr { 11.0.0.0/16, 10.0.0.0/16 } counter name on_premises goto to_eth2");
	err |= nft_add_rule(c, NULL, "ip daddr @office_4 accept");
	c = nft_add_chain(&t, "to_eth2", NULL);
	err |= nft_add_rule(c, NULL, "meta mark set meta mark & 0x00ffffff | 0x02000000");
	c = nft_add_chain(&t, "to_eth3", NULL);
	err |= nft_add_rule(c, "say \"x\"\n", "meta mark set meta mark & 0x00ffffff | 0x03000000");
	nft_sort(&t);
	ok(err == 0, "building succeeds");
	return t;
}

static void test_script(void)
{
	static const char script[] =
		"flush chain inet ifsteer output\n"
		"flush chain inet ifsteer foreign\n"
		"flush set inet ifsteer office_4\n"
		"flush map inet ifsteer restore\n"
		"delete chain inet ifsteer foreign\n"
		"delete counter inet ifsteer stray\n"
		"delete flowtable inet ifsteer f\n"
		"table inet ifsteer {\n"
		"\tcounter backup {\n"
		"\t}\n"
		"\tset office_4 {\n"
		"\t\ttype ipv4_addr\n"
		"\t\tflags interval\n"
		"\t\telements = { 10.0.0.0/16, 10.2.0.0/16 }\n"
		"\t}\n"
		"\tmap restore {\n"
		"\t\ttype mark : verdict\n"
		"\t\telements = { 0x02000000 : goto to_eth2, 0x03000000 : goto to_eth3 }\n"
		"\t}\n"
		"\tchain output {\n"
		"\t\tip daddr { 11.0.0.0/16, 10.0.0.0/16 } counter name on_premises goto to_eth2 "
		"comment \"on-premises 10-aws.conf:12\"\n"
		"\t\tip daddr @office_4 accept\n"
		"\t}\n"
		"\tchain to_eth3 {\n"
		"\t\tmeta mark set meta mark & 0x00ffffff | 0x03000000 comment \"say ?x??\"\n"
		"\t}\n"
		"}\n";
	static const char diff[] =
		"+ nft add counter inet ifsteer backup\n"
		"+ nft add chain inet ifsteer to_eth3\n"
		"- nft delete rule inet ifsteer output 'log prefix \"comment \"'\n"
		"+ nft add rule inet ifsteer to_eth3 'meta mark set meta mark & 0x00ffffff | 0x03000000 "
		"comment \"say ?x??\"'\n"
		"- nft delete element inet ifsteer office_4 '{ 10.2.0.0-10.2.0.9, 192.168.3.4 }'\n"
		"+ nft add element inet ifsteer office_4 '{ 10.2.0.0/16 }'\n"
		"- nft delete element inet ifsteer restore '{ 0x03000000 : drop }'\n"
		"+ nft add element inet ifsteer restore '{ 0x03000000 : goto to_eth3 }'\n"
		"- nft delete chain inet ifsteer foreign\n"
		"- nft delete counter inet ifsteer stray\n"
		"- nft delete flowtable inet ifsteer f\n";
	struct nft_table have = { 0 }, want = wanted(), none = { 0 };
	struct strbuf out = { 0 };

	ok(nft_parse(listing, NULL, &have) == 0 && nft_script(&have, &want, NULL, &out) == 0,
	   "a script is made");
	is(out.text, script, "the script mentions what differs, in an order that nft accepts");
	strbuf_done(&out);
	ok(nft_diff(&have, &want, &out) == 0, "a difference is made");
	is(out.text, diff, "the difference, one line for each rule");
	strbuf_done(&out);
	ok(nft_script(&want, &want, NULL, &out) == 0 && !out.len, "equal tables need no script");
	ok(nft_diff(&want, &want, &out) == 0 && !out.len, "equal tables have no difference");
	ok(nft_script(&have, &none, NULL, &out) == 0, "no table is wanted");
	is(out.text, "delete table inet ifsteer\n", "then it is deleted");
	strbuf_done(&out);
	ok(nft_script(&none, &none, NULL, &out) == 0 && !out.len,
	   "nor is there one: nothing to do");
	nft_table_done(&have);
	nft_table_done(&want);
}

static void fill_big(struct nft_table *t, unsigned int first, unsigned int count)
{
	struct nft_set *set = nft_add_set(t, "big_4", false, "ipv4_addr", "interval");

	if (!set)
		abort();
	set->has_ranges = true;
	for (unsigned int i = first; i < first + count; i++) {
		char text[32];
		struct addr_range r;

		snprintf(text, sizeof(text), "10.%u.%u.0/25", i / 256, i % 256);
		if (addr_range_parse(text, &r) || addr_ranges_add(&set->ranges, &r))
			abort();
	}
	nft_sort(t);
}

static void fill_names(struct nft_table *t, const char *flags, const char *a, const char *b, const char *c)
{
	struct nft_set *set = nft_add_set(t, "names", true, "ifname : verdict", flags);
	int err = set ? 0 : -ENOMEM;

	for (const char *const *name = (const char *const[]){ a, b, c, NULL }; *name && !err; name++)
		err = nft_add_element(set, "\"%s\" : drop", *name);
	if (err)
		abort();
	nft_sort(t);
}

static char *names_script(const char *flags, const char *had)
{
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	CLEANUP(nft_table_done) struct nft_table want = { 0 };
	struct strbuf out = { 0 };

	fill_names(&have, flags, "a", had, NULL);
	fill_names(&want, flags, "a", "b", "c");
	if (nft_script(&have, &want, NULL, &out))
		abort();
	return strbuf_take(&out);
}

/* A set that gains elements is told of them alone; one that loses some, or has intervals, of all. */
static void test_gains(void)
{
	char *gains = names_script(NULL, "b"), *loses = names_script(NULL, "z"), *intervals = names_script("interval", "b");

	is(gains,
	   "table inet ifsteer {\n\tmap names {\n\t\ttype ifname : verdict\n"
	   "\t\telements = { \"c\" : drop }\n\t}\n}\n", "an element more");
	ok(strstr(loses, "flush map") && strstr(loses, "\"a\" : drop, \"b\" : drop, \"c\" : drop"), "one less");
	ok(strstr(intervals, "flush map"), "intervals");
	free(gains);
	free(loses);
	free(intervals);
}

/* Elements alone go without a script, as the difference. */
static void test_elements_alone(void)
{
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	CLEANUP(nft_table_done) struct nft_table want = { 0 };
	CLEANUP(nft_edits_done) struct nft_edits edits = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	char text[RANGE_TEXT_SIZE];

	fill_big(&have, 0, 2000);
	fill_big(&want, 1, 2000);
	ok(nft_script(&have, &want, &edits, &out) == 0 && !out.len,
	   "elements alone need no script");
	ok(edits.count == 1 && !edits.new_table && !edits.v[0].is_new &&
		   edits.v[0].set == &want.sets[0],
	   "one set");
	ok(edits.v[0].gone.count == 1 && edits.v[0].fresh.count == 1,
	   "an element goes, an element comes");
	is(addr_range_print(&edits.v[0].gone.v[0], text), "10.0.0.0/25", "what goes");
	is(addr_range_print(&edits.v[0].fresh.v[0], text), "10.7.208.0/25", "what comes");
}

/* Where rules differ as well all is one transaction: the set is declared anew, since libnftables is slow in deleting
 * elements, or wrong. */
static void test_elements_and_rules(void)
{
	static const char script[] = "flush set inet ifsteer big_4\n"
				     "table inet ifsteer {\n"
				     "\tcounter fresh {\n"
				     "\t}\n"
				     "\tset big_4 {\n"
				     "\t\ttype ipv4_addr\n"
				     "\t\tflags interval\n"
				     "\t\telements = { 10.7.206.0/25, 10.7.207.0/25 }\n"
				     "\t}\n"
				     "}\n";
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	CLEANUP(nft_table_done) struct nft_table want = { 0 };
	CLEANUP(nft_edits_done) struct nft_edits edits = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	fill_big(&have, 0, 2000);
	fill_big(&want, 1998, 2);
	if (nft_add_counter(&want, "fresh") || nft_script(&have, &want, &edits, &out))
		abort();
	is(out.text, script, "where something else differs, elements are the script's");
	ok(!edits.count, "and nobody else's");
}

/* A new set comes first: nothing refers to it yet. */
static void test_new_set(void)
{
	CLEANUP(nft_table_done) struct nft_table none = { 0 };
	CLEANUP(nft_table_done) struct nft_table want = { 0 };
	CLEANUP(nft_edits_done) struct nft_edits edits = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };

	fill_big(&want, 0, 3);
	if (nft_add_counter(&want, "fresh") || nft_script(&none, &want, &edits, &out))
		abort();
	is(out.text, "table inet ifsteer {\n\tcounter fresh {\n\t}\n}\n",
	   "the script does not speak of it");
	ok(edits.new_table && edits.count == 1 && edits.v[0].is_new, "a new set in a new table");
}

/* Chains whose rules stay are flushed where a set that they use must be replaced. */
static void test_replace(void)
{
	struct nft_table have = { 0 }, want = { 0 };
	struct strbuf out = { 0 };
	struct nft_chain *c;
	int err = 0;

	for (struct nft_table *t = &have;; t = &want) {
		if (!nft_add_set(t, "s", false, t == &have ? "ipv4_addr" : "ipv6_addr", NULL) ||
		    !nft_add_set(t, "s_two", false, "ipv4_addr", NULL))
			err = -ENOMEM;
		c = nft_add_chain(t, "a", NULL);
		err |= nft_add_rule(c, NULL, "ip6 daddr @s accept");
		c = nft_add_chain(t, "b", NULL);
		err |= nft_add_rule(c, NULL, "ip daddr @s_two accept");
		c = nft_add_chain(t, "o", t == &have ? "type filter hook output priority 0; policy accept;" :
						       "type filter hook output priority 1; policy accept;");
		err |= nft_add_rule(c, NULL, "accept");
		nft_sort(t);
		if (t == &want)
			break;
	}
	ok(err == 0 && nft_script(&have, &want, NULL, &out) == 0,
	   "a set of another type, a hook of another priority");
	is(out.text,
	   "flush chain inet ifsteer a\n"
	   "flush chain inet ifsteer o\n"
	   "delete set inet ifsteer s\n"
	   "delete chain inet ifsteer o\n"
	   "table inet ifsteer {\n"
	   "\tset s {\n"
	   "\t\ttype ipv6_addr\n"
	   "\t}\n"
	   "\tchain a {\n"
	   "\t\tip6 daddr @s accept\n"
	   "\t}\n"
	   "\tchain o {\n"
	   "\t\ttype filter hook output priority 1; policy accept;\n"
	   "\t\taccept\n"
	   "\t}\n"
	   "}\n",
	   "only what uses the set is filled again");
	strbuf_done(&out);
	nft_table_done(&have);
	nft_table_done(&want);
}

static void test_first_time(void)
{
	struct nft_table have = { 0 }, want = wanted(), again = { 0 };
	struct strbuf out = { 0 };

	ok(nft_script(&have, &want, NULL, &out) == 0, "the first script is the whole table");
	ok(nft_parse(out.text, NULL, &again) == 0, "which reads like a listing");
	strbuf_done(&out);
	want.sets[0].is_dynamic = again.sets[0].is_dynamic = true;
	ok(nft_script(&again, &want, NULL, &out) == 0 && !out.len, "and is what was wanted");
	nft_table_done(&want);
	nft_table_done(&again);
}

/* In the plan's own words, from which it is read back. */
static void test_words(void)
{
	CLEANUP(nft_table_done) struct nft_table want = wanted();
	CLEANUP(nft_table_done) struct nft_table again = { 0 };
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	CLEANUP(strbuf_done) struct strbuf script = { 0 };
	struct nft_set *set = nft_add_set(&want, "wide_6", false, "ipv6_addr", "interval");

	if (!set)
		abort();
	set->has_ranges = true;
	set->family = FAMILY_IPV6;
	push_range(set, "::-2001:db8::9");
	push_range(set, "ff00::/8");
	nft_sort(&want);
	ok(nft_print(&want, &out) == 0 && nft_parse(out.text, NULL, &again) == 0, "words are read back");
	ok(strstr(out.text, "\tpacked 0a0000000a00ffff0a0200000a02ffff\n"), "ranges are packed");
	for (size_t i = 0; i < want.set_count && i < again.set_count; i++)
		want.sets[i].is_dynamic = again.sets[i].is_dynamic = !want.sets[i].has_ranges;
	ok(nft_script(&again, &want, NULL, &script) == 0 && !script.len, "as what they were");
}

static size_t count_borrowed(const struct nft_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->chain_count; i++)
		n += t->chains[i].is_borrowed;
	for (size_t i = 0; i < t->set_count; i++)
		n += t->sets[i].is_borrowed;
	return n;
}

/* Parses `text` with its first `from` made `to`, which is as long, and back again. */
static size_t borrowed_with(char *text, const char *from, const char *to, const struct nft_table *want)
{
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	char *word = strstr(text, from);

	memcpy(word, to, strlen(to));
	if (nft_parse(text, want, &have) || have.chain_count != want->chain_count ||
	    have.set_count != want->set_count)
		abort();
	memcpy(word, from, strlen(from));
	return count_borrowed(&have);
}

/* Chains and sets that read as planned are not taken apart; one that differs in a word is. */
static void test_borrowed(void)
{
	CLEANUP(nft_table_done) struct nft_table want = wanted();
	CLEANUP(strbuf_done) struct strbuf out = { 0 };
	struct nft_table have = { 0 };
	/* All but the one with ranges, which is packed. */
	size_t count = want.chain_count + want.set_count - 1;
	char *word;

	ok(nft_print(&want, &out) == 0 && nft_parse(out.text, &want, &have) == 0 && count_borrowed(&have) == count,
	   "%zu chains and sets are borrowed", count);
	nft_table_done(&have);
	ok(borrowed_with(out.text, "goto to_eth2 comment", "goto to_eth3 comment", &want) == count - 1,
	   "but a chain that reads otherwise");
	ok(borrowed_with(out.text, ", 0x03000000 : goto to_eth3", ", 0x03000000 : goto to_eth2", &want) == count - 1,
	   "and a map");
	ok(borrowed_with(out.text, "timeout 3600s", "timeout 3601s", &want) == count - 1, "or a set's timeout");
	ok(borrowed_with(out.text, "map restore", "set restore", &want) == count - 1, "or its kind");
	word = strstr(out.text, "\tchain to_eth3");
	*word = '\0';
	ok(nft_parse(out.text, &want, &have) == -EINVAL, "what breaks off is not the whole");
}

static void test_long_comment(void)
{
	struct nft_table t = { 0 };
	struct nft_chain *c = nft_add_chain(&t, "a", NULL);
	char text[200];

	memset(text, 'x', sizeof(text));
	memcpy(text + 127, "\xc3\xa4", 2);
	text[199] = '\0';
	ok(nft_add_rule(c, text, "accept") == 0 && strlen(c->rules[0].comment) == 127, "a character is not cut in two");
	ok(nft_add_rule(c, "", "accept") == 0 && !c->rules[1].comment, "an empty comment is none");
	nft_table_done(&t);
}

/* One rule of many that goes is one line. */
static void test_one_line_each(void)
{
	struct nft_table have = { 0 }, want = { 0 };
	struct nft_chain *a = nft_add_chain(&have, "a", NULL), *b = nft_add_chain(&want, "a", NULL);
	struct strbuf out = { 0 };
	int err = 0;

	for (int i = 0; i < 3000; i++) {
		if (i != 5)
			err |= nft_add_rule(b, NULL, "meta skuid %d accept", i == 2000 ? 9999 : i);
		err |= nft_add_rule(a, NULL, "meta skuid %d accept", i);
	}
	ok(err == 0 && nft_diff(&have, &want, &out) == 0, "a difference of long chains");
	is(out.text, "- nft delete rule inet ifsteer a meta skuid 5 accept\n"
		     "- nft delete rule inet ifsteer a meta skuid 2000 accept\n"
		     "+ nft insert rule inet ifsteer a index 1999 meta skuid 9999 accept\n", "one rule that goes is one line");
	strbuf_done(&out);
	for (int i = 0; i < 1500; i++)
		err |= nft_add_rule(b, NULL, "meta skgid %d accept", i);
	ok(err == 0 && nft_diff(&have, &want, &out) == 0 && out.len > 100000, "too many differences: all is shown");
	strbuf_done(&out);
	nft_table_done(&have);
	nft_table_done(&want);
}

/* Listed with handles, a rule that goes is one that can be typed in. */
static void test_handles(void)
{
	static const char listed[] = "table inet ifsteer { # handle 3\n"
				     "\tset s { # handle 4\n\t\ttype ipv4_addr\n\t}\n\n"
				     "\tchain a { # handle 1\n"
				     "\t\tip saddr @s accept comment \"# handle 9\" # handle 5\n"
				     "\t\tmeta skuid 1 drop # handle 4294967296\n"
				     "\t\tmeta skuid 2 drop comment \"it's mine\" # handle 7\n"
				     "\t}\n}\n";
	struct nft_table have = { 0 }, want = { .exists = true };
	struct nft_chain *c;
	struct strbuf out = { 0 };
	int err = nft_parse(listed, NULL, &have);

	ok(err == 0 && have.chain_count == 1 && have.chains[0].rule_count == 3, "a listing with handles");
	is(have.chains[0].rules[0].text, "ip saddr @s accept", "the handle is not the rule's");
	is(have.chains[0].rules[0].comment, "# handle 9", "nor the comment's");
	ok(have.chains[0].rules[0].handle == 5 && have.chains[0].rules[1].handle == 0, "handles");
	err = nft_add_set(&want, "s", false, "ipv4_addr", NULL) ? 0 : -1;
	c = nft_add_chain(&want, "a", NULL);
	err |= nft_add_rule(c, NULL, "accept");
	err |= nft_add_rule(c, "# handle 9", "ip saddr @s accept");
	ok(err == 0 && nft_diff(&have, &want, &out) == 0, "a difference");
	is(out.text, "+ nft insert rule inet ifsteer a index 0 accept\n"
		     "- nft delete rule inet ifsteer a meta skuid 1 drop\n"
		     "- nft delete rule inet ifsteer a handle 7 # 'meta skuid 2 drop comment \"it'\\''s mine\"'\n",
	   "its lines");
	strbuf_done(&out);
	nft_table_done(&have);
	nft_table_done(&want);
}

int main(void)
{
	test_parse();
	test_truncated();
	test_script();
	test_gains();
	test_elements_alone();
	test_elements_and_rules();
	test_new_set();
	test_replace();
	test_first_time();
	test_words();
	test_borrowed();
	test_long_comment();
	test_one_line_each();
	test_handles();
	return tap_done();
}
