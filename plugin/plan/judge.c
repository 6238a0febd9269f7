/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The policies as rules of a chain, in the order in which they were written: what matches, how it is
 * counted, and where it goes.
 */
#include "plan/match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMENT_SIZE 129	/* a longer comment refuses the whole transaction */

bool policy_seen(const struct policy *p, enum hook hook)
{
	switch (hook) {
	case HOOK_LOCAL:
		return p->origin != ORIGIN_FORWARDED && !p->in.count && !p->mac.count;
	case HOOK_FORWARDED:
		return p->origin != ORIGIN_LOCAL && !p->user.given && !p->group.given && !p->cgroup.count;
	}
	return false;
}

static bool in_force(const struct policy_plan *pp, enum hook hook)
{
	return pp->policy->enabled && policy_seen(pp->policy, hook);
}

bool plan_has_kill_switch(const struct plan *p, enum hook hook)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (policy_is_kill_switch(p->policies[i].policy) && in_force(&p->policies[i], hook))
			return true;
	return false;
}

bool plan_names_marks(const struct plan *p, enum hook hook)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (p->policies[i].policy->mark.count && in_force(&p->policies[i], hook))
			return true;
	return false;
}

/* eth2 beats main, eth2_yields leaves main its own routes, eth2_only is a kill switch's. */
const char *way_suffix(const struct verdict *v)
{
	return v->kill ? "_only" : v->yields ? "_yields" : "";
}

/* Where a packet of this policy goes. Local packets are remembered; forwarded ones unless they came in by a
 * symmetric interface, which their connection remembers instead. */
static void put_target(const struct plan *p, const struct policy_plan *pp, enum family f, enum hook hook, struct strbuf *b)
{
	const struct verdict *v = &pp->verdict[f];
	const char *how = hook == HOOK_LOCAL ? "take" : "lead";

	switch (v->outcome) {
	case ACTION_VIA:
		strbuf_printf(b, "goto %s_%s%s", how, p->paths[v->active[0]].word, way_suffix(v));
		break;
	case ACTION_BALANCE:
		strbuf_printf(b, "goto %s_%s.balance_%c", how, pp->word, f == FAMILY_IPV4 ? '4' : '6');
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
	case ACTION_UNREACHABLE:
		strbuf_add(b, "reject with icmpx host-unreachable");
		break;
	case ACTION_PROHIBIT:
		strbuf_add(b, "reject with icmpx admin-prohibited");
		break;
	case ACTION_BLACKHOLE:
		strbuf_add(b, "drop");
		break;
	}
}

bool policy_skipped(const struct policy_plan *pp, enum family f)
{
	const struct verdict *v = &pp->verdict[f];

	return !v->covered || v->catches_nothing || (v->dormant && pp->policy->otherwise == OTHERWISE_NEXT);
}

static char *target(const struct plan *p, const struct policy_plan *pp, enum family f, enum hook hook)
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
	snprintf(buf, COMMENT_SIZE, "%s %.*s:%u", pol->name, room > 0 ? room : 0, base, pol->at.line);
	for (char *c = buf; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ' || *c == 127)
			*c = '_';
}

/* Rules for one family; `open` says that they serve the other one, too. `end` is what stands behind the match. */
static int add_rules(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp, enum hook hook,
		     enum family f, bool open, const char *end)
{
	CLEANUP(texts_done) struct texts match = { 0 };
	char where[COMMENT_SIZE];
	int r = match_policy(p, pp, hook, f, &match);

	if (r == -ENOENT)
		return 0;
	where_text(pp->policy, where);
	for (size_t i = 0; i < match.count && r == 0; i++)
		r = nft_add_rule(c, where, "%s%s%s", !open && !match_names_family(pp->policy, f) ?
				 (f == FAMILY_IPV4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ") : "", match.v[i], end);
	return r;
}

static int add_policy(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp, enum hook hook)
{
	char *way[FAMILY_COUNT] = { target(p, pp, FAMILY_IPV4, hook), target(p, pp, FAMILY_IPV6, hook) };
	bool open = match_needs_family(pp->policy) && !policy_skipped(pp, FAMILY_IPV4) && !policy_skipped(pp, FAMILY_IPV6) &&
		    way[0] && way[1] && strcmp(way[0], way[1]) == 0;
	int r = way[0] && way[1] ? 0 : -ENOMEM;

	for (int f = 0; f < FAMILY_COUNT && r == 0; f++) {
		char *end;

		if (policy_skipped(pp, (enum family)f) || (open && f != FAMILY_IPV4))
			continue;
		if (asprintf(&end, "counter name \"policy_%s\" %s", pp->word, way[f]) < 0) {
			r = -ENOMEM;
			break;
		}
		r = add_rules(p, c, pp, hook, (enum family)f, open, end);
		free(end);
	}
	free(way[0]);
	free(way[1]);
	return r;
}

int judge_add(const struct plan *p, struct nft_chain *c, enum hook hook, bool only_marked)
{
	int r = 0;

	for (size_t i = 0; i < p->policy_count && r == 0; i++)
		if (in_force(&p->policies[i], hook) && (!only_marked || p->policies[i].policy->mark.count))
			r = add_policy(p, c, &p->policies[i], hook);
	return r;
}

/* ---- connections older than a kill switch ---- */

static int add_older(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp, enum hook hook,
		     const char *end)
{
	bool open = match_needs_family(pp->policy) && !policy_skipped(pp, FAMILY_IPV4) && !policy_skipped(pp, FAMILY_IPV6);
	int r = 0;

	for (int f = 0; f < FAMILY_COUNT && r == 0; f++)
		if (!policy_skipped(pp, (enum family)f) && !(open && f != FAMILY_IPV4))
			r = add_rules(p, c, pp, hook, (enum family)f, open, end);
	return r;
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
		strbuf_printf(&b, "%s0x%08x : return", any ? ", " : "", path->mark_kill);
		any = true;
	}
	return strbuf_take(&b);
}

int judge_add_older(const struct plan *p, struct nft_chain *c, enum hook hook)
{
	size_t last = 0;
	int r = 0;

	for (size_t i = 0; i < p->policy_count; i++)
		if (policy_is_kill_switch(p->policies[i].policy) && in_force(&p->policies[i], hook))
			last = i + 1;
	for (size_t i = 0; i < last && r == 0; i++) {
		const struct policy_plan *pp = &p->policies[i];
		char *own, *text;

		if (!in_force(pp, hook))
			continue;
		if (!policy_is_kill_switch(pp->policy)) {
			r = add_older(p, c, pp, hook, "return");
			continue;
		}
		own = own_marks(p, pp->policy);
		if (!own)
			return -ENOMEM;
		if (*own) {
			r = asprintf(&text, "ct mark & 0x%08x vmap { %s }", p->config->settings.mark_mask, own) < 0 ? -ENOMEM : 0;
			if (r == 0) {
				r = add_older(p, c, pp, hook, text);
				free(text);
			}
		}
		free(own);
		if (r == 0)
			r = add_older(p, c, pp, hook, "goto cut");
	}
	return r;
}
