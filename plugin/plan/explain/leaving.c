/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a packet leaves that has found its link: kill switches, the address that the wire shows, and the
 * reverse-path filter that its reply meets.
 */
#include "plan/explain/explainer.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "plan/internal.h"

void explainer_refuse(struct explainer *x, enum action outcome, const char *note)
{
	x->e->outcome = outcome;
	x->e->link = NULL;
	x->e->mark = 0;
	if (note)
		x->e->note = note;
}

bool explainer_is_for_many(const struct explainer *x)
{
	uint8_t type = fib_address_type(&x->fib, &x->e->flow.dst);

	return type == RTN_BROADCAST || type == RTN_MULTICAST;
}

/* ---- reverse-path filters ---- */

/* Where main has no default route replies are marked before they are looked up: `home_…` in ways.c.
 * (What came in by a symmetric interface is remembered as that one's.) */
static uint32_t mark_of_reply(const struct explainer *x)
{
	const struct explanation *e = x->e;
	const struct path *out = plan_path(x->plan, e->link->name);
	const struct path *in = e->flow.in ? plan_path(x->plan, e->flow.in) : NULL;
	uint32_t ours = e->mark & x->plan->config->settings.mark_mask;

	if (!x->plan->marks_replies || e->flow.family == FAMILY_IPV6 || !ours || !out ||
	    !out->quoted[0] || (in && in->half[FAMILY_IPV4].symmetric))
		return 0;
	return ours == out->mark || ours == out->mark_yields || ours == out->mark_kill ?
		       out->mark_yields :
		       0;
}

/* The reply comes in by the interface by which the packet left, and is nobody's; the way back to its
 * sender is the packet's own way. */
static void judge_reply(struct explainer *x)
{
	struct flow key = x->e->flow;

	if (x->e->link->loopback || !key.has_src || explainer_is_for_many(x))
		return;
	key.mark = mark_of_reply(x);
	key.uid = 0;
	x->e->reverse = reverse_filter(&x->fib, x->e->link, &key);
}

bool explainer_passes_reverse(const struct explainer *x)
{
	const struct flow *f = &x->e->flow;
	const struct link *in = f->in ? links_by_name(&x->plan->facts->links, f->in) : NULL;
	struct flow back = *f;

	if (!in || !f->has_src)
		return true;
	back.dst = f->src;
	back.src = f->dst;
	back.sport = f->dport;
	back.dport = f->sport;
	back.in = x->e->link->name;
	back.forwarded = !x->e->link->loopback;
	back.mark = in->src_valid_mark ? x->e->mark : 0;
	back.uid = 0;
	return reverse_filter(&x->fib, in, &back) != REVERSE_DROPPED;
}

/* ---- postrouting: what leaves, and as whose ---- */

bool explainer_is_managed(const struct explainer *x, const struct addr *a)
{
	for (size_t i = 0; i < x->plan->path_count; i++)
		if (x->plan->paths[i].quoted[0] && path_has_address(&x->plan->paths[i], a))
			return true;
	return false;
}

static const struct path *path_by_mark(const struct plan *p, uint32_t mark)
{
	for (size_t i = 0; i < p->path_count; i++)
		if (p->paths[i].mark_kill &&
		    p->paths[i].mark_kill == (mark & p->config->settings.mark_mask))
			return &p->paths[i];
	return NULL;
}

static bool stands_on_loopback(const struct facts *f, const struct addr *a)
{
	for (size_t i = 0; i < f->address_count; i++) {
		const struct link *l = links_by_index(&f->links, f->addresses[i].link);

		if (l && l->loopback && addr_compare(&f->addresses[i].addr, a) == 0)
			return true;
	}
	return false;
}

static bool is_steered(const struct explainer *x)
{
	uint32_t ours = x->e->mark & x->plan->config->settings.mark_mask;

	return ours && ours != x->plan->mark_main;
}

/* The chain `nat`. */
static bool is_masqueraded(const struct explainer *x)
{
	const struct path *out = plan_path(x->plan, x->e->link->name);
	const struct addr *src = &x->e->flow.src;

	if (!x->e->flow.has_src || !out || !out->quoted[0] || out->interface->snat == SNAT_NEVER ||
	    path_has_address(out, src))
		return false;
	if (explainer_is_managed(x, src))
		return true;
	if (fib_address_type(&x->fib, src) == RTN_LOCAL)
		return is_steered(x) && !stands_on_loopback(x->plan->facts, src);
	return out->interface->snat == SNAT_ALWAYS;
}

static bool is_stray(const struct explainer *x)
{
	return explainer_is_managed(x, &x->e->source) &&
	       !path_has_address(plan_path(x->plan, x->e->link->name), &x->e->source);
}

static void find_gateway(struct explainer *x)
{
	x->e->has_gateway = x->e->way.route->has_gateway && !x->e->link->loopback &&
			    !explainer_is_for_many(x);
	x->e->gateway = x->e->way.route->gateway;
}

void explainer_leave(struct explainer *x)
{
	struct explanation *e = x->e;
	const struct path *only = path_by_mark(x->plan, e->mark);

	if (only && !e->link->loopback && strcmp(only->name, e->link->name) != 0) {
		explainer_refuse(x, ACTION_BLACKHOLE, "a kill switch lets nothing out by another interface");
		return;
	}
	if (!e->link->loopback && !e->link->carrier) {
		explainer_refuse(x, ACTION_BLACKHOLE, "the interface has no carrier");
		return;
	}
	find_gateway(x);
	e->has_source = e->flow.has_src;
	e->source = e->flow.src;
	e->is_rewritten = is_masqueraded(x);
	/* IPv6 would take another interface's address, which the chain `strays` holds back. */
	if (e->is_rewritten &&
	    (!source_of_masquerade(x->plan->facts, e->way.route, &e->flow.dst, &e->source) ||
	     is_stray(x)))
		explainer_refuse(x, ACTION_BLACKHOLE,
		       "the interface has no address that could replace the source");
	else
		judge_reply(x);
}
