/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `balance`: the chains that choose one of several ways by a hash of the connection.
 */
#include "plan/ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t plan_hash_seed(const struct plan *p)
{
	const char *at = p->facts->nft ? strstr(p->facts->nft, " seed 0x") : NULL;
	uint32_t seed = at ? (uint32_t)strtoul(at + 8, NULL, 16) : 0;

	if (!seed)	/* any number will do: it stays, once it stands in the kernel */
		seed = ((uint32_t)p->facts->now * 2654435761u) | 1;
	return seed;
}

uint32_t balance_weight(const struct plan *p, const struct policy_plan *pp, size_t path)
{
	for (size_t i = 0; i < pp->policy->member_count; i++)
		if (strcmp(pp->policy->members[i].name, p->paths[path].name) == 0)
			return pp->policy->members[i].weight;
	return 1;
}

static int add_hash(const struct plan *p, struct nft_chain *c, const struct policy_plan *pp, enum family f, const char *how)
{
	const struct verdict *v = &pp->verdict[f];
	const char *ip = f == FAMILY_IPV4 ? "ip" : "ip6";
	CLEANUP(strbuf_done) struct strbuf map = { 0 };
	uint32_t total = 0;

	for (size_t i = 0; i < v->active_count; i++) {
		const struct path *path = &p->paths[v->active[i]];
		uint32_t weight = balance_weight(p, pp, v->active[i]);

		strbuf_printf(&map, "%s%u", i ? ", " : "", total);
		if (weight > 1)
			strbuf_printf(&map, "-%u", total + weight - 1);
		strbuf_printf(&map, " : goto %s_%s%s", how, path->word, way_suffix(v));
		total += weight;
	}
	if (map.failed)
		return -ENOMEM;
	TRY(nft_add_rule(c, NULL, "meta l4proto { 6, 17, 33, 132 } jhash %s saddr . %s daddr . meta l4proto . th sport . "
			 "th dport mod %u seed 0x%x vmap { %s }", ip, ip, total, plan_hash_seed(p), map.text));
	return nft_add_rule(c, NULL, "jhash %s saddr . %s daddr . meta l4proto mod %u seed 0x%x vmap { %s }", ip, ip, total,
			    plan_hash_seed(p), map.text);
}

int balance_add(struct plan *p, const struct policy_plan *pp, enum family f, enum hook hook)
{
	const char *how = hook == HOOK_LOCAL ? "take" : "lead";
	struct nft_chain *c;
	char *name;

	if (!pp->policy->enabled || !pp->verdict[f].covered || pp->verdict[f].outcome != ACTION_BALANCE ||
	    !policy_seen(pp->policy, hook))
		return 0;
	if (asprintf(&name, "%s_%s.balance_%c", how, pp->word, f == FAMILY_IPV4 ? '4' : '6') < 0)
		return -ENOMEM;
	c = nft_add_chain(&p->nft, name, NULL);
	free(name);
	return c ? add_hash(p, c, pp, f, how) : -ENOMEM;
}
