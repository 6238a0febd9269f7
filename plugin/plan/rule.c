/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One more routing rule for a plan: what all of ours have in common.
 */
#include "plan/internal.h"

#include <errno.h>

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

int plan_add_jump(struct plan *p, const struct rule *match, unsigned int at, unsigned int target)
{
	struct rule r = *match;

	r.priority = at;
	r.action = RULE_GOTO;
	r.target = target;
	return plan_add_rule(p, &r);
}
