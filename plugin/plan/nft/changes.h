/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What differs between two models of the table, found once, for the script and for the person.
 */
#pragma once

#include "plan/nft/nft.h"

/* One for each chain that either side has. */
struct chain_change {
	const struct nft_chain *have;	/* NULL: it is new */
	const struct nft_chain *want;	/* NULL: it goes */
	bool refill;			/* its rules are written anew */
	bool replace;			/* its hook differs, so that it must be deleted and added */
	bool must_empty;		/* a set that it uses is replaced */
};

/* One for each set or map that either side has. */
struct set_change {
	const struct nft_set *have;
	const struct nft_set *want;
	bool replace;			/* its declaration differs */
	/* What to delete from and to add to the set that stands; for a new one `want` says it all. */
	struct addr_ranges gone, fresh;
	struct nft_texts {
		char **v;
		size_t count;
	} gone_texts, fresh_texts;
};

struct nft_changes {
	bool any;
	bool beyond_ranges;		/* more differs than ranges of sets, or new sets of ranges */
	struct chain_change *chains;	/* those of `want` in its order, then the others */
	size_t chain_count;
	struct set_change *sets;	/* by name */
	size_t set_count;
	struct nft_texts gone_counters, fresh_counters;
};

/* Both tables are sorted, and outlive what is returned. */
MUST_CHECK int nft_compare(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret);
void nft_changes_done(struct nft_changes *c);
/* Rule and comment in canonical form: equal keys are equal rules. The caller frees; NULL: no memory. */
MUST_CHECK char *nft_rule_key(const struct nft_rule *r);
/* nft_script, for who has compared already. What goes to *ret_edits is no longer among the changes. */
MUST_CHECK int nft_script_of(const struct nft_table *have, const struct nft_table *want,
			     struct nft_changes *changes, struct nft_edits *ret_edits,
			     struct strbuf *ret);
