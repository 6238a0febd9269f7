/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What no single group shows: names taken twice, references to nothing, tables that two would share.
 * Everything by sorting: 10,000 policies are a small matter.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "policy/reader.h"

/* ---- names ---- */

/* The objects of one kind that have names. */
struct named {
	const char *what;
	const char *(*name)(const struct config *c, size_t i); /* NULL or "": it has none */
	struct where (*at)(const struct config *c, size_t i);
	size_t count;
};

static const char *interface_name(const struct config *c, size_t i)
{
	return c->interfaces[i].name;
}

static struct where interface_at(const struct config *c, size_t i)
{
	return c->interfaces[i].at;
}

static const char *set_name(const struct config *c, size_t i)
{
	return c->sets[i].name;
}

static struct where set_at(const struct config *c, size_t i)
{
	return c->sets[i].at;
}

static const char *policy_name(const struct config *c, size_t i)
{
	return c->policies[i].name;
}

static struct where policy_at(const struct config *c, size_t i)
{
	return c->policies[i].at;
}

/* Names in order; a name that was taken before is an error. */
static int check_names(struct reader *r, const struct named *n, struct index *ret)
{
	int err = 0;

	for (size_t i = 0; i < n->count && err == 0; i++) {
		const char *name = n->name(r->config, i);

		if (name && *name)
			err = index_add(ret, 0, name, i);
	}
	if (err < 0)
		return err;
	index_sort(ret);
	for (size_t i = 1; i < ret->count; i++) {
		struct where first;

		if (strcmp(ret->v[i].name, ret->v[i - 1].name) != 0)
			continue;
		first = n->at(r->config, index_find(ret, ret->v[i].name)->i);
		object_error(r, n->at(r->config, ret->v[i].i), n->what, ret->v[i].name,
			     "there is one of this name already at %s:%u", first.file, first.line);
	}
	return 0;
}

/* ---- interfaces ---- */

static struct where interface_key_at(const struct reader *r, size_t i, int key)
{
	struct where at = r->config->interfaces[i].at;

	if (r->interface_lines[i].line[key])
		at.line = r->interface_lines[i].line[key];
	return at;
}

static int by_table(const void *a, const void *b)
{
	const struct interface *const *x = a, *const *y = b;
	int c = CMP((*x)->table, (*y)->table);

	return c ? c : CMP(*x, *y);
}

/* All interfaces by table; those without one come first. NULL: out of memory, or there is none. */
static const struct interface **interfaces_by_table(const struct config *c)
{
	const struct interface **v = c->interface_count ? calloc(c->interface_count, sizeof(*v))
							: NULL;

	for (size_t i = 0; v && i < c->interface_count; i++)
		v[i] = &c->interfaces[i];
	if (v)
		qsort(v, c->interface_count, sizeof(*v), by_table);
	return v;
}

static int check_tables(struct reader *r)
{
	const struct config *c = r->config;
	const struct interface **v = interfaces_by_table(c);

	if (!v)
		return c->interface_count ? -ENOMEM : 0;
	for (size_t i = 1; i < c->interface_count; i++)
		if (v[i]->table && v[i]->table == v[i - 1]->table)
			object_error(r, interface_key_at(r, v[i] - c->interfaces, INTERFACE_TABLE),
				     "interface", v[i]->name,
				     "table: %" PRIu32 " is the table of interface \"%s\" already",
				     v[i]->table, v[i - 1]->name);
	for (size_t i = 0; i < c->policy_count; i++) {
		const struct interface wanted = { .table = c->policies[i].table }, *key = &wanted;
		size_t low = 0, high = c->interface_count;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (v[mid]->table < key->table)
				low = mid + 1;
			else
				high = mid;
		}
		if (key->table && low < c->interface_count && v[low]->table == key->table)
			policy_error(r, i, POLICY_TABLE, 0,
				     "%" PRIu32 " is the table of interface \"%s\": "
				     "did you mean via = \"%s\"?",
				     key->table, v[low]->name, v[low]->name);
	}
	free(v);
	return 0;
}

static int by_destination(const void *a, const void *b)
{
	const struct extra_route *x = a, *y = b;

	return prefix_compare(&x->dst, &y->dst);
}

/* Two routes to one destination can't stand side by side in a table. */
static void check_routes(struct reader *r)
{
	for (size_t i = 0; i < r->config->interface_count; i++) {
		struct interface *in = &r->config->interfaces[i];
		char text[PREFIX_TEXT_SIZE];

		if (in->route_count)
			qsort(in->routes, in->route_count, sizeof(*in->routes), by_destination);
		for (size_t k = 1; k < in->route_count; k++)
			if (prefix_compare(&in->routes[k].dst, &in->routes[k - 1].dst) == 0)
				object_error(r, interface_key_at(r, i, INTERFACE_ROUTES),
					     "interface", in->name,
					     "routes: there are two to \"%s\"",
					     prefix_print(&in->routes[k].dst, text));
	}
}

/* ---- uses ---- */

/* Every name in order, for suggestions; the caller frees. NULL: none, or no memory. */
static const char **names_of(const struct index *x)
{
	const char **v = x->count ? calloc(x->count, sizeof(*v)) : NULL;

	for (size_t i = 0; v && i < x->count; i++)
		v[i] = x->v[i].name;
	return v;
}

static void not_found(struct reader *r, const struct use *u, const char *name, const char *problem,
		      const struct index *known)
{
	CLEANUP(strbuf_done) struct strbuf hint = { 0 };
	const char **names = names_of(known);

	strbuf_add(&hint, "");
	if (names)
		suggest(&hint, r->diag, name, names, known->count);
	policy_error(r, u->policy, u->key, u->line, "\"%s%.80s\" %s%s",
		     u->key == POLICY_FROM || u->key == POLICY_TO ? "@" : "", name, problem,
		     hint.failed ? "" : hint.text);
	free(names);
}

static void resolve_set(struct reader *r, const struct use *u, const struct index *sets)
{
	struct policy *p = &r->config->policies[u->policy];
	struct set_ref *ref = u->key == POLICY_FROM ? &p->from.sets[u->ref] : &p->to.sets[u->ref];
	const struct entry *e = index_find(sets, u->name);

	ref->set = e ? e->i : SIZE_MAX;
	if (!e && !r->incomplete)
		not_found(r, u, u->name, "is a set that is not declared", sets);
}

static void check_member(struct reader *r, const struct use *u, const struct index *interfaces)
{
	const char *name = r->config->policies[u->policy].members[u->ref].name;

	/* The index is quick, but knows no patterns. */
	if (r->incomplete || index_find(interfaces, name) || config_interface(r->config, name))
		return;
	not_found(r, u, name, "is not declared in \"interfaces\", by name or by pattern",
		  interfaces);
}

static void check_mark(struct reader *r, const struct use *u)
{
	const struct mark_value *m = &r->config->policies[u->policy].mark.v[u->ref];
	uint32_t ours = m->value & r->config->settings.mark_mask;

	if (ours)
		policy_error(r, u->policy, u->key, u->line,
			     "%#" PRIx32 " is in mark_mask, and so never a mark of "
			     "somebody else's",
			     ours);
}

static int check_uses(struct reader *r, const struct index *sets, const struct index *interfaces)
{
	CLEANUP(index_done) struct index members = { 0 };
	int err = 0;

	for (size_t i = 0; i < r->use_count && err == 0; i++) {
		const struct use *u = &r->uses[i];

		if (u->key == POLICY_FROM || u->key == POLICY_TO) {
			resolve_set(r, u, sets);
		} else if (u->key == POLICY_MARK) {
			check_mark(r, u);
		} else {
			check_member(r, u, interfaces);
			err = index_add(&members, u->policy,
					r->config->policies[u->policy].members[u->ref].name, i);
		}
	}
	if (err < 0)
		return err;
	index_sort(&members);
	for (size_t i = 1; i < members.count; i++) {
		const struct entry *e = &members.v[i];
		const struct use *u = &r->uses[e->i];

		if (e->group == e[-1].group && strcmp(e->name, e[-1].name) == 0)
			policy_error(r, u->policy, u->key, u->line, "\"%s\" is named twice",
				     e->name);
	}
	return 0;
}

int config_check(struct reader *r)
{
	const struct named interfaces = { "interface", interface_name, interface_at,
					  r->config->interface_count };
	const struct named sets = { "set", set_name, set_at, r->config->set_count };
	const struct named policies = { "policy", policy_name, policy_at, r->config->policy_count };
	CLEANUP(index_done) struct index interface_index = { 0 };
	CLEANUP(index_done) struct index set_index = { 0 };
	CLEANUP(index_done) struct index policy_index = { 0 };
	int err;

	err = check_names(r, &interfaces, &interface_index);
	if (err == 0)
		err = check_names(r, &sets, &set_index);
	if (err == 0)
		err = check_names(r, &policies, &policy_index);
	if (err == 0)
		err = check_tables(r);
	check_routes(r);
	if (err == 0)
		err = check_uses(r, &set_index, &interface_index);
	for (size_t i = 0; i < r->config->policy_count && err == 0; i++)
		err = check_policy(r, i);
	return err;
}
