/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The order in which a plan is made.
 */
#include "plan/internal.h"

#include <errno.h>
#include <stdlib.h>

static void path_done(struct path *path)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		free(path->half[f].addresses);
		free(path->half[f].is_second);
	}
}

static void policy_plan_done(struct policy_plan *pp)
{
	free(pp->word);
	for (int f = 0; f < FAMILY_COUNT; f++)
		free(pp->verdict[f].active);
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->path_count; i++)
		path_done(&p->paths[i]);
	for (size_t i = 0; i < p->policy_count; i++)
		policy_plan_done(&p->policies[i]);
	free(p->paths);
	names_done(&p->paths_by_name);
	free(p->addresses_by_link);
	free(p->routes_by_link);
	free(p->foreign_defaults);
	free(p->policies);
	free(p->tables);
	free(p->routes);
	free(p->rules);
	free(p->sysctls);
	nft_table_done(&p->nft);
	*p = (struct plan){ 0 };
}

static int want_sysctl(struct plan *p, const struct link *l, bool src_valid_mark, uint8_t value)
{
	struct want_sysctl *room = VEC_PUSH(p->sysctls, p->sysctl_count);

	if (!room)
		return -ENOMEM;
	*room = (struct want_sysctl){ l, src_valid_mark, value };
	return 0;
}

/* Loose mode asks only whether a source can be reached at all: the interface's own value is enough, since the
 * kernel takes the greater of it and conf.all's. */
static int plan_sysctls(struct plan *p)
{
	int r = 0;

	if (p->config->settings.rp_filter == RP_FILTER_KEEP)
		return 0;
	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		if (!p->paths[i].link)
			continue;
		r = want_sysctl(p, p->paths[i].link, false, 2);
		if (r == 0 && p->marks_replies && p->paths[i].mark_yields)
			r = want_sysctl(p, p->paths[i].link, true, 1);
	}
	return r;
}

/* `tidy`: marks that no policy needs and no connection carries go. */
static int make(const struct config *c, const struct facts *f, bool tidy, struct plan *ret,
		struct diag *d)
{
	CLEANUP(plan_done) struct plan p = { .config = c, .facts = f };
	int r = plan_paths(&p);

	if (r == 0)
		r = plan_marks(&p, tidy, d);
	if (r == 0)
		r = plan_paths_judge(&p);
	if (r == 0)
		r = plan_verdicts(&p);
	if (r == 0)
		r = plan_tables(&p);
	if (r == 0)
		r = plan_rules(&p);
	if (r == 0)
		r = plan_companions(&p);
	if (r == 0)
		r = plan_sysctls(&p);
	if (r == 0)
		r = plan_ruleset(&p);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct plan){ 0 };
	return 0;
}

int plan_make(const struct config *c, const struct facts *f, struct plan *ret, struct diag *d)
{
	return make(c, f, false, ret, d);
}

int plan_change(const struct config *c, const struct facts *f, struct plan *ret,
		struct steps *ret_steps, struct diag *d)
{
	CLEANUP(plan_done) struct plan p = { 0 };
	CLEANUP(steps_done) struct steps s = { 0 };
	int r = make(c, f, false, &p, d);

	if (r == 0 && !p.wants_carried)
		r = plan_steps(&p, &s);
	if (r == 0 && p.keeps_marks && s.count) {
		diag_done(d);
		plan_done(&p);
		steps_done(&s);
		r = make(c, f, true, &p, d);
		if (r == 0 && !p.wants_carried)
			r = plan_steps(&p, &s);
	}
	if (r < 0)
		return r;
	*ret = p;
	p = (struct plan){ 0 };
	*ret_steps = s;
	s = (struct steps){ 0 };
	return 0;
}
