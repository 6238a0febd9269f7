/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which interfaces are managed, what stands on them, and whether each can be used now.
 */
#include "plan/internal.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

/* What is looked for by name, for as long as paths are made. */
struct known {
	struct name_list links, told;
};

static void known_done(struct known *k)
{
	names_done(&k->links);
	names_done(&k->told);
}

static int known_fill(const struct facts *f, struct known *k)
{
	int r = 0;

	for (size_t i = 0; i < f->links.count && r == 0; i++)
		r = names_add(&k->links, f->links.v[i].name, i);
	for (size_t i = 0; i < f->told_count && r == 0; i++)
		r = names_add(&k->told, f->told[i].name, i);
	names_sort(&k->links);
	names_sort(&k->told);
	return r;
}

static int add_path(struct plan *p, const struct known *k, const struct interface *i, const char *name)
{
	struct path *path = VEC_PUSH(p->paths, p->path_count);
	size_t link = names_find(&k->links, name), told = names_find(&k->told, name);

	if (!path)
		return -ENOMEM;
	strcpy(path->name, name);
	path->interface = i;
	path->link = link == SIZE_MAX ? NULL : &p->facts->links.v[link];
	path->told = told == SIZE_MAX ? NULL : &p->facts->told[told];
	return 0;
}

/* What was told of an interface ends with it: one of the same name and another index is another. */
static bool told_is_of(const struct told *t, const struct link *l)
{
	return t && l && (t->index == 0 || t->index == l->index);
}

static int find_addresses(struct path *path)
{
	for (size_t i = 0; i < path->near.address_count; i++) {
		const struct address *a = path->near.addresses[i];
		struct path_half *h = &path->half[a->addr.family];
		struct addr *room;

		if (a->scope >= RT_SCOPE_LINK)
			continue;
		room = VEC_PUSH(h->addresses, h->address_count);
		if (!room)
			return -ENOMEM;
		*room = a->addr;
	}
	return 0;
}

/* A tentative one counts: it settles within a second or two, and no manager announces that. Until then the
 * kernel takes another interface's address, and such packets are dropped and sent again. */
static bool has_address(const struct path *path, enum family f)
{
	for (size_t i = 0; i < path->near.address_count; i++) {
		const struct address *a = path->near.addresses[i];

		if (a->addr.family == f && a->scope < RT_SCOPE_LINK && !a->duplicate)
			return true;
	}
	return false;
}

static bool has_foreign_default(const struct plan *p, const struct path *path, enum family f)
{
	for (size_t i = 0; i < p->foreign_default_count; i++)
		if (p->foreign_defaults[i]->family == f && p->foreign_defaults[i]->table == path->table)
			return true;
	return false;
}

/* Why nothing at all can leave by this half; NULL: something can. */
static const char *dead_reason(const struct plan *p, const struct path *path, enum family f)
{
	if (!p->facts->has_family[f])
		return f == FAMILY_IPV4 ? "no IPv4 on this host" : "no IPv6 on this host";
	if (!path->link)
		return "absent";
	if (!path->link->up)
		return "down";
	if (told_is_of(path->told, path->link) && path->told->down)
		return "announced down";
	if (!path->link->carrier)
		return "no carrier";
	if (!has_address(path, f))
		return path->half[f].address_count ? "somebody else has its address" : "no address";
	return NULL;
}

static void judge_half(const struct plan *p, struct path *path, enum family f)
{
	struct path_half *h = &path->half[f];
	const char *reason = dead_reason(p, path, f);

	h->dead = reason != NULL;
	if (path->link)
		path_find_gateway(path, f);	/* says why not in h->reason */
	if (!reason && !path->quoted[0])
		reason = "nftables can't say its name";
	if (!reason)
		reason = h->reason;
	if (!reason && path->told && path->told->offline)
		reason = "offline";
	if (told_is_of(path->told, path->link) && path->told->refused[f]) {
		h->no_way_out = true;
		if (!reason)
			reason = "the kernel refused its routes";
	}
	if (!reason && has_foreign_default(p, path, f))
		reason = "somebody else's default route stands in its table";
	h->reason = reason;
	h->usable = !reason;
	path->usable |= h->usable;

	switch (path->interface->symmetric) {
	case SYMMETRIC_AUTO:
		h->symmetric = h->has_default && h->address_count;
		break;
	case SYMMETRIC_YES:
		h->symmetric = h->address_count > 0;
		break;
	case SYMMETRIC_NO:
		h->symmetric = false;
		break;
	}
	h->symmetric &= path->quoted[0] != '\0';
}

/* A declared name is managed whether it exists or not; what a glob matches, while it exists. `declared` has for each
 * link which entry it belongs to. */
static int add_managed(struct plan *p, const struct known *k, const struct interface *const *declared)
{
	const struct config *c = p->config;
	int r = 0;

	for (size_t i = 0; i < c->interface_count && r == 0; i++) {
		const struct interface *decl = &c->interfaces[i];

		if (!decl->is_glob) {
			r = add_path(p, k, decl, decl->name);
			continue;
		}
		for (size_t l = 0; l < p->facts->links.count && r == 0; l++) {
			const struct link *link = &p->facts->links.v[l];

			if (!link->loopback && declared[l] == decl)
				r = add_path(p, k, decl, link->name);
		}
	}
	return r;
}

int plan_paths(struct plan *p)
{
	const struct links *links = &p->facts->links;
	const struct interface **declared = calloc(links->count + 1, sizeof(*declared));
	CLEANUP(known_done) struct known k = { 0 };
	int r = declared ? known_fill(p->facts, &k) : -ENOMEM;

	for (size_t i = 0; i < links->count && r == 0; i++)
		declared[i] = config_interface(p->config, links->v[i].name);
	if (r == 0)
		r = add_managed(p, &k, declared);
	free(declared);
	if (r == 0)
		r = plan_near(p);
	return r < 0 ? r : plan_index_paths(p);
}

/* The second half, once tables are known: they decide what is foreign in them. */
int plan_paths_judge(struct plan *p)
{
	for (size_t i = 0; i < p->path_count; i++) {
		struct path *path = &p->paths[i];
		int r = find_addresses(path);

		path_name(path);
		if (r < 0)
			return r;
		for (int f = 0; f < FAMILY_COUNT; f++)
			judge_half(p, path, f);
	}
	return plan_index_addresses(p);
}
