/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way from one nftables table to another as transactions: as a rule one; more where packets
 * look up by intervals what changes (plan/nft/stages.c).
 */
#include "plan/nft-steps.h"

#include <errno.h>

#include "base/strbuf.h"

/* A transaction between two stages. */
struct transaction {
	const struct nft_table *from, *to;
	struct nft_changes *changes;	/* NULL: not compared yet */
	enum nft_part part;
	bool waits;
	bool edits_alone;
};

static int print_undo(const struct transaction *t, char **ret)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	struct nft_table made = *t->to;
	int err;

	made.dormant = false;
	made.other_count = 0;
	err = nft_script(&made, t->from, NULL, &text);
	if (err)
		return err;
	*ret = strbuf_take(&text);
	return *ret ? 0 : -ENOMEM;
}

static struct step *add_step(const struct transaction *t, enum step_kind kind, struct steps *ret)
{
	struct step *s = steps_add(ret, kind);

	if (!s)
		return NULL;
	s->of.nft.part = t->part;
	s->of.nft.waits = t->waits;
	if (t->part == NFT_AHEAD && print_undo(t, &s->of.nft.undo))
		return NULL;
	return s;
}

static int add_transaction(struct transaction *t, struct steps *ret)
{
	CLEANUP(strbuf_done) struct strbuf script = { 0 };
	CLEANUP(nft_edits_done) struct nft_edits edits = { 0 };
	int err = t->changes ? nft_script_of(t->from, t->to, t->changes, &edits, &script)
			     : nft_script(t->from, t->to, &edits, &script);
	struct step *s;

	if (err)
		return err;
	if (edits.count) {
		s = add_step(t, STEP_NFT_EDITS, ret);
		if (!s)
			return -ENOMEM;
		s->of.nft.edits = edits;
		edits = (struct nft_edits){ 0 };
		t->waits = false;
	}
	if (!script.len || t->edits_alone)
		return 0;
	s = add_step(t, STEP_NFT, ret);
	if (!s)
		return -ENOMEM;
	s->of.nft.script = strbuf_take(&script);
	return s->of.nft.script ? 0 : -ENOMEM;
}

int steps_add_nft(const struct nft_table *have, const struct nft_table *want, struct steps *ret)
{
	CLEANUP(nft_changes_done) struct nft_changes changes = { 0 };
	struct nft_stages *stages = &ret->stages;
	struct transaction t = { .to = have };
	int err = have == want ? 0 : nft_compare(have, want, &changes);

	if (err || !changes.any)
		return err;
	err = nft_stages(have, want, &changes, stages);
	/* With 1,000 interfaces to compare once more made an event 15 % dearer. */
	t.changes = stages->count ? NULL : &changes;
	for (size_t i = 0; !err && i <= stages->count; i++) {
		t.from = t.to;
		t.to = i < stages->count ? &stages->v[i] : want;
		t.part = i < stages->change ? NFT_AHEAD : i > stages->change ? NFT_AFTER : NFT_CHANGE;
		t.waits = i > 0 && stages->settles[i - 1];
		t.edits_alone = i == 0 && stages->begins_with_edits;
		err = add_transaction(&t, ret);
	}
	return err;
}
