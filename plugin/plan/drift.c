/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What can be known to be somebody else's doing, where kernel and plan differ: what ifsteer makes
 * as a whole is there by half.
 */
#include "plan/plan.h"

#include "plan/internal.h"

static bool has_own_rules(const struct facts *f)
{
	for (size_t i = 0; i < f->rule_count; i++)
		if (f->rules[i].protocol == OUR_PROTOCOL)
			return true;
	return false;
}

/* A value that was kept as found is one that ifsteer has changed: then somebody has changed it
 * again. */
static bool was_set(const struct facts *f, const struct step *s)
{
	for (size_t i = 0; i < f->saved_count; i++)
		if (f->saved[i].index == s->of.sysctl.index &&
		    f->saved[i].src_valid_mark == s->of.sysctl.src_valid_mark)
			return true;
	return false;
}

static void note_sysctl(const struct facts *f, const struct step *s, struct diag *d)
{
	const struct link *l = links_by_index(&f->links, s->of.sysctl.index);
	bool is_mark = s->of.sysctl.src_valid_mark;

	if (l && was_set(f, s))
		diag_note(d, (struct where){ 0 }, "somebody else has set net.ipv4.conf.%s.%s to %u",
			  l->name, is_mark ? "src_valid_mark" : "rp_filter",
			  is_mark ? l->src_valid_mark : l->rp_filter);
}

void plan_drift(const struct plan *p, const struct steps *s, struct diag *d)
{
	const struct facts *f = p->facts;
	const struct where nowhere = { 0 };

	if (p->nft.exists && !f->nft && has_own_rules(f))
		diag_note(d, nowhere,
			  "table inet ifsteer is gone while ifsteer's rules stand: somebody else "
			  "has removed it "
			  "(`nft flush ruleset`?)");
	if (p->rule_count && f->nft && !has_own_rules(f))
		diag_note(d, nowhere,
			  "ifsteer's rules are gone while its table stands: somebody else has "
			  "removed them (a restart "
			  "of systemd-networkd?)");
	for (size_t i = 0; i < s->count; i++)
		if (s->v[i].kind == STEP_SYSCTL)
			note_sysctl(f, &s->v[i], d);
}
