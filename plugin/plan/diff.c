/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The desired state against the facts: steps in make-before-break order. What does not carry our protocol
 * is never touched, wherever it stands.
 */
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/dead.h"
#include "plan/nft-steps.h"

/* ---- sysctls ---- */

static const struct saved_sysctl *find_saved(const struct facts *f, const struct link *l, bool src_valid_mark)
{
	for (size_t i = 0; i < f->saved_count; i++) {
		const struct saved_sysctl *s = &f->saved[i];

		if (s->index == l->index && s->src_valid_mark == src_valid_mark && strcmp(s->name, l->name) == 0)
			return s;
	}
	return NULL;
}

static bool is_sysctl_wanted(const struct plan *p, const struct saved_sysctl *s)
{
	for (size_t i = 0; i < p->sysctl_count; i++)
		if (p->sysctls[i].link->index == s->index && p->sysctls[i].src_valid_mark == s->src_valid_mark)
			return true;
	return false;
}

static int set_sysctls(const struct plan *p, struct steps *ret)
{
	for (size_t i = 0; i < p->sysctl_count; i++) {
		const struct want_sysctl *w = &p->sysctls[i];
		uint8_t now = w->src_valid_mark ? w->link->src_valid_mark : w->link->rp_filter;
		const struct saved_sysctl *saved = find_saved(p->facts, w->link, w->src_valid_mark);
		struct step *s;

		if (now == w->value)
			continue;
		s = steps_add(ret, STEP_SYSCTL);
		if (!s)
			return -ENOMEM;
		memcpy(s->of.sysctl.name, w->link->name, NAME_SIZE);
		s->of.sysctl.index = w->link->index;
		s->of.sysctl.src_valid_mark = w->src_valid_mark;
		s->of.sysctl.value = w->value;
		/* What somebody wrote over our value is not what we found. */
		s->of.sysctl.found = saved ? saved->value : now;
	}
	return 0;
}

/* An interface that came back with another index has values of its own: the saved one is just forgotten. */
static int restore_sysctls(const struct plan *p, struct steps *ret)
{
	for (size_t i = 0; i < p->facts->saved_count; i++) {
		const struct saved_sysctl *saved = &p->facts->saved[i];
		const struct link *l = links_by_index(&p->facts->links, saved->index);
		struct step *s;

		if (!l || strcmp(l->name, saved->name) || is_sysctl_wanted(p, saved))
			continue;
		s = steps_add(ret, STEP_RESTORE_SYSCTL);
		if (!s)
			return -ENOMEM;
		memcpy(s->of.sysctl.name, saved->name, NAME_SIZE);
		s->of.sysctl.index = saved->index;
		s->of.sysctl.src_valid_mark = saved->src_valid_mark;
		s->of.sysctl.value = s->of.sysctl.found = saved->value;
	}
	return 0;
}

/* ---- routes ---- */

struct route_change {
	const struct route *route;
	enum step_kind kind;
};

struct route_changes {
	struct route_change *v;
	size_t count;
};

static void route_changes_done(struct route_changes *c)
{
	free(c->v);
}

static int note_route(struct route_changes *c, enum step_kind kind, const struct route *r)
{
	struct route_change *change = VEC_PUSH(c->v, c->count);

	if (!change)
		return -ENOMEM;
	*change = (struct route_change){ r, kind };
	return 0;
}

/* By slot; within one in the order of their array. */
static int compare_route_pointers(const void *a, const void *b)
{
	const struct route *const *left = a, *const *right = b;

	return route_slot_compare(*left, *right) ?: CMP(*left, *right);
}

/* NULL: no memory. */
static const struct route **sort_routes(const struct route *v, size_t count)
{
	const struct route **sorted = calloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < count; i++)
		sorted[i] = &v[i];
	if (sorted)
		vec_sort(sorted, count, sizeof(*sorted), compare_route_pointers);
	return sorted;
}

/* A route by an interface that is gone went with it. */
static bool can_delete(const struct facts *f, const struct route *r)
{
	return r->protocol == OUR_PROTOCOL && (!r->oif || links_by_index(&f->links, r->oif));
}

/* One slot: what stands in it, have[0] to have[count - 1], against the one that is wanted, or NULL. */
static int compare_slot(const struct facts *f, const struct route *const *have, size_t count, const struct route *want,
			struct route_changes *ret)
{
	bool stands = false, ours = false, foreign = false;
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		stands |= want && route_compare(have[i], want) == 0;
		ours |= can_delete(f, have[i]);
		foreign |= have[i]->protocol != OUR_PROTOCOL;
	}
	if (want && !stands && !foreign)
		return note_route(ret, ours ? STEP_REPLACE_ROUTE : STEP_ADD_ROUTE, want);
	for (size_t i = 0; i < count && !err; i++)
		if (can_delete(f, have[i]) && !(want && route_compare(have[i], want) == 0))
			err = note_route(ret, STEP_DELETE_ROUTE, have[i]);
	return err;
}

static int compare_routes(const struct plan *p, struct route_changes *ret)
{
	const struct route **have = sort_routes(p->facts->routes, p->facts->route_count);
	const struct route **want = sort_routes(p->routes, p->route_count);
	size_t hn = p->facts->route_count, wn = p->route_count, h = 0, w = 0;
	int err = have && want ? 0 : -ENOMEM;

	while (!err && (h < hn || w < wn)) {
		int c = h == hn ? 1 : w == wn ? -1 : route_slot_compare(have[h], want[w]);
		const struct route *slot = c < 0 ? have[h] : want[w];
		const struct route *wanted = c < 0 ? NULL : want[w];
		size_t n = 0;

		while (h + n < hn && route_same_slot(have[h + n], slot))
			n++;
		/* A slot holds one route: where planning names two, the first stands. */
		while (w < wn && route_same_slot(want[w], slot))
			w++;
		err = compare_slot(p->facts, have + h, n, wanted, ret);
		h += n;
	}
	free(have);
	free(want);
	return err;
}

static int add_route_steps(const struct route_changes *c, bool deletes, bool with_gateway, struct steps *ret)
{
	for (size_t i = 0; i < c->count; i++) {
		struct step *s;

		if ((c->v[i].kind == STEP_DELETE_ROUTE) != deletes || c->v[i].route->has_gateway != with_gateway)
			continue;
		s = steps_add(ret, c->v[i].kind);
		if (!s)
			return -ENOMEM;
		s->of.route = *c->v[i].route;
	}
	return 0;
}

/* ---- rules ---- */

struct rule_changes {
	const struct rule **fresh, **gone;	/* by the kernel's order */
	size_t fresh_count, gone_count;
	size_t had;			/* rules of ours that stand */
};

static void rule_changes_done(struct rule_changes *c)
{
	free(c->fresh);
	free(c->gone);
}

static int compare_rule_pointers(const void *a, const void *b)
{
	const struct rule *const *left = a, *const *right = b;

	return rule_compare(*left, *right);
}

/* Ours whatever the priority: the band may have been moved. One with a selector that we don't know could not be
 * deleted without hitting another. */
static bool is_ours(const struct rule *r)
{
	return r->protocol == OUR_PROTOCOL && !r->has_other && r->action != RULE_OTHER;
}

static const struct rule **sort_rules(const struct rule *v, size_t count, size_t *ret_count)
{
	const struct rule **sorted = calloc(count + 1, sizeof(*sorted));

	*ret_count = 0;
	for (size_t i = 0; sorted && i < count; i++)
		if (is_ours(&v[i]))
			sorted[(*ret_count)++] = &v[i];
	if (sorted)
		vec_sort(sorted, *ret_count, sizeof(*sorted), compare_rule_pointers);
	return sorted;
}

static int compare_rules(const struct plan *p, struct rule_changes *ret)
{
	size_t hn, wn, h = 0, w = 0;
	const struct rule **have = ret->gone = sort_rules(p->facts->rules, p->facts->rule_count, &hn);
	const struct rule **want = ret->fresh = sort_rules(p->rules, p->rule_count, &wn);

	if (!have || !want)
		return -ENOMEM;
	ret->had = hn;
	/* What remains is moved to the front of the same arrays. */
	while (h < hn || w < wn) {
		int c = h == hn ? 1 : w == wn ? -1 : rule_compare(have[h], want[w]);

		if (c < 0)
			ret->gone[ret->gone_count++] = have[h];
		else if (c > 0)
			ret->fresh[ret->fresh_count++] = want[w];
		h += c <= 0;
		w += c >= 0;
	}
	return 0;
}

/* A companion leads local packets that bear no mark yet. */
static bool is_companion(const struct rule *r)
{
	return r->fwmark == 0 && r->fwmask == UINT32_MAX && r->iif[0];
}

static int add_rule_step(enum step_kind kind, const struct rule *r, struct steps *ret)
{
	struct step *s = steps_add(ret, kind);

	if (!s)
		return -ENOMEM;
	s->of.rule = *r;
	return 0;
}

/* The order in which rules come, and the other way round go: what companions jump to; then the band from its beginning,
 * so that the replies' rules stand before companions do; then what jumps within it, from its end on, or a packet could
 * jump past a rule that is still elsewhere; and last what jumps in any case. */
enum turn { TURN_NOP, TURN_OTHER, TURN_JUMP, TURN_JUMP_ALWAYS, TURN_END };

static enum turn turn_of(const struct rule *r)
{
	const struct rule always = { .family = r->family, .action = RULE_GOTO, .protocol = r->protocol,
				     .priority = r->priority, .target = r->target, .src.addr.family = r->family,
				     .dst.addr.family = r->family };

	if (r->action == RULE_NOP)
		return TURN_NOP;
	if (r->action != RULE_GOTO || is_companion(r))
		return TURN_OTHER;
	return rule_compare(r, &always) == 0 ? TURN_JUMP_ALWAYS : TURN_JUMP;
}

static int add_rules(const struct rule_changes *c, struct steps *ret)
{
	int err = 0;

	for (enum turn turn = TURN_NOP; turn < TURN_END; turn++)
		for (size_t i = 0; i < c->fresh_count && !err; i++) {
			const struct rule *r = c->fresh[turn == TURN_JUMP ? c->fresh_count - 1 - i : i];

			if (turn_of(r) == turn)
				err = add_rule_step(STEP_ADD_RULE, r, ret);
		}
	return err;
}

/* The kernel takes a new rule without a prefix for one that stands with any (fib4_rule_compare, fib6_rule_compare). */
static bool is_in_the_way(const struct rule *gone, const struct rule_changes *c)
{
	for (size_t i = 0; i < c->fresh_count; i++) {
		struct rule taken_for = *gone;

		if (c->fresh[i]->priority != gone->priority)
			continue;
		if (c->fresh[i]->dst.len == 0)
			taken_for.dst = c->fresh[i]->dst;
		if (c->fresh[i]->src.len == 0)
			taken_for.src = c->fresh[i]->src;
		if (rule_compare(c->fresh[i], &taken_for) == 0)
			return true;
	}
	return false;
}

/* The other way round. Those that are in the way go before any comes. */
static int delete_rules(const struct rule_changes *c, bool in_the_way, struct steps *ret)
{
	int err = 0;

	for (enum turn turn = TURN_END; turn-- > TURN_NOP;)
		for (size_t i = c->gone_count; i-- && !err;) {
			const struct rule *r = c->gone[turn == TURN_JUMP ? c->gone_count - 1 - i : i];

			if (turn_of(r) == turn && is_in_the_way(r, c) == in_the_way)
				err = add_rule_step(STEP_DELETE_RULE, r, ret);
		}
	return err;
}

/* ---- all of it ---- */

/* Routes stand before the rules that lead to them, unless nothing of ours stands yet: no packet bears a mark then, and
 * a look-up in a table that is still empty goes on to the next rule. The kernel walks all IPv6 routes for each IPv6
 * rule that comes (rt_genid_bump_ipv6): with 250 interfaces half of a cold apply, which takes 22 % less without our
 * own. Where routes are the many, as 1,000 companions are, they come first all the same: each gateway would be looked
 * up by the rules that stand, 9 ms for an apply of 7. */
static int add_routes_and_rules(const struct route_changes *routes, const struct rule_changes *rules, bool rules_first,
				struct steps *ret)
{
	int err = rules_first ? add_rules(rules, ret) : 0;

	err = err ?: add_route_steps(routes, false, false, ret);
	err = err ?: add_route_steps(routes, false, true, ret);
	if (err || rules_first)
		return err;
	err = delete_rules(rules, true, ret);
	return err ?: add_rules(rules, ret);
}

/* Rules come before the nftables transaction and go after it, companions as well: of those of two policies together, in
 * order, the first that matches is the first of its own policy. So where both say the same of a flow, it goes that way all
 * the time, and its socket has that address. */
static int make_steps(const struct plan *p, const struct nft_table *have, struct steps *ret)
{
	CLEANUP(route_changes_done) struct route_changes routes = { 0 };
	CLEANUP(rule_changes_done) struct rule_changes rules = { 0 };
	int err = compare_routes(p, &routes);
	bool rules_first;

	err = err ?: compare_rules(p, &rules);
	err = err ?: set_sysctls(p, ret);
	rules_first = !have->exists && !rules.had && rules.fresh_count >= routes.count;
	err = err ?: add_routes_and_rules(&routes, &rules, rules_first, ret);
	err = err ?: steps_add_nft(have, &p->nft, ret);
	err = err ?: delete_rules(&rules, false, ret);
	err = err ?: add_route_steps(&routes, true, true, ret);
	err = err ?: add_route_steps(&routes, true, false, ret);
	err = err ?: restore_sysctls(p, ret);
	return err;
}

/* The table in the plan's words; *ret NULL: none, or others fill a set of it, so that a listing would
 * say more. */
static int print_wanted(const struct nft_table *t, char **ret)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };
	int err;

	*ret = NULL;
	for (size_t i = 0; i < t->set_count; i++)
		if (t->sets[i].is_dynamic)
			return 0;
	err = t->exists ? nft_print(t, &text) : 0;
	if (err == 0 && t->exists)
		*ret = strbuf_take(&text);
	return err;
}

/* What the kernel has, against what is wanted. */
static int compare_with_listing(const struct plan *p, struct steps *ret)
{
	CLEANUP(nft_table_done) struct nft_table have = { 0 };
	int err = nft_parse(p->facts->nft, &p->nft, &have);

	err = err ?: make_steps(p, &have, ret);
	return err ?: plan_dead_paths(p, &have, ret);
}

int plan_steps(const struct plan *p, struct steps *ret)
{
	CLEANUP(steps_done) struct steps steps = { 0 };
	int err = print_wanted(&p->nft, &steps.standing);

	/* Word for word what is wanted, as it is while nobody but us changes anything: it need not be
	 * taken apart, which was half of an apply with nothing to do. Paths that died have their end
	 * in it. */
	if (!err && steps.standing && p->facts->nft && strcmp(steps.standing, p->facts->nft) == 0) {
		free(TAKE_PTR(steps.standing));
		err = make_steps(p, &p->nft, &steps);
	} else {
		err = err ?: compare_with_listing(p, &steps);
	}
	if (err)
		return err;
	*ret = steps;
	steps = (struct steps){ 0 };
	return 0;
}

int plan_flush(const struct facts *f, struct steps *ret)
{
	CLEANUP(steps_done) struct steps steps = { 0 };
	struct nft_table have = { .exists = f->nft != NULL };
	struct plan nothing = { .facts = f };
	int err = make_steps(&nothing, &have, &steps);

	if (err)
		return err;
	*ret = steps;
	steps = (struct steps){ 0 };
	return 0;
}
