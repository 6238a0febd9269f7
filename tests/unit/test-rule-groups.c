/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * However many interfaces there are: each mark and each address finds its own table, whatever bits
 * they share, by few rules, at every moment of a change; and one interface more moves few of them.
 */
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/vec.h"
#include "plan/explain/lookup.h"
#include "policy/load.h"
#include "tests/tap.h"

#define PUSH(v, n)                                   \
	({                                           \
		__typeof__(v) room = VEC_PUSH(v, n); \
		if (!room)                           \
			abort();                     \
		room;                                \
	})

static const char policy[] =
	"settings = { mark_mask = \"0x0ffff000\"; };\n"
	"interfaces = ( { name = \"v*\"; gateway = \"none\"; } );\n"
	"policies = ( { name = \"a\"; to = \"192.0.2.0/24\"; via = \"v1\"; } );\n";

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

/* Neighbours share few bits or many. */
static struct addr some_address(enum family f)
{
	struct addr a = { .family = f, .bytes = { f == FAMILY_IPV4 ? 10 : 0x20, 1 } };
	unsigned int last = family_bits(f) / 8 - 1;

	for (unsigned int i = 2; i <= last; i++)
		a.bytes[i] = random_below(2) ? 0 : (uint8_t)random_below(i == last ? 256 : 3);
	return a;
}

static bool is_taken(const struct facts *f, const struct addr *a)
{
	for (size_t i = 0; i < f->address_count; i++)
		if (addr_compare(&f->addresses[i].addr, a) == 0)
			return true;
	return false;
}

static void add_interface(struct facts *f)
{
	struct link *l = PUSH(f->links.v, f->links.count);

	*l = (struct link){ .index = 2 + (uint32_t)f->links.count,
			    .up = true,
			    .carrier = true,
			    .mtu = 1500,
			    .rp_filter = 2 };
	snprintf(l->name, sizeof(l->name), "v%zu", f->links.count);
	for (int family = 0; family < FAMILY_COUNT; family++) {
		struct address *a = PUSH(f->addresses, f->address_count);
		struct addr addr;

		do
			addr = some_address((enum family)family);
		while (is_taken(f, &addr));
		*a = (struct address){ .link = l->index,
				       .addr = addr,
				       .len = (uint8_t)family_bits(addr.family) };
		a->peer.family = addr.family;
	}
}

static bool parse(struct config *ret)
{
	char text[sizeof(policy)], path[] = "test.conf";
	const struct source source = { .path = path,
				       .text = memcpy(text, policy, sizeof(policy)),
				       .len = sizeof(policy) - 1 };
	struct diag d = { 0 };
	int r = config_parse(&source, 1, NULL, NULL, NULL, ret, &d);

	diag_done(&d);
	return r == 0;
}

static uint32_t table_of(const struct fib *t, const struct flow *f)
{
	struct lookup found = fib_lookup(t, f);

	return found.rule ? found.rule->table : 0;
}

struct found {
	size_t marks, sources, strangers;
};

/* Of the first so many paths. */
static struct found look_up(const struct plan *p, enum family family, size_t paths)
{
	struct flow flow = { .family = family, .dst = { .family = family, .bytes = { 203 } } };
	struct found n = { 0 };
	struct fib t;

	if (fib_make(p, family, &t))
		abort();
	for (size_t i = 0; i < paths; i++) {
		const struct path *path = &p->paths[i];

		flow.forwarded = i % 2;
		flow.in = flow.forwarded ? "eth9" : NULL;
		flow.has_src = false;
		flow.mark = path->mark | 0x80000001;
		n.marks += table_of(&t, &flow) == path->table;
		flow.forwarded = false;
		flow.has_src = true;
		flow.src = path->half[family].addresses[0];
		flow.mark = 0;
		n.sources += table_of(&t, &flow) == path->table;
		flow.src.bytes[1] ^= 0x40;
		n.strangers += table_of(&t, &flow) == 0;
	}
	fib_done(&t);
	return n;
}

/* Where no table has a route, a path's mark is the end of the way, and none that is not in use is;
 * those that say other things are given from the top. */
static void check_dead(const struct plan *p, enum family family)
{
	struct flow flow = { .family = family, .dst = { .family = family, .bytes = { 203 } } };
	struct plan empty = *p;
	size_t dead = 0, astray = 0;
	struct fib t;

	empty.route_count = 0;
	if (fib_make(&empty, family, &t))
		abort();
	for (uint32_t slot = 1; slot < 0x8000; slot++) {
		struct lookup found;

		flow.mark = slot << 12;
		found = fib_lookup(&t, &flow);
		if (found.rule && found.rule->action == RULE_UNREACHABLE)
			*(slot <= p->path_count ? &dead : &astray) += 1;
	}
	fib_done(&t);
	ok(dead == p->path_count && !astray, "%s: %zu dead paths end there, %zu other marks",
	   family_name(family), dead, astray);
}

static void check_family(const struct plan *p, enum family family)
{
	struct found n = look_up(p, family, p->path_count);

	ok(n.marks == p->path_count, "%s: %zu of %zu marks find their tables", family_name(family),
	   n.marks, p->path_count);
	ok(n.sources == p->path_count, "%s: %zu addresses find theirs", family_name(family),
	   n.sources);
	ok(n.strangers == p->path_count, "%s: %zu others find none", family_name(family),
	   n.strangers);
	check_dead(p, family);
}

/* ---- on the way from one plan to the next ---- */

/* Whether the kernel takes the rule for the one to be deleted: what is zero is not compared (rule_find). */
static bool is_meant(const struct rule *r, const struct rule *what)
{
	return r->family == what->family && r->priority == what->priority &&
	       r->action == what->action && (!what->table || r->table == what->table) &&
	       (!what->fwmark || r->fwmark == what->fwmark) &&
	       (!what->fwmask || r->fwmask == what->fwmask) &&
	       (!what->src.len || prefix_compare(&r->src, &what->src) == 0) &&
	       (!what->dst.len || prefix_compare(&r->dst, &what->dst) == 0) &&
	       (!what->iif[0] || strcmp(r->iif, what->iif) == 0) &&
	       (!what->oif[0] || strcmp(r->oif, what->oif) == 0);
}

static void take_step(const struct step *s, struct plan *p)
{
	if (s->kind ==
	    STEP_ADD_RULE) /* the kernel puts it behind those of its priority, as sorting does */
		*PUSH(p->rules, p->rule_count) = s->of.rule;
	for (size_t i = 0; s->kind == STEP_DELETE_RULE && i < p->rule_count; i++)
		if (is_meant(&p->rules[i], &s->of.rule)) {
			p->rule_count--;
			memmove(&p->rules[i], &p->rules[i + 1],
				(p->rule_count - i) * sizeof(*p->rules));
			return;
		}
}

static int by_rule(const void *a, const void *b)
{
	return rule_compare(a, b);
}

static struct rule *sorted(const struct plan *p)
{
	struct rule *v = NULL;
	size_t n = 0;

	if (vec_append(&v, &n, p->rules, p->rule_count, sizeof(*v)) < 0)
		abort();
	vec_sort(v, n, sizeof(*v), by_rule);
	return v;
}

/* Whether both have the same rules, in whatever order. */
static bool same_rules(const struct plan *a, const struct plan *b)
{
	struct rule *left = sorted(a), *right = sorted(b);
	bool same = a->rule_count == b->rule_count;

	for (size_t i = 0; same && i < a->rule_count; i++)
		same = rule_compare(&left[i], &right[i]) == 0;
	free(left);
	free(right);
	return same;
}

/* The rules of the facts become the plan's, step by step. *ret_astray grows by the moments at which
 * something is astray that had its table before, the first so many paths, and keeps it; and when
 * the rules are others in the end. */
static void carry_out(const struct plan *p, struct facts *f, size_t before, size_t *ret_astray)
{
	CLEANUP(steps_done) struct steps s = { 0 };
	struct plan now = *p;

	if (before > p->path_count)
		before = p->path_count;
	now.rules = NULL;
	now.rule_count = 0;
	for (size_t i = 0; i < f->rule_count; i++)
		*PUSH(now.rules, now.rule_count) = f->rules[i];
	if (plan_steps(p, &s))
		abort();
	for (size_t i = 0; i < s.count; i++) {
		take_step(&s.v[i], &now);
		/* Of very many moments some 200. */
		if (i % (1 + s.count / 200))
			continue;
		for (int family = 0; family < FAMILY_COUNT; family++) {
			struct found n = look_up(&now, (enum family)family, before);

			*ret_astray += n.marks != before || n.sources != before;
		}
	}
	*ret_astray += !same_rules(&now, p);
	free(f->rules);
	f->rules = now.rules;
	f->rule_count = now.rule_count;
}

/* How many rules of one priority a packet may have to walk. */
static size_t crowd(const struct plan *p, unsigned int from, unsigned int to)
{
	size_t most = 0;

	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = &p->rules[i];
		size_t here = 0;

		if (r->priority < from || r->priority >= to)
			continue;
		for (size_t k = 0; k < p->rule_count; k++)
			here += p->rules[k].priority == r->priority &&
				p->rules[k].family == r->family;
		if (here > most)
			most = here;
	}
	return most;
}

static size_t count_rule_steps(const struct plan *p)
{
	CLEANUP(steps_done) struct steps s = { 0 };
	size_t count = 0;

	if (plan_steps(p, &s))
		abort();
	for (size_t i = 0; i < s.count; i++)
		count += s.v[i].kind == STEP_ADD_RULE || s.v[i].kind == STEP_DELETE_RULE;
	return count;
}

/* Makes it so many interfaces, all at once. The number of rules that change; *ret_astray grows by
 * the moments in which something was astray. */
static size_t change_to(const struct config *c, struct facts *f, size_t links, bool checks,
			size_t *ret_astray)
{
	CLEANUP(plan_done) struct plan p = { 0 };
	struct diag d = { 0 };
	size_t before = f->links.count, steps;

	while (f->links.count < links)
		add_interface(f);
	f->links.count = links;
	f->address_count = 2 * links;
	if (plan_make(c, f, &p, &d))
		abort();
	diag_done(&d);
	steps = count_rule_steps(&p);
	if (checks) {
		for (int family = 0; family < FAMILY_COUNT; family++)
			check_family(&p, (enum family)family);
		ok(crowd(&p, 21000, 21411) <= 32, "%zu: at most %zu rules at one place", links,
		   crowd(&p, 21000, 21411));
	}
	carry_out(&p, f, before, ret_astray);
	return steps;
}

int main(void)
{
	static const size_t counts[] = { 1, 8, 9, 6, 64, 65, 7, 150, 140, 63, 300, 1 };
	CLEANUP(config_done) struct config c = { 0 };
	CLEANUP(facts_done)
	struct facts f = { .has_family = { true, true }, .has_carried = true, .now = 1790000000 };
	size_t most = 0, astray = 0;

	if (!ok(parse(&c), "the policy is read"))
		return tap_done();
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		change_to(&c, &f, counts[i], true, &astray);
	ok(astray == 0, "nothing is astray at any moment of great changes: %zu", astray);
	for (size_t n = 2; n <= 130; n++) {
		size_t steps = change_to(&c, &f, n, false, &astray);

		if (steps > most)
			most = steps;
	}
	ok(astray == 0, "nor of small ones: %zu", astray);
	/* A group that splits moves half of its addresses, of two rules each, in each family; a list its jumps. */
	ok(most <= 100, "one interface more changes at most %zu rules", most);
	return tap_done();
}
