/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policies as routing rules can say them: destinations, users, protocols and ports.
 */
#include "plan/shape.h"

#include <errno.h>

void shape_done(struct shape *s)
{
	addr_ranges_done(&s->to);
	addr_ranges_done(&s->not_to);
	numbers_done(&s->uids);
	numbers_done(&s->protocols);
	numbers_done(&s->dports);
}

static int shape_destination(const struct config *c, const struct addr_match *to, enum family f, struct shape *s)
{
	int r = addr_ranges_join(&s->to, &to->yes[f]);

	if (r == 0)
		r = addr_ranges_join(&s->not_to, &to->no[f]);
	for (size_t i = 0; i < to->set_count && r == 0; i++) {
		const struct set *set = &c->sets[to->sets[i].set];

		if (set->dynamic)
			s->exact = false;
		r = addr_ranges_join(to->sets[i].negated ? &s->not_to : &s->to, &set->elements[f]);
	}
	addr_ranges_normalise(&s->to);
	addr_ranges_normalise(&s->not_to);
	s->to_all = !s->exact || s->to.count == 0 || !match_has_destination(c, to, f);
	return r;
}

/* The positive numbers less the negated ones; nothing stays nothing, which means any. */
static int shape_numbers(const struct number_match *m, uint32_t max, struct numbers *ret)
{
	uint32_t next = 0;
	struct numbers no = m->no;
	int r = 0;

	if (!m->given)
		return 0;
	if (no.count == 0) {
		for (size_t i = 0; i < m->yes.count && r == 0; i++)
			r = numbers_add(ret, m->yes.v[i]);
		return r;
	}
	if (m->yes.count)
		return -EDOM;
	for (size_t i = 0; i < no.count && r == 0; i++) {
		if (no.v[i].from > next)
			r = numbers_add(ret, (struct number_range){ next, no.v[i].from - 1 });
		if (no.v[i].to >= max)
			return r;
		next = no.v[i].to + 1;
	}
	return r < 0 ? r : numbers_add(ret, (struct number_range){ next, max });
}

/* The kernel takes neither 0 nor 65535 for a port of a rule (fib_rule_port_range_valid). */
static bool has_edge_port(const struct numbers *ports)
{
	return numbers_contain(ports, 0) || numbers_contain(ports, UINT16_MAX);
}

/* A rule has one protocol, and no range of them. */
static bool has_wide_protocol(const struct numbers *protocols)
{
	for (size_t i = 0; i < protocols->count; i++)
		if (protocols->v[i].from != protocols->v[i].to)
			return true;
	return false;
}

int shape_of(const struct config *c, const struct policy *pol, enum family f, struct shape *s)
{
	int r;

	s->exact = !pol->from.given && !pol->sport.given && !pol->group.given && !pol->cgroup.count &&
		   !pol->dscp.given && !pol->mark.count && !pol->hours.given && !pol->days.given &&
		   pol->protocol.no.count == 0;
	r = shape_destination(c, &pol->to, f, s);
	if (r == 0)
		r = shape_numbers(&pol->user, UINT32_MAX - 1, &s->uids);
	if (r == 0)
		r = shape_numbers(&pol->dport, UINT16_MAX, &s->dports);
	for (size_t i = 0; i < pol->protocol.yes.count && r == 0; i++)
		r = numbers_add(&s->protocols, pol->protocol.yes.v[i]);
	if (has_edge_port(&s->dports) || has_wide_protocol(&s->protocols))
		s->exact = false;
	if (r == -EDOM) {
		s->exact = false;
		return 0;
	}
	return r;
}

static bool numbers_meet(const struct numbers *a, const struct numbers *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (a->v[i].from <= b->v[k].to && b->v[k].from <= a->v[i].to)
				return true;
	return a->count == 0 || b->count == 0;
}

bool shapes_meet(const struct shape *a, const struct shape *b)
{
	return (a->to_all || b->to_all || addr_ranges_overlap(&a->to, &b->to)) && numbers_meet(&a->uids, &b->uids) &&
	       numbers_meet(&a->protocols, &b->protocols) && numbers_meet(&a->dports, &b->dports);
}

bool shape_is_list(const struct shape *s)
{
	return !s->to_all && !s->not_to.count && !s->uids.count && !s->protocols.count && !s->dports.count;
}
