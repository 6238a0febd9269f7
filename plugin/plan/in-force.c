/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which policies there is anything to say of: to a hook, in a family.
 */
#include "plan/internal.h"

bool policy_seen(const struct policy *p, enum hook hook)
{
	switch (hook) {
	case HOOK_LOCAL: return p->origin != ORIGIN_FORWARDED && !p->in.count && !p->mac.count;
	case HOOK_FORWARDED:
		return p->origin != ORIGIN_LOCAL && !p->user.given && !p->group.given &&
		       !p->cgroup.count;
	}
	return false;
}

bool policy_in_force(const struct policy_plan *pp, enum hook hook)
{
	return pp->policy->enabled && policy_seen(pp->policy, hook);
}

bool plan_has_kill_switch(const struct plan *p, enum hook hook)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (policy_is_kill_switch(p->policies[i].policy) &&
		    policy_in_force(&p->policies[i], hook))
			return true;
	return false;
}

bool plan_names_marks(const struct plan *p, enum hook hook)
{
	for (size_t i = 0; i < p->policy_count; i++)
		if (p->policies[i].policy->mark.count && policy_in_force(&p->policies[i], hook))
			return true;
	return false;
}

bool policy_skipped(const struct policy_plan *pp, enum family f)
{
	const struct verdict *v = &pp->verdict[f];

	return !v->covered || v->catches_nothing ||
	       (v->dormant && pp->policy->otherwise == OTHERWISE_NEXT);
}
