/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses, prefixes, ranges: texts, and the properties that must hold for random ones.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/prefix.h"
#include "tests/tap.h"

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, &a) < 0)
		printf("# %s is not an address\n", text);
	return a;
}

static void test_addr(void)
{
	static const char *const good[] = { "0.0.0.0", "10.0.0.1", "255.255.255.255", "::",
					    "::1",     "fe80::1",  "2001:db8::ffff" };
	static const char *const bad[] = { "",		"10.0.0",    "10.0.0.256", "10.0.0.01",
					   "10.0.0.1 ", " 10.0.0.1", "::g",	   "fe80::1%eth0",
					   "1::2::3",	"0x7f.1",    "10.0.0.0/8",
					   "10.0.0.0001", "10..0.1", "10.0.0.1.1",
					   "10.0.0.1.",	"1000.0.0.1" };
	char text[ADDR_TEXT_SIZE];
	struct addr a;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		is(addr_parse(good[i], &a) == 0 ? addr_print(&a, text) : NULL, good[i],
		   "address %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(addr_parse(bad[i], &a) == -EINVAL, "not an address: \"%s\"", bad[i]);
	a = addr_of("255.255.255.255");
	ok(!addr_next(&a) && a.bytes[3] == 255, "nothing is behind the last address");
	a = addr_of("::");
	ok(!addr_previous(&a) && addr_is_zero(&a), "nothing is before the first");
	a = addr_of("10.0.255.255");
	is(addr_next(&a) ? addr_print(&a, text) : NULL, "10.1.0.0", "next carries");
	is(addr_previous(&a) ? addr_print(&a, text) : NULL, "10.0.255.255", "previous borrows");
	a = addr_of("169.254.3.4");
	ok(addr_is_link_local(&a), "169.254/16 is link-local");
	a = addr_of("febf::1");
	ok(addr_is_link_local(&a), "fe80::/10 is link-local");
	a = addr_of("fec0::1");
	ok(!addr_is_link_local(&a), "fec0:: is not");
}

static void test_prefix(void)
{
	static const struct {
		const char *text;
		int want;
		const char *printed;
	} cases[] = {
		{ "10.0.0.0/16", 0, "10.0.0.0/16" },
		{ "10.0.0.1", 0, "10.0.0.1" },
		{ "10.0.0.1/32", 0, "10.0.0.1" },
		{ "0.0.0.0/0", 0, "0.0.0.0/0" },
		{ "10.0.0.1/16", -EDOM, "10.0.0.0/16" },
		{ "10.255.255.255/9", -EDOM, "10.128.0.0/9" },
		{ "2001:db8::/32", 0, "2001:db8::/32" },
		{ "2001:db8::1/32", -EDOM, "2001:db8::/32" },
		{ "::/0", 0, "::/0" },
		{ "::1/128", 0, "::1" },
		{ "10.0.0.0/33", -EINVAL, NULL },
		{ "::/129", -EINVAL, NULL },
		{ "10.0.0.0/", -EINVAL, NULL },
		{ "/8", -EINVAL, NULL },
		{ "10.0.0.0/08", -EINVAL, NULL },
		{ "10.0.0.0/0x8", -EINVAL, NULL },
		{ "10.0.0.0/255.0.0.0", -EINVAL, NULL },
		{ "10.0.0.0/8/8", -EINVAL, NULL },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", -EINVAL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[PREFIX_TEXT_SIZE];
		struct prefix p;
		int err = prefix_parse(cases[i].text, &p);

		ok(err == cases[i].want, "prefix \"%s\"", cases[i].text);
		if (cases[i].printed)
			is(prefix_print(&p, text), cases[i].printed, "it prints as %s",
			   cases[i].printed);
	}
}

static void test_range(void)
{
	static const struct {
		const char *text;
		int want;
		const char *printed;
	} cases[] = {
		{ "10.0.0.1-10.0.0.9", 0, "10.0.0.1-10.0.0.9" },
		{ "10.0.0.0-10.0.255.255", 0, "10.0.0.0/16" },
		{ "10.0.0.5-10.0.0.5", 0, "10.0.0.5" },
		{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::/0" },
		{ "10.0.0.0/8", 0, "10.0.0.0/8" },
		{ "10.1.0.0/8", -EDOM, "10.0.0.0/8" },
		{ "10.0.0.9-10.0.0.1", -ERANGE, NULL },
		{ "10.0.0.1-::1", -EAFNOSUPPORT, NULL },
		{ "10.0.0.1-", -EINVAL, NULL },
		{ "10.0.0.1-10.0.0.2-10.0.0.3", -EINVAL, NULL },
		{ "10.0.0.0/8-11.0.0.0/8", -EINVAL, NULL },
		{ "office", -EINVAL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[RANGE_TEXT_SIZE];
		struct addr_range r;
		int err = addr_range_parse(cases[i].text, &r);

		ok(err == cases[i].want, "range \"%s\"", cases[i].text);
		if (cases[i].printed)
			is(addr_range_print(&r, text), cases[i].printed, "it prints as %s",
			   cases[i].printed);
	}
}

/* As it stands in a list, with another line behind it. */
static void test_read_ipv4(void)
{
	static const struct {
		const char *text;
		const char *printed;	/* NULL: left to those who know more */
		char next;
	} cases[] = {
		{ "10.0.0.0/8\n11.0.0.0/8", "10.0.0.0/8", '\n' },
		{ "10.0.0.1\n", "10.0.0.1", '\n' },
		{ "10.0.0.1/32", "10.0.0.1", '\0' },
		{ "0.0.0.0/0\n", "0.0.0.0/0", '\n' },
		{ "10.0.0.0/25 # office\n", "10.0.0.0/25", ' ' },
		{ "10.0.0.1-10.0.0.9\n", "10.0.0.1", '-' },
		{ "10.0.0.0/257\n", NULL, 0 },
		{ "10.0.0.1/31\n", NULL, 0 },
		{ "10.0.0.0/\n8", NULL, 0 },
		{ "10.0.0.\n0/8", NULL, 0 },
		{ "10.0.0\n", NULL, 0 },
		{ "fd00::/8\n", NULL, 0 },
		{ "\n", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr_range r, again;
		const char *end = addr_range_read_ipv4(cases[i].text, &r);
		char text[RANGE_TEXT_SIZE];

		ok(!end == !cases[i].printed && (!end || *end == cases[i].next),
		   "a list's line %zu: read to its end or not at all", i + 1);
		if (!end || !cases[i].printed)
			continue;
		is(addr_range_print(&r, text), cases[i].printed, "it prints as %s",
		   cases[i].printed);
		ok(addr_range_parse(text, &again) == 0 && addr_range_compare(&again, &r) == 0,
		   "and reads as any other");
	}
}

/* The last 8 bits vary, so that every address can be tried. */
static struct addr nth(enum family family, unsigned int n)
{
	struct addr a = addr_of(family == FAMILY_IPV4 ? "255.255.255.0"
						      : "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00");

	a.bytes[family_bits(family) / 8 - 1] = n;
	return a;
}

static bool is_covered_once(const struct prefix *v, size_t count, const struct addr *a, bool wanted)
{
	size_t hits = 0;

	for (size_t i = 0; i < count; i++)
		hits += prefix_contains(&v[i], a);
	return hits == (wanted ? 1 : 0);
}

/* The fewest: no two neighbours are the halves of one prefix. */
static bool is_minimal(const struct prefix *v, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct prefix parent = prefix_of(&v[i - 1].addr, v[i - 1].len - 1);

		if (v[i].len == v[i - 1].len && v[i].len > 0 &&
		    prefix_contains(&parent, &v[i].addr) &&
		    addr_compare(&parent.addr, &v[i - 1].addr) == 0)
			return false;
	}
	return true;
}

static void test_cover(enum family family)
{
	unsigned int wrong = 0;

	srandom(2);
	for (int round = 0; round < 300; round++) {
		CLEANUP(addr_ranges_done) struct addr_ranges list = { 0 }, one = { 0 };
		struct prefix *prefixes = NULL;
		bool in[256] = { false };
		size_t count = 0, n = random() % 12;

		for (size_t i = 0; i < n; i++) {
			unsigned int from = random() % 256,
				     to = from + random() % (256 - from) / (1 + random() % 9);
			struct addr_range r = { nth(family, from), nth(family, to) };

			wrong += addr_ranges_add(&list, &r) < 0;
			for (unsigned int k = from; k <= to; k++)
				in[k] = true;
		}
		addr_ranges_normalise(&list);
		wrong += addr_ranges_prefixes(&list, &prefixes, &count) < 0 ||
			 !is_minimal(prefixes, count);
		for (unsigned int k = 0; k < 256; k++) {
			struct addr a = nth(family, k);
			struct addr_range r = { a, a };

			wrong += addr_ranges_contain(&list, &a) != in[k];
			wrong += !is_covered_once(prefixes, count, &a, in[k]);
			wrong += addr_ranges_add(&one, &r) < 0 ||
				 addr_ranges_overlap(&list, &one) != in[k];
			one.count = 0;
		}
		free(prefixes);
	}
	ok(wrong == 0, "300 random %s lists: contained, overlapping and covered exactly",
	   family_name(family));
}

static void test_join(void)
{
	CLEANUP(addr_ranges_done) struct addr_ranges one = { 0 }, other = { 0 };
	struct addr_ranges joined = { 0 };
	struct addr_range r, s;
	bool fine = addr_range_parse("10.0.0.0/8", &r) == 0 && addr_ranges_add(&one, &r) == 0 &&
		    addr_range_parse("9.0.0.0/8", &s) == 0 && addr_ranges_add(&other, &s) == 0;

	fine = fine && addr_ranges_join(&joined, &one) == 0;
	ok(fine && joined.v == one.v && joined.count == 1, "a list that is alone is borrowed");
	fine = fine && addr_ranges_join(&joined, &other) == 0;
	addr_ranges_normalise(&joined);
	ok(fine && joined.v != one.v && joined.count == 1 &&
	   addr_compare(&joined.v[0].from, &s.from) == 0 && addr_compare(&joined.v[0].to, &r.to) == 0,
	   "with another it is a copy, and canonical");
	addr_ranges_done(&joined);
	ok(one.count == 1 && addr_range_compare(&one.v[0], &r) == 0, "the lender's stays as it was");
}

static void test_whole_space(void)
{
	CLEANUP(addr_ranges_done) struct addr_ranges list = { 0 };
	struct prefix *prefixes = NULL;
	size_t count = 0;
	struct addr_range r;
	bool fine = true;

	fine = fine && addr_range_parse("0.0.0.1-255.255.255.254", &r) == 0 &&
	       addr_ranges_add(&list, &r) == 0;
	fine = fine && addr_ranges_prefixes(&list, &prefixes, &count) == 0;
	ok(fine && count == 62, "all but both ends of IPv4: 62 prefixes");
	free(prefixes);
	prefixes = NULL;
	fine = addr_range_parse("128.0.0.0/1", &r) == 0 && addr_ranges_add(&list, &r) == 0;
	fine = fine && addr_range_parse("0.0.0.0/0", &r) == 0 && addr_ranges_add(&list, &r) == 0;
	fine = fine && addr_range_parse("::/0", &r) == 0 && addr_ranges_add(&list, &r) == 0;
	addr_ranges_normalise(&list);
	ok(fine && list.count == 2, "whole families do not run into each other");
	fine = addr_ranges_prefixes(&list, &prefixes, &count) == 0;
	ok(fine && count == 2 && prefixes[0].len == 0 && prefixes[1].len == 0,
	   "two prefixes of length 0");
	free(prefixes);
}

/* Printing and parsing are each other's inverse. */
static void test_round_trip(void)
{
	unsigned int wrong = 0;

	srandom(3);
	for (int i = 0; i < 2000; i++) {
		struct addr_range r = { .from = { .family = i % 2 ? FAMILY_IPV6 : FAMILY_IPV4 } },
				  again;
		unsigned int bits = family_bits(r.from.family), len = random() % (bits + 1);
		char text[RANGE_TEXT_SIZE];
		struct prefix p;

		for (unsigned int k = 0; k < bits / 8; k++)
			r.from.bytes[k] = random();
		p = prefix_of(&r.from, len);
		r = prefix_range(&p);
		if (random() % 2 && len < bits)
			wrong += !addr_next(&r.from);
		wrong += addr_range_parse(addr_range_print(&r, text), &again) < 0 ||
			 addr_range_compare(&r, &again) != 0;
	}
	ok(wrong == 0, "2,000 random ranges survive print and parse");
}

static void test_family(void)
{
	enum family f = FAMILY_IPV4;

	ok(family_from_af(10, &f) == 0 && f == FAMILY_IPV6 && family_to_af(f) == 10, "AF_INET6");
	ok(family_from_af(1, &f) == -EAFNOSUPPORT && f == FAMILY_IPV6,
	   "AF_UNIX is no family of ours");
}

int main(void)
{
	test_addr();
	test_prefix();
	test_range();
	test_read_ipv4();
	test_join();
	test_cover(FAMILY_IPV4);
	test_cover(FAMILY_IPV6);
	test_whole_space();
	test_round_trip();
	test_family();
	return tap_done();
}
