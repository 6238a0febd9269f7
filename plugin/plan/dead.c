/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths that just died: what their connections left behind must go, so that the next packet is judged and
 * rewritten afresh. The table as it stands tells what was alive: a `to_…` chain without its end.
 */
#include "plan/dead.h"
#include "plan/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands, with its chains by name: those that do not stand as they are wanted, which has all ends
 * in it that there are. */
struct standing {
	const struct nft_table *table;
	struct name_list chains;
};

static void standing_done(struct standing *s)
{
	names_done(&s->chains);
}

static int standing_fill(const struct nft_table *t, struct standing *s)
{
	int r = 0;

	s->table = t;
	for (size_t i = 0; i < t->chain_count && r == 0; i++)
		if (!t->chains[i].is_borrowed)
			r = names_add(&s->chains, t->chains[i].name, i);
	names_sort(&s->chains);
	return r;
}

static const struct nft_chain *find_chain(const struct standing *s, const char *name)
{
	size_t at = names_find(&s->chains, name);

	return at == SIZE_MAX ? NULL : &s->table->chains[at];
}

/* A rule that ends this family is a commented drop: see add_end in ways.c. */
static bool has_end(const struct nft_chain *c, enum family f)
{
	const char *other = f == FAMILY_IPV4 ? "nfproto ipv6" : "nfproto ipv4";

	for (size_t i = 0; i < c->rule_count; i++) {
		const char *text = c->rules[i].text;
		size_t n = strlen(text);

		if (c->rules[i].comment && n >= 4 && strcmp(text + n - 4, "drop") == 0 && !strstr(text, other))
			return true;
	}
	return false;
}

/* The text of an address set's element up to the blank behind the address. */
static bool element_address(const char *element, struct addr *ret)
{
	char buf[ADDR_TEXT_SIZE];
	size_t n = strcspn(element, " ");

	if (n >= sizeof(buf))
		return false;
	memcpy(buf, element, n);
	buf[n] = '\0';
	return addr_parse(buf, ret) == 0;
}

/* ---- connections ---- */

static int keep(struct step *s, const struct addr *a)
{
	struct addr *room = VEC_PUSH(s->of.connections.kept, s->of.connections.kept_count);

	if (!room)
		return -ENOMEM;
	*room = *a;
	return 0;
}

/* What came in by the path keeps its entry: its replies are dropped, not sent elsewhere. */
static int keep_arrivals(const struct path *path, const struct nft_table *have, enum family f, struct step *s)
{
	const struct nft_set *own = nft_find_set(have, f == FAMILY_IPV4 ? "own_ipv4" : "own_ipv6");
	int r = 0;

	for (size_t i = 0; i < path->half[f].address_count && r == 0; i++)
		r = keep(s, &path->half[f].addresses[i]);
	for (size_t i = 0; own && i < own->element_count && r == 0; i++) {
		const char *name = strstr(own->elements[i], " . ");
		struct addr a;

		if (name && strcmp(name + 3, path->quoted) == 0 && element_address(own->elements[i], &a))
			r = keep(s, &a);
	}
	return r;
}

static int forget(const struct plan *p, enum family f, uint32_t mark, struct steps *ret, struct step **ret_step)
{
	struct step *s = steps_add(ret, STEP_FORGET_CONNECTIONS);

	if (!s)
		return -ENOMEM;
	s->of.connections.mark = mark;
	s->of.connections.mask = p->config->settings.mark_mask;
	s->of.connections.family = f;
	*ret_step = s;
	return 0;
}

static int end_way(const struct plan *p, const struct standing *have, const struct path *path, const char *suffix,
		   uint32_t mark, struct steps *ret)
{
	const struct nft_chain *c;
	char name[64];

	if (!mark || !have->chains.count || (path->half[FAMILY_IPV4].usable && path->half[FAMILY_IPV6].usable))
		return 0;
	snprintf(name, sizeof(name), "to_%s%s", path->word, suffix);
	c = find_chain(have, name);
	for (int f = 0; c && f < FAMILY_COUNT; f++) {
		struct step *s;
		int r;

		if (path->half[f].usable || !p->facts->has_family[f] || has_end(c, (enum family)f))
			continue;
		r = forget(p, (enum family)f, mark, ret, &s);
		if (r < 0)
			return r;
		s->of.connections.keep_tcp = strcmp(suffix, "_only") == 0;
		r = keep_arrivals(path, have->table, (enum family)f, s);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_mark(const struct plan *p, uint32_t mark, struct numbers *ret)
{
	uint32_t value = mark >> p->mark_shift;

	return mark ? numbers_add(ret, (struct number_range){ value, value }) : 0;
}

/* The values of all marks that mean something: a few ranges, since slots follow each other. */
static int find_used(const struct plan *p, struct numbers *ret)
{
	int r = add_mark(p, p->mark_main, ret);

	for (size_t i = 0; i < p->path_count && r == 0; i++)
		r = add_mark(p, p->paths[i].mark, ret) ?: add_mark(p, p->paths[i].mark_yields, ret) ?:
		    add_mark(p, p->paths[i].mark_kill, ret);
	for (size_t i = 0; i < p->table_count && r == 0; i++)
		r = add_mark(p, p->tables[i].mark, ret) ?: add_mark(p, p->tables[i].mark_yields, ret);
	numbers_normalise(ret);
	return r;
}

/* Marks of paths that are no longer managed mean nothing from now on. */
static int end_gone_paths(const struct plan *p, const struct nft_table *have, struct steps *ret)
{
	const struct nft_set *restore = nft_find_set(have, "restore");
	CLEANUP(numbers_done) struct numbers used = { 0 };
	int err = find_used(p, &used);

	for (size_t i = 0; restore && i < restore->element_count && err == 0; i++) {
		char *end;
		uint32_t mark = (uint32_t)strtoul(restore->elements[i], &end, 16);

		if (!mark || numbers_contain(&used, mark >> p->mark_shift))
			continue;
		for (int f = 0; f < FAMILY_COUNT; f++) {
			struct step *s;

			err = forget(p, (enum family)f, mark, ret, &s);
			if (err < 0)
				return err;
		}
	}
	return err;
}

/* ---- sockets ---- */

static int compare_addresses(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* The host's addresses in order; NULL when memory fails. */
static struct addr *sort_addresses(const struct facts *f)
{
	struct addr *v = calloc(f->address_count + 1, sizeof(*v));

	for (size_t i = 0; v && i < f->address_count; i++)
		v[i] = f->addresses[i].addr;
	if (v)
		vec_sort(v, f->address_count, sizeof(*v), compare_addresses);
	return v;
}

static int close_sockets_of(const struct nft_set *all, const struct facts *f, const struct addr *on_host,
			    struct steps *ret)
{
	/* What stands as it is wanted, the host has. */
	for (size_t i = 0; all && !all->is_borrowed && i < all->element_count; i++) {
		struct step *s;
		struct addr a;

		if (!element_address(all->elements[i], &a) ||
		    bsearch(&a, on_host, f->address_count, sizeof(a), compare_addresses))
			continue;
		s = steps_add(ret, STEP_CLOSE_SOCKETS);
		if (!s)
			return -ENOMEM;
		s->of.socket_source = a;
	}
	return 0;
}

static int close_sockets(const struct plan *p, const struct nft_table *have, struct steps *ret)
{
	struct addr *on_host = sort_addresses(p->facts);
	int r = on_host ? 0 : -ENOMEM;

	for (int f = 0; f < FAMILY_COUNT && r == 0; f++) {
		const char *set = f == FAMILY_IPV4 ? "addresses_ipv4" : "addresses_ipv6";

		r = close_sockets_of(nft_find_set(have, set), p->facts, on_host, ret);
	}
	free(on_host);
	return r;
}

int plan_dead_paths(const struct plan *p, const struct nft_table *have, struct steps *ret)
{
	CLEANUP(standing_done) struct standing standing = { 0 };
	int r;

	if (!have->exists)
		return 0;
	r = standing_fill(have, &standing);
	if (r < 0)
		return r;
	/* A socket that is destroyed sends a reset: while its connection is known it dies on the dead path. */
	r = close_sockets(p, have, ret);
	for (size_t i = 0; i < p->path_count && r == 0; i++) {
		const struct path *path = &p->paths[i];

		r = end_way(p, &standing, path, "", path->mark, ret);
		if (r == 0)
			r = end_way(p, &standing, path, "_yields", path->mark_yields, ret);
		if (r == 0)
			r = end_way(p, &standing, path, "_only", path->mark_kill, ret);
	}
	return r < 0 ? r : end_gone_paths(p, have, ret);
}
