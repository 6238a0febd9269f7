/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The difference between two models for a person: lines of nft syntax, one for each rule that comes or
 * goes, which do the same when they are typed in one after the other. A rule that goes is written by its
 * handle, its text behind that; where the handle isn't known (captured facts) by its text, which nft itself
 * does not take.
 */
#include "plan/nft/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "plan/objects.h"

/* Beyond so many differences in one chain all of it is shown as gone and come. */
#define MAX_EDITS 1000
#define ELEMENTS_A_LINE 50

/* "+ nft add rule inet ifsteer NAME" and the rest as a shell takes it. */
static void print_line(char sign, const char *kind, const char *name, const char *rest, struct strbuf *out)
{
	strbuf_printf(out, "%c nft %s %s inet " OUR_TABLE " %s", sign, sign == '+' ? "add" : "delete", kind, name);
	if (rest && *rest) {
		strbuf_add(out, " ");
		words_print(rest, out);
	}
	strbuf_add(out, "\n");
}

static void print_text(const struct nft_rule *r, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_add(&text, r->text);
	if (r->comment)
		strbuf_printf(&text, " comment \"%s\"", r->comment);
	out->failed |= text.failed;
	words_print(text.text ?: "", out);
	strbuf_add(out, "\n");
}

static void print_gone_rule(const char *chain, const struct nft_rule *r, struct strbuf *out)
{
	strbuf_printf(out, "- nft delete rule inet " OUR_TABLE " %s ", chain);
	if (r->handle)
		strbuf_printf(out, "handle %u # ", r->handle);
	print_text(r, out);
}

/* `before` is the place of the rule that it goes in front of; negative: at the end. */
static void print_fresh_rule(const char *chain, int before, const struct nft_rule *r, struct strbuf *out)
{
	strbuf_printf(out, "+ nft %s rule inet " OUR_TABLE " %s ", before < 0 ? "add" : "insert", chain);
	if (before >= 0)
		strbuf_printf(out, "index %d ", before);
	print_text(r, out);
}

/* ---- rules: the shortest edit script, by Myers' greedy algorithm ---- */

/* The rules of one side, by what they are compared by. */
struct side {
	char **keys;
	bool *alone;			/* has no partner on the other side */
	int count;
};

struct edit {
	struct side a, b;
	int *reach[MAX_EDITS + 1];	/* for d edits: how far in `a` each diagonal k gets, at [k + d] */
};

static void edit_done(struct edit *e)
{
	for (size_t d = 0; d <= MAX_EDITS; d++)
		free(e->reach[d]);
	for (int i = 0; i < e->a.count; i++)
		free(e->a.keys[i]);
	for (int i = 0; i < e->b.count; i++)
		free(e->b.keys[i]);
	free(e->a.keys);
	free(e->b.keys);
	free(e->a.alone);
	free(e->b.alone);
}

static int side_of(const struct nft_chain *c, struct side *ret)
{
	size_t count = c ? c->rule_count : 0;

	ret->keys = calloc(count + 1, sizeof(*ret->keys));
	ret->alone = calloc(count + 1, sizeof(*ret->alone));
	if (!ret->keys || !ret->alone)
		return -ENOMEM;
	for (; (size_t)ret->count < count; ret->count++) {
		ret->keys[ret->count] = nft_rule_key(&c->rules[ret->count]);
		if (!ret->keys[ret->count])
			return -ENOMEM;
	}
	return 0;
}

/* Whether the best way to diagonal k with d edits ends with an addition; *ret_x is where in `a` that leads. */
static bool came_down(const struct edit *e, int d, int k, int *ret_x)
{
	const int *last = e->reach[d - 1] + (d - 1);
	bool down = k == -d || (k != d && last[k - 1] < last[k + 1]);

	*ret_x = down ? last[k + 1] : last[k - 1] + 1;
	return down;
}

/* The number of edits, -1 when there are too many, or -ENOMEM. */
static int find_edits(struct edit *e)
{
	for (int d = 0; d <= MAX_EDITS; d++) {
		e->reach[d] = calloc(2 * (size_t)d + 1, sizeof(int));
		if (!e->reach[d])
			return -ENOMEM;
		for (int k = -d; k <= d; k += 2) {
			int x = 0;

			if (d)
				came_down(e, d, k, &x);
			while (x < e->a.count && x - k < e->b.count && !strcmp(e->a.keys[x], e->b.keys[x - k]))
				x++;
			e->reach[d][k + d] = x;
			if (x >= e->a.count && x - k >= e->b.count)
				return d;
		}
	}
	return -1;
}

static int mark_edits(struct edit *e)
{
	int d = find_edits(e), k = e->a.count - e->b.count, x;

	if (d == -ENOMEM)
		return d;
	if (d < 0) {
		memset(e->a.alone, true, e->a.count);
		memset(e->b.alone, true, e->b.count);
	}
	for (; d > 0; d--) {
		if (came_down(e, d, k, &x)) {
			e->b.alone[x - k - 1] = true;
			k++;
		} else {
			e->a.alone[x - 1] = true;
			k--;
		}
	}
	return 0;
}

/* Whether its rules are all written anew. */
static bool is_emptied(const struct chain_change *c)
{
	return c->have && (c->replace || c->must_empty);
}

/* From the top: what is above the line at hand is as it should be, and what is below as it was. */
static int print_rules(const struct chain_change *c, struct strbuf *out)
{
	CLEANUP(edit_done) struct edit e = { 0 };
	const char *name = c->want ? c->want->name : c->have->name;
	int err = side_of(is_emptied(c) ? NULL : c->have, &e.a) ?: side_of(c->want, &e.b) ?: mark_edits(&e);

	for (int a = 0, b = 0; !err && (a < e.a.count || b < e.b.count);) {
		if (e.a.alone[a]) {
			print_gone_rule(name, &c->have->rules[a++], out);
		} else if (e.b.alone[b]) {
			print_fresh_rule(name, a < e.a.count ? b : -1, &c->want->rules[b], out);
			b++;
		} else {
			a++;
			b++;
		}
	}
	return err;
}

/* ---- sets and chains ---- */

struct element_line {
	char sign;
	const char *set;
	size_t count;
	struct strbuf text;
};

static void flush_elements(struct element_line *l, struct strbuf *out)
{
	if (!l->count)
		return;
	strbuf_add(&l->text, " }");
	out->failed |= l->text.failed;
	print_line(l->sign, "element", l->set, l->text.text, out);
	strbuf_done(&l->text);
	l->count = 0;
}

static void add_element(struct element_line *l, const char *element, struct strbuf *out)
{
	strbuf_add(&l->text, l->count++ ? ", " : "{ ");
	strbuf_add(&l->text, element);
	if (l->count == ELEMENTS_A_LINE)
		flush_elements(l, out);
}

static void print_elements(char sign, const char *set, const struct addr_ranges *ranges, char *const *texts,
			   size_t text_count, struct strbuf *out)
{
	struct element_line line = { .sign = sign, .set = set };
	char text[RANGE_TEXT_SIZE];

	for (size_t i = 0; i < ranges->count; i++)
		add_element(&line, addr_range_print(&ranges->v[i], text), out);
	for (size_t i = 0; i < text_count; i++)
		add_element(&line, texts[i], out);
	flush_elements(&line, out);
}

static const char *set_kind(const struct nft_set *s)
{
	return s->is_map ? "map" : "set";
}

static void print_set_declaration(const struct nft_set *s, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	strbuf_printf(&text, "{ type %s;", s->type);
	if (s->flags)
		strbuf_printf(&text, " flags %s;", s->flags);
	if (s->timeout)
		strbuf_printf(&text, " timeout %s;", s->timeout);
	strbuf_add(&text, " }");
	out->failed |= text.failed;
	print_line('+', set_kind(s), s->name, text.text, out);
}

static void print_chain_declaration(const struct nft_chain *c, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf text = { 0 };

	if (c->hook)
		strbuf_printf(&text, "{ %s }", c->hook);
	out->failed |= text.failed;
	print_line('+', "chain", c->name, text.text, out);
}

/* What is declared anew comes first, so that the lines below may refer to it; and what is in its way goes. */
static void print_declarations(const struct nft_changes *c, struct strbuf *out)
{
	for (size_t i = 0; i < c->chain_count; i++)
		if (is_emptied(&c->chains[i]))
			strbuf_printf(out, "- nft flush chain inet " OUR_TABLE " %s\n", c->chains[i].have->name);
	for (size_t i = 0; i < c->fresh_counters.count; i++)
		print_line('+', "counter", c->fresh_counters.v[i], NULL, out);
	for (size_t i = 0; i < c->set_count; i++) {
		const struct set_change *s = &c->sets[i];

		if (s->replace)
			print_line('-', set_kind(s->have), s->have->name, NULL, out);
		if (!s->have || s->replace)
			print_set_declaration(s->want, out);
	}
	for (size_t i = 0; i < c->chain_count; i++) {
		const struct chain_change *chain = &c->chains[i];

		if (chain->replace)
			print_line('-', "chain", chain->have->name, NULL, out);
		if (!chain->have || chain->replace)
			print_chain_declaration(chain->want, out);
	}
}

static void print_all_elements(const struct nft_changes *c, struct strbuf *out)
{
	for (size_t i = 0; i < c->set_count; i++) {
		const struct set_change *s = &c->sets[i];

		if (!s->want)
			continue;
		print_elements('-', s->want->name, &s->gone, s->gone_texts.v, s->gone_texts.count, out);
		print_elements('+', s->want->name, &s->fresh, s->fresh_texts.v, s->fresh_texts.count, out);
		if (!s->have || s->replace)
			print_elements('+', s->want->name, &s->want->ranges, s->want->elements,
				       s->want->element_count, out);
	}
}

static void print_removals(const struct nft_table *have, const struct nft_changes *c, struct strbuf *out)
{
	/* A map leads to chains. */
	for (size_t i = 0; i < c->set_count; i++)
		if (!c->sets[i].want)
			print_line('-', set_kind(c->sets[i].have), c->sets[i].have->name, NULL, out);
	for (size_t i = 0; i < c->chain_count; i++)
		if (!c->chains[i].want)
			print_line('-', "chain", c->chains[i].have->name, NULL, out);
	for (size_t i = 0; i < c->gone_counters.count; i++)
		print_line('-', "counter", c->gone_counters.v[i], NULL, out);
	for (size_t i = 0; i < have->other_count; i++) {
		const char *name = strrchr(have->others[i], ' ');

		strbuf_printf(out, "- nft delete %.*s inet " OUR_TABLE "%s\n", (int)(name - have->others[i]),
			      have->others[i], name);
	}
}

int nft_diff(const struct nft_table *have, const struct nft_table *want, struct strbuf *ret)
{
	CLEANUP(nft_changes_done) struct nft_changes changes = { 0 };
	int err = nft_compare(have, want, &changes);

	if (err || !changes.any)
		return err;
	if (!want->exists) {
		strbuf_add(ret, "- nft delete table inet " OUR_TABLE "\n");
		return ret->failed ? -ENOMEM : 0;
	}
	if (!have->exists || have->dormant)
		strbuf_add(ret, "+ nft add table inet " OUR_TABLE "\n");
	print_declarations(&changes, ret);
	for (size_t i = 0; !err && i < changes.chain_count; i++)
		if (changes.chains[i].refill || !changes.chains[i].have || !changes.chains[i].want)
			err = print_rules(&changes.chains[i], ret);
	print_all_elements(&changes, ret);
	print_removals(have, &changes, ret);
	return err ?: ret->failed ? -ENOMEM : 0;
}
