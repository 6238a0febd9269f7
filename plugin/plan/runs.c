/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finds runs of policies, and writes what a run looks like in nftables. That the first policy counts
 * is settled here, once, where their ranges overlap.
 */
#include "plan/runs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/match.h"
#include "plan/ways.h"

/* A policy of more ranges stays a rule: there its list is a set, which both hooks share. */
#define RANGES_MAX 64

enum field { FIELD_FROM, FIELD_TO, FIELD_PROTOCOL, FIELD_USER, FIELD_GROUP, FIELD_NONE };

/* What may be looked up, alone. Of several fields, intervals are slow to change: 20,000 elements are
 * taken out in 40 s. */
static const struct {
	const char *word;
	const char *expression[FAMILY_COUNT];
	const char *type[FAMILY_COUNT];
} fields[] = {
	[FIELD_FROM] = { "from", { "ip saddr", "ip6 saddr" }, { "ipv4_addr", "ipv6_addr" } },
	[FIELD_TO] = { "to", { "ip daddr", "ip6 daddr" }, { "ipv4_addr", "ipv6_addr" } },
	[FIELD_PROTOCOL] = { "protocol",
			     { "meta l4proto", "meta l4proto" },
			     { "inet_proto", "inet_proto" } },
	[FIELD_USER] = { "user", { "meta skuid", "meta skuid" }, { "uid", "uid" } },
	[FIELD_GROUP] = { "group", { "meta skgid", "meta skgid" }, { "gid", "gid" } },
};

static bool is_address(enum field f)
{
	return f == FIELD_FROM || f == FIELD_TO;
}

/* ---- the field of a policy ---- */

static const struct number_match *numbers_of(const struct policy *pol, enum field f)
{
	return f == FIELD_PROTOCOL ? &pol->protocol : f == FIELD_USER ? &pol->user : &pol->group;
}

static const struct addr_match *addresses_of(const struct policy *pol, enum field f)
{
	return f == FIELD_FROM ? &pol->from : &pol->to;
}

/* Whether it can be said in ranges alone, not too many, in each family that it is about. */
static bool is_ranges(const struct policy *pol, enum field f)
{
	const struct addr_match *m = addresses_of(pol, f);
	const struct number_match *n = numbers_of(pol, f);

	if (!is_address(f))
		return !n->no.count && n->yes.count && n->yes.count <= RANGES_MAX;
	if (m->set_count)
		return false;
	for (enum family family = 0; family < FAMILY_COUNT; family++)
		if (m->no[family].count || m->yes[family].count > RANGES_MAX ||
		    (pol->family[family] && !m->yes[family].count))
			return false;
	return true;
}

/* The only selector; FIELD_NONE: the policy stays a rule. */
static enum field field_of(const struct policy *pol)
{
	const bool given[] = {
		[FIELD_FROM] = pol->from.given,		[FIELD_TO] = pol->to.given,
		[FIELD_PROTOCOL] = pol->protocol.given, [FIELD_USER] = pol->user.given,
		[FIELD_GROUP] = pol->group.given,
	};
	enum field only = FIELD_NONE;

	/* Before Linux 6.17 an interval set misses for a moment what one transaction takes out and puts in
	 * again ("nft_set_rbtree: continue traversal if element is inactive"), as maps are changed: a kill
	 * switch stays a rule. */
	if (policy_is_kill_switch(pol) || pol->in.count || pol->cgroup.count || pol->mac.count ||
	    pol->mark.count || pol->sport.given || pol->dport.given || pol->dscp.given ||
	    pol->hours.given || pol->days.given)
		return FIELD_NONE;
	for (enum field f = 0; f < FIELD_NONE; f++) {
		if (!given[f])
			continue;
		if (only != FIELD_NONE || !is_ranges(pol, f))
			return FIELD_NONE;
		only = f;
	}
	return only;
}

static int add_pieces(struct pieces *p, const struct policy *pol, enum field f, enum family family,
		      size_t owner)
{
	const struct addr_ranges *addresses = &addresses_of(pol, f)->yes[family];
	const struct numbers *numbers = &numbers_of(pol, f)->yes;

	if (is_address(f)) {
		for (size_t i = 0; i < addresses->count; i++)
			TRY(pieces_add(p, &addresses->v[i], owner));
		return 0;
	}
	for (size_t i = 0; i < numbers->count; i++) {
		const struct addr_range r = { addr_of_number(numbers->v[i].from),
					      addr_of_number(numbers->v[i].to) };

		TRY(pieces_add(p, &r, owner));
	}
	return 0;
}

/* ---- runs ---- */

struct finder {
	const struct plan *plan;
	enum hook hook;
	struct runs *runs;
};

static int resolve(const struct finder *f, struct run *r, enum family family)
{
	CLEANUP(pieces_done) struct pieces all = { 0 };

	for (size_t i = r->first; i < r->end; i++) {
		const struct policy_plan *pp = &f->plan->policies[i];

		if (policy_in_force(pp, f->hook) && !policy_skipped(pp, family))
			TRY(add_pieces(&all, pp->policy, r->field, family, i));
	}
	return pieces_resolve(&all, &r->pieces[family]);
}

static void run_done(struct run *r)
{
	free(r->name);
	for (int f = 0; f < FAMILY_COUNT; f++)
		pieces_done(&r->pieces[f]);
}

void runs_done(struct runs *r)
{
	for (size_t i = 0; i < r->count; i++)
		run_done(&r->v[i]);
	free(r->v);
	*r = (struct runs){ 0 };
}

/* "judge_local.1_to": the number is that among the runs of this field, so that others may come and
 * go. */
static char *name_run(const struct runs *runs, const struct run *r)
{
	unsigned int number = 1;
	char *name;

	for (size_t i = 0; i < runs->count; i++)
		number += runs->v[i].field == r->field;
	return asprintf(&name, "%s.%u_%s", runs->chain, number, fields[r->field].word) < 0 ? NULL
											   : name;
}

/* Takes *r over. */
static int push(struct runs *runs, struct run *r)
{
	struct run *room;

	r->name = name_run(runs, r);
	room = r->name ? VEC_PUSH(runs->v, runs->count) : NULL;
	if (!room) {
		run_done(r);
		return -ENOMEM;
	}
	*room = *r;
	return 0;
}

/* Policies [first, end) have one field. */
static int close_run(const struct finder *f, size_t first, size_t end, enum field field)
{
	struct run r = { .first = first, .end = end, .field = field };
	size_t count = 0;
	int err;

	for (size_t i = first; i < end; i++)
		count += policy_in_force(&f->plan->policies[i], f->hook);
	if (field == FIELD_NONE || count < run_length_min)
		return 0;
	err = resolve(f, &r, FAMILY_IPV4) ?: resolve(f, &r, FAMILY_IPV6);
	if (!err)
		return push(f->runs, &r);
	run_done(&r);
	return err;
}

int runs_find(const struct plan *p, enum hook hook, const char *chain, struct runs *ret)
{
	struct runs runs = { .chain = chain };
	struct finder f = { p, hook, &runs };
	enum field field = FIELD_NONE;
	size_t first = 0;
	int err = 0;

	for (size_t i = 0; i < p->policy_count && !err; i++) {
		enum field next;

		if (!policy_in_force(&p->policies[i], hook))
			continue;
		next = field_of(p->policies[i].policy);
		if (next == field)
			continue;
		err = close_run(&f, first, i, field);
		first = i;
		field = next;
	}
	err = err ?: close_run(&f, first, p->policy_count, field);
	if (err)
		runs_done(&runs);
	else
		*ret = runs;
	return err;
}

/* ---- in nftables ---- */

int run_add_lookups(const struct run *r, struct nft_chain *c)
{
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		const char *only = is_address(r->field) ? "" : match_only_family(f);

		if (r->pieces[f].count)
			TRY(nft_add_rule(c, NULL, "%s%s vmap @%s_%c", only,
					 fields[r->field].expression[f], r->name,
					 f == FAMILY_IPV4 ? '4' : '6'));
	}
	return 0;
}

char *run_chain_name(const struct runs *r, const struct policy_plan *pp)
{
	char *name;

	return asprintf(&name, "%s.%s", r->chain, pp->word) < 0 ? NULL : name;
}

/* As nft lists it. */
static const char *print_range(enum field f, const struct addr_range *r,
			       char buf[static RANGE_TEXT_SIZE])
{
	uint32_t from = addr_to_number(&r->from), to = addr_to_number(&r->to);

	if (is_address(f))
		return addr_range_print(r, buf);
	snprintf(buf, RANGE_TEXT_SIZE, from == to ? "%u" : "%u-%u", from, to);
	return buf;
}

static struct nft_set *add_empty_map(struct plan *p, const struct run *r, enum family family)
{
	struct nft_set *s = NULL;
	char *name, *type;

	if (asprintf(&name, "%s_%c", r->name, family == FAMILY_IPV4 ? '4' : '6') < 0)
		return NULL;
	if (asprintf(&type, "%s : verdict", fields[r->field].type[family]) >= 0) {
		s = nft_add_set(&p->nft, name, true, type, "interval");
		free(type);
	}
	free(name);
	return s;
}

static int add_map(struct plan *p, const struct runs *runs, const struct run *r, enum family family)
{
	struct nft_set *s = add_empty_map(p, r, family);
	char text[RANGE_TEXT_SIZE];

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < r->pieces[family].count; i++) {
		const struct piece *piece = &r->pieces[family].v[i];
		const struct policy_plan *pp = &p->policies[piece->owner];

		print_range(r->field, &piece->range, text);
		TRY(nft_add_element(s, "%s : goto %s.%s", text, runs->chain, pp->word));
	}
	return 0;
}

int runs_add_maps(struct plan *p, const struct runs *r)
{
	for (size_t i = 0; i < r->count; i++)
		for (enum family f = 0; f < FAMILY_COUNT; f++)
			if (r->v[i].pieces[f].count)
				TRY(add_map(p, r, &r->v[i], f));
	return 0;
}
