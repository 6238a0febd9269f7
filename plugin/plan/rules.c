/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The routing rules: sockets bound to an interface, a table for each mark, and the sources of replies.
 * Companions, which help first look-ups, have a file of their own.
 */
#include "plan/internal.h"

#include <errno.h>
#include <string.h>

int plan_add_rule(struct plan *p, const struct rule *r)
{
	struct rule *room = VEC_PUSH(p->rules, p->rule_count);

	if (!room)
		return -ENOMEM;
	*room = *r;
	room->protocol = OUR_PROTOCOL;
	room->priority += p->config->settings.rule_priority;
	if (room->action == RULE_GOTO)
		room->target += p->config->settings.rule_priority;
	room->src.addr.family = room->dst.addr.family = room->family;
	return 0;
}

static int add_bound(struct plan *p, enum family f, const struct path *path)
{
	struct rule r = { .family = f, .priority = BAND_BOUND, .action = RULE_LOOKUP, .table = path->table };

	strcpy(r.oif, path->name);
	return plan_add_rule(p, &r);
}

static struct rule marked(const struct plan *p, enum family f, enum band at, uint32_t mark)
{
	return (struct rule){
		.family = f, .priority = at, .fwmark = mark, .fwmask = p->config->settings.mark_mask,
	};
}

static int add_lookup(struct plan *p, enum family f, enum band at, uint32_t mark, uint32_t table)
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
	int r = add_lookup(p, f, BAND_PATH, path->mark, path->table);

	if (r == 0)
		r = add_dead(p, f, path->mark);
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

/* Only for packets without any mark, ours or others': those have been told their way already. */
static int add_sources(struct plan *p, enum family f, const struct path *path)
{
	int err = 0;

	for (size_t i = 0; i < path->half[f].address_count && err == 0; i++) {
		struct rule r = { .family = f, .fwmask = UINT32_MAX, .action = RULE_LOOKUP };

		/* An address that stands on two interfaces answers by the first. */
		if (path->half[f].is_second[i])
			continue;
		r.src = prefix_of(&path->half[f].addresses[i], family_bits(f));
		r.priority = BAND_SOURCE_MAIN;
		r.table = MAIN_TABLE;
		r.has_suppress = true;
		err = plan_add_rule(p, &r);
		if (err < 0)
			break;
		r.priority = BAND_SOURCE;
		r.table = path->table;
		r.has_suppress = false;
		err = plan_add_rule(p, &r);
	}
	return err;
}

static int add_main(struct plan *p, enum family f)
{
	struct rule past = marked(p, f, BAND_MAIN, p->mark_main);

	past.action = RULE_GOTO;
	past.target = BAND_END;
	return p->mark_main ? plan_add_rule(p, &past) : 0;
}

static int add_family(struct plan *p, enum family f)
{
	struct rule end = { .family = f, .priority = BAND_END, .action = RULE_NOP };
	int r = plan_add_rule(p, &end);

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_bound(p, f, &p->paths[i]);
	if (r == 0)
		r = add_main(p, f);
	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_path(p, f, &p->paths[i]);
	for (size_t i = 0; i < p->table_count && r == 0; i++)
		r = add_table(p, f, &p->tables[i]);
	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_sources(p, f, &p->paths[i]);
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
