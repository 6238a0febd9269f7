/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What one policy's keys say together: contradictions, the action, and what follows for families and
 * protocols.
 */
#include <errno.h>
#include <stdlib.h>

#include "policy/reader.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_ICMPV6 58

static bool given(const struct reader *r, size_t i, int key)
{
	return r->policy_lines[i].line[key] != 0;
}

/* ---- the action ---- */

static void check_action(struct reader *r, size_t i)
{
	static const int keys[] = { POLICY_VIA, POLICY_BALANCE, POLICY_TABLE, POLICY_ACTION };
	int first = -1;

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		if (!given(r, i, keys[k]))
			continue;
		if (first >= 0)
			policy_error(r, i, keys[k], 0,
				     "there is \"%s\" already, and a policy has one action",
				     policy_schema.keys[first].name);
		else
			first = keys[k];
	}
	if (first < 0)
		object_error(r, r->config->policies[i].at, "policy", r->config->policies[i].name,
			     "the action is missing: one of \"via\", \"balance\", \"table\" and "
			     "\"action\"");
	if (given(r, i, POLICY_OTHERWISE) && !given(r, i, POLICY_VIA) &&
	    !given(r, i, POLICY_BALANCE))
		policy_error(r, i, POLICY_OTHERWISE, 0, "goes with \"via\" and \"balance\" only");
}

/* ---- selectors of one kind of origin ---- */

static void check_origin(struct reader *r, size_t i)
{
	static const int local[] = { POLICY_USER, POLICY_GROUP, POLICY_CGROUP };
	static const int forwarded[] = { POLICY_IN, POLICY_MAC };
	const struct policy *p = &r->config->policies[i];

	for (size_t k = 0; k < ARRAY_SIZE(local); k++) {
		if (!given(r, i, local[k]))
			continue;
		if (p->origin == ORIGIN_FORWARDED)
			policy_error(r, i, local[k], 0,
				     "only local packets have one, but origin is \"forwarded\"");
		for (size_t n = 0; n < ARRAY_SIZE(forwarded); n++)
			if (given(r, i, forwarded[n]))
				policy_error(r, i, local[k], 0,
					     "only local packets have one, but \"%s\" only "
					     "forwarded ones",
					     policy_schema.keys[forwarded[n]].name);
	}
	for (size_t n = 0; n < ARRAY_SIZE(forwarded); n++)
		if (given(r, i, forwarded[n]) && p->origin == ORIGIN_LOCAL)
			policy_error(r, i, forwarded[n], 0,
				     "only forwarded packets have one, but origin is \"local\"");
}

/* ---- numbers, protocols, ports ---- */

/* Negated elements beside positive ones are taken away from them. What is left may be nothing. */
static int check_numbers(struct reader *r, size_t i, int key, struct number_match *m, uint32_t max)
{
	bool positive = m->yes.count != 0;

	numbers_normalise(&m->yes);
	numbers_normalise(&m->no);
	if (positive) {
		if (numbers_subtract(&m->yes, &m->no) < 0)
			return -ENOMEM;
		numbers_done(&m->no);
	}
	if (positive ? m->yes.count == 0
		     : m->no.count == 1 && m->no.v[0].from == 0 && m->no.v[0].to >= max)
		policy_error(r, i, key, 0, "what is negated leaves nothing to match");
	return 0;
}

static int add_protocol(struct numbers *list, uint32_t protocol)
{
	return numbers_add(list, (struct number_range){ protocol, protocol });
}

/* Ports make a policy one of protocols that have ports, and `protocol` says so in the end. */
static int check_ports(struct reader *r, size_t i)
{
	int key = given(r, i, POLICY_DPORT) ? POLICY_DPORT : POLICY_SPORT, err = 0;
	struct policy *p = &r->config->policies[i];
	struct numbers *yes = &p->protocol.yes;

	if (!given(r, i, key))
		return 0;
	for (size_t k = 0; k < yes->count; k++)
		for (uint32_t n = yes->v[k].from; n <= yes->v[k].to; n++)
			if (!protocol_has_ports(n))
				policy_error(r, i, key, 0, "protocol %u has no ports", n);
	if (yes->count)
		return 0;
	if (!given(r, i, POLICY_PROTOCOL)) {
		err = add_protocol(yes, 6);
		if (err == 0)
			err = add_protocol(yes, 17);
	} else if (p->protocol.no.count) {
		for (uint32_t n = 0; n <= UINT8_MAX && err == 0; n++)
			if (protocol_has_ports(n) && !numbers_contain(&p->protocol.no, n))
				err = add_protocol(yes, n);
		if (!yes->count)
			policy_error(r, i, key, 0, "protocol leaves none that has ports");
		numbers_done(&p->protocol.no);
	}
	p->protocol.given = true;
	return err;
}

/* ---- families ---- */

struct families {
	bool has[FAMILY_COUNT];
};

/* The families of what can match: those of the positive elements; without any, both. */
static struct families addresses_families(const struct config *c, const struct addr_match *m)
{
	struct families s = { { false } };

	for (int f = 0; f < FAMILY_COUNT; f++) {
		s.has[f] = m->yes[f].count;
		for (size_t k = 0; k < m->set_count; k++) {
			const struct set_ref *ref = &m->sets[k];

			/* SIZE_MAX: there is no such set, which was said. */
			if (!ref->negated && (ref->set == SIZE_MAX || c->sets[ref->set].dynamic ||
					      c->sets[ref->set].elements[f].count))
				s.has[f] = true;
		}
	}
	if (!s.has[FAMILY_IPV4] && !s.has[FAMILY_IPV6])
		s.has[FAMILY_IPV4] = s.has[FAMILY_IPV6] = true;
	return s;
}

static struct families protocol_families(const struct number_match *m)
{
	struct families s = { { true, true } };
	size_t icmp = numbers_contain(&m->yes, PROTOCOL_ICMP),
	       icmpv6 = numbers_contain(&m->yes, PROTOCOL_ICMPV6);

	/* Neither merges with a neighbour of its own accord: one range of one number each. */
	if (m->yes.count == 1 && m->yes.v[0].from == m->yes.v[0].to) {
		s.has[FAMILY_IPV4] = !icmpv6;
		s.has[FAMILY_IPV6] = !icmp;
	}
	return s;
}

/* Selectors that are about families; of two that contradict each other the later is blamed. */
static void check_families(struct reader *r, size_t i)
{
	static const int keys[] = { POLICY_FAMILY, POLICY_FROM, POLICY_TO, POLICY_PROTOCOL };
	struct policy *p = &r->config->policies[i];
	const struct families of[] = {
		{ { p->family[FAMILY_IPV4], p->family[FAMILY_IPV6] } },
		addresses_families(r->config, &p->from),
		addresses_families(r->config, &p->to),
		protocol_families(&p->protocol),
	};
	int narrowed = -1;

	p->family[FAMILY_IPV4] = p->family[FAMILY_IPV6] = true;
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		bool v4 = p->family[FAMILY_IPV4] && of[k].has[FAMILY_IPV4];
		bool v6 = p->family[FAMILY_IPV6] && of[k].has[FAMILY_IPV6];

		if (!v4 && !v6) {
			policy_error(r, i, keys[k], 0, "is about %s alone, but \"%s\" about %s",
				     family_name(of[k].has[FAMILY_IPV6]),
				     policy_schema.keys[narrowed].name,
				     family_name(p->family[FAMILY_IPV6]));
			return;
		}
		if (narrowed < 0 && !(v4 && v6))
			narrowed = keys[k];
		p->family[FAMILY_IPV4] = v4;
		p->family[FAMILY_IPV6] = v6;
	}
}

static void normalise_addresses(struct addr_match *m)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		addr_ranges_normalise(&m->yes[f]);
		addr_ranges_normalise(&m->no[f]);
	}
}

/* Hours are of days: where one of both is said, or is negated alone, the other is all of them. */
static int complete_times(struct policy *p)
{
	int err = 0;

	if (!p->hours.given && !p->days.given)
		return 0;
	if (!p->hours.yes.count)
		err = numbers_add(&p->hours.yes, (struct number_range){ 0, MINUTES_OF_DAY - 1 });
	if (!p->days.yes.count && err == 0)
		err = numbers_add(&p->days.yes, (struct number_range){ 0, 6 });
	return err;
}

int check_policy(struct reader *r, size_t i)
{
	struct policy *p = &r->config->policies[i];
	const struct {
		int key;
		struct number_match *m;
		uint32_t max;
	} numbers[] = {
		{ POLICY_PROTOCOL, &p->protocol, UINT8_MAX },
		{ POLICY_SPORT, &p->sport, UINT16_MAX },
		{ POLICY_DPORT, &p->dport, UINT16_MAX },
		{ POLICY_USER, &p->user, UINT32_MAX - 1 },
		{ POLICY_GROUP, &p->group, UINT32_MAX - 1 },
		{ POLICY_DSCP, &p->dscp, 63 },
		{ POLICY_HOURS, &p->hours, 2 * MINUTES_OF_DAY },
		{ POLICY_DAYS, &p->days, 6 },
	};
	int err = complete_times(p);

	for (size_t k = 0; k < ARRAY_SIZE(numbers) && err == 0; k++)
		err = check_numbers(r, i, numbers[k].key, numbers[k].m, numbers[k].max);
	if (err == 0)
		err = check_ports(r, i);
	normalise_addresses(&p->from);
	normalise_addresses(&p->to);
	check_families(r, i);
	check_origin(r, i);
	check_action(r, i);
	return err;
}
