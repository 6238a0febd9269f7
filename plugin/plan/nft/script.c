/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The difference as one nft transaction. The order is the whole art: rules and elements go before what
 * they refer to, and within the block at the end libnftables itself puts objects before rules.
 */
#include "plan/nft/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "plan/nft/changes.h"
#include "plan/objects.h"

#define TABLE "inet " OUR_TABLE

static void print_ranges(const struct addr_ranges *r, const char **separator, struct strbuf *out)
{
	char text[RANGE_TEXT_SIZE];

	for (size_t i = 0; i < r->count; i++) {
		strbuf_add(out, *separator);
		strbuf_add(out, addr_range_print(&r->v[i], text));
		*separator = ", ";
	}
}

static void print_texts(char *const *v, size_t count, const char **separator, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++) {
		strbuf_add(out, *separator);
		strbuf_add(out, v[i]);
		*separator = ", ";
	}
}

/* Its elements differ. For `add element` and `delete element` libnftables 1.0.6 reads the elements of
 * every interval set of the host, somebody else's 100,000 in 0.8 s; for a set that is declared again
 * it reads nothing: that adds elements, and a flush ahead takes all others away. Nor is it good at a
 * long `delete element`: 1.0.6 takes the square of its length (3,000 prefixes: 2.5 s), and 1.1.3 gets
 * it wrong where one message of 64 kB ends and the next begins (1,638 IPv4 prefixes): ENOENT. */
static bool is_redeclared(const struct set_change *s)
{
	return s->have && s->want && !s->replace &&
	       s->gone.count + s->fresh.count + s->gone_texts.count + s->fresh_texts.count > 0;
}

/* Elements can be added to what stands. (Intervals can't: libnftables takes the set for a new one,
 * and marks where the first of them begins.) */
static bool only_gains(const struct set_change *s)
{
	return is_redeclared(s) && s->gone.count + s->fresh.count + s->gone_texts.count == 0 &&
	       !(s->want->flags && strstr(s->want->flags, "interval"));
}

static bool is_edited(const struct nft_edits *e, const struct nft_set *set)
{
	for (size_t i = 0; e && i < e->count; i++)
		if (e->v[i].set == set)
			return true;
	return false;
}

/* ---- what goes ---- */

static void print_gone(const struct nft_table *have, const struct nft_changes *c, struct strbuf *out)
{
	for (size_t i = 0; i < c->chain_count; i++)
		if (c->chains[i].have && (c->chains[i].refill || !c->chains[i].want))
			strbuf_printf(out, "flush chain " TABLE " %s\n", c->chains[i].have->name);
	for (size_t i = 0; i < c->set_count; i++)
		if (is_redeclared(&c->sets[i]) && !only_gains(&c->sets[i]))
			strbuf_printf(out, "flush %s " TABLE " %s\n",
				      c->sets[i].have->is_map ? "map" : "set",
				      c->sets[i].have->name);
	for (size_t i = 0; i < c->set_count; i++)
		if (c->sets[i].have && (c->sets[i].replace || !c->sets[i].want))
			strbuf_printf(out, "delete %s " TABLE " %s\n", c->sets[i].have->is_map ? "map" : "set",
				      c->sets[i].have->name);
	for (size_t i = 0; i < c->chain_count; i++)
		if (c->chains[i].have && (c->chains[i].replace || !c->chains[i].want))
			strbuf_printf(out, "delete chain " TABLE " %s\n", c->chains[i].have->name);
	for (size_t i = 0; i < c->gone_counters.count; i++)
		strbuf_printf(out, "delete counter " TABLE " %s\n", c->gone_counters.v[i]);
	for (size_t i = 0; i < have->other_count; i++) {
		const char *name = strrchr(have->others[i], ' ');

		strbuf_add(out, "delete ");
		strbuf_add_bytes(out, have->others[i], name - have->others[i]);
		strbuf_printf(out, " " TABLE "%s\n", name);
	}
}

/* ---- what comes ---- */

static void print_counter(const char *name, struct strbuf *out)
{
	strbuf_printf(out, "\tcounter %s {\n\t}\n", name);
}

static void begin_set(const struct nft_set *s, struct strbuf *out)
{
	strbuf_printf(out, "\t%s %s {\n\t\ttype %s\n", s->is_map ? "map" : "set", s->name, s->type);
	if (s->flags)
		strbuf_printf(out, "\t\tflags %s\n", s->flags);
	if (s->timeout)
		strbuf_printf(out, "\t\ttimeout %s\n", s->timeout);
}

static void print_set_of(const struct nft_set *s, const struct addr_ranges *ranges,
			 char *const *elements, size_t count, struct strbuf *out)
{
	const char *separator = "\t\telements = { ";

	begin_set(s, out);
	print_ranges(ranges, &separator, out);
	print_texts(elements, count, &separator, out);
	strbuf_add(out, ranges->count || count ? " }\n\t}\n" : "\t}\n");
}

static void print_set(const struct nft_set *s, struct strbuf *out)
{
	print_set_of(s, &s->ranges, s->elements, s->element_count, out);
}

static void print_packed_set(const struct nft_set *s, struct strbuf *out)
{
	begin_set(s, out);
	strbuf_add(out, "\t\tpacked ");
	nft_pack(&s->ranges, out);
	strbuf_add(out, "\n\t}\n");
}

static void print_chain(const struct nft_chain *c, bool declare, struct strbuf *out)
{
	strbuf_add(out, "\tchain ");
	strbuf_add(out, c->name);
	strbuf_add(out, " {\n");
	if (c->hook && declare)
		strbuf_printf(out, "\t\t%s\n", c->hook);
	for (size_t i = 0; i < c->rule_count; i++) {
		strbuf_add(out, "\t\t");
		strbuf_add(out, c->rules[i].text);
		if (c->rules[i].comment) {
			strbuf_add(out, " comment \"");
			strbuf_add(out, c->rules[i].comment);
			strbuf_add(out, "\"");
		}
		strbuf_add(out, "\n");
	}
	strbuf_add(out, "\t}\n");
}

static void print_fresh(const struct nft_changes *c, const struct nft_edits *edits,
			struct strbuf *out)
{
	strbuf_add(out, "table " TABLE " {\n");
	for (size_t i = 0; i < c->fresh_counters.count; i++)
		print_counter(c->fresh_counters.v[i], out);
	for (size_t i = 0; i < c->set_count; i++) {
		const struct set_change *s = &c->sets[i];

		if (only_gains(s))
			print_set_of(s->want, &s->fresh, s->fresh_texts.v, s->fresh_texts.count,
				     out);
		else if (s->want && (!s->have || s->replace || is_redeclared(s)) &&
			 !is_edited(edits, s->want))
			print_set(s->want, out);
	}
	for (size_t i = 0; i < c->chain_count; i++) {
		const struct chain_change *chain = &c->chains[i];

		if (chain->want && (!chain->have || chain->refill))
			print_chain(chain->want, !chain->have || chain->replace, out);
	}
	strbuf_add(out, "}\n");
}

int nft_print(const struct nft_table *t, struct strbuf *ret)
{
	strbuf_add(ret, "table " TABLE " {\n");
	for (size_t i = 0; i < t->counter_count; i++)
		print_counter(t->counters[i], ret);
	for (size_t i = 0; i < t->set_count; i++)
		if (t->sets[i].ranges.count)
			print_packed_set(&t->sets[i], ret);
		else
			print_set(&t->sets[i], ret);
	for (size_t i = 0; i < t->chain_count; i++)
		print_chain(&t->chains[i], true, ret);
	strbuf_add(ret, "}\n");
	return ret->failed ? -ENOMEM : 0;
}

/* ---- what goes without a script ---- */

void nft_edits_done(struct nft_edits *e)
{
	for (size_t i = 0; i < e->count; i++) {
		addr_ranges_done(&e->v[i].gone);
		addr_ranges_done(&e->v[i].fresh);
	}
	free(e->v);
	*e = (struct nft_edits){ 0 };
}

/* Takes the ranges out of the changes. */
static int take_edits(struct nft_changes *c, struct nft_edits *ret)
{
	for (size_t i = 0; i < c->set_count; i++) {
		struct set_change *s = &c->sets[i];
		struct nft_edit *e;

		if (!s->want || !s->want->has_ranges || s->replace ||
		    (s->have && (c->beyond_ranges || !is_redeclared(s))))
			continue;
		e = VEC_PUSH(ret->v, ret->count);
		if (!e)
			return -ENOMEM;
		*e = (struct nft_edit){
			.set = s->want, .is_new = !s->have, .gone = s->gone, .fresh = s->fresh
		};
		s->gone = s->fresh = (struct addr_ranges){ 0 };
	}
	return 0;
}

int nft_script_of(const struct nft_table *have, const struct nft_table *want,
		  struct nft_changes *changes, struct nft_edits *ret_edits, struct strbuf *ret)
{
	CLEANUP(nft_edits_done) struct nft_edits edits = { .new_table = !have->exists };
	int err = 0;

	if (!changes->any)
		return 0;
	if (ret_edits)
		err = take_edits(changes, &edits);
	if (err)
		return err;
	if (!want->exists) {
		strbuf_add(ret, "delete table " TABLE "\n");
	} else if (changes->beyond_ranges || !ret_edits) {
		print_gone(have, changes, ret);
		print_fresh(changes, &edits, ret);
	}
	if (ret->failed)
		return -ENOMEM;
	if (ret_edits) {
		*ret_edits = edits;
		edits = (struct nft_edits){ 0 };
	}
	return 0;
}

int nft_script(const struct nft_table *have, const struct nft_table *want,
	       struct nft_edits *ret_edits, struct strbuf *ret)
{
	CLEANUP(nft_changes_done) struct nft_changes changes = { 0 };

	return nft_compare(have, want, &changes) ?:
	       nft_script_of(have, want, &changes, ret_edits, ret);
}
