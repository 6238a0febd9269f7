/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One rule among hundreds, found by few: rules with the same first bits stand together in groups of
 * eight, behind a jump for those bits; where there are more than 64, the jumps do, too. Which group
 * a rule belongs to depends on nothing but itself (marks) or its neighbours (addresses), so that a
 * change moves few rules; groups may share a place, since at most one rule of them matches.
 *
 * While there is one group there are no jumps.
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdlib.h>

/* ---- marks ---- */

static uint32_t without_bits(const struct plan *p, uint32_t mark, unsigned int bits)
{
	return mark >> p->mark_shift >> bits;
}

static unsigned int near_priority(const struct plan *p, uint32_t mark)
{
	return BAND_PATH_NEAR + without_bits(p, mark, NEAR_BITS) % NEAR_PLACES;
}

/* Where the jump to a list stands, and the jump to a group. The first ones stand alone: whoever
 * deletes a rule for a mark of 0 gets the first with its priority and mask, whatever its mark
 * (rule_find). */
static unsigned int near_found_at(const struct plan *p, uint32_t mark)
{
	return without_bits(p, mark, NEAR_BITS) ? BAND_PATH_FIND : BAND_PATH_FIRST_NEAR;
}

static unsigned int group_found_at(const struct plan *p, uint32_t mark)
{
	return without_bits(p, mark, GROUP_BITS) ? near_priority(p, mark) : BAND_PATH_FIRST;
}

unsigned int plan_mark_priority(const struct plan *p, uint32_t mark)
{
	return BAND_PATH + without_bits(p, mark, GROUP_BITS) % MARK_PLACES;
}

static bool are_several(const struct plan *p, unsigned int bits)
{
	for (size_t i = 1; i < p->path_count; i++)
		if (without_bits(p, p->paths[i].mark ^ p->paths[0].mark, bits))
			return true;
	return false;
}

/* A jump for each of the paths' marks that differ in more than these last bits. */
static int add_mark_jumps(struct plan *p, enum family f, unsigned int bits,
			  unsigned int (*from)(const struct plan *p, uint32_t mark),
			  unsigned int (*to)(const struct plan *p, uint32_t mark))
{
	uint32_t mask = p->config->settings.mark_mask;
	bool *seen = calloc(without_bits(p, mask, bits) + (size_t)1, sizeof(*seen));
	int r = seen ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		uint32_t mark = p->paths[i].mark, group = without_bits(p, mark, bits);
		const struct rule match = {
			.family = f,
			.fwmark = mark & mask << bits,
			.fwmask = mask & mask << bits,
		};

		if (!seen[group])
			r = plan_add_jump(p, &match, from(p, mark), to(p, mark));
		seen[group] = true;
	}
	free(seen);
	return r;
}

int plan_group_marks(struct plan *p, enum family f)
{
	const struct rule none = { .family = f };
	int r = 0;

	if (!are_several(p, GROUP_BITS))
		return 0;
	if (are_several(p, NEAR_BITS)) {
		r = add_mark_jumps(p, f, NEAR_BITS, near_found_at, near_priority);
		if (r == 0)
			r = plan_add_jump(p, &none, BAND_PATH_STRAY, BAND_MARKED);
	}
	if (r == 0)
		r = add_mark_jumps(p, f, GROUP_BITS, group_found_at, plan_mark_priority);
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

/* The prefix decides, not its place among the others: FNV-1a, whose high bits know more of it. Its length does not, so
 * that of a group that becomes too large the first half stays where it is: an address that came cost 34 changes of rules
 * there, for each of which the kernel walks all IPv6 routes, and costs 13 now. */
static unsigned int prefix_place(const struct prefix *prefix, unsigned int places)
{
	uint32_t hash = 2166136261u;

	if (!prefix->len)
		return 0;
	for (size_t i = 0; i < sizeof(prefix->addr.bytes); i++)
		hash = (hash ^ prefix->addr.bytes[i]) * 16777619u;
	return (hash ^ hash >> 16) % places;
}

/* `near`: where the jump stands. */
static int add_group(const struct sources *s, const struct source *v, size_t count,
		     const struct rule *match, unsigned int near)
{
	unsigned int priority = BAND_SOURCE + 2 * prefix_place(&match->src, SOURCE_PLACES);
	int r = match->src.len ? plan_add_jump(s->plan, match, near, priority) : 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_source(s, &v[i], priority);
	return r;
}

/* The addresses v[0] to v[count - 1] share their first `len` bits. `near` is the list of jumps that
 * they are found by; 0: that is still to be decided. */
static int add_groups(const struct sources *s, const struct source *v, size_t count,
		      unsigned int len, unsigned int near)
{
	const struct rule match = { .family = s->family, .src = prefix_of(&v->addr, len) };
	size_t zeros = 0;
	int r = 0;

	if (!near && count <= 1 << NEAR_BITS) {
		near = BAND_SOURCE_NEAR + prefix_place(&match.src, NEAR_PLACES);
		r = len ? plan_add_jump(s->plan, &match, BAND_SOURCE_FIND, near) : 0;
	}
	if (r < 0 || count <= 1 << GROUP_BITS)
		return r < 0 ? r : add_group(s, v, count, &match, near);
	while (zeros < count && !(v[zeros].addr.bytes[len / 8] & 0x80 >> len % 8))
		zeros++;
	if (zeros > 0)
		r = add_groups(s, v, zeros, len + 1, near);
	if (zeros < count && r == 0)
		r = add_groups(s, v + zeros, count - zeros, len + 1, near);
	return r;
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
	r = add_groups(&s, s.v, s.count, 0, 0);
	if (r == 0 && s.count > 1 << GROUP_BITS)
		r = plan_add_jump(p, &none, BAND_SOURCE_NONE, BAND_LOCAL);
	if (r == 0 && s.count > 1 << NEAR_BITS)
		r = plan_add_jump(p, &none, BAND_SOURCE_STRAY, BAND_LOCAL);
	return r;
}
