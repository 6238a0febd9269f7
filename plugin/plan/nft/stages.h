/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tables that stand for a moment on the way from one to another, so that no packet meets rules
 * whose sets are not there yet.
 */
#pragma once

#include "plan/nft/changes.h"

#define NFT_STAGES_MAX 5

struct nft_stages {
	struct nft_table v[NFT_STAGES_MAX];	/* in order; they borrow from `have` and `want` */
	size_t count;			/* none: there is nothing in between */
	size_t change;			/* the first in which what is wanted is in force; count: none */
	bool settles[NFT_STAGES_MAX];	/* packets that came before it are waited for behind it */
	bool begins_with_edits;		/* the first only has more sets of ranges than `have` */
	void **memory;			/* what they do not borrow */
	size_t memory_count;
};

/* Both tables outlive what is returned; what differs between them, from which the names of counters
 * are borrowed, outlives the making of scripts. 0 or -ENOMEM. */
MUST_CHECK int nft_stages(const struct nft_table *have, const struct nft_table *want,
			  const struct nft_changes *changes, struct nft_stages *ret);
void nft_stages_done(struct nft_stages *s);
