/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The named sets: whose address is whose, which interfaces have sources rewritten, the sets of the policy, and
 * address lists too long to stand in a rule. A set of the policy's is called NAME_4 or NAME_6, and none of ours is.
 */
#include "plan/match.h"
#include "plan/ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *pick(enum family f, const char *ipv4, const char *ipv6)
{
	return f == FAMILY_IPV4 ? ipv4 : ipv6;
}

/* The addresses of all interfaces, which of them are whose, and with which one an interface speaks where
 * the host reports an error. */
enum address_set { ADDRESSES, OWN, SOURCES };

static int add_address(const struct path *path, enum family f, size_t k, struct nft_set *sets)
{
	const struct path_half *h = &path->half[f];
	char text[ADDR_TEXT_SIZE];

	addr_print(&h->addresses[k], text);
	if (!h->is_second[k])
		TRY(nft_add_element(&sets[ADDRESSES], "%s", text));
	if (k == 0 && path->interface->snat != SNAT_NEVER)
		TRY(nft_add_element(&sets[SOURCES], "%s : %s", path->quoted, text));
	return nft_add_element(&sets[OWN], "%s . %s", text, path->quoted);
}

static int add_addresses(struct plan *p, enum family f)
{
	struct nft_table *t = &p->nft;
	size_t first = t->set_count;

	if (!nft_add_set(t, pick(f, "addresses_ipv4", "addresses_ipv6"), false, pick(f, "ipv4_addr", "ipv6_addr"), NULL) ||
	    !nft_add_set(t, pick(f, "own_ipv4", "own_ipv6"), false,
			 pick(f, "ipv4_addr . ifname", "ipv6_addr . ifname"), NULL) ||
	    !nft_add_set(t, pick(f, "sources_ipv4", "sources_ipv6"), true,
			 pick(f, "ifname : ipv4_addr", "ifname : ipv6_addr"), NULL))
		return -ENOMEM;
	for (size_t i = 0; i < p->path_count; i++)
		for (size_t k = 0; p->paths[i].quoted[0] && k < p->paths[i].half[f].address_count; k++)
			TRY(add_address(&p->paths[i], f, k, &t->sets[first]));
	return 0;
}

/* Addresses that belong to the host and to no interface: they leave by any, as they are. */
static int add_loopback(struct plan *p, enum family f)
{
	const struct facts *facts = p->facts;
	struct nft_set *s;
	char buf[ADDR_TEXT_SIZE];

	if (!p->mark_main)
		return 0;
	s = nft_add_set(&p->nft, pick(f, "loopback_ipv4", "loopback_ipv6"), false, pick(f, "ipv4_addr", "ipv6_addr"), NULL);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < facts->address_count; i++) {
		const struct address *a = &facts->addresses[i];
		const struct link *link = links_by_index(&facts->links, a->link);

		if (link && link->loopback && a->addr.family == f)
			TRY(nft_add_element(s, "%s", addr_print(&a->addr, buf)));
	}
	return 0;
}

static int add_interfaces(struct plan *p, const char *name, bool routers)
{
	struct nft_set *s = NULL;

	for (size_t i = 0; i < p->path_count; i++) {
		enum snat snat = p->paths[i].interface->snat;

		if (!p->paths[i].quoted[0] || (routers ? snat != SNAT_ALWAYS : snat == SNAT_NEVER))
			continue;
		if (!s)
			s = nft_add_set(&p->nft, name, false, "ifname", NULL);
		if (!s)
			return -ENOMEM;
		TRY(nft_add_element(s, "%s", p->paths[i].quoted));
	}
	if (!s && !routers && !nft_add_set(&p->nft, name, false, "ifname", NULL))
		return -ENOMEM;
	return 0;
}

static int add_ranges(struct plan *p, const char *name, enum family f, const struct addr_ranges *list)
{
	struct nft_set *s = nft_add_set(&p->nft, name, false, pick(f, "ipv4_addr", "ipv6_addr"), "interval");

	if (!s)
		return -ENOMEM;
	s->has_ranges = true;
	s->family = f;
	return addr_ranges_join(&s->ranges, list);
}

/* As nft prints it: 1d2h3m4s. */
static char *duration(uint32_t seconds)
{
	static const struct { uint32_t length; char unit; } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	struct strbuf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds >= units[i].length)
			strbuf_printf(&b, "%u%c", seconds / units[i].length, units[i].unit);
		seconds %= units[i].length;
	}
	return strbuf_take(&b);
}

static int add_dynamic(struct plan *p, const char *name, enum family f, uint32_t timeout)
{
	/* A timeout implies the flag, and nft then doesn't list it. */
	struct nft_set *s = nft_add_set(&p->nft, name, false, pick(f, "ipv4_addr", "ipv6_addr"), NULL);

	if (!s)
		return -ENOMEM;
	s->is_dynamic = true;
	if (timeout)
		s->timeout = duration(timeout);
	return timeout && !s->timeout ? -ENOMEM : 0;
}

static int add_policy_sets(struct plan *p, enum family f)
{
	for (size_t i = 0; i < p->config->set_count; i++) {
		const struct set *set = &p->config->sets[i];
		char name[40];

		snprintf(name, sizeof(name), "%s_%c", set->name, f == FAMILY_IPV4 ? '4' : '6');
		TRY(set->dynamic ? add_dynamic(p, name, f, set->timeout) : add_ranges(p, name, f, &set->elements[f]));
	}
	return 0;
}

static int add_long_list(struct plan *p, const struct policy_plan *pp, bool source, bool negated, enum family f)
{
	const struct addr_match *m = source ? &pp->policy->from : &pp->policy->to;
	const struct addr_ranges *list = negated ? &m->no[f] : &m->yes[f];
	char *name;
	int r;

	if (list->count <= INLINE_RANGES || !pp->has_rules || !pp->verdict[f].covered)
		return 0;
	name = match_set_name(pp->word, source, negated, f);
	if (!name)
		return -ENOMEM;
	r = add_ranges(p, name, f, list);
	free(name);
	return r;
}

static int add_long_lists(struct plan *p, enum family f)
{
	for (size_t i = 0; i < p->policy_count; i++)
		for (int kind = 0; kind < 4; kind++)
			TRY(add_long_list(p, &p->policies[i], kind & 1, kind & 2, f));
	return 0;
}

static int add_counters(struct plan *p)
{
	char *name;
	int r;

	TRY(nft_add_counter(&p->nft, "strays"));
	for (size_t i = 0; i < p->policy_count; i++) {
		if (!p->policies[i].policy->enabled)
			continue;
		if (asprintf(&name, "policy_%s", p->policies[i].word) < 0)
			return -ENOMEM;
		r = nft_add_counter(&p->nft, name);
		free(name);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < p->path_count; i++) {
		if (asprintf(&name, "interface_%s", p->paths[i].word) < 0)
			return -ENOMEM;
		r = nft_add_counter(&p->nft, name);
		free(name);
		if (r < 0)
			return r;
	}
	return 0;
}

int sets_add(struct plan *p)
{
	TRY(add_counters(p));
	for (int f = 0; f < FAMILY_COUNT; f++) {
		TRY(add_addresses(p, (enum family)f));
		TRY(add_loopback(p, (enum family)f));
		TRY(add_policy_sets(p, (enum family)f));
		TRY(add_long_lists(p, (enum family)f));
	}
	TRY(add_interfaces(p, "rewritten", false));
	return add_interfaces(p, "routers", true);
}
