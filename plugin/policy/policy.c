/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a policy can be asked, and its end.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

static void addr_match_done(struct addr_match *m)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		addr_ranges_done(&m->yes[f]);
		addr_ranges_done(&m->no[f]);
	}
	free(m->sets);
}

static void number_match_done(struct number_match *m)
{
	numbers_done(&m->yes);
	numbers_done(&m->no);
}

static void name_match_done(struct name_match *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->v[i].text);
	free(m->v);
}

static void policy_done(struct policy *p)
{
	free(p->name);
	addr_match_done(&p->from);
	addr_match_done(&p->to);
	name_match_done(&p->in);
	number_match_done(&p->protocol);
	number_match_done(&p->sport);
	number_match_done(&p->dport);
	number_match_done(&p->user);
	number_match_done(&p->group);
	name_match_done(&p->cgroup);
	number_match_done(&p->dscp);
	name_match_done(&p->mac);
	free(p->mark.v);
	number_match_done(&p->hours);
	number_match_done(&p->days);
	free(p->members);
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < c->interface_count; i++)
		free(c->interfaces[i].routes);
	for (size_t i = 0; i < c->policy_count; i++)
		policy_done(&c->policies[i]);
	for (size_t i = 0; i < c->set_count; i++) {
		free(c->sets[i].name);
		for (int f = 0; f < FAMILY_COUNT; f++)
			addr_ranges_done(&c->sets[i].elements[f]);
	}
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i]);
	free(c->interfaces);
	free(c->policies);
	free(c->sets);
	free(c->files);
	*c = (struct config){ 0 };
}

bool name_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *resume = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			/* The last star takes one byte more; earlier ones need no other try. */
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

const struct interface *config_interface(const struct config *c, const char *name)
{
	const struct interface *glob = NULL;
	bool is_loopback = strcmp(name, "lo") == 0;

	for (size_t i = 0; i < c->interface_count; i++) {
		const struct interface *in = &c->interfaces[i];

		if (!in->is_glob && strcmp(in->name, name) == 0)
			return in;
		if (in->is_glob && !glob && !is_loopback && name_matches(in->name, name))
			glob = in;
	}
	return glob;
}
