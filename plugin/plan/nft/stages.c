/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way from one table to another where packets look up what changes. Linux puts new rules in
 * force first, and gives interval sets their new elements a moment later, one set after the other
 * (6.18: nf_tables_commit moves gencursor, then nft_set_commit_update calls nft_rbtree_commit, which
 * publishes an array): in between, new rules judge by old elements, and by none where a set is new,
 * be it a list in a rule. And a packet that is among the old rules at that moment goes on by them,
 * but sees elements as they are now (nft_do_chain reads gencursor once, a look-up again): none in a
 * map that goes, be it one in a rule (nft_map_deactivate).
 *
 * So what is looked up by intervals is complete before a rule leads there, and stands as it was
 * until the last packet has left. What is new is made ahead. What stands and changes together with
 * rules (a set, a map, a chain with lists of intervals or maps in it) is made ahead as a copy. Then
 * all rules change, and lead to the copies; what was copied changes as well, unused, and what is no
 * longer wanted goes; and at last the rules come back.
 */
#include "plan/nft/stages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

struct maker {
	const struct nft_table *have, *want;
	const struct nft_changes *changes;
	struct nft_stages *ret;
	char suffix[16];		/* of the copies' names: no other name ends in it */
	bool *is_copied;		/* for each of want->chains */
	const char **names;		/* of all that is copied, sorted */
	size_t name_count;
	struct nft_table copies;
};

/* ---- what is looked up by intervals ---- */

/* A quoted string is stepped over, to its last byte. */
static const char *skip_quoted(const char *p)
{
	const char *end = *p == '"' ? strchr(p + 1, '"') : p;

	return end ? end : p + strlen(p) - 1;
}

/* Whether there is a prefix or a range in the braces of a rule. "nd-router-solicit" is none. */
static bool has_intervals(const char *text)
{
	bool inside = false, is_value = false;

	for (const char *p = text; *p; p++) {
		p = skip_quoted(p);
		if (*p == '{' || *p == '}')
			inside = *p == '{';
		else if (*p == ' ' || *p == ',')
			is_value = false;
		else if (inside && (*p == '/' || (*p == '-' && is_value)))
			return true;
		else
			is_value |= *p == ':' || (*p >= '0' && *p <= '9');
	}
	return false;
}

static bool has_map(const char *text)
{
	return strstr(text, " vmap {") != NULL;
}

/* NULL: there is no such chain. */
static bool any_rule(const struct nft_chain *c, bool (*is)(const char *text))
{
	for (size_t i = 0; c && i < c->rule_count; i++)
		if (is(c->rules[i].text))
			return true;
	return false;
}

static bool is_interval(const struct nft_set *s)
{
	return s->flags && strstr(s->flags, "interval");
}

static bool set_is_copied(const struct set_change *s)
{
	return s->have && s->want &&
	       (s->replace ||
		(is_interval(s->want) && s->gone.count + s->fresh.count + s->gone_texts.count +
						 s->fresh_texts.count));
}

static bool chain_is_new(const struct chain_change *c)
{
	return !c->have && !c->want->hook;
}

/* Whether packets take another way, and are not only compared with something else. */
static bool rules_differ(const struct nft_changes *c)
{
	for (size_t i = 0; i < c->chain_count; i++)
		if (c->chains[i].refill || !c->chains[i].want ||
		    (!c->chains[i].have && !chain_is_new(&c->chains[i])))
			return true;
	return false;
}

/* Not where they are of two families, or maps of two chains that judge (judge_local.1_to_4): what
 * is local is not forwarded. */
static bool may_meet(const struct nft_set *a, const struct nft_set *b)
{
	size_t len = strcspn(a->name, ".");

	if ((strstr(a->type, "ipv4_addr") && strstr(b->type, "ipv6_addr")) ||
	    (strstr(a->type, "ipv6_addr") && strstr(b->type, "ipv4_addr")))
		return false;
	return !a->is_map || !b->is_map || strncmp(a->name, b->name, len + 1) == 0;
}

/* Whether one packet may be compared with two that change: it could meet the one as it was and the
 * other as it will be. */
static bool sets_differ_together(const struct nft_changes *c)
{
	for (size_t i = 0; i < c->set_count; i++)
		for (size_t k = 0; k < i && set_is_copied(&c->sets[i]); k++)
			if (set_is_copied(&c->sets[k]) && may_meet(c->sets[i].want, c->sets[k].want))
				return true;
	return false;
}

/* Whether a map, or a chain with lists, is new. New sets of ranges go ahead in any case. */
static bool intervals_are_new(const struct nft_changes *c)
{
	for (size_t i = 0; i < c->set_count; i++)
		if (!c->sets[i].have && is_interval(c->sets[i].want) && !c->sets[i].want->has_ranges)
			return true;
	for (size_t i = 0; i < c->chain_count; i++)
		if (c->chains[i].want && chain_is_new(&c->chains[i]) &&
		    any_rule(c->chains[i].want, has_intervals))
			return true;
	return false;
}

/* Whether something changes or goes that packets among the old rules would miss. A list in a rule
 * stays with the rule. */
static bool is_missed(const struct nft_changes *c)
{
	for (size_t i = 0; i < c->set_count; i++)
		if (set_is_copied(&c->sets[i]) ||
		    (!c->sets[i].want && c->sets[i].have->is_map && is_interval(c->sets[i].have)))
			return true;
	for (size_t i = 0; i < c->chain_count; i++)
		if ((c->chains[i].refill || !c->chains[i].want) && any_rule(c->chains[i].have, has_map))
			return true;
	return false;
}

/* ---- references ---- */

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '.';
}

/* The next name that a rule refers to, "@NAME", "goto NAME" or "jump NAME", from *p on, which is
 * moved behind it. NULL: no more. */
static const char *next_reference(const char **p, size_t *ret_len)
{
	const char *name = NULL;

	for (const char *at = *p; *at && !name; at++) {
		at = skip_quoted(at);
		if (*at == '@')
			name = at + 1;
		else if (strncmp(at, "goto ", 5) == 0 || strncmp(at, "jump ", 5) == 0)
			name = at + 5;
	}
	if (!name)
		return NULL;
	for (*ret_len = 0; is_name(name[*ret_len]); ++*ret_len)
		;
	*p = name + *ret_len;
	return name;
}

static bool is_copied_name(const struct maker *m, const char *name, size_t len)
{
	for (size_t low = 0, high = m->name_count; low < high;) {
		size_t at = low + (high - low) / 2;
		int c = strncmp(name, m->names[at], len) ?: -(m->names[at][len] != '\0');

		if (c == 0)
			return true;
		if (c < 0)
			high = at;
		else
			low = at + 1;
	}
	return false;
}

static bool refers_to_copies(const struct maker *m, const struct nft_chain *c)
{
	for (size_t i = 0; m->name_count && i < c->rule_count; i++) {
		const char *p = c->rules[i].text, *name;
		size_t len;

		while ((name = next_reference(&p, &len)))
			if (is_copied_name(m, name, len))
				return true;
	}
	return false;
}

/* ---- what is copied ---- */

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int note_copy(struct maker *m, const char *name)
{
	const char **room = VEC_PUSH(m->names, m->name_count);

	if (!room)
		return -ENOMEM;
	*room = name;
	vec_sort(m->names, m->name_count, sizeof(*m->names), compare_strings);
	return 0;
}

/* Whether its rules can't just be written anew. Base chains can't be copied, and need not be. */
static bool is_delicate(const struct chain_change *c)
{
	return !c->want->hook && (any_rule(c->want, has_intervals) || any_rule(c->have, has_map));
}

/* Such a chain is copied when it changes, and when it refers to what is copied, which it could not
 * without a change. */
static int find_copies(struct maker *m)
{
	bool more = true;

	for (size_t i = 0; i < m->changes->set_count; i++)
		if (set_is_copied(&m->changes->sets[i]))
			TRY(note_copy(m, m->changes->sets[i].want->name));
	while (more) {
		more = false;
		/* The changes begin with the chains that are wanted. */
		for (size_t i = 0; i < m->want->chain_count; i++) {
			const struct chain_change *c = &m->changes->chains[i];

			if (m->is_copied[i] || !(c->refill || refers_to_copies(m, c->want)) ||
			    !is_delicate(c))
				continue;
			more = m->is_copied[i] = true;
			TRY(note_copy(m, c->want->name));
		}
	}
	return 0;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len >= n && strcmp(name + len - n, suffix) == 0;
}

static bool is_in_use(const struct nft_changes *c, const char *suffix)
{
	for (size_t i = 0; i < c->set_count; i++)
		if (ends_in((c->sets[i].want ?: c->sets[i].have)->name, suffix))
			return true;
	for (size_t i = 0; i < c->chain_count; i++)
		if (ends_in((c->chains[i].want ?: c->chains[i].have)->name, suffix))
			return true;
	return false;
}

/* A run that was killed in between leaves its copies behind, maybe in use. */
static void choose_suffix(struct maker *m)
{
	unsigned int n = 1;

	do
		snprintf(m->suffix, sizeof(m->suffix), ".next%u", n++);
	while (is_in_use(m->changes, m->suffix));
}

/* ---- tables that borrow ---- */

/* Only the arrays are its own. */
static void shell_done(struct nft_table *t)
{
	free(t->counters);
	free(t->sets);
	free(t->chains);
	*t = (struct nft_table){ 0 };
}

/* For as long as the stages live. NULL: no memory. */
static void *keep(struct maker *m, void *memory)
{
	void **room = memory ? VEC_PUSH(m->ret->memory, m->ret->memory_count) : NULL;

	if (room)
		*room = memory;
	else
		free(memory);
	return room ? memory : NULL;
}

static char *copy_name(struct maker *m, const char *name)
{
	char *text;

	return keep(m, asprintf(&text, "%s%s", name, m->suffix) < 0 ? NULL : text);
}

static int add_set(struct nft_table *t, const struct nft_set *s)
{
	return vec_append(&t->sets, &t->set_count, s, 1, sizeof(*s));
}

static int add_chain(struct nft_table *t, const struct nft_chain *c)
{
	return vec_append(&t->chains, &t->chain_count, c, 1, sizeof(*c));
}

static int add_counters(struct nft_table *t, char *const *v, size_t count)
{
	return vec_append(&t->counters, &t->counter_count, v, count, sizeof(*v));
}

static char *lead_to_copies(struct maker *m, const char *text)
{
	CLEANUP(strbuf_done) struct strbuf b = { 0 };
	const char *p = text, *done = text, *name;
	size_t len;

	while ((name = next_reference(&p, &len))) {
		if (!is_copied_name(m, name, len))
			continue;
		strbuf_add_bytes(&b, done, (size_t)(p - done));
		strbuf_add(&b, m->suffix);
		done = p;
	}
	strbuf_add(&b, done);
	return keep(m, strbuf_take(&b));
}

/* Adds the chain under this name, its references led to copies. */
static int add_leading(struct maker *m, struct nft_table *t, const struct nft_chain *c, char *name)
{
	struct nft_chain leading = { .name = name, .hook = c->hook, .rule_count = c->rule_count };

	leading.rules = keep(m, calloc(c->rule_count + 1, sizeof(*leading.rules)));
	if (!name || !leading.rules)
		return -ENOMEM;
	for (size_t i = 0; i < c->rule_count; i++) {
		leading.rules[i] = c->rules[i];
		leading.rules[i].text = lead_to_copies(m, c->rules[i].text);
		if (!leading.rules[i].text)
			return -ENOMEM;
	}
	return add_chain(t, &leading);
}

/* One that is wanted, under its own name. What is copied is not in use itself. */
static int add_wanted(struct maker *m, struct nft_table *t, size_t i)
{
	const struct nft_chain *c = &m->want->chains[i];

	return m->is_copied[i] || !refers_to_copies(m, c) ? add_chain(t, c)
							  : add_leading(m, t, c, c->name);
}

static int make_copies(struct maker *m)
{
	for (size_t i = 0; i < m->changes->set_count; i++) {
		struct nft_set copy;

		if (!set_is_copied(&m->changes->sets[i]))
			continue;
		copy = *m->changes->sets[i].want;
		copy.name = copy_name(m, copy.name);
		if (!copy.name)
			return -ENOMEM;
		TRY(add_set(&m->copies, &copy));
	}
	for (size_t i = 0; i < m->want->chain_count; i++)
		if (m->is_copied[i])
			TRY(add_leading(m, &m->copies, &m->want->chains[i],
					copy_name(m, m->want->chains[i].name)));
	return 0;
}

/* ---- the stages ---- */

/* A stage that begins as this table. */
static int begin(struct maker *m, const struct nft_table *from, struct nft_table **ret)
{
	struct nft_table *t = *ret = &m->ret->v[m->ret->count++];

	t->exists = true;
	TRY(add_counters(t, from->counters, from->counter_count));
	TRY(vec_append(&t->sets, &t->set_count, from->sets, from->set_count, sizeof(*t->sets)));
	return vec_append(&t->chains, &t->chain_count, from->chains, from->chain_count,
			  sizeof(*t->chains));
}

static int add_new_sets(const struct maker *m, bool has_ranges, struct nft_table *t)
{
	for (size_t i = 0; i < m->changes->set_count; i++)
		if (!m->changes->sets[i].have && m->changes->sets[i].want->has_ranges == has_ranges)
			TRY(add_set(t, m->changes->sets[i].want));
	for (size_t i = 0; i < m->copies.set_count; i++)
		if (m->copies.sets[i].has_ranges == has_ranges)
			TRY(add_set(t, &m->copies.sets[i]));
	return 0;
}

static bool ranges_are_new(const struct maker *m)
{
	for (size_t i = 0; i < m->changes->set_count; i++)
		if (!m->changes->sets[i].have && m->changes->sets[i].want->has_ranges)
			return true;
	for (size_t i = 0; i < m->copies.set_count; i++)
		if (m->copies.sets[i].has_ranges)
			return true;
	return false;
}

/* Sets of ranges: they go without a script. */
static int make_ranges(struct maker *m)
{
	struct nft_table *t;

	if (!ranges_are_new(m))
		return 0;
	m->ret->begins_with_edits = true;
	TRY(begin(m, m->have, &t));
	t->dormant = m->have->dormant;
	t->others = m->have->others;
	t->other_count = m->have->other_count;
	TRY(add_new_sets(m, true, t));
	nft_sort_names(t);
	return 0;
}

/* All else that is new: no rule of old leads there. */
static int make_ahead(struct maker *m)
{
	struct nft_table *t;

	TRY(begin(m, m->ret->count ? &m->ret->v[m->ret->count - 1] : m->have, &t));
	TRY(add_counters(t, m->changes->fresh_counters.v, m->changes->fresh_counters.count));
	TRY(add_new_sets(m, false, t));
	for (size_t i = 0; i < m->want->chain_count; i++)
		if (chain_is_new(&m->changes->chains[i]))
			TRY(add_wanted(m, t, i));
	for (size_t i = 0; i < m->copies.chain_count; i++)
		TRY(add_chain(t, &m->copies.chains[i]));
	nft_sort_names(t);
	return 0;
}

/* What is wanted, led to the copies. What was copied, and what goes, is as it was. */
static int make_switched(struct maker *m)
{
	struct nft_table *t;

	m->ret->settles[m->ret->count] = true;
	TRY(begin(m, &m->copies, &t));
	TRY(add_counters(t, m->want->counters, m->want->counter_count));
	TRY(add_counters(t, m->changes->gone_counters.v, m->changes->gone_counters.count));
	for (size_t i = 0; i < m->changes->set_count; i++) {
		const struct set_change *s = &m->changes->sets[i];

		TRY(add_set(t, m->name_count && set_is_copied(s) ? s->have : s->want ?: s->have));
	}
	/* The changes begin with the chains that are wanted. */
	for (size_t i = 0; i < m->changes->chain_count; i++) {
		const struct chain_change *c = &m->changes->chains[i];

		if (c->want && !(c->have && m->is_copied[i]))
			TRY(add_wanted(m, t, i));
		else if (!c->have->hook)
			TRY(add_chain(t, c->have));
	}
	nft_sort_names(t);
	return 0;
}

/* What was copied is as it will be, and what goes is gone. */
static int make_settled(struct maker *m)
{
	struct nft_table *t;

	TRY(begin(m, &m->copies, &t));
	TRY(add_counters(t, m->want->counters, m->want->counter_count));
	TRY(vec_append(&t->sets, &t->set_count, m->want->sets, m->want->set_count, sizeof(*t->sets)));
	for (size_t i = 0; i < m->want->chain_count; i++)
		TRY(add_wanted(m, t, i));
	nft_sort_names(t);
	return 0;
}

/* What is wanted, and the copies, in which packets are still. */
static int make_returned(struct maker *m)
{
	struct nft_table *t;

	m->ret->settles[m->ret->count] = true;
	TRY(begin(m, m->want, &t));
	TRY(vec_append(&t->sets, &t->set_count, m->copies.sets, m->copies.set_count, sizeof(*t->sets)));
	TRY(vec_append(&t->chains, &t->chain_count, m->copies.chains, m->copies.chain_count,
		       sizeof(*t->chains)));
	nft_sort_names(t);
	return 0;
}

static bool maps_are_copied(const struct maker *m)
{
	for (size_t i = 0; i < m->copies.set_count; i++)
		if (m->copies.sets[i].is_map)
			return true;
	for (size_t i = 0; i < m->copies.chain_count; i++)
		if (any_rule(&m->copies.chains[i], has_map))
			return true;
	return false;
}

static int make(struct maker *m)
{
	/* A table that somebody put to sleep wakes up with what is in it. */
	bool awake = !m->have->dormant;
	bool moves = awake && (rules_differ(m->changes) || sets_differ_together(m->changes));

	if (!m->want->exists)
		return 0;
	m->is_copied = calloc(m->want->chain_count + 1, sizeof(*m->is_copied));
	if (!m->is_copied)
		return -ENOMEM;
	choose_suffix(m);
	if (moves)
		TRY(find_copies(m));
	if (m->name_count)
		TRY(make_copies(m));
	TRY(make_ranges(m));
	if (m->name_count || (awake && intervals_are_new(m->changes)))
		TRY(make_ahead(m));
	m->ret->change = m->ret->count;
	if (moves && is_missed(m->changes))
		TRY(make_switched(m));
	if (m->name_count)
		TRY(make_settled(m));
	return maps_are_copied(m) ? make_returned(m) : 0;
}

void nft_stages_done(struct nft_stages *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->v); i++)
		shell_done(&s->v[i]);
	for (size_t i = 0; i < s->memory_count; i++)
		free(s->memory[i]);
	free(s->memory);
	*s = (struct nft_stages){ 0 };
}

int nft_stages(const struct nft_table *have, const struct nft_table *want,
	       const struct nft_changes *changes, struct nft_stages *ret)
{
	CLEANUP(nft_stages_done) struct nft_stages stages = { 0 };
	struct maker m = { .have = have, .want = want, .changes = changes, .ret = &stages };
	int err = make(&m);

	shell_done(&m.copies);
	free(m.is_copied);
	free(m.names);
	if (err)
		return err;
	*ret = stages;
	stages = (struct nft_stages){ 0 };
	return 0;
}
