/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Conditions as nft prints them.
 */
#include "plan/texts.h"
#include "base/vec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int push(struct texts *t, char *text)
{
	char **room = text ? VEC_PUSH(t->v, t->count) : NULL;

	if (!room) {
		free(text);
		return -ENOMEM;
	}
	*room = text;
	return 0;
}

int texts_add(struct texts *t, const char *fmt, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	return push(t, n < 0 ? NULL : text);
}

void texts_done(struct texts *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->v[i]);
	free(t->v);
	*t = (struct texts){ 0 };
}

int texts_multiply(struct texts *t, const struct texts *options)
{
	struct texts product = { 0 };
	int r = 0;

	if (options->count == 0)
		return 0;
	for (size_t i = 0; i < (t->count ? t->count : 1) && r == 0; i++)
		for (size_t k = 0; k < options->count && r == 0; k++)
			r = texts_add(&product, "%s%s", t->count ? t->v[i] : "", options->v[k]);
	texts_done(t);
	*t = product;
	return r;
}

static void open_list(struct strbuf *b, const char *expr, bool negated, size_t count)
{
	strbuf_printf(b, "%s %s%s", expr, negated ? "!= " : "", count > 1 ? "{ " : "");
}

static void close_list(struct strbuf *b, size_t count)
{
	strbuf_add(b, count > 1 ? " } " : " ");
}

static void put_number(struct strbuf *b, uint32_t n, const char *(*print)(uint32_t value))
{
	const char *name = print ? print(n) : NULL;

	if (name)
		strbuf_add(b, name);
	else
		strbuf_printf(b, "%u", n);
}

void text_numbers(struct strbuf *b, const char *expr, bool negated, const struct numbers *list,
		  const char *(*print)(uint32_t value))
{
	open_list(b, expr, negated, list->count);
	for (size_t i = 0; i < list->count; i++) {
		strbuf_add(b, i ? ", " : "");
		put_number(b, list->v[i].from, print);
		if (list->v[i].from == list->v[i].to)
			continue;
		strbuf_add(b, "-");
		put_number(b, list->v[i].to, print);
	}
	close_list(b, list->count);
}

void text_ranges(struct strbuf *b, const char *expr, bool negated, const struct addr_ranges *list)
{
	char buf[RANGE_TEXT_SIZE];

	open_list(b, expr, negated, list->count);
	for (size_t i = 0; i < list->count; i++)
		strbuf_printf(b, "%s%s", i ? ", " : "", addr_range_print(&list->v[i], buf));
	close_list(b, list->count);
}
