/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compares two models of the table. Texts that differ are compared again in canonical form, so that
 * the version of nft makes no difference.
 */
#include "plan/nft/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

static void texts_done(struct nft_texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->v[i]);
	free(t->v);
}

void nft_changes_done(struct nft_changes *c)
{
	for (size_t i = 0; i < c->set_count; i++) {
		addr_ranges_done(&c->sets[i].gone);
		addr_ranges_done(&c->sets[i].fresh);
		texts_done(&c->sets[i].gone_texts);
		texts_done(&c->sets[i].fresh_texts);
	}
	free(c->chains);
	free(c->sets);
	texts_done(&c->gone_counters);
	texts_done(&c->fresh_counters);
	*c = (struct nft_changes){ 0 };
}

static int texts_add(struct nft_texts *t, const char *text)
{
	char **slot = VEC_PUSH(t->v, t->count);

	if (!slot)
		return -ENOMEM;
	*slot = strdup(text);
	return *slot ? 0 : -ENOMEM;
}

static bool both_or_neither(const char *a, const char *b, bool (*equal)(const char *, const char *))
{
	return a && b ? equal(a, b) : !a && !b;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool same_rule(const struct nft_rule *a, const struct nft_rule *b)
{
	return both_or_neither(a->comment, b->comment, same_text) && nft_text_equal(a->text, b->text);
}

char *nft_rule_key(const struct nft_rule *r)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_add(&text, r->text);
	if (r->comment)
		strbuf_printf(&text, " comment \"%s\"", r->comment);
	return text.failed ? NULL : nft_canonical(text.text);
}

/* ---- elements ---- */

/* An element and what it is compared by. */
struct keyed {
	char *key;
	char *text;
};

struct keyed_list {
	struct keyed *v;
	size_t count;
};

static void keyed_done(struct keyed_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->v[i].key);
		free(l->v[i].text);
	}
	free(l->v);
}

static int keyed_add(struct keyed_list *l, const char *text)
{
	struct keyed *k = VEC_PUSH(l->v, l->count);

	if (!k)
		return -ENOMEM;
	k->key = nft_canonical(text);
	k->text = strdup(text);
	return k->key && k->text ? 0 : -ENOMEM;
}

static int compare_keyed(const void *a, const void *b)
{
	return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static void keyed_sort(struct keyed_list *l)
{
	vec_sort(l->v, l->count, sizeof(*l->v), compare_keyed);
}

static int keyed_ranges(const struct nft_set *s, struct keyed_list *ret)
{
	char text[RANGE_TEXT_SIZE];
	int err = 0;

	for (size_t i = 0; !err && i < s->ranges.count; i++)
		err = keyed_add(ret, addr_range_print(&s->ranges.v[i], text));
	return err;
}

/* The elements of each side that the other does not have word for word: most are equal so, and need
 * no canonical form. */
static int keyed_of_both(const struct set_change *s, struct keyed_list *have,
			 struct keyed_list *want)
{
	const struct nft_set *a = s->have, *b = s->want;
	int err = keyed_ranges(a, have) ?: keyed_ranges(b, want);

	for (size_t h = 0, w = 0; !err && (h < a->element_count || w < b->element_count);) {
		int c = h == a->element_count ? 1 : w == b->element_count ? -1 :
			strcmp(a->elements[h], b->elements[w]);

		if (c < 0)
			err = keyed_add(have, a->elements[h]);
		else if (c > 0)
			err = keyed_add(want, b->elements[w]);
		h += c <= 0;
		w += c >= 0;
	}
	if (err)
		return err;
	keyed_sort(have);
	keyed_sort(want);
	return 0;
}

static int compare_elements(struct set_change *s)
{
	CLEANUP(keyed_done) struct keyed_list have = { 0 };
	CLEANUP(keyed_done) struct keyed_list want = { 0 };
	int err = keyed_of_both(s, &have, &want);

	for (size_t h = 0, w = 0; !err && (h < have.count || w < want.count);) {
		int c = h == have.count ? 1 : w == want.count ? -1 :
			compare_keyed(&have.v[h], &want.v[w]);

		if (c < 0)
			err = texts_add(&s->gone_texts, have.v[h].text);
		else if (c > 0)
			err = texts_add(&s->fresh_texts, want.v[w].text);
		h += c <= 0;
		w += c >= 0;
	}
	return err;
}

static int compare_ranges(struct set_change *s)
{
	const struct addr_ranges *have = &s->have->ranges, *want = &s->want->ranges;
	int err = 0;

	for (size_t h = 0, w = s->have->like_head, end = want->count - s->have->like_tail;
	     !err && (h < have->count || w < end);) {
		int c = h == have->count ? 1 : w == end ? -1 :
			addr_range_compare(&have->v[h], &want->v[w]);

		if (c < 0)
			err = addr_ranges_add(&s->gone, &have->v[h]);
		else if (c > 0)
			err = addr_ranges_add(&s->fresh, &want->v[w]);
		h += c <= 0;
		w += c >= 0;
	}
	return err;
}

/* ---- sets ---- */

/* "1h30m" in seconds. Listings have it in either form. */
static uint64_t duration(const char *text)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	uint64_t sum = 0, n = 0;

	for (; *text; text++) {
		const char *unit = strchr(units, *text);

		if (*text >= '0' && *text <= '9' && n < UINT32_MAX) {
			n = n * 10 + (*text - '0');
		} else if (unit) {
			sum += n * seconds[unit - units];
			n = 0;
		}
	}
	return sum + n;
}

static bool same_flags(const char *a, const char *b)
{
	CLEANUP(strbuf_done) struct strbuf left = { 0 };
	CLEANUP(strbuf_done) struct strbuf right = { 0 };

	strbuf_printf(&left, "flags %s", a);
	strbuf_printf(&right, "flags %s", b);
	return !left.failed && !right.failed && nft_text_equal(left.text, right.text);
}

static bool same_timeout(const char *a, const char *b)
{
	return duration(a) == duration(b);
}

static bool same_declaration(const struct nft_set *a, const struct nft_set *b)
{
	return a->is_map == b->is_map && nft_text_equal(a->type, b->type) &&
	       both_or_neither(a->flags, b->flags, same_flags) &&
	       both_or_neither(a->timeout, b->timeout, same_timeout);
}

/* Stages (plan/nft/stages.c) have sets in common. */
static bool is_same_set(const struct nft_set *a, const struct nft_set *b)
{
	return a->type == b->type && a->ranges.v == b->ranges.v && a->elements == b->elements;
}

static int compare_set(struct set_change *s)
{
	if (!s->have || !s->want || is_same_set(s->have, s->want))
		return 0;
	s->replace = !same_declaration(s->have, s->want);
	if (s->replace || s->want->is_dynamic)
		return 0;
	return s->have->element_count || s->want->element_count ? compare_elements(s) : compare_ranges(s);
}

static void note_set(const struct set_change *s, struct nft_changes *ret)
{
	bool beyond = !s->want || s->replace || (!s->have && !s->want->has_ranges) ||
		      s->gone_texts.count || s->fresh_texts.count;

	ret->any |= beyond || !s->have || s->gone.count || s->fresh.count;
	ret->beyond_ranges |= beyond;
}

static int compare_sets(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	int err = 0;

	for (size_t h = 0, w = 0; !err && (h < have->set_count || w < want->set_count);) {
		int c = h == have->set_count ? 1 : w == want->set_count ? -1 :
			strcmp(have->sets[h].name, want->sets[w].name);
		struct set_change *s = VEC_PUSH(ret->sets, ret->set_count);

		if (!s)
			return -ENOMEM;
		if (c <= 0)
			s->have = &have->sets[h++];
		if (c >= 0)
			s->want = &want->sets[w++];
		err = compare_set(s);
		note_set(s, ret);
	}
	return err;
}

static int compare_counters(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	int err = 0;

	for (size_t h = 0, w = 0; !err && (h < have->counter_count || w < want->counter_count);) {
		int c = h == have->counter_count ? 1 : w == want->counter_count ? -1 :
			strcmp(have->counters[h], want->counters[w]);

		if (c < 0)
			err = texts_add(&ret->gone_counters, have->counters[h]);
		else if (c > 0)
			err = texts_add(&ret->fresh_counters, want->counters[w]);
		h += c <= 0;
		w += c >= 0;
	}
	if (ret->gone_counters.count || ret->fresh_counters.count)
		ret->any = ret->beyond_ranges = true;
	return err;
}

/* ---- chains ---- */

static bool same_rules(const struct nft_chain *a, const struct nft_chain *b)
{
	if (a->rule_count != b->rule_count)
		return false;
	if (a->rules == b->rules)
		return true;
	for (size_t i = 0; i < a->rule_count; i++)
		if (!same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

static bool uses_set(const struct nft_chain *c, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < c->rule_count; i++)
		for (const char *p = c->rules[i].text; (p = strchr(p, '@')); p++)
			if (strncmp(p + 1, name, len) == 0 && strchr(" {,", p[1 + len]))
				return true;
	return false;
}

/* A set can only be replaced while no rule refers to it. */
static bool uses_replaced_set(const struct nft_chain *c, const struct nft_changes *changes)
{
	for (size_t i = 0; i < changes->set_count; i++)
		if (changes->sets[i].replace && uses_set(c, changes->sets[i].have->name))
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct nft_chain *const *)a)->name, (*(const struct nft_chain *const *)b)->name);
}

/* The chains by name; NULL: no memory. */
static const struct nft_chain **by_name(const struct nft_table *t)
{
	const struct nft_chain **v = calloc(t->chain_count + 1, sizeof(*v));

	for (size_t i = 0; v && i < t->chain_count; i++)
		v[i] = &t->chains[i];
	if (v)
		vec_sort(v, t->chain_count, sizeof(*v), compare_names);
	return v;
}

static const struct nft_chain *find_chain(const struct nft_chain **sorted, size_t count, const struct nft_chain *like)
{
	const struct nft_chain **found = bsearch(&like, sorted, count, sizeof(*sorted), compare_names);

	return found ? *found : NULL;
}

static int add_chain_change(struct nft_changes *ret, const struct nft_chain *have, const struct nft_chain *want)
{
	struct chain_change *c = VEC_PUSH(ret->chains, ret->chain_count);

	if (!c)
		return -ENOMEM;
	c->have = have;
	c->want = want;
	c->replace = have && want && !both_or_neither(have->hook, want->hook, nft_text_equal);
	c->must_empty = have && uses_replaced_set(have, ret);
	c->refill = have && want && (c->replace || c->must_empty || !same_rules(have, want));
	if (!have || !want || c->refill)
		ret->any = ret->beyond_ranges = true;
	return 0;
}

/* Mostly no chain has come or gone. */
static bool same_names(const struct nft_table *a, const struct nft_table *b)
{
	bool same = a->chain_count == b->chain_count;

	for (size_t i = 0; same && i < a->chain_count; i++)
		same = strcmp(a->chains[i].name, b->chains[i].name) == 0;
	return same;
}

static int compare_in_order(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	int err = 0;

	for (size_t i = 0; !err && i < want->chain_count; i++)
		err = add_chain_change(ret, &have->chains[i], &want->chains[i]);
	return err;
}

static int compare_by_name(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	const struct nft_chain **had = by_name(have), **wanted = by_name(want);
	int err = had && wanted ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < want->chain_count; i++)
		err = add_chain_change(ret, find_chain(had, have->chain_count, &want->chains[i]), &want->chains[i]);
	for (size_t i = 0; !err && i < have->chain_count; i++)
		if (!find_chain(wanted, want->chain_count, &have->chains[i]))
			err = add_chain_change(ret, &have->chains[i], NULL);
	free(had);
	free(wanted);
	return err;
}

static int compare_chains(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	return same_names(have, want) ? compare_in_order(have, want, ret) : compare_by_name(have, want, ret);
}

int nft_compare(const struct nft_table *have, const struct nft_table *want, struct nft_changes *ret)
{
	struct nft_changes c = { 0 };
	int err;

	c.any = c.beyond_ranges = have->exists != want->exists || have->dormant ||
				  have->other_count;
	err = compare_counters(have, want, &c) ?: compare_sets(have, want, &c) ?: compare_chains(have, want, &c);
	if (err)
		nft_changes_done(&c);
	else
		*ret = c;
	return err;
}
