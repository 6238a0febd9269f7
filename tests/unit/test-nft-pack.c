/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ranges in the listing that is kept: what is packed is read back, and beside what is wanted.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "plan/nft/nft.h"
#include "tests/tap.h"

static void test_unpack(void)
{
	static const struct {
		const char *text;
		enum family family;
		int err;
	} cases[] = {
		{ "", FAMILY_IPV4, 0 },
		{ "0a0000000a0000ff", FAMILY_IPV4, 0 },
		{ "0a0000000a0000f", FAMILY_IPV4, -EINVAL },
		{ "0a0000000a0000fg", FAMILY_IPV4, -EINVAL },
		{ "0A0000000a0000ff", FAMILY_IPV4, -EINVAL },
		{ "0a0000ff0a000000", FAMILY_IPV4, -EINVAL },
		{ "0a0000000a0000ff", FAMILY_IPV6, -EINVAL },
		{ "00000000000000000000000000000000ffffffffffffffffffffffffffffffff", FAMILY_IPV6, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nft_set set = { .family = cases[i].family };

		ok(nft_unpack(cases[i].text, strlen(cases[i].text), NULL, &set) == cases[i].err,
		   "packed: \"%s\"", cases[i].text);
		addr_ranges_done(&set.ranges);
	}
}

/* Each of eight ranges where its bit is set. */
static struct nft_table table_of_bits(unsigned int bits)
{
	struct nft_table t = { 0 };
	struct nft_set *set = nft_add_set(&t, "office_4", false, "ipv4_addr", "interval");

	if (!set)
		abort();
	set->has_ranges = true;
	for (unsigned int i = 0; i < 8; i++) {
		struct addr_range r = { { FAMILY_IPV4, { 10, (uint8_t)i } }, { FAMILY_IPV4, { 10, (uint8_t)i, 255 } } };

		if (bits >> i & 1 && addr_ranges_add(&set->ranges, &r))
			abort();
	}
	nft_sort(&t);
	return t;
}

static unsigned int bits_of(const struct addr_ranges *list)
{
	unsigned int bits = 0;

	for (size_t i = 0; i < list->count; i++)
		bits |= 1u << list->v[i].from.bytes[1];
	return bits;
}

/* Packed ranges that are read beside those that are wanted: of any eight from any eight. */
static void test_packed_difference(void)
{
	unsigned int wrong = 0;

	for (unsigned int from = 0; from < 256; from++) {
		struct nft_table was = table_of_bits(from);
		struct strbuf text = { 0 };

		wrong += nft_print(&was, &text) != 0;
		for (unsigned int to = 0; to < 256; to++) {
			struct nft_table want = table_of_bits(to), have = { 0 };
			struct nft_edits edits = { 0 };
			struct strbuf script = { 0 };

			wrong += nft_parse(text.text, &want, &have) || nft_script(&have, &want, &edits, &script);
			wrong += script.len || edits.count != (from != to);
			if (edits.count)
				wrong += bits_of(&edits.v[0].gone) != (from & ~to) ||
					 bits_of(&edits.v[0].fresh) != (to & ~from);
			nft_edits_done(&edits);
			nft_table_done(&have);
			nft_table_done(&want);
		}
		strbuf_done(&text);
		nft_table_done(&was);
	}
	ok(wrong == 0, "each of 65,536 changes is found as it is: %u are not", wrong);
}

int main(void)
{
	test_unpack();
	test_packed_difference();
	return tap_done();
}
