/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What earlier plans gave out, as our rules in the kernel record it: live connections carry those
 * values, so they stay with their meaning.
 */
#include "plan/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void record_done(struct record *r)
{
	free(r->given);
	free(r->bound);
	*r = (struct record){ 0 };
}

/* The band as it stands may be elsewhere than the policy wants it: its last nop marks its end.
 * There may be others, where companions land. */
static uint32_t recorded_base(const struct plan *p)
{
	uint32_t end = 0;

	for (size_t i = 0; i < p->facts->rule_count; i++) {
		const struct rule *r = &p->facts->rules[i];

		if (r->protocol == OUR_PROTOCOL && r->action == RULE_NOP && r->priority > end)
			end = r->priority;
	}
	return end >= BAND_END ? end - BAND_END : p->config->settings.rule_priority;
}

static int compare_given(const void *a, const void *b)
{
	const struct given *x = a, *y = b;

	return CMP(x->kind, y->kind) ?: CMP(x->table, y->table);
}

static int compare_bound(const void *a, const void *b)
{
	return strcmp(((const struct bound *)a)->name, ((const struct bound *)b)->name);
}

/* Paths' own marks stand at several priorities. */
static enum band kind_at(uint32_t at)
{
	return at >= BAND_PATH && at < BAND_PATH + MARK_PLACES ? BAND_PATH : (enum band)at;
}

/* `at`: its priority within the band. */
static int read_rule(const struct plan *p, const struct rule *r, uint32_t at, struct record *ret)
{
	if (at == BAND_BOUND && r->oif[0]) {
		struct bound *b = VEC_PUSH(ret->bound, ret->bound_count);

		if (!b)
			return -ENOMEM;
		*b = (struct bound){ r->oif, r->table };
	} else if (r->fwmask == p->config->settings.mark_mask) {
		struct given *g = VEC_PUSH(ret->given, ret->given_count);

		if (!g)
			return -ENOMEM;
		*g = (struct given){ kind_at(at), r->table, r->fwmark >> p->mark_shift };
	}
	return 0;
}

int record_read(const struct plan *p, struct record *ret)
{
	CLEANUP(record_done) struct record rec = { 0 };
	uint32_t base = recorded_base(p);
	int err = 0;

	for (size_t i = 0; i < p->facts->rule_count && err == 0; i++) {
		const struct rule *r = &p->facts->rules[i];

		if (r->protocol == OUR_PROTOCOL && r->priority >= base &&
		    r->priority <= base + BAND_END)
			err = read_rule(p, r, r->priority - base, &rec);
	}
	if (err)
		return err;
	vec_sort(rec.given, rec.given_count, sizeof(*rec.given), compare_given);
	vec_sort(rec.bound, rec.bound_count, sizeof(*rec.bound), compare_bound);
	*ret = rec;
	rec = (struct record){ 0 };
	return 0;
}

uint32_t record_value(const struct record *r, enum band kind, uint32_t table)
{
	const struct given key = { kind, table, 0 };
	const struct given *g = NULL;

	if (r->given_count)
		g = bsearch(&key, r->given, r->given_count, sizeof(key), compare_given);
	return g ? g->value : 0;
}

bool record_holds(const struct record *r, uint32_t value)
{
	for (size_t i = 0; i < r->given_count; i++)
		if (r->given[i].value == value)
			return true;
	return false;
}

bool record_is_bound(const struct record *r, uint32_t table)
{
	for (size_t i = 0; i < r->bound_count; i++)
		if (r->bound[i].table == table)
			return true;
	return false;
}

/* As its bound rule says, or, should somebody have removed that, our routes. Not those of what was
 * called otherwise when they were made: nftables knows that name yet. */
uint32_t record_table(const struct record *r, const struct path *path)
{
	const struct bound key = { .name = path->name };
	const struct bound *b = NULL;

	if (r->bound_count)
		b = bsearch(&key, r->bound, r->bound_count, sizeof(key), compare_bound);
	if (b)
		return b->table;
	for (size_t i = 0; i < path->near.route_count; i++) {
		const struct route *route = path->near.routes[i];

		if (route->protocol == OUR_PROTOCOL && !record_is_bound(r, route->table))
			return route->table;
	}
	return 0;
}
