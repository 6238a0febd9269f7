/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ways a packet can be sent: for each mark in use the small chains that set it, and the verdict maps
 * that find them, so that neither packets nor changes pay for the number of interfaces.
 */
#include "plan/match.h"
#include "plan/ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One mark: a path taken in one of three manners, somebody else's table, or main. */
struct way {
	const struct path *path;	/* NULL: a table, or main */
	char word[48];
	uint32_t mark;
	bool is_kill;
	bool is_main;
	bool asked[2];			/* by a policy of this hook */
};

struct ways {
	struct plan *plan;
	struct way *v;
	size_t count;
	size_t enough;			/* with more than so many, who asks does without */
	struct name_list by_word;
};

static void ways_done(struct ways *w)
{
	free(w->v);
	names_done(&w->by_word);
}

static int add_way(struct ways *w, const struct path *path, const char *base, const char *suffix, uint32_t mark)
{
	struct way *way;

	if (!mark || (path && !path->quoted[0]))
		return 0;
	way = VEC_PUSH(w->v, w->count);
	if (!way)
		return -ENOMEM;
	*way = (struct way){ .path = path, .mark = mark };
	way->is_kill = strcmp(suffix, "_only") == 0;
	way->is_main = !path && strcmp(base, "main") == 0;
	snprintf(way->word, sizeof(way->word), "%s%s", base, suffix);
	return 0;
}

static int collect(struct ways *w)
{
	const struct plan *p = w->plan;

	TRY(add_way(w, NULL, "main", "", p->mark_main));
	for (size_t i = 0; i < p->path_count && w->count <= w->enough; i++) {
		const struct path *path = &p->paths[i];

		TRY(add_way(w, path, path->word, "", path->mark));
		TRY(add_way(w, path, path->word, "_yields", path->mark_yields));
		TRY(add_way(w, path, path->word, "_only", path->mark_kill));
	}
	for (size_t i = 0; i < p->table_count; i++) {
		char base[24];

		snprintf(base, sizeof(base), "table_%u", p->tables[i].table);
		TRY(add_way(w, NULL, base, "", p->tables[i].mark));
		TRY(add_way(w, NULL, base, "_yields", p->tables[i].mark_yields));
	}
	return 0;
}

/* ---- who asks for a way ---- */

/* eth2 beats main, eth2_yields leaves main its own routes, eth2_only is a kill switch's. */
const char *way_suffix(const struct verdict *v)
{
	return v->kill ? "_only" : v->yields ? "_yields" : "";
}

static void ask(struct ways *w, const char *base, const char *suffix, enum hook hook)
{
	char word[sizeof(w->v->word)];
	size_t at;

	snprintf(word, sizeof(word), "%s%s", base, suffix);
	at = names_find(&w->by_word, word);
	if (at != SIZE_MAX)
		w->v[at].asked[hook] = true;
}

static void ask_for_verdict(struct ways *w, const struct policy_plan *pp, enum family f, enum hook hook)
{
	const struct verdict *v = &pp->verdict[f];
	char base[24];

	if (!v->covered || v->catches_nothing)
		return;
	switch (v->outcome) {
	case ACTION_VIA:
	case ACTION_BALANCE:
		for (size_t i = 0; i < v->active_count; i++)
			ask(w, w->plan->paths[v->active[i]].word, way_suffix(v), hook);
		break;
	case ACTION_TABLE:
		snprintf(base, sizeof(base), "table_%u", pp->policy->table);
		ask(w, base, way_suffix(v), hook);
		break;
	case ACTION_MAIN:
		if (!v->dormant)
			ask(w, "main", "", hook);
		break;
	case ACTION_UNREACHABLE:
	case ACTION_PROHIBIT:
	case ACTION_BLACKHOLE:
		break;
	}
}

/* One pass over the policies, not one for each way: 1,000 policies and 250 interfaces took 80 ms. */
static int find_asked(struct ways *w)
{
	const struct plan *p = w->plan;

	for (size_t i = 0; i < w->count; i++)
		TRY(names_add(&w->by_word, w->v[i].word, i));
	names_sort(&w->by_word);
	for (size_t i = 0; i < p->policy_count; i++)
		for (int hook = 0; hook < 2; hook++)
			for (int f = 0; f < FAMILY_COUNT; f++)
				if (p->policies[i].policy->enabled && policy_seen(p->policies[i].policy, (enum hook)hook))
					ask_for_verdict(w, &p->policies[i], (enum family)f, (enum hook)hook);
	return 0;
}

/* ---- the chains of a way ---- */

/* "meta mark set …": others' bits pass through. As nft prints it: (x & A) | B with B in A. */
static int add_set(struct nft_chain *c, const char *what, uint32_t mask, uint32_t mark, const char *match)
{
	uint32_t kept = ~mask | mark;

	if (kept == UINT32_MAX)
		return nft_add_rule(c, NULL, "%s%s set %s | 0x%08x", match, what, what, mark);
	return nft_add_rule(c, NULL, "%s%s set %s & 0x%08x | 0x%08x", match, what, what, kept, mark);
}

/* What still carries the mark of a half that can't be used: forgotten by conntrack in a moment, or, where it must
 * not be forgotten, ended. Their presence in the kernel says that this half's end was seen. */
static int add_end(struct nft_chain *c, const struct way *way, const char *match, const struct path_half *h)
{
	char comment[96];

	snprintf(comment, sizeof(comment), "%s: %s", way->path->word, h->reason);
	if (way->is_kill) {
		TRY(nft_add_rule(c, comment, "%smeta l4proto 6 reject with tcp reset", match));
		return nft_add_rule(c, comment, "%sdrop", match);
	}
	return nft_add_rule(c, comment, "%s%sdrop", match, h->dead ? "" : "ct direction original ");
}

static int add_ends(const struct plan *p, struct nft_chain *c, const struct way *way)
{
	const struct path_half *h = way->path ? way->path->half : NULL;

	if (!h)
		return 0;
	if (!h[FAMILY_IPV4].usable && !h[FAMILY_IPV6].usable && h[FAMILY_IPV4].dead == h[FAMILY_IPV6].dead &&
	    strcmp(h[FAMILY_IPV4].reason, h[FAMILY_IPV6].reason) == 0)
		return add_end(c, way, "", &h[FAMILY_IPV4]);
	for (int f = 0; f < FAMILY_COUNT; f++)
		if (!h[f].usable && p->facts->has_family[f])
			TRY(add_end(c, way, match_only_family((enum family)f), &h[f]));
	return 0;
}

static int add_to(struct plan *p, const struct way *way)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "to_%s", way->word);
	c = nft_add_chain(&p->nft, name, NULL);
	if (!c)
		return -ENOMEM;
	TRY(add_ends(p, c, way));
	if (way->path)
		TRY(nft_add_rule(c, NULL, "counter name \"interface_%s\"", way->path->word));
	return add_set(c, "meta mark", p->config->settings.mark_mask, way->mark, "");
}

static int add_take(struct plan *p, const struct way *way)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "take_%s", way->word);
	c = nft_add_chain(&p->nft, name, NULL);
	if (!c)
		return -ENOMEM;
	TRY(add_set(c, "ct mark", p->config->settings.mark_mask, way->mark, ""));
	return nft_add_rule(c, NULL, "goto to_%s", way->word);
}

static int add_lead(struct plan *p, const struct way *way)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "lead_%s", way->word);
	c = nft_add_chain(&p->nft, name, NULL);
	if (!c)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "ct mark & 0x%08x == 0x00000000 goto take_%s", p->config->settings.mark_mask,
			 way->word));
	return nft_add_rule(c, NULL, "goto to_%s", way->word);
}

/* ---- symmetry ---- */

static bool is_symmetric(const struct path *path)
{
	return path->quoted[0] && (path->half[FAMILY_IPV4].symmetric || path->half[FAMILY_IPV6].symmetric);
}

/* Whether arrivals by its interface are marked so, or were while that was symmetric. */
static bool is_own(const struct way *way)
{
	return way->path && way->mark == way->path->mark && way->path->quoted[0];
}

static bool needs_onward(const struct plan *p, const struct way *way)
{
	return !way->is_main && (is_own(way) || plan_has_kill_switch(p, HOOK_FORWARDED));
}

/* The original direction of what is remembered. A packet that comes in by the interface that its connection names is
 * judged each time: the name is the way of its replies. Any other goes the way named, unless a kill switch came after. */
static int add_onward(struct plan *p, const struct way *way)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "onward_%s", way->word);
	c = nft_add_chain(&p->nft, name, NULL);
	if (!c)
		return -ENOMEM;
	if (is_own(way))
		TRY(nft_add_rule(c, NULL, "iifname %s goto judge_forwarded", way->path->quoted));
	if (plan_has_kill_switch(p, HOOK_FORWARDED))
		TRY(nft_add_rule(c, NULL, "ct state established,related jump older_forwarded"));
	return nft_add_rule(c, NULL, "goto to_%s", way->word);
}

/* Where a reverse look-up needs a mark, replies get the one that lets main's own routes go first: they find the client. */
static bool has_home(const struct plan *p, const struct path *path)
{
	return p->marks_replies && path->mark_yields && path->quoted[0];
}

static int add_home(struct plan *p, const struct path *path)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "home_%s", path->word);
	c = nft_add_chain(&p->nft, name, NULL);
	return c ? add_set(c, "meta mark", p->config->settings.mark_mask, path->mark_yields, match_only_family(FAMILY_IPV4)) : -ENOMEM;
}

/* A reply that comes in by the interface that its connection names is on its way in; any other, on its way there. */
static int add_back(struct plan *p, const struct path *path)
{
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "back_%s", path->word);
	c = nft_add_chain(&p->nft, name, NULL);
	if (!c)
		return -ENOMEM;
	if (has_home(p, path))
		TRY(nft_add_rule(c, NULL, "iifname %s goto home_%s", path->quoted, path->word));
	else
		TRY(nft_add_rule(c, NULL, "iifname %s accept", path->quoted));
	return nft_add_rule(c, NULL, "goto to_%s", path->word);
}

static int add_symmetry(struct plan *p, const struct path *path)
{
	bool both = path->half[FAMILY_IPV4].symmetric && path->half[FAMILY_IPV6].symmetric;
	char name[64];
	struct nft_chain *c;

	snprintf(name, sizeof(name), "in_%s", path->word);
	c = nft_add_chain(&p->nft, name, NULL);
	return c ? add_set(c, "ct mark", p->config->settings.mark_mask, path->mark,
			   both ? "" : match_only_family(path->half[FAMILY_IPV4].symmetric ? FAMILY_IPV4 : FAMILY_IPV6)) :
		   -ENOMEM;
}

/* ---- maps ---- */

static int add_maps(struct plan *p, const struct ways *w)
{
	struct nft_set *s = nft_add_set(&p->nft, "restore", true, "mark : verdict", NULL);

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++)
		TRY(nft_add_element(s, "0x%08x : goto to_%s", w->v[i].mark, w->v[i].word));
	s = nft_add_set(&p->nft, "onward", true, "mark : verdict", NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++) {
		const struct way *way = &w->v[i];

		if (!way->is_main)
			TRY(nft_add_element(s, "0x%08x : goto %s_%s", way->mark, needs_onward(p, way) ? "onward" : "to",
					    way->word));
	}
	s = nft_add_set(&p->nft, "replies", true, "mark : verdict", NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < w->count; i++) {
		const struct way *way = &w->v[i];

		if (is_own(way))
			TRY(nft_add_element(s, "0x%08x : goto back_%s", way->mark, way->word));
		else if (way->path && has_home(p, way->path))
			TRY(nft_add_element(s, "0x%08x : goto home_%s", way->mark, way->path->word));
	}
	s = nft_add_set(&p->nft, "arrivals", true, "ifname : verdict", NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count; i++)
		if (is_symmetric(&p->paths[i]))
			TRY(nft_add_element(s, "%s : jump in_%s", p->paths[i].quoted, p->paths[i].word));
	return 0;
}

/* The interfaces that remember arrivals, and the marks by which they do. */
static int add_symmetric_sets(struct plan *p)
{
	struct nft_set *s = nft_add_set(&p->nft, "symmetric", false, "ifname", NULL);

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count; i++)
		if (is_symmetric(&p->paths[i]))
			TRY(nft_add_element(s, "%s", p->paths[i].quoted));
	s = nft_add_set(&p->nft, "crossing", false, "mark", NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count; i++)
		if (is_symmetric(&p->paths[i]))
			TRY(nft_add_element(s, "0x%08x", p->paths[i].mark));
	return 0;
}

/* So many ways, main among them, are compared first, but main, which is the rarest. A look-up is 29 ns of 1,250, a
 * comparison that fails 6. */
#define FEW_WAYS 5

int ways_add_few(struct plan *p, struct nft_chain *c, bool onward)
{
	CLEANUP(ways_done) struct ways w = { .plan = p, .enough = FEW_WAYS };

	TRY(collect(&w));
	for (size_t i = 0; w.count <= FEW_WAYS && i < w.count; i++) {
		const struct way *way = &w.v[i];

		if (!way->is_main)
			TRY(nft_add_rule(c, NULL, "ct mark & 0x%08x == 0x%08x goto %s_%s", p->config->settings.mark_mask,
					 way->mark, onward && needs_onward(p, way) ? "onward" : "to", way->word));
	}
	return 0;
}

int ways_add(struct plan *p)
{
	CLEANUP(ways_done) struct ways w = { .plan = p, .enough = SIZE_MAX };

	TRY(collect(&w));
	TRY(find_asked(&w));
	for (size_t i = 0; i < w.count; i++) {
		bool local = w.v[i].asked[HOOK_LOCAL], forwarded = w.v[i].asked[HOOK_FORWARDED];

		if (forwarded && !w.v[i].is_main)
			TRY(add_lead(p, &w.v[i]));
		if (local || (forwarded && !w.v[i].is_main))
			TRY(add_take(p, &w.v[i]));
		TRY(add_to(p, &w.v[i]));
		if (needs_onward(p, &w.v[i]))
			TRY(add_onward(p, &w.v[i]));
	}
	for (size_t i = 0; i < p->path_count; i++) {
		if (has_home(p, &p->paths[i]))
			TRY(add_home(p, &p->paths[i]));
		if (is_symmetric(&p->paths[i]))
			TRY(add_symmetry(p, &p->paths[i]));
		if (p->paths[i].quoted[0])
			TRY(add_back(p, &p->paths[i]));
	}
	for (size_t i = 0; i < p->policy_count; i++)
		for (int f = 0; f < FAMILY_COUNT; f++) {
			TRY(balance_add(p, &p->policies[i], (enum family)f, HOOK_LOCAL));
			TRY(balance_add(p, &p->policies[i], (enum family)f, HOOK_FORWARDED));
		}
	TRY(add_maps(p, &w));
	return add_symmetric_sets(p);
}

/* ---- kill switches at the door ---- */

bool ways_have_kill(const struct plan *p)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].mark_kill && p->paths[i].quoted[0])
			return true;
	return false;
}

int ways_add_guards(struct plan *p)
{
	struct nft_set *s;

	if (!ways_have_kill(p))
		return 0;
	s = nft_add_set(&p->nft, "guarded", true, "mark : verdict", NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].mark_kill && p->paths[i].quoted[0])
			TRY(nft_add_element(s, "0x%08x : goto only_%s", p->paths[i].mark_kill, p->paths[i].word));
	for (size_t i = 0; i < p->path_count; i++) {
		const struct path *path = &p->paths[i];
		struct nft_chain *c;
		char name[64];

		if (!path->mark_kill || !path->quoted[0])
			continue;
		snprintf(name, sizeof(name), "only_%s", path->word);
		c = nft_add_chain(&p->nft, name, NULL);
		if (!c)
			return -ENOMEM;
		TRY(nft_add_rule(c, NULL, "oifname { \"lo\", %s } accept", path->quoted));
		TRY(nft_add_rule(c, NULL, "drop"));
	}
	return 0;
}

int ways_add_dead_sources(struct nft_chain *c, const struct path *path)
{
	char buf[ADDR_TEXT_SIZE], comment[96];

	for (int f = 0; f < FAMILY_COUNT; f++) {
		const struct path_half *h = &path->half[f];

		/* Where there never was a way out no connection of ours can have used it. */
		if (h->usable || !h->has_default)
			continue;
		snprintf(comment, sizeof(comment), "%s: %s", path->word, h->reason);
		for (size_t i = 0; i < h->address_count; i++)
			TRY(nft_add_rule(c, comment, "meta l4proto 6 %s saddr %s reject with tcp reset",
					 f == FAMILY_IPV4 ? "ip" : "ip6", addr_print(&h->addresses[i], buf)));
	}
	return 0;
}
