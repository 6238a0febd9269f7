/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A plan's streams: of each policy by each of its ways, the replies to what came in, and sockets
 * bound to an interface.
 */
#include "plan/explain/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/internal.h"

/* ---- which there are ---- */

void streams_done(struct streams *s)
{
	for (size_t i = 0; i < s->count; i++) {
		addr_ranges_done(&s->v[i].to);
		addr_ranges_done(&s->v[i].from);
	}
	free(s->v);
	*s = (struct streams){ 0 };
}

/* The addresses that may match, without looking at what is negated; none when they may be all. */
static int add_match(const struct config *c, const struct addr_match *m, enum family f,
		     struct addr_ranges *ret)
{
	int r = addr_ranges_join(ret, &m->yes[f]);

	for (size_t i = 0; i < m->set_count && r == 0; i++) {
		const struct set *set = &c->sets[m->sets[i].set];

		if (m->sets[i].negated)
			continue;
		if (set->dynamic) {
			addr_ranges_done(ret);
			return 0;
		}
		r = addr_ranges_join(ret, &set->elements[f]);
	}
	addr_ranges_normalise(ret);
	return r;
}

/* A policy that names marks of others steers packets that carry one; any other policy steers
 * those without. */
static void set_foreign_mark(const struct plan *p, struct stream *s)
{
	uint32_t ours = p->config->settings.mark_mask;

	s->mark_known = UINT32_MAX;
	for (size_t i = 0; s->policy && i < s->policy->mark.count; i++) {
		const struct mark_value *m = &s->policy->mark.v[i];

		s->mark_known = ours | (m->negated || s->policy->mark.count > 1 ? 0 : m->mask);
		s->mark |= s->mark_known & ~ours & m->value;
	}
}

static struct stream *add_stream(const struct plan *p, const struct stream *what,
				 struct streams *ret)
{
	struct stream *s = VEC_PUSH(ret->v, ret->count);

	if (!s)
		return NULL;
	*s = *what;
	set_foreign_mark(p, s);
	return s;
}

static int add_way(const struct plan *p, const struct stream *what, struct streams *ret)
{
	struct stream *s = add_stream(p, what, ret);
	int r = s ? add_match(p->config, &what->policy->from, what->family, &s->from) : -ENOMEM;

	if (r == 0 && match_has_destination(p->config, &what->policy->to, what->family))
		r = add_match(p->config, &what->policy->to, what->family, &s->to);
	return r;
}

static uint32_t mark_of_path(const struct path *path, const struct verdict *v)
{
	return v->kill ? path->mark_kill : v->yields ? path->mark_yields : path->mark;
}

static int add_policy(const struct plan *p, const struct policy_plan *pp, enum family f,
		      struct streams *ret)
{
	const struct verdict *v = &pp->verdict[f];
	struct stream s = {
		.family = f,
		.policy = pp->policy,
		.yields = v->yields,
		.is_local = policy_seen(pp->policy, HOOK_LOCAL),
		.is_forwarded = policy_seen(pp->policy, HOOK_FORWARDED) && p->facts->forwarding[f],
	};
	int r = 0;

	if (!pp->policy->enabled || !v->covered || (!s.is_local && !s.is_forwarded))
		return 0;
	for (size_t i = 0; i < v->active_count && r == 0; i++) {
		s.path = &p->paths[v->active[i]];
		s.mark = mark_of_path(s.path, v);
		r = add_way(p, &s, ret);
	}
	for (size_t i = 0; v->outcome == ACTION_TABLE && i < p->table_count && r == 0; i++) {
		if (p->tables[i].table != pp->policy->table)
			continue;
		s.table = pp->policy->table;
		s.mark = v->yields ? p->tables[i].mark_yields : p->tables[i].mark;
		r = add_way(p, &s, ret);
	}
	return r;
}

static int add_replies(const struct plan *p, const struct path *path, enum family f,
		       struct streams *ret)
{
	const struct stream what = {
		.family = f, .path = path, .mark = path->mark, .is_local = true
	};
	struct stream *s = add_stream(p, &what, ret);
	int r = s ? 0 : -ENOMEM;

	for (size_t i = 0; i < path->half[f].address_count && r == 0; i++) {
		const struct addr *a = &path->half[f].addresses[i];

		r = addr_ranges_add(&s->from, &(struct addr_range){ *a, *a });
	}
	if (r == 0)
		addr_ranges_normalise(&s->from);
	return r;
}

static int add_path(const struct plan *p, const struct path *path, enum family f,
		    struct streams *ret)
{
	const struct stream bound = {
		.family = f, .path = path, .is_local = true, .is_bound = true
	};
	int r = 0;

	if (!path->half[f].usable)
		return 0;
	if (path->half[f].symmetric)
		r = add_replies(p, path, f, ret);
	return r < 0 || add_stream(p, &bound, ret) ? r : -ENOMEM;
}

int streams_of(const struct plan *p, struct streams *ret)
{
	struct streams all = { 0 };
	int r = 0;

	for (int f = 0; f < FAMILY_COUNT; f++) {
		for (size_t i = 0; i < p->policy_count && r == 0; i++)
			r = add_policy(p, &p->policies[i], (enum family)f, &all);
		for (size_t i = 0; i < p->path_count && r == 0; i++)
			r = add_path(p, &p->paths[i], (enum family)f, &all);
	}
	if (r < 0)
		streams_done(&all);
	*ret = all;
	return r;
}

/* ---- what a rule makes of them ---- */

static enum meeting meet_prefix(const struct prefix *prefix, const struct addr_ranges *list)
{
	struct addr_range range = prefix_range(prefix);
	const struct addr_ranges one = { .v = &range, .count = 1 };

	if (prefix->len == 0)
		return MEETING_ALL;
	if (list->count == 0)
		return MEETING_SOME;
	if (!addr_ranges_overlap(&one, list))
		return MEETING_NONE;
	for (size_t i = 0; i < list->count; i++)
		if (!prefix_contains(prefix, &list->v[i].from) ||
		    !prefix_contains(prefix, &list->v[i].to))
			return MEETING_SOME;
	return MEETING_ALL;
}

static enum meeting meet_numbers(const struct number_range *range, const struct number_match *m)
{
	size_t inside = 0, touched = 0;

	if (!m || !m->yes.count)
		return MEETING_SOME;
	for (size_t i = 0; i < m->yes.count; i++) {
		const struct number_range *n = &m->yes.v[i];

		touched += n->from <= range->to && range->from <= n->to;
		inside += n->from >= range->from && n->to <= range->to;
	}
	return inside == m->yes.count ? MEETING_ALL : touched ? MEETING_SOME : MEETING_NONE;
}

static enum meeting meet_ports(const struct number_range *range, const struct number_match *m)
{
	return range->to == 0 ? MEETING_ALL : meet_numbers(range, m);
}

static enum meeting meet_protocol(const struct rule *r, const struct stream *s)
{
	const struct number_range one = { r->ip_protocol, r->ip_protocol };

	return r->ip_protocol ? meet_numbers(&one, s->policy ? &s->policy->protocol : NULL)
			      : MEETING_ALL;
}

/* A forwarded packet counts as root's. */
static enum meeting meet_users(const struct rule *r, const struct stream *s)
{
	enum meeting local, forwarded;

	if (!r->has_uids)
		return MEETING_ALL;
	local = meet_numbers(&r->uids, s->policy ? &s->policy->user : NULL);
	forwarded = r->uids.from == 0 ? MEETING_ALL : MEETING_NONE;
	if (s->is_local && s->is_forwarded)
		return local == forwarded ? local : MEETING_SOME;
	return s->is_local ? local : forwarded;
}

static enum meeting meet_interfaces(const struct rule *r, const struct stream *s)
{
	bool named = !s->policy || !s->policy->in.count;

	/* `oif` is about sockets that are bound to it. */
	if (*r->oif && (!s->is_bound || strcmp(r->oif, s->path->name) != 0))
		return MEETING_NONE;
	if (!*r->iif)
		return MEETING_ALL;
	if (strcmp(r->iif, "lo") == 0)
		return !s->is_local ? MEETING_NONE : s->is_forwarded ? MEETING_SOME : MEETING_ALL;
	for (size_t i = 0; s->policy && i < s->policy->in.count; i++)
		named |= s->policy->in.v[i].negated ||
			 name_matches(s->policy->in.v[i].text, r->iif);
	return s->is_forwarded && named ? MEETING_SOME : MEETING_NONE;
}

static enum meeting meet_mark(const struct rule *r, const struct stream *s)
{
	if ((r->fwmark ^ s->mark) & r->fwmask & s->mark_known)
		return MEETING_NONE;
	return r->fwmask & ~s->mark_known ? MEETING_SOME : MEETING_ALL;
}

enum meeting stream_meets(const struct stream *s, const struct rule *r)
{
	const struct number_match *sport = s->policy ? &s->policy->sport : NULL;
	const struct number_match *dport = s->policy ? &s->policy->dport : NULL;
	const enum meeting all[] = {
		meet_mark(r, s),
		meet_prefix(&r->src, &s->from),
		meet_prefix(&r->dst, &s->to),
		meet_interfaces(r, s),
		meet_users(r, s),
		meet_protocol(r, s),
		meet_ports(&r->sport, sport),
		meet_ports(&r->dport, dport),
	};
	enum meeting least = MEETING_ALL;

	/* What we can't read (a type of service, a VRF) is of special packets: not of these. And
	 * whatever rule answers for a bound socket, it finds no other interface's routes. */
	if (r->family != s->family || r->has_other || (s->is_bound && !*r->oif))
		return MEETING_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < least)
			least = all[i];
	if (!r->invert)
		return least;
	return least == MEETING_ALL    ? MEETING_NONE
	       : least == MEETING_NONE ? MEETING_ALL
				       : MEETING_SOME;
}

bool stream_goes_to(const struct stream *s, const struct prefix *dst)
{
	return dst->len == 0 || meet_prefix(dst, &s->to) != MEETING_NONE;
}
