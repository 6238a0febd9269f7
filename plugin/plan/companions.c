/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Companions: routing rules that make the first look-up of a local packet agree with the policy, so that
 * connect() chooses the right source address. They help; the mark decides.
 */
#include "plan/shape.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COMPANIONS 64	/* rules are walked one by one: about 5 ns each for every local packet */
#define MAX_PREFIX_RULES 16	/* longer lists stand in a table of their own, a longest-prefix trie */
#define MAX_PREFIX_ROUTES 10000
#define MAX_BLOCKED 1000	/* each policy is compared with all of them */

/* Policies one behind the other that name destinations alone and go the same way are one list. Of 1,000 with ten
 * prefixes each the first six had rules, which cost each packet, and the others no companion: 7 % of the packets of
 * the last one's, which 10,000 routes don't cost. */
struct group {
	struct shape shape;		/* of all; `to` is canonical only while there is one */
	const struct path *way;		/* NULL: there is no group */
	size_t *policies;
	size_t count;
};

struct companions {
	struct plan *plan;
	enum family family;
	struct group group;		/* not added yet */
	size_t grouped;			/* prefixes of all groups together */
	struct shape *blocked;		/* policies that no companion speaks for: later ones must not catch their packets */
	size_t blocked_count;
	size_t rule_count;
	uint32_t priority;		/* of the next block, relative to the band */
};

static void group_done(struct group *g)
{
	shape_done(&g->shape);
	free(g->policies);
	*g = (struct group){ 0 };
}

static void companions_done(struct companions *c)
{
	group_done(&c->group);
	for (size_t i = 0; i < c->blocked_count; i++)
		shape_done(&c->blocked[i]);
	free(c->blocked);
}

static int block(struct companions *c, struct shape *s)
{
	struct shape *room = VEC_PUSH(c->blocked, c->blocked_count);

	if (!room)
		return -ENOMEM;
	*room = *s;
	*s = (struct shape){ 0 };
	return 0;
}

static bool is_blocked(const struct companions *c, const struct shape *s)
{
	for (size_t i = 0; i < c->blocked_count; i++)
		if (shapes_meet(&c->blocked[i], s))
			return true;
	return false;
}

/* ---- the reverse path ---- */

static bool is_strict(const struct plan *p, const struct link *l)
{
	uint8_t own = facts_rp_filter(p->facts, l), all = p->facts->rp_filter_all;
	uint8_t mode = own > all ? own : all;
	const struct path *path = plan_path(p, l->name);

	return mode == 1 && !(path && p->config->settings.rp_filter == RP_FILTER_LOOSE);
}

/* Whether main expects packets by this interface from where the companion leads to. What is addressed to a managed
 * interface is looked up by its `from` rule, ahead of the companions. */
static bool may_come_in_by(const struct plan *p, const struct link *l, const struct shape *s, bool yields)
{
	bool by_default = !plan_path(p, l->name) || (s->to_all && p->facts->forwarding[FAMILY_IPV4]);

	for (size_t i = 0; i < p->facts->route_count && by_default; i++) {
		const struct route *r = &p->facts->routes[i];

		if (r->family == FAMILY_IPV4 && r->table == MAIN_TABLE && r->oif == l->index && r->dst.len == 0)
			return true;
	}
	for (size_t i = 0; i < p->facts->address_count && !yields; i++) {
		const struct address *a = &p->facts->addresses[i];
		struct prefix net = prefix_of(&a->addr, a->len);
		struct addr_range range = prefix_range(&net);
		struct addr_ranges one = { .v = &range, .count = 1 };

		if (a->link == l->index && a->addr.family == FAMILY_IPV4 && (s->to_all || addr_ranges_overlap(&one, &s->to)))
			return true;
	}
	return false;
}

/* A strict reverse look-up runs with root's user id and from lo (fib_validate_source): a companion that
 * catches it would have the packet dropped on the interface where main expects it. */
static bool breaks_strict(const struct plan *p, enum family f, const struct shape *s, const struct link *way, bool yields)
{
	if (f != FAMILY_IPV4 || (s->uids.count && !numbers_contain(&s->uids, 0)))
		return false;
	for (size_t i = 0; i < p->facts->links.count; i++) {
		const struct link *l = &p->facts->links.v[i];

		if (!l->loopback && l != way && is_strict(p, l) && may_come_in_by(p, l, s, yields))
			return true;
	}
	return false;
}

/* ---- rules and tables ---- */

struct prefixes {
	struct prefix *v;
	size_t count;
};

static void prefixes_done(struct prefixes *l)
{
	free(l->v);
}

/* One rule for each combination of destination, user, protocol and port. `to` may be NULL: any. */
static int add_rules(struct companions *c, const struct shape *s, const struct prefixes *to, const struct rule *what)
{
	size_t n_to = to && to->count ? to->count : 1, n_uid = s->uids.count ? s->uids.count : 1;
	size_t n_proto = s->protocols.count ? s->protocols.count : 1, n_port = s->dports.count ? s->dports.count : 1;

	for (size_t i = 0; i < n_to * n_uid * n_proto * n_port; i++) {
		struct rule r = *what;
		int err;

		r.family = c->family;
		r.fwmask = UINT32_MAX;
		memcpy(r.iif, "lo", sizeof("lo"));
		if (to && to->count)
			r.dst = to->v[i % n_to];
		if (s->uids.count) {
			r.has_uids = true;
			r.uids = s->uids.v[i / n_to % n_uid];
		}
		if (s->protocols.count)
			r.ip_protocol = (uint8_t)s->protocols.v[i / (n_to * n_uid) % n_proto].from;
		if (s->dports.count)
			r.dport = s->dports.v[i / (n_to * n_uid * n_proto)];
		err = plan_add_rule(c->plan, &r);
		if (err < 0)
			return err;
		c->rule_count++;
	}
	return 0;
}

static size_t count_rules(const struct shape *s, size_t destinations)
{
	return destinations * (s->uids.count ? s->uids.count : 1) * (s->protocols.count ? s->protocols.count : 1) *
	       (s->dports.count ? s->dports.count : 1);
}

static int add_route(struct companions *c, uint32_t table, const struct prefix *dst, const struct path *way)
{
	struct route r = {
		.family = c->family, .type = RTN_THROW, .protocol = OUR_PROTOCOL, .table = table, .dst = *dst,
		.metric = c->family == FAMILY_IPV4 ? 0 : 1024,
	};
	struct route *room = VEC_PUSH(c->plan->routes, c->plan->route_count);

	if (!room)
		return -ENOMEM;
	if (way) {
		r.type = RTN_UNICAST;
		r.oif = way->link->index;
		path_lead_out(&way->half[c->family], &r);
	}
	*room = r;
	return 0;
}

/* A long list as routes: negated prefixes are `throw`, which goes on with the next rule. */
static int add_table(struct companions *c, uint32_t table, const struct prefixes *to, const struct prefixes *not_to,
		     const struct path *way)
{
	int r = 0;

	for (size_t i = 0; i < to->count && r == 0; i++)
		r = add_route(c, table, &to->v[i], way);
	for (size_t i = 0; i < not_to->count && r == 0; i++) {
		bool listed = false;

		for (size_t k = 0; k < to->count; k++)
			listed |= prefix_compare(&to->v[k], &not_to->v[i]) == 0;
		if (!listed)
			r = add_route(c, table, &not_to->v[i], NULL);
	}
	return r;
}

/* Tables of companions lie behind those of all slots. */
static uint32_t own_table(const struct plan *p, size_t policy)
{
	return p->config->settings.table_base + (p->config->settings.mark_mask >> p->mark_shift) + 1 + (uint32_t)policy;
}

/* The rules of one policy: what is negated jumps over the block; then main's own routes where it yields;
 * then the way itself. */
static int add_block(struct companions *c, const struct shape *s, size_t policy, const struct path *way, uint32_t table)
{
	const struct verdict *v = &c->plan->policies[policy].verdict[c->family];
	CLEANUP(prefixes_done) struct prefixes to = { 0 };
	CLEANUP(prefixes_done) struct prefixes not_to = { 0 };
	struct rule what = { .priority = c->priority, .action = RULE_GOTO, .target = BAND_END };
	bool in_table;
	int r = 0;

	/* A range is one prefix at least: 100,000 need not be taken apart to be too many. */
	if ((s->to_all ? 0 : s->to.count) + s->not_to.count > MAX_PREFIX_ROUTES)
		return -E2BIG;
	if (!s->to_all)
		r = addr_ranges_prefixes(&s->to, &to.v, &to.count);
	if (r == 0)
		r = addr_ranges_prefixes(&s->not_to, &not_to.v, &not_to.count);
	if (r < 0)
		return r;
	in_table = way && to.count > 0 && to.count + not_to.count > MAX_PREFIX_RULES;
	if (in_table ? to.count + not_to.count > MAX_PREFIX_ROUTES : to.count + not_to.count > MAX_COMPANIONS)
		return -E2BIG;
	if (c->rule_count + count_rules(s, in_table ? 1 : not_to.count + (to.count ? to.count : 1)) +
	    (v->yields ? count_rules(s, to.count ? to.count : 1) : 0) > MAX_COMPANIONS || c->priority + 4 >= BAND_END)
		return -E2BIG;
	if (in_table) {
		table = own_table(c->plan, policy);
		r = add_table(c, table, &to, &not_to, way);
	} else if (not_to.count) {
		what.target = c->priority + 3;
		r = add_rules(c, s, &not_to, &what);
	}
	if (r == 0 && table && v->yields) {
		what = (struct rule){ .priority = c->priority + 1, .action = RULE_LOOKUP, .table = MAIN_TABLE,
				      .has_suppress = true };
		r = add_rules(c, s, in_table ? NULL : &to, &what);
	}
	if (r < 0)
		return r;
	what = (struct rule){ .priority = c->priority + 2, .action = table ? RULE_LOOKUP : RULE_GOTO, .table = table,
			      .target = table ? 0 : BAND_END };
	r = add_rules(c, s, in_table ? NULL : &to, &what);
	if (r == 0 && not_to.count && !in_table) {
		struct rule landing = { .family = c->family, .priority = c->priority + 3, .action = RULE_NOP };

		r = plan_add_rule(c->plan, &landing);
	}
	c->priority += 4;
	return r;
}

/* ---- policies in order ---- */

static const struct path *way_of(const struct companions *c, size_t policy)
{
	const struct verdict *v = &c->plan->policies[policy].verdict[c->family];

	return v->outcome == ACTION_VIA ? &c->plan->paths[v->active[0]] : NULL;
}

static void note_companion(struct companions *c, size_t policy)
{
	struct policy_plan *pp = &c->plan->policies[policy];
	struct verdict *v = &pp->verdict[c->family];

	v->has_companion = true;
	if (v->outcome == ACTION_VIA)
		c->plan->paths[v->active[0]].half[c->family].has_companion = true;
	else if (v->outcome == ACTION_TABLE)
		c->plan->companion_elsewhere[c->family] = true;
}

/* Takes the shape over where it has to be remembered. */
static int add_alone(struct companions *c, size_t policy, struct shape *s)
{
	const struct plan *p = c->plan;
	const struct verdict *v = &p->policies[policy].verdict[c->family];
	const struct path *way = way_of(c, policy);
	uint32_t table = way ? way->table : v->outcome == ACTION_TABLE ? p->policies[policy].policy->table : 0;
	int r;

	if (is_blocked(c, s))
		return block(c, s);
	r = add_block(c, s, policy, way, table);
	if (r == -E2BIG)
		return block(c, s);
	if (r == 0)
		note_companion(c, policy);
	return r;
}

static int add_one_by_one(struct companions *c, const struct group *g)
{
	int r = 0;

	for (size_t i = 0; i < g->count && r == 0; i++) {
		CLEANUP(shape_done) struct shape s = { 0 };

		r = shape_of(c->plan->config, c->plan->policies[g->policies[i]].policy, c->family, &s);
		if (r == 0)
			r = add_alone(c, g->policies[i], &s);
	}
	return r;
}

/* All as one; where that is too much, one by one. */
static int add_group(struct companions *c)
{
	CLEANUP(group_done) struct group g = c->group;
	int r;

	if (!g.way)
		return 0;
	c->group = (struct group){ 0 };
	addr_ranges_normalise(&g.shape.to);
	r = add_block(c, &g.shape, g.policies[0], g.way, g.way->table);
	if (r == -E2BIG)
		return add_one_by_one(c, &g);
	for (size_t i = 0; i < g.count && r == 0; i++)
		note_companion(c, g.policies[i]);
	return r;
}

/* The first one's list is taken over. */
static int join_group(struct companions *c, size_t policy, struct shape *s)
{
	struct group *g = &c->group;
	size_t *room = VEC_PUSH(g->policies, g->count);

	if (!room)
		return -ENOMEM;
	*room = policy;
	c->grouped += s->to.count;
	g->way = way_of(c, policy);
	if (g->count > 1)
		return addr_ranges_join(&g->shape.to, &s->to);
	g->shape.to = s->to;
	s->to = (struct addr_ranges){ 0 };
	return 0;
}

static int add_policy(struct companions *c, size_t i)
{
	const struct plan *p = c->plan;
	const struct verdict *v = &p->policies[i].verdict[c->family];
	const struct path *way = way_of(c, i);
	CLEANUP(shape_done) struct shape s = { 0 };
	bool is_rule, list;
	int r = shape_of(p->config, p->policies[i].policy, c->family, &s);

	if (r < 0)
		return r;
	is_rule = s.exact && v->outcome != ACTION_BALANCE &&
		  !(way && breaks_strict(p, c->family, &s, way->link, v->yields));
	/* 100,000 policies of a prefix each shall not be 100,000 routes. */
	list = is_rule && way && !v->yields && shape_is_list(&s) && !is_blocked(c, &s) &&
	       c->grouped + s.to.count <= MAX_PREFIX_ROUTES;
	if (!list || way != c->group.way)
		r = add_group(c);
	if (r < 0)
		return r;
	/* Those of a group that was too much may stand in its way now. */
	if (list && !is_blocked(c, &s))
		return join_group(c, i, &s);
	return is_rule ? add_alone(c, i, &s) : block(c, &s);
}

/* Whether local packets without any mark can meet the policy at all, and it says a way. A packet that will be
 * refused needs no way: never an error route here, the mark could not repair it. */
static bool speaks(const struct plan *p, size_t i, enum family f)
{
	const struct policy *pol = p->policies[i].policy;
	const struct verdict *v = &p->policies[i].verdict[f];

	if (!pol->enabled || !v->covered || v->catches_nothing || !policy_seen(pol, HOOK_LOCAL))
		return false;
	for (size_t k = 0; k < pol->mark.count; k++)
		if (!pol->mark.v[k].negated && pol->mark.v[k].value)
			return false;
	switch (v->outcome) {
	case ACTION_VIA:
	case ACTION_BALANCE:
	case ACTION_TABLE:
		return true;
	case ACTION_MAIN:
		return !(v->dormant && pol->otherwise == OTHERWISE_NEXT);
	case ACTION_UNREACHABLE:
	case ACTION_PROHIBIT:
	case ACTION_BLACKHOLE:
		return false;
	}
	return false;
}

/* Exemptions behind the last way out exempt from nothing. */
static void drop_idle_tail(struct plan *p, size_t first)
{
	while (p->rule_count > first && p->rules[p->rule_count - 1].action == RULE_GOTO)
		p->rule_count--;
}

static bool prefixes_meet(const struct prefix *a, const struct prefix *b)
{
	return !a->len || !b->len || prefix_contains(a, &b->addr) || prefix_contains(b, &a->addr);
}

/* What is never steered is not for companions: those rules from the `first` on. A rule that none of them needs would
 * cost each look-up 3 ns, also the reverse one for what is forwarded. */
static int add_shield(struct plan *p, enum family f, size_t first)
{
	static const char *const never_steered[FAMILY_COUNT][4] = {
		{ "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255" }, { "fe80::/10", "ff00::/8" },
	};
	size_t end = p->rule_count;

	for (const char *const *text = never_steered[f]; *text; text++) {
		struct rule r = { .family = f, .priority = BAND_SHIELD, .action = RULE_GOTO, .target = BAND_END,
				  .fwmask = UINT32_MAX, .iif = "lo" };
		int err = prefix_parse(*text, &r.dst);
		size_t i = first;

		while (i < end && !prefixes_meet(&p->rules[i].dst, &r.dst))
			i++;
		if (err == 0 && i < end)
			err = plan_add_rule(p, &r);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Then no later policy gets a companion. */
static bool is_full(const struct companions *c)
{
	return c->rule_count >= MAX_COMPANIONS || c->blocked_count >= MAX_BLOCKED;
}

static int add_family(struct plan *p, enum family f)
{
	CLEANUP(companions_done) struct companions c = { .plan = p, .family = f, .priority = BAND_COMPANION };
	size_t first = p->rule_count;
	int r = 0;

	for (size_t i = 0; i < p->policy_count && r == 0 && !is_full(&c); i++)
		if (speaks(p, i, f))
			r = add_policy(&c, i);
	if (r == 0)
		r = add_group(&c);
	drop_idle_tail(p, first);
	return r == 0 ? add_shield(p, f, first) : r;
}

int plan_companions(struct plan *p)
{
	int r = 0;

	for (int f = 0; f < FAMILY_COUNT && r == 0; f++)
		if (p->facts->has_family[f])
			r = add_family(p, (enum family)f);
	return r;
}
