/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzz target: a listing of the nftables table. What is read equals itself: it needs no script, and canonical text
 * is its own canonical text.
 */
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/strbuf.h"
#include "kernel/nft-codec.h"
#include "plan/nft/nft.h"
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void canonical_is_stable(const char *text)
{
	char *once = nft_canonical(text);

	expect(once && nft_text_equal(text, text));
	free(once);
}

/* The kernel has no two of a name. */
static bool has_twins(const struct nft_table *t)
{
	for (size_t i = 1; i < t->counter_count; i++)
		if (strcmp(t->counters[i - 1], t->counters[i]) == 0)
			return true;
	for (size_t i = 1; i < t->set_count; i++)
		if (strcmp(t->sets[i - 1].name, t->sets[i].name) == 0)
			return true;
	for (size_t i = 0; i < t->chain_count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(t->chains[i].name, t->chains[k].name) == 0)
				return true;
	return false;
}

/* Planning gives no set a longer name. */
static bool has_long_name(const struct nft_edits *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (strlen(e->v[i].set->name) > 255)
			return true;
	return false;
}

/* What is sent is whole messages, from the batch's beginning to its end. */
static void encode(const struct nft_edits *e)
{
	struct strbuf bytes = { 0 };
	const struct nlmsghdr *nlh;
	int left;

	if (has_long_name(e))
		return;
	expect(nft_encode_edits("t", e, &bytes) == 0);
	nlh = (const struct nlmsghdr *)bytes.text;
	left = (int)bytes.len;
	expect(nlh->nlmsg_type == NFNL_MSG_BATCH_BEGIN);
	while (mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_type != NFNL_MSG_BATCH_END)
		nlh = mnl_nlmsg_next(nlh, &left);
	expect(mnl_nlmsg_ok(nlh, left) && left == (int)nlh->nlmsg_len);
	strbuf_done(&bytes);
}

/* Two listings, one behind the other: from the first to the second and back. */
static void differ(const struct nft_table *a, const struct nft_table *b)
{
	struct nft_edits edits = { 0 };
	struct strbuf out = { 0 };

	expect(nft_script(a, b, NULL, &out) == 0 && nft_diff(b, a, &out) == 0);
	strbuf_done(&out);
	expect(nft_script(a, b, &edits, &out) == 0);
	encode(&edits);
	nft_edits_done(&edits);
	strbuf_done(&out);
	expect(nft_script(a, a, NULL, &out) == 0);
	expect(!out.len || a->dormant || a->other_count || has_twins(a));
	strbuf_done(&out);
}

/* Read beside the table that it is then compared with, a listing differs from it as it does without. */
static void borrow(const char *text, const struct nft_table *like, const struct nft_table *plain)
{
	struct nft_table t = { 0 };
	struct strbuf out = { 0 }, want = { 0 };

	if (has_twins(like))
		return;
	expect(nft_parse(text, like, &t) == 0);
	expect(nft_script(&t, like, NULL, &out) == 0 && nft_script(plain, like, NULL, &want) == 0);
	expect(out.len == want.len && (!out.len || strcmp(out.text, want.text) == 0));
	strbuf_done(&out);
	strbuf_done(&want);
	nft_table_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *second;
	struct nft_table a = { 0 }, b = { 0 };

	canonical_is_stable(text);
	second = strstr(text, "\n\f\n");
	if (second) {
		*second = '\0';
		second += 3;
	}
	if (nft_parse(text, NULL, &a) == 0 && nft_parse(second, NULL, &b) == 0) {
		differ(&a, &b);
		borrow(second, &a, &b);
	}
	nft_table_done(&a);
	nft_table_done(&b);
	free(text);
	return 0;
}
