/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The policies as rules of a chain, in the order in which they were written: what matches, how it is
 * counted, and where it goes.
 */
#include "plan/match.h"
#include "plan/runs.h"
#include "plan/ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMENT_SIZE 129 /* a longer comment refuses the whole transaction */

/* Where a packet of this policy goes. Local packets are remembered; forwarded ones unless they came in by a
 * symmetric interface, which their connection remembers instead. */
static void put_target(const struct plan *p, const struct policy_plan *pp, enum family f,
		       enum hook hook, struct strbuf *b)
{
	const struct verdict *v = &pp->verdict[f];
	const char *how = hook == HOOK_LOCAL ? "take" : "lead";

	switch (v->outcome) {
	case ACTION_VIA:
		strbuf_printf(b, "goto %s_%s%s", how, p->paths[v->active[0]].word, way_suffix(v));
		break;
	case ACTION_BALANCE:
		strbuf_printf(b, "goto %s_%s.balance_%c", how, pp->word,
			      f == FAMILY_IPV4 ? '4' : '6');
		break;
	case ACTION_TABLE:
		strbuf_printf(b, "goto %s_table_%u%s", how, pp->policy->table, way_suffix(v));
		break;
	case ACTION_MAIN:
		if (hook == HOOK_FORWARDED)
			strbuf_add(b, "accept");
		else
			strbuf_add(b, v->dormant ? "goto unsteered" : "goto take_main");
		break;
	case ACTION_UNREACHABLE: strbuf_add(b, "reject with icmpx host-unreachable"); break;
	case ACTION_PROHIBIT: strbuf_add(b, "reject with icmpx admin-prohibited"); break;
	case ACTION_BLACKHOLE: strbuf_add(b, "drop"); break;
	}
}

static char *target(const struct plan *p, const struct policy_plan *pp, enum family f,
		    enum hook hook)
{
	struct strbuf b = { 0 };

	if (!policy_skipped(pp, f))
		put_target(p, pp, f, hook, &b);
	return strbuf_take(&b);
}

/* "NAME FILE:LINE": what an auditor needs to find the policy. */
static void where_text(const struct policy *pol, char buf[static COMMENT_SIZE])
{
	const char *base = pol->at.file ? strrchr(pol->at.file, '/') : NULL;
	int room = COMMENT_SIZE - (int)strlen(pol->name) - 13;

	base = base ? base + 1 : pol->at.file ? pol->at.file : "";
	snprintf(buf, COMMENT_SIZE, "%s %.*s:%u", pol->name, room > 0 ? room : 0, base,
		 pol->at.line);
	for (char *c = buf; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ' || *c == 127)
			*c = '_';
}

/* Rules for one family; `open` says that they serve the other one, too. `end` is what stands behind the match. */
static int add_rules(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp,
		     enum hook hook, enum family f, bool open, const char *end)
{
	CLEANUP(texts_done) struct texts match = { 0 };
	char where[COMMENT_SIZE];
	int r = match_policy(p, pp, hook, f, &match);

	if (r == -ENOENT)
		return 0;
	where_text(pp->policy, where);
	for (size_t i = 0; i < match.count && r == 0; i++)
		r = nft_add_rule(c, where, "%s%s%s",
				 !open && !match_names_family(pp->policy, f) ? match_only_family(f)
									     : "",
				 match.v[i], end);
	return r;
}

/* Where packets of each family go; "": there is nothing to say of it. */
struct targets {
	char *way[FAMILY_COUNT];
};

static void targets_done(struct targets *t)
{
	free(t->way[FAMILY_IPV4]);
	free(t->way[FAMILY_IPV6]);
}

static int find_targets(const struct plan *p, const struct policy_plan *pp, enum hook hook,
			struct targets *ret)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		ret->way[f] = target(p, pp, (enum family)f, hook);
		if (!ret->way[f])
			return -ENOMEM;
	}
	return 0;
}

static int add_policy(const struct plan *p, struct nft_chain *c, struct policy_plan *pp,
		      enum hook hook)
{
	CLEANUP(targets_done) struct targets to = { 0 };
	bool open;
	int r = find_targets(p, pp, hook, &to);

	pp->has_rules = true;
	open = r == 0 && match_needs_family(pp->policy) && *to.way[0] &&
	       strcmp(to.way[0], to.way[1]) == 0;
	for (int f = 0; f < FAMILY_COUNT && r == 0; f++) {
		char *end;

		if (!*to.way[f] || (open && f != FAMILY_IPV4))
			continue;
		if (asprintf(&end, "counter name \"policy_%s\" %s", pp->word, to.way[f]) < 0)
			return -ENOMEM;
		r = add_rules(p, c, pp, hook, (enum family)f, open, end);
		free(end);
	}
	return r;
}

int judge_add(struct plan *p, struct nft_chain *c, enum hook hook, const struct runs *runs)
{
	for (size_t i = 0, next = 0; i < p->policy_count; i++) {
		if (next < runs->count && i == runs->v[next].first) {
			TRY(run_add_lookups(&runs->v[next], c));
			i = runs->v[next++].end - 1;
		} else if (policy_in_force(&p->policies[i], hook)) {
			TRY(add_policy(p, c, &p->policies[i], hook));
		}
	}
	return 0;
}

int judge_add_marked(struct plan *p, struct nft_chain *c, enum hook hook)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (p->policies[i].policy->mark.count && policy_in_force(&p->policies[i], hook))
			TRY(add_policy(p, c, &p->policies[i], hook));
	return 0;
}

/* ---- the policies of runs ---- */

static struct nft_chain *add_policy_chain(struct plan *p, const struct runs *runs,
					  const struct policy_plan *pp)
{
	char *name = run_chain_name(runs, pp);
	struct nft_chain *c = name ? nft_add_chain(&p->nft, name, NULL) : NULL;

	free(name);
	return c;
}

/* What is said of a policy once the packet is known to be its. */
static int add_run_policy(struct plan *p, const struct runs *runs, const struct policy_plan *pp,
			  enum hook hook)
{
	CLEANUP(targets_done) struct targets to = { 0 };
	char where[COMMENT_SIZE];
	struct nft_chain *c;
	bool alike;

	TRY(find_targets(p, pp, hook, &to));
	if (!*to.way[FAMILY_IPV4] && !*to.way[FAMILY_IPV6])
		return 0;
	c = add_policy_chain(p, runs, pp);
	if (!c)
		return -ENOMEM;
	alike = !*to.way[FAMILY_IPV4] || !*to.way[FAMILY_IPV6] ||
		strcmp(to.way[FAMILY_IPV4], to.way[FAMILY_IPV6]) == 0;
	where_text(pp->policy, where);
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		if (!*to.way[f])
			continue;
		TRY(nft_add_rule(c, where, "%scounter name \"policy_%s\" %s",
				 alike ? "" : match_only_family(f), pp->word, to.way[f]));
		if (alike)
			break;
	}
	return 0;
}

int judge_add_runs(struct plan *p, enum hook hook, const struct runs *runs)
{
	for (size_t k = 0; k < runs->count; k++)
		for (size_t i = runs->v[k].first; i < runs->v[k].end; i++)
			if (policy_in_force(&p->policies[i], hook))
				TRY(add_run_policy(p, runs, &p->policies[i], hook));
	return runs_add_maps(p, runs);
}

/* ---- connections older than a kill switch ---- */

static int add_older(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp,
		     enum hook hook, const char *end)
{
	bool open = match_needs_family(pp->policy) && !policy_skipped(pp, FAMILY_IPV4) &&
		    !policy_skipped(pp, FAMILY_IPV6);

	for (enum family f = 0; f < FAMILY_COUNT; f++)
		if (!policy_skipped(pp, f) && !(open && f != FAMILY_IPV4))
			TRY(add_rules(p, c, pp, hook, f, open, end));
	return 0;
}

/* The marks a kill switch's own connections carry. */
static char *own_marks(const struct plan *p, const struct policy *pol)
{
	struct strbuf b = { 0 };
	bool any = false;

	for (size_t i = 0; i < pol->member_count; i++) {
		const struct path *path = plan_path(p, pol->members[i].name);

		if (!path || !path->mark_kill)
			continue;
		strbuf_printf(&b, "%s0x%08x", any ? ", " : "", path->mark_kill);
		any = true;
	}
	return strbuf_take(&b);
}

/* What is done with a connection that a policy would take now: a kill switch cuts what it did not take itself. */
static int older_ends(const struct plan *p, const struct policy *pol, struct texts *ret)
{
	char *own;
	int r;

	if (!policy_is_kill_switch(pol))
		return texts_add(ret, "return");
	own = own_marks(p, pol);
	if (!own)
		return -ENOMEM;
	/* No map: the elements of one that goes are gone for packets that still look there, and they would be cut. */
	r = *own ? texts_add(ret, "ct mark & 0x%08x { %s } return", p->config->settings.mark_mask, own) : 0;
	free(own);
	return r ?: texts_add(ret, "goto cut");
}

int judge_add_older(struct plan *p, struct nft_chain *c, enum hook hook)
{
	size_t end = p->policy_count;

	/* To the last one. */
	while (end && !(policy_is_kill_switch(p->policies[end - 1].policy) &&
			policy_in_force(&p->policies[end - 1], hook)))
		end--;
	for (size_t i = 0; i < end; i++) {
		CLEANUP(texts_done) struct texts ends = { 0 };

		if (!policy_in_force(&p->policies[i], hook))
			continue;
		p->policies[i].has_rules = true;
		TRY(older_ends(p, p->policies[i].policy, &ends));
		for (size_t k = 0; k < ends.count; k++)
			TRY(add_older(p, c, &p->policies[i], hook, ends.v[k]));
	}
	return 0;
}
