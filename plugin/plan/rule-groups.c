/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One rule among hundreds, found by few: rules with the same first bits stand together, behind a
 * jump for those bits. Which group a rule belongs to depends on nothing but itself (marks) or its
 * neighbours (addresses), so that a change moves few rules; groups may share a priority, since at
 * most one rule of them matches.
 *
 * While there is one group there are no jumps.
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdlib.h>

/* ---- marks ---- */

static uint32_t mark_group(const struct plan *p, uint32_t mark)
{
	return mark >> p->mark_shift >> MARK_GROUP_BITS;
}

unsigned int plan_mark_priority(const struct plan *p, uint32_t mark)
{
	return BAND_PATH + mark_group(p, mark) % MARK_GROUPS;
}

static bool has_mark_groups(const struct plan *p)
{
	for (size_t i = 1; i < p->path_count; i++)
		if (mark_group(p, p->paths[i].mark) != mark_group(p, p->paths[0].mark))
			return true;
	return false;
}

int plan_group_marks(struct plan *p, enum family f)
{
	uint32_t mask = p->config->settings.mark_mask, bits = mask & mask << MARK_GROUP_BITS;
	const struct rule none = { .family = f };
	bool *seen;
	int r = 0;

	if (!has_mark_groups(p))
		return 0;
	seen = calloc(mark_group(p, mask) + (size_t)1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		uint32_t mark = p->paths[i].mark;
		const struct rule match = { .family = f, .fwmark = mark & bits, .fwmask = bits };

		if (!seen[mark_group(p, mark)])
			r = plan_add_jump(p, &match, BAND_PATH_FIND, plan_mark_priority(p, mark));
		seen[mark_group(p, mark)] = true;
	}
	free(seen);
	return r == 0 ? plan_add_jump(p, &none, BAND_PATH_NONE, BAND_MARKED) : r;
}

/* ---- sources ---- */

struct source {
	struct addr addr;
	uint32_t table;
};

struct sources {
	struct plan *plan;
	enum family family;
	struct source *v;
	size_t count;
};

static void sources_done(struct sources *s)
{
	free(s->v);
}

static int compare_sources(const void *a, const void *b)
{
	return addr_compare(&((const struct source *)a)->addr, &((const struct source *)b)->addr);
}

static int collect_of(struct sources *s, const struct path *path)
{
	const struct path_half *h = &path->half[s->family];

	for (size_t i = 0; i < h->address_count; i++) {
		struct source *room;

		/* An address that stands on two interfaces answers by the first. */
		if (h->is_second[i])
			continue;
		room = VEC_PUSH(s->v, s->count);
		if (!room)
			return -ENOMEM;
		*room = (struct source){ h->addresses[i], path->table };
	}
	return 0;
}

/* Only for packets without any mark, ours or others': those have been told their way already. */
static int add_source(const struct sources *s, const struct source *source, unsigned int priority)
{
	struct rule r = { .family = s->family, .fwmask = UINT32_MAX, .action = RULE_LOOKUP };
	int err;

	r.src = prefix_of(&source->addr, family_bits(s->family));
	r.priority = priority;
	r.table = MAIN_TABLE;
	r.has_suppress = true;
	err = plan_add_rule(s->plan, &r);
	r.priority = priority + 1;
	r.table = source->table;
	r.has_suppress = false;
	return err == 0 ? plan_add_rule(s->plan, &r) : err;
}

/* The prefix decides, not its place among the others: FNV-1a. */
static unsigned int prefix_priority(const struct prefix *prefix)
{
	uint32_t hash = 2166136261u;

	if (!prefix->len)
		return BAND_SOURCE;
	for (size_t i = 0; i < sizeof(prefix->addr.bytes); i++)
		hash = (hash ^ prefix->addr.bytes[i]) * 16777619u;
	hash = (hash ^ prefix->len) * 16777619u;
	return BAND_SOURCE + 2 * (hash % SOURCE_GROUPS);
}

static int add_group(const struct sources *s, const struct source *v, size_t count,
		     unsigned int len)
{
	const struct rule match = { .family = s->family, .src = prefix_of(&v->addr, len) };
	unsigned int priority = prefix_priority(&match.src);
	int r = len ? plan_add_jump(s->plan, &match, BAND_SOURCE_FIND, priority) : 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_source(s, &v[i], priority);
	return r;
}

/* The addresses v[0] to v[count - 1] share their first `len` bits. */
static int add_groups(const struct sources *s, const struct source *v, size_t count,
		      unsigned int len)
{
	size_t zeros = 0;
	int r;

	if (!count)
		return 0;
	if (count <= SOURCE_GROUP_MAX)
		return add_group(s, v, count, len);
	while (zeros < count && !(v[zeros].addr.bytes[len / 8] & 0x80 >> len % 8))
		zeros++;
	r = add_groups(s, v, zeros, len + 1);
	return r == 0 ? add_groups(s, v + zeros, count - zeros, len + 1) : r;
}

int plan_sources(struct plan *p, enum family f)
{
	CLEANUP(sources_done) struct sources s = { .plan = p, .family = f };
	const struct rule none = { .family = f };
	int r = 0;

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = collect_of(&s, &p->paths[i]);
	if (r < 0 || !s.count)
		return r;
	qsort(s.v, s.count, sizeof(*s.v), compare_sources);
	r = add_groups(&s, s.v, s.count, 0);
	return r == 0 && s.count > SOURCE_GROUP_MAX
		       ? plan_add_jump(p, &none, BAND_SOURCE_NONE, BAND_LOCAL)
		       : r;
}
