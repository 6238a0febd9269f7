/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reverse-path filters: fib_validate_source().
 */
#include <linux/rtnetlink.h>

#include "plan/explain/lookup.h"

/* As it will be: what the plan wants, and the greater of the interface's own and conf.all's. */
static uint8_t filter_of(const struct plan *p, const struct link *l)
{
	uint8_t mode = facts_rp_filter(p->facts, l);

	for (size_t i = 0; i < p->sysctl_count; i++)
		if (p->sysctls[i].link == l && !p->sysctls[i].src_valid_mark)
			mode = p->sysctls[i].value;
	return mode > p->facts->rp_filter_all ? mode : p->facts->rp_filter_all;
}

static bool has_ipv4(const struct facts *f, const struct link *l)
{
	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].link == l->index && f->addresses[i].addr.family == FAMILY_IPV4)
			return true;
	return false;
}

enum reverse reverse_filter(const struct fib *t, const struct link *l, const struct flow *way_back)
{
	uint8_t mode = filter_of(t->plan, l);
	struct flow key = fib_packet_key(t, way_back);
	struct lookup back;

	if (way_back->family == FAMILY_IPV6 || mode == 0)
		return REVERSE_NONE;
	back = fib_lookup(t, &key);
	if (back.error || back.route->type != RTN_UNICAST)
		return REVERSE_DROPPED;
	if (back.route->oif == l->index || back.is_one_of_several)
		return mode == 1 ? REVERSE_STRICT : REVERSE_LOOSE;
	/* By an interface without an address nothing else comes in, however loose the filter is. */
	return mode != 1 && has_ipv4(t->plan->facts, l) ? REVERSE_LOOSE : REVERSE_DROPPED;
}
