/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routing rules: a table for each mark, the sources of replies, sockets bound to an interface;
 * and the jumps that keep them off packets they can't concern. Companions, which help first
 * look-ups, have a file of their own.
 *
 * Measured with 250 interfaces when each packet walked them all: forwarding what is not steered at
 * a ninth of the speed with two, steering at a third.
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_bound(struct plan *p, enum family f, const struct path *path)
{
	struct rule r = { .family = f, .priority = BAND_BOUND, .action = RULE_LOOKUP, .table = path->table };

	strcpy(r.oif, path->name);
	return plan_add_rule(p, &r);
}

static struct rule marked(const struct plan *p, enum family f, unsigned int at, uint32_t mark)
{
	return (struct rule){
		.family = f, .priority = at, .fwmark = mark, .fwmask = p->config->settings.mark_mask,
	};
}

static int add_lookup(struct plan *p, enum family f, unsigned int at, uint32_t mark, uint32_t table)
{
	struct rule r = marked(p, f, at, mark);

	r.action = RULE_LOOKUP;
	r.table = table;
	return plan_add_rule(p, &r);
}

/* Every route of main but its default. */
static int add_yield(struct plan *p, enum family f, uint32_t mark)
{
	struct rule r = marked(p, f, BAND_YIELD, mark);

	r.action = RULE_LOOKUP;
	r.table = MAIN_TABLE;
	r.has_suppress = true;
	return plan_add_rule(p, &r);
}

static int add_dead(struct plan *p, enum family f, uint32_t mark)
{
	struct rule r = marked(p, f, BAND_DEAD, mark);

	r.action = RULE_UNREACHABLE;
	return plan_add_rule(p, &r);
}

static int add_path(struct plan *p, enum family f, const struct path *path)
{
	int r = add_lookup(p, f, plan_mark_priority(p, path->mark), path->mark, path->table);

	if (r == 0 && path->mark_yields) {
		r = add_yield(p, f, path->mark_yields);
		if (r == 0)
			r = add_lookup(p, f, BAND_PATH_YIELDS, path->mark_yields, path->table);
		if (r == 0)
			r = add_dead(p, f, path->mark_yields);
	}
	if (r == 0 && path->mark_kill) {
		r = add_lookup(p, f, BAND_PATH_KILL, path->mark_kill, path->table);
		if (r == 0)
			r = add_dead(p, f, path->mark_kill);
	}
	return r;
}

static bool are_set(const bool *v, size_t count)
{
	size_t n = 0;

	while (n < count && v[n])
		n++;
	return n == count;
}

/* The paths' own marks whose table had no answer. Slots are numbered one by one: those that are all in use and share
 * their first bits are one rule, 13 instead of 250. */
static int add_dead_paths(struct plan *p, enum family f)
{
	size_t count = (size_t)(p->config->settings.mark_mask >> p->mark_shift) + 1;
	bool *slots = calloc(count, sizeof(*slots));
	size_t end = 0;
	int r = slots ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		size_t slot = p->paths[i].mark >> p->mark_shift;

		slots[slot] = true;
		end = slot < end ? end : slot + 1;
	}
	for (size_t at = 1, size = 1; at < end && r == 0; at += size) {
		struct rule dead = marked(p, f, BAND_DEAD, (uint32_t)at << p->mark_shift);

		for (size = 1; !(at & size) && are_set(slots + at, 2 * size);)
			size *= 2;
		dead.action = RULE_UNREACHABLE;
		dead.fwmask &= ~((uint32_t)(size - 1) << p->mark_shift);
		if (slots[at])
			r = plan_add_rule(p, &dead);
	}
	free(slots);
	return r;
}

/* Somebody else's table: where it has no answer, whatever stands behind the band decides. */
static int add_table(struct plan *p, enum family f, const struct table_mark *t)
{
	int r = 0;

	if (t->mark)
		r = add_lookup(p, f, BAND_TABLE, t->mark, t->table);
	if (t->mark_yields && r == 0) {
		r = add_yield(p, f, t->mark_yields);
		if (r == 0)
			r = add_lookup(p, f, BAND_TABLE_YIELDS, t->mark_yields, t->table);
	}
	return r;
}

static int add_main(struct plan *p, enum family f)
{
	struct rule past = marked(p, f, BAND_MAIN, p->mark_main);

	past.action = RULE_GOTO;
	past.target = BAND_END;
	return p->mark_main ? plan_add_rule(p, &past) : 0;
}

/* What carries no mark of ours has nothing to do with the marks' rules; what is forwarded has
 * neither a source of ours nor a socket. A path's own mark may come before the sockets that are
 * bound elsewhere: its table has no route by their interface. */
static int add_jumps(struct plan *p, enum family f)
{
	const struct rule all = { .family = f };
	const struct rule unmarked = { .family = f, .fwmask = p->config->settings.mark_mask };
	const struct rule forwarded = { .family = f, .iif = "lo", .invert = true };
	int r = plan_add_jump(p, &unmarked, BAND_UNMARKED, BAND_ROUTED);

	if (r == 0)
		r = plan_add_jump(p, &all, BAND_MARKED, BAND_LOCAL);
	if (r == 0)
		r = plan_add_jump(p, &forwarded, BAND_ROUTED, BAND_END);
	if (r == 0)
		r = plan_add_jump(p, &forwarded, BAND_LOCAL, BAND_REST);
	if (r == 0)
		r = plan_add_jump(p, &unmarked, BAND_REST, BAND_FIRST);
	return r == 0 ? plan_group_marks(p, f) : r;
}

static int add_family(struct plan *p, enum family f)
{
	struct rule nop = { .family = f, .priority = BAND_END, .action = RULE_NOP };
	int r = plan_add_rule(p, &nop);

	nop.priority = BAND_FIRST;
	if (r == 0)
		r = plan_add_rule(p, &nop);
	if (r == 0)
		r = add_jumps(p, f);
	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_path(p, f, &p->paths[i]);
	if (r == 0)
		r = add_dead_paths(p, f);
	if (r == 0)
		r = plan_sources(p, f);
	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_bound(p, f, &p->paths[i]);
	if (r == 0)
		r = add_main(p, f);
	for (size_t i = 0; i < p->table_count && r == 0; i++)
		r = add_table(p, f, &p->tables[i]);
	return r;
}

int plan_rules(struct plan *p)
{
	int r = 0;

	for (int f = 0; f < FAMILY_COUNT && r == 0; f++)
		if (p->facts->has_family[f] && p->path_count + p->table_count + (p->mark_main != 0))
			r = add_family(p, (enum family)f);
	return r;
}
