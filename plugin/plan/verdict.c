/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What becomes of each policy in each family, now; and the words by which nft names things.
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool covers_everything(const struct addr_ranges *list)
{
	struct prefix whole;

	return list->count == 1 && addr_range_is_prefix(&list->v[0], &whole) && whole.len == 0;
}

bool match_has_destination(const struct config *c, const struct addr_match *to, enum family f)
{
	bool any = to->yes[f].count > 0;

	if (covers_everything(&to->yes[f]))
		return false;
	for (size_t i = 0; i < to->set_count; i++) {
		const struct set *set = &c->sets[to->sets[i].set];

		if (to->sets[i].negated)
			continue;
		if (covers_everything(&set->elements[f]))
			return false;
		any |= set->dynamic || set->elements[f].count;
	}
	return any;
}

/* ---- verdicts ---- */

/* A policy's name with its dashes as underscores, reversibly: "_" becomes ".u" and "." becomes "..". */
static char *policy_word(const char *name)
{
	struct strbuf b = { 0 };

	for (const char *c = name; *c; c++) {
		switch (*c) {
		case '-':
			strbuf_add(&b, "_");
			break;
		case '_':
			strbuf_add(&b, ".u");
			break;
		case '.':
			strbuf_add(&b, "..");
			break;
		default:
			strbuf_add_bytes(&b, c, 1);
			break;
		}
	}
	return strbuf_take(&b);
}

static int add_active(struct verdict *v, size_t path)
{
	size_t *room = VEC_PUSH(v->active, v->active_count);

	if (!room)
		return -ENOMEM;
	*room = path;
	return 0;
}

static int find_active(const struct plan *p, const struct policy *pol, enum family f, struct verdict *v)
{
	int r = 0;

	for (size_t i = 0; i < pol->member_count && r == 0; i++) {
		const struct path *path = plan_path(p, pol->members[i].name);

		if (!path || !path->half[f].usable)
			continue;
		r = add_active(v, (size_t)(path - p->paths));
		if (pol->action == ACTION_VIA)
			break;
	}
	return r;
}

/* A policy whose cgroups all are missing catches nothing until one appears. */
static bool has_missing_cgroup(const struct plan *p, const struct policy *pol)
{
	bool positive = false;

	for (size_t i = 0; i < pol->cgroup.count; i++) {
		if (pol->cgroup.v[i].negated)
			continue;
		positive = true;
		for (size_t k = 0; k < p->facts->cgroup_count; k++)
			if (strcmp(p->facts->cgroups[k], pol->cgroup.v[i].text) == 0)
				return false;
	}
	return positive;
}

static void nobody_usable(const struct policy *pol, struct verdict *v)
{
	switch (pol->otherwise) {
	case OTHERWISE_MAIN:
	case OTHERWISE_NEXT:
		v->outcome = ACTION_MAIN;
		v->dormant = true;
		break;
	case OTHERWISE_UNREACHABLE:
		v->outcome = ACTION_UNREACHABLE;
		break;
	case OTHERWISE_PROHIBIT:
		v->outcome = ACTION_PROHIBIT;
		break;
	case OTHERWISE_BLACKHOLE:
		v->outcome = ACTION_BLACKHOLE;
		break;
	}
}

static int decide(const struct plan *p, const struct policy *pol, enum family f, struct verdict *v)
{
	int r;

	v->covered = pol->family[f];
	v->outcome = pol->action;
	if (!v->covered)
		return 0;
	v->kill = policy_is_kill_switch(pol);
	v->yields = !v->kill && !match_has_destination(p->config, &pol->to, f);
	v->catches_nothing = has_missing_cgroup(p, pol);
	if (pol->action != ACTION_VIA && pol->action != ACTION_BALANCE)
		return 0;
	r = find_active(p, pol, f, v);
	if (r == 0 && v->active_count == 0)
		nobody_usable(pol, v);
	if (pol->action == ACTION_BALANCE && v->active_count == 1)
		v->outcome = ACTION_VIA;
	return r;
}

int plan_verdicts(struct plan *p)
{
	p->policies = calloc(p->config->policy_count + 1, sizeof(*p->policies));
	if (!p->policies)
		return -ENOMEM;
	for (size_t i = 0; i < p->config->policy_count; i++) {
		struct policy_plan *pp = &p->policies[i];

		p->policy_count++;
		pp->policy = &p->config->policies[i];
		pp->word = policy_word(pp->policy->name);
		if (!pp->word)
			return -ENOMEM;
		for (int f = 0; f < FAMILY_COUNT; f++) {
			int r = decide(p, pp->policy, f, &pp->verdict[f]);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
