/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files that make a plan share: the stages in their order, and the layout of the rule band.
 */
#pragma once

#include "plan/plan.h"
#include "base/strbuf.h"
#include "base/vec.h"

/* The band of priorities, relative to settings.rule_priority. Where order matters priorities differ. A look-up
 * walks the rules one by one, about 5 ns each: what can't concern a packet is jumped over (rules.c). */
enum band {
	BAND_UNMARKED = 0,	/* no mark of ours: past the paths' own, to BAND_ROUTED */
	BAND_PATH_FIRST = 8,	/* many paths: a jump for the first eight marks, */
	BAND_PATH_FIRST_NEAR = 9,	/* one for the first 64, */
	BAND_PATH_FIND = 10,	/* a jump for each other 64, */
	BAND_PATH_STRAY = 11,	/* and one past all of them; */
	BAND_PATH_NEAR = 12,	/* lists of jumps for each other eight, */
	BAND_PATH_NONE = 50,	/* and one past all of them */
	BAND_PATH = 60,		/* a path's own mark, in as many places as there are groups */
	BAND_MARKED = 190,	/* any other mark of ours: past the sources */
	BAND_ROUTED = 200,	/* forwarded, and no mark of ours: past the band */
	BAND_SOURCE_FIND = 210,	/* many addresses: the same, by prefixes */
	BAND_SOURCE_STRAY = 211,
	BAND_SOURCE_NEAR = 212,
	BAND_SOURCE_NONE = 250,
	BAND_SOURCE = 260,	/* from ADDR: main's own routes, then the table of the interface that has it:
				 * two priorities for each group */
	BAND_LOCAL = 410,	/* forwarded: past the bound sockets */
	BAND_BOUND = 411,	/* oif IF: a socket bound to an interface uses its table, whatever the marks say */
	BAND_REST = 420,	/* no mark of ours: on to companions, past the other marks */
	BAND_MAIN = 430,	/* explicit "main": past the band */
	BAND_YIELD = 440,	/* main's own routes, for paths that yield to them */
	BAND_PATH_YIELDS = 451,	/* a mark's table: the one that yields to main, */
	BAND_PATH_KILL = 452,	/* the one of kill switches; */
	BAND_TABLE = 453,	/* somebody else's table, */
	BAND_TABLE_YIELDS = 454,	/* and the same behind main's own routes */
	BAND_DEAD = 460,	/* a mark whose table had no answer must not fall through to main */
	BAND_FIRST = 489,	/* a nop: here companions begin, if there are any */
	BAND_SHIELD = 490,	/* what is never steered is not for companions */
	BAND_COMPANION = 500,	/* first look-ups of local packets, in the order of the policies */
	BAND_END = RULE_BAND_SIZE - 1,	/* a nop to jump to */
};

/* Rules with marks or addresses that are alike stand together: at most eight in a group, some 64 behind a list of jumps
 * to groups. So many places there are for lists and for groups; two may share one. */
#define GROUP_BITS 3
#define NEAR_BITS 6
#define NEAR_PLACES 32
#define MARK_PLACES 128
#define SOURCE_PLACES 64

#define MAIN_TABLE 254

/* ---- paths.c: which interfaces are managed; then, once their tables are known, their state ---- */
MUST_CHECK int plan_paths(struct plan *p);
MUST_CHECK int plan_paths_judge(struct plan *p);
/* Whether a `to` names destinations of this family, and so beats main. */
bool match_has_destination(const struct config *c, const struct addr_match *to, enum family f);

/* ---- near.c: the facts by link ---- */
MUST_CHECK int plan_near(struct plan *p);

/* ---- index.c ---- */
/* To be called again when paths have moved. */
MUST_CHECK int plan_index_paths(struct plan *p);
const struct path *plan_path(const struct plan *p, const char *name);
bool path_has_address(const struct path *path, const struct addr *a);
/* Fills is_second. */
MUST_CHECK int plan_index_addresses(struct plan *p);

MUST_CHECK int names_add(struct name_list *l, const char *name, size_t at);
void names_sort(struct name_list *l);
/* The first place of that name, SIZE_MAX when there is none. */
size_t names_find(const struct name_list *l, const char *name);
void names_done(struct name_list *l);

/* ---- words.c ---- */
void path_name(struct path *path);	/* fills word and quoted; needs the slot */
/* The name in quotes for nft; false where nft has no way to say it. */
bool name_quote(const char *name, char buf[static NAME_SIZE + 4]);

/* ---- gateway.c ---- */
void path_find_gateway(struct path *path, enum family f);
/* Makes *r, whose family is set, lead through the interface's way out, or on the link where it needs none. */
void path_lead_out(const struct path_half *h, struct route *r);

/* ---- marks.c: slots, tables and mark values, as the kernel's rules record them ---- */
MUST_CHECK int plan_marks(struct plan *p, bool tidy, struct diag *d);

/* ---- verdict.c ---- */
MUST_CHECK int plan_verdicts(struct plan *p);

/* ---- tables.c ---- */
MUST_CHECK int plan_tables(struct plan *p);

/* ---- rule.c ---- */
MUST_CHECK int plan_add_rule(struct plan *p, const struct rule *r);
/* Jumps, relative to the band, for whatever else `match` says. Always to the same place: the kernel takes two jumps
 * that differ in their targets alone for the same (rule_exists). */
MUST_CHECK int plan_add_jump(struct plan *p, const struct rule *match, unsigned int at, unsigned int target);

/* ---- rules.c, rule-groups.c ---- */
MUST_CHECK int plan_rules(struct plan *p);
/* Where the rule of a path's own mark stands, and, where that is many places, the jumps there. */
unsigned int plan_mark_priority(const struct plan *p, uint32_t mark);
MUST_CHECK int plan_group_marks(struct plan *p, enum family f);
/* The rules of all sources of a family. */
MUST_CHECK int plan_sources(struct plan *p, enum family f);

/* ---- companions.c ---- */
MUST_CHECK int plan_companions(struct plan *p);

/* ---- ruleset.c, judge.c ---- */
MUST_CHECK int plan_ruleset(struct plan *p);

enum hook { HOOK_LOCAL, HOOK_FORWARDED };

struct runs;	/* plan/runs.h: what stands as one look-up */

/* The policies as rules of one hook; then the maps and chains of the runs among them. */
MUST_CHECK int judge_add(struct plan *p, struct nft_chain *c, enum hook hook, const struct runs *runs);
MUST_CHECK int judge_add_runs(struct plan *p, enum hook hook, const struct runs *runs);
/* The policies that name a foreign mark, and no others. */
MUST_CHECK int judge_add_marked(struct plan *p, struct nft_chain *c, enum hook hook);
/* The rules that cut connections older than a kill switch. */
MUST_CHECK int judge_add_older(struct plan *p, struct nft_chain *c, enum hook hook);

/* ---- in-force.c ---- */

/* Whether the hook sees this policy at all. */
bool policy_seen(const struct policy *p, enum hook hook);
/* The same, and it is enabled. */
bool policy_in_force(const struct policy_plan *pp, enum hook hook);
/* Whether there is nothing to say of the policy in this family. */
bool policy_skipped(const struct policy_plan *pp, enum family f);
bool plan_has_kill_switch(const struct plan *p, enum hook hook);
bool plan_names_marks(const struct plan *p, enum hook hook);

