/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finds runs of policies, and writes what a run looks like in nftables. A policy of a run is a few
 * boxes, whose sides are its selectors; that the first policy counts is settled here, once, where
 * boxes overlap.
 */
#include "plan/runs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/ways.h"

/* A policy of more boxes stays a rule: there its lists are sets, which both hooks share. */
#define BOXES_MAX 64
/* Where overlaps make more pieces of the boxes of a run, it is cut in two. */
#define PIECES_PER_BOX 4

enum field {
	FIELD_FROM,
	FIELD_TO,
	FIELD_PROTOCOL,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_USER,
	FIELD_GROUP,
	FIELD_COUNT,
};

/* Ports are looked up behind a protocol, as `tcp dport` is. */
static const struct {
	const char *word;
	size_t at; /* in struct policy: a struct addr_match or number_match */
	const char *expression[FAMILY_COUNT];
	const char *type[FAMILY_COUNT];
} fields[FIELD_COUNT] = {
	[FIELD_FROM] = { "from",
			 offsetof(struct policy, from),
			 { "ip saddr", "ip6 saddr" },
			 { "ipv4_addr", "ipv6_addr" } },
	[FIELD_TO] = { "to",
		       offsetof(struct policy, to),
		       { "ip daddr", "ip6 daddr" },
		       { "ipv4_addr", "ipv6_addr" } },
	[FIELD_PROTOCOL] = { "protocol",
			     offsetof(struct policy, protocol),
			     { "meta l4proto", "meta l4proto" },
			     { "inet_proto", "inet_proto" } },
	[FIELD_SPORT] = { "sport",
			  offsetof(struct policy, sport),
			  { "th sport", "th sport" },
			  { "inet_service", "inet_service" } },
	[FIELD_DPORT] = { "dport",
			  offsetof(struct policy, dport),
			  { "th dport", "th dport" },
			  { "inet_service", "inet_service" } },
	[FIELD_USER] = { "user",
			 offsetof(struct policy, user),
			 { "meta skuid", "meta skuid" },
			 { "uid", "uid" } },
	[FIELD_GROUP] = { "group",
			  offsetof(struct policy, group),
			  { "meta skgid", "meta skgid" },
			  { "gid", "gid" } },
};

#define BIT(field) (1u << (field))
#define ADDRESSES (BIT(FIELD_FROM) | BIT(FIELD_TO))

/* ---- the shape of a policy ---- */

static const struct addr_match *addresses_of(const struct policy *pol, enum field f)
{
	return (const void *)((const char *)pol + fields[f].at);
}

static const struct number_match *numbers_of(const struct policy *pol, enum field f)
{
	return (const void *)((const char *)pol + fields[f].at);
}

static bool is_given(const struct policy *pol, enum field f)
{
	return BIT(f) & ADDRESSES ? addresses_of(pol, f)->given : numbers_of(pol, f)->given;
}

/* How many ranges it is in this family; 0: it can't be said in ranges alone, or had better not. */
static size_t range_count(const struct policy *pol, enum field f, enum family family)
{
	const struct number_match *numbers;
	const struct addr_match *m;

	if (!(BIT(f) & ADDRESSES)) {
		numbers = numbers_of(pol, f);
		return numbers->no.count ? 0 : numbers->yes.count;
	}
	m = addresses_of(pol, f);
	return m->set_count || m->no[FAMILY_IPV4].count || m->no[FAMILY_IPV6].count
		       ? 0
		       : m->yes[family].count;
}

static size_t box_count(const struct policy *pol, unsigned int shape, enum family family)
{
	size_t n = 1;

	for (enum field f = 0; f < FIELD_COUNT; f++)
		if (shape & BIT(f) && n <= BOXES_MAX)
			n *= range_count(pol, f, family);
	return n;
}

/* The selector as a bit; 0: the policy stays a rule. */
static unsigned int shape_of(const struct policy *pol)
{
	unsigned int shape = 0;

	if (pol->in.count || pol->cgroup.count || pol->mac.count || pol->mark.count ||
	    pol->dscp.given || pol->hour_count || pol->days)
		return 0;
	for (enum field f = 0; f < FIELD_COUNT; f++)
		if (is_given(pol, f))
			shape |= BIT(f);
	/* Of several fields, intervals are a map that is empty for a moment after the transaction that
	 * makes it (Linux 6.18, pipapo: 107 of 12,000 packets of a kill switch leaked in 12 of them). */
	if (shape & (shape - 1))
		return 0;
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		size_t n = pol->family[f] ? box_count(pol, shape, f) : 1;

		if (n == 0 || n > BOXES_MAX)
			return 0;
	}
	return shape;
}

/* ---- boxes of policies ---- */

static struct addr_range range_at(const struct policy *pol, enum field f, enum family family,
				  size_t i)
{
	const struct number_range *n;

	if (BIT(f) & ADDRESSES)
		return addresses_of(pol, f)->yes[family].v[i];
	n = &numbers_of(pol, f)->yes.v[i];
	return (struct addr_range){ addr_of_number(n->from), addr_of_number(n->to) };
}

/* Every combination of a range of each selector. */
static int add_boxes(struct boxes *b, const struct policy *pol, unsigned int shape,
		     enum family family, size_t owner)
{
	size_t n = box_count(pol, shape, family);
	struct addr_range sides[BOX_SIDES_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t rest = i, side = 0;

		for (enum field f = 0; f < FIELD_COUNT; f++) {
			size_t count = shape & BIT(f) ? range_count(pol, f, family) : 1;

			if (shape & BIT(f))
				sides[side++] = range_at(pol, f, family, rest % count);
			rest /= count;
		}
		TRY(boxes_add(b, sides, owner));
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
	CLEANUP(boxes_done) struct boxes all = { .sides = (size_t)__builtin_popcount(r->shape) };

	for (size_t i = r->first; i < r->end; i++) {
		const struct policy_plan *pp = &f->plan->policies[i];

		if (policy_in_force(pp, f->hook) && !policy_skipped(pp, family))
			TRY(add_boxes(&all, pp->policy, r->shape, family, i));
	}
	return boxes_resolve(&all, PIECES_PER_BOX * all.count, &r->pieces[family]);
}

static void run_done(struct run *r)
{
	free(r->name);
	for (int f = 0; f < FAMILY_COUNT; f++)
		boxes_done(&r->pieces[f]);
}

void runs_done(struct runs *r)
{
	for (size_t i = 0; i < r->count; i++)
		run_done(&r->v[i]);
	free(r->v);
	*r = (struct runs){ 0 };
}

/* "judge_local.1_to": the number is that among the runs of this shape, so that others may come
 * and go. */
static char *name_run(const struct runs *runs, const struct run *r)
{
	struct strbuf b = { 0 };
	unsigned int number = 1;

	for (size_t i = 0; i < runs->count; i++)
		number += runs->v[i].shape == r->shape;
	strbuf_printf(&b, "%s.%u", runs->chain, number);
	for (enum field f = 0; f < FIELD_COUNT; f++)
		if (r->shape & BIT(f))
			strbuf_printf(&b, "_%s", fields[f].word);
	return strbuf_take(&b);
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

/* Policies [first, end) have one shape. */
static int close_run(const struct finder *f, size_t first, size_t end, unsigned int shape)
{
	struct run r = { .first = first, .end = end, .shape = shape };
	size_t count = 0, middle;
	int err;

	for (size_t i = first; i < end; i++)
		count += policy_in_force(&f->plan->policies[i], f->hook);
	if (!shape || count < run_length_min)
		return 0;
	err = resolve(f, &r, FAMILY_IPV4) ?: resolve(f, &r, FAMILY_IPV6);
	if (!err)
		return push(f->runs, &r);
	run_done(&r);
	middle = first + (end - first) / 2;
	if (err != -E2BIG || middle == first)
		return err == -E2BIG ? 0 : err;
	return close_run(f, first, middle, shape) ?: close_run(f, middle, end, shape);
}

int runs_find(const struct plan *p, enum hook hook, size_t end, const char *chain, struct runs *ret)
{
	struct runs runs = { .chain = chain };
	struct finder f = { p, hook, &runs };
	unsigned int shape = 0;
	size_t first = 0;
	int err = 0;

	for (size_t i = 0; i < end && !err; i++) {
		unsigned int next;

		if (!policy_in_force(&p->policies[i], hook))
			continue;
		next = shape_of(p->policies[i].policy);
		if (next == shape)
			continue;
		err = close_run(&f, first, i, shape);
		first = i;
		shape = next;
	}
	err = err ?: close_run(&f, first, end, shape);
	if (err)
		runs_done(&runs);
	else
		*ret = runs;
	return err;
}

/* ---- in nftables ---- */

static void put_map_name(const struct run *r, enum family family, struct strbuf *b)
{
	strbuf_printf(b, "%s_%c", r->name, family == FAMILY_IPV4 ? '4' : '6');
}

/* "A . B . C" */
static void put_fields(const struct run *r, enum family family, bool types, struct strbuf *b)
{
	const char *separator = "";

	for (enum field f = 0; f < FIELD_COUNT; f++) {
		if (!(r->shape & BIT(f)))
			continue;
		strbuf_printf(b, "%s%s", separator,
			      types ? fields[f].type[family] : fields[f].expression[family]);
		separator = " . ";
	}
}

int run_add_lookups(const struct run *r, struct nft_chain *c)
{
	for (enum family f = 0; f < FAMILY_COUNT; f++) {
		CLEANUP(strbuf_done) struct strbuf b = { 0 };

		if (!r->pieces[f].count)
			continue;
		if (!(r->shape & ADDRESSES))
			strbuf_printf(&b, "meta nfproto %s ", family_name(f));
		put_fields(r, f, false, &b);
		strbuf_add(&b, " vmap @");
		put_map_name(r, f, &b);
		TRY(b.failed ? -ENOMEM : nft_add_rule(c, NULL, "%s", b.text));
	}
	return 0;
}

char *run_chain_name(const struct runs *r, const struct policy_plan *pp)
{
	char *name;

	return asprintf(&name, "%s.%s", r->chain, pp->word) < 0 ? NULL : name;
}

/* As nft lists it. */
static void put_range(const struct addr_range *r, bool is_address, struct strbuf *b)
{
	uint32_t from = addr_to_number(&r->from), to = addr_to_number(&r->to);
	char text[RANGE_TEXT_SIZE];

	if (is_address)
		strbuf_add(b, addr_range_print(r, text));
	else if (from == to)
		strbuf_printf(b, "%u", from);
	else
		strbuf_printf(b, "%u-%u", from, to);
}

static void put_piece(const struct run *r, const struct addr_range *sides, struct strbuf *b)
{
	const char *separator = "";

	for (enum field f = 0; f < FIELD_COUNT; f++) {
		if (!(r->shape & BIT(f)))
			continue;
		strbuf_add(b, separator);
		put_range(sides++, BIT(f) & ADDRESSES, b);
		separator = " . ";
	}
}

static int add_map(struct plan *p, const struct runs *runs, const struct run *r, enum family family,
		   const char *(*verdict)(const struct policy *p))
{
	CLEANUP(strbuf_done) struct strbuf name = { 0 };
	CLEANUP(strbuf_done) struct strbuf type = { 0 };
	const struct boxes *pieces = &r->pieces[family];
	struct nft_set *s;

	put_map_name(r, family, &name);
	put_fields(r, family, true, &type);
	strbuf_add(&type, " : verdict");
	s = name.failed || type.failed
		    ? NULL
		    : nft_add_set(&p->nft, name.text, true, type.text, "interval");
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < pieces->count; i++) {
		CLEANUP(strbuf_done) struct strbuf key = { 0 };
		const struct policy_plan *pp = &p->policies[pieces->owners[i]];
		const char *end = verdict ? verdict(pp->policy) : NULL;

		put_piece(r, &pieces->v[i * pieces->sides], &key);
		if (key.failed)
			return -ENOMEM;
		TRY(end ? nft_add_element(s, "%s : %s", key.text, end)
			: nft_add_element(s, "%s : goto %s.%s", key.text, runs->chain, pp->word));
	}
	return 0;
}

int runs_add_maps(struct plan *p, const struct runs *r,
		  const char *(*verdict)(const struct policy *p))
{
	for (size_t i = 0; i < r->count; i++)
		for (enum family f = 0; f < FAMILY_COUNT; f++)
			if (r->v[i].pieces[f].count)
				TRY(add_map(p, r, &r->v[i], f, verdict));
	return 0;
}
