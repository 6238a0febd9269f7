/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ordered list of writes that makes the kernel agree. Everything that talks to the kernel takes
 * this list and nothing else; everything that prints a difference prints it.
 */
#pragma once

#include "plan/facts.h"
#include "plan/nft/stages.h"

enum step_kind {
	STEP_SYSCTL,			/* set a sysctl (its value as found is saved first) */
	STEP_ADD_ROUTE,			/* NLM_F_CREATE | NLM_F_EXCL */
	STEP_REPLACE_ROUTE,		/* NLM_F_CREATE | NLM_F_REPLACE: one of ours stands in that slot */
	STEP_ADD_RULE,
	STEP_NFT_EDITS,			/* an nftables transaction of elements of sets alone */
	STEP_NFT,			/* any other nftables transaction */
	STEP_DELETE_RULE,
	STEP_DELETE_ROUTE,
	STEP_RESTORE_SYSCTL,		/* put back the value as found, forget it */
	STEP_FORGET_CONNECTIONS,	/* delete conntrack entries of a dead path */
	STEP_CLOSE_SOCKETS,		/* destroy sockets whose source address is gone */
};

/* What an nftables transaction is for: most often there is one, and it is the change. */
enum nft_part {
	NFT_CHANGE,			/* puts in force what is wanted */
	NFT_AHEAD,			/* makes what no packet meets yet, and can be undone */
	NFT_AFTER,			/* clears away what helped with that */
};

struct step {
	enum step_kind kind;
	union {
		struct {
			char name[NAME_SIZE];
			uint32_t index;
			bool src_valid_mark;	/* false: rp_filter */
			uint8_t value;
			uint8_t found;		/* the value to save, for STEP_SYSCTL */
		} sysctl;
		struct route route;
		struct rule rule;
		struct {
			enum nft_part part;
			bool waits;		/* until packets that met what stood before are through */
			struct nft_edits edits;	/* owned; of the plan's table, or one of `stages` */
			char *script;		/* owned */
			char *undo;		/* the script that takes back what is made ahead; owned */
		} nft;
		struct {
			uint32_t mark;		/* entries with (mark & mask) == mark … */
			uint32_t mask;
			enum family family;
			bool keep_tcp;		/* … but a kill switch's own TCP, which is reset */
			uint32_t link;		/* … and those whose original destination is an address of
						 * this interface (index; 0: none) … */
			struct addr *kept;	/* … given here; owned */
			size_t kept_count;
		} connections;
		struct addr socket_source;
	} of;
};

struct steps {
	struct step *v;
	size_t count;
	/* What our nftables table reads like once all are carried out, in the plan's words; owned.
	 * NULL: word for word as it was listed, or planning can't say. */
	char *standing;
	struct nft_stages stages;	/* of the nftables table */
};

void steps_done(struct steps *s);
/* One more, the rest of it zeroed. NULL: no memory. */
struct step *steps_add(struct steps *s, enum step_kind kind);
