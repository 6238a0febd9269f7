/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which of its addresses a host speaks with. IPv4 takes the first primary one on the interface that
 * fits (inet_select_addr), IPv6 compares all it has by the rules of RFC 6724 (ipv6_dev_get_saddr).
 */
#include "plan/explain/lookup.h"

#include <linux/rtnetlink.h>

/* ---- IPv4 ---- */

/* Primary, and good as far as the route goes: an address for the link alone can't speak with the
 * universe. */
static bool is_in_scope(const struct address *a, uint8_t scope)
{
	return a->addr.family == FAMILY_IPV4 && !a->secondary && a->scope <= scope;
}

static bool is_on_subnet(const struct address *a, const struct addr *neighbour)
{
	struct prefix net = prefix_of(addr_is_zero(&a->peer) ? &a->addr : &a->peer, a->len);

	return prefix_contains(&net, neighbour);
}

/* `neighbour` may be NULL: any address will do. */
static const struct address *select_ipv4(const struct facts *f, uint32_t link,
					 const struct addr *neighbour, uint8_t scope)
{
	const struct address *first = NULL;

	for (size_t i = 0; i < f->address_count; i++) {
		const struct address *a = &f->addresses[i];

		if (a->link != link || !is_in_scope(a, scope))
			continue;
		if (!neighbour || is_on_subnet(a, neighbour))
			return a;
		if (!first)
			first = a;
	}
	/* The interface has none: another one's will do, in the order of interfaces, lo first. */
	for (size_t i = 0; i < f->address_count && !first; i++)
		if (is_in_scope(&f->addresses[i], scope) && f->addresses[i].scope != RT_SCOPE_LINK)
			first = &f->addresses[i];
	return first;
}

/* ---- IPv6 ---- */

struct target {
	const struct addr *dst;
	uint32_t link;
};

static unsigned int ipv6_scope(const struct addr *a)
{
	static const struct addr loopback = { FAMILY_IPV6, { [15] = 1 } };

	if (a->bytes[0] == 0xff)
		return a->bytes[1] & 15;
	if (addr_compare(a, &loopback) == 0)
		return 2;
	if (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80)
		return 2;
	if (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0xc0)
		return 5;
	return 14;
}

/* The kernel's default policy table (net/ipv6/addrlabel.c), the longest prefix first. */
static unsigned int ipv6_label(const struct addr *a)
{
	static const struct {
		uint8_t bytes[16];
		uint8_t len;
		uint8_t label;
	} table[] = {
		{ { [15] = 1 }, 128, 0 },
		{ { [10] = 0xff, [11] = 0xff }, 96, 4 },
		{ { 0 }, 96, 3 },
		{ { 0x20, 0x01 }, 32, 6 },
		{ { 0x20, 0x01, 0x00, 0x10 }, 28, 7 },
		{ { 0x20, 0x02 }, 16, 2 },
		{ { 0xfc }, 7, 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct prefix p = { { .family = FAMILY_IPV6 }, table[i].len };

		for (int k = 0; k < 16; k++)
			p.addr.bytes[k] = table[i].bytes[k];
		if (prefix_contains(&p, a))
			return table[i].label;
	}
	return 1;
}

static unsigned int common_bits(const struct addr *a, const struct addr *b)
{
	unsigned int n = 0;

	while (n < 128 && !((a->bytes[n / 8] ^ b->bytes[n / 8]) & (0x80 >> n % 8)))
		n++;
	return n;
}

/* How near its scope is to the destination's: the smallest that is enough, else the largest. */
static int scope_score(const struct address *a, const struct target *t)
{
	int scope = (int)ipv6_scope(&a->addr), wanted = (int)ipv6_scope(t->dst);

	return scope >= wanted ? -scope : scope - 128;
}

static bool prefers_temporary(const struct facts *f, const struct address *a)
{
	const struct link *l = links_by_index(&f->links, a->link);

	return l && l->prefers_temporary;
}

/* More than 0: `a` is better than `b`. */
static int compare_sources(const struct facts *f, const struct address *a, const struct address *b,
			   const struct target *t)
{
	unsigned int wanted = ipv6_label(t->dst);
	unsigned int bits_a = common_bits(&a->addr, t->dst), bits_b = common_bits(&b->addr, t->dst);
	int c = CMP(addr_compare(&a->addr, t->dst) == 0, addr_compare(&b->addr, t->dst) == 0);

	if (c == 0)
		c = CMP(scope_score(a, t), scope_score(b, t));
	if (c == 0)
		c = CMP(!a->deprecated, !b->deprecated);
	if (c == 0)
		c = CMP(a->link == t->link, b->link == t->link);
	if (c == 0)
		c = CMP(ipv6_label(&a->addr) == wanted, ipv6_label(&b->addr) == wanted);
	if (c == 0)
		c = CMP(a->temporary == prefers_temporary(f, a),
			b->temporary == prefers_temporary(f, b));
	if (c == 0)
		c = CMP(bits_a < a->len ? bits_a : a->len, bits_b < b->len ? bits_b : b->len);
	return c;
}

static const struct address *select_ipv6(const struct facts *f, const struct target *t)
{
	bool on_link_only = t->dst->bytes[0] == 0xff || ipv6_scope(t->dst) <= 2;
	const struct address *best = NULL;

	for (size_t i = 0; i < f->address_count; i++) {
		const struct address *a = &f->addresses[i];

		if (a->addr.family != FAMILY_IPV6 || a->tentative ||
		    (on_link_only && a->link != t->link))
			continue;
		if (!best || compare_sources(f, a, best, t) > 0)
			best = a;
	}
	return best;
}

/* ---- both ---- */

static bool give(const struct address *a, struct addr *ret)
{
	if (a)
		*ret = a->addr;
	return a != NULL;
}

bool source_of_route(const struct facts *f, const struct route *r, const struct addr *dst,
		     struct addr *ret)
{
	bool has_neighbour = r->has_gateway && r->gateway.family == FAMILY_IPV4;

	if (r->has_src || (dst->family == FAMILY_IPV4 && r->type == RTN_LOCAL)) {
		*ret = r->has_src ? r->src : *dst;
		return true;
	}
	if (dst->family == FAMILY_IPV6)
		return give(select_ipv6(f, &(struct target){ dst, r->oif }), ret);
	return give(select_ipv4(f, r->oif, has_neighbour ? &r->gateway : NULL, r->scope), ret);
}

bool source_of_masquerade(const struct facts *f, const struct route *r, const struct addr *dst,
			  struct addr *ret)
{
	bool has_neighbour = r->has_gateway && r->gateway.family == FAMILY_IPV4;

	if (dst->family == FAMILY_IPV6)
		return give(select_ipv6(f, &(struct target){ dst, r->oif }), ret);
	return give(select_ipv4(f, r->oif, has_neighbour ? &r->gateway : dst, RT_SCOPE_UNIVERSE),
		    ret);
}
