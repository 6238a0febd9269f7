/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Slots, tables and mark values: what is recorded stays, what is new gets what is free.
 */
#include "plan/record.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* Everything the giving out of values needs to see at once. */
struct marks {
	struct plan *plan;
	uint32_t max;			/* the highest value */
	struct record record;
	bool *used;			/* by value */
	uint32_t *recorded_table;	/* by path: its table before this plan, 0: none */
	bool is_tidy;			/* what is left over goes, unless connections carry it */
};

static void marks_done(struct marks *m)
{
	record_done(&m->record);
	free(m->used);
	free(m->recorded_table);
}

static uint32_t recorded_slot(const struct marks *m, size_t path)
{
	uint32_t table = m->recorded_table[path], base = m->plan->config->settings.table_base;
	uint32_t slot = table ? record_value(&m->record, BAND_PATH, table) : 0;

	if (slot == 0 && table > base && table - base <= m->max)
		slot = table - base;
	return slot <= m->max ? slot : 0;
}

/* ---- giving out ---- */

/* A value that no connection may still carry in an older meaning, nor, unless `frugal`, a packet until this plan stands.
 * Only asked for new meanings, so a host on which nothing changes never has its connection table read. */
static bool is_free(struct marks *m, uint32_t value, bool frugal)
{
	const struct facts *f = m->plan->facts;

	if (m->used[value] || (!frugal && record_holds(&m->record, value)))
		return false;
	if (!f->has_carried)
		m->plan->wants_carried = true;
	return !f->has_carried || !numbers_contain(&f->carried, value);
}

static bool table_is_declared(const struct plan *p, uint32_t table)
{
	for (size_t i = 0; i < p->config->interface_count; i++)
		if (p->config->interfaces[i].table == table)
			return true;
	return false;
}

/* Until this plan stands, marks lead to the table of an interface that goes with it: nothing else's routes may stand
 * there by then. */
static bool is_table_free(const struct marks *m, const struct path *path, uint32_t slot, bool frugal)
{
	uint32_t table = m->plan->config->settings.table_base + slot;

	return path->interface->table ||
	       (!table_is_declared(m->plan, table) && (frugal || !record_is_bound(&m->record, table)));
}

/* A slot from the bottom; 0: none is left. `frugal`: even one whose value or table is just being left. */
static uint32_t next_slot(struct marks *m, const struct path *path, bool frugal)
{
	for (uint32_t v = 1; v <= m->max; v++)
		if (!m->used[v] && is_table_free(m, path, v, frugal) && is_free(m, v, frugal))
			return v;
	return 0;
}

/* One of the other values, from the top; 0: none is left. */
static uint32_t next_value(struct marks *m, bool frugal)
{
	for (uint32_t v = m->max; v > 0; v--)
		if (is_free(m, v, frugal))
			return v;
	return 0;
}

static int set_tables(struct marks *m)
{
	struct plan *p = m->plan;

	for (size_t i = 0; i < p->path_count; i++) {
		struct path *path = &p->paths[i];

		path->table = path->interface->table ? path->interface->table :
						       p->config->settings.table_base + path->slot;
		path->mark = path->slot << p->mark_shift;
	}
	return 0;
}

/* ---- what is needed besides slots ---- */

struct need {
	enum band kind;
	uint32_t table;		/* under which the record has it */
	uint32_t *mark;		/* where it goes */
};

struct needs {
	struct need *v;
	size_t count;
};

static int need(struct needs *n, enum band kind, uint32_t table, uint32_t *mark)
{
	struct need *room;

	for (size_t i = 0; i < n->count; i++)
		if (n->v[i].mark == mark)
			return 0;
	room = VEC_PUSH(n->v, n->count);
	if (!room)
		return -ENOMEM;
	*room = (struct need){ kind, table, mark };
	return 0;
}

/* Whether the policy leaves to main, in some family, what main has a route for. */
static bool policy_yields(const struct config *c, const struct policy *pol, bool ret_beats[static 1])
{
	bool yields = false;

	*ret_beats = false;
	for (int f = 0; f < FAMILY_COUNT; f++) {
		if (!pol->family[f])
			continue;
		if (match_has_destination(c, &pol->to, f))
			*ret_beats = true;
		else
			yields = true;
	}
	return yields;
}

static struct table_mark *table_entry(struct plan *p, uint32_t table)
{
	for (size_t i = 0; i < p->table_count; i++)
		if (p->tables[i].table == table)
			return &p->tables[i];
	return NULL;
}

static int list_table(struct plan *p, uint32_t table)
{
	struct table_mark *t = table_entry(p, table) ? NULL : VEC_PUSH(p->tables, p->table_count);

	if (t)
		t->table = table;
	return table_entry(p, table) ? 0 : -ENOMEM;
}

/* Those of the policy, and those whose marks connections may still carry. */
static int list_tables(struct marks *m)
{
	struct plan *p = m->plan;
	int r = 0;

	for (size_t i = 0; i < p->config->policy_count && r == 0; i++)
		if (p->config->policies[i].enabled && p->config->policies[i].action == ACTION_TABLE)
			r = list_table(p, p->config->policies[i].table);
	for (size_t i = 0; i < m->record.given_count && r == 0; i++)
		if (m->record.given[i].kind == BAND_TABLE || m->record.given[i].kind == BAND_TABLE_YIELDS)
			r = list_table(p, m->record.given[i].table);
	return r;
}

static size_t path_index(const struct plan *p, const char *name)
{
	const struct path *path = plan_path(p, name);

	return path ? (size_t)(path - p->paths) : p->path_count;
}

static int need_of_policy(struct marks *m, struct needs *n, const struct policy *pol)
{
	struct plan *p = m->plan;
	bool beats, yields = policy_yields(p->config, pol, &beats);
	int r = 0;

	if (pol->action == ACTION_TABLE) {
		struct table_mark *t = table_entry(p, pol->table);

		assert(t);	/* every policy's table was collected before */
		if (beats)
			r = need(n, BAND_TABLE, t->table, &t->mark);
		if (yields && r == 0)
			r = need(n, BAND_TABLE_YIELDS, t->table, &t->mark_yields);
		return r;
	}
	for (size_t i = 0; i < pol->member_count && r == 0; i++) {
		size_t at = path_index(p, pol->members[i].name);

		if (at == p->path_count)
			continue;
		if (policy_is_kill_switch(pol))
			r = need(n, BAND_PATH_KILL, m->recorded_table[at], &p->paths[at].mark_kill);
		if (r == 0 && ((yields && !policy_is_kill_switch(pol)) || p->marks_replies))
			r = need(n, BAND_PATH_YIELDS, m->recorded_table[at], &p->paths[at].mark_yields);
	}
	return r;
}

static bool has_policies(const struct config *c)
{
	for (size_t i = 0; i < c->policy_count; i++)
		if (c->policies[i].enabled)
			return true;
	return false;
}

static int collect_needs(struct marks *m, struct needs *ret)
{
	struct plan *p = m->plan;
	int r;

	ret->count = 0;
	r = has_policies(p->config) ? need(ret, BAND_MAIN, 0, &p->mark_main) : 0;

	for (size_t i = 0; i < p->config->policy_count && r == 0; i++)
		if (p->config->policies[i].enabled)
			r = need_of_policy(m, ret, &p->config->policies[i]);
	return r;
}

/* ---- what is left over ---- */

/* What no policy needs any more lives on while connections carry it: an edit moves new ones only. Nobody has changed
 * anything when the last of them ends, so it stays until there is a change. */
static int leave(const struct marks *m, const struct need *what, const struct needs *needs, struct needs *ret)
{
	uint32_t value = what->table ? record_value(&m->record, what->kind, what->table) : 0;

	for (size_t i = 0; i < needs->count; i++)
		if (needs->v[i].mark == what->mark)
			return 0;
	if (!value || (m->is_tidy && !numbers_contain(&m->plan->facts->carried, value)))
		return 0;
	return need(ret, what->kind, what->table, what->mark);
}

static int collect_left(const struct marks *m, const struct needs *needs, struct needs *ret)
{
	struct plan *p = m->plan;
	int r = 0;

	ret->count = 0;
	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		struct need yields = { BAND_PATH_YIELDS, m->recorded_table[i], &p->paths[i].mark_yields };
		struct need kill = { BAND_PATH_KILL, m->recorded_table[i], &p->paths[i].mark_kill };

		r = leave(m, &yields, needs, ret) ?: leave(m, &kill, needs, ret);
	}
	for (size_t i = 0; i < p->table_count && r == 0; i++) {
		struct table_mark *t = &p->tables[i];
		struct need beats = { BAND_TABLE, t->table, &t->mark };
		struct need yields = { BAND_TABLE_YIELDS, t->table, &t->mark_yields };

		r = leave(m, &beats, needs, ret) ?: leave(m, &yields, needs, ret);
	}
	return r;
}

/* ---- when marks run out ---- */

static bool is_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->policy_count; i++)
		for (size_t k = 0; c->policies[i].enabled && k < c->policies[i].member_count; k++)
			if (strcmp(c->policies[i].members[k].name, name) == 0)
				return true;
	return false;
}

static unsigned int bits_for(size_t values)
{
	unsigned int bits = 1;

	while (bits < 32 && ((uint64_t)1 << bits) - 1 < values)
		bits++;
	return bits;
}

/* Lets go of glob matches that no policy names until the rest has room, the newest first. */
static int make_room(struct marks *m, size_t others, size_t left, struct diag *d)
{
	struct plan *p = m->plan;
	unsigned int have = bits_for(m->max);
	size_t must = others;

	if (p->path_count + others + left <= m->max)
		return 0;
	for (size_t i = 0; i < p->path_count; i++)
		must += !p->paths[i].interface->is_glob || is_named(p->config, p->paths[i].name);
	if (must > m->max)
		return diag_error(d, (struct where){ 0 },
				  "mark_mask: %#010x has %u bits, and this policy needs %u on this host (%zu marks)",
				  p->config->settings.mark_mask, have, bits_for(must), must);
	for (size_t i = p->path_count; i-- > 0 && p->path_count + others + left > m->max;) {
		if (!p->paths[i].interface->is_glob || is_named(p->config, p->paths[i].name))
			continue;
		diag_warning(d, p->paths[i].interface->at,
			     "interface \"%s\" stays unmanaged: %u bits of mark_mask have no mark left for it",
			     p->paths[i].name, have);
		memmove(&p->paths[i], &p->paths[i + 1], (p->path_count - i - 1) * sizeof(*p->paths));
		memmove(&m->recorded_table[i], &m->recorded_table[i + 1],
			(p->path_count - i - 1) * sizeof(*m->recorded_table));
		p->path_count--;
	}
	return 0;
}

/* ---- in order: what is recorded first, then what is new ---- */

static void take_recorded_slots(struct marks *m)
{
	struct plan *p = m->plan;

	for (size_t i = 0; i < p->path_count; i++) {
		uint32_t slot = recorded_slot(m, i);

		if (slot && !m->used[slot]) {
			p->paths[i].slot = slot;
			m->used[slot] = true;
		}
	}
}

static void take_recorded_values(struct marks *m, const struct needs *n)
{
	for (size_t i = 0; i < n->count; i++) {
		const struct need *need = &n->v[i];
		uint32_t value = need->kind == BAND_MAIN || need->table ?
					 record_value(&m->record, need->kind, need->table) : 0;

		if (value && value <= m->max && !m->used[value]) {
			*need->mark = value << m->plan->mark_shift;
			m->used[value] = true;
		}
	}
}

static int give_new(struct marks *m, const struct needs *n, struct diag *d)
{
	struct plan *p = m->plan;
	bool out = false;

	for (size_t i = 0; i < p->path_count; i++) {
		if (p->paths[i].slot)
			continue;
		p->paths[i].slot = next_slot(m, &p->paths[i], false) ?: next_slot(m, &p->paths[i], true);
		out |= p->paths[i].slot == 0;
		m->used[p->paths[i].slot] = true;
	}
	for (size_t i = 0; i < n->count; i++) {
		uint32_t value;

		if (*n->v[i].mark)
			continue;
		value = next_value(m, false) ?: next_value(m, true);
		out |= value == 0;
		*n->v[i].mark = value << p->mark_shift;
		m->used[value] = true;
	}
	if (out)
		return diag_error(d, (struct where){ 0 },
				  "mark_mask: %#010x: connections still carry the marks that are left; a mask of %u bits has more",
				  p->config->settings.mark_mask, bits_for(m->max) + 1);
	return 0;
}

/* Replies to rewritten and to forwarded packets are looked up backwards by an address that no rule of ours knows
 * (fib_validate_source); where main has no answer at all they would be dropped. */
static bool lacks_default(const struct plan *p)
{
	for (size_t i = 0; i < p->facts->route_count; i++) {
		const struct route *r = &p->facts->routes[i];

		if (r->family == FAMILY_IPV4 && r->table == MAIN_TABLE && r->dst.len == 0 && r->type == RTN_UNICAST)
			return false;
	}
	return p->config->settings.rp_filter == RP_FILTER_LOOSE;
}

static void needs_done(struct needs *n)
{
	free(n->v);
}

static int give(struct marks *m, struct diag *d)
{
	struct plan *p = m->plan;
	CLEANUP(needs_done) struct needs needs = { 0 };
	CLEANUP(needs_done) struct needs left = { 0 };
	int r = collect_needs(m, &needs) ?: collect_left(m, &needs, &left);

	if (r == 0 && p->path_count + needs.count + left.count > m->max && !m->is_tidy) {
		m->is_tidy = true;
		r = collect_left(m, &needs, &left);
	}
	if (r == 0)
		r = make_room(m, needs.count, left.count, d);
	/* Paths may have moved in memory: point at their final places. */
	r = r ?: plan_index_paths(p) ?: collect_needs(m, &needs) ?: collect_left(m, &needs, &left);
	if (r < 0)
		return r;
	p->keeps_marks = left.count > 0;
	p->wants_carried |= m->is_tidy && !p->facts->has_carried;
	take_recorded_slots(m);
	take_recorded_values(m, &needs);
	take_recorded_values(m, &left);
	return give_new(m, &needs, d);
}

int plan_marks(struct plan *p, bool tidy, struct diag *d)
{
	uint32_t mask = p->config->settings.mark_mask;
	CLEANUP(marks_done) struct marks m = { .plan = p, .is_tidy = tidy };
	int r;

	p->mark_shift = (unsigned int)__builtin_ctz(mask);
	p->marks_replies = lacks_default(p);
	m.max = mask >> p->mark_shift;
	m.used = calloc((size_t)m.max + 1, sizeof(*m.used));
	m.recorded_table = calloc(p->path_count + 1, sizeof(*m.recorded_table));
	if (!m.used || !m.recorded_table)
		return -ENOMEM;
	r = record_read(p, &m.record);
	for (size_t i = 0; i < p->path_count; i++)
		m.recorded_table[i] = record_table(&m.record, &p->paths[i]);
	r = r ?: list_tables(&m) ?: give(&m, d);
	return r < 0 ? r : set_tables(&m);
}
