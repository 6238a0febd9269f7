/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A packet's way through ruleset.c's chains and the routing rules, without the packet. What stands
 * there as rules stands here as code in the same order; verdicts, marks, rules and routes are the
 * plan's own.
 */
#include "plan/explain/explainer.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "plan/match.h"

static void explainer_done(struct explainer *x)
{
	fib_done(&x->fib);
	nft_table_done(&x->have);
}

void explanation_done(struct explanation *e)
{
	for (size_t i = 0; i < e->passed_over_count; i++)
		free(e->passed_over[i].because);
	free(e->passed_over);
	*e = (struct explanation){ 0 };
}

/* ---- routes ---- */

static const struct link *link_of(const struct explainer *x, const struct lookup *way)
{
	const struct route *r = way->route;

	if (!way->rule)
		return links_by_index(&x->plan->facts->links, r->oif);
	if (r->type == RTN_LOCAL || (r->type == RTN_ANYCAST && r->family == FAMILY_IPV6))
		return links_by_name(&x->plan->facts->links, "lo");
	return links_by_index(&x->plan->facts->links, r->oif);
}

static enum action outcome_of_error(int error)
{
	switch (error) {
	case -EACCES:
		return ACTION_PROHIBIT;
	case -EINVAL:
		return ACTION_BLACKHOLE;
	default:
		return ACTION_UNREACHABLE;
	}
}

/* False: the packet ends here. */
static bool look_up(struct explainer *x, const struct flow *key, const char *note)
{
	struct explanation *e = x->e;

	e->way = fib_lookup(&x->fib, key);
	e->link = e->way.error ? NULL : link_of(x, &e->way);
	if (!e->link)
		explainer_refuse(x, outcome_of_error(e->way.error), note);
	return e->link != NULL;
}

/* A marked packet is looked up once more (ip_route_me_harder). IPv4 then knows no user and takes it
 * for root's. */
static bool look_up_marked(struct explainer *x)
{
	struct flow key = fib_packet_key(&x->fib, &x->e->flow);

	key.mark = x->e->mark;
	if (key.family == FAMILY_IPV4)
		key.uid = 0;
	return look_up(x, &key, NULL);
}

/* ---- policies: judge.c ---- */

/* Loopback, link-local, multicast and broadcast. */
static bool is_never_steered(const struct explainer *x)
{
	const struct addr *dst = &x->e->flow.dst;

	switch (fib_address_type(&x->fib, dst)) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return true;
	default:
		return addr_is_link_local(dst);
	}
}

/* The first policy that takes the flow, NULL when none does. */
static int find_policy(struct explainer *x, const struct policy_plan **ret)
{
	struct explanation *e = x->e;

	*ret = NULL;
	for (size_t i = 0; i < x->plan->policy_count; i++) {
		const struct policy_plan *pp = &x->plan->policies[i];
		struct passed_over *p;
		char *because;
		int r = flow_match(x->plan, pp, &e->flow, &x->have, &because);

		if (r < 0)
			return r;
		if (!because) {
			e->policy = pp->policy;
			*ret = pp;
			return 0;
		}
		p = VEC_PUSH(e->passed_over, e->passed_over_count);
		if (!p) {
			free(because);
			return -ENOMEM;
		}
		*p = (struct passed_over){ pp->policy, because };
	}
	return 0;
}

static uint32_t mark_of_path(const struct path *path, const struct verdict *v)
{
	return v->kill ? path->mark_kill : v->yields ? path->mark_yields : path->mark;
}

static uint32_t mark_of_table(const struct plan *p, uint32_t table, const struct verdict *v)
{
	for (size_t i = 0; i < p->table_count; i++)
		if (p->tables[i].table == table)
			return v->yields ? p->tables[i].mark_yields : p->tables[i].mark;
	return 0;
}

static void set_mark(struct explainer *x, uint32_t mark)
{
	x->e->mark = (x->e->mark & ~x->plan->config->settings.mark_mask) | mark;
}

/* What is not steered but may have been caught by a companion is told "main". */
static void leave_unsteered(struct explainer *x)
{
	const struct plan *p = x->plan;
	enum family f = x->e->flow.family;
	bool caught = p->companion_elsewhere[f];

	for (size_t i = 0; i < p->path_count && !caught; i++)
		caught = p->paths[i].half[f].has_companion &&
			 !strcmp(p->paths[i].name, x->e->link->name);
	if (caught && !explainer_is_managed(x, &x->e->flow.src))
		set_mark(x, p->mark_main);
}

/* Carries a verdict out. False: the packet ends here. */
static bool follow(struct explainer *x, const struct policy_plan *pp)
{
	const struct verdict *v = &pp->verdict[x->e->flow.family];
	bool sure = true;
	size_t member = 0;

	switch (v->outcome) {
	case ACTION_BALANCE:
		member = flow_balance(x->plan, pp, &x->e->flow, &sure);
		x->e->is_unforeseen = !sure;
		set_mark(x, mark_of_path(&x->plan->paths[v->active[member]], v));
		return true;
	case ACTION_VIA:
		set_mark(x, mark_of_path(&x->plan->paths[v->active[0]], v));
		return true;
	case ACTION_TABLE:
		set_mark(x, mark_of_table(x->plan, pp->policy->table, v));
		return true;
	case ACTION_MAIN:
		if (x->e->flow.forwarded)
			return true;
		if (v->dormant)
			leave_unsteered(x);
		else
			set_mark(x, x->plan->mark_main);
		return true;
	case ACTION_UNREACHABLE:
	case ACTION_PROHIBIT:
	case ACTION_BLACKHOLE:
		explainer_refuse(x, v->outcome, NULL);
		return false;
	}
	return false;
}

/* What the way in the end makes of the verdict: main's own routes may have come first, and a table
 * may have none. */
static enum action outcome_of_way(const struct explainer *x, const struct policy_plan *pp)
{
	const struct verdict *v = pp ? &pp->verdict[x->e->flow.family] : NULL;
	uint32_t table = x->e->way.route->table;

	if (!v)
		return ACTION_MAIN;
	if (v->outcome == ACTION_TABLE)
		return table == pp->policy->table ? ACTION_TABLE : ACTION_MAIN;
	for (size_t i = 0; i < v->active_count; i++)
		if (x->plan->paths[v->active[i]].table == table)
			return ACTION_VIA;
	return ACTION_MAIN;
}

/* ---- the host's own packets: the chain `output` ---- */

/* The look-ups of connect(). IPv4 looks twice, the second time with the source that the first
 * found; IPv6 does so where the first found nothing, with whatever source it likes best
 * (ip6_dst_lookup_tail). */
static bool connect_socket(struct explainer *x)
{
	static const char no_route[] =
		"the first look-up finds no way, so connect() fails before a policy is asked";
	static const struct route none = { .family = FAMILY_IPV6 };
	struct explanation *e = x->e;
	bool found;

	if (e->flow.has_src && fib_address_type(&x->fib, &e->flow.src) != RTN_LOCAL) {
		explainer_refuse(x, ACTION_UNREACHABLE,
		       "no socket can have this source: it is not an address of this host, or its "
		       "interface is down");
		return false;
	}
	if (e->flow.protocol == IPPROTO_TCP && explainer_is_for_many(x)) {
		explainer_refuse(x, ACTION_UNREACHABLE, "TCP speaks to one host, not to many");
		return false;
	}
	found = look_up(x, &e->flow, no_route);
	if (e->flow.has_src || (!found && e->flow.family == FAMILY_IPV4))
		return found;
	e->flow.has_src = source_of_route(x->plan->facts, found ? e->way.route : &none,
					  &e->flow.dst, &e->flow.src);
	if (!e->flow.has_src) {
		explainer_refuse(x, ACTION_UNREACHABLE, "no address of this host can be the source");
		return false;
	}
	if (found && e->flow.family == FAMILY_IPV6)
		return true;
	e->note = NULL;
	return look_up(x, &e->flow, no_route);
}

static bool has_foreign_mark(const struct explainer *x)
{
	return x->e->flow.mark & ~x->plan->config->settings.mark_mask;
}

/* False: no policy is asked. */
static bool is_judged(struct explainer *x, enum hook hook)
{
	if (has_foreign_mark(x) && !plan_names_marks(x->plan, hook))
		x->e->note = "a packet with somebody else's mark is left alone";
	else if (is_never_steered(x))
		x->e->note = "loopback, link-local, multicast and broadcast are never steered";
	else
		return true;
	return false;
}

static int judge_local(struct explainer *x, const struct policy_plan **ret)
{
	int r;

	*ret = NULL;
	if (x->e->link->loopback) {
		x->e->note = "what goes to this host itself is never steered";
		return 0;
	}
	if (!is_judged(x, HOOK_LOCAL))
		return 0;
	r = find_policy(x, ret);
	if (r == 0 && !*ret && !has_foreign_mark(x))
		leave_unsteered(x);
	return r;
}

/* No packet, so nobody asks; but it is good to know who would have taken it. */
static int judge_unsent(struct explainer *x)
{
	const char *note = x->e->note;
	const struct policy_plan *pp = NULL;
	int r = is_judged(x, HOOK_LOCAL) ? find_policy(x, &pp) : 0;

	x->e->note = note;
	if (r == 0 && pp && pp->verdict[x->e->flow.family].outcome >= ACTION_UNREACHABLE)
		explainer_refuse(x, pp->verdict[x->e->flow.family].outcome, NULL);
	return r;
}

/* ---- what is forwarded: the chain `prerouting` ---- */

static int judge_forwarded(struct explainer *x, const struct policy_plan **ret)
{
	const struct flow *f = &x->e->flow;

	*ret = NULL;
	if (f->has_src && f->family == FAMILY_IPV6 && addr_is_link_local(&f->src)) {
		x->e->note = "a link-local neighbour is answered on its link";
		return 0;
	}
	return is_judged(x, HOOK_FORWARDED) ? find_policy(x, ret) : 0;
}

/* ---- the whole way ---- */

static int explain_local(struct explainer *x)
{
	const struct policy_plan *pp;
	uint32_t before = x->e->mark;
	int r;

	if (!connect_socket(x))
		return judge_unsent(x);
	r = judge_local(x, &pp);
	if (r < 0 || (pp && !follow(x, pp)) || (x->e->mark != before && !look_up_marked(x)))
		return r;
	x->e->outcome = outcome_of_way(x, pp);
	explainer_leave(x);
	return 0;
}

static int explain_forwarded(struct explainer *x)
{
	const struct policy_plan *pp;
	int r = judge_forwarded(x, &pp);

	if (r < 0 || (pp && !follow(x, pp)) || !look_up_marked(x))
		return r;
	x->e->outcome = outcome_of_way(x, pp);
	if (explainer_is_for_many(x))
		explainer_refuse(x, ACTION_BLACKHOLE, "multicast and broadcast are not forwarded");
	else if (!x->e->link->loopback && !x->plan->facts->forwarding[x->e->flow.family])
		explainer_refuse(x, ACTION_BLACKHOLE, "this host does not forward");
	else if (!explainer_passes_reverse(x))
		explainer_refuse(x, ACTION_BLACKHOLE,
		       "the strict reverse-path filter of the interface it comes in by drops it");
	else
		explainer_leave(x);
	return 0;
}

static bool has_dynamic_sets(const struct config *c)
{
	for (size_t i = 0; i < c->set_count; i++)
		if (c->sets[i].dynamic)
			return true;
	return false;
}

int explain_flow(const struct plan *p, const struct flow *f, struct explanation *ret)
{
	CLEANUP(explanation_done) struct explanation e = { .flow = *f, .mark = f->mark };
	CLEANUP(explainer_done) struct explainer x = { .plan = p, .e = &e };
	int r = fib_make(p, f->family, &x.fib);

	/* A listing that can't be read is as good as none: it will be repaired. */
	if (r == 0 && has_dynamic_sets(p->config) && nft_parse(p->facts->nft, NULL, &x.have) == -ENOMEM)
		r = -ENOMEM;
	if (r == 0)
		r = f->forwarded ? explain_forwarded(&x) : explain_local(&x);
	if (r < 0)
		return r;
	*ret = e;
	e = (struct explanation){ 0 };
	return 0;
}
