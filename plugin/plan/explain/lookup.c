/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules by priority, in each table the longest prefix, then the lowest metric: fib_rules_lookup()
 * and what it calls.
 */
#include "plan/explain/lookup.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* ---- the rules in their order ---- */

void fib_done(struct fib *t)
{
	free(t->rules);
	*t = (struct fib){ 0 };
}

static size_t collect(const struct rule *v, size_t count, struct fib *t, bool ours)
{
	for (size_t i = 0; i < count; i++)
		if (v[i].family == t->family && (ours || v[i].protocol != OUR_PROTOCOL))
			t->rules[t->rule_count++] = &v[i];
	return t->rule_count;
}

/* Two lists that are each in order (the kernel's, the plan's) become one; at the same priority
 * somebody else's goes first, since it was there before. */
static void sort_rules(struct fib *t)
{
	for (size_t i = 1; i < t->rule_count; i++) {
		const struct rule *r = t->rules[i];
		size_t k = i;

		for (; k > 0 && t->rules[k - 1]->priority > r->priority; k--)
			t->rules[k] = t->rules[k - 1];
		t->rules[k] = r;
	}
}

int fib_make(const struct plan *p, enum family f, struct fib *ret)
{
	struct fib t = { .plan = p, .family = f };

	t.rules = calloc(p->rule_count + p->facts->rule_count + 1, sizeof(*t.rules));
	if (!t.rules)
		return -ENOMEM;
	collect(p->facts->rules, p->facts->rule_count, &t, false);
	collect(p->rules, p->rule_count, &t, true);
	sort_rules(&t);
	*ret = t;
	return 0;
}

/* ---- whether a rule speaks of a packet ---- */

static bool ports_hold(const struct number_range *range, uint32_t port)
{
	return range->to == 0 || (port >= range->from && port <= range->to);
}

static bool selectors_hold(const struct rule *r, const struct flow *f)
{
	const char *iif = f->forwarded ? f->in : "lo";

	if ((*r->iif && (!iif || strcmp(r->iif, iif) != 0)) || *r->oif)
		return false;
	if ((r->fwmark ^ f->mark) & r->fwmask)
		return false;
	/* What comes in has no user: it counts as root's (ip_route_input_slow: sock_net_uid without
	 * a socket). */
	if (r->has_uids && ((f->forwarded ? 0 : f->uid) < r->uids.from ||
			    (f->forwarded ? 0 : f->uid) > r->uids.to))
		return false;
	/* IPv6 does not compare a source that is not there yet; IPv4 takes it for 0.0.0.0. */
	if (r->src.len &&
	    ((f->family == FAMILY_IPV6 && !f->has_src) || !prefix_contains(&r->src, &f->src)))
		return false;
	if (r->dst.len && !prefix_contains(&r->dst, &f->dst))
		return false;
	return (!r->ip_protocol || r->ip_protocol == f->protocol) &&
	       ports_hold(&r->sport, f->sport) && ports_hold(&r->dport, f->dport);
}

/* What the rule carries beyond what we can read (a type of service, a VRF) is of special packets:
 * not of this one. */
static bool rule_matches(const struct rule *r, const struct flow *f)
{
	return !r->has_other && selectors_hold(r, f) != r->invert;
}

/* ---- tables ---- */

/* A route by an interface without carrier is still used, unless ignore_routes_with_linkdown says
 * otherwise. */
static bool route_lives(const struct fib *t, const struct route *r)
{
	const struct link *l = r->oif ? links_by_index(&t->plan->facts->links, r->oif) : NULL;

	return !r->dead || (l && l->up);
}

static bool is_better(const struct route *r, const struct route *best)
{
	return !best || r->dst.len > best->dst.len ||
	       (r->dst.len == best->dst.len && r->metric < best->metric);
}

static void search(const struct fib *t, const struct route *v, size_t count, uint32_t table,
		   const struct addr *dst, struct lookup *found)
{
	bool ours = v == t->plan->routes;

	for (size_t i = 0; i < count; i++) {
		const struct route *r = &v[i];

		if (r->table != table || r->family != t->family ||
		    (!ours && r->protocol == OUR_PROTOCOL) || !prefix_contains(&r->dst, dst) ||
		    !route_lives(t, r))
			continue;
		if (is_better(r, found->route)) {
			found->route = r;
			found->is_one_of_several = false;
		} else if (!ours && route_same_slot(r, found->route) && r->type == RTN_UNICAST) {
			found->is_one_of_several = true;
		}
	}
}

static struct lookup search_table(const struct fib *t, uint32_t table, const struct addr *dst)
{
	struct lookup found = { 0 };

	search(t, t->plan->facts->routes, t->plan->facts->route_count, table, dst, &found);
	search(t, t->plan->routes, t->plan->route_count, table, dst, &found);
	return found;
}

/* -EAGAIN: the next rule is asked. */
static int route_error(const struct route *r)
{
	if (!r)
		return -EAGAIN;
	switch (r->type) {
	case RTN_THROW:
		return -EAGAIN;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	case RTN_BLACKHOLE:
		return -EINVAL;
	default:
		return 0;
	}
}

/* -EAGAIN: the rule has no answer. */
static int ask(const struct fib *t, const struct rule *r, const struct flow *f, struct lookup *ret)
{
	int err = -EAGAIN;

	switch (r->action) {
	case RULE_LOOKUP:
		*ret = search_table(t, r->table, &f->dst);
		err = route_error(ret->route);
		/* A refusal is an answer however short its prefix is. */
		if (err == 0 && r->has_suppress && ret->route->dst.len <= r->suppress)
			err = -EAGAIN;
		break;
	case RULE_UNREACHABLE:
		err = -ENETUNREACH;
		break;
	case RULE_PROHIBIT:
		err = -EACCES;
		break;
	case RULE_BLACKHOLE:
		err = -EINVAL;
		break;
	case RULE_GOTO:
	case RULE_NOP:
	case RULE_OTHER:
		break;
	}
	ret->rule = r;
	ret->error = err;
	return err;
}

/* The place of the first rule with this priority; where there is none, a goto goes nowhere. */
static size_t find_target(const struct fib *t, size_t from)
{
	for (size_t i = from + 1; i < t->rule_count; i++)
		if (t->rules[i]->priority == t->rules[from]->target)
			return i;
	return from + 1;
}

/* IPv4 sends to everybody from an address by the interface that has it, and asks no rule
 * (ip_route_output_key_hash_rcu). */
static bool goes_by_source(const struct flow *f)
{
	static const uint8_t everybody[4] = { 255, 255, 255, 255 };

	return f->family == FAMILY_IPV4 && !f->forwarded && f->has_src &&
	       (f->dst.bytes[0] >> 4 == 14 || memcmp(f->dst.bytes, everybody, 4) == 0);
}

struct lookup fib_lookup(const struct fib *t, const struct flow *f)
{
	struct lookup found = { 0 };
	size_t i = 0;

	if (goes_by_source(f)) {
		found = search_table(t, RT_TABLE_LOCAL, &f->src);
		found.error = found.route ? 0 : -ENETUNREACH;
		return found;
	}
	while (i < t->rule_count) {
		const struct rule *r = t->rules[i];

		if (!rule_matches(r, f))
			i++;
		else if (r->action == RULE_GOTO)
			i = find_target(t, i);
		else if (ask(t, r, f, &found) != -EAGAIN)
			return found;
		else
			i++;
	}
	return (struct lookup){ .error = -ENETUNREACH };
}

struct flow fib_packet_key(const struct fib *t, const struct flow *f)
{
	struct flow key = *f;

	for (size_t i = 0; i < t->rule_count; i++) {
		const struct rule *r = t->rules[i];

		if ((r->ip_protocol || r->sport.to || r->dport.to) && strcmp(r->iif, "lo") != 0)
			return key;
	}
	key.protocol = key.sport = key.dport = 0;
	return key;
}

uint8_t fib_address_type(const struct fib *t, const struct addr *a)
{
	const struct route *r = search_table(t, RT_TABLE_LOCAL, a).route;

	if (a->family == FAMILY_IPV4 &&
	    (a->bytes[0] == 0 || (a->bytes[0] & a->bytes[1] & a->bytes[2] & a->bytes[3]) == 255))
		return RTN_BROADCAST;
	if (a->family == FAMILY_IPV4 ? a->bytes[0] >> 4 == 14 : a->bytes[0] == 255)
		return RTN_MULTICAST;
	return r ? r->type : RTN_UNICAST;
}
