/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The one nftables table as data: what planning wants it to be, and what `nft list` says it is,
 * in the same form, so that the two can be compared line by line.
 */
#pragma once

#include "base/base.h"
#include "base/prefix.h"

struct diag;
struct strbuf;

struct nft_rule {
	char *text;			/* as nft prints it, without the comment and without counters' values */
	char *comment;			/* NULL: none; at most 128 bytes, no quote */
	uint32_t handle;		/* of a rule that was listed with it; 0: not known */
};

struct nft_chain {
	char *name;
	char *hook;			/* "type route hook output priority -90; policy accept;", NULL: a plain chain */
	struct nft_rule *rules;
	size_t rule_count;
	bool is_borrowed;		/* all of it is another table's, which lives longer */
};

/* A named set or map. Interval sets of addresses hold ranges, so that 100,000 of them stay small; all others text. */
struct nft_set {
	char *name;
	bool is_map;
	bool is_dynamic;		/* others fill it: its elements are none of our business */
	char *type;			/* "ipv4_addr", "mark : verdict" */
	char *flags;			/* "interval", "timeout"; NULL: none */
	char *timeout;			/* "1h"; NULL: none */
	bool has_ranges;
	enum family family;		/* of the ranges */
	struct addr_ranges ranges;
	/* Of one that was read beside `like` (nft_parse): so many ranges at its beginning and at its
	 * end are those of the set there, and do not stand here. */
	size_t like_head, like_tail;
	bool is_packed;			/* it was read in packed form */
	char **elements;		/* sorted bytewise: "0x02000000 : goto to_eth2" */
	size_t element_count;
	bool is_borrowed;		/* all of it is another table's, which lives longer */
};

/* `table inet ifsteer`. */
struct nft_table {
	bool exists;
	bool dormant;			/* somebody put it to sleep */
	char **others;			/* objects of kinds that are never ours: "flowtable f" */
	size_t other_count;
	char **counters;		/* names, sorted */
	size_t counter_count;
	struct nft_set *sets;		/* by name */
	size_t set_count;
	struct nft_chain *chains;	/* in the order in which they are listed */
	size_t chain_count;
};

void nft_table_done(struct nft_table *t);

/* The set or map of that name in a table that was parsed or sorted; NULL: there is none. */
const struct nft_set *nft_find_set(const struct nft_table *t, const char *name);

/* Building. All copy their arguments; -ENOMEM is remembered in nothing: it is returned. A chain or set that is
 * returned stays where it is until the next one is added; NULL: no memory. */
MUST_CHECK int nft_add_counter(struct nft_table *t, const char *name);
MUST_CHECK struct nft_chain *nft_add_chain(struct nft_table *t, const char *name, const char *hook);
MUST_CHECK int nft_add_rule(struct nft_chain *c, const char *comment, const char *fmt, ...) PRINTF_LIKE(3, 4);
MUST_CHECK struct nft_set *nft_add_set(struct nft_table *t, const char *name, bool is_map, const char *type,
				       const char *flags);
MUST_CHECK int nft_add_element(struct nft_set *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Puts counters, sets and elements into their order; call when all were added. */
void nft_sort(struct nft_table *t);
/* The same for a listing: ranges stay apart even where they are adjacent, since each is an element. */
void nft_sort_listed(struct nft_table *t);
/* Counters and sets alone, whose elements are in order already. */
void nft_sort_names(struct nft_table *t);

/* Reads a stateless listing of the table. What it does not understand becomes a rule or an object that
 * equals nothing, so that it is repaired. NULL text: no table. -EINVAL: not the whole listing of our table.
 * A chain or set that reads as one of `like` (which may be NULL) does is borrowed from there: most are
 * equal, and to take them apart only to compare them was a quarter of what an event costs among 250
 * interfaces. With `like` the result is good for nft_script(ret, like, …) alone. */
MUST_CHECK int nft_parse(const char *listing, const struct nft_table *like, struct nft_table *ret);

/* Whether nft_parse would take it. -EINVAL: no, and *ret_line is the line, counted from 0, up to which it is
 * read. */
MUST_CHECK int nft_check(const char *listing, uint32_t *ret_line);

/* A rule, a hook or an element in the one form that all versions of nft agree on, for comparing alone; the
 * caller frees. NULL: no memory. */
MUST_CHECK char *nft_canonical(const char *text);
/* Whether two rule texts mean the same although nft versions print them differently. */
bool nft_text_equal(const char *a, const char *b);

/* All of the table in the words of nft_add_…, with ranges packed: as nft_parse reads it back, and
 * quickly. */
MUST_CHECK int nft_print(const struct nft_table *t, struct strbuf *ret);
void nft_pack(const struct addr_ranges *list, struct strbuf *out);
/* Fills in ranges; what is equal from the beginning and from the end of `like` (NULL: none) is only
 * counted. -EINVAL: nothing that was packed. What was read until then is in *ret. */
MUST_CHECK int nft_unpack(const char *text, size_t len, const struct nft_set *like,
			  struct nft_set *ret);

/* What comes to and goes from the interval sets of addresses of `want`, in one transaction without
 * libnftables, which takes 7 us and 800 bytes for each prefix, and reads all of a set to change one. */
struct nft_edits {
	struct nft_edit {
		const struct nft_set *set;	/* of `want`, which lives longer */
		bool is_new;			/* to be declared; what `set` holds is to come */
		struct addr_ranges gone, fresh;	/* of one that stands */
	} *v;
	size_t count;
	bool new_table;			/* there is no table yet */
};

void nft_edits_done(struct nft_edits *e);

/* The script of one transaction that turns `have` into `want`; nothing when they are equal. Base chains
 * are flushed and refilled, never deleted while `want` has them: a delete and an add in one transaction
 * let packets past. Unchanged chains, sets, counters and elements are not mentioned.
 *
 * What need not be in the script goes to *ret_edits, a transaction to be made before it (NULL: all goes by
 * the script): sets of ranges that are new, to which no rule refers yet, and elements of those that stand
 * when nothing else differs. Where rules or maps differ as well, both are the script's: a refusal must not
 * leave half of it. That rules and interval sets take effect a moment apart is plan/nft/stages.h's business. */
MUST_CHECK int nft_script(const struct nft_table *have, const struct nft_table *want,
			  struct nft_edits *ret_edits, struct strbuf *ret);
/* The same difference for a person: "+ nft add rule inet ifsteer …", "- nft delete element …". */
MUST_CHECK int nft_diff(const struct nft_table *have, const struct nft_table *want, struct strbuf *ret);
