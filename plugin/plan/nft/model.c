/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nftables table as data: adding to it, its order, letting it go.
 */
#include "plan/nft/nft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define COMMENT_MAX 128

static void rule_done(struct nft_rule *r)
{
	free(r->text);
	free(r->comment);
}

static void chain_done(struct nft_chain *c)
{
	if (c->is_borrowed)
		return;
	for (size_t i = 0; i < c->rule_count; i++)
		rule_done(&c->rules[i]);
	free(c->rules);
	free(c->name);
	free(c->hook);
}

static void set_done(struct nft_set *s)
{
	if (s->is_borrowed)
		return;
	for (size_t i = 0; i < s->element_count; i++)
		free(s->elements[i]);
	free(s->elements);
	free(s->name);
	free(s->type);
	free(s->flags);
	free(s->timeout);
	addr_ranges_done(&s->ranges);
}

void nft_table_done(struct nft_table *t)
{
	for (size_t i = 0; i < t->counter_count; i++)
		free(t->counters[i]);
	for (size_t i = 0; i < t->other_count; i++)
		free(t->others[i]);
	for (size_t i = 0; i < t->set_count; i++)
		set_done(&t->sets[i]);
	for (size_t i = 0; i < t->chain_count; i++)
		chain_done(&t->chains[i]);
	free(t->counters);
	free(t->others);
	free(t->sets);
	free(t->chains);
	*t = (struct nft_table){ 0 };
}

/* NULL stays NULL; false when memory failed. */
static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return *ret || !text;
}

/* What nft takes as a comment: no quote (it can't be escaped), and 128 bytes at most, or it refuses the
 * whole transaction. A character is not cut in two. */
static bool copy_comment(const char *text, char **ret)
{
	size_t len = text ? strlen(text) : 0;

	if (len > COMMENT_MAX)
		for (len = COMMENT_MAX; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	*ret = len ? strndup(text, len) : NULL;
	if (!*ret)
		return !len;
	for (char *p = *ret; *p; p++)
		if (*p == '"' || (unsigned char)*p < ' ' || *p == '\x7f')
			*p = '?';
	return true;
}

/* What is put together here, while it is short. */
struct short_text {
	char bytes[256];
	size_t len;
};

static bool add_bytes(struct short_text *t, const char *bytes, size_t n)
{
	if (n >= sizeof(t->bytes) - t->len)
		return false;
	memcpy(t->bytes + t->len, bytes, n);
	t->len += n;
	return true;
}

static bool add_hex(struct short_text *t, unsigned int n)
{
	char digits[8];

	for (size_t i = sizeof(digits); i--; n >>= 4)
		digits[i] = "0123456789abcdef"[n & 0xf];
	return add_bytes(t, digits, sizeof(digits));
}

/* Nearly all of our formats have nothing but %s and %08x in them: that is quicker than vsnprintf, four
 * times, and 250 interfaces make 5,300 such texts. False: there is something else, or it is long. */
static bool format_plain(const char *fmt, va_list args, struct short_text *ret)
{
	for (const char *next; *(next = strchrnul(fmt, '%')); ) {
		const char *text;

		if (!add_bytes(ret, fmt, (size_t)(next - fmt)))
			return false;
		if (next[1] == 's') {
			text = va_arg(args, const char *);
			if (!add_bytes(ret, text, strlen(text)))
				return false;
			fmt = next + 2;
		} else if (strncmp(next, "%08x", 4) == 0) {
			if (!add_hex(ret, va_arg(args, unsigned int)))
				return false;
			fmt = next + 4;
		} else {
			return false;
		}
	}
	return add_bytes(ret, fmt, strlen(fmt));
}

static PRINTF_LIKE(1, 0) char *format(const char *fmt, va_list args)
{
	struct short_text plain = { .len = 0 };
	char *text = NULL;
	va_list again;

	va_copy(again, args);
	if (format_plain(fmt, args, &plain))
		text = strndup(plain.bytes, plain.len);
	else if (vasprintf(&text, fmt, again) < 0)
		text = NULL;
	va_end(again);
	return text;
}

int nft_add_counter(struct nft_table *t, const char *name)
{
	char **slot = VEC_PUSH(t->counters, t->counter_count);

	if (!slot)
		return -ENOMEM;
	if (!copy(name, slot)) {
		t->counter_count--;
		return -ENOMEM;
	}
	t->exists = true;
	return 0;
}

struct nft_chain *nft_add_chain(struct nft_table *t, const char *name, const char *hook)
{
	struct nft_chain *c = VEC_PUSH(t->chains, t->chain_count);

	if (!c)
		return NULL;
	if (!copy(name, &c->name) || !copy(hook, &c->hook)) {
		chain_done(c);
		t->chain_count--;
		return NULL;
	}
	t->exists = true;
	return c;
}

int nft_add_rule(struct nft_chain *c, const char *comment, const char *fmt, ...)
{
	struct nft_rule *r = VEC_PUSH(c->rules, c->rule_count);
	va_list args;

	if (!r)
		return -ENOMEM;
	va_start(args, fmt);
	r->text = format(fmt, args);
	va_end(args);
	if (!r->text || !copy_comment(comment, &r->comment)) {
		rule_done(r);
		c->rule_count--;
		return -ENOMEM;
	}
	return 0;
}

struct nft_set *nft_add_set(struct nft_table *t, const char *name, bool is_map, const char *type, const char *flags)
{
	struct nft_set *s = VEC_PUSH(t->sets, t->set_count);

	if (!s)
		return NULL;
	s->is_map = is_map;
	if (!copy(name, &s->name) || !copy(type, &s->type) || !copy(flags, &s->flags)) {
		set_done(s);
		t->set_count--;
		return NULL;
	}
	t->exists = true;
	return s;
}

int nft_add_element(struct nft_set *s, const char *fmt, ...)
{
	char **slot = VEC_PUSH(s->elements, s->element_count);
	va_list args;

	if (!slot)
		return -ENOMEM;
	va_start(args, fmt);
	*slot = format(fmt, args);
	va_end(args);
	if (!*slot) {
		s->element_count--;
		return -ENOMEM;
	}
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct nft_set *)a)->name, ((const struct nft_set *)b)->name);
}

static int compare_name(const void *name, const void *set)
{
	return strcmp(name, ((const struct nft_set *)set)->name);
}

const struct nft_set *nft_find_set(const struct nft_table *t, const char *name)
{
	return t->set_count
		       ? bsearch(name, t->sets, t->set_count, sizeof(*t->sets), compare_name)
		       : NULL;
}

static void sort_texts(char **v, size_t count)
{
	vec_sort(v, count, sizeof(*v), compare_texts);
}

void nft_sort_names(struct nft_table *t)
{
	sort_texts(t->counters, t->counter_count);
	vec_sort(t->sets, t->set_count, sizeof(*t->sets), compare_sets);
}

void nft_sort_listed(struct nft_table *t)
{
	nft_sort_names(t);
	for (size_t i = 0; i < t->set_count; i++) {
		struct nft_set *s = &t->sets[i];

		sort_texts(s->elements, s->element_count);
		addr_ranges_sort(&s->ranges);
	}
}

void nft_sort(struct nft_table *t)
{
	for (size_t i = 0; i < t->set_count; i++)
		addr_ranges_normalise(&t->sets[i].ranges);
	nft_sort_listed(t);
}
